"""Stake pools through the Python face: names, absorptions, gains, stories, refusals with their numbers."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue import ladders as L
from steelyard.venue.happened import Absorbed, GainPaid, LeavingSet, StakesPaid


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
    with pytest.raises(Rejected, match="a pool or borrowers take debts whole"):
        bank.set_offers("ETH", [L.fixed_bonus(0, size="whole")])
    with pytest.raises(ValueError, match="taker 'nobody' is not one of bidders, pool, book"):
        L.fixed_bonus(0, taker="nobody")


# --- Pools that back --------------------------------------------------------------------------------------------------


@pytest.fixture
def backed(long_alice):
    """Alice is long 0.5 BTC at 50,000 with 987.50 dollars; 100, 50 and 300 stand behind her market."""
    venue = long_alice
    venue.add_backing_pool("USD", "own")
    assert venue.add_backing_pool("USD", pool_cooldown="1h", pool_fee="0.25") == "bUSD"
    venue.set_payers("BTC-PERP", ["own", "insurance", "bUSD"])
    venue.stake("carol", 100, "own")
    venue.stake("carol", 300, "bUSD")
    venue.deposit("insurance", 50)
    return venue


def test_payers_in_order(backed):
    result = backed.set_price("BTC-PERP", 47_300)  # 1,350 lost, 362.50 beyond what she has
    paid = [(each.share, each.amount, each.beside) for each in happened(result, StakesPaid)]
    assert paid == [("own", Decimal(100), True), ("bUSD", Decimal("212.5"), True)]
    told = str(backed.story("alice"))
    assert "Of that the holders of bUSD pay 212.50 USD that alice cannot." in told
    assert "the insurance fund paid 50.00 USD" in told and "stakers paid 312.50 USD" in told
    assert backed.verify("alice").liquidations == 1


def test_payers_of_fills(backed):
    """Somebody buys what Alice has to sell, below what it would have to bring."""
    backed.set_market("BTC-PERP", slip=0)
    backed.order("carol", "BTC-PERP", "buy", "0.5", 47_300)
    paid = happened(backed.set_price("BTC-PERP", 47_300), StakesPaid)
    assert [(each.share, each.amount, each.beside) for each in paid] == [
        ("own", Decimal(100), False),
        ("bUSD", Decimal("212.5"), False),
    ]
    assert backed.verify("alice").liquidations == 1


def test_what_payers_may_be(backed):
    with pytest.raises(Rejected, match="payers are the insurance fund and shares of pools that back this asset"):
        backed.set_payers("BTC-PERP", ["insurance", "insurance"])
    with pytest.raises(ValueError, match="at most 3 payers"):
        backed.set_payers("USD", ["insurance"] * 4)
    backed.set_payers("USD", ["insurance", "bUSD"])


def test_who_leaves_waits(backed):
    with pytest.raises(Rejected, match="says so first, and waits"):
        backed.redeem("carol", 1, "bUSD")
    (told,) = happened(backed.leave("carol", 100, "bUSD"), LeavingSet)
    assert told.shares == 100 and told.from_ns == backed.now_ns + 3_600 * 10**9
    backed.advance("1h")
    backed.redeem("carol", 100, "bUSD")
