"""The simulated market as a source for the view."""

import time
from decimal import Decimal

from steelyard.cli.source import Snapshot
from steelyard.lab.courier import SECOND
from steelyard.lab.market import DemoMarket
from steelyard.venue.explain import Explanation
from steelyard.venue.happened import Happened

REFILL = 100_000
DEPTH = 400  # levels of each side; the view groups them


class Demo:
    def __init__(self, market: DemoMarket) -> None:
        self.demo = market
        self._owed = 0.0  # seconds not yet stepped

    @property
    def markets(self) -> tuple[str, ...]:
        return self.demo.markets

    def snapshot(self, market: str) -> Snapshot:
        venue, coins = self.demo.venue, self.demo.coins
        people = [each.account for each in self.demo.holders] + [each.account for each in self.demo.borrowers]
        accounts = [venue.account(name) for name in people]
        together = [
            venue.liquidation_price(account.id, coins[each.asset], [each.asset])
            for account in accounts
            for each in account.balances
            if each.asset in coins
        ]
        return Snapshot(
            now_ns=venue.now_ns,
            unit=venue.unit,
            markets=tuple(venue.market(symbol) for symbol in self.markets),
            book=venue.book(market, DEPTH),
            accounts=(*accounts, venue.account(venue.backstop)),
            funds=venue.funds(),
            queue=venue.queue(),
            together=tuple(together),
        )

    def events(self) -> list[Happened]:
        return self.demo.venue.drain()

    def explain(self, account: str) -> Explanation:
        return self.demo.venue.explain(account)

    def advance(self, seconds: float, patience: float | None = None) -> None:
        self._owed += seconds
        step = self.demo.step_ns / SECOND
        until = None if patience is None else time.monotonic() + patience
        while self._owed >= step:
            if until is not None and time.monotonic() > until:
                self._owed = 0.0  # this computer cannot go faster; time that was missed is not made up for
                return
            self.demo.step()
            self._owed -= step

    def shock(self, move: float) -> None:
        self.demo.shock(move)

    def refill(self) -> Decimal:
        self.demo.refill(REFILL)
        return Decimal(REFILL)
