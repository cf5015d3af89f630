"""Liquidation prices, solved on the machine's own health function.

With one mark moving and everything else still, E - M(maintain) of linear perpetuals is concave: profit is linear, the
brackets' requirement convex. So if the account is healthy now, the healthy marks are one interval around the present
one, and bisection on whole ticks finds each end.

Promises
- The answer is a tick at which the account is unhealthy, and one tick nearer to the mark it is healthy: both are
  evaluated, not derived.
- Rounding can bend the curve by a few atoms; ticks between the answer and the mark where the slack is that small are
  looked at one by one (at most `NEAR`), and the one nearest to the mark wins.
"""

from dataclasses import dataclass

from steelyard.state.tables import MARKET_0
from steelyard.venue.instruments import Names
from steelyard.venue.reading import Reader
from steelyard.venue.records import LiquidationPrice

NEAR = 256  # ticks looked at one by one


@dataclass(frozen=True, slots=True)
class Solved:
    """In ticks; `proof` holds (mark, slack)."""

    mark: int
    slack: int
    low: int | None
    high: int | None
    proof: tuple[tuple[int, int], ...]

    @property
    def unhealthy_now(self) -> bool:
        return self.slack < 0


class _Health:
    """Slack of one account over the marks of one market, each evaluated once."""

    def __init__(self, reader: Reader, account: int, market: int) -> None:
        self._reader, self._account, self._market = reader, account, market
        self._known: dict[int, int] = {}
        # Every leg rounds a handful of times, one atom of value each.
        self.wobble = 4 * (1 + sum(reader.thing(leg) >= MARKET_0 for leg in reader.legs(account)))

    def slack(self, mark: int) -> int:
        if mark not in self._known:
            self._known[mark] = self._reader.slack_at(self._account, self._market, mark)
        return self._known[mark]

    def first_unhealthy(self, mark: int, end: int) -> int | None:
        """The first unhealthy tick on the way from a healthy mark to `end`."""
        if mark == end or self.slack(end) >= 0:
            return None
        healthy, unhealthy = mark, end
        while abs(unhealthy - healthy) > 1:
            middle = (healthy + unhealthy) // 2
            if self.slack(middle) < 0:
                unhealthy = middle
            else:
                healthy = middle
        step = 1 if end > mark else -1
        nearest, tick, looked = unhealthy, unhealthy - step, 0
        while tick != mark and looked < NEAR and self.slack(tick) <= self.wobble:
            if self.slack(tick) < 0:
                nearest = tick
            else:
                looked += 1
            tick -= step
        return nearest


def liquidation_ticks(reader: Reader, account: int, market: int) -> Solved:
    health = _Health(reader, account, market)
    mark = reader.mark(market)
    slack = health.slack(mark)
    if slack < 0 or mark == 0:
        return Solved(mark, slack, None, None, ())
    low = health.first_unhealthy(mark, 1)
    high = health.first_unhealthy(mark, reader.market_rule(market).ticks_max)
    proof: list[tuple[int, int]] = []
    for found, inside in ((low, 1), (high, -1)):
        if found is not None:
            proof += [(found, health.slack(found)), (found + inside, health.slack(found + inside))]
            assert proof[-2][1] < 0 <= proof[-1][1], "Invariant: unhealthy at the answer, healthy one tick inside"
    return Solved(mark, slack, low, high, tuple(proof))


def liquidation_price(reader: Reader, names: Names, account: int, market_row: int) -> LiquidationPrice:
    """Of the account that holds the market: an isolated position's own, if it is one."""
    holder = reader.acting(account, market_row)
    solved = liquidation_ticks(reader, holder, market_row)
    market, unit = names.market_at(market_row), names.asset_at(1).atom
    return LiquidationPrice(
        account=names.account_name(holder),
        symbol=market.name,
        mark=market.tick.back(solved.mark),
        slack=unit.back(solved.slack),
        unhealthy_now=solved.unhealthy_now,
        low=None if solved.low is None else market.tick.back(solved.low),
        high=None if solved.high is None else market.tick.back(solved.high),
        proof=tuple((market.tick.back(mark), unit.back(slack)) for mark, slack in solved.proof),
    )
