"""Rows of COMMAND from plain integers: one function per command, in the columns of `model/commands.py`."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from steelyard.model import commands as C
from steelyard.venue.labels import NO_WORDS, Words

Rows = np.ndarray[Any, np.dtype[Any]]


def _rows(count: int, at_ns: int, kind: int, **columns: int) -> Rows:
    rows = np.zeros(count, C.COMMAND)
    rows["at_ns"] = at_ns
    rows["kind"] = kind
    rows["last"][-1] = 1
    for name, value in columns.items():
        rows[name] = value
    return rows


def _label(rows: Rows, words: Words) -> Rows:
    for place, word in enumerate(words):
        rows[f"client{place}"] = word
    return rows


def clock(at_ns: int) -> Rows:
    return _rows(1, at_ns, C.CLOCK)


def configure(at_ns: int, table: int, row: int, values: Mapping[int, int]) -> Rows:
    """All keys of one row of a rule table; row 0 makes a new one."""
    rows = _rows(max(1, len(values)), at_ns, C.CONFIGURE, account=table, market=row)
    for place, (key, value) in enumerate(values.items()):
        rows["order"][place] = key
        rows["lots"][place] = value
    return rows


def prices(at_ns: int, reports: Iterable[tuple[int, int, int, int, int]]) -> Rows:
    """Reports (feed, source, price, confidence, observed_ns) of one instant, as one command."""
    listed = list(reports)
    rows = _rows(len(listed), at_ns, C.PRICE)
    for place, (feed, source, price, confidence, observed_ns) in enumerate(listed):
        rows["market"][place] = feed
        rows["account"][place] = source
        rows["price"][place] = price
        rows["lots"][place] = confidence
        rows["trigger"][place] = observed_ns
    return rows


def open_account(at_ns: int, owner: int) -> Rows:
    return _rows(1, at_ns, C.OPEN_ACCOUNT, account=owner)


def deposit(at_ns: int, account: int, asset: int, amount: int, reference: Words) -> Rows:
    return _label(_rows(1, at_ns, C.DEPOSIT, account=account, market=asset, lots=amount), reference)


def withdraw(at_ns: int, account: int, asset: int, amount: int, reference: Words, options: int = 0) -> Rows:
    rows = _rows(1, at_ns, C.WITHDRAW, account=account, market=asset, lots=amount, options=options)
    return _label(rows, reference)


def confirm_withdrawal(at_ns: int, reference: Words) -> Rows:
    return _label(_rows(1, at_ns, C.CONFIRM_WITHDRAWAL), reference)


def return_withdrawal(at_ns: int, reference: Words) -> Rows:
    return _label(_rows(1, at_ns, C.RETURN_WITHDRAWAL), reference)


def transfer(at_ns: int, giver: int, taker: int, asset: int, amount: int, reference: Words, options: int = 0) -> Rows:
    rows = _rows(1, at_ns, C.TRANSFER, account=giver, order=taker, market=asset, lots=amount, options=options)
    return _label(rows, reference)


def supply(at_ns: int, account: int, asset: int, amount: int, reference: Words, share: int = 0) -> Rows:
    """To the pool that lends the asset, or to the stake pool of a share."""
    return _label(_rows(1, at_ns, C.SUPPLY, account=account, market=asset, order=share, lots=amount), reference)


def leave(at_ns: int, account: int, share: int, shares: int) -> Rows:
    return _rows(1, at_ns, C.LEAVE, account=account, market=share, lots=shares)


def claim(at_ns: int, account: int, share: int) -> Rows:
    return _rows(1, at_ns, C.CLAIM, account=account, market=share)


def redeem(at_ns: int, account: int, share: int, shares: int, reference: Words, options: int = 0) -> Rows:
    return _label(_rows(1, at_ns, C.REDEEM, account=account, market=share, lots=shares, options=options), reference)


def move_margin(at_ns: int, account: int, market: int, amount: int) -> Rows:
    """A positive amount goes to the isolated position, a negative one comes back."""
    return _rows(1, at_ns, C.MOVE_MARGIN, account=account, market=market, lots=amount)


def liquidate(
    at_ns: int, bidder: int, account: int, collateral: int, debt: int, most: int, least: int = 0, options: int = 0
) -> Rows:
    """A bid to repay at most so much of a debt for at least so much collateral (for all of it)."""
    columns = {"account": bidder, "order": account, "market": collateral, "trigger": debt, "lots": most}
    return _rows(1, at_ns, C.LIQUIDATE, **columns, price=least, options=options)


def set_leverage(at_ns: int, account: int, market: int, leverage: int) -> Rows:
    return _rows(1, at_ns, C.SET_LEVERAGE, account=account, market=market, lots=leverage)


def set_margin_mode(at_ns: int, account: int, market: int, mode: int) -> Rows:
    return _rows(1, at_ns, C.SET_MARGIN_MODE, account=account, market=market, lots=mode)


def place_order(
    at_ns: int,
    account: int,
    market: int,
    side: int,
    lots: int,
    price: int = 0,
    *,
    order_type: int = 0,
    tif: int = 0,
    stp: int = 0,
    options: int = 0,
    trigger_kind: int = 0,
    trigger_on: int = 0,
    trigger: int = 0,
    callback: int = 0,
    expires_ns: int = 0,
    client: Words = NO_WORDS,
) -> Rows:
    rows = _rows(
        1,
        at_ns,
        C.PLACE_ORDER,
        account=account,
        market=market,
        side=side,
        lots=lots,
        price=price,
        order_type=order_type,
        tif=tif,
        stp=stp,
        options=options,
        trigger_kind=trigger_kind,
        trigger_on=trigger_on,
        trigger=trigger,
        callback=callback,
        expires_ns=expires_ns,
    )
    return _label(rows, client)


def amend_order(at_ns: int, account: int, order: int, price: int = 0, lots: int = 0, client: Words = NO_WORDS) -> Rows:
    """Price 0 or lots 0 keeps what the order has."""
    return _label(_rows(1, at_ns, C.AMEND_ORDER, account=account, order=order, price=price, lots=lots), client)


def cancel_order(at_ns: int, account: int, order: int = 0, client: Words = NO_WORDS) -> Rows:
    return _label(_rows(1, at_ns, C.CANCEL_ORDER, account=account, order=order), client)


def cancel_all(at_ns: int, account: int, market: int = 0) -> Rows:
    return _rows(1, at_ns, C.CANCEL_ALL, account=account, market=market)


def cancel_after(at_ns: int, account: int, delay_ns: int) -> Rows:
    """All orders of the account close after this long; 0 switches the timer off."""
    return _rows(1, at_ns, C.CANCEL_AFTER, account=account, lots=delay_ns)
