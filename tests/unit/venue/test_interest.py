"""Interest through the Python face: what a borrower and a lender see."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue.happened import InterestPaid, InterestSet


@pytest.fixture
def loan(exchange):
    """Alice owes a fee of 1.25 euros, all that the lender has; the rate is then 2 % + 8 % + 90 % a year."""
    exchange.set_asset(
        "EUR", interest_base="0.02", interest_slope="0.08", interest_steep="0.9", interest_kink="0.8",
        interest_interval="1h",
    )  # fmt: skip
    exchange.deposit("lender", "1.25", "EUR")
    exchange.order("bob", "ETH-EUR", "sell", 1, 2_500)
    exchange.order("alice", "ETH-EUR", "buy", 1, 2_500)
    return exchange


def debt(exchange):
    return sum(each.debt for each in exchange.account("alice").balances if each.asset == "EUR")


def test_a_debt_grows_before_it_is_paid(loan):
    assert debt(loan) == Decimal("1.2500")
    loan.advance("1d")
    assert debt(loan) == Decimal("1.2535")  # 1.25 x (1 + 1 / 365), up
    (line,) = [line for line in loan.explain("alice").lines if line.leg == "EUR"]
    assert "debt = 1.25 + 0.0035 of interest not yet paid (up)" in line.working
    assert line.equity == Decimal("-1.37885")


def test_it_is_paid_to_the_lender_when_it_is_next_touched(loan):
    rates = {event.rate for event in loan.advance("1d").events if isinstance(event, InterestSet)}
    assert rates == {Decimal("1")}
    told = [event for event in loan.deposit("alice", "1.2535", "EUR").events if isinstance(event, InterestPaid)]
    assert debt(loan) == 0
    lent = next(each.total for each in loan.account("lender").balances if each.asset == "EUR")
    assert lent == Decimal("1.2535")
    assert [(each.account, each.asset, each.amount) for each in told] == [("alice", "EUR", Decimal("0.0035"))]


def test_a_copy_goes_on_alike(loan):
    loan.advance("1d")
    with loan.what_if() as copy:
        copy.advance("1d")
        there = debt(copy)
    assert debt(loan) == Decimal("1.2535")
    loan.advance("1d")
    assert debt(loan) == there > Decimal("1.2568")


def test_a_user_borrows_against_collateral(exchange):
    exchange.deposit("lender", 500, "EUR")
    exchange.deposit("bob", 1, "BTC")
    reference = exchange.withdraw("bob", 90, "EUR", borrow=True)
    assert sum(each.debt for each in exchange.account("bob").balances) == 90
    exchange.confirm_withdrawal(reference)
    exchange.transfer("bob", "carol", 10, "EUR", borrow=True)
    with pytest.raises(Rejected, match="above its cap"):
        exchange.withdraw("bob", 1, "EUR", borrow=True)
    exchange.deposit("bob", 100, "EUR")
    assert sum(each.debt for each in exchange.account("bob").balances) == 0


def test_the_story_of_a_loan_that_outgrew_its_collateral(exchange):
    """Verified from the events alone, interest included."""
    exchange.set_asset("EUR", interest_base="5", interest_interval="1h", loan_cap=100_000)
    exchange.deposit("lender", 100_000, "EUR")
    exchange.deposit("converter", 100_000, "EUR")
    exchange.open_account(name="dora")
    exchange.deposit("dora", 1, "BTC")
    exchange.withdraw("dora", 35_000, "EUR", borrow=True)
    exchange.set_price("BTC", 60_000)
    exchange.advance("10d")
    exchange.set_price("BTC", 49_000)
    told = str(exchange.story("dora"))
    assert "goes into liquidation" in told
    assert exchange.verify("dora").liquidations == 1
