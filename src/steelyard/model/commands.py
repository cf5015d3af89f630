"""What the machine can be told. Commands are imperative; a row is one command, or one line of one that spans rows.

A command acts at its flagged `last` row. Only PRICE and CONFIGURE may span rows; every row of such a command
carries the same kind. Which columns a kind reads is written beside it: (column: meaning).
"""

from enum import IntEnum

import numpy as np

CLOCK = 1  # time passes; every mark price is recomputed
CONFIGURE = 2  # (account: table kind, market: row or 0 for a new one, order: key, lots: value)
PRICE = 3  # (market: feed, account: source, price, lots: confidence, trigger: observed_ns)
OPEN_ACCOUNT = 4  # (account: owner)
DEPOSIT = 5  # (account, market: asset, lots: amount, client: reference)
WITHDRAW = 6  # (account, market: asset, lots: amount, client: reference): reserves
CONFIRM_WITHDRAWAL = 7  # (client: reference)
RETURN_WITHDRAWAL = 8  # (client: reference)
TRANSFER = 9  # (account: from, order: to, market: asset, lots: amount, client: reference)
MOVE_MARGIN = 10  # (account: parent, market, lots: amount, signed: positive adds to the isolated position)
SET_LEVERAGE = 11  # (account, market, lots: leverage)
SET_MARGIN_MODE = 12  # (account: any of the owner's, market, lots: CROSS or ISOLATED)
PLACE_ORDER = 13  # every order column
AMEND_ORDER = 14  # (account, order or client, price, lots: new total)
CANCEL_ORDER = 15  # (account, order or client)
CANCEL_ALL = 16  # (account, market or 0)
CANCEL_AFTER = 17  # (account, lots: nanoseconds from now; 0 switches it off)
SUPPLY = 40  # (account, market: asset, order: share of a stake pool or 0, lots: amount, client: reference)
REDEEM = 41  # (account, market: share, lots: shares, options: AT_MOST, client: reference)

CLAIM = 60  # (account, market: share): what its pool has gained for the shares it holds
LEAVE = 61  # (account, market: share, lots: shares it means to redeem)

LIQUIDATE = 50  # (account: bidder, order: account in liquidation, market: collateral, trigger: debt, lots: most debt
#                 to repay, price: least collateral for all of it, options)

Command = IntEnum("Command", {k: v for k, v in globals().items() if k.isupper()})  # type: ignore[misc]

# Table kinds of CONFIGURE.
ASSET, FEED, MARKET, RISK_TIER, OWNER = 1, 2, 3, 4, 5
CURVE = 6
RISK_ARRAY = 7  # of a market

COMMAND = np.dtype(
    [
        ("at_ns", "i8"),
        ("kind", "i2"),
        ("last", "i1"),
        ("side", "i1"),  # +1 buys, -1 sells
        ("order_type", "i1"),
        ("tif", "i1"),
        ("stp", "i1"),
        ("trigger_kind", "i1"),
        ("trigger_on", "i1"),
        ("options", "i1"),
        ("spare", "i2"),
        ("market", "i4"),
        ("account", "i4"),
        ("order", "i8"),
        ("price", "i8"),  # ticks
        ("lots", "i8"),
        ("trigger", "i8"),  # ticks
        ("callback", "i8"),  # ppm a trailing stop stays behind
        ("expires_ns", "i8"),
        ("client0", "i8"),
        ("client1", "i8"),
        ("client2", "i8"),
        ("client3", "i8"),
        ("client4", "i8"),
    ],
    align=True,
)
assert COMMAND.itemsize == 120
