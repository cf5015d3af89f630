"""Lending pools through the Python face: what a lender sees."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue.happened import InterestPaid, PoolRedeemed, PoolSupplied, SharePriceSet


@pytest.fixture
def bank(exchange):
    """Euros are lent at 10 % a year and more, of which the house keeps a fifth; bob's bitcoin is collateral."""
    exchange.set_asset(
        "EUR", interest_base="0.1", interest_slope="0.1", interest_kink=1, interest_interval="1d", reserve="0.2",
        loan_cap=10**6,
    )  # fmt: skip
    exchange.deposit("alice", 1_000, "EUR")
    exchange.add_pool("EUR", collateral=[(None, "0.8", "0.9")])
    return exchange


def held(exchange, account, asset):
    return sum(each.total for each in exchange.account(account).balances if each.asset == asset)


def test_a_lender_gets_shares_and_interest(bank):
    events = bank.supply("alice", 500, "EUR").events
    (supplied,) = [event for event in events if isinstance(event, PoolSupplied)]
    assert (supplied.amount, supplied.share, supplied.shares) == (500, "pEUR", 500)
    assert held(bank, "alice", "pEUR") == 500
    bank.deposit("bob", 1, "BTC")
    bank.withdraw("bob", held(bank, "bob", "EUR") + 250, "EUR", borrow=True)
    view = bank.pool("EUR")
    assert (view.assets, view.loans, view.available, view.utilisation) == (500, 250, 250, Decimal("0.5"))
    assert (view.borrow_rate, view.supply_rate) == (Decimal("0.15"), Decimal("0.06"))  # 15 % x 0.5 x 0.8
    bank.advance("1d")
    moved = [event for event in bank.events if isinstance(event, SharePriceSet)]
    assert moved and moved[-1].assets == bank.pool("EUR").assets > 500
    paid = [event for event in bank.deposit("bob", 251, "EUR").events if isinstance(event, InterestPaid)]
    assert paid[0].reserve > 0
    assert bank.pool("EUR").share_value > 1
    redeemed = [event for event in bank.redeem("alice", asset="EUR").events if isinstance(event, PoolRedeemed)]
    assert redeemed[0].amount > 500
    assert held(bank, "alice", "pEUR") == 0
    bank.check()


def test_shares_explain_themselves_as_collateral(bank):
    bank.supply("alice", 500, "EUR")
    (line,) = [line for line in bank.explain("alice").lines if line.leg == "pEUR"]
    assert line.equity == bank.pool("EUR").share_price * 500


def test_refusals_give_their_numbers(bank):
    bank.set_asset("EUR", pool_max=600)
    bank.supply("alice", 500, "EUR")
    with pytest.raises(Rejected, match=r"supply 100.01 EUR of alice: .*\(500.00 EUR in it, at most 600.00\)"):
        bank.supply("alice", "100.01", "EUR")
    bank.deposit("bob", 1, "BTC")
    bank.withdraw("bob", held(bank, "bob", "EUR") + 250, "EUR", borrow=True)
    with pytest.raises(Rejected, match=r"redeem all pEUR of alice: .*\(250.00 EUR are not lent, of 500.00\)"):
        bank.redeem("alice", asset="EUR")
    with pytest.raises(Rejected, match="there is no pool of BTC; there are pools of EUR"):
        bank.redeem("alice", 1, "BTC")
    with pytest.raises(Rejected, match="there is no such pool"):
        bank.supply("bob", "0.1", "BTC")
    with pytest.raises(Rejected, match="move by supply and redeem alone"):
        bank.deposit("lender", 1, "EUR")
    with pytest.raises(Rejected, match="pEUR is a share in the pool of EUR"):
        bank.set_price("pEUR", 1)
    with pytest.raises(Rejected, match="pool_of"):
        bank.add_pool("EUR", "another")
    with pytest.raises(ValueError, match="pEUR has no price feed"):
        bank.set_asset("pEUR", staleness="1h")


def test_a_pool_goes_on_in_a_copy(bank):
    bank.supply("alice", 500, "EUR")
    copy = type(bank).restore(bank.snapshot())
    for each in (bank, copy):
        each.redeem("alice", 100, "EUR")
    assert bank.hash() == copy.hash()
    assert bank.pool("EUR") == copy.pool("EUR")
