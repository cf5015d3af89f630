"""No change of parameters liquidates anybody at once."""

from decimal import Decimal as D

import pytest

from steelyard import Rejected, Venue
from steelyard.model.reject import Reject

RATES = [(100_000, "0.005", "0.01"), (None, "0.01", "0.02")]


@pytest.fixture
def venue():
    venue = Venue(unit="USDC")
    venue.add_asset("BTC", 8, price=50_000, collateral=[(1, "0.9", "0.95"), (None, "0.5", "0.6")])
    venue.add_market(
        "BTC-PERP", tick="0.1", lot="0.001", price=50_000, brackets=RATES, maker=0, taker=0, liquidation_fee="0.001"
    )
    for name, cash in (("long", 1_000), ("short", 100_000)):
        venue.deposit(venue.open_account(name=name), cash)
    venue.set_leverage("long", "BTC-PERP", 100)
    venue.order("short", "BTC-PERP", "sell", 1, 50_000)
    venue.order("long", "BTC-PERP", "buy", 1, 50_000)
    return venue


def maintain(venue):
    return venue.account("long").requirements.maintain


def test_a_higher_rate_comes_in_sixty_steps_and_liquidates_nobody_at_once(venue):
    assert maintain(venue) == 250
    # Equity is 1,000: at 2.5 % of 50,000 the long would be below its requirement.
    venue.set_market("BTC-PERP", brackets=[(100_000, "0.025", "0.05"), (None, "0.03", "0.06")], restore=1)
    assert maintain(venue) == 250
    assert venue.ramp("BTC-PERP").ways == {
        "maintenance rate of bracket 1": (D("0.005"), D("0.025")),
        "maintenance rate of bracket 2": (D("0.01"), D("0.03")),
    }
    venue.advance("30m")
    assert maintain(venue) == 750
    venue.advance("14m59s")
    assert not venue.liquidations("long")
    venue.advance("1s")  # 45 steps of 333.33 ppm, down: 2.0 %, that is 1,000: not above what it has
    assert maintain(venue) == 1_000
    assert venue.account("long").healthy
    venue.advance("1m")
    assert venue.account("long").queued
    venue.advance("14m")
    assert venue.ramp("BTC-PERP") is None
    venue.check()


def test_a_lower_rate_and_opening_rates_hold_at_once(venue):
    venue.set_market("BTC-PERP", brackets=[(100_000, "0.004", "0.5"), (None, "0.01", "0.5")])
    assert maintain(venue) == 200
    assert venue.account("long").requirements.open == 25_000
    assert venue.ramp("BTC-PERP") is None


def test_the_present_rates_must_agree_with_the_rest_of_a_set(venue):
    """A fee of 0.7 % is less than what 2.5 % free, but more than what 0.5 % free."""
    with pytest.raises(Rejected, match="liquidation_fee"):
        venue.set_market(
            "BTC-PERP", brackets=[(100_000, "0.025", "0.05"), (None, "0.03", "0.06")], liquidation_fee="0.007"
        )
    assert venue.ramp("BTC-PERP") is None
    assert venue.parameters("BTC-PERP")["liquidation_fee"] == D("0.001")


def test_other_brackets_may_come_only_if_they_ask_for_no_more(venue):
    with pytest.raises(Rejected) as refused:
        venue.set_market("BTC-PERP", brackets=[(50_000, "0.005", "0.01"), (None, "0.01", "0.02")])
    assert refused.value.reason == Reject.STEPS_CANNOT_RAMP
    split = [(50_000, "0.005", "0.01"), (100_000, "0.005", "0.01"), (None, "0.01", "0.02")]
    venue.set_market("BTC-PERP", brackets=split)
    venue.set_market(
        "BTC-PERP", brackets=[(50_000, "0.005", "0.01"), (100_000, "0.01", "0.02"), (None, "0.01", "0.02")]
    )
    venue.advance("1h")
    rates = [tier.maintenance_margin_rate for tier in venue.leverage_tiers("BTC-PERP")]
    assert rates == [D("0.005"), D("0.01"), D("0.01")]


def test_a_second_change_starts_from_where_the_first_has_come(venue):
    venue.set_market("BTC-PERP", brackets=[(100_000, "0.015", "0.05"), (None, "0.02", "0.06")])
    venue.advance("30m")
    assert maintain(venue) == 500
    venue.set_market("BTC-PERP", ramp="1m", taker="0.0001")  # names no rate: they go on to where they were sent
    venue.advance("30s")
    assert maintain(venue) == 625
    venue.advance("30s")
    assert maintain(venue) == 750
    assert venue.ramp("BTC-PERP") is None


def test_weights_of_collateral_and_of_debts_come_by_a_ramp(venue):
    venue.deposit("long", 2, "BTC")
    before = maintain(venue)  # 250, and 5 % and 40 % of a coin
    assert before == 250 + 2_500 + 20_000
    venue.set_asset("BTC", collateral=[(1, "0.5", "0.55"), (None, "0.1", "0.2")], borrow_weight="1.5", ramp="100s")
    assert maintain(venue) == before
    assert set(venue.ramp("BTC").ways) == {
        "maintenance weight of collateral tier 1", "maintenance weight of collateral tier 2", "borrow_weight",
    }  # fmt: skip
    venue.advance("50s")
    assert maintain(venue) == 250 + 12_500 + 30_000
    venue.advance("50s")
    assert maintain(venue) == 250 + 22_500 + 40_000
    assert venue.parameters("BTC")["borrow_weight"] == D("1.5")
    venue.check()


def test_a_copy_goes_on_alike(venue):
    venue.set_market("BTC-PERP", brackets=[(100_000, "0.015", "0.05"), (None, "0.02", "0.06")])
    venue.advance("7m")
    with venue.what_if() as copy:
        copy.advance("20m")
        there = maintain(copy)
    again = Venue.restore(venue.snapshot())
    again.advance("20m")
    venue.advance("20m")
    assert maintain(venue) == maintain(again) == there == 475
    assert venue.hash() == again.hash()
