"""Explanations: lines that add up, and a table a person can read."""

from decimal import Decimal

import pytest

from steelyard.venue import explain

TABLE = """\
alice, in USD         E   M(open)  M(maintain)  M(restore)  M(takeover)
-----------------------------------------------------------------------
USD            987.5000    0.0000       0.0000      0.0000       0.0000
BTC-PERP         0.0000  650.0000     200.0000    240.0000     133.3332
-----------------------------------------------------------------------
total          987.5000  650.0000     200.0000    240.0000     133.3332
healthy: 787.50 above M(maintain), 337.50 free for new risk

BTC-PERP: E = value 25,000.00 - cost 25,000.00 - funding 0.00 (up) = 0.00 USD, with 0.500 at mark 50000
BTC-PERP: M(maintain) = notional 25,000.00 x 0.01 - 50.00 = 200.00 USD (up), bracket 2 of 3
BTC-PERP: M(restore) = 1.2 x and M(takeover) = 0.666666 x M(maintain) (up)
BTC-PERP: M(open): the worse of all bids or all asks filled is bids, 0.500: the larger of its opening bracket and \
1/40 of its notional, plus 0.00 reserved for orders (up)"""


def test_the_table_of_a_long_position(long_alice):
    assert str(long_alice.explain("alice")) == TABLE


def test_the_lines_add_up(long_alice):
    long_alice.deposit("alice", 2, "BTC")
    long_alice.deposit("alice", 100, "EUR")
    long_alice.order("alice", "ETH-EUR", "buy", 3, 2_400)
    long_alice.set_price("BTC-PERP", 49_000)
    long_alice.advance("8h")
    told = long_alice.explain("alice")
    view = long_alice.account("alice")
    assert [line.leg for line in told.lines] == ["USD", "BTC", "EUR", "BTC-PERP", "ETH-EUR"]
    assert sum(line.equity for line in told.lines) == told.equity == view.equity
    for question in ("open", "maintain", "restore", "takeover"):
        total = sum(getattr(line.requirements, question) for line in told.lines)
        assert total == getattr(told.requirements, question) == getattr(view.requirements, question)


def test_what_size_asks_for_is_explained(make_exchange):
    """Half a coin: 0.01 + 0.04 x 0.5 = 0.03 of 25,000 where its bracket asks for 200."""
    sizes = {"size_base": "0.01", "size_slope": "0.04", "size_base_open": "0.02", "size_slope_open": "0.08"}
    venue = make_exchange(**sizes, position_max=10, order_max=10)
    venue.deposit("alice", 2_000)
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    (line,) = (line for line in venue.explain("alice").lines if line.leg == "BTC-PERP")
    assert (line.requirements.maintain, line.requirements.open) == (750, 1_500)
    assert line.working[2] == (
        "0.500 have a rate of 0.03 by size: 750.00 (up); its size asks for more than its bracket, and binds"
    )
    assert "the larger of its opening bracket, the rate of its size and 1/40 of its notional" in line.working[4]
    price = venue.liquidation_price("alice", "BTC-PERP")
    assert price.low is not None
    ((_, slack),) = [each for each in price.proof if each[0] == price.low]
    assert slack < 0


def test_a_debt_is_explained(exchange):
    exchange.deposit("lender", 10_000, "EUR")
    exchange.order("bob", "ETH-EUR", "sell", 1, 2_500)
    exchange.order("alice", "ETH-EUR", "buy", 1, 2_500)
    line = next(line for line in exchange.explain("alice").lines if line.leg == "EUR")
    assert line.equity == Decimal("-1.375")
    assert line.requirements.maintain == Decimal("0.1375")
    assert line.working == (
        "E = -1.25 EUR x 1.1 = -1.375 (down)",
        "M = |debt| x (borrow weight 1.1 - 1) = 0.1375 (up)",
        "loan: at most 100.00 EUR for one account",
    )


def test_a_debt_above_its_cap_says_that_it_converts(exchange):
    exchange.deposit("lender", 10_000, "EUR")
    exchange.order("bob", "ETH-EUR", "sell", 1, 2_500)
    exchange.order("alice", "ETH-EUR", "buy", 1, 2_500)
    exchange.set_asset("EUR", loan_cap=1)  # and the converter has nothing to give
    exchange.advance("1h")  # until the cap has come down
    line = next(line for line in exchange.explain("alice").lines if line.leg == "EUR")
    assert line.working[-1] == ("loan: at most 1.00 EUR for one account; 0.25 above, so other assets convert into it")


def test_an_unhealthy_account_is_told_by_how_much(long_alice):
    long_alice.set_state("BTC-PERP", "halted")
    long_alice.set_price("BTC-PERP", 48_200)
    told = long_alice.explain("alice")
    assert told.verdict == "unhealthy: 103.50 short of M(maintain), E / M = 0.458115"


def test_a_difference_from_the_machine_does_not_pass(long_alice, monkeypatch):
    monkeypatch.setattr(explain.F, "value", lambda atoms, price: atoms + 1)
    with pytest.raises(AssertionError, match="Invariant"):
        long_alice.explain("alice")
