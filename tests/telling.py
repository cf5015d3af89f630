"""Commands as rows, written as one says them: for scripts that tell a machine a story."""

from typing import Any

import numpy as np

from steelyard.model import commands as do
from steelyard.model.commands import COMMAND
from steelyard.model.keys import SECOND
from steelyard.model.orders import AT_MOST, BUY, CROSS, IOC, ISOLATED, MARKET, MAY_BORROW, SELL

START_NS = 1_700_000_000 * SECOND

Rows = np.ndarray[Any, Any]


def command(kind, at_ns, *lines):
    """One command: a row per line of columns, the last one flagged."""
    rows = np.zeros(max(1, len(lines)), COMMAND)
    rows["kind"], rows["at_ns"] = kind, at_ns
    rows["last"][-1] = 1
    for row, line in zip(rows, lines, strict=False):
        for column, number in line.items():
            row[column] = number
    return rows


def columns_of(rows):
    """Each row as {column: number} of what is not zero."""
    return [
        {column: number for column, number in zip(COMMAND.names, row, strict=True) if number} for row in rows.tolist()
    ]


def rows_of(lines):
    """The rows that `columns_of` told."""
    rows = np.zeros(len(lines), COMMAND)
    for row, line in zip(rows, lines, strict=True):
        for column, number in line.items():
            row[column] = number
    return rows


class Teller:
    """Says commands to `hear` (a machine's submit, a list's append), keeping the clock and the references.

    Every verb answers what `hear` answers.
    """

    def __init__(self, hear, at_ns=START_NS):
        self.hear = hear
        self.now = at_ns
        self.references = 0

    def say(self, kind, *lines):
        return self.hear(command(kind, self.now, *lines))

    def wait(self, nanoseconds):
        self.now += nanoseconds
        return self

    def clock(self):
        return self.say(do.CLOCK)

    # --- The venue ---

    def configure(self, table, settings, row=0):
        lines = [{"account": table, "market": row, "order": key, "lots": value} for key, value in settings.items()]
        return self.say(do.CONFIGURE, *lines)

    def price(self, prices, sources=(0,), spread=0):
        """Reports of feeds, {feed: price}, the same from every source."""
        return self.say(
            do.PRICE,
            *(
                {"market": feed, "account": source, "price": price, "lots": spread, "trigger": self.now}
                for feed, price in prices.items()
                for source in sources
            ),
        )

    # --- Money ---

    def reference(self):
        self.references += 1
        return {"client0": self.references}

    def open_account(self, owner):
        return self.say(do.OPEN_ACCOUNT, {"account": owner})

    def deposit(self, account, asset, amount):
        return self.say(do.DEPOSIT, {"account": account, "market": asset, "lots": amount, **self.reference()})

    def withdraw(self, account, asset, amount):
        return self.say(do.WITHDRAW, {"account": account, "market": asset, "lots": amount, **self.reference()})

    def borrow(self, account, asset, amount):
        """A withdrawal of more than there is."""
        line = {"account": account, "market": asset, "lots": amount, "options": MAY_BORROW}
        return self.say(do.WITHDRAW, line | self.reference())

    def confirm(self, reference):
        return self.say(do.CONFIRM_WITHDRAWAL, {"client0": reference})

    def return_back(self, reference):
        return self.say(do.RETURN_WITHDRAWAL, {"client0": reference})

    def transfer(self, giver, taker, asset, amount):
        line = {"account": giver, "order": taker, "market": asset, "lots": amount}
        return self.say(do.TRANSFER, line | self.reference())

    def supply(self, account, asset, amount):
        return self.say(do.SUPPLY, {"account": account, "market": asset, "lots": amount, **self.reference()})

    def stake(self, account, share, asset, amount):
        """Into a pool of its own."""
        line = {"account": account, "market": asset, "order": share, "lots": amount}
        return self.say(do.SUPPLY, line | self.reference())

    def claim(self, account, share):
        return self.say(do.CLAIM, {"account": account, "market": share})

    def redeem(self, account, share, shares):
        return self.say(do.REDEEM, {"account": account, "market": share, "lots": shares, **self.reference()})

    def redeem_all(self, account, share):
        line = {"account": account, "market": share, "lots": 1 << 56, "options": AT_MOST}
        return self.say(do.REDEEM, line | self.reference())

    def move_margin(self, account, market, amount):
        return self.say(do.MOVE_MARGIN, {"account": account, "market": market, "lots": amount})

    # --- Trading ---

    def order(self, account, market, signed_lots, price=0, **columns):
        """A limit order, or without a price a market order; negative lots sell."""
        line = {"account": account, "market": market, "price": price, "lots": abs(signed_lots)}
        line["side"] = BUY if signed_lots > 0 else SELL
        if price == 0:
            line |= {"order_type": MARKET, "tif": IOC}
        return self.say(do.PLACE_ORDER, line | columns)

    def trade(self, buyer, seller, market, lots, price):
        """Two accounts trade with each other at this price; the seller is the taker."""
        self.order(buyer, market, lots, price)
        return self.order(seller, market, -lots, price, tif=IOC)

    def amend(self, account, order, price=0, lots=0):
        return self.say(do.AMEND_ORDER, {"account": account, "order": order, "price": price, "lots": lots})

    def cancel(self, account, order):
        return self.say(do.CANCEL_ORDER, {"account": account, "order": order})

    def cancel_all(self, account, market=0):
        return self.say(do.CANCEL_ALL, {"account": account, "market": market})

    def cancel_after(self, account, nanoseconds):
        return self.say(do.CANCEL_AFTER, {"account": account, "lots": nanoseconds})

    def leverage(self, account, market, leverage):
        return self.say(do.SET_LEVERAGE, {"account": account, "market": market, "lots": leverage})

    def isolate(self, account, market):
        return self.say(do.SET_MARGIN_MODE, {"account": account, "market": market, "lots": ISOLATED})

    def cross(self, account, market):
        return self.say(do.SET_MARGIN_MODE, {"account": account, "market": market, "lots": CROSS})
