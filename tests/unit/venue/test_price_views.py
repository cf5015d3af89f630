"""What a price is good for, in words, and what a refusal says about it."""

from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue import happened as H


def refusal(call, *arguments, **options):
    with pytest.raises(Rejected) as caught:
        call(*arguments, **options)
    return caught.value


def test_a_price_without_policies_is_good_for_everything_while_it_is_fresh(exchange):
    exchange.set_market("BTC-PERP", staleness="30s")
    exchange.set_price("BTC-PERP", 50_000)
    view = exchange.price_of("BTC-PERP")
    assert (view.price, view.low, view.high, view.now) == (50_000, 50_000, 50_000, 50_000)
    assert (view.average, view.pending, view.not_good_for) == (None, None, {})
    exchange.advance("1m")
    assert set(exchange.price_of("BTC-PERP").not_good_for) == {
        "open", "withdraw", "liquidate", "trigger", "fund", "settle",
    }  # fmt: skip
    assert "0 of 1 sources are fresh" in exchange.price_of("BTC-PERP").not_good_for["open"]


def test_a_wide_price_says_so(exchange):
    exchange.set_market("BTC-PERP", widens=["confidence"], width="0.01", demands={"open": ["narrow"]})
    result = exchange.set_price("BTC-PERP", 50_000, confidence=1_000)
    view = exchange.price_of("BTC-PERP")
    assert (view.low, view.high) == (49_000, 51_000)
    assert view.not_good_for == {"open": "its interval is 0.04 of it wide, at most 0.01 is allowed"}
    refused = refusal(exchange.order, "alice", "BTC-PERP", "buy", "0.01", 49_000)
    assert refused.reason == Reject.PRICE_UNCERTAIN
    assert "BTC-PERP: its interval is 0.04 of it wide, at most 0.01 is allowed" in str(refused)
    judged = [each for each in result.events if isinstance(each, H.FeedJudged)][-1]
    assert judged.good_for == ("withdraw", "liquidate", "trigger", "fund", "settle")


def test_the_other_reasons(exchange):
    exchange.set_market(
        "BTC-PERP",
        window="10m",
        divergence="0.02",
        step="0.03",
        step_interval="1m",
        demands={"liquidate": ["steady"], "withdraw": "whole"},
    )
    exchange.advance("10m")
    exchange.set_price("BTC-PERP", 50_000)
    exchange.set_price("BTC-PERP", 60_000)
    view = exchange.price_of("BTC-PERP")
    assert (view.price, view.now, view.average) == (51_500, 60_000, 50_000)
    assert view.not_good_for == {
        "liquidate": "what the sources say is 0.2 away from its average, at most 0.02 is allowed",
        "withdraw": "it is held back by its step or cut to its growth",
    }
    exchange.set_market("BTC-PERP", price_state="halted")
    assert exchange.price_of("BTC-PERP").not_good_for["trigger"] == "the feed is halted"


def test_a_delayed_price_is_told_and_takes_effect(exchange):
    exchange.set_market("BTC-PERP", delay="1h")
    exchange.set_price("BTC-PERP", 49_000)
    view = exchange.price_of("BTC-PERP")
    assert (view.price, view.pending, view.pending_ns) == (50_000, 49_000, exchange.now_ns + 3600 * 10**9)
    exchange.advance("1h")
    assert exchange.price_of("BTC-PERP").price == Decimal(49_000)


def test_parameters_come_back_as_they_were_given(exchange):
    given = {
        "widens": ("confidence", "now"),
        "witnesses": (3,),
        "source_staleness": {1: "30s"},
        "demands": {"open": ("quorum", "narrow")},
        "growth_price": Decimal(40_000),
    }
    exchange.set_market("BTC-PERP", strict_quorum=1, **given)
    found = exchange.parameters("BTC-PERP")
    assert {name: found[name] for name in given} == given


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"widens": ["hope"]}, ValueError, "widens 'hope' is not one of confidence, average, now"),
        ({"witnesses": [8]}, ValueError, "witness 8 is not a source: 0 to 7"),
        ({"demands": {"pray": "quorum"}}, ValueError, "demands 'pray' is not one of open, withdraw"),
        ({"demands": {"open": "luck"}}, ValueError, "what open demands, 'luck' is not one of quorum, narrow"),
        ({"step": "0.01"}, Rejected, "PARAMETERS_DISAGREE: price of BTC-PERP: a step needs a step_interval"),
        ({"believes": "average"}, Rejected, "PARAMETERS_DISAGREE: price of BTC-PERP: an average, and what demands"),
        ({"strict_quorum": 2}, Rejected, "PARAMETERS_DISAGREE: price of BTC-PERP: strict_quorum 2 asks for more"),
        ({"demands": {"open": "quorum"}}, Rejected, "PARAMETERS_DISAGREE: price of BTC-PERP: what demands quorum"),
        ({"width": "3"}, Rejected, "PARAMETER_OUT_OF_RANGE: price of BTC-PERP: width 3 is not within 0 to 2"),
    ],
)
def test_what_cannot_be_is_refused(exchange, given, error, message):
    with pytest.raises(error) as caught:
        exchange.set_market("BTC-PERP", **given)
    assert str(caught.value).startswith(message)


def test_a_health_counts_low_and_high_line_by_line(exchange):
    exchange.order("alice", "BTC-PERP", "buy", "0.01", 49_000)
    exchange.set_market("BTC-PERP", widens="confidence")
    exchange.set_asset("EUR", widens="confidence")
    exchange.set_prices({"BTC-PERP": 50_000, "EUR": "1.1"})
    exchange.set_price("BTC-PERP", 50_000, confidence=500)
    exchange.set_price("EUR", "1.1", confidence="0.1")
    exchange.deposit("alice", 100, "EUR")
    working = [each for line in exchange.explain("alice").lines for each in line.working]
    assert "M(open) counts them at the low price 1" in working
    assert "M(open) adds what the index may be wrong by: 500 below, 500 above" in working
