"""What the machine says happened. Events are past tense; the columns each kind fills are written beside it.

`seq` is the sequence number of the command that caused the event (or before which clock work was due).
Amounts are atoms of the market's settlement asset unless said otherwise.
"""

from enum import IntEnum

import numpy as np

REJECTED = 1  # reason, account, market, order (see Reject), extra: command kind
CONFIGURED = 2  # account: table kind, market: row, extra: 1 if new, 2 if a step of a ramp, amount: of an owner, how it
#                 is margined
ACCOUNT_OPENED = 3  # account, other: owner, extra: role, order: parent and market: of a child
DEPOSITED = 4  # account, market: asset, amount
WITHDRAWAL_RESERVED = 5  # account, market: asset, amount
WITHDRAWAL_CONFIRMED = 6  # account, market: asset, amount
WITHDRAWAL_RETURNED = 7  # account, market: asset, amount
TRANSFERRED = 8  # account: from, other: to, market: asset, amount
MARGIN_MOVED = 9  # account: parent, other: child, market, amount: positive to the child
LEVERAGE_SET = 10  # account, market, amount
MARGIN_MODE_SET = 11  # account, other: owner, market, amount: mode
INDEX_SET = 12  # market: feed, price
MARK_SET = 13  # market, price: mark, other: index, amount: last funding rate, ppb, extra: best bid, extra2: best ask
ORDER_ACCEPTED = (
    14  # account, market, side, options: type + 2 x tif, order, price, lots, other: trigger, amount: margin
)
ORDER_AMENDED = 15  # account, market, side, order, price, lots: remaining, extra: 1 if it kept its place
ORDER_TRIGGERED = 16  # account, market, side, order, price: that triggered it
ORDER_CLOSED = 17  # reason: CLOSED_*, account, market, side, order, lots: dropped, extra: reject reason if refused
FILL = 18  # account, market, side, options: FILL_*, order, other: the other order, price, lots, amount: realised, fee,
#            extra: position after, extra2: lots of the order still to fill
FUNDING_SET = 19  # market, price: index, amount: rate in ppb, extra: funding index, extra2: at_ns
FUNDING_PAID = 20  # account, market, amount: paid (negative: received)
DUST_SWEPT = 21  # market, amount, reason: 0 what roundings of funding left, 1 what those of a settlement left
CANCEL_AFTER_SET = 22  # account, amount: at_ns or 0
CONVERTED = 23  # account, market: asset sold, lots: atoms sold, other: asset bought, amount: atoms bought
LIQUIDATION_STARTED = 24  # account, amount: E, fee: M(maintain), extra: M(restore), extra2: M(takeover), all in value
LIQUIDATION_ORDER = 25  # account, market, side, price: limit, lots, other: mark, amount: bankruptcy cash of those lots,
#                         fee: M(maintain), extra: E, extra2: its part for positions
LIQUIDATION_FEE = 26  # account, market, amount
FUND_PAID = 27  # account, market or 0, amount, other: asset
TAKEN_OVER = 28  # account, other: backstop, market, side of the closing, lots, amount: cash received (negative: paid)
DELEVERAGED = (
    29  # account, other: counterparty, market, side of the closing, lots, amount: cash received by the account,
)
#                   fee: paid by the fund beside it, extra: score, extra2: rank
LIQUIDATION_ENDED = 30  # reason: ENDED_*, account, amount: E, fee: M(maintain)
INTEREST_PAID = 31  # account, market: asset, amount, fee: what the insurance fund gets of it, other: borrow index
INTEREST_SET = 32  # market: asset, amount: rate in ppm a year, extra: borrow index, extra2: loans
MARKET_SETTLED = 41  # market, price: of settlement, reason: BY_*, other: index, amount: microseconds averaged
POSITION_SETTLED = 42  # account, market, side of the closing, price, lots, amount: realised
POOL_SUPPLIED = 50  # account, market: asset, amount, other: share, lots: shares, extra: keeper of a stake pool, or 0
POOL_REDEEMED = 51  # the same
SHARE_PRICE_SET = 52  # market: share, price, amount: assets of the pool, lots: shares there are
DEBT_WRITTEN_OFF = 53  # account, market: asset, amount: the lender's loss, other: share whose holders bear it, or 0
RATE_SET = 54  # market: asset, amount: rate at the target utilisation, or by the peg, in 10**-12 a year
BID_PLACED = 62  # account: bidder, other: account in liquidation, market: collateral, options: debt, lots: most debt,
#                  amount: least collateral, side: options of the bid
BID_CLOSED = 63  # account: bidder, other: account in liquidation, market: collateral, options: debt, order: the command
#                  that placed it, extra: reject reason
BID_FILLED = 64  # account: in liquidation, other: bidder, market: collateral, options: debt, order: the command that
#                  placed it, reason: curve, price: y, lots: debt repaid, amount: collateral to the bidder, fee: to the
#                  insurance fund, extra: E before it, extra2: what it cost, in value
DUST_TAKEN = 65  # account, market: asset, amount, other: who took it
ABSORBED = 90  # account: in liquidation, other: share of the pool, market: collateral, options: debt, reason: curve,
#                price: y, lots: debt repaid, amount: collateral to the pool, fee: to the insurance fund, extra: E
#                before it, extra2: what it cost, in value, order: keeper
GAIN_PAID = 91  # account, market: asset, amount, other: share, or the asset owed, lots: shares, or the debt's part,
#                 extra: sum per share, order: keeper
STAKES_PAID = 92  # account, market or 0, amount, other: share of the pool that pays, extra: keeper, options:
#                   asset, reason: 1 beside a deleveraging
STAKES_EARNED = 93  # account, market, amount: of a liquidation fee, other: share, extra: keeper
LEAVING_SET = 94  # account, market: share, lots: shares, amount: instant from which they may be redeemed, or 0
COLLATERAL_ORDER = 85  # account: in liquidation, market: pair, side, reason: curve, price: limit, lots, other: mark,
#                        amount: y, fee: M(maintain), extra: E, extra2: the most lots
RISK_ARRAY_SET = 66  # market, order: the first of the keys whose five values are told, lots, amount, fee, extra, extra2
OFFERS_RESTARTED = 86  # account: in liquidation, other: keeper, market: collateral, options: debt, reason: first curve,
#                        amount: paid to the keeper, fee: M(maintain), extra: E, extra2: value of the debt
DEBT_SPREAD = 95  # account: in liquidation, other: borrow index then, market: collateral, options: debt, reason: curve,
#                   price: y, lots: debt that others take over, amount: collateral to them, fee: to the insurance fund,
#                   extra: E before it, extra2: what it cost, in value, order: keeper
CLAIMS_ISSUED = 96  # as BID_FILLED; the collateral are claims that the house issued
FUND_DAY = 70  # market: asset, amount: what the insurance fund had paid on the day before, as far as its cap counts
FEED_JUDGED = 58  # market: feed, price, amount: below, fee: above, other: what the sources say, lots: average,
#                   extra: bits of the actions it is good for, extra2: pending price
LIQUIDATION_WAITS = 59  # account, amount: E, fee: M(maintain), extra and extra2: both at the last good prices

Event = IntEnum("Event", {k: v for k, v in globals().items() if k.isupper()})  # type: ignore[misc]

FILL_MAKER, FILL_LIQUIDATION = 1, 2

# reasons of ORDER_CLOSED
CLOSED_BY_USER = 1
CLOSED_IMMEDIATE = 2  # the rest of an immediate-or-cancel or market order
CLOSED_EXPIRED = 3
CLOSED_SELF_TRADE = 4
CLOSED_REDUCE_ONLY = 5  # nothing left to reduce
CLOSED_MAINTENANCE = 6  # its fill would have broken its owner's maintenance
CLOSED_LIQUIDATION = 7
CLOSED_REFUSED = 8  # triggered, then refused; `extra` says why
CLOSED_TIMER = 9  # cancel-after
CLOSED_WORK_LIMIT = 10  # more fills than one order may make
CLOSED_SETTLED = 11  # its market has expired

# reasons of LIQUIDATION_ENDED
ENDED_HEALTHY = 1
ENDED_CLOSED = 2  # nothing is left of it

EVENT = np.dtype(
    [
        ("seq", "i8"),
        ("kind", "i2"),
        ("reason", "i2"),
        ("side", "i1"),
        ("options", "i1"),
        ("spare", "i2"),
        ("market", "i4"),
        ("account", "i4"),
        ("order", "i8"),
        ("other", "i8"),
        ("price", "i8"),
        ("lots", "i8"),
        ("amount", "i8"),
        ("fee", "i8"),
        ("extra", "i8"),
        ("extra2", "i8"),
    ],
    align=True,
)
