"""A small exchange for tests: one unit of account, two assets, two markets, and people with money."""

from collections.abc import Callable

import pytest

from steelyard import Limits, Venue

SMALL = Limits(
    accounts=256,
    owners=256,
    legs=2048,
    orders=2048,
    references=4096,
    recent_client_ids=256,
    ladder_ticks=1 << 18,
)
BRACKETS = [(10_000, "0.005", "0.02"), (100_000, "0.01", "0.03"), (None, "0.03", "0.06")]


def small_exchange(limits: Limits = SMALL, **parameters: object) -> Venue:
    """Marks follow the index, so that a test may name them."""
    venue = Venue(limits)
    venue.add_asset("BTC", 8, price=50_000, collateral=[(1, "0.9", "0.95"), (5, "0.5", "0.6")], loan_cap="0.01")
    venue.add_asset("EUR", 4, price="1.1", collateral=[(None, "0.95", "0.98")], loan_cap=100, borrow_weight="1.1")
    common = {"brackets": BRACKETS, "mark": "index", "leverage": 40, "maker": "0.0002", "taker": "0.0005"}
    common |= {"slice_notional": 1_000_000, **parameters}
    venue.add_market("BTC-PERP", tick=1, lot="0.001", price=50_000, price_max=100_000, **common)
    venue.add_market("ETH-EUR", tick="0.1", lot="0.01", settle="EUR", price=2_500, price_max=8_000, **common)
    for name in ("alice", "bob", "carol"):
        venue.open_account(name=name)
    venue.deposit("alice", 1_000)
    venue.deposit("bob", 100_000)
    venue.deposit("carol", 100_000)
    return venue


@pytest.fixture
def exchange() -> Venue:
    return small_exchange()


@pytest.fixture
def small_limits() -> Limits:
    return SMALL


@pytest.fixture
def make_exchange() -> Callable[..., Venue]:
    return small_exchange


@pytest.fixture
def long_alice(exchange: Venue) -> Venue:
    """Alice is long 0.5 BTC-PERP from 50,000, bought of Bob."""
    exchange.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.5")
    return exchange
