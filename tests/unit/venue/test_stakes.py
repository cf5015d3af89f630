"""Stake pools through the Python face: names, absorptions, gains, stories, refusals with their numbers."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue import ladders as L
from steelyard.venue.happened import Absorbed, GainPaid


@pytest.fixture
def bank(exchange):
    """Dora owes 15,900 dollars on ten ETH at 2,000; alice and bob have staked dollars to absorb such debts."""
    exchange.add_asset("ETH", 8, price=2_000, collateral=[(None, "0.8", "0.85")])
    exchange.set_asset("USD", loan_cap=1_000_000)
    exchange.deposit("lender", 1_000_000)
    exchange.open_account(name="dora")
    exchange.deposit("dora", 10, "ETH")
    exchange.withdraw("dora", 15_900, borrow=True)
    assert exchange.add_stake_pool("USD", "ETH", pool_max=100_000) == "sUSD-ETH"
    exchange.set_offers("ETH", [L.absorbed("0.05")])
    exchange.deposit("alice", 200_000)
    exchange.deposit("bob", 20_000)
    exchange.stake("alice", 30_000, "sUSD-ETH")
    exchange.stake("bob", 10_000, "sUSD-ETH")
    return exchange


def happened(result, kind):
    return [event for event in result.events if isinstance(event, kind)]


def test_a_debt_is_absorbed_and_told(bank):
    (absorbed,) = happened(bank.set_price("ETH", 1_850), Absorbed)
    assert (absorbed.account, absorbed.share, absorbed.repaid) == ("dora", "sUSD-ETH", Decimal(15_900))
    assert absorbed.received == Decimal("9.02432431")  # 15,900 / 1,850 = 8.59459459, and 5 %
    assert bank.account("keeper/sUSD-ETH").role == "keeper"
    told = str(bank.story("dora"))
    assert "The pool of sUSD-ETH repays 15,900.00 USD for 9.02432431 ETH (curve 1 at 0.05)" in told
    assert "absorption cost 794.999973" in told
    assert bank.verify("dora").liquidations == 1
    (gain,) = happened(bank.claim("alice", "sUSD-ETH"), GainPaid)
    assert (gain.account, gain.asset) == ("alice", "ETH") and gain.amount == Decimal("6.76824323")
    bank.redeem("alice", asset="sUSD-ETH")
    bank.redeem("bob", asset="sUSD-ETH")
    assert next(each.total for each in bank.account("bob").balances if each.asset == "ETH") == Decimal("2.25608107")


def test_stakers_may_lose(bank):
    bank.set_price("ETH", 1_500)
    told = str(bank.story("dora"))
    assert "for 10.00 ETH" in told and "stakers lost 900.00" in told
    assert bank.verify("dora").liquidations == 1


def test_what_is_refused(bank):
    with pytest.raises(Rejected, match=r"claim gains of sUSD-ETH for alice: it is so already"):
        bank.claim("alice", "sUSD-ETH")
    with pytest.raises(Rejected, match=r"40,000.00 USD in it, at most 100,000.00"):
        bank.stake("alice", 60_001, "sUSD-ETH")
    with pytest.raises(Rejected, match="has no pool of this kind yet"):
        bank.add_stake_pool("USD", "ETH", "another")
    with pytest.raises(Rejected, match="its curve cannot be one of time"):
        bank.set_offers("ETH", [L.absorbed(0, of="time", over=(0, 60))])
    with pytest.raises(Rejected, match="only a pool takes debts whole"):
        bank.set_offers("ETH", [L.fixed_bonus(0, size="whole")])
    with pytest.raises(ValueError, match="taker 'nobody' is not one of bidders, pool"):
        L.fixed_bonus(0, taker="nobody")
