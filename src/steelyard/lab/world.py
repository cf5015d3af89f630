"""Prices that nobody here decides: a fair value per market, and the sources that report it, each in its own way."""

import math
from collections import deque
from dataclasses import dataclass
from random import Random

CALM = 1.5e-4  # standard deviation of one second's return: about 85 % a year


@dataclass(frozen=True, slots=True)
class Climate:
    """How one fair value moves. `beta` is its share of the move that all have in common."""

    volatility: float = CALM
    beta: float = 0.8
    jumps_per_hour: float = 3.0
    jump: float = 0.004  # typical size


class World:
    """Random walks with jumps and spells of unrest, correlated, in natural units of price."""

    def __init__(self, seed: int, prices: dict[str, float], climates: dict[str, Climate]) -> None:
        self._random = Random(f"world {seed}")
        self.prices = dict(prices)
        self._climates = climates
        self._unrest = 1.0  # multiplies every volatility; decays to one

    def step(self, seconds: float) -> None:
        draw = self._random
        self._unrest = 1.0 + (self._unrest - 1.0) * math.exp(-seconds / 90.0)
        if draw.random() < seconds / 1200.0:
            self._unrest = min(4.0, self._unrest + draw.uniform(0.5, 2.0))
        common = draw.gauss(0.0, 1.0)
        for name, climate in self._climates.items():
            own = draw.gauss(0.0, 1.0)
            mixed = climate.beta * common + math.sqrt(1.0 - climate.beta**2) * own
            move = climate.volatility * self._unrest * math.sqrt(seconds) * mixed
            if draw.random() < climate.jumps_per_hour * seconds / 3600.0:
                move += climate.jump * draw.gauss(0.0, 1.0)
            self.prices[name] *= math.exp(move)

    def push(self, move: float, name: str | None = None) -> None:
        """A move as a fraction, of one fair value or of all."""
        for each in [name] if name else [*self.prices]:
            self.prices[each] *= 1.0 + move

    def alarm(self, move: float) -> None:
        """What a sudden move does to everybody's nerves."""
        self._unrest = min(6.0, self._unrest + 40.0 * abs(move))


@dataclass(frozen=True, slots=True)
class Report:
    source: int
    name: str
    price: float


class Sources:
    """Several reporters of the same prices: each late, noisy and silent in its own measure."""

    def __init__(self, seed: int, count: int) -> None:
        self._random = Random(f"sources {seed}")
        self._delays = [place // 2 for place in range(count)]
        self._noise = [0.00002 * (1 + place) for place in range(count)]
        self._silence = [0.05 * (1 + place) for place in range(count)]
        self._seen: deque[dict[str, float]] = deque(maxlen=max(self._delays) + 1)

    def observe(self, prices: dict[str, float]) -> list[Report]:
        """What is reported now; it may be nothing."""
        self._seen.append(dict(prices))
        draw, reports = self._random, []
        for source, delay in enumerate(self._delays):
            if draw.random() < self._silence[source]:
                continue
            then = self._seen[max(0, len(self._seen) - 1 - delay)]
            for name, price in then.items():
                reports.append(Report(source, name, price * (1.0 + draw.gauss(0.0, self._noise[source]))))
        return reports
