"""The people of a town: what they do next, drawn from the seed and from what the machine shows.

Makers quote both sides; the others open positions near their means, set stops, close, move money, change their minds.
Prices drift, jump and crash; their sources go stale and lie. Nothing here knows what the answer must be.
"""

from collections import deque
from random import Random

import numpy as np

from steelyard.engine import queries
from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import COMMAND
from steelyard.model.events import ORDER_ACCEPTED, POOL_SUPPLIED, WITHDRAWAL_RESERVED
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import (
    AS_ASKED,
    BACKSTOP,
    BORROW,
    BUY,
    BY_POSITION,
    BY_SCENARIO,
    CLOSE_POSITION,
    CONVERTER,
    FOK,
    FOR_OPEN,
    GTT,
    INSURANCE,
    INVERSE,
    IOC,
    LENDER,
    MAY_BORROW,
    POST_ONLY,
    POST_ONLY_SLIDE,
    REDUCE_ONLY,
    SELL,
    SETTLED,
    STOP,
    TAKE_PROFIT,
    TRAILING,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.state.tables import MARKET_0
from tests.simulation import town
from tests.simulation.town import (
    ASSETS,
    COIN,
    DOLLAR,
    FEEDS,
    FIRST_USER,
    MARKETS,
    PAIR,
    SHARES,
    SOURCES,
    TOKEN,
    TRADED,
    USD,
)
from tests.telling import Teller, command

STEPS = ((0, 30), (1, 10), (SECOND, 30), (7 * SECOND, 20), (61 * SECOND, 8), (600 * SECOND, 2), (HOUR + 1, 0.5))
LONG_STEPS = (24 * HOUR, 3 * 24 * HOUR, 30 * 24 * HOUR)
MOODS = (("calm", 6), ("lively", 4), ("crash", 1.2), ("rally", 0.6))
DRIFTS = {"calm": (0, 600), "lively": (0, 6_000), "crash": (-22_000, 20_000), "rally": (18_000, 15_000)}


class Crowd:
    def __init__(self, seed, accounts, machine, hear):
        self.random = Random(f"crowd {seed}")
        self.rules = Random(f"rules of {seed}")
        self.machine, self.state = machine, machine.state
        self.accounts = accounts
        self.teller = Teller(hear)
        self.hear = hear
        self.fair = {feed.row: feed.start for feed in FEEDS}
        self.mood, self.hit, self.mood_left = "calm", set(), 0
        self.silent, self.lies = {}, {}  # (feed, source): price commands left; and what it says instead
        self.orders = deque(maxlen=2_000)  # (account, id) accepted of late
        self.pending = deque(maxlen=50)  # references of withdrawals
        self.guarded = deque(maxlen=12)  # (account, market) with an order that only reduces
        self.lenders = deque(maxlen=50)  # accounts that supplied
        self.names = 0

    def chance(self, probability):
        return self.random.random() < probability

    # --- What they see ---

    def follow(self, events):
        """Remember what may be named later."""
        for row in events:
            if row["kind"] == ORDER_ACCEPTED:
                account = int(row["account"])
                self.orders.append((int(self.state.account.parent[account]) or account, int(row["order"])))
            elif row["kind"] == WITHDRAWAL_RESERVED:
                self.pending.append(self.teller.references)
            elif row["kind"] == POOL_SUPPLIED:
                self.lenders.append(int(row["account"]))

    def mark(self, market):
        mark = int(self.state.market.mark[market])
        return mark or (1 if market == PAIR else self.fair[self.feed_of(market).row])

    def feed_of(self, market):
        return next(feed for feed in FEEDS if feed.market == market)

    def lot_worth(self, market):
        """Atoms of a lot at the mark, about."""
        scale, mark = int(self.state.market_rule[market, key.M_ATOMS_PER_TICK_LOT]), self.mark(market)
        return scale // mark if self.state.market_rule[market, key.M_KIND] == INVERSE else scale * mark

    def leg_of(self, account, market):
        """The leg that holds this market for an account: its own or its child's, or 0."""
        leg = int(queries.find_leg(self.state.handle, account, MARKET_0 + market))
        child = int(self.state.leg.child[leg]) if leg else 0
        return int(queries.find_leg(self.state.handle, child, MARKET_0 + market)) if child else leg

    def held(self, account, market):
        leg = self.leg_of(account, market)
        return int(self.state.leg.quantity[leg]) if leg else 0

    def affordable(self, account, market):
        """About as many lots as the account's means allow at the market's leverage."""
        handle = self.state.handle
        spare = int(queries.equity(handle, account)) - int(queries.requirement(handle, account, FOR_OPEN))
        settle = int(self.state.market_rule[market, key.M_SETTLE])
        price = int(self.state.asset.price[settle]) or ASSET_PRICE_SCALE
        lot = max(1, self.lot_worth(market) * price // ASSET_PRICE_SCALE)
        leverage = int(self.state.market_rule[market, key.M_LEVERAGE_DEFAULT])
        lots = max(0, spare) * leverage * self.random.choice((5, 20, 50, 80, 95, 110)) // (100 * lot)
        return max(1, min(lots, int(self.state.market_rule[market, key.M_ORDER_LOTS_MAX])))

    def anyone(self):
        if self.chance(0.004):
            return self.random.randint(-1, int(self.state.machine.accounts[0]) + 2)
        return self.random.randrange(FIRST_USER, FIRST_USER + self.accounts)

    def any_market(self):
        return self.random.randint(-1, len(MARKETS) + 2) if self.chance(0.003) else self.random.choice(TRADED)

    # --- Time and prices ---

    def pass_time(self):
        steps, weights = zip(*STEPS, strict=True)
        step = self.random.choices(steps, weights)[0]
        if self.chance(0.0005):
            step = self.random.choice(LONG_STEPS)
        self.teller.now = max(self.teller.now, int(self.state.machine.now_ns[0])) + step
        return step

    def new_mood(self):
        moods, weights = zip(*MOODS, strict=True)
        self.mood = self.random.choices(moods, weights)[0]
        self.mood_left = self.random.randint(3, 25)
        self.hit = {feed.row for feed in FEEDS if self.chance(0.5)}

    def move(self, feed):
        drift, width = DRIFTS[self.mood if feed.row in self.hit else "calm"]
        pull = (feed.start - self.fair[feed.row]) * 8_000 // feed.start  # prices come back in the end
        ppm = drift + self.random.randint(-width, width) + pull
        if self.chance(0.002):
            ppm += self.random.choice((-400_000, -150_000, 150_000, 400_000))
        moved = self.fair[feed.row] * (PPM + max(ppm, -900_000)) // PPM + self.random.randint(-1, 1)
        self.fair[feed.row] = max(1, min(feed.highest, moved))

    def said(self, feed, source):
        """What a source reports: the price, a little beside it, or a lie."""
        if (feed.row, source) in self.lies:
            return max(1, min(feed.highest, self.fair[feed.row] * self.lies[feed.row, source] // PPM))
        noise = self.fair[feed.row] // 3_000
        return max(1, min(feed.highest, self.fair[feed.row] + self.random.randint(-noise, noise)))

    def trouble(self):
        """Now and then a source falls silent or lies; both pass."""
        for place in list(self.silent):
            self.silent[place] -= 1
            if self.silent[place] <= 0:
                del self.silent[place]
                self.lies.pop(place, None)
        if self.chance(0.02):
            feed, sources = self.random.choice(FEEDS), self.random.sample(SOURCES, self.random.choice((1, 1, 2, 3)))
            lie = self.random.choice((0, 0, 300_000, 800_000, 1_200_000, 5_000_000))
            for source in sources:
                self.silent[feed.row, source] = self.random.randint(2, 30)
                if lie:
                    self.lies[feed.row, source] = lie

    def prices(self, feeds=None):
        if self.mood_left <= 0:
            self.new_mood()
        self.mood_left -= 1
        self.trouble()
        lines = []
        heard = self.state.feed_rule
        chosen = feeds or self.random.sample(FEEDS, self.random.choice((1, 2, len(FEEDS), len(FEEDS))))
        for feed in chosen:
            self.move(feed)
            for source in SOURCES:
                if heard[feed.row, key.F_WEIGHT + source] == 0 and self.chance(0.99):
                    continue
                if (feed.row, source) in self.silent and (feed.row, source) not in self.lies:
                    continue
                wide = self.fair[feed.row] // 30 if self.chance(0.01) else 0
                line = {"market": feed.row, "account": source, "price": self.said(feed, source), "lots": wide}
                lines.append(line | {"trigger": self.teller.now})
        return self.teller.say(do.PRICE, *lines) if lines else self.teller.clock()

    # --- Trading ---

    def name(self):
        if self.chance(0.85):
            return {}
        self.names += 1
        number = self.random.randint(0, self.names) if self.chance(0.05) else self.names
        return {"client0": number, "client3": -number}

    def on_credit(self, market):
        return BORROW if market == PAIR and self.chance(0.6) else 0

    def quote(self, account=None):
        """A maker renews its quotes in one market: one side and one level at a time."""
        makers = [each for each in range(FIRST_USER, FIRST_USER + self.accounts) if town.is_maker(each)]
        if not makers:
            return self.take()
        account = account or self.random.choice(makers)
        if self.state.account.queued[account] and self.chance(0.9):
            return self.rescue(account)
        market = self.random.choice(TRADED)
        mark, side = self.mark(market), self.random.choice((BUY, SELL))
        if self.chance(0.06):
            return self.teller.cancel_all(account, market)
        away = mark * self.random.choice((500, 2_000, 8_000, 20_000, 60_000)) // PPM + 1
        lots = side * max(1, self.affordable(account, market) // self.random.choice((5, 20, 80)))
        options = self.random.choice((0, POST_ONLY, POST_ONLY_SLIDE)) | self.on_credit(market)
        return self.teller.order(account, market, lots, max(1, mark - side * away), options=options, **self.name())

    def take(self, account=None, market=None):
        """Somebody opens or adds, at the market or at a price that crosses."""
        pick = self.random.choice
        account, market = account or self.anyone(), market or self.any_market()
        if market not in TRADED or account < FIRST_USER or account > int(self.state.machine.accounts[0]):
            return self.teller.order(account, market, pick((-3, 3)), pick((0, 100)))
        side, mark = pick((BUY, SELL)), self.mark(market)
        lots = side * self.affordable(account, market)
        if abs(lots) == 1 and self.chance(0.7) and self.held(account, market):
            return self.reduce(account, market)
        columns = {"stp": pick((0, 0, 0, 0, 1, 2, 3, 4)), "options": self.on_credit(market)} | self.name()
        if self.chance(0.4):
            return self.teller.order(account, market, lots, tif=pick((0, IOC, FOK)), **columns)
        price = max(1, mark + side * mark * self.random.randint(-30_000, 20_000) // PPM)
        columns["tif"] = pick((0, 0, 0, IOC, FOK, GTT))
        if columns["tif"] == GTT:
            columns["expires_ns"] = self.teller.now + pick((0, SECOND, 30 * SECOND, HOUR))
        return self.teller.order(account, market, lots, price, **columns)

    def reduce(self, account=None, market=None):
        """Somebody closes: all, a part, too much; at the market or with an order that waits in the book."""
        pick = self.random.choice
        if account is None and self.guarded and self.chance(0.5):
            account, market = pick(self.guarded)  # an order to reduce waits there already
        account, market = account or self.anyone(), market or pick(MARKETS)
        held = self.held(account, market)
        if held == 0:
            return self.take(account, market)
        lots = pick((-held, -held, -held // 2 or -held, -3 * held))
        side, mark = (BUY if lots > 0 else SELL), self.mark(market)
        if self.chance(0.5):
            return self.teller.order(account, market, lots, options=REDUCE_ONLY, **self.name())
        price = max(1, mark + side * mark * self.random.randint(-25_000, 3_000) // PPM)
        self.guarded.append((account, market))
        return self.teller.order(account, market, lots, price, options=pick((0, REDUCE_ONLY, REDUCE_ONLY)))

    def condition(self):
        """A stop, a take-profit, a trailing stop; often one that protects a position."""
        pick = self.random.choice
        account, market = self.anyone(), self.random.choice(TRADED)
        held, mark = self.held(account, market), self.mark(market)
        side = (SELL if held > 0 else BUY) if held else pick((BUY, SELL))
        kind = pick((STOP, STOP, TAKE_PROFIT, TRAILING))
        lots = side * (abs(held) or self.affordable(account, market))
        columns = {"trigger_kind": kind, "trigger_on": pick((0, 0, 1, 2)), "options": REDUCE_ONLY if held else 0}
        columns["options"] |= self.on_credit(market)
        if kind == TRAILING:
            trigger = pick((0, 0, mark + mark * self.random.randint(-20_000, 20_000) // PPM))
            return self.teller.order(account, market, lots, trigger=trigger, callback=pick((1_000, 20_000)), **columns)
        above = (side == BUY) == (kind == STOP)
        away = mark * self.random.randint(500, 60_000) // PPM + 1
        columns["trigger"] = max(1, mark + away if above else mark - away)
        if held and self.chance(0.3):
            line = {"account": account, "market": market, "side": side, "order_type": 1, "tif": IOC}
            return self.teller.say(do.PLACE_ORDER, line | columns | {"options": CLOSE_POSITION})
        price = pick((0, columns["trigger"]))
        return self.teller.order(account, market, lots, price, **columns)

    def some_order(self):
        if not self.orders or self.chance(0.02):
            return self.anyone(), self.random.choice((0, -5, 1, 1 << 24))
        for _ in range(8):
            account, order = self.random.choice(self.orders)
            if self.is_open(order):
                break
        return account, order

    def is_open(self, order):
        row = order & ((1 << 24) - 1)
        return 0 < row < len(self.state.order) and int(self.state.order.id[row]) == order

    def amend(self):
        account, order = self.some_order()
        if not self.is_open(order):
            return self.teller.amend(account, order, lots=5)
        row = order & ((1 << 24) - 1)
        held = self.state.order
        lots, price = int(held.remaining[row] + held.filled[row]), int(held.price[row])
        lots = self.random.choice((0, lots, lots - 1, lots // 2, lots + self.random.randint(1, 9)))
        price = self.random.choice((0, price, max(0, price + self.random.randint(-30, 30))))
        return self.teller.amend(account, order, price, lots)

    def cancel(self):
        return self.teller.cancel(*self.some_order())

    def cancel_many(self):
        if self.chance(0.4):
            return self.teller.cancel_after(self.anyone(), self.random.choice((0, SECOND, 60 * SECOND, -1)))
        return self.teller.cancel_all(self.anyone(), self.random.choice((0, *MARKETS)))

    # --- Money and settings ---

    def rescue(self, account):
        """A queued account is sent money, more or less what it lacks."""
        handle = self.state.handle
        lack = int(queries.requirement(handle, account, FOR_OPEN)) - int(queries.equity(handle, account))
        asset = self.random.choice((USD, USD, COIN))
        part = self.random.choice((1, 5, 11, 20)) * abs(lack) // 10
        return self.teller.deposit(account, asset, max(1, part * town.worth(asset, self.fair)))

    def amount_of(self, account, asset):
        if not 0 < account <= int(self.state.machine.accounts[0]):
            return 1
        leg = int(queries.find_leg(self.state.handle, account, asset))
        held = int(self.state.leg.quantity[leg]) if leg else 0
        return self.random.choice((held, held + 1, held // 2, held // 10, 1, 0, 100 * DOLLAR))

    def move_money(self):
        pick = self.random.choice
        account, asset = self.anyone(), pick((USD, USD, COIN, TOKEN))
        choice = self.random.random()
        if choice < 0.4:
            amount = pick((1, 50, 500, 5_000)) * DOLLAR * town.worth(asset, self.fair)
            if self.chance(0.3):
                account = pick((INSURANCE, BACKSTOP, LENDER, CONVERTER))
            return self.teller.deposit(account, asset, amount)
        if choice < 0.6:
            if self.chance(0.1):
                account = pick((INSURANCE, BACKSTOP, LENDER, CONVERTER))
            return self.teller.withdraw(account, asset, self.amount_of(account, asset))
        if choice < 0.75 and self.pending:
            end = pick((self.teller.confirm, self.teller.return_back))
            return end(pick(self.pending))
        if choice < 0.85:
            return self.teller.transfer(account, self.anyone(), asset, self.amount_of(account, asset))
        market = pick(MARKETS)
        leg = int(queries.find_leg(self.state.handle, account, MARKET_0 + market)) if account >= FIRST_USER else 0
        child = int(self.state.leg.child[leg]) if leg else 0
        giver = pick((account, child)) if child else account
        settle = int(self.state.market_rule[market, key.M_SETTLE])
        return self.teller.move_margin(account, market, (-1 if giver == child else 1) * self.amount_of(giver, settle))

    def cash(self, account, asset):
        leg = int(queries.find_leg(self.state.handle, account, asset))
        return int(self.state.leg.quantity[leg]) if leg else 0

    def richest(self, asset, others=()):
        """Of a few people, who has most of an asset."""
        people = [each for each in range(FIRST_USER, FIRST_USER + self.accounts) if each not in others]
        return max(self.random.sample(people, min(8, len(people))), key=lambda each: self.cash(each, asset))

    def lend(self):
        """Somebody supplies, redeems or borrows; shares change hands."""
        asset, choice = self.random.choice((USD, COIN)), self.random.random()
        share = SHARES[asset]
        if choice < 0.3:
            account = self.anyone() if self.chance(0.1) else self.richest(asset)
            return self.teller.supply(account, asset, self.amount_of(account, asset))
        account = self.random.choice(self.lenders) if self.lenders and self.chance(0.9) else self.anyone()
        if choice < 0.45:
            return self.teller.redeem(account, share, self.amount_of(account, share))
        if choice < 0.5:
            return self.teller.redeem_all(account, share)
        if choice < 0.6:
            return self.teller.transfer(account, self.anyone(), share, self.amount_of(account, share))
        return self.borrow()

    def borrow(self):
        """A withdrawal on credit: as far as the means reach, or just beyond what is held."""
        account, asset, handle = self.richest(USD), self.random.choice(ASSETS), self.state.handle
        amount = max(0, self.cash(account, asset)) + DOLLAR
        if self.chance(0.7):
            spare = int(queries.equity(handle, account)) - int(queries.requirement(handle, account, FOR_OPEN))
            amount = max(1, spare) * self.random.choice((30, 80, 98)) // 100 * town.worth(asset, self.fair)
        return self.teller.borrow(account, asset, min(amount, 1 << 60))

    def offered(self):
        """(account in liquidation, collateral, debt) of all that may be bid for."""
        found = []
        for target in np.flatnonzero(self.state.account.started).tolist():
            held = {asset: self.cash(target, asset) for asset in (*ASSETS, *SHARES.values())}
            owed = [asset for asset in held if held[asset] < 0]
            found += [(target, asset, debt) for asset in held if held[asset] > 0 for debt in owed]
        return found

    def bid(self):
        """Somebody who has the money bids for what an account in liquidation holds."""
        pick, found = self.random.choice, self.offered()
        if not found:
            return self.lend()
        target, collateral, debt = pick(found)
        bidder, owed = self.richest(debt, (target,)), -self.cash(target, debt)
        lots = pick((owed, 2 * owed, owed // 3 + 1))
        options, least = pick((0, 0, MAY_BORROW, AS_ASKED)), 0
        if options == AS_ASKED or self.chance(0.2):
            prices = [int(self.state.asset.price[asset]) for asset in (debt, collateral)]
            least = min(1 << 56, lots * prices[0] // max(1, prices[1])) * pick((98, 100, 101)) // 100 + 1
        line = {"account": bidder, "order": target, "market": collateral, "trigger": debt, "lots": lots}
        return self.teller.say(do.LIQUIDATE, line | {"price": least, "options": options})

    def set_up(self):
        pick = self.random.choice
        account, market = self.anyone(), self.any_market()
        return pick(
            (
                lambda: self.teller.isolate(account, market),
                lambda: self.teller.isolate(account, market),
                lambda: self.teller.cross(account, market),
                lambda: self.teller.leverage(account, market, pick((1, 3, 10, 25, 50, 1_000, 1_001))),
            )
        )()

    def govern(self):
        """The operator changes a parameter."""
        pick = self.random.choice
        if self.rules.random() < 0.4:
            return self.measure()
        choice = self.random.random()
        if choice < 0.55:
            market = pick(MARKETS)
            manners = town.manners(self.random)
            name = pick(sorted(manners))
            rate = pick((5_000, 20_000, 50_000))
            settings = pick(
                (
                    {name: manners[name]},
                    {key.M_STATE: pick((0, 0, 1, 2, 3, 4))},
                    {key.M_STATE: 0},
                    {key.M_BRACKET_MAINTAIN_PPM: rate, key.M_BRACKET_OPEN_PPM: 3 * rate},
                    {key.M_BRACKETS: pick((1, 2, 3))},
                    {key.M_FUNDING_INTERVAL_NS: pick((0, 600, 3_600)) * SECOND},
                    {key.M_OPEN_INTEREST_LOTS_MAX: pick((100, 1 << 30))},
                )
            )
            return self.teller.configure(do.MARKET, settings, market)
        if choice < 0.75:
            asset = pick(ASSETS)
            settings = pick(
                (
                    {key.A_LOAN_CAP: pick((0, 10, 10_000)) * DOLLAR},
                    {key.A_CONVERT_HAIRCUT_PPM: pick((0, 50_000))},
                    {key.A_FROZEN: pick((0, 0, 0, 1))},
                    {key.A_BORROW_WEIGHT_PPM: pick((1_000_000, 1_100_000, 1_200_000))},
                    {key.A_TIER_MAINTAIN_PPM: pick((900_000, 960_000)), key.A_TIER_OPEN_PPM: pick((700_001, 880_000))},
                )
            )
            return self.teller.configure(do.ASSET, settings, asset)
        if choice < 0.85:
            settings = pick(({key.F_QUORUM: pick((1, 2, 3))}, {key.F_WEIGHT + pick(SOURCES): pick((0, 1, 5))}))
            return self.teller.configure(do.FEED, settings, pick(FEEDS).row)
        if choice < 0.92:
            return self.teller.configure(do.RISK_TIER, {key.T_LEVERAGE_MAX: pick((5, 50, 1_000))}, pick((1, 2)))
        owner = self.random.randint(2, max(2, int(self.state.machine.owners[0])))
        settings = pick(({key.O_STP: self.random.randint(1, 4)}, {key.O_RISK_TIER: pick((1, 1, 2, 3))}))
        return self.teller.configure(do.OWNER, settings, owner)

    def measure(self):
        """New risk arrays at the marks of now, limits of what is too much together, ways of margining."""
        market, choice = self.rules.choice(MARKETS), self.rules.random()
        if choice < 0.5:
            rule = self.state.market_rule[market]
            inverse = int(rule[key.M_KIND]) == INVERSE
            array = town.risk_array(self.rules, int(rule[key.M_ATOMS_PER_TICK_LOT]), self.mark(market), inverse)
            return self.teller.configure(do.RISK_ARRAY, array, market)
        if choice < 0.65:
            return self.teller.configure(do.MARKET, town.excess_of_market(self.rules), market)
        if choice < 0.75:
            return self.teller.configure(do.ASSET, town.excess_of_asset(self.rules), self.rules.choice(ASSETS[1:]))
        owner = self.rules.randint(2, max(2, int(self.state.machine.owners[0])))
        return self.teller.configure(do.OWNER, {key.O_MARGIN: self.rules.choice((BY_POSITION, BY_SCENARIO))}, owner)

    def reopen(self):
        frozen = [asset for asset in ASSETS if self.state.asset_rule[asset, key.A_FROZEN]]
        if frozen:
            return self.teller.configure(do.ASSET, {key.A_FROZEN: 0}, frozen[0])
        states = {market: int(self.state.market_rule[market, key.M_STATE]) for market in (*MARKETS, PAIR)}
        closed = [market for market, state in states.items() if 0 < state < SETTLED]
        return self.teller.configure(do.MARKET, {key.M_STATE: 0}, closed[0]) if closed else self.quote()

    def spoil(self):
        """A good command with one column spoilt, or two rows that do not belong together."""
        said = []
        self.teller.hear = said.append
        self.act()
        self.teller.hear = self.hear
        rows = said[0]
        row = self.random.randrange(len(rows))
        column = self.random.choice([name for name in COMMAND.names if name not in ("spare", "at_ns")])
        small = COMMAND[column].itemsize <= 2
        rows[column][row] = self.random.choice((-1, 0, 1, 2, 5, 127) if small else (-1, 0, 1, 3, 300, 1 << 30))
        if self.chance(0.1):
            rows["at_ns"] = self.random.choice((0, self.teller.now - 1, self.teller.now + 31 * 24 * HOUR, 1 << 62))
        return self.hear(rows)

    # --- The day ---

    def act(self):
        makers = (
            (self.prices, 17),
            (self.quote, 26),
            (self.take, 25),
            (self.reduce, 13),
            (self.condition, 7),
            (self.amend, 4),
            (self.cancel, 3),
            (self.cancel_many, 1),
            (self.move_money, 5),
            (self.lend, 6),
            (self.bid, 1),
            (self.set_up, 2.5),
            (self.govern, 0.7),
            (self.reopen, 0.7),
            (self.teller.clock, 1),
        )
        return self.random.choices([each for each, _ in makers], [weight for _, weight in makers])[0]()

    def step(self):
        """One command."""
        if self.pass_time() > 120 * SECOND and self.chance(0.85):
            return self.prices(FEEDS)
        if self.chance(0.01):
            return self.spoil()
        if self.chance(0.15) and self.offered():
            return self.bid()
        return self.act()

    def settle_in(self):
        """The makers quote, and most people take a position, before the day begins."""
        for account in range(FIRST_USER, FIRST_USER + self.accounts):
            if town.is_maker(account):
                for _ in range(6):
                    self.quote(account)
        for account in range(FIRST_USER, FIRST_USER + self.accounts):
            if not town.is_maker(account) and self.chance(0.75):
                if self.chance(0.35):
                    self.teller.isolate(account, self.random.choice(MARKETS))
                self.take(account)
            if self.chance(0.3):
                self.quote()


def nothing(at_ns):
    """A command that is refused whatever the state: it does the clock work due, and nothing else."""
    return command(do.CANCEL_ORDER, at_ns, {"account": -1})
