"""Random commands aimed at a small venue, so that interesting things happen often.

A flow is decided by its seed alone: the limits, the venue, and every command. It looks at the twin to name orders,
accounts and references that exist, and prices that matter.
"""

from dataclasses import replace
from random import Random

import numpy as np

from steelyard.model.commands import (
    AMEND_ORDER,
    ASSET,
    CANCEL_AFTER,
    CANCEL_ALL,
    CANCEL_ORDER,
    CLOCK,
    COMMAND,
    CONFIGURE,
    CONFIRM_WITHDRAWAL,
    DEPOSIT,
    FEED,
    MARKET,
    MOVE_MARGIN,
    OPEN_ACCOUNT,
    OWNER,
    PLACE_ORDER,
    PRICE,
    RETURN_WITHDRAWAL,
    RISK_TIER,
    SET_LEVERAGE,
    SET_MARGIN_MODE,
    TRANSFER,
    WITHDRAW,
)
from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_CONVERT_HAIRCUT_PPM,
    A_FEED,
    A_LOAN_CAP,
    A_SUPPLY_MAX,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    F_CONFIDENCE_MAX_PPM,
    F_QUORUM,
    F_STALENESS_NS,
    F_WEIGHT,
    HOUR,
    M_ATOMS_PER_TICK_LOT,
    M_BACKSTOP_LOTS_MAX,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_OPEN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_COOLDOWN_NS,
    M_FEE_TIERS,
    M_FEED,
    M_FUNDING_CAP_PPB,
    M_FUNDING_CLAMP_PPB,
    M_FUNDING_INTERVAL_NS,
    M_IMPACT_NOTIONAL,
    M_INTEREST_PPB,
    M_LEVERAGE_DEFAULT,
    M_LIQUIDATION_FEE_PPM,
    M_MAKER_PPM,
    M_MARK_BAND_PPM,
    M_MARK_POLICY,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_OPEN_INTEREST_LOTS_MAX,
    M_ORDER_LOTS_MAX,
    M_POSITION_LOTS_MAX,
    M_PRICE_BAND_PPM,
    M_REACH_PPM,
    M_RESTORE_PPM,
    M_SAMPLE_INTERVAL_NS,
    M_SETTLE,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_SLIP_PPM,
    M_STATE,
    M_TAKEOVER_PPM,
    M_TAKER_PPM,
    M_TICKS_MAX,
    O_FEE_TIER,
    O_RISK_TIER,
    O_STP,
    SECOND,
    T_LEVERAGE_MAX,
    T_PRODUCTS,
)
from steelyard.model.orders import (
    BACKSTOP,
    BUY,
    CLOSE_POSITION,
    CONVERTER,
    FOR_OPEN,
    GTT,
    INSURANCE,
    IOC,
    LENDER,
    POST_ONLY,
    POST_ONLY_SLIDE,
    REDUCE_ONLY,
    SELL,
    STOP,
    SYSTEM_ACCOUNTS,
    TAKE_PROFIT,
    TRAILING,
    USER,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.state.tables import Limits
from tests.reference.health import equity, requirement
from tests.reference.matching import best_price
from tests.reference.twin import Twin

START_NS = 1_700_000_000 * SECOND
FIRST_USER = SYSTEM_ACCOUNTS + 1
COIN = 2  # the second asset
COIN_FEED = 1


def rows(kind, at_ns, *lines):
    """One command: a row per line, the last one flagged."""
    made = np.zeros(len(lines), COMMAND)
    made["at_ns"], made["kind"] = at_ns, kind
    made["last"][-1] = 1
    for row, line in zip(made, lines, strict=True):
        for column, number in line.items():
            row[column] = number
    return made


def settings(kind, row, parameters):
    return [{"account": kind, "market": row, "order": key, "lots": number} for key, number in parameters.items()]


def client(number):
    """The words of a client id or a reference."""
    return {"client0": number, "client4": number * 7 if number else 0}


class Flow:
    def __init__(self, seed, twin=None):
        self.random = Random(seed)
        self.twin = twin or Twin(small_limits(seed))
        self.own = twin is None
        self.reference = 0
        self.now = START_NS
        self.calm = self.random.choice((0.5, 0.8, 0.9))  # how often a price hardly moves

    def chance(self, probability):
        return self.random.random() < probability

    # --- The venue ---

    def venue(self):
        """Commands that set it up."""
        pick, uniform = self.random.choice, self.random.randint
        cap = pick((0, 0, 2_000, 100_000))
        yield self.configure(ASSET, {A_LOAN_CAP: cap, A_CONVERT_HAIRCUT_PPM: pick((0, 1_000))})
        yield self.configure(FEED, {F_QUORUM: 1})
        middle = uniform(20_000, 60_000)
        coin = {A_FEED: COIN_FEED, A_SUPPLY_MAX: 1 << 40, A_LOAN_CAP: pick((0, 500, 50_000)), A_TIERS: 3}
        coin |= {A_CONVERT_HAIRCUT_PPM: pick((0, 25_000)), A_BORROW_WEIGHT_PPM: pick((PPM, 1_100_000))}
        for i, (upper, opening, maintain) in enumerate(
            ((middle, 900_000, 950_000), (3 * middle, 700_001, 800_003), (9 * middle, 0, pick((0, 333_333))))
        ):
            coin |= {A_TIER_UPPER + i: upper, A_TIER_OPEN_PPM + i: opening, A_TIER_MAINTAIN_PPM + i: maintain}
        yield self.configure(ASSET, coin)
        yield self.configure(
            FEED,
            {F_QUORUM: 2, F_STALENESS_NS: pick((600, 3_600)) * SECOND, F_CONFIDENCE_MAX_PPM: 20_000}
            | {F_WEIGHT + i: weight for i, weight in enumerate((3, 2, 2, 0, 0, 0, 0, 0))},
        )
        yield self.configure(FEED, {F_STALENESS_NS: pick((1, 24)) * HOUR})
        yield self.configure(FEED, {F_STALENESS_NS: pick((1, 24)) * HOUR})
        for market in (self.plain_market(), self.coin_market(), self.coarse_market()):
            yield self.configure(MARKET, market)
        yield self.configure(RISK_TIER, {T_LEVERAGE_MAX: pick((3, 10))})
        yield self.configure(RISK_TIER, {T_PRODUCTS: 0})
        for _ in range(4):
            owner = {O_STP: uniform(1, 4), O_FEE_TIER: uniform(0, 3), O_RISK_TIER: pick((1, 1, 1, 2))}
            yield self.configure(OWNER, owner)
        self.prices = [pick((3_700_000_000_123, 41_000_000_007, 250 * ASSET_PRICE_SCALE)), 1_000, 400, 90]
        self.bases = list(self.prices)
        yield self.price({1: 0, 2: 0, 3: 0, 4: 0})
        for owner in (2, 2, 3, 3, 4, 5):
            yield rows(OPEN_ACCOUNT, self.now, {"account": owner})
        for account in (INSURANCE, BACKSTOP, LENDER, CONVERTER):
            for asset in (1, COIN):
                if self.chance(0.6):
                    yield self.deposit(account, asset, self.worth(asset, pick((100, 20_000, 3_000_000))))
        for account in range(FIRST_USER, FIRST_USER + 6):
            for asset in (1, 1, COIN):
                if self.chance(0.75):
                    yield self.deposit(account, asset, self.worth(asset, uniform(5_000, 150_000)))

    def configure(self, kind, parameters, row=0):
        return rows(CONFIGURE, self.now, *settings(kind, row, parameters))

    def worth(self, asset, value):
        """Atoms of an asset worth about so much."""
        return value if asset == 1 else max(1, value * ASSET_PRICE_SCALE // self.prices[0])

    def brackets(self, uppers, slopes):
        """Brackets that leave room for the restore factor."""
        parameters = {M_BRACKETS: len(uppers)}
        for i, (upper, slope) in enumerate(zip(uppers, slopes, strict=True)):
            parameters |= {
                M_BRACKET_UPPER + i: upper,
                M_BRACKET_MAINTAIN_PPM + i: slope,
                M_BRACKET_OPEN_PPM + i: min(PPM, 2 * slope),
            }
        return parameters

    def common(self):
        pick = self.random.choice
        return {
            M_PRICE_BAND_PPM: pick((50_000, 100_000, 2 * PPM)),
            M_LEVERAGE_DEFAULT: pick((5, 10, 20, 50)),
            M_RESTORE_PPM: pick((PPM, 1_200_000, 1_500_000)),
            M_TAKEOVER_PPM: pick((0, 400_000, 666_666, PPM)),
            M_LIQUIDATION_FEE_PPM: pick((0, 2_000, 9_999)),
            M_REACH_PPM: pick((0, 300_000, PPM)),
            M_SLICE_PPM: pick((1, 200_000, 500_000)),
            M_SLICE_NOTIONAL: pick((0, 50_000, 1 << 40)),
            M_COOLDOWN_NS: pick((1_000_000, 5 * SECOND, 60 * SECOND)),
            M_SLIP_PPM: pick((0, 20_000, 100_000)),
            M_BACKSTOP_LOTS_MAX: pick((0, 7, 1_000)),
            M_MARK_POLICY: pick((0, 0, 1)),
            M_MARK_BAND_PPM: pick((0, 20_000, 200_000)),
            M_BASIS_CLAMP_PPM: pick((0, 25_000)),
            M_BASIS_TAU_NS: pick((1, 10 * SECOND, 150 * SECOND)),
            M_FEE_TIERS: 3,
            M_MAKER_PPM: pick((200, 0, -150)),
            M_MAKER_PPM + 1: pick((100, -150)),
            M_MAKER_PPM + 2: -150,
            M_TAKER_PPM: 500,
            M_TAKER_PPM + 1: 350,
            M_TAKER_PPM + 2: pick((150, 300)),
        }

    def plain_market(self):
        pick = self.random.choice
        return {
            M_SETTLE: 1,
            M_ATOMS_PER_TICK_LOT: 10,
            M_TICKS_MAX: 5_000,
            M_FEED: 2,
            M_ORDER_LOTS_MAX: 60,
            M_POSITION_LOTS_MAX: pick((60, 1_000, 1_000)),
            M_OPEN_INTEREST_LOTS_MAX: pick((100, 10_000)),
            M_OI_LOWER_LOTS: pick((0, 20)),
            M_OI_UPPER_LOTS: pick((0, 400)),
            M_FUNDING_INTERVAL_NS: HOUR,
            M_SAMPLE_INTERVAL_NS: 60 * SECOND,
            M_IMPACT_NOTIONAL: pick((20_000, 200_000)),
            **self.brackets((150_000, 600_000, pick((2_000_000, 1 << 50))), (20_000, 30_000, 75_000)),
            **self.common(),
        }

    def coin_market(self):
        return {
            M_SETTLE: COIN,
            M_ATOMS_PER_TICK_LOT: 3,
            M_TICKS_MAX: 4_096,
            M_FEED: 3,
            M_ORDER_LOTS_MAX: 300,
            M_POSITION_LOTS_MAX: 500,
            M_FUNDING_INTERVAL_NS: self.random.choice((0, 8 * HOUR, 600 * SECOND)),
            M_SAMPLE_INTERVAL_NS: 60 * SECOND,
            M_INTEREST_PPB: self.random.choice((100_000, -7_777_777)),
            M_IMPACT_NOTIONAL: 5_000,
            **self.brackets((20_000, 1 << 50), (30_000, 50_001)),
            **self.common(),
        }

    def coarse_market(self):
        """Few ticks, big funding."""
        return {
            M_SETTLE: 1,
            M_ATOMS_PER_TICK_LOT: self.random.choice((1, 97)),
            M_TICKS_MAX: 300,
            M_FEED: 4,
            M_ORDER_LOTS_MAX: 1_000,
            M_POSITION_LOTS_MAX: 2_000,
            M_FUNDING_INTERVAL_NS: 60 * SECOND,
            M_SAMPLE_INTERVAL_NS: 10 * SECOND,
            M_FUNDING_CLAMP_PPB: 50_000_000,
            M_FUNDING_CAP_PPB: 100_000_000,
            M_INTEREST_PPB: self.random.choice((-10_000_000, 0, 10_000_000)),
            M_IMPACT_NOTIONAL: 300,
            **self.brackets((1 << 50,), (self.random.choice((40_000, 100_000)),)),
            **self.common(),
        }

    # --- Prices and time ---

    def price(self, moves):
        """Reports for feeds, each price moved by so many millionths."""
        lines = []
        for feed, move in moves.items():
            moved = (self.prices[feed - 1] * (PPM + move) + self.random.randrange(PPM)) // PPM
            self.prices[feed - 1] = max(1, moved)
            limit = (60_000_000_000_000_000, 5_000, 4_096, 300)[feed - 1]
            self.prices[feed - 1] = min(self.prices[feed - 1], limit)
            for source in self.sources(feed):
                noise = self.random.choice((0, 0, 0, -1, 1)) if feed == 2 else 0
                lines.append(
                    {
                        "market": feed,
                        "account": source,
                        "price": max(1, self.prices[feed - 1] + noise),
                        "lots": self.random.choice((0, 0, 0, 1, 50)) if feed == 2 else 0,
                        "trigger": self.now,
                    }
                )
        return rows(PRICE, self.now, *lines)

    def sources(self, feed):
        if feed != 2:
            return (0,)
        return self.random.choice(((0, 1, 2), (0, 1, 2), (0, 1), (0,), (2, 1), (1, 3)))

    def random_price(self, feeds=None):
        moves = {}
        for feed in feeds or self.random.sample((1, 2, 3, 4), self.random.choice((1, 1, 2, 4))):
            wide = 5_000 if self.chance(self.calm) else self.random.choice((30_000, 80_000, 300_000))
            away = PPM - self.prices[feed - 1] * PPM // self.bases[feed - 1]  # prices come back in the end
            moves[feed] = self.random.randint(-wide, wide) + min(away, PPM) // 20
        return self.price(moves)

    def pass_time(self):
        step = self.random.choices(
            (0, 1, SECOND, 7 * SECOND, 61 * SECOND, 600 * SECOND, HOUR + 1, 24 * HOUR), (30, 10, 30, 20, 8, 2, 0.6, 0.1)
        )[0]
        self.now += step
        return step

    # --- Who and what ---

    def user(self):
        users = [row for row, account in self.twin.accounts.items() if account.role == USER]
        if not users or self.chance(0.02):
            return self.random.randint(-1, len(self.twin.accounts) + 1)
        return self.random.choice(users)

    def market(self):
        return self.random.randint(-1, 5) if self.chance(0.01) else self.random.choice((1, 1, 2, 3))

    def asset(self):
        return self.random.randint(-1, 4) if self.chance(0.02) else self.random.choice((1, COIN))

    def mark(self, market):
        held = self.twin.markets.get(market)
        return held.mark if held and held.mark else 100

    def new_reference(self):
        self.reference += 1
        return client(self.random.randint(0, self.reference) if self.chance(0.05) else self.reference)

    # --- Commands ---

    def deposit(self, account, asset, amount):
        return rows(DEPOSIT, self.now, {"account": account, "market": asset, "lots": amount, **self.new_reference()})

    def random_deposit(self):
        asset = self.asset()
        amount = self.worth(asset, self.random.choice((10, 5_000, 20_000, 100_000)))
        account = self.random.randint(1, 6) if self.chance(0.2) else self.user()
        return self.deposit(account, asset, -amount if self.chance(0.02) else amount)

    def amount_of(self, account, asset):
        held = self.twin.quantity(account, asset) if account in self.twin.accounts else 0
        return self.random.choice((held, held + 1, held // 2, held // 10, 1, 0, self.worth(asset, 3_000)))

    def random_withdraw(self):
        account = self.random.randint(1, 6) if self.chance(0.15) else self.user()
        asset = self.asset()
        line = {"account": account, "market": asset, "lots": self.amount_of(account, asset), **self.new_reference()}
        return rows(WITHDRAW, self.now, line)

    def random_transfer(self):
        giver = self.random.randint(1, 6) if self.chance(0.15) else self.user()
        asset = self.asset()
        line = {"account": giver, "order": self.user(), "market": asset, "lots": self.amount_of(giver, asset)}
        return rows(TRANSFER, self.now, line | self.new_reference())

    def random_reference(self):
        kind = self.random.choice((CONFIRM_WITHDRAWAL, RETURN_WITHDRAWAL))
        pending = [words[0] for words, each in self.twin.references.items() if each.state == 2]
        number = self.random.choice(pending) if pending and self.chance(0.8) else self.random.randint(0, 50)
        return rows(kind, self.now, client(number))

    def random_margin(self):
        children = [account for account in self.twin.accounts.values() if account.parent]
        if children and self.chance(0.9):
            child = self.random.choice(children)
            asset = self.twin.settle(self.twin.markets[child.market])
            amount = self.amount_of(self.random.choice((child.row, child.parent)), asset)
            line = {"account": child.parent, "market": child.market}
        else:
            amount, line = self.random.randint(-2_000, 2_000), {"account": self.user(), "market": self.market()}
        return rows(MOVE_MARGIN, self.now, line | {"lots": self.random.choice((1, -1)) * amount})

    def random_leverage(self):
        lots = self.random.choice((0, 1, 2, 3, 5, 10, 20, 50, 1_000, 1_001))
        return rows(SET_LEVERAGE, self.now, {"account": self.user(), "market": self.market(), "lots": lots})

    def random_mode(self):
        lots = self.random.choice((0, 1, 1, 1, 1, 2))
        return rows(SET_MARGIN_MODE, self.now, {"account": self.user(), "market": self.market(), "lots": lots})

    def random_order(self):
        pick, uniform = self.random.choice, self.random.randint
        market, account = self.market(), self.user()
        side, mark = pick((BUY, SELL)), self.mark(market)
        held = self.quantity(account, market)
        if held and self.chance(0.3):
            side = SELL if held > 0 else BUY
        line = {"account": account, "market": market, "side": side, "stp": pick((0, 0, 0, 1, 2, 3, 4))}
        line["lots"] = pick(
            (uniform(1, 8), self.affordable(account, market), self.affordable(account, market), abs(held) or 1)
        )
        if self.chance(0.7):
            line["tif"] = pick((0, 0, 0, 0, 0, IOC, 2, 2, GTT))
            line["price"] = self.limit_price(market, side, mark)
            if line["tif"] in (0, GTT):
                line["options"] = pick((0, 0, 0, 0, POST_ONLY, POST_ONLY_SLIDE))
        else:
            line["order_type"] = 1
            line["tif"] = pick((0, IOC, 2))
        if self.chance(0.05) or line.get("tif") == GTT:
            line["tif"] = GTT if not line.get("order_type") else line["tif"]
            line["expires_ns"] = self.now + pick((0, SECOND, 30 * SECOND, 300 * SECOND))
        if self.chance(0.2 if held else 0.03):
            line["options"] = line.get("options", 0) | REDUCE_ONLY
        if self.chance(0.18):
            self.add_trigger(line, mark)
        if self.chance(0.2):
            line |= client(uniform(1, 25))
        return rows(PLACE_ORDER, self.now, line)

    def limit_price(self, market, side, mark):
        """Beside the mark, or at a price that trades."""
        held = self.twin.markets.get(market)
        opposite = best_price(self.twin, held, -side) if held else 0
        if opposite and self.chance(0.45):
            return max(0, opposite + side * self.random.choice((0, 0, 1, 5)))
        return self.near(mark, self.random.choice((2_000, 15_000, 40_000)))

    def affordable(self, account, market):
        """About as many lots as the account's means allow."""
        if account not in self.twin.accounts or market not in self.twin.markets:
            return 1
        legs, held = self.twin.legs_of(account), self.twin.markets[market]
        spare = equity(self.twin, legs) - requirement(self.twin, legs, FOR_OPEN)
        price = self.twin.assets[self.twin.settle(held)].price
        lot = max(1, self.mark(market) * held.rule[M_ATOMS_PER_TICK_LOT] * price // ASSET_PRICE_SCALE)
        lots = spare * held.rule[M_LEVERAGE_DEFAULT] // lot
        return max(1, min(lots * self.random.choice((20, 50, 80, 98, 110)) // 100, held.rule[M_ORDER_LOTS_MAX]))

    def add_trigger(self, line, mark):
        line["trigger_kind"] = self.random.choice((STOP, STOP, TAKE_PROFIT, TRAILING))
        line["trigger_on"] = self.random.choice((0, 0, 1, 2))
        if line["trigger_kind"] == TRAILING:
            line["callback"] = self.random.choice((1_000, 10_000, 50_000, 200_000))
            line["trigger"] = self.near(mark, 20_000) if self.chance(0.4) else 0
            line |= {"order_type": 1, "price": 0, "tif": IOC, "options": line.get("options", 0) & REDUCE_ONLY}
            line["expires_ns"] = 0
            return
        above = (line["side"] == BUY) == (line["trigger_kind"] == STOP)
        away = self.random.randint(1, 60_000) if self.chance(0.9) else -1
        line["trigger"] = max(0, mark + (1 if above else -1) * (mark * away // PPM + (away > 0)))
        if self.chance(0.15):
            line["options"] = line.get("options", 0) | CLOSE_POSITION
            line["lots"] = 0

    def near(self, mark, ppm):
        return max(0, mark + mark * self.random.randint(-ppm, ppm) // PPM)

    def quantity(self, account, market):
        if account not in self.twin.accounts or market not in self.twin.markets:
            return 0
        thing = self.twin.markets[market].thing
        leg = self.twin.leg_or_none(account, thing)
        return self.twin.quantity(leg.child or account, thing) if leg else 0

    def an_order(self):
        """(account, order id, client words) of an open order, as a rule."""
        found = list(self.twin.orders.values())
        if not found or self.chance(0.05):
            return {"account": self.user(), "order": self.random.choice((0, -5, 1, 1 << 24))}
        order = self.random.choice(found)
        line = {"account": order.home if self.chance(0.98) else self.user(), "order": order.id}
        if any(order.client) and self.chance(0.5):
            line |= {"order": 0, **{f"client{i}": word for i, word in enumerate(order.client)}}
        return line, order

    def random_cancel(self):
        found = self.an_order()
        return rows(CANCEL_ORDER, self.now, found[0] if isinstance(found, tuple) else found)

    def random_amend(self):
        found = self.an_order()
        if not isinstance(found, tuple):
            return rows(AMEND_ORDER, self.now, found | {"lots": 5})
        line, order = found
        price = self.random.choice((0, order.price, self.near(self.mark(order.market), 30_000)))
        lots = self.random.choice((0, order.lots, order.lots - 1, order.filled, order.lots + self.random.randint(1, 9)))
        return rows(AMEND_ORDER, self.now, line | {"price": price, "lots": lots})

    def random_cancel_all(self):
        market = self.market() if self.chance(0.5) else 0
        return rows(CANCEL_ALL, self.now, {"account": self.user(), "market": market})

    def random_cancel_after(self):
        lots = self.random.choice((0, 1, SECOND, 20 * SECOND, -1))
        return rows(CANCEL_AFTER, self.now, {"account": self.user(), "lots": lots})

    def random_configuration(self):
        pick = self.random.choice
        kind = pick((ASSET, FEED, MARKET, MARKET, MARKET, RISK_TIER, OWNER))
        if self.chance(0.1):
            line = {"account": self.random.randint(-1, 7), "market": self.random.randint(0, 6)}
            return rows(CONFIGURE, self.now, line | {"order": self.random.randint(-2, 120), "lots": pick((0, 1, PPM))})
        if kind == ASSET:
            row = pick((1, COIN))
            parameters = pick(
                (
                    {A_LOAN_CAP: pick((0, 100, 30_000))},
                    {A_CONVERT_HAIRCUT_PPM: pick((0, 50_000))},
                    {A_BORROW_WEIGHT_PPM: pick((PPM, 1_300_000))},
                    {A_TIER_MAINTAIN_PPM + 1: pick((750_000, 900_000)), A_TIER_OPEN_PPM + 1: pick((500_000, 720_000))},
                    {A_TIERS: pick((1, 2, 3))},
                )
            )
        elif kind == FEED:
            row, parameters = (
                2,
                pick(({F_QUORUM: pick((1, 2, 3, 4))}, {F_WEIGHT + pick((0, 1, 2, 3)): pick((0, 1, 9))})),
            )
        elif kind == MARKET:
            row, parameters = pick((1, 1, 2, 3)), self.market_change()
        elif kind == RISK_TIER:
            row, parameters = (
                pick((1, 2)),
                {T_LEVERAGE_MAX: pick((2, 10, 100, 1_000))},
            )
        else:
            row = self.random.randint(2, 5)
            parameters = pick(
                (
                    {O_STP: self.random.randint(1, 4)},
                    {O_FEE_TIER: pick((0, 1, 7))},
                    {O_RISK_TIER: pick((1, 1, 1, 2, 3, 9))},
                )
            )
        return self.configure(kind, parameters, row)

    def market_change(self):
        pick = self.random.choice
        common = self.common()
        key = pick(sorted(common))
        rates = pick((20_000, 30_000, 50_000))
        return pick(
            (
                {M_STATE: pick((0, 0, 0, 1, 2, 3, 4))},
                {key: common[key]},
                {M_BRACKET_MAINTAIN_PPM: rates, M_BRACKET_OPEN_PPM: 2 * rates},
                {M_BRACKETS: pick((1, 2, 3))},
                {M_OI_LOWER_LOTS: 5, M_OI_UPPER_LOTS: pick((0, 50, 500))},
                {M_FUNDING_INTERVAL_NS: pick((0, 120, 600)) * SECOND},
                {M_ORDER_LOTS_MAX: pick((30, 60))},
                {M_OPEN_INTEREST_LOTS_MAX: pick((50, 10_000))},
            )
        )

    def reopen(self):
        """Markets do not stay closed for long."""
        closed = [row for row, market in self.twin.markets.items() if market.rule[M_STATE]]
        return self.configure(MARKET, {M_STATE: 0}, closed[0]) if closed else self.random_order()

    def bad_row(self):
        """A good command with one field spoilt, a kind that does not exist, or a row that is not the last."""
        made = self.pick()
        row = self.random.randrange(len(made))
        column = self.random.choice([name for name in COMMAND.names if name not in ("spare", "at_ns")])
        choices = (-1, 0, 1, 2, 5, 127) if COMMAND[column].itemsize <= 2 else (-1, 0, 1, 3, 300, 1 << 30)
        made[column][row] = self.random.choice(choices)
        if self.chance(0.2):
            made["at_ns"] = self.random.choice((0, self.now - 1, self.now + 31 * 24 * HOUR, 1 << 62))
        return made

    def pick(self):
        makers = (
            (self.random_price, 26),
            (self.random_order, 44),
            (self.random_amend, 4),
            (self.random_cancel, 4),
            (self.random_cancel_all, 0.7),
            (self.random_cancel_after, 0.7),
            (self.random_deposit, 3),
            (self.random_withdraw, 2),
            (self.random_transfer, 2),
            (self.random_reference, 1),
            (self.random_margin, 2),
            (self.random_leverage, 1.5),
            (self.random_mode, 1.5),
            (self.random_configuration, 2.5),
            (self.reopen, 1),
            (lambda: rows(CLOCK, self.now, {}), 2),
            (lambda: rows(OPEN_ACCOUNT, self.now, {"account": self.random.randint(0, 6)}), 0.3),
        )
        maker = self.random.choices([each for each, _ in makers], [weight for _, weight in makers])[0]
        return maker()

    def commands(self, count):
        """The venue, then so many random commands."""
        for made in self.venue():
            yield made
            self.take(made)
        for _ in range(count):
            passed = self.pass_time()
            self.now = max(self.now, self.twin.now)
            if passed > 60 * SECOND and self.chance(0.8):
                made = self.random_price((1, 2, 3, 4))
            else:
                made = self.bad_row() if self.chance(0.03) else self.pick()
            yield made
            self.take(made)

    def take(self, made):
        if self.own:
            self.twin.submit(made)


def small_limits(seed):
    """Narrow enough that tables fill and budgets run out now and then."""
    random = Random(f"limits {seed}")
    limits = Limits(
        assets=3,
        feeds=6,
        markets=4,
        risk_tiers=4,
        owners=8,
        accounts=24,
        legs=240,
        orders=60,
        references=4_000,
        recent_client_ids=8,
        ladder_ticks=1 << 16,
        orders_per_account=12,
        staged_rows=64,
    )
    if random.random() < 0.5:
        limits = replace(
            limits,
            accounts=random.choice((14, 24)),
            legs=64 + random.choice((15, 30, 50)),
            orders=random.choice((8, 20)),
            references=random.choice((40, 200)),
            orders_per_account=random.choice((3, 12)),
            liquidations_per_command=random.choice((1, 2, 64)),
            triggers_per_command=random.choice((1, 2, 64)),
            fills_per_command=random.choice((1, 4, 8_192)),
        )
    return limits


def random_commands(seed, count, twin=None):
    """COMMAND rows, a batch per command. With `twin`, the caller runs each batch on it before asking for the next."""
    yield from Flow(seed, twin).commands(count)
