"""What somebody might try to take from lenders, and does not get."""

from decimal import Decimal as D

import pytest

from steelyard import Rejected, Venue
from steelyard.model.reject import Reject
from steelyard.venue import ladders


def total(venue, account, asset):
    return next((each.total for each in venue.account(account).balances if each.asset == asset), D(0))


def test_who_lends_a_dollar_earns_what_a_dollar_earns():
    """A loss of 200,000 became a loan that nobody funds; its interest is not the small lender's."""
    venue = Venue(unit="USD")
    rates = {"interest_base": "0.05", "interest_slope": "0.05", "interest_steep": "1", "reserve": "0.1"}
    venue.set_asset("USD", loan_cap=10_000_000, **rates)
    venue.add_asset("BTC", 8, price=50_000, collateral=[(None, "0.9", "0.95")])
    venue.add_market("BTC-PERP", tick=1, lot="0.001", price=50_000, mark="index", maker=0, taker=0)
    venue.add_pool("USD", collateral=[(None, "0.9", "0.95")])
    for name in ("win", "lose", "tiny"):
        venue.open_account(name=name)
    venue.deposit("lose", 100, "BTC")
    venue.deposit("win", 500_000)
    venue.order("lose", "BTC-PERP", "sell", 20, 50_000)
    venue.order("win", "BTC-PERP", "buy", 20)
    venue.set_prices({"BTC": 60_000, "BTC-PERP": 60_000})
    venue.order("win", "BTC-PERP", "sell", 20, 60_000)
    venue.order("lose", "BTC-PERP", "buy", 20)
    assert total(venue, "lose", "USD") == -200_000
    venue.deposit("tiny", 1)
    venue.supply("tiny", 1)
    for _ in range(30):
        venue.advance("1d")
    venue.deposit("lose", 300_000)
    venue.redeem("tiny", None)
    # All is lent: 110 % a year, less a tenth for the house, and the rate stands while nothing is repaid.
    assert 1 < total(venue, "tiny", "USD") < D("1.1")
    assert total(venue, "insurance", "USD") > 17_000
    venue.check()


@pytest.fixture
def pool():
    venue = Venue(unit="USD")
    venue.set_asset("USD", loan_cap=10_000_000)
    venue.add_asset("ETH", 8, price=2_000, collateral=[(None, "0.8", "0.85")])
    venue.add_pool("USD", collateral=[(None, "0.9", "0.95")])
    owner = venue.open_owner()
    venue.open_account(owner, name="debtor")
    venue.open_account(owner, name="other")
    venue.open_account(name="ann")
    venue.deposit("ann", 300_000)
    venue.supply("ann", 300_000)
    venue.deposit("converter", 1_000_000)
    venue.deposit("other", 400_000)
    venue.deposit("debtor", 100, "ETH")
    venue.withdraw("debtor", 159_000, borrow=True)
    return venue


def test_dust_under_a_ladder_that_never_ends_keeps_no_loss_waiting(pool):
    pool.set_asset("ETH", dust=100)
    pool.set_offers("ETH", [ladders.fixed_bonus("0.05")])
    pool.set_price("ETH", "0.9")  # 90 dollars of collateral
    for _ in range(5):
        pool.advance("1m")
    assert total(pool, "debtor", "ETH") == 0
    assert total(pool, "debtor", "USD") == 0
    assert pool.account("ann").equity < 142_000
    pool.redeem("ann", None)
    pool.check()


def test_nobody_comes_in_beside_lenders_whose_loss_waits(pool):
    pool.set_offers("ETH", [ladders.fixed_bonus("0.05")])
    pool.set_price("ETH", 1_000)
    for act in (lambda: pool.redeem("ann", 1), lambda: pool.supply("other", 1_000)):
        with pytest.raises(Rejected) as refused:
            act()
        assert refused.value.reason == Reject.LOSS_PENDING
