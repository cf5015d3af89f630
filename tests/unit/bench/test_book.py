"""The plain book: a hand-made example, and both of its forms against each other."""

import pytest

from steelyard.bench.book import BUY, SELL, Book, Outcome, play
from steelyard.bench.flow import generate


def test_price_then_time():
    book = Book()
    book.add(1, SELL, 102, 5)
    book.add(2, SELL, 101, 4)
    book.add(3, SELL, 101, 3)
    book.add(4, BUY, 99, 2)
    book.cancel(4)
    book.add(5, BUY, 101, 6)  # all of 2, two of 3
    assert book.gone == [2]
    assert book.left == {1: 5, 3: 1}
    book.market(BUY, 10)  # the rest of 3, all of 1; four lots meet nobody
    assert book.outcome() == Outcome(4, 12, 4 * 101 + 2 * 101 + 101 + 5 * 102, 0, 0, 0, 0)


def test_an_order_that_does_not_cross_rests():
    book = Book()
    book.add(1, BUY, 100, 3)
    book.add(2, SELL, 101, 7)
    book.add(3, SELL, 100, 4)
    assert book.outcome() == Outcome(1, 3, 300, 2, 8, 0, 100)


@pytest.mark.parametrize("seed", range(5))
def test_both_books_agree(seed):
    flow = generate(3_000, seed)
    trades, traded, left = play(flow.lists())
    assert (trades, traded) == (flow.outcome.n_trades, flow.outcome.traded_qty)
    assert (len(left), sum(left.values())) == (flow.outcome.resting_orders, flow.outcome.resting_qty)
