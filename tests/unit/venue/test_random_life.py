"""A random life of a small exchange: after all of it, explanations, prices and stories still agree with the machine."""

import random
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected, Venue

PEOPLE = ("alice", "bob", "carol", "dora", "emil")
MARKETS = {
    "BTC-PERP": (50_000.0, Decimal(1), Decimal("0.001"), 300),
    "ETH-EUR": (2_500.0, Decimal("0.1"), Decimal("0.01"), 600),
}


class Life:
    """One random command after another; what is refused is part of life."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.venue = venue
        self.random = random.Random(seed)
        self.prices = {name: start for name, (start, *_) in MARKETS.items()}
        for name in ("dora", "emil"):
            venue.open_account(name=name)
        for name in PEOPLE:
            venue.deposit(name, self.random.choice([200, 1_000, 5_000]))
            if self.random.random() < 0.5:
                venue.deposit(name, self.random.choice(["0.01", "0.1"]), "BTC")
            if self.random.random() < 0.3:
                venue.set_margin_mode(name, "BTC-PERP", "isolated")
        for fund, assets in (("insurance", "USD EUR"), ("converter", "USD EUR"), ("lender", "USD EUR")):
            for asset in assets.split():
                venue.deposit(fund, self.random.choice([20, 2_000]), asset)
        venue.deposit("backstop", self.random.choice([1, 3_000]))

    def step(self) -> None:
        acts = (self.trade, self.trade, self.trade, self.move_prices, self.pass_time, self.cancel)
        try:
            self.random.choice(acts)(self.random.choice(PEOPLE), self.random.choice(list(MARKETS)))
        except Rejected as refusal:
            assert refusal.message
            if refusal.reason == Reject.OPENING_MARGIN_EXCEEDED:
                assert "short by" in refusal.message  # the numbers told are those that were judged

    def trade(self, who: str, market: str) -> None:
        _, tick, lot, most = MARKETS[market]
        price = round(Decimal(self.prices[market] * self.random.uniform(0.99, 1.01)) / tick) * tick
        side = self.random.choice(["buy", "sell"])
        away = 50 * tick if side == "buy" else -50 * tick
        options, limit = self.random.choice(
            [
                ({}, price),
                ({}, price),
                ({}, None),
                ({"reduce_only": True}, price),
                ({"post_only": "slide"}, price),
                ({"stop": price + away}, None),
                ({"trailing": "0.01"}, None),
                ({"time_in_force": "FOK"}, price),
                ({"expires": "10m"}, price),
            ]
        )
        self.venue.order(who, market, side, lot * self.random.randint(1, most), limit, **options)

    def move_prices(self, who: str, market: str) -> None:
        moved = {}
        for name, (_, tick, _, _) in MARKETS.items():
            self.prices[name] *= 1 + self.random.gauss(0, 0.012)
            moved[name] = round(Decimal(self.prices[name]) / tick) * tick
        moved["BTC"] = moved["BTC-PERP"]
        moved["EUR"] = Decimal(self.random.randint(10_800, 11_200)) / 10_000
        self.venue.set_prices(moved)

    def pass_time(self, who: str, market: str) -> None:
        self.venue.advance(self.random.choice(["1s", "30s", "10m", "8h"]))

    def cancel(self, who: str, market: str) -> None:
        self.venue.cancel_all(who, market)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_is_said_contradicts_the_machine(make_exchange, seed):
    venue = make_exchange(slice_notional=5_000 * (seed % 2), cooldown="10s", mark=("index", "median")[seed % 3 == 0])
    life = Life(venue, seed)
    for number in range(250):
        life.step()
        if number % 25:
            continue
        venue.check()
        for account in range(1, venue.reader.accounts + 1):
            venue.explain(account)  # asserts that lines and sums are the machine's
            for market in MARKETS:
                venue.liquidation_price(account, market)  # asserts its proof
            venue.account(account).to_ccxt()
    for name in PEOPLE:
        venue.verify(name)
    assert Venue.restore(venue.snapshot()).hash() == venue.hash()


def test_lives_contain_liquidations_of_every_way(make_exchange):
    ways = set()
    for seed in range(8):
        venue = make_exchange(slice_notional=0)
        life = Life(venue, seed)
        for _ in range(150):
            life.step()
        ways |= {each.way for each in venue.liquidations()}
    assert ways == {"book", "takeover", "deleveraging"}
