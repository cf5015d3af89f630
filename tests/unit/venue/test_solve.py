"""Liquidation prices: proven by substitution, and by moving the price there."""

import pytest

from steelyard.venue.solve import NEAR, _Health


def test_the_answer_is_the_first_unhealthy_tick(long_alice):
    answer = long_alice.liquidation_price("alice", "BTC-PERP")
    # Equity 987.50 - 0.5 x fall; requirement 0.5 x price x 1 % - 50: they meet at 48,409.09.
    assert (answer.low, answer.high, answer.unhealthy_now) == (48_409, None, False)
    (at, slack), (inside, inner) = answer.proof
    assert (at, inside) == (48_409, 48_410)
    assert slack < 0 <= inner
    assert long_alice.position("alice", "BTC-PERP").liquidation_price == 48_409


def test_a_short_position_is_liquidated_above(long_alice):
    long_alice.withdraw("bob", 97_000)
    answer = long_alice.liquidation_price("bob", "BTC-PERP")
    assert answer.low is None
    assert answer.high is not None and answer.high > 50_000
    assert long_alice.position("bob", "BTC-PERP").liquidation_price == answer.high


def test_moving_the_price_there_liquidates_and_one_tick_before_does_not(long_alice):
    answer = long_alice.liquidation_price("alice", "BTC-PERP")
    with long_alice.what_if() as copy:
        copy.set_price("BTC-PERP", answer.low + 1)
        assert copy.story("alice").episodes == ()
    with long_alice.what_if() as copy:
        copy.set_price("BTC-PERP", answer.low)
        assert len(copy.story("alice").episodes) == 1


def test_no_position_and_no_leverage_have_no_liquidation_price(exchange):
    nothing = exchange.liquidation_price("alice", "BTC-PERP")
    assert (nothing.low, nothing.high, nothing.proof) == (None, None, ())
    assert str(nothing).startswith("alice in BTC-PERP: unhealthy at no price")
    exchange.order("bob", "BTC-PERP", "sell", "0.01", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.01")
    assert exchange.liquidation_price("alice", "BTC-PERP").low is None


def test_an_unhealthy_account_is_told_so(long_alice):
    long_alice.set_state("BTC-PERP", "halted")
    long_alice.set_price("BTC-PERP", 48_000)
    answer = long_alice.liquidation_price("alice", "BTC-PERP")
    assert answer.unhealthy_now
    assert (answer.low, answer.high) == (None, None)
    assert "is unhealthy at the present mark 48,000" in str(answer)
    assert long_alice.position("alice", "BTC-PERP").liquidation_price == 48_000


def test_an_isolated_position_is_solved_on_its_own_margin(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.1", 50_000)
    answer = exchange.liquidation_price("alice", "BTC-PERP")
    assert answer.account == "alice/BTC-PERP"
    assert answer.low is not None and answer.low > 48_000


class Bent(_Health):
    """A slack that rounding has bent: unhealthy at some ticks, healthy again a little further out."""

    def __init__(self, unhealthy, wobble=10):
        self._known = {}
        self._unhealthy = unhealthy
        self.wobble = wobble

    def slack(self, mark):
        return -1 if mark in self._unhealthy else 1


@pytest.mark.parametrize(
    ("unhealthy", "answer"),
    [
        (range(1, 51), 50),
        ([*range(1, 51), 60], 60),
        ([*range(1, 51), 55, 60, 99], 99),
        ([], None),
    ],
)
def test_a_bent_curve_gives_the_tick_nearest_to_the_mark(unhealthy, answer):
    assert NEAR > 60
    assert Bent(set(unhealthy)).first_unhealthy(100, 1) == answer
    mirrored = {200 - tick for tick in unhealthy}
    assert Bent(mirrored).first_unhealthy(100, 199) == (None if answer is None else 200 - answer)
