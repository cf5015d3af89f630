"""Between agents and a venue in the same process: answers what they may see, and turns wishes into rows of commands."""

from collections.abc import Mapping

import numpy as np

from steelyard.lab.wishes import Borrow, CancelAll, Deposit, Place, SetLeverage, Terms, Wish
from steelyard.lab.world import Report
from steelyard.model import orders as O
from steelyard.venue import builders
from steelyard.venue.builders import Rows
from steelyard.venue.instruments import Market
from steelyard.venue.labels import Words, reference_words
from steelyard.venue.venue import Venue

SECOND = 1_000_000_000


class Eyes:
    """What agents see of a venue, and of the world outside it."""

    def __init__(self, venue: Venue, world: Mapping[str, float]) -> None:
        self._venue = venue
        self._world = world
        names = venue.names
        self._terms = {
            name: Terms(name, float(market.tick.size), float(market.lot.size)) for name, market in names.markets.items()
        }
        self._rows = {name: market.row for name, market in names.markets.items()}

    @property
    def now(self) -> float:
        return self._venue.reader.now_ns / SECOND

    def terms(self, market: str) -> Terms:
        return self._terms[market]

    def world(self, market: str) -> float:
        return self._world[market] / self._terms[market].tick

    def best(self, market: str) -> tuple[int, int]:
        table, row = self._venue.reader.state.market, self._rows[market]
        return int(table.best_bid[row]), int(table.best_ask[row])

    def position(self, account: str, market: str) -> int:
        reader, row = self._venue.reader, self._rows[market]
        leg = reader.market_leg(reader.acting(self._venue.names.account(account), row), row)
        return reader.quantity(leg) if leg else 0

    def equity(self, account: str, market: str) -> float:
        reader, who = self._venue.reader, self._venue.names.account(account)
        holder = reader.acting(who, self._rows[market])
        atoms = reader.equity(who) + (reader.equity(holder) if holder != who else 0)
        return float(self._venue.names.asset_at(1).atom.back(atoms))

    def cash(self, account: str, asset: str) -> float:
        names = self._venue.names
        found = names.asset(asset) if asset else names.asset_at(1)
        return float(found.atom.back(self._venue.reader.cash(names.account(account), found.row)))

    def is_busy(self, account: str, market: str) -> bool:
        reader, who, row = self._venue.reader, self._venue.names.account(account), self._rows[market]
        holder = reader.acting(who, row)
        if reader.state.account.queued[holder]:
            return True
        leg = reader.market_leg(holder, row)
        return bool(leg) and next(reader.orders_of(leg), 0) != 0


class Courier:
    """Rows for one instant. Nothing is sent here."""

    def __init__(self, venue: Venue) -> None:
        self._names = venue.names

    def prices(self, at_ns: int, reports: list[Report]) -> Rows:
        """All reports of the instant as one command."""
        listed = []
        for report in reports:
            fed = self._names.feed(report.name)
            step = fed.tick if isinstance(fed, Market) else fed.price_step
            price = max(1, round(report.price / float(step.size)))
            listed.append((fed.feed, report.source, price, 0, at_ns))
        return builders.prices(at_ns, listed)

    def rows(self, at_ns: int, wish: Wish) -> Rows:
        who = self._names.account(wish.account)
        match wish:
            case Place():
                return self._order(at_ns, who, wish)
            case CancelAll():
                return builders.cancel_all(at_ns, who, self._names.market(wish.market).row)
            case SetLeverage():
                return builders.set_leverage(at_ns, who, self._names.market(wish.market).row, wish.leverage)
            case Deposit():
                asset, atoms, reference = self._money(wish)
                return builders.deposit(at_ns, who, asset, atoms, reference)
            case Borrow():
                asset, atoms, reference = self._money(wish)
                taken = builders.withdraw(at_ns, who, asset, atoms, reference, O.MAY_BORROW)
                return np.concatenate([taken, builders.confirm_withdrawal(at_ns, reference)])

    def _money(self, wish: Deposit | Borrow) -> tuple[int, int, Words]:
        asset = self._names.asset(wish.asset) if wish.asset else self._names.asset_at(1)
        return asset.row, asset.atom.count(wish.amount), reference_words(self._names.label())

    def _order(self, at_ns: int, who: int, wish: Place) -> Rows:
        options = O.POST_ONLY_SLIDE if wish.post_only else 0
        options |= (O.REDUCE_ONLY if wish.reduce_only else 0) | (O.CLOSE_POSITION if wish.closes else 0)
        kind = O.STOP if wish.stop else O.TAKE_PROFIT if wish.take_profit else O.TRAILING if wish.trail_ppm else 0
        return builders.place_order(
            at_ns,
            who,
            self._names.market(wish.market).row,
            wish.side,
            wish.lots,
            wish.ticks,
            order_type=O.LIMIT if wish.ticks else O.MARKET,
            tif=O.IOC if wish.immediate or not wish.ticks else O.GTC,
            options=options,
            trigger_kind=kind,
            trigger_on=O.ON_MARK,
            trigger=wish.stop or wish.take_profit,
            callback=wish.trail_ppm,
        )
