"""The slow twin itself: one command at a time, then its end. See docs/concepts/determinism.md."""

from dataclasses import dataclass

from steelyard.model import commands, events, reject
from steelyard.model.commands import ASSET, COMMAND, CURVE, FEED, MARKET, OWNER, RISK_ARRAY, RISK_TIER
from steelyard.model.events import EVENT
from steelyard.model.keys import (
    A_FEED,
    A_POOL_GAINS,
    A_POOL_OF,
    M_BASE,
    M_EXPIRY_NS,
    M_FEED,
    M_SETTLE,
    M_STATE,
    O_RISK_TIER,
)
from steelyard.model.orders import (
    CHILD,
    COOLS,
    KEEPER,
    OWES,
    RESERVED,
    RESTING,
    SETTLED,
    SPARED,
    SYSTEM,
    SYSTEM_ACCOUNTS,
    SYSTEM_OWNER,
    TIMER_BIDS,
    TIMER_CANCEL_AFTER,
    TIMER_COOLDOWN,
    TIMER_EXPIRY,
    TIMER_FUNDING,
    TIMER_INTEREST,
    TIMER_PRICE,
    TIMER_RAMP_ASSET,
    TIMER_RAMP_MARKET,
    TIMER_SAMPLE,
    TIMER_SETTLEMENT,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_TRIGGER,
)
from steelyard.num.limits import LEGS_PER_ACCOUNT_MAX, STEP_NS_MAX, TIME_NS_MAX
from steelyard.state.tables import MARKET_0, Limits
from tests.reference import (
    closing,
    funding,
    interest,
    ladders,
    liquidation,
    money,
    offers,
    orders,
    parameters,
    pool,
    prices,
    ramps,
    settings,
    settlement,
    stakes,
    stops,
)
from tests.reference.facts import facts_of_twin
from tests.reference.rows import Account, Leg, Recent, Refused

NO_EVENT = {column: 0 for column in EVENT.names if column != "spare"}
COLUMNS = COMMAND.names
SPANNING = (commands.PRICE, commands.CONFIGURE)


@dataclass(slots=True)
class Command:
    """One COMMAND row in plain integers."""

    row: dict
    at_ns: int
    kind: int
    last: int
    side: int
    order_type: int
    tif: int
    stp: int
    trigger_kind: int
    trigger_on: int
    options: int
    market: int
    account: int
    order: int
    price: int
    lots: int
    trigger: int
    callback: int
    expires_ns: int
    client: tuple


def plain(record):
    row = dict(zip(COLUMNS, record.item(), strict=True))
    del row["spare"]
    fields = {column: number for column, number in row.items() if not column.startswith("client")}
    return Command(row=row, client=tuple(row[f"client{i}"] for i in range(5)), **fields)


# Commands of one row; PRICE and CONFIGURE get all theirs.
ACT = {
    commands.CLOCK: prices.clock,
    commands.OPEN_ACCOUNT: settings.open_account,
    commands.DEPOSIT: money.deposit,
    commands.WITHDRAW: money.withdraw,
    commands.CONFIRM_WITHDRAWAL: money.confirm_withdrawal,
    commands.RETURN_WITHDRAWAL: money.return_withdrawal,
    commands.TRANSFER: money.transfer,
    commands.MOVE_MARGIN: settings.move_margin,
    commands.SET_LEVERAGE: settings.set_leverage,
    commands.SET_MARGIN_MODE: settings.set_margin_mode,
    commands.PLACE_ORDER: orders.place,
    commands.AMEND_ORDER: orders.amend,
    commands.CANCEL_ORDER: orders.cancel,
    commands.CANCEL_ALL: orders.cancel_all,
    commands.CANCEL_AFTER: settings.cancel_after,
    commands.SUPPLY: pool.supply,
    commands.REDEEM: pool.redeem,
    commands.CLAIM: stakes.claim,
    commands.LEAVE: stakes.leave,
    commands.LIQUIDATE: offers.liquidate,
}
ACT_ON_ROWS = {commands.PRICE: prices.price, commands.CONFIGURE: parameters.configure}


class Twin:
    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.seq = self.now = self.order_number = self.recent_number = 0
        self.dropping = 0  # the kind of the set whose rows are passed over
        self.assets, self.feeds, self.markets, self.tiers, self.owners = {}, {}, {}, {}, {}
        self.accounts, self.legs, self.orders = {}, {}, {}
        self._legs_of = {}  # account -> thing -> leg
        self.references, self.recent, self.staged = {}, {}, []
        self.arrays = {}  # market -> its risk array
        self.curves, self.bids, self.bids_due_ns = {}, [], 0
        self.reference_at = 0  # the row that the last new reference took
        self.converting = []  # accounts whose cash fell below their loan cap in this command
        self.held_back = {}  # account whose order meets the book -> margin that goes home afterwards
        self.capping = 0  # the account to look at next because a loan cap was lowered
        self.prices_set = set()  # (market, ON_*) since stops were last looked at
        self.events = []
        self.tiers[1] = parameters.defaults(RISK_TIER)
        self.owners[SYSTEM_OWNER] = parameters.defaults(OWNER)
        for row in range(1, SYSTEM_ACCOUNTS + 1):
            self.open_account(Account(row, SYSTEM_OWNER, role=SYSTEM))

    # --- Commands ---

    def submit(self, rows):
        """Runs COMMAND rows; returns the events, each a dictionary of the EVENT columns."""
        self.events = []
        for record in rows:
            self.take_row(plain(record))
        return self.events

    def facts(self):
        return facts_of_twin(self)

    def take_row(self, c):
        too_long = len(self.staged) >= self.limits.staged_rows
        if self.staged and (self.staged[0].kind != c.kind or too_long):
            first, self.staged = self.staged[0], []
            self.seq += 1
            self.reject(Refused(reject.INCOMPLETE_COMMAND), first)
            self.dropping = first.kind if first.kind == c.kind else 0
        if self.dropping:
            belongs = c.kind == self.dropping
            if c.last or not belongs:
                self.dropping = 0
            if belongs:
                return
        known = c.kind in ACT or c.kind in ACT_ON_ROWS
        if known and c.kind in SPANNING and not c.last:
            self.staged.append(c)
            return
        rows, self.staged = [*self.staged, c], []
        self.seq += 1
        if not known:
            self.reject(Refused(reject.UNKNOWN_COMMAND), c)
        elif not c.last:
            self.reject(Refused(reject.INCOMPLETE_COMMAND), c)
        elif c.at_ns < self.now:
            self.reject(Refused(reject.TIME_WENT_BACK), c)
        elif c.at_ns > (min(self.now + STEP_NS_MAX, TIME_NS_MAX) if self.now else TIME_NS_MAX):
            self.reject(Refused(reject.TIME_JUMPS_TOO_FAR), c)
        else:
            self.clock_work(c.at_ns)
            self.now = c.at_ns
            self.act(rows)
            self.end()

    def act(self, rows):
        last = rows[-1]
        try:
            if last.kind in ACT_ON_ROWS:
                ACT_ON_ROWS[last.kind](self, rows)
            else:
                ACT[last.kind](self, last)
        except Refused as refused:
            self.reject(refused, refused.row or last)

    def require(self, passes, reason, order=None, row=None):
        if not passes:
            raise Refused(reason, order, row)

    def reject(self, refused, c):
        order = c.order if refused.order is None else refused.order
        self.emit(events.REJECTED, reason=refused.reason, account=c.account, market=c.market, order=order, extra=c.kind)

    def emit(self, kind, **columns):
        self.events.append({**NO_EVENT, "seq": self.seq, "kind": kind, **columns})

    # --- Clock work ---

    def timers(self):
        """(time, kind, row) of everything that waits for a time."""
        for account in self.accounts.values():
            if account.queued in (COOLS, OWES, SPARED):
                yield account.due_ns, TIMER_COOLDOWN, account.row
            if account.cancel_at_ns:
                yield account.cancel_at_ns, TIMER_CANCEL_AFTER, account.row
        for order in self.orders.values():
            if order.expires_ns:
                yield order.expires_ns, TIMER_EXPIRY, order.row
        for row, feed in self.feeds.items():
            if feed.pending_ns:
                yield feed.pending_ns, TIMER_PRICE, row
        for row, asset in self.assets.items():
            if asset.next_interest_ns:
                yield asset.next_interest_ns, TIMER_INTEREST, row
            if asset.ramp.next:
                yield asset.ramp.next, TIMER_RAMP_ASSET, row
        if self.bids:
            yield self.bids_due_ns, TIMER_BIDS, 0
        for market in self.markets.values():
            if at_ns := settlement.due(market):
                yield at_ns, TIMER_SETTLEMENT, market.row
            if market.ramp.next:
                yield market.ramp.next, TIMER_RAMP_MARKET, market.row
            if market.next_funding_ns:
                yield market.next_sample_ns, TIMER_SAMPLE, market.row
                yield market.next_funding_ns, TIMER_FUNDING, market.row

    def clock_work(self, at_ns):
        while True:
            due = min(self.timers(), default=None)
            if due is None or due[0] > at_ns:
                return
            self.now, kind, row = due
            if kind == TIMER_COOLDOWN:
                liquidation.cooldown_over(self, self.accounts[row])
            elif kind == TIMER_CANCEL_AFTER:
                self.accounts[row].cancel_at_ns = 0
                closing.cancel_all(self, row, None, events.CLOSED_TIMER)
            elif kind == TIMER_EXPIRY:
                closing.close_order(self, self.orders[row], events.CLOSED_EXPIRED)
            elif kind == TIMER_SAMPLE:
                funding.sample(self, self.markets[row])
            elif kind == TIMER_FUNDING:
                funding.fund(self, self.markets[row])
            elif kind == TIMER_SETTLEMENT:
                market = self.markets[row]
                settlement.settle(self, market, last_chance=due[0] > market.rule[M_EXPIRY_NS])
            elif kind == TIMER_BIDS:
                offers.fill_all(self)
            elif kind == TIMER_PRICE:
                prices.recompute(self, row)
                prices.recompute_pairs(self)
                stops.look_at_stops(self)  # before the command has placed anything
            elif kind == TIMER_INTEREST:
                interest.on_time(self, row)
            else:
                ramps.step(self, ASSET if kind == TIMER_RAMP_ASSET else MARKET, row, parameters.compute_deductions)

    # --- The end of a command ---

    def end(self):
        begun = len(self.events)
        settlement.close_positions(self, lambda: self.may_work_on(begun))
        triggers_left, turns_left = self.limits.triggers_per_command, self.limits.liquidations_per_command
        busy = True
        while busy:
            busy = stops.look_at_stops(self)
            while triggers_left and self.may_work_on(begun) and (order := stops.next_triggered(self)):
                triggers_left -= 1
                orders.run_triggered(self, order)
                busy = True
            while self.converting:
                account = self.converting.pop(0)
                if self.accounts[account].queued:
                    continue
                if self.may_work_on(begun):
                    busy |= money.convert(self, account, beyond_cap_only=True)
                else:
                    self.capping = 1
            money.enforce_lowered_caps(self, lambda: self.may_work_on(begun))
            liquidation.judge_all(self)
            if turns_left and self.may_work_on(begun) and (account := liquidation.next_turn(self)):
                turns_left -= 1
                liquidation.turn(self, account)
                busy = True
            busy = busy or bool(self.converting)

    def may_work_on(self, begun):
        return len(self.events) - begun < self.limits.events_per_command

    # --- Tables ---

    def table_of(self, kind):
        tables = {ASSET: self.assets, FEED: self.feeds, MARKET: self.markets, RISK_TIER: self.tiers}
        tables |= {CURVE: self.curves, RISK_ARRAY: self.arrays}
        return tables.get(kind, self.owners)

    def room_of(self, kind):
        limits = self.limits
        rooms = {ASSET: limits.assets, FEED: limits.feeds, MARKET: limits.markets, RISK_TIER: limits.risk_tiers}
        rooms |= {CURVE: limits.curves}
        return rooms.get(kind, limits.owners)

    def rule_of(self, kind, row):
        held = self.table_of(kind)[row]
        return held if kind in (RISK_TIER, OWNER, CURVE, RISK_ARRAY) else held.rule

    def settle(self, market):
        return market.rule[M_SETTLE]

    def feed_of(self, priced):
        """Of a market (a pair: of its base) or an asset (a share: of what is lent).

        None of the unit of account, and of a settled market.
        """
        if hasattr(priced, "mark") and priced.rule[M_STATE] == SETTLED:
            return None
        if hasattr(priced, "mark") and not priced.rule[M_FEED]:
            priced = self.assets[priced.rule[M_BASE]]
        if not hasattr(priced, "mark") and priced.rule[A_POOL_OF]:
            priced = self.assets[priced.rule[A_POOL_OF]]
        return self.feeds.get(priced.rule[M_FEED] if hasattr(priced, "mark") else priced.rule[A_FEED])

    def show_share(self, asset):
        pool.show(self, asset)

    def show_shares(self, asset):
        pool.show_all(self, asset)

    def show_price(self, share):
        pool.show_price(self, share)

    def touch_stake(self, leg, amount):
        stakes.move(self, leg, amount)

    def pay_gain(self, leg):
        stakes.touch(self, leg)

    def is_kept(self, account):
        """Whether its money moves otherwise than by command."""
        return self.accounts[account].role in (CHILD, KEEPER)

    def is_good(self, priced, action):
        """Whether a market's index or an asset's price is good for an action."""
        feed = self.feed_of(priced)
        calm = max(feed.calm_ns if feed else 0, getattr(priced, "calm_ns", 0))
        if action == TO_LIQUIDATE and self.now < calm:
            return False
        return feed is None or (feed.price > 0 and self.now <= feed.until[action])

    def is_fresh(self, priced):
        feed = self.feed_of(priced)
        return feed is None or (feed.price > 0 and self.now <= feed.fresh_until_ns)

    def is_tradable(self, market, action):
        """There is a mark, and both its prices are good for an action."""
        both = self.is_good(market, action) and self.is_good(self.assets[self.settle(market)], action)
        known = (
            market.index > 0 or action != TO_OPEN or market.rule[M_FEED]
        )  # a pair that is worth less than a tick cannot be traded
        return market.mark > 0 and known and both and not settlement.is_waiting(self, market)

    def require_good(self, markets, action):
        """All of these, or the reason: a stale price before one that is not good enough."""
        bad = [market for market in markets if not self.is_tradable(market, action)]
        stale = [market for market in bad if not self.is_market_fresh(market)]
        self.require(not stale, reject.PRICE_STALE)
        self.require(not bad, reject.PRICE_UNCERTAIN)

    def show(self, market, trigger_on, changed):
        """Stops see a price that is new to them once it is good for triggers; a pair has two prices in it."""
        if changed:
            market.unshown |= 1 << trigger_on
        priced = [market] if market.rule[M_FEED] else [market, self.assets[self.settle(market)]]
        if market.unshown >> trigger_on & 1 and all(self.is_good(each, TO_TRIGGER) for each in priced):
            market.unshown &= ~(1 << trigger_on)
            self.prices_set.add((market.row, trigger_on))

    def is_market_fresh(self, market):
        both = self.is_fresh(market) and self.is_fresh(self.assets[self.settle(market)])
        return market.mark > 0 and market.index > 0 and both

    # --- Accounts and legs ---

    def open_account(self, account):
        self.accounts[account.row] = account
        self.legs[account.row] = Leg(account.row, account.row, 1)
        self._legs_of[account.row] = {1: self.legs[account.row]}
        return account.row

    def accounts_of(self, owner):
        return [account.row for account in self.accounts.values() if account.owner == owner]

    def risk_tier_of(self, account):
        return self.owners[self.accounts[account].owner][O_RISK_TIER]

    def legs_of(self, account):
        return self._legs_of[account]

    def leg_or_none(self, account, thing):
        return self._legs_of[account].get(thing)

    def leg(self, account, thing):
        return self._legs_of[account][thing]

    def quantity(self, account, thing):
        leg = self._legs_of[account].get(thing)
        return leg.quantity if leg else 0

    def make_leg(self, account, thing):
        held = self._legs_of[account]
        if thing not in held:
            if thing < MARKET_0 and self.assets[thing].rule[A_POOL_GAINS]:
                self.make_leg(account, self.assets[thing].rule[A_POOL_GAINS])
            row = self.limits.accounts + 1
            while row in self.legs:
                row += 1
            held[thing] = self.legs[row] = Leg(row, account, thing)
            if thing > MARKET_0:
                held[thing].index_at_touch = self.markets[thing - MARKET_0].funding_index
            elif self.accounts[account].started:
                held[thing].offered_from = ladders.active_time(self, thing)
        return held[thing]

    def things_of(self, market):
        base = market.rule[M_BASE]
        return (self.settle(market), base, market.thing) if base else (self.settle(market), market.thing)

    def make_market_leg(self, account, market):
        for thing in self.things_of(market):
            self.make_leg(account, thing)
        return self.leg(account, market.thing)

    def missing(self, account, things):
        """What must be opened to hold these; shares that gain bring what they gain."""
        shares = [thing for thing in things if thing < MARKET_0 and self.assets[thing].rule[A_POOL_GAINS]]
        absent = set(things) - self._legs_of[account].keys()
        brought = {self.assets[share].rule[A_POOL_GAINS] for share in shares if share in absent}
        return absent | (brought - self._legs_of[account].keys())

    def has_room_for_legs(self, account, things, others=0):
        """Room for these things in the account, and in the table for so many legs more."""
        held = self._legs_of[account]
        new = len(self.missing(account, things))
        in_table = not new + others or self.has_room_in_table(new + others)
        return len(held) + new <= LEGS_PER_ACCOUNT_MAX and in_table

    def has_room_in_table(self, new):
        used = len(self.legs) - len(self.accounts)
        # Kept for the house: six accounts with cash in every other asset, and the backstop's positions.
        reserved = 6 * (self.limits.assets - 1) + self.limits.markets
        return used + new + reserved <= self.limits.legs

    def row_for_reference(self):
        """The first row after the last one taken, round the table, in which no withdrawal waits."""
        kept = {each.row for each in self.references.values() if each.state == RESERVED}
        rows = [*range(self.reference_at + 1, self.limits.references + 1), *range(1, self.reference_at + 1)]
        return next((row for row in rows if row not in kept), None)

    def add_reference(self, reference):
        """Remember it; the one whose row it takes has ended, and is forgotten."""
        reference.row = self.reference_at = self.row_for_reference()
        for client in [client for client, each in self.references.items() if each.row == reference.row]:
            del self.references[client]
        self.references[reference.client] = reference

    # --- Orders ---

    def open_orders(self, account, market=None):
        """Oldest first; waiting and triggered ones too."""
        found = [
            order
            for order in self.orders.values()
            if order.account == account and (market is None or order.market == market)
        ]
        return sorted(found, key=lambda order: order.priority)

    def resting_lots(self, leg):
        """(bids, asks, reserve of the bids, of the asks) of resting orders that are not reduce-only."""
        bids = asks = bid_reserve = ask_reserve = 0
        for order in self.orders.values():
            if order.account == leg.account and order.market + MARKET_0 == leg.thing:
                if order.state == RESTING and not order.reduces:
                    if order.side > 0:
                        bids, bid_reserve = bids + order.remaining, bid_reserve + order.remaining * order.reserve
                    else:
                        asks, ask_reserve = asks + order.remaining, ask_reserve + order.remaining * order.reserve
        return bids, asks, bid_reserve, ask_reserve

    def open_interest(self, market):
        return sum(leg.quantity for leg in self.legs.values() if leg.thing == market.thing and leg.quantity > 0)

    def lowest_free_order(self):
        row = 1
        while row in self.orders:
            row += 1
        return row

    def next_order_number(self):
        self.order_number += 1
        return self.order_number

    def first_with_client(self, account, client):
        """The id of the order that used this client id first, or 0."""
        if client == money.NO_CLIENT:
            return 0
        used = [order.id for order in self.orders.values() if (order.home, order.client) == (account, client)]
        used += [each.order for each in self.recent.values() if (each.account, each.client) == (account, client)]
        return used[0] if used else 0

    def retire(self, order):
        """An order is over: its row is free again, its client id remembered for a while."""
        del self.orders[order.row]
        if order.client != money.NO_CLIENT:
            row = self.recent_number % self.limits.recent_client_ids + 1
            self.recent[row] = Recent(order.client, order.id, order.home)
            self.recent_number += 1
