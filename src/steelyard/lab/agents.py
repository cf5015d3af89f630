"""Agents that make a market: quotes around a moving fair value, flow that takes them, hands that keep it in line."""

from random import Random

from steelyard.lab.wishes import BUY, SELL, CancelAll, Place, Sees, Wish


class Maker:
    """Quotes around the world's price, wider and thinner when it moves, leaning against its own inventory."""

    def __init__(
        self,
        seed: int,
        account: str,
        markets: tuple[str, ...],
        *,
        notional: float = 30_000.0,
        half_spread: float = 0.0001,
        levels: int = 9,
        inventory_max: float = 4_000_000.0,
        lean_max: float = 0.0015,
    ) -> None:
        self._random = Random(f"{account} {seed}")
        self.account = account
        self.markets = markets
        self.lean_max = lean_max  # how far a full inventory moves the quotes: what makes a premium, and funding
        self.notional = notional  # of the innermost quote
        self.half_spread = half_spread
        self.levels = levels
        self.inventory_max = inventory_max
        self._quoted: dict[str, float] = {}
        self._unrest: dict[str, float] = {}
        self._before: dict[str, float] = {}

    def act(self, sees: Sees) -> list[Wish]:
        wishes: list[Wish] = []
        for market in self.markets:
            world = sees.world(market)
            move = abs(world / self._before.get(market, world) - 1.0)
            self._before[market] = world
            self._unrest[market] = max(move, 0.93 * self._unrest.get(market, 0.0))
            gone = abs(world / self._quoted.get(market, 1e-9) - 1.0)
            hurry = 0.85 if gone > 2.0 * self.half_spread else 0.12
            if self._random.random() < hurry:
                wishes += self._quotes(sees, market, world)
        return wishes

    def _quotes(self, sees: Sees, market: str, world: float) -> list[Wish]:
        self._quoted[market] = world
        terms, draw = sees.terms(market), self._random
        held = sees.position(self.account, market) * terms.lot * terms.tick * world
        lean = max(-1.0, min(1.0, held / self.inventory_max))
        fear = 1.0 + 250.0 * self._unrest[market]
        half = self.half_spread * fear
        middle = world * (1.0 - self.lean_max * lean)
        wishes: list[Wish] = [CancelAll(self.account, market)]
        for side in (BUY, SELL):
            appetite = 1.0 - side * lean
            if appetite < 0.05:
                continue
            away = half * draw.uniform(0.6, 1.4)
            for level in range(self.levels):
                ticks = round(middle * (1.0 - side * away))
                size = self.notional * appetite * (1.0 + 0.45 * level) * draw.uniform(0.5, 1.5) / fear**0.5
                lots = terms.lots(size, ticks)
                if lots > 0 and ticks > 0:
                    wishes.append(Place(self.account, market, side, lots, ticks, post_only=True))
                away += half * draw.uniform(0.5, 1.1) * (1.0 + 0.35 * level)
        return wishes


class Taker:
    """Trades for reasons of its own, now and then, a little with the trend, and never far from flat."""

    def __init__(
        self,
        seed: int,
        account: str,
        markets: tuple[str, ...],
        *,
        notional: float = 9_000.0,
        often: float = 0.35,
        chases: float = 0.3,
        position_max: float = 150_000.0,
    ) -> None:
        self._random = Random(f"{account} {seed}")
        self.account = account
        self.markets = markets
        self.notional = notional
        self.often = often
        self.chases = chases
        self.position_max = position_max
        self._slow: dict[str, float] = {}

    def act(self, sees: Sees) -> list[Wish]:
        draw = self._random
        if draw.random() > self.often:
            return []
        market = draw.choice(self.markets)
        world = sees.world(market)
        slow = self._slow[market] = 0.9 * self._slow.get(market, world) + 0.1 * world
        terms = sees.terms(market)
        held = sees.position(self.account, market) * terms.lot * terms.tick * world / self.position_max
        trend = max(-1.0, min(1.0, (world / slow - 1.0) / 0.001))
        side = BUY if draw.random() < 0.5 + 0.5 * (self.chases * trend - held) else SELL
        lots = terms.lots(self.notional * draw.lognormvariate(0.0, 1.0), world)
        bid, ask = sees.best(market)
        if lots == 0 or not (bid and ask):
            return []
        limit = round((ask if side == BUY else bid) * (1.0 + side * 0.002))
        return [Place(self.account, market, side, lots, limit, immediate=True)]


class Arbitrageur:
    """Takes what is offered away from the world's price, as if it closed the trade elsewhere."""

    def __init__(
        self,
        seed: int,
        account: str,
        markets: tuple[str, ...],
        *,
        edge: float = 0.0008,
        notional: float = 150_000.0,
        inventory_max: float = 3_000_000.0,
    ) -> None:
        self._random = Random(f"{account} {seed}")
        self.account = account
        self.markets = markets
        self.edge = edge
        self.notional = notional
        self.inventory_max = inventory_max

    def act(self, sees: Sees) -> list[Wish]:
        wishes: list[Wish] = []
        for market in self.markets:
            world, terms = sees.world(market), sees.terms(market)
            bid, ask = sees.best(market)
            lots = sees.position(self.account, market)
            held = lots * terms.lot * terms.tick * world / self.inventory_max
            side = BUY if ask and ask < world * (1.0 - self.edge) else SELL if bid > world * (1.0 + self.edge) else 0
            if side and side * held < 1.0:
                size = terms.lots(self.notional * self._random.uniform(0.5, 1.5), world)
                limit = round(world * (1.0 - side * 0.5 * self.edge))
                wishes.append(Place(self.account, market, side, max(1, size), limit, immediate=True))
            elif lots and not side and self._random.random() < 0.1:
                # What was bought cheaply goes back at a fair price, a piece at a time.
                back = max(1, abs(lots) // 8)
                limit = round(world * (1.0 - 0.0003 if lots > 0 else 1.0 + 0.0003))
                way = SELL if lots > 0 else BUY
                wishes.append(Place(self.account, market, way, back, limit, immediate=True, reduce_only=True))
        return wishes
