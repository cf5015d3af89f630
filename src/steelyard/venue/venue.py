"""A venue: one machine with names and decimals, what can be asked of it, and copies of it to try things on."""

import struct
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from os import PathLike
from typing import Any

from steelyard.journal.entries import Damaged, Journal, Saved
from steelyard.journal.sqlite import SqliteJournal
from steelyard.num import warm
from steelyard.state.tables import Limits
from steelyard.venue import durable, solve
from steelyard.venue import story as stories
from steelyard.venue.amounts import SECOND, Instant, instant_ns, seconds
from steelyard.venue.core import Core
from steelyard.venue.explain import Explainer, Explanation
from steelyard.venue.instruments import Names, thing_of
from steelyard.venue.log import Log
from steelyard.venue.machine import Machine, Progress
from steelyard.venue.market_records import (
    Basis,
    Book,
    FundingRate,
    Funds,
    LeverageTier,
    MarketView,
    PoolView,
    QueueEntry,
)
from steelyard.venue.market_views import MarketViews
from steelyard.venue.preview import Preview, preview
from steelyard.venue.price_views import PriceView, PriceViews
from steelyard.venue.records import Account, AccountView, Liquidation, LiquidationPrice, Offer, Order, Position
from steelyard.venue.requests import Who
from steelyard.venue.trading import Trading
from steelyard.venue.verify import Verdict, verify_story
from steelyard.venue.views import Views
from steelyard.venue.whatif import what_if

EVENTS_KEPT = 1 << 18
START_NS = 1_767_225_600 * SECOND  # a fixed instant, so that two venues set up alike are alike
_HEAD = struct.Struct("<8sQ")
_MAGIC = b"steelyrd"


class Venue(Trading):
    """Names and decimals outside; one deterministic machine inside.

    `at` is the instant at which the clock starts: the first of January 2026 unless told. `keep_events` is how many
    events are remembered for `drain` and `story`. `sweep` judges every account after every price instead of ringing
    alarms: slower, with the same events. `progress` hears how far the compiling of a first start has come.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        unit: str = "USD",
        unit_decimals: int = 6,
        at: Instant | None = None,
        keep_events: int = EVENTS_KEPT,
        sweep: bool = False,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(Machine(limits, sweep=sweep, progress=progress), Names(), Log(keep_events))
        self._look()
        self._begin(unit, unit_decimals, at)

    def _begin(self, unit: str, unit_decimals: int, at: Instant | None) -> None:
        start = START_NS if at is None else instant_ns(at, 0, "at")
        if start > self.now_ns:
            self.advance_to_ns(start)
        self._add_unit(unit, unit_decimals)

    def _look(self) -> None:
        self.recovery: durable.Recovery | None = None
        self._saved_at = self.reader.seq
        self.views = Views(self.reader, self.names)
        self._markets = MarketViews(self.reader, self.names)
        self._prices = PriceViews(self.reader)

    @classmethod
    def _around(cls, machine: Machine, names: Names, log: Log) -> "Venue":
        venue = cls.__new__(cls)
        Core.__init__(venue, machine, names, log)
        venue._look()
        return venue

    # --- a journal

    @classmethod
    def open(
        cls,
        folder: str | PathLike[str],
        *,
        limits: Limits | None = None,
        unit: str = "USD",
        unit_decimals: int = 6,
        at: Instant | None = None,
        until: int | None = None,
        keep_events: int = EVENTS_KEPT,
        progress: Progress | None = None,
    ) -> "Venue":
        """A venue that is written down in a folder before it answers, and begins where it ended.

        `limits`, `unit` and `at` are for a folder that is empty; later they are what they were. With `until` it is a
        copy of the state after that entry, which writes nothing. See docs/concepts/journal.md.
        """
        journal = SqliteJournal(folder, write=until is None)
        try:
            if not journal.header and until is None:
                journal.begin(durable.header_of(limits or Limits()))
            elif limits is not None and limits != durable.limits_in(journal.header):
                raise ValueError(f"the journal in {folder} was begun with other limits, which stay as they were")
            venue = durable.to_the_entry(lambda group: cls._recover(journal, until, keep_events, progress, group))
            if until is not None:
                journal.close()
                return venue
            venue._journal = journal
            venue._note_names()  # of what did not come to be
            if not venue.names.assets:
                venue._begin(unit, unit_decimals, at)
        except BaseException:
            journal.close()
            raise
        return venue

    @classmethod
    def empty(cls, limits: Limits | None = None, *, keep_events: int = EVENTS_KEPT) -> "Venue":
        """One to which nothing happened, not even its unit of account: what a journal is run on."""
        return cls._around(Machine(limits), Names(), Log(keep_events))

    @classmethod
    def of_snapshot(cls, saved: Saved, keep_events: int = EVENTS_KEPT) -> "Venue":
        """What a journal's snapshot holds; Damaged if that is no state."""
        try:
            return cls.restore(saved.data, keep_events=keep_events)
        except (AssertionError, ValueError) as error:
            raise Damaged(f"the snapshot taken after it cannot be restored: {error}", saved.number) from error

    @classmethod
    def _recover(
        cls,
        journal: Journal,
        until: int | None,
        keep_events: int,
        progress: Progress | None,
        group: int,
    ) -> "Venue":
        limits = durable.limits_in(journal.header)
        if until is not None and not 0 <= until <= journal.last:
            raise ValueError(f"until {until!r} must be the number of an entry: 0 to {journal.last}")
        saved = journal.saved(until)
        warm(progress)
        venue = cls.of_snapshot(saved, keep_events) if saved else cls.empty(limits, keep_events=keep_events)
        first, before = saved.number if saved else 0, venue.reader.seq
        total = (journal.last if until is None else until) - first
        heard = (lambda done, of: progress(done, of, "commands run again")) if progress else None
        entries = durable.replay(venue, journal.read(first, until), total, group, heard)
        venue.names.keep_changes()
        venue.names.keep_only(venue.reader.assets, venue.reader.markets, venue.reader.accounts)
        venue.recovery = durable.Recovery(first, entries, venue.reader.seq - before)
        return venue

    def save(self) -> None:
        """Write a snapshot into the journal, so that the next start has less to run again."""
        if self._journal is None:
            raise ValueError("this venue has no journal; Venue.open(folder) makes one that has")
        self._note_names()
        self._journal.save(self.snapshot())
        self._saved_at = self.reader.seq

    def close(self) -> None:
        """Leave the journal to others, with a snapshot if a command came since the last. Nothing more can be sent."""
        if self._journal is None:
            return
        try:
            if self.reader.seq != self._saved_at and not self._journal.failed:
                self.save()
        finally:
            self._journal.close()

    def __enter__(self) -> "Venue":
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<Venue {len(self.names.markets)} markets, {self.reader.accounts} accounts, command {self.reader.seq}, "
            f"clock {self.now}>"
        )

    # --- time

    @property
    def now(self) -> Decimal:
        """The clock, in seconds."""
        return seconds(self.now_ns)

    @property
    def now_ns(self) -> int:
        return self.reader.now_ns

    # --- system accounts

    @property
    def insurance(self) -> Account:
        return self.names.handle(1)

    @property
    def fees(self) -> Account:
        return self.names.handle(2)

    @property
    def backstop(self) -> Account:
        return self.names.handle(3)

    @property
    def lender(self) -> Account:
        return self.names.handle(4)

    @property
    def converter(self) -> Account:
        return self.names.handle(5)

    @property
    def dust(self) -> Account:
        return self.names.handle(6)

    # --- looking

    def account(self, account: Who) -> AccountView:
        return self.views.account(self._known(account))

    def position(self, account: Who, market: str) -> Position:
        """Also where there is none: its size is zero then."""
        return self.views.position(self._known(account), self.names.market(market).row)

    def orders(self, account: Who, market: str | None = None) -> tuple[Order, ...]:
        """Open orders, those of isolated positions included."""
        row = 0 if market is None else self.names.market(market).row
        return self.views.orders.open(self._known(account), row)

    def market(self, market: str) -> MarketView:
        return self._markets.market(self.names.market(market).row)

    def basis(self, market: str, against: str | None = None) -> Basis | None:
        """How far a mark is above its index, or above the mark of another market: contango, carry, a calendar spread.

        The annualised rate is over the time between the two dates; a perpetual's date, and an index's, is now.
        """
        other = None if against is None else self.names.market(against).row
        return self._markets.basis(self.names.market(market).row, other)

    def pool(self, asset: str | None = None) -> PoolView:
        """What is lent of an asset through its pool, and at which rates."""
        return self._markets.pool(asset or self.unit)

    def price_of(self, name: str) -> PriceView:
        """The price of a market's index or of an asset, and what it is good for."""
        return self._prices.price(self.names.feed(name))

    def book(self, market: str, depth: int = 20) -> Book:
        return self._markets.book(self.names.market(market).row, depth)

    def funding_rate(self, market: str) -> FundingRate | None:
        return self._markets.funding(self.names.market(market).row)

    def leverage_tiers(self, market: str) -> tuple[LeverageTier, ...]:
        return self._markets.leverage_tiers(self.names.market(market).row)

    def funds(self) -> Funds:
        """What the system accounts hold."""
        return self._markets.funds()

    def queue(self) -> tuple[QueueEntry, ...]:
        """Accounts in liquidation, the next turn first."""
        return self._markets.queue()

    def _known(self, account: Who) -> int:
        return self.names.known_account(account, self.reader.accounts)

    # --- understanding

    def explain(self, account: Who) -> Explanation:
        """What each leg adds to equity and requirements, by which rule, rounded which way; the sums are verified."""
        return Explainer(self.reader, self.names).explain(self._known(account))

    def liquidation_price(self, account: Who, symbol: str, together: Sequence[str] = ()) -> LiquidationPrice:
        """At which prices of a market or an asset the account would be unhealthy, proven by substitution.

        What is named in `together` moves in the same proportion: a coin held as collateral and its perpetual, say.
        """
        if isinstance(together, str):
            raise TypeError(f"together is the text {together!r}; it must list names, as in ({together!r},)")
        fed, *others = (self.names.feed(name) for name in (symbol, *together))
        for place, each in enumerate(others):
            if each in (fed, *others[:place]):
                raise ValueError(f"{each.name} is named twice among the prices that move")
            if not self.reader.price(thing_of(each)):
                raise ValueError(f"{each.name} has no price yet, so it cannot move in proportion")
        return solve.liquidation_price(self.reader, self.names, self._known(account), fed, others)

    def offers(self, account: Who) -> tuple[Offer, ...]:
        """What a bid for everything would repay and receive now, for each debt and collateral of an account.

        Where no offer stands, `reason` says why.
        """
        return self.views.offers(self._known(account))

    def story(self, account: Who) -> stories.Story:
        """The liquidations of an account and of its isolated positions, told from events."""
        who = self._known(account)
        accounts = [who, *self.reader.children(who)]
        return stories.tell(self.log.plain(), accounts, self.names, self._rules(), self.log.is_whole)

    def verify(self, account: Who) -> Verdict:
        """Recompute every number of the account's story; raises if one does not follow from the events."""
        return verify_story(self.story(account))

    def liquidations(self, account: Who | None = None) -> tuple[Liquidation, ...]:
        """Every closing by force that is remembered, of one account or of all."""
        row = 0 if account is None else self._known(account)
        return stories.liquidations(self.log.plain(), self.names, row)

    def _rules(self) -> stories.Rules:
        return stories.Rules(
            markets={each.row: self.reader.market_rule(each.row) for each in self.names.markets.values()},
            assets={each.row: self.reader.asset_rule(each.row) for each in self.names.assets.values()},
            asset_of_feed={each.feed: each.row for each in self.names.assets.values() if each.feed},
            curves=self.reader.curve_rules(),
        )

    # --- copies

    def copy(self) -> "Venue":
        """An independent venue in the same state. Listeners stay behind."""
        return self._around(self.machine.copy(), self.names.copy(), self.log.copy())

    def what_if(self) -> AbstractContextManager["Venue"]:
        """`with venue.what_if() as copy:` tries things on a copy."""
        return what_if(self)

    def preview(self, account: Who, act: Callable[["Venue"], Any]) -> Preview:
        """What something would do to an account: `act` is given a copy. A price, a deposit, a loan, an order:

        `venue.preview("alice", lambda copy: copy.withdraw("alice", 100, borrow=True))`
        """
        return preview(self, self.copy(), self._known(account), act)

    def snapshot(self) -> bytes:
        """The whole state with its names; the events seen so far are not part of it."""
        names = self.names.to_bytes()
        return _HEAD.pack(_MAGIC, len(names)) + names + self.machine.snapshot()

    @classmethod
    def restore(cls, data: bytes, *, keep_events: int = EVENTS_KEPT) -> "Venue":
        if len(data) < _HEAD.size or not data.startswith(_MAGIC):
            raise ValueError("this is not a snapshot of a venue")
        _, length = _HEAD.unpack_from(data)
        end = _HEAD.size + length
        log = Log(keep_events)
        venue = cls._around(Machine.restore(data[end:]), Names.from_bytes(data[_HEAD.size : end]), log)
        log.forget_beginning()
        return venue

    def hash(self) -> str:
        """The identity of the state: equal hashes mean equal states. Names are not part of it."""
        return self.machine.hash()

    def check(self) -> None:
        """Check the machine's invariants: conservation, longs equal shorts, funding to the last atom of dust."""
        self.machine.check()
