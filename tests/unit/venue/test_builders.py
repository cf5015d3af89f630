"""Rows of commands: every number lands in the column that the vocabulary names."""

import numpy as np
import pytest

from steelyard.model import commands as C
from steelyard.venue import builders as B

WORDS = (11, 12, 13, 14, 15)
LABEL = {"client0": 11, "client1": 12, "client2": 13, "client3": 14, "client4": 15}


@pytest.mark.parametrize(
    ("rows", "kind", "columns"),
    [
        (B.clock(9), C.CLOCK, {}),
        (B.open_account(9, 4), C.OPEN_ACCOUNT, {"account": 4}),
        (B.deposit(9, 7, 2, 100, WORDS), C.DEPOSIT, {"account": 7, "market": 2, "lots": 100, **LABEL}),
        (B.withdraw(9, 7, 2, 100, WORDS), C.WITHDRAW, {"account": 7, "market": 2, "lots": 100, **LABEL}),
        (B.confirm_withdrawal(9, WORDS), C.CONFIRM_WITHDRAWAL, LABEL),
        (B.return_withdrawal(9, WORDS), C.RETURN_WITHDRAWAL, LABEL),
        (B.transfer(9, 7, 8, 2, 5, WORDS), C.TRANSFER, {"account": 7, "order": 8, "market": 2, "lots": 5, **LABEL}),
        (B.move_margin(9, 7, 3, -5), C.MOVE_MARGIN, {"account": 7, "market": 3, "lots": -5}),
        (B.set_leverage(9, 7, 3, 20), C.SET_LEVERAGE, {"account": 7, "market": 3, "lots": 20}),
        (B.set_margin_mode(9, 7, 3, 1), C.SET_MARGIN_MODE, {"account": 7, "market": 3, "lots": 1}),
        (
            B.place_order(9, 7, 3, -1, 10, 99, tif=3, stp=2, options=4, expires_ns=50, client=WORDS),
            C.PLACE_ORDER,
            {"account": 7, "market": 3, "side": -1, "lots": 10, "price": 99, "tif": 3, "stp": 2, "options": 4}
            | {"expires_ns": 50, **LABEL},
        ),
        (
            B.place_order(9, 7, 3, 1, 10, order_type=1, trigger_kind=3, trigger_on=2, trigger=5, callback=100),
            C.PLACE_ORDER,
            {"account": 7, "market": 3, "side": 1, "lots": 10, "order_type": 1, "trigger_kind": 3, "trigger_on": 2}
            | {"trigger": 5, "callback": 100},
        ),
        (B.amend_order(9, 7, 77, 5, 6), C.AMEND_ORDER, {"account": 7, "order": 77, "price": 5, "lots": 6}),
        (B.cancel_order(9, 7, client=WORDS), C.CANCEL_ORDER, {"account": 7, **LABEL}),
        (B.cancel_all(9, 7, 3), C.CANCEL_ALL, {"account": 7, "market": 3}),
        (B.cancel_after(9, 7, 1000), C.CANCEL_AFTER, {"account": 7, "lots": 1000}),
    ],
    ids=lambda each: C.Command(each).name.lower() if isinstance(each, int) else "",
)
def test_a_command_of_one_row(rows, kind, columns):
    assert rows.dtype == C.COMMAND
    filled = {name: int(rows[name][0]) for name in C.COMMAND.names if rows[name][0]}
    assert len(rows) == 1
    assert filled == {"at_ns": 9, "kind": kind, "last": 1, **columns}


def test_a_set_of_parameters_is_one_command():
    rows = B.configure(9, C.MARKET, 2, {5: 100, 6: 200, 7: 0})
    assert rows["last"].tolist() == [0, 0, 1]
    assert rows["account"].tolist() == [C.MARKET] * 3
    assert rows["market"].tolist() == [2] * 3
    assert rows["order"].tolist() == [5, 6, 7]
    assert rows["lots"].tolist() == [100, 200, 0]


def test_prices_of_one_instant_are_one_command():
    rows = B.prices(9, [(1, 0, 500, 0, 8), (2, 3, 600, 4, 9)])
    assert rows["last"].tolist() == [0, 1]
    assert np.asarray(rows[["market", "account", "price", "lots", "trigger"]].tolist()).tolist() == [
        [1, 0, 500, 0, 8],
        [2, 3, 600, 4, 9],
    ]
