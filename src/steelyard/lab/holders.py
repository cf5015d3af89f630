"""Leveraged holders: who they are, and what they do. Most are long, some are isolated, some watch their stops."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from steelyard.lab.wishes import BUY, SELL, CancelAll, Deposit, Place, Sees, SetLeverage, Wish

NAMES = (
    *("ada", "boris", "chen", "dara", "emil", "fatou", "goran", "hana", "igor", "june", "kofi", "lena", "milo"),
    *("nadia", "otto", "priya", "quinn", "rosa", "sven", "tariq", "uma", "viktor", "wanda", "ximena", "yusuf", "zoe"),
    *("anton", "bela", "cyrus", "dora", "elio", "freya", "gita", "hugo", "iris", "joao", "kira", "luca", "mona"),
)
LEVERAGES = (3, 5, 8, 10, 10, 15, 20, 20, 25, 25, 30, 40, 50, 75)


@dataclass(frozen=True, slots=True)
class Profile:
    """One holder of one market. The margin is in the unit of account, whatever it is held in."""

    account: str
    market: str
    side: int
    leverage: int
    margin: int
    isolated: bool = False
    collateral: str | None = None  # an asset other than the unit of account
    stop: float = 0.0  # distance from the entry; 0 for none
    take_profit: float = 0.0
    trail: float = 0.0


def profiles(seed: int, markets: tuple[str, ...], count: int, collateral: str | None) -> list[Profile]:
    """`count` holders, spread over the markets, the first with more."""
    draw = Random(f"holders {seed}")
    made = []
    for place in range(count):
        name = NAMES[place] if place < len(NAMES) else f"{NAMES[place % len(NAMES)]}-{place // len(NAMES) + 1}"
        leverage = draw.choice(LEVERAGES)
        isolated = draw.random() < 0.3
        guarded = draw.random()
        reach = 1.0 / leverage
        made.append(
            Profile(
                account=name,
                market=markets[min(int(draw.expovariate(1.0)), place) % len(markets)],
                side=BUY if draw.random() < 0.8 else SELL,
                leverage=leverage,
                margin=100 * round(min(400_000.0, 4_000.0 * draw.lognormvariate(1.2, 1.0)) / 100.0),
                isolated=isolated,
                collateral=collateral if collateral and not isolated and draw.random() < 0.25 else None,
                stop=0.45 * reach if guarded < 0.2 else 0.0,
                take_profit=0.8 * reach if 0.12 < guarded < 0.4 else 0.0,
                trail=0.5 * reach if guarded > 0.93 else 0.0,
            )
        )
    return made


class Holder:
    """Opens with the leverage of its profile, waits, and comes back with new money some time after it lost the old."""

    def __init__(self, seed: int, profile: Profile, starts: float) -> None:
        self._random = Random(f"{profile.account} {seed}")
        self.profile = profile
        self._side = profile.side
        self._next = starts
        self._held = 0
        self._tries = 0

    def act(self, sees: Sees) -> list[Wish]:
        if sees.now < self._next:
            return []
        self._next = sees.now + self._random.uniform(3.0, 8.0)
        who, market = self.profile.account, self.profile.market
        lots = sees.position(who, market)
        held, self._held = self._held, lots
        if lots and not held:
            return self._guards(sees, lots)
        if held and not lots:  # liquidated, stopped or taken: think about it for a while
            self._next = sees.now + self._random.uniform(40.0, 240.0)
            self._tries = 0
            if self._random.random() < 0.25:
                self._side = -self._side
            return [CancelAll(who, market)]
        return [] if lots or sees.is_busy(who, market) else self._enter(sees)

    def _enter(self, sees: Sees) -> list[Wish]:
        me, terms = self.profile, sees.terms(self.profile.market)
        bid, ask = sees.best(me.market)
        touch = ask if self._side == BUY else bid
        if not touch:
            return []
        wishes: list[Wish] = []
        equity = sees.equity(me.account, me.market)
        if equity < 0.9 * me.margin:
            if me.collateral is None:
                wishes.append(Deposit(me.account, "", Decimal(int(me.margin - equity) + 1)))
                equity = float(me.margin)
            elif equity < 0.3 * me.margin:
                self._next = sees.now + 600.0  # coins do not come back that quickly
                return []
        if self._tries == 0:
            wishes.append(SetLeverage(me.account, me.market, me.leverage))
        self._tries += 1
        # A little less than the whole: fees, the spread, and room for each failed try.
        share = 0.94 * 0.9 ** min(self._tries - 1, 8)
        lots = terms.lots(share * min(equity, 1.2 * me.margin) * me.leverage, touch)
        if lots == 0:
            self._next = sees.now + 600.0
            return []
        limit = round(touch * (1.0 + self._side * 0.0015))
        wishes.append(Place(me.account, me.market, self._side, lots, limit, immediate=True))
        return wishes

    def _guards(self, sees: Sees, lots: int) -> list[Wish]:
        """A stop and a take-profit close the whole position; a trailing stop closes what is held now."""
        me, world = self.profile, sees.world(self.profile.market)
        way = SELL if lots > 0 else BUY
        wishes: list[Wish] = []
        if me.stop:
            at = round(world * (1.0 + way * me.stop))
            wishes.append(Place(me.account, me.market, way, closes=True, stop=at))
        if me.take_profit:
            at = round(world * (1.0 - way * me.take_profit))
            wishes.append(Place(me.account, me.market, way, closes=True, take_profit=at))
        if me.trail:
            ppm = max(1, int(me.trail * 1_000_000))
            wishes.append(Place(me.account, me.market, way, abs(lots), reduce_only=True, trail_ppm=ppm))
        return wishes
