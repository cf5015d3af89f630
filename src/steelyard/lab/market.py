"""A whole market in one object: a venue with listings and funds, and agents that keep it alive, from one seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np

from steelyard.lab.agents import Arbitrageur, Maker, Taker
from steelyard.lab.borrowers import Borrower, Loan, loans
from steelyard.lab.courier import SECOND, Courier, Eyes
from steelyard.lab.holders import Holder, Profile, profiles
from steelyard.lab.wishes import Agent, Wish
from steelyard.lab.world import Climate, Sources, World
from steelyard.model import events as E
from steelyard.state.tables import Limits
from steelyard.venue.machine import Progress
from steelyard.venue.venue import Venue

LIMITS = Limits(owners=4096, accounts=4096, legs=1 << 15, orders=1 << 13, references=1 << 14, recent_client_ids=1 << 10)
START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
EVENTS_KEPT = 1 << 16
SOURCES = 3
COLLATERAL = {  # beside the unit of account, where it has a market: what its coins count for, opening and maintaining
    "BTC": [(40, "0.92", "0.95"), (400, "0.8", "0.85")],
    "ETH": [(600, "0.9", "0.93"), (6_000, "0.75", "0.8")],
}
LENT = 8_000_000  # money of the lender
IMPACT = 2.5e-9  # how far one unit of money sold by force moves the world's price


@dataclass(frozen=True, slots=True)
class Listing:
    symbol: str
    price: float
    tick: str
    lot: str
    brackets: tuple[tuple[int, str, str], ...]  # notional up to which it reaches, maintenance rate, opening rate
    climate: Climate


LISTINGS = (
    Listing(
        "BTC-PERP",
        64_000.0,
        "0.1",
        "0.001",
        ((2_000_000, "0.005", "0.01"), (10_000_000, "0.01", "0.02"), (100_000_000, "0.025", "0.05")),
        Climate(beta=0.9),
    ),
    Listing(
        "ETH-PERP",
        3_200.0,
        "0.01",
        "0.01",
        ((1_000_000, "0.006", "0.0125"), (5_000_000, "0.0125", "0.025"), (50_000_000, "0.05", "0.1")),
        Climate(volatility=1.9e-4, beta=0.8),
    ),
    Listing(
        "SOL-PERP",
        150.0,
        "0.01",
        "0.1",
        ((500_000, "0.01", "0.02"), (2_000_000, "0.02", "0.04"), (25_000_000, "0.05", "0.1")),
        Climate(volatility=2.4e-4, beta=0.7, jumps_per_hour=5.0),
    ),
)


class DemoMarket:
    """The same seed, steps and shocks give the same venue, to the last bit of its hash."""

    def __init__(
        self,
        seed: int = 7,
        *,
        holders: int = 32,
        borrowers: int = 8,
        listings: Sequence[Listing] = LISTINGS,
        step_seconds: int = 1,
        insurance: int = 250_000,
        backstop: int = 2_000_000,
        progress: Progress | None = None,
    ) -> None:
        self.seed = seed
        self.step_ns = step_seconds * SECOND
        self.steps = 0
        self.markets = tuple(each.symbol for each in listings)
        self.venue = Venue(LIMITS, at=START, keep_events=EVENTS_KEPT, progress=progress)
        prices = {each.symbol: each.price for each in listings}
        climates = {each.symbol: each.climate for each in listings}
        self.world = World(seed, prices, climates)
        self._sources = Sources(seed, SOURCES)
        self.coins = {each.symbol.partition("-")[0]: each.symbol for each in listings}
        self.coins = {coin: symbol for coin, symbol in self.coins.items() if coin in COLLATERAL}
        self._list(listings)
        self._fund(insurance, backstop)
        self.profiles = profiles(seed, self.markets, holders, next(iter(self.coins), None))
        self.loans = loans(seed, self.coins, borrowers)
        self._agents: list[Agent] = [*self._professionals(seed), *self._open_holders(seed)]
        self._agents += self._open_borrowers(seed)
        self._eyes = Eyes(self.venue, self.world.prices)
        self._courier = Courier(self.venue)
        self.step(2)  # prices, then quotes

    # --- setting up

    def _list(self, listings: Sequence[Listing]) -> None:
        venue = self.venue
        venue.set_asset(
            venue.unit,
            loan_cap=1_000_000,
            interest_base="0.01",
            interest_slope="0.07",
            interest_steep="0.6",
            interest_kink="0.8",
            interest_interval="1m",
        )
        for coin, symbol in self.coins.items():
            venue.add_asset(
                coin,
                8,
                price=_text(self.world.prices[symbol], "0.01"),
                collateral=COLLATERAL[coin],
                convert_haircut="0.01",
                sources=SOURCES,
                quorum=1,
                staleness="30s",
            )
        for each in listings:
            venue.add_market(
                each.symbol,
                tick=each.tick,
                lot=each.lot,
                price=_text(each.price, each.tick),
                leverage=20,
                brackets=each.brackets,
                maker="0.0001",
                taker="0.0004",
                sources=SOURCES,
                quorum=1,
                staleness="30s",
                funding_interval="1h",
                sample_interval="10s",
                interest="0.0000125",
                funding_clamp="0.00005",
                impact_notional=25_000,
                liquidation_fee="0.002",
                slice="0.25",
                slice_notional=75_000,
                cooldown="3s",
                basis_tau="60s",
            )

    def _fund(self, insurance: int, backstop: int) -> None:
        venue = self.venue
        for account, amount in (
            (venue.insurance, insurance),
            (venue.backstop, backstop),
            (venue.lender, LENT),
            (venue.converter, LENT),
        ):
            venue.deposit(account, amount)

    def _professionals(self, seed: int) -> list[Agent]:
        made: list[Agent] = []
        for place in range(3):
            name = self._open(f"maker-{place + 1}", 10_000_000)
            made.append(Maker(seed, name, self.markets, half_spread=0.00004 + 0.00004 * place))
        made += [Taker(seed, self._open(f"taker-{place}", 1_000_000), self.markets) for place in range(1, 5)]
        made.append(Arbitrageur(seed, self._open("arb-1", 8_000_000), self.markets))
        return made

    def _open_holders(self, seed: int) -> list[Agent]:
        made: list[Agent] = []
        for place, profile in enumerate(self.profiles):
            owner = self._open(profile.account, 0 if profile.collateral else profile.margin)
            if profile.collateral:
                coins = profile.margin / (0.9 * self.world.prices[self.coins[profile.collateral]])
                self.venue.deposit(profile.account, _text(coins, "0.0001"), profile.collateral)
            if profile.isolated:
                self.venue.set_margin_mode(owner, profile.market, "isolated")
            made.append(Holder(seed, profile, float(self.venue.now) + 3.0 + 2.0 * place))
        return made

    def _open_borrowers(self, seed: int) -> list[Agent]:
        made: list[Agent] = []
        for place, loan in enumerate(self.loans):
            self._open(loan.account, 0)
            made.append(Borrower(seed, loan, float(self.venue.now) + 5.0 + 4.0 * place))
        return made

    def _open(self, name: str, money: int) -> str:
        self.venue.open_account(name=name)
        if money:
            self.venue.deposit(name, money)
        return name

    # --- what happens

    def step(self, count: int = 1) -> None:
        """Let agents act on what they see, then let the sources report."""
        for _ in range(count):
            self.world.step(self.step_ns / SECOND)
            at_ns = self.venue.now_ns + self.step_ns
            wishes = self._wishes() if self.steps else []
            rows = [self._courier.rows(at_ns, wish) for wish in wishes]
            prices = dict(self.world.prices)
            prices |= {coin: prices[symbol] for coin, symbol in self.coins.items()}
            reports = self._sources.observe(prices)
            if reports:
                rows.append(self._courier.prices(at_ns, reports))
            rows.append(self.venue.rows.clock(Decimal(at_ns) / SECOND))
            self.venue.submit(np.concatenate(rows))
            self._feel()
            self.steps += 1

    def _wishes(self) -> list[Wish]:
        return [wish for agent in self._agents for wish in agent.act(self._eyes)]

    def _feel(self) -> None:
        """What liquidations sell here, the world feels too."""
        last = self.venue.log.last
        if last is None:
            return
        rows: Any = last.rows
        forced = rows[(rows["kind"] == E.FILL) & ((rows["options"] & E.FILL_LIQUIDATION) != 0) & (rows["order"] < 0)]
        for row in forced:
            market = self.venue.names.market_at(int(row["market"]))
            atoms = int(row["side"]) * abs(market.worth(int(row["lots"]), int(row["price"])))
            move = IMPACT * float(market.settle.atom.back(atoms))
            self.world.push(max(-0.004, min(0.004, move)), market.name)
        for row in rows[(rows["kind"] == E.CONVERTED) & (rows["other"] == 1)]:
            money = float(self.venue.names.asset_at(1).atom.back(int(row["amount"])))
            self.world.push(-min(0.004, IMPACT * money), self.coins[self.venue.names.asset_at(int(row["market"])).name])

    def shock(self, move: float, market: str | None = None) -> None:
        """The world's prices jump by a fraction: all of them, or that of one market."""
        if not -0.5 <= move <= 1.0:
            raise ValueError(f"a shock of {move:+.0%} is beyond what this market can take (-50 % to +100 %)")
        self.world.push(move, market)
        self.world.alarm(move)

    def refill(self, amount: int) -> None:
        """Somebody pays into the insurance fund."""
        self.venue.deposit(self.venue.insurance, amount)

    # --- what is left

    @property
    def holders(self) -> tuple[Profile, ...]:
        return tuple(self.profiles)

    @property
    def borrowers(self) -> tuple[Loan, ...]:
        return tuple(self.loans)

    def hash(self) -> str:
        return self.venue.hash()

    def check(self) -> None:
        self.venue.check()


def _text(value: float, step: str) -> str:
    """A price as decimal text, a whole number of steps."""
    size = Decimal(step)
    return str(round(value / float(size)) * size)
