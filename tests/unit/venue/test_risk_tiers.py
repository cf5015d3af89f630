"""Risk tiers: what an owner may hold, and how leveraged; and what is said when a tier cannot be made or kept to."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.model import keys as K
from steelyard.num.limits import LEVERAGE_MAX


def refusal_of(ask):
    with pytest.raises(Rejected) as refusal:
        ask()
    return refusal.value.reason.name, refusal.value.message


@pytest.fixture
def careful(exchange):
    """Dora, whose owner is of a tier that allows five times."""
    tier = exchange.add_risk_tier(5)
    exchange.open_account(exchange.open_owner(risk_tier=tier), "dora")
    exchange.deposit("dora", 1_000)
    return exchange


def test_tiers_are_numbered_after_the_one_that_everybody_is_born_with(exchange):
    assert [exchange.add_risk_tier(each) for each in (3, 7)] == [2, 3]
    assert exchange.machine.state.tier_rule[1:4, K.T_LEVERAGE_MAX].tolist() == [LEVERAGE_MAX, 3, 7]


def test_a_tier_caps_the_leverage_that_its_owners_may_set(careful):
    careful.set_leverage("dora", "BTC-PERP", 5)
    reason, message = refusal_of(lambda: careful.set_leverage("dora", "BTC-PERP", 6))
    assert reason == "LEVERAGE_EXCEEDS_LIMIT"
    assert message.endswith("the leverage is above what this owner or market allows (at most 5)")
    careful.set_leverage("alice", "BTC-PERP", 6)


def test_a_tier_caps_the_leverage_that_a_market_gives_everybody(careful):
    """The market's default is forty times: Dora needs a fifth of the notional, Alice only what the brackets ask for."""
    assert careful.parameters("BTC-PERP")["leverage"] == 40
    reason, _ = refusal_of(lambda: careful.order("dora", "BTC-PERP", "buy", "0.1", 40_000))
    assert reason == "OPENING_MARGIN_EXCEEDED"
    careful.order("dora", "BTC-PERP", "buy", "0.099", 40_000)
    careful.order("alice", "BTC-PERP", "buy", "0.5", 40_000)


def test_a_change_of_tier_counts_at_once(careful):
    careful.set_leverage("dora", "BTC-PERP", 5)
    owner = careful.account("dora").owner
    careful.set_owner(owner, risk_tier=careful.add_risk_tier(3))
    assert refusal_of(lambda: careful.set_leverage("dora", "BTC-PERP", 4))[1].endswith("(at most 3)")
    careful.set_owner(owner, risk_tier=1)
    careful.set_leverage("dora", "BTC-PERP", 4)


def test_a_tier_without_perpetuals_lets_its_owners_only_reduce(careful):
    owner = careful.account("dora").owner
    careful.order("bob", "BTC-PERP", "sell", "0.05", 50_000)
    careful.order("dora", "BTC-PERP", "buy", "0.05")
    careful.set_owner(owner, risk_tier=careful.add_risk_tier(5, products=["borrowing"]))
    assert refusal_of(lambda: careful.order("dora", "BTC-PERP", "buy", "0.01", 40_000)) == (
        "TIER_FORBIDS_PRODUCT",
        "dora: buy 0.010 BTC-PERP at 40000: the risk tier of this owner does not allow this",
    )
    careful.order("bob", "BTC-PERP", "buy", "0.05", 49_900)
    careful.order("dora", "BTC-PERP", "sell", "0.05", reduce_only=True)
    assert careful.position("dora", "BTC-PERP").contracts == 0


def test_a_tier_without_borrowing_lends_nothing(careful):
    careful.deposit("lender", 500, "EUR")
    careful.withdraw("dora", 10, "EUR", borrow=True)
    owner = careful.account("dora").owner
    careful.set_owner(owner, risk_tier=careful.add_risk_tier(5, products="perpetuals"))
    reason, _ = refusal_of(lambda: careful.withdraw("dora", 10, "EUR", borrow=True))
    assert reason == "TIER_FORBIDS_PRODUCT"
    careful.deposit("dora", 10, "EUR")


def test_a_product_that_nobody_knows_is_named(exchange):
    with pytest.raises(ValueError, match="product 'options' is not one of perpetuals, borrowing"):
        exchange.add_risk_tier(5, products=["perpetuals", "options"])


@pytest.mark.parametrize("leverage", [-1, 0, 1_001])
def test_a_leverage_out_of_range_is_named(exchange, leverage):
    before = exchange.machine.state.machine.risk_tiers[0]
    reason, message = refusal_of(lambda: exchange.add_risk_tier(leverage))
    assert reason == "PARAMETER_OUT_OF_RANGE"
    assert message == f"risk tier: max_leverage {leverage} is not within 1 to {LEVERAGE_MAX}"
    assert exchange.machine.state.machine.risk_tiers[0] == before


@pytest.mark.parametrize(
    ("leverage", "error", "message"),
    [
        (2.9, TypeError, "leverage 2.9 is a float"),
        (True, TypeError, "leverage is True"),
        (Decimal("2.5"), ValueError, "leverage 2.5 is not a whole number of units of 1; nearest are 2 and 3"),
        ("ten", ValueError, "leverage 'ten' is not a number"),
    ],
)
def test_a_leverage_is_a_whole_number(exchange, leverage, error, message):
    """Neither the cap nor what an account sets is rounded in silence."""
    before = exchange.hash()
    for ask in (
        lambda: exchange.add_risk_tier(leverage),
        lambda: exchange.set_leverage("alice", "BTC-PERP", leverage),
    ):
        with pytest.raises(error) as refusal:
            ask()
        assert message in str(refusal.value)
    assert exchange.hash() == before


def test_a_tier_beyond_the_room_for_tiers_is_refused(make_exchange, small_limits):
    venue = make_exchange(replace(small_limits, risk_tiers=2))
    assert venue.add_risk_tier(5) == 2
    assert refusal_of(lambda: venue.add_risk_tier(5)) == (
        "ROWS_FULL",
        "risk tier: the venue has no room for another of these",
    )
