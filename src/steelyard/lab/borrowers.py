"""Borrowers: coins as collateral, money against them. Some repay when it gets close, some add a position on top."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from steelyard.lab.wishes import BUY, Borrow, Deposit, Place, Sees, Wish

NAMES = ("amara", "bruno", "celia", "diego", "elena", "farid", "greta", "henri", "ines", "jonas", "keiko", "lars")


@dataclass(frozen=True, slots=True)
class Loan:
    """One borrower. The stake is worth so much money, whatever coin it is."""

    account: str
    coin: str
    market: str  # where the coin has its price
    stake: int
    share: float  # of the stake's value that is borrowed
    extra: float = 0.0  # a position on top, as a multiple of the stake
    repays: float = 0.0  # from this share on it pays back a part; 0 for never


def loans(seed: int, coins: dict[str, str], count: int) -> list[Loan]:
    """`count` borrowers; `coins` names the market of each coin."""
    draw = Random(f"borrowers {seed}")
    listed = [*coins]
    made = []
    for place in range(count if coins else 0):
        name = NAMES[place] if place < len(NAMES) else f"{NAMES[place % len(NAMES)]}-{place // len(NAMES) + 1}"
        coin = listed[min(int(draw.expovariate(1.4)), place) % len(listed)]
        share, kind = draw.uniform(0.72, 0.89), draw.random()
        made.append(
            Loan(
                account=name,
                coin=coin,
                market=coins[coin],
                stake=1_000 * round(min(800.0, 120.0 * draw.lognormvariate(0.3, 0.8))),
                share=share - 0.1 if kind < 0.3 else share,
                extra=draw.uniform(0.3, 0.9) if kind < 0.3 else 0.0,
                repays=share + 0.02 if kind > 0.75 else 0.0,
            )
        )
    return made


class Borrower:
    """Pledges its stake and borrows, and comes back with new coins some time after it lost the old."""

    def __init__(self, seed: int, loan: Loan, starts: float) -> None:
        self._random = Random(f"{loan.account} {seed}")
        self.loan = loan
        self._next = starts
        self._borrowed = False

    def act(self, sees: Sees) -> list[Wish]:
        if sees.now < self._next:
            return []
        self._next = sees.now + self._random.uniform(4.0, 9.0)
        me = self.loan
        if sees.is_busy(me.account, me.market):
            return []
        price = sees.world(me.market) * sees.terms(me.market).tick
        coins, owed = sees.cash(me.account, me.coin), -sees.cash(me.account, "")
        if self._borrowed and owed <= 0.0:  # liquidated: the loan was paid with coins
            self._borrowed = False
            self._next = sees.now + self._random.uniform(60.0, 300.0)
            return []
        if not self._borrowed:
            return self._borrow(coins, owed, price)
        if me.repays and owed > me.repays * coins * price:
            return [Deposit(me.account, "", Decimal(int(0.2 * owed)))]
        if me.extra and sees.position(me.account, me.market) == 0:
            return self._add(sees)
        return []

    def _borrow(self, coins: float, owed: float, price: float) -> list[Wish]:
        me, wishes = self.loan, list[Wish]()
        missing = me.stake / price - coins
        if missing * price > 0.02 * me.stake:
            wishes.append(Deposit(me.account, me.coin, round(Decimal(missing), 4)))
        amount = int(me.share * me.stake - max(0.0, owed))
        if amount > 0:
            self._borrowed = True
            wishes.append(Borrow(me.account, "", Decimal(amount)))
        return wishes

    def _add(self, sees: Sees) -> list[Wish]:
        me, terms = self.loan, sees.terms(self.loan.market)
        _, ask = sees.best(me.market)
        lots = terms.lots(me.extra * me.stake, ask) if ask else 0
        return [Place(me.account, me.market, BUY, lots, round(ask * 1.0015), immediate=True)] if lots else []
