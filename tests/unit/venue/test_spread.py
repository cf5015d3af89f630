"""Debts that other borrowers take over, through the Python face."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue import ladders as L
from steelyard.venue.happened import DebtSpread, GainPaid


@pytest.fixture
def bank(exchange):
    """Dora owes 15,900 notes on ten ETH at 2,000, alice 30,000 and bob 10,000 on much more."""
    exchange.add_asset("ETH", 8, price=2_000, collateral=[(None, "0.8", "0.85")])
    exchange.add_asset("NOTE", 6, price=1, loan_cap=1_000_000, debts_gain="ETH")
    exchange.set_offers("ETH", [L.spread("0.05")])
    exchange.deposit("lender", 1_000_000, "NOTE")
    exchange.open_account(name="dora")
    for who, coins, debt in (("dora", 10, 15_900), ("alice", 40, 30_000), ("bob", 20, 10_000)):
        exchange.deposit(who, coins, "ETH")
        exchange.withdraw(who, debt, "NOTE", borrow=True)
    return exchange


def happened(result, kind):
    return [event for event in result.events if isinstance(event, kind)]


def balance(venue, who, asset):
    return next(each.total for each in venue.account(who).balances if each.asset == asset)


def test_a_debt_is_taken_over_and_told(bank):
    (spread,) = happened(bank.set_price("ETH", 1_850), DebtSpread)
    assert (spread.account, spread.repaid, spread.growth) == ("dora", Decimal(15_900), Decimal("1.3975"))
    assert spread.received == Decimal("9.02432431")  # 15,900 / 1,850 = 8.59459459, and 5 %
    assert balance(bank, "alice", "NOTE") == Decimal("-41_925")
    told = str(bank.story("dora"))
    assert "Others who owe NOTE take 15,900.00 over for 9.02432431 ETH (curve 1 at 0.05)" in told
    assert "passing debts on cost 794.999973" in told
    assert bank.verify("dora").liquidations == 1
    (gain,) = happened(bank.claim("alice", "NOTE"), GainPaid)
    assert (gain.account, gain.asset, gain.share, gain.shares) == ("alice", "ETH", "NOTE", Decimal(30_000))
    assert balance(bank, "alice", "ETH") == 40 + Decimal("6.76824323")
    assert bank.account("keeper/NOTE").role == "keeper"


def test_a_loss_is_told(bank):
    bank.set_price("ETH", 1_500)
    assert "other borrowers lost 900.00" in str(bank.story("dora"))
    assert bank.verify("dora").liquidations == 1


def test_what_is_refused(bank):
    with pytest.raises(Rejected, match="an asset that was there before, and gains nothing itself"):
        bank.add_asset("X", 6, price=1, debts_gain="NOTE")
    with pytest.raises(Rejected, match="borrowers in no other way"):
        bank.set_offers("ETH", [L.spread("0.05", size="all")])
    with pytest.raises(Rejected, match="claim gains of NOTE for alice: it is so already"):
        bank.claim("alice", "NOTE")
