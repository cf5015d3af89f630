"""Previews: exact, on a copy, nothing changed."""

from decimal import Decimal

import pytest

from steelyard.model import reject as no

BORROW = """\
alice, in USD             before              after      change
E                     100,000.00          38,000.00  -62,000.00
M(open)                30,000.00          30,000.00        0.00
M(maintain)            22,500.00          22,500.00        0.00
free for new risk      70,000.00           8,000.00  -62,000.00
M / E                      0.225           0.592106
liquidated by BTC at           -  40,000.0000009999"""


@pytest.fixture
def pledged(exchange):
    exchange.set_asset("USD", loan_cap=1_000_000)
    exchange.set_asset("BTC", convert_haircut="0.01")
    exchange.deposit("lender", 1_000_000)
    exchange.deposit("converter", 1_000_000)
    exchange.withdraw("alice", 1_000)
    exchange.deposit("alice", 2, "BTC")
    return exchange


def borrow(amount):
    return lambda copy: copy.withdraw("alice", amount, borrow=True)


def test_a_loan_before_it_is_taken(pledged):
    before = pledged.hash()
    told = pledged.preview("alice", borrow(62_000))
    assert str(told) == BORROW
    assert told.is_done and told.liquidated == ()
    assert pledged.hash() == before
    borrow(62_000)(pledged)
    view = pledged.account("alice")
    assert (view.equity, view.free, view.margin_ratio) == (told.after.equity, told.after.free, told.after.margin_ratio)
    assert (view.requirements.open, view.requirements.maintain) == (told.after.open, told.after.maintain)
    assert told.after.liquidation_prices == {"BTC": pledged.liquidation_price("alice", "BTC").low}


def test_a_refusal_says_why_and_leaves_the_account_as_it_is(pledged):
    told = pledged.preview("alice", borrow(72_000))
    assert (told.is_done, told.reason) == (False, no.OPENING_MARGIN_EXCEEDED)
    assert told.before == told.after
    assert "It would be refused: OPENING_MARGIN_EXCEEDED: withdraw 72,000.00 USD from alice" in str(told)


def test_a_price_that_would_liquidate(pledged):
    borrow(62_000)(pledged)
    told = pledged.preview("alice", lambda copy: copy.set_price("BTC", 39_000))
    assert told.liquidated == ("alice",)
    assert "It would liquidate alice." in str(told)
    assert told.after.liquidation_prices == {}  # the loan is paid
    assert pledged.account("alice").balances[0].debt == 62_000


def test_an_order_and_what_it_does_to_others(exchange):
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    told = exchange.preview("alice", lambda copy: copy.order("alice", "BTC-PERP", "buy", "0.5"))
    assert told.before.liquidation_prices == {}
    assert told.after.liquidation_prices == {"BTC-PERP": 48_409}
    assert told.after.equity - told.before.equity == Decimal("-12.5")
    assert exchange.position("alice", "BTC-PERP").contracts == 0


def test_an_unhealthy_account_shows_the_present_price(long_alice):
    long_alice.set_state("BTC-PERP", "halted")
    told = long_alice.preview("alice", lambda copy: copy.set_price("BTC-PERP", 48_000))
    assert not told.after.healthy
    assert told.after.liquidation_prices == {"BTC-PERP": 48_000}
    assert told.after.free == 0
