"""A second set of books, kept from events alone: cash, positions, orders, and who paid each loss.

It knows the commands only to learn what a market is made of and which orders were reduce-only. What it sums must be
what the machine holds; an event that forgets something, or a payment out of turn, shows here.
"""

from collections import defaultdict

import numpy as np

from steelyard.model import commands as do
from steelyard.model import events as said
from steelyard.model import keys as key
from steelyard.model.events import EVENT
from steelyard.model.orders import (
    BACKSTOP,
    CLOSE_POSITION,
    CONVERTER,
    DUST,
    FEES,
    INSURANCE,
    INVERSE,
    LENDER,
    REDUCE_ONLY,
    SPOT,
)
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, INDEX_SCALE, VALUE_MAX
from steelyard.state.tables import MARKET_0

PLACES = {name: place for place, name in enumerate(EVENT.names)}


def up(amount, numer, denom=1):
    return -((-amount * numer) // denom)


def value(atoms, price):
    """Rounded down, and never beyond what sums can hold."""
    return max(-VALUE_MAX, min(VALUE_MAX, atoms * price // ASSET_PRICE_SCALE))


class Event:
    """One event by the names of its columns."""

    __slots__ = ("row",)

    def __init__(self, row):
        self.row = row

    def __getattr__(self, name):
        return self.row[PLACES[name]]

    def __str__(self):
        kind = said.Event(self.kind).name if self.kind in said.Event.__members__.values() else self.kind
        return f"{kind} " + " ".join(
            f"{n}={v}" for n, v in zip(EVENT.names, self.row, strict=True) if v and n != "kind"
        )


class Position:
    __slots__ = ("cost", "paid", "quantity", "touched")

    def __init__(self, touched, paid):
        self.quantity, self.cost, self.touched, self.paid = 0, 0, touched, paid

    def trade(self, lots, worth):
        """Add signed lots for a signed cost; the cash realised, rounded down."""
        before, self.quantity = self.quantity, self.quantity + lots
        realised = 0
        if self.paid:
            realised = -worth
        elif before and (before > 0) != (lots > 0):
            if abs(lots) <= abs(before):
                realised = -worth - up(self.cost, abs(lots), abs(before))
            else:
                realised = -up(worth, abs(before), abs(lots)) - self.cost
        self.cost += worth + realised
        return realised


class Ghost:
    def __init__(self):
        self.seq = 0
        self.cash = defaultdict(int)  # (account, asset): atoms
        self.positions = {}  # (account, market): Position
        self.of_account = defaultdict(set)  # its markets
        self.assets_of = defaultdict(set)
        self.settle, self.scale, self.asset_of_feed = {}, {}, {}
        self.inverse, self.paid = set(), set()  # markets
        self.pairs = {}  # market: (base, atoms of the base in a lot)
        self.mark, self.price, self.funding = {}, {}, defaultdict(int)
        self.borrow_index = defaultdict(lambda: 10**12)  # asset
        self.rate_held = defaultdict(int)  # asset
        self.settled_at = {}  # (account, asset): borrow index when the debt last changed
        self.pool = defaultdict(int)  # market: funding paid in less paid out
        self.closed = {}  # settled market: what closing its positions has cost so far
        self.inside = defaultdict(lambda: [0, 0, 0])  # asset: deposited, withdrawn, reserved
        self.orders = {}  # id: [account, market, side, lots left, may its lots change in silence]
        self.reduce_only = set()  # ids
        self.started = set()
        self.caps = {}  # (asset, key): what bounds the fund
        self.kept = defaultdict(int)  # asset: interest that came to the fund in this command
        self.turns = defaultdict(int)  # account: how often it was closed by force
        self.suffered = {}  # account: (rank of the last counterparty of its turn, what they paid beyond the mark)
        self.counts = defaultdict(int)  # kind of event: how often
        self.fills, self.traded, self.fees = 0, defaultdict(int), defaultdict(int)

    # --- Taking events in ---

    def take(self, batch, events):
        """One command and all its events."""
        self.waits = int(batch["trigger_kind"][-1]) != 0
        self.asks_reduce = int(batch["options"][-1]) & (REDUCE_ONLY | CLOSE_POSITION) != 0
        self.suffered.clear()
        self.kept.clear()
        for row in events.tolist():
            event = Event(row)
            assert event.seq >= self.seq, "sequence numbers never fall"
            self.seq = event.seq
            self.counts[event.kind] += 1
            if event.kind == said.CONFIGURED and event.extra == 1:  # a new row, no change and no step of a ramp
                self.learn(batch, event)
            if event.kind == said.CONFIGURED and event.account == do.ASSET:
                self.learn_caps(batch, event.market)
            hear = self.HEARD.get(event.kind)
            if hear:
                try:
                    hear(self, event)
                except AssertionError as error:
                    raise AssertionError(f"{error} (at {event})") from None

    def learn(self, batch, event):
        settings = {int(row["order"]): int(row["lots"]) for row in batch}
        if event.account == do.MARKET:
            self.settle[event.market] = settings.get(key.M_SETTLE, 1)
            self.scale[event.market] = settings.get(key.M_ATOMS_PER_TICK_LOT, 1)
            if settings.get(key.M_KIND) == INVERSE:
                self.inverse.add(event.market)
            if settings.get(key.M_PAID):
                self.paid.add(event.market)
            if settings.get(key.M_KIND) == SPOT:
                self.pairs[event.market] = settings[key.M_BASE], settings[key.M_LOT_ATOMS]
        elif event.account == do.ASSET:
            if settings.get(key.A_FEED):
                self.asset_of_feed[settings[key.A_FEED]] = event.market
            self.price[event.market] = ASSET_PRICE_SCALE if event.market == 1 else 0

    def learn_caps(self, batch, asset):
        """What the fund may pay of an asset at once, and in a day."""
        for row in batch[(batch["kind"] == do.CONFIGURE) & (batch["account"] == do.ASSET) & (batch["market"] == asset)]:
            if int(row["order"]) in (key.A_FUND_STEP_MAX, key.A_FUND_DAY_MAX):
                self.caps[asset, int(row["order"])] = int(row["lots"])

    def cap(self, asset):
        return min(self.caps.get((asset, each), AMOUNT_MAX) for each in (key.A_FUND_STEP_MAX, key.A_FUND_DAY_MAX))

    def worth(self, market, lots, price):
        """What signed lots cost at a price."""
        if market not in self.inverse:
            return lots * price * self.scale[market]
        size = abs(lots) * self.scale[market] // price
        return size if lots < 0 else -size

    def moving(self, market):
        """What a lot pays for each unit of the funding index, and in which direction."""
        return -1 if market in self.inverse else self.scale[market]

    def post(self, account, asset, amount):
        self.cash[account, asset] += amount
        if amount:
            self.settled_at[account, asset] = self.borrow_index[asset]
        self.assets_of[account].add(asset)

    def pay(self, giver, taker, asset, amount):
        self.post(giver, asset, -amount)
        self.post(taker, asset, amount)

    def position(self, account, market):
        found = self.positions.get((account, market))
        if found is None:
            found = self.positions[account, market] = Position(self.funding[market], market in self.paid)
            self.of_account[account].add(market)
        return found

    def on_deposit(self, event):
        self.post(event.account, event.market, event.amount)
        self.inside[event.market][0] += event.amount

    def on_reserve(self, event):
        self.post(event.account, event.market, -event.amount)
        self.inside[event.market][2] += event.amount

    def on_confirm(self, event):
        self.inside[event.market][1] += event.amount
        self.inside[event.market][2] -= event.amount

    def on_return(self, event):
        self.post(event.account, event.market, event.amount)
        self.inside[event.market][2] -= event.amount

    def on_transfer(self, event):
        self.pay(event.account, event.other, event.market, event.amount)

    def on_margin(self, event):
        self.pay(event.account, event.other, self.settle[event.market], event.amount)

    def on_index(self, event):
        asset = self.asset_of_feed.get(event.market)
        if asset:
            self.price[asset] = event.price

    def on_mark(self, event):
        self.mark[event.market] = event.price

    def on_accepted(self, event):
        assert event.account not in self.started, "an account in liquidation places nothing"
        self.orders[event.order] = [event.account, event.market, event.side, event.lots, self.waits]
        if self.asks_reduce:
            self.reduce_only.add(event.order)

    def on_amended(self, event):
        self.orders[event.order][3:] = event.lots, False

    def on_triggered(self, event):
        self.orders[event.order][4] = True  # it may be cut or sized now, without a word

    def on_closed(self, event):
        order = self.orders.pop(event.order)
        assert order[4] or order[3] == event.lots, "a closed order drops what it had left"
        self.reduce_only.discard(event.order)

    def on_fill(self, event):
        market = event.market
        asset = self.settle[market]
        if market in self.pairs:
            self.exchange(event)
        else:
            self.trade(event)
        self.pay(event.account, FEES, asset, event.fee)
        self.fees[asset] += event.fee
        self.traded[event.account, market] += event.lots
        self.fills += 1
        order = self.orders.get(event.order)
        if order is None:
            assert event.order < 0, "only an accepted order fills"
            return
        assert order[4] or order[3] - event.lots == event.extra2, "lots left to fill"
        order[3:] = event.extra2, False
        if event.extra2 == 0:
            del self.orders[event.order]
            self.reduce_only.discard(event.order)

    def exchange(self, event):
        """A fill in a pair: base for quote."""
        base, atoms = self.pairs[event.market]
        lots = event.side * event.lots
        assert event.amount == 0, "an exchange realises nothing"
        self.post(event.account, base, lots * atoms)
        self.post(event.account, self.settle[event.market], -self.worth(event.market, lots, event.price))
        held = self.cash[event.account, base]
        assert held == event.extra, f"base told as {event.extra}, sums to {held}"

    def trade(self, event):
        position, market = self.position(event.account, event.market), event.market
        before = position.quantity
        position.touched = self.funding[market]
        lots = event.side * event.lots
        realised = position.trade(lots, self.worth(market, lots, event.price))
        assert realised == event.amount, f"realised {event.amount}, from its costs {realised}"
        assert position.quantity == event.extra, f"position told as {event.extra}, sums to {position.quantity}"
        self.post(event.account, self.settle[market], realised)
        if event.order in self.reduce_only or event.order < 0:
            shrank = abs(position.quantity) == abs(before) - event.lots
            assert shrank and position.quantity * before >= 0, "reduce-only never opens and never flips"

    def on_funding_set(self, event):
        self.funding[event.market] = event.extra

    def on_funding_paid(self, event):
        position = self.position(event.account, event.market)
        moved = (self.funding[event.market] - position.touched) * position.quantity * self.moving(event.market)
        # A turn of liquidation may have settled less than an atom without a word; that only ever costs the leg.
        late = event.amount - up(moved, 1, INDEX_SCALE)
        assert 0 <= late <= 4, f"funding is quantity x index moved, rounded up, here {late} more"
        position.touched = self.funding[event.market]
        self.post(event.account, self.settle[event.market], -event.amount)
        self.pool[event.market] += event.amount

    def on_dust(self, event):
        self.post(DUST, self.settle[event.market], event.amount)
        if event.reason == 0:
            self.pool[event.market] -= event.amount
            return
        assert event.amount == self.closed.pop(event.market), "what the closings of a settlement cost together"

    def on_settled(self, event):
        """What trading is over with: the mark stays, and every position closes against it."""
        assert event.market not in self.closed, "a market settles once"
        self.mark[event.market], self.closed[event.market] = event.price, 0

    def on_position_settled(self, event):
        market, position = event.market, self.position(event.account, event.market)
        assert event.price == self.mark[market] and event.market in self.closed, "the settlement price"
        assert event.side * event.lots == -position.quantity, "all of it"
        # Rounded against the leg, whatever its side.
        scale, held = self.scale[market], position.quantity
        cost = up(held, scale, event.price) if market in self.inverse else -held * event.price * scale
        realised = position.trade(-held, cost)
        assert realised == event.amount, f"realised {event.amount}, from its costs {realised}"
        self.closed[market] += cost
        self.post(event.account, self.settle[market], realised)

    def on_interest_set(self, event):
        assert event.extra > self.borrow_index[event.market], "a borrow index only rises"
        self.borrow_index[event.market] = event.extra

    def on_rate_set(self, event):
        self.rate_held[event.market] = event.amount

    def on_interest_paid(self, event):
        key = event.account, event.market
        assert event.amount == self.cash[key] - self.cash_now(*key), "interest is what the debt has grown by"
        self.pay(event.account, LENDER, event.market, event.amount - event.fee)
        self.pay(event.account, INSURANCE, event.market, event.fee)
        self.kept[event.market] += event.fee

    def on_supplied(self, event):
        self.pay(event.account, LENDER, event.market, event.amount)
        self.post(event.account, event.other, event.lots)
        self.inside[event.other][0] += event.lots

    def on_redeemed(self, event):
        self.pay(LENDER, event.account, event.market, event.amount)
        self.post(event.account, event.other, -event.lots)
        self.inside[event.other][0] -= event.lots

    def on_written_off(self, event):
        self.pay(LENDER, event.account, event.market, event.amount)
        assert self.cash[LENDER, event.market] >= 0, "a lender loses what it has"

    def on_share_price(self, event):
        self.price[event.market] = event.price

    def on_converted(self, event):
        self.pay(event.account, CONVERTER, event.market, event.lots)
        self.pay(CONVERTER, event.account, event.other, event.amount)
        assert self.cash[CONVERTER, event.other] >= 0, "a converter pays what it has"

    def on_bid_filled(self, event):
        account, bidder, collateral, debt = event.account, event.other, event.market, event.options
        assert account in self.started, "only an account in liquidation is bid for"
        self.near(account, event.extra)
        self.pay(bidder, account, debt, event.lots)
        self.pay(account, bidder, collateral, event.amount)
        left = self.equity(account)
        self.pay(account, INSURANCE, collateral, event.fee)
        assert self.cash[account, debt] <= 0, "a bid repays a debt, no more"
        assert self.cash[account, collateral] >= 0, "and gets what is there"
        if event.fee:
            after = self.equity(account)
            assert after >= -self.slack(account), f"a fee takes no more than there is: {left} became {after}"

    def on_dust_taken(self, event):
        assert self.equity(event.account) < self.slack(event.account), "dust is taken from those who cannot pay"
        self.pay(event.account, event.other, event.market, event.amount)
        assert event.amount > 0 and self.cash[event.account, event.market] == 0, "all of it"

    # --- Liquidation: every unit of loss has a payer, in order ---

    def cash_now(self, account, asset):
        """A debt with the interest that has accrued on it."""
        cash = self.cash[account, asset]
        return cash if cash >= 0 else -up(-cash, self.borrow_index[asset], self.settled_at[account, asset])

    def equity(self, account):
        """E, from these books."""
        result = sum(
            self.cash_now(account, asset) * self.price[asset] // ASSET_PRICE_SCALE for asset in self.assets_of[account]
        )
        for market in self.of_account[account]:
            position = self.positions[account, market]
            if position.quantity:
                moved = position.quantity * self.moving(market)
                owed = up(moved * (self.funding[market] - position.touched), 1, INDEX_SCALE)
                atoms = self.worth(market, position.quantity, self.mark[market]) - position.cost - owed
                result += value(atoms, self.price[self.settle[market]])
        return result

    def slack(self, account):
        """What roundings alone may do to an equity in one step: an atom of each leg."""
        atoms = [ASSET_PRICE_SCALE, *(self.price[self.settle[market]] for market in self.of_account[account])]
        return 4 + sum(2 + 2 * price // ASSET_PRICE_SCALE for price in atoms)

    def near(self, account, told):
        found = self.equity(account)
        assert abs(found - told) <= self.slack(account), f"equity told as {told}, by the books {found}"

    def on_started(self, event):
        self.near(event.account, event.amount)
        assert event.amount < event.fee, "only an account below M(maintain) is liquidated"
        assert event.extra2 <= event.fee <= event.extra, "takeover <= maintain <= restore"
        assert event.account not in self.started
        self.started.add(event.account)

    def on_waits(self, event):
        self.near(event.account, event.amount)
        assert event.amount < event.fee and event.extra >= event.extra2, "unhealthy now, healthy at good prices"

    def on_judged(self, event):
        assert 0 <= event.amount <= event.price, "low is at least 0"
        assert 0 <= event.fee <= event.price, "high is at most twice the price"

    def on_ended(self, event):
        self.near(event.account, event.amount)
        self.started.discard(event.account)
        if event.reason == said.ENDED_HEALTHY:
            assert event.amount >= event.fee
            return
        held = [market for market in self.of_account[event.account] if self.positions[event.account, market].quantity]
        assert not held, "what is closed holds nothing"
        assert all(self.cash[event.account, asset] >= 0 for asset in self.assets_of[event.account]), "and owes nothing"

    def on_liquidation_order(self, event):
        self.near(event.account, event.extra)
        assert event.account in self.started
        self.turns[event.account] += 1
        self.suffered.pop(event.account, None)

    def on_liquidation_fee(self, event):
        self.pay(event.account, INSURANCE, self.settle[event.market], event.amount)
        left = self.equity(event.account)
        assert left >= -self.slack(event.account), f"a penalty takes no more than there is; it leaves {left}"

    def on_fund(self, event):
        account, asset = event.account, event.other
        self.suffered.pop(account, None)
        before = self.equity(account)
        self.pay(INSURANCE, account, asset, event.amount)
        assert self.cash[INSURANCE, asset] >= 0, "the fund pays what it has"
        assert before < self.slack(account), f"the fund pays only when the owner has nothing left, here {before}"
        after = self.equity(account)
        assert after <= self.slack(account), f"the fund pays the deficit, not more: {before} became {after}"
        if event.market == 0:
            assert self.cash[account, asset] <= 0, "a debt is paid, no more"

    def hand_over(self, event, taker):
        market, account = event.market, event.account
        asset = self.settle[market]
        results = []
        for who, sign in ((account, 1), (taker, -1)):
            position = self.position(who, market)
            position.touched = self.funding[market]
            realised = position.trade(sign * event.side * event.lots, -sign * event.amount)
            self.post(who, asset, realised)
            results.append(realised)
        return results

    def on_taken_over(self, event):
        self.suffered.pop(event.account, None)
        before = self.equity(event.account)
        self.hand_over(event, event.other)
        assert event.other == BACKSTOP
        if before >= self.slack(event.account):
            left = self.equity(event.account)
            assert left >= -self.slack(event.account), f"a takeover leaves no deficit, here {left}"

    def on_deleveraged(self, event):
        account, market = event.account, event.market
        asset, slack = self.settle[market], self.slack(account)
        before = self.equity(account)
        assert before < slack, f"nobody is deleveraged for an owner with equity, here {before}"
        _, gained = self.hand_over(event, event.other)
        assert gained >= 0, f"a counterparty realises no loss, here {gained}"
        self.pay(INSURANCE, account, asset, event.fee)
        assert self.cash[INSURANCE, asset] >= 0, "the fund pays what it has"
        assert event.fee <= self.cap(asset), "and no more than it may"
        beyond = event.amount + self.worth(market, event.side * event.lots, self.mark[market])
        rank, suffered = self.suffered.get(account, (0, 0))
        suffered = beyond + (suffered if rank < event.extra2 else 0)
        self.suffered[account] = event.extra2, suffered
        after = self.equity(account)
        assert after <= slack, f"counterparties pay the deficit, not more: {before} became {after}"
        if self.positions[account, market].quantity == 0:
            # What parts of an inverse position are worth is rounded counterparty by counterparty.
            if suffered > (event.extra2 if market in self.inverse else 1):
                # The interest of those who close settles on the way, after the fund's part was decided.
                late = self.kept[asset]
                if self.cap(asset) == AMOUNT_MAX:
                    assert self.cash[INSURANCE, asset] <= late, "counterparties pay only when the fund is empty"
            if all(self.positions[account, other].quantity == 0 for other in self.of_account[account]):
                assert after >= -slack, f"the parts of the loss sum to the deficit, here {after} is left"

    HEARD = {
        said.DEPOSITED: on_deposit,
        said.WITHDRAWAL_RESERVED: on_reserve,
        said.WITHDRAWAL_CONFIRMED: on_confirm,
        said.WITHDRAWAL_RETURNED: on_return,
        said.TRANSFERRED: on_transfer,
        said.MARGIN_MOVED: on_margin,
        said.INDEX_SET: on_index,
        said.MARK_SET: on_mark,
        said.ORDER_ACCEPTED: on_accepted,
        said.ORDER_AMENDED: on_amended,
        said.ORDER_TRIGGERED: on_triggered,
        said.ORDER_CLOSED: on_closed,
        said.FILL: on_fill,
        said.FUNDING_SET: on_funding_set,
        said.FUNDING_PAID: on_funding_paid,
        said.DUST_SWEPT: on_dust,
        said.MARKET_SETTLED: on_settled,
        said.POSITION_SETTLED: on_position_settled,
        said.INTEREST_SET: on_interest_set,
        said.INTEREST_PAID: on_interest_paid,
        said.POOL_SUPPLIED: on_supplied,
        said.POOL_REDEEMED: on_redeemed,
        said.DEBT_WRITTEN_OFF: on_written_off,
        said.RATE_SET: on_rate_set,
        said.SHARE_PRICE_SET: on_share_price,
        said.CONVERTED: on_converted,
        said.BID_FILLED: on_bid_filled,
        said.DUST_TAKEN: on_dust_taken,
        said.LIQUIDATION_STARTED: on_started,
        said.LIQUIDATION_WAITS: on_waits,
        said.FEED_JUDGED: on_judged,
        said.LIQUIDATION_ENDED: on_ended,
        said.LIQUIDATION_ORDER: on_liquidation_order,
        said.LIQUIDATION_FEE: on_liquidation_fee,
        said.FUND_PAID: on_fund,
        said.TAKEN_OVER: on_taken_over,
        said.DELEVERAGED: on_deleveraged,
    }

    # --- Comparing ---

    def compare(self, state):
        """These books against the machine's tables."""
        legs = np.asarray(state.leg)
        legs = legs[legs["account"] != 0]
        cash = legs[legs["thing"] < MARKET_0]
        held = {
            (account, asset): quantity
            for account, asset, quantity in zip(
                cash["account"].tolist(), cash["thing"].tolist(), cash["quantity"].tolist(), strict=True
            )
            if quantity
        }
        agree("cash", {place: amount for place, amount in self.cash.items() if amount}, held)
        legs = legs[(legs["thing"] > MARKET_0) & (legs["quantity"] != 0)]
        held = {
            (account, thing - MARKET_0): (quantity, cost)
            for account, thing, quantity, cost in zip(
                *(legs[column].tolist() for column in ("account", "thing", "quantity", "cost")), strict=True
            )
        }
        ours = {place: (each.quantity, each.cost) for place, each in self.positions.items() if each.quantity}
        agree("positions", ours, held)
        assets = range(1, int(state.machine.assets[0]) + 1)
        named = {
            asset: [int(state.asset[asset][c]) for c in ("deposited", "withdrawn", "reserved")] for asset in assets
        }
        agree("sums of deposits", {asset: self.inside[asset] for asset in assets}, named)
        held = {asset: int(state.asset.rate_held[asset]) for asset in assets}
        agree("rates held", {asset: self.rate_held[asset] for asset in assets}, held)
        markets = range(1, int(state.machine.markets[0]) + 1)
        agree(
            "funding pools", {m: self.pool[m] for m in markets}, {m: int(state.market.funding_pool[m]) for m in markets}
        )
        order = np.asarray(state.order)
        order = order[order["state"] != 0]
        left = dict(zip(order["id"].tolist(), order["remaining"].tolist(), strict=True))
        agree("orders", dict.fromkeys(self.orders), dict.fromkeys(left))
        ours = {number: each[3] for number, each in self.orders.items() if not each[4]}
        agree("lots left", ours, {number: left[number] for number in ours})


def agree(what, ours, theirs):
    if ours == theirs:
        return
    wrong = [place for place in {**ours, **theirs} if ours.get(place) != theirs.get(place)]
    shown = [f"{place}: by events {ours.get(place)}, held {theirs.get(place)}" for place in wrong[:3]]
    raise AssertionError(f"{what} differ at {len(wrong)} places: " + "; ".join(shown))
