"""Liquidation prices: proven by substitution, and by moving the price there."""

import re
from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue import solve
from steelyard.venue.line import line_of


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
    assert (nothing.low, nothing.high, nothing.unhealthy, nothing.proof) == (None, None, (), ())
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
    assert "is unhealthy at the present price 48,000" in str(answer)
    assert long_alice.position("alice", "BTC-PERP").liquidation_price == 48_000


def test_an_isolated_position_is_solved_on_its_own_margin(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.1", 50_000)
    answer = exchange.liquidation_price("alice", "BTC-PERP")
    assert answer.account == "alice/BTC-PERP"
    assert answer.low is not None and answer.low > 48_000


# --- prices of assets


@pytest.fixture
def borrower(exchange):
    """Alice owes dollars against 2 coins, of which the first weighs 0.95 and the second 0.6."""
    exchange.set_asset("USD", loan_cap=1_000_000)
    exchange.deposit("lender", 1_000_000)
    exchange.withdraw("alice", 1_000)
    exchange.deposit("alice", 2, "BTC")
    exchange.withdraw("alice", 62_000, borrow=True)
    return exchange


def test_a_loan_has_a_price_of_its_collateral(borrower):
    answer = borrower.liquidation_price("alice", "BTC")
    # 1.55 x price = 62,000; a price a millionth of a dollar above 40,000 pays for three roundings.
    assert (answer.price, answer.low, answer.high) == (50_000, Decimal("40000.0000009999"), None)
    assert (answer.unhealthy[0].low, answer.unhealthy[-1].high) == (Decimal("0.0000000001"), answer.low)
    (at, slack), (outside, outer) = answer.proof[-2:]
    assert (at, outside) == (answer.low, Decimal("40000.0000010000"))
    assert (slack, outer) == (Decimal("-0.000001"), 0)
    assert answer.together == ()
    assert str(answer).startswith("alice in BTC: unhealthy at 40,000.0000009999 (falling); now 50,000")


def test_setting_the_asset_price_there_liquidates_and_one_step_before_does_not(borrower):
    answer = borrower.liquidation_price("alice", "BTC")
    for price, is_healthy in ((answer.low, False), (answer.proof[-1][0], True)):
        with borrower.what_if() as copy:
            copy.set_price("BTC", price)
            assert copy.account("alice").healthy is is_healthy
            assert (copy.account("alice").queued is None) is is_healthy


def test_a_debt_has_a_price_of_what_is_owed(exchange):
    exchange.deposit("lender", 1_000, "EUR")
    exchange.deposit("alice", 1_000)
    exchange.set_asset("EUR", loan_cap=10_000)
    exchange.withdraw("alice", 1_000, "EUR", borrow=True)
    answer = exchange.liquidation_price("alice", "EUR")
    # 1,000 x price x 1.1 = 2,000, both parts of the debt rounded up
    assert answer.low is None
    assert answer.high == Decimal("1.81818181800001")


def test_a_coin_and_its_perpetual_move_together(borrower):
    """Short what is held: alone each of them ends the account, together they hold each other."""
    borrower.order("carol", "BTC-PERP", "buy", 1, 50_000)
    borrower.order("alice", "BTC-PERP", "sell", 1)
    assert borrower.liquidation_price("alice", "BTC").low is not None
    assert borrower.liquidation_price("alice", "BTC-PERP").high is not None
    together = borrower.liquidation_price("alice", "BTC", together=["BTC-PERP"])
    alone = borrower.liquidation_price("alice", "BTC")
    assert together.low is None or together.low < alone.low
    assert together.together == ("BTC-PERP",)
    assert str(together).startswith("alice in BTC with BTC-PERP: ")
    same = borrower.liquidation_price("alice", "BTC-PERP", together=["BTC"])
    for one, other in ((together.low, same.low), (together.high, same.high)):
        assert (one is None) == (other is None)
        assert one is None or abs(one - other) < 3  # a tick of the perpetual, and its rounding


@pytest.mark.parametrize(
    ("symbol", "together", "error", "text"),
    [
        ("USD", (), Rejected, "USD is the unit of account; its price is 1"),
        ("BTX", (), Rejected, "there is no market or asset 'BTX'; did you mean BTC?"),
        ("BTC", ("USD",), Rejected, "USD is the unit of account"),
        ("BTC", ("BTC",), ValueError, "BTC is named twice"),
        ("BTC", ("EUR", "EUR"), ValueError, "EUR is named twice"),
        ("BTC", ("NEW",), ValueError, "NEW has no price yet"),
        ("BTC", "EUR", TypeError, "together is the text 'EUR'"),
    ],
)
def test_what_cannot_be_asked_is_said(exchange, symbol, together, error, text):
    exchange.add_asset("NEW", 4)
    with pytest.raises(error, match=re.escape(text)):
        exchange.liquidation_price("alice", symbol, together)


@pytest.fixture
def lender(exchange):
    """Alice lends euros through a pool that has earned something, and owes dollars against her shares."""
    exchange.set_asset("USD", loan_cap=1_000_000)
    exchange.deposit("lender", 1_000_000)
    exchange.set_asset("EUR", loan_cap=10_000, interest_base="0.4", interest_interval="1d")
    exchange.add_pool("EUR", collateral=[(None, "0.8", "0.9")])
    exchange.deposit("alice", 3_000, "EUR")
    exchange.supply("alice", 3_000, "EUR")
    exchange.withdraw("bob", 1_234, "EUR", borrow=True)
    exchange.advance("20d")
    exchange.withdraw("alice", 2_800, borrow=True)
    return exchange


def test_shares_of_a_pool_follow_what_it_lends(lender):
    answer = lender.liquidation_price("alice", "EUR")
    assert answer.low is not None and answer.high is None
    line = line_of(lender.reader, [lender.names.asset("EUR").row])
    assert [lender.names.asset_at(thing).name for thing in line.things] == ["EUR", "pEUR"]
    assert line.at(line.here) == [(thing, lender.reader.price(thing)) for thing in line.things]
    row, step = lender.names.account("alice"), lender.names.asset("EUR").price_step
    near = [step.count(price) for price, _ in answer.proof]
    for x in (*near, 1, 777, line.here - 1, line.here + 1, line.here * 2 // 3):
        with lender.what_if() as copy:
            copy.set_state("ETH-EUR", "halted")
            copy.set_price("EUR", step.back(x))
            if copy.account("alice").queued is None:
                assert copy.reader.slack(row) == lender.reader.slack_at(row, line.at(x)) >= 0
            else:
                assert lender.reader.slack_at(row, line.at(x)) < 0
    assert lender.preview("alice", lambda copy: None).before.liquidation_prices == {"EUR": answer.low}


def test_an_asset_without_a_price_has_none(exchange):
    exchange.add_asset("NEW", 4)
    exchange.deposit("alice", 5, "NEW")
    answer = exchange.liquidation_price("alice", "NEW")
    assert (answer.price, answer.low, answer.high, answer.unhealthy) == (0, None, None, ())


def test_a_coin_that_weighs_nothing_is_solved_at_once(exchange):
    """E = M at every price: no rounding may send the search through all of them."""
    exchange.withdraw("alice", 1_000)
    exchange.add_asset("DUST", 4, price=3)
    exchange.deposit("alice", 5, "DUST")
    answer = exchange.liquidation_price("alice", "DUST")
    assert (answer.slack, answer.unhealthy, answer.undecided) == (0, (), ())


def test_a_search_that_becomes_too_long_says_what_it_did_not_look_at(borrower, monkeypatch):
    monkeypatch.setattr(solve, "LOOKS_MAX", 20)
    answer = borrower.liquidation_price("alice", "BTC")
    (undecided,) = answer.undecided
    assert undecided.low < 40_000 < undecided.high
    assert (answer.low, answer.high) == (None, None)  # something undecided is nearer than any proven price
    assert "  undecided: " in str(answer)
    assert borrower.account("alice").balances[-1].asset == "BTC"


def test_when_everything_is_far_away_an_unhealthy_account_shows_where_it_would_recover(long_alice):
    long_alice.set_state("BTC-PERP", "halted")
    long_alice.set_price("BTC-PERP", 48_000)
    answer = long_alice.liquidation_price("alice", "BTC-PERP")
    assert "  unhealthy: 1 to 48,409" in str(answer)
