"""Random commands aimed at a small venue, so that interesting things happen often.

A flow is decided by its seed alone: the limits, the venue, and every command. It looks at the twin to name orders,
accounts and references that exist, and prices that matter.
"""

import numpy as np

from steelyard.model.commands import (
    AMEND_ORDER,
    ASSET,
    CANCEL_AFTER,
    CANCEL_ALL,
    CANCEL_ORDER,
    CLAIM,
    CLOCK,
    COMMAND,
    CONFIRM_WITHDRAWAL,
    CURVE,
    LEAVE,
    LIQUIDATE,
    MARKET,
    MOVE_MARGIN,
    OPEN_ACCOUNT,
    PLACE_ORDER,
    REDEEM,
    RETURN_WITHDRAWAL,
    SET_LEVERAGE,
    SET_MARGIN_MODE,
    SUPPLY,
    TRANSFER,
    WITHDRAW,
)
from steelyard.model.keys import (
    A_OFFER,
    A_POOL_COOL_NS,
    A_POOL_KIND,
    A_POOL_OF,
    C_CHIP_PPM,
    C_LASTS_NS,
    C_POINT,
    C_SIZE,
    C_TAKER,
    C_THEN,
    C_TIP,
    HOUR,
    M_BASE,
    M_LEVERAGE_DEFAULT,
    M_ORDER_LOTS_MAX,
    M_PAID,
    M_SETTLE,
    M_STATE,
    SECOND,
)
from steelyard.model.orders import (
    BACKSTOP,
    BORROW,
    BUY,
    CLOSE_POSITION,
    CONVERTER,
    FOR_BOOK,
    FOR_OPEN,
    GTT,
    INSURANCE,
    IOC,
    POST_ONLY,
    POST_ONLY_SLIDE,
    REDUCE_ONLY,
    RESTART,
    SELL,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    USER,
)
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, PPM
from steelyard.state.tables import MARKET_0
from tests.property.towns import COIN, COIN_FEED, Town, client
from tests.reference.health import equity, requirement
from tests.reference.ladders import are_issued, beginning, pairs, standing_offer, wait
from tests.reference.matching import best_price
from tests.reference.numbers import worth
from tests.reference.settlement import due
from tests.telling import command


class Flow(Town):
    step = 0  # how far time went last

    # --- Prices and time ---

    def random_price(self, feeds=None):
        moves = {}
        if feeds is None and self.lends and self.chance(0.4):
            return self.price({COIN_FEED: self.random.choice((-1, 1)) * self.random.randint(20_000, 150_000)})
        for feed in feeds or self.random.sample((1, 2, 3, 4), self.random.choice((1, 1, 2, 4))):
            wide = 5_000 if self.chance(self.calm) else self.random.choice((30_000, 80_000, 300_000))
            away = PPM - self.prices[feed - 1] * PPM // self.bases[feed - 1]  # prices come back in the end
            moves[feed] = self.random.randint(-wide, wide) + min(away, PPM) // 20
        return self.price(moves)

    def pass_time(self):
        step = self.random.choices(
            (0, 1, SECOND, 7 * SECOND, 61 * SECOND, 600 * SECOND, HOUR + 1, 24 * HOUR), (30, 10, 30, 20, 8, 2, 0.6, 0.1)
        )[0]
        pending = [due(market) for market in self.twin.markets.values() if due(market) > self.now]
        if self.ends and pending and self.dates.random() < 0.006:
            step = min(pending) - self.now + self.dates.choice((-1, 0, 0, 1, SECOND))
        self.now += step
        self.step = step
        return step

    # --- Who and what ---

    def user(self):
        users = [row for row, account in self.twin.accounts.items() if account.role == USER]
        if not users or self.chance(0.02):
            return self.random.randint(-1, len(self.twin.accounts) + 1)
        return self.random.choice(users)

    def market(self):
        return self.random.randint(-1, 5) if self.chance(0.01) else self.random.choice(self.traded)

    def asset(self):
        if self.chance(0.02):
            return self.random.randint(-1, 6)
        shares = self.shares()
        return self.random.choice(list(shares)) if shares and self.chance(0.1) else self.random.choice((1, COIN))

    def shares(self):
        """{share: what is lent}"""
        return {row: each.rule[A_POOL_OF] for row, each in self.twin.assets.items() if each.rule[A_POOL_OF]}

    def mark(self, market):
        held = self.twin.markets.get(market)
        return held.mark if held and held.mark else 100

    # --- Commands ---

    def random_deposit(self):
        asset = self.asset()
        amount = self.worth(asset, self.random.choice((10, 5_000, 20_000, 100_000))) if self.chance(0.97) else 1 << 53
        account = self.random.randint(1, 6) if self.chance(0.2) else self.user()
        return self.deposit(account, asset, -amount if self.chance(0.02) else amount)

    def amount_of(self, account, asset):
        held = self.twin.quantity(account, asset) if account in self.twin.accounts else 0
        return self.random.choice((held, held + 1, held // 2, held // 10, 1, 0, self.worth(asset, 3_000)))

    def random_withdraw(self):
        account = self.random.randint(1, 6) if self.chance(0.15) else self.user()
        asset = self.asset()
        line = {"account": account, "market": asset, "lots": self.amount_of(account, asset), **self.new_reference()}
        return command(WITHDRAW, self.now, line | self.loan())

    def random_transfer(self):
        giver = self.random.randint(1, 6) if self.chance(0.15) else self.user()
        asset = self.asset()
        line = {"account": giver, "order": self.user(), "market": asset, "lots": self.amount_of(giver, asset)}
        return command(TRANSFER, self.now, line | self.new_reference() | self.loan())

    def random_supply(self):
        shares = self.shares()
        lent = self.random.choice(list(shares.values())) if shares and self.chance(0.97) else self.asset()
        rich = [each for each in self.twin.accounts if self.twin.quantity(each, lent) > 0]
        account = self.random.choice(rich) if rich and self.chance(0.9) else self.user()
        line = {"account": account, "market": lent, "lots": self.amount_of(account, lent), **self.new_reference()}
        return command(SUPPLY, self.now, line | ({"options": 1} if self.chance(0.01) else {}))

    def random_stake(self):
        """Into a pool that absorbs, out of it, its gains, or a new epoch."""
        pick, chance = self.stake_random.choice, self.stake_random.random
        pools = {row: each for row, each in self.twin.assets.items() if each.rule[A_POOL_KIND]}
        if self.backed and chance() < 0.1:
            return pick((self.payers, self.payers, lambda: self.backing_pool(pick((1, COIN)))))()
        if not pools or chance() < 0.06:
            return pick((self.stake_pool, self.step_for_pool))(pick((1, COIN)))
        if chance() < 0.3:
            return self.ruin()
        row = pick(list(pools))
        staked = pools[row].rule[A_POOL_OF]
        holders = [each for each in self.twin.accounts if self.twin.quantity(each, row)]
        if chance() < 0.5 or not holders:
            rich = [each for each in self.twin.accounts if self.twin.quantity(each, staked) > 0] or [1]
            account = pick(rich)
            part = self.twin.quantity(account, staked) // pick((1, 2, 5, 20))
            amount = min(part, self.worth(staked, 100_000), AMOUNT_MAX)
            line = {"account": account, "market": staked, "order": row, "lots": amount, **self.new_reference()}
            return command(SUPPLY, self.now, line | ({"order": pick((0, 1, 9))} if chance() < 0.03 else {}))
        account = pick(holders)
        held = self.twin.quantity(account, row)
        if pools[row].rule[A_POOL_COOL_NS] and chance() < 0.5:
            lots = pick((held, held, held // 2, 0, held + 1, -1))
            return command(LEAVE, self.now, {"account": account, "market": row, "lots": lots})
        if chance() < 0.4:
            line = {"account": account, "market": row}
            return command(CLAIM, self.now, line | (pick(({"market": 9}, {"market": 1})) if chance() < 0.05 else {}))
        line = {"account": account, "market": row, "lots": max(1, held // pick((1, 3, 10))), **self.new_reference()}
        if chance() < 0.3:
            return command(TRANSFER, self.now, line | {"order": pick(list(self.twin.accounts))})
        return command(REDEEM, self.now, line)

    def random_sale(self):
        """Towards a sale of collateral: somebody's debt grows too large for it, or its ladder leads to a book again."""
        pick, chance = self.sale_random.choice, self.sale_random.random
        books = [row for row, rule in self.twin.curves.items() if rule[C_TAKER] == FOR_BOOK]
        draw = chance()
        if draw < 0.05 or not books:
            return self.step_for_book(pick((1, COIN)))
        if draw < 0.15:
            return self.configure(ASSET, {A_OFFER: pick(books)}, pick((1, COIN)))
        if draw < 0.18:
            return self.configure(MARKET, {M_STATE: pick((1, 2, 3, 3, 4))}, 4)
        if draw < 0.4 and 4 in self.twin.markets:  # which may have been refused
            return self.quote_in_pair()
        if draw < 0.6:
            return self.random_loan()
        found = []
        for row, account in self.twin.accounts.items():
            dollars, coins = self.twin.quantity(row, 1), self.twin.quantity(row, COIN)
            if account.role == USER and dollars * coins < 0:
                part = pick((94, 101, 104, 107, 111))
                part = part if coins > 0 else 200 - part
                found.append(abs(dollars) * ASSET_PRICE_SCALE // abs(coins) * part // 100)
        if not found:
            return self.random_loan()
        move = pick(found) * PPM // self.prices[0] - PPM
        return self.price({1: max(-900_000, min(move, 3 * PPM))})

    def has_ended(self):
        """Somebody in liquidation offers nothing any more."""
        return any(wait(self.twin, row) is None for row, _, _ in self.with_ladders())

    def with_ladders(self):
        """(account in liquidation, collateral, debt) where there is a ladder."""
        started = [row for row, account in self.twin.accounts.items() if account.started]
        every = [(row, *pair) for row in started for pair in pairs(self.twin, row)]
        return [each for each in every if beginning(self.twin, *each[1:])]

    def short_ladder(self):
        """One that ends soon, of some asset."""
        pick, rules = self.keepers.choice, self.twin.curves.items()
        short = [row for row, rule in rules if 0 < rule[C_LASTS_NS] <= 60 * SECOND and rule[C_THEN] == 0]
        if not short or self.keepers.random() < 0.1:
            terms = {C_LASTS_NS: 5 * SECOND, C_SIZE: 1, C_TIP: pick((0, 7, 3_000)), C_CHIP_PPM: pick((0, 20_000, PPM))}
            return self.configure(CURVE, terms | {C_POINT + i: 10_000 for i in range(33)})
        return self.configure(ASSET, {A_OFFER: pick(short)}, pick((1, COIN)))

    def random_restart(self):
        """Offers of somebody in liquidation begin again, most often where none is left."""
        pick, every = self.keepers.choice, self.with_ladders()
        if self.keepers.random() < (0.1 if every else 0.7):
            return self.short_ladder()
        if every and self.twin.quantity(INSURANCE, 1) <= 0 and self.keepers.random() < 0.5:
            return self.deposit(INSURANCE, 1, self.worth(1, 5_000))  # who has nothing pays no keeper
        for asset in {debt for _, _, debt in every} if self.keepers.random() < 0.6 else ():
            coins = self.twin.quantity(CONVERTER, asset)
            if coins > 0:  # offers begin again where nobody converts
                line = {"account": CONVERTER, "market": asset, "lots": coins, **self.new_reference()}
                return command(WITHDRAW, self.now, line)
        ended = [each for each in every if wait(self.twin, each[0]) is None]
        line = {"account": self.user(), "options": RESTART}
        if every:
            chosen = pick(ended if ended and self.keepers.random() < 0.9 else every)
            line |= {"order": chosen[0], "market": chosen[1], "trigger": chosen[2]}
        if self.keepers.random() < 0.04:
            line |= pick(({"lots": 1}, {"price": 1}, {"options": 5}, {"market": 9}, {"account": 1}))
        return command(LIQUIDATE, self.now, line)

    def quote_in_pair(self):
        """Somebody who has the cash takes the other side of a sale, a little away from the mark."""
        if 4 not in self.twin.markets:
            return self.random_order()  # it was refused
        rule, side = self.twin.markets[4].rule, self.sale_random.choice((BUY, SELL))
        spent = rule[M_SETTLE if side == BUY else M_BASE]
        rich = [row for row, each in self.twin.accounts.items() if each.role == USER and not each.queued]
        account = max(rich or [1], key=lambda row: self.twin.quantity(row, spent))
        price = self.mark(4) * (PPM - side * self.sale_random.randint(-1_000, 40_000)) // PPM
        line = {"account": account, "market": 4, "side": side, "lots": self.sale_random.randint(1, 9)}
        return command(PLACE_ORDER, self.now, line | {"price": max(1, price)})

    def random_spread(self):
        """What was gained for debts; another step; somebody who owes coins is ruined."""
        pick, chance = self.spread_random.choice, self.spread_random.random
        if chance() < 0.03:
            yield self.step_for_borrowers()
            return
        owing = [each for each in self.twin.accounts if self.twin.quantity(each, COIN) < 0]
        if chance() < 0.4 and owing:
            yield command(CLAIM, self.now, {"account": pick(owing), "market": COIN})
        elif len(owing) < 4 or chance() < 0.2:
            yield from self.coin_debt(
                pick([row for row, each in self.twin.accounts.items() if each.role == USER] or [1])
            )
        else:
            yield self.ruin_of_coins(owing)

    def ruin_of_coins(self, owing):
        """The coin rises to where somebody's dollars are not worth what he owes."""
        found = []
        for row in owing:
            dollars = self.twin.quantity(row, 1)
            if dollars > 0:
                found.append(dollars * ASSET_PRICE_SCALE // -self.twin.quantity(row, COIN))
        if not found:
            return self.random_loan()
        move = self.spread_random.choice((min(found), self.spread_random.choice(found))) * PPM // self.prices[0] - PPM
        return self.price({1: max(-900_000, min(move + self.spread_random.randint(-50_000, 20_000), 3 * PPM))})

    def random_redeem(self):
        shares = self.shares()
        row = self.random.choice(list(shares)) if shares and self.chance(0.97) else self.asset()
        holders = [each for each in self.twin.accounts if self.twin.quantity(each, row)]
        account = self.random.choice(holders) if holders and self.chance(0.9) else self.user()
        lots = self.random.choice((self.amount_of(account, row), self.random.randint(1, 1_000)))
        line = {"account": account, "market": row, "lots": lots, **self.new_reference()}
        return command(REDEEM, self.now, line | {"options": self.random.choice((0, 0, 0, 1, 1, 2))})

    def random_loan(self):
        """Coins against collateral, close to what may be borrowed."""
        if not self.lends:
            return self.random_withdraw()
        users = [row for row, account in self.twin.accounts.items() if account.role == USER]
        account, asset, spare = self.random.choice(users or [1]), self.random.choice((1, COIN)), 0
        if account in self.twin.accounts:
            legs = self.twin.legs_of(account)
            spare = equity(self.twin, legs) - requirement(self.twin, legs, FOR_OPEN)
            held = {each: self.twin.quantity(account, each) * self.twin.assets[each].price for each in (1, COIN)}
            if self.chance(0.9):
                asset = min(held, key=held.get)
        value = max(1, spare) * self.random.choice((60, 95, 99)) // 100
        amount = min(1 << 60, value * ASSET_PRICE_SCALE // max(1, self.twin.assets[asset].price))
        line = {"account": account, "market": asset, "lots": max(1, amount), "options": 1, **self.new_reference()}
        return command(WITHDRAW, self.now, line)

    def ruin(self):
        """The coin goes where somebody's coins, or dollars, are worth less than what he owes of the other."""
        found = []
        for row, account in self.twin.accounts.items():
            dollars, coins = self.twin.quantity(row, 1), self.twin.quantity(row, COIN)
            if account.role == USER and dollars * coins < 0:
                found.append(abs(dollars) * ASSET_PRICE_SCALE // abs(coins) * (90 if coins > 0 else 110) // 100)
        if not found:
            return self.random_loan()
        move = self.random.choice(found) * PPM // self.prices[0] - PPM
        return self.price({1: max(-900_000, min(move, 3 * PPM))})

    def loan(self):
        """Now and then what is not held may be borrowed."""
        return {"options": self.random.choice((1, 1, 1, 2, -1))} if self.chance(0.4) else {}

    def with_offers(self):
        """Accounts in liquidation, and what each offers: (account, collateral, debt)."""
        started = [row for row, account in self.twin.accounts.items() if account.started]
        every = [(row, *pair) for row in started for pair in pairs(self.twin, row)]
        found = [each for each in every if self.chance(0.02) or standing_offer(self.twin, *each)]
        return found + [(row, COIN, 1) for row in started if are_issued(self.twin, row, COIN, 1)]

    def random_bid(self):
        """For what an account in liquidation holds and owes; several of one instant, as often as not."""
        queued = self.with_offers()
        if not queued or self.chance(0.02):
            asset = self.asset()
            line = {"account": self.user(), "order": self.user(), "market": asset, "trigger": 3 - asset}
            return command(LIQUIDATE, self.now, line | {"lots": self.random.choice((0, 1, 1_000))})
        if self.chance(0.8):
            self.now = max(self.now - self.step, self.twin.now)
        target, collateral, debt = self.random.choice(queued)
        users = [row for row, account in self.twin.accounts.items() if account.role == USER and not account.queued]
        richest = sorted(users, key=lambda row: -self.twin.quantity(row, debt))[:3] or [1]
        bidder = self.random.choice(richest) if self.chance(0.85) else self.user()
        owed, held = -self.twin.quantity(target, debt), self.twin.quantity(target, collateral)
        lots = self.random.choice((owed, owed, owed + 1, 2 * owed, owed // 2, owed // 7, max(0, owed - 3), 1))
        prices = [self.twin.assets[asset].price for asset in (debt, collateral)]
        worth = min(1 << 60, lots * prices[0] // max(1, prices[1]))
        least = self.random.choice((0, 0, 0, worth, worth * 101 // 100, worth * 97 // 100, held, 1))
        options = self.random.choice((0, 0, 0, 1, 2, 2, 3)) if self.chance(0.97) else self.random.choice((-1, 4))
        line = {"account": bidder, "order": target, "market": collateral, "trigger": debt, "lots": lots}
        return command(LIQUIDATE, self.now, line | {"price": least, "options": options})

    def random_reference(self):
        kind = self.random.choice((CONFIRM_WITHDRAWAL, RETURN_WITHDRAWAL))
        pending = [words[0] for words, each in self.twin.references.items() if each.state == 2]
        number = self.random.choice(pending) if pending and self.chance(0.8) else self.random.randint(0, 50)
        return command(kind, self.now, client(number))

    def random_margin(self):
        children = [account for account in self.twin.accounts.values() if account.parent]
        if children and self.chance(0.9):
            child = self.random.choice(children)
            asset = self.twin.settle(self.twin.markets[child.market])
            amount = self.amount_of(self.random.choice((child.row, child.parent)), asset)
            line = {"account": child.parent, "market": child.market}
        else:
            amount, line = self.random.randint(-2_000, 2_000), {"account": self.user(), "market": self.market()}
        return command(MOVE_MARGIN, self.now, line | {"lots": self.random.choice((1, -1)) * amount})

    def random_leverage(self):
        lots = self.random.choice((0, 1, 2, 3, 5, 10, 20, 50, 1_000, 1_001))
        return command(SET_LEVERAGE, self.now, {"account": self.user(), "market": self.market(), "lots": lots})

    def random_mode(self):
        lots = self.random.choice((0, 1, 1, 1, 1, 2))
        return command(SET_MARGIN_MODE, self.now, {"account": self.user(), "market": self.market(), "lots": lots})

    def random_order(self):
        pick, uniform = self.random.choice, self.random.randint
        market, account = self.market(), self.user()
        side, mark = pick((BUY, SELL)), self.mark(market)
        held = self.quantity(account, market)
        if held and self.chance(0.3):
            side = SELL if held > 0 else BUY
        line = {"account": account, "market": market, "side": side, "stp": pick((0, 0, 0, 1, 2, 3, 4))}
        line["lots"] = pick(
            (
                uniform(1, 8),
                self.affordable(account, market, side),
                self.affordable(account, market, side),
                abs(held) or 1,
            )
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
        if market == 4 and self.pairs and self.chance(0.5):
            line["options"] = line.get("options", 0) | BORROW
        if self.chance(0.2 if held else 0.03):
            line["options"] = line.get("options", 0) | REDUCE_ONLY
        if self.chance(0.18):
            self.add_trigger(line, mark)
        if self.chance(0.2):
            line |= client(uniform(1, 25))
        return command(PLACE_ORDER, self.now, line)

    def unwind(self):
        """The backstop sells what it took over."""
        held = [leg for leg in self.twin.legs_of(BACKSTOP).values() if leg.thing > MARKET_0 and leg.quantity]
        if not held:
            return self.random_price()
        leg = self.random.choice(held)
        market, side = leg.thing - MARKET_0, SELL if leg.quantity > 0 else BUY
        line = {"account": BACKSTOP, "market": market, "side": side, "lots": self.random.randint(1, abs(leg.quantity))}
        line["price"] = self.limit_price(market, side, self.mark(market))
        return command(PLACE_ORDER, self.now, line | {"options": REDUCE_ONLY if self.chance(0.95) else 0})

    def random_quote(self):
        """Somebody stands ready on one side, close to the mark."""
        market, side = self.random.choice(self.traded), self.random.choice((BUY, SELL))
        users = [row for row, account in self.twin.accounts.items() if account.role == USER]
        account = (
            max(users, key=lambda row: self.affordable(row, market)) if users and self.chance(0.7) else self.user()
        )
        price = max(1, self.mark(market) - side * self.random.randint(0, 3))
        line = {"account": account, "market": market, "side": side, "price": price}
        line["lots"] = self.random.choice((3, 10, 30))
        if market in self.twin.markets and self.twin.markets[market].rule[M_PAID]:
            line["lots"] = self.affordable(account, market, side)
        return command(PLACE_ORDER, self.now, line)

    def limit_price(self, market, side, mark):
        """Beside the mark, or at a price that trades."""
        held = self.twin.markets.get(market)
        opposite = best_price(self.twin, held, -side) if held else 0
        if opposite and self.chance(0.45):
            return max(0, opposite + side * self.random.choice((0, 0, 1, 5)))
        return self.near(mark, self.random.choice((2_000, 15_000, 40_000)))

    def affordable(self, account, market, side=SELL):
        """About as many lots as the account's means allow."""
        if account not in self.twin.accounts or market not in self.twin.markets:
            return 1
        legs, held = self.twin.legs_of(account), self.twin.markets[market]
        spare = equity(self.twin, legs) - requirement(self.twin, legs, FOR_OPEN)
        price = self.twin.assets[self.twin.settle(held)].price
        lot = max(1, abs(worth(held.rule, 1, self.mark(market))) * price // ASSET_PRICE_SCALE)
        lots = spare * held.rule[M_LEVERAGE_DEFAULT] // lot
        if held.rule[M_PAID] and side == BUY:  # what a buyer can pay
            cash = self.twin.quantity(account, self.twin.settle(held))
            lots = cash // max(1, abs(worth(held.rule, 1, self.mark(market))))
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
        return command(CANCEL_ORDER, self.now, found[0] if isinstance(found, tuple) else found)

    def random_amend(self):
        found = self.an_order()
        if not isinstance(found, tuple):
            return command(AMEND_ORDER, self.now, found | {"lots": 5})
        line, order = found
        price = self.random.choice((0, order.price, self.near(self.mark(order.market), 30_000)))
        lots = self.random.choice((0, order.lots, order.lots - 1, order.filled, order.lots + self.random.randint(1, 9)))
        return command(AMEND_ORDER, self.now, line | {"price": price, "lots": lots})

    def random_cancel_all(self):
        market = self.market() if self.chance(0.5) else 0
        return command(CANCEL_ALL, self.now, {"account": self.user(), "market": market})

    def random_cancel_after(self):
        lots = self.random.choice((0, 1, SECOND, 20 * SECOND, -1))
        return command(CANCEL_AFTER, self.now, {"account": BACKSTOP if self.chance(0.2) else self.user(), "lots": lots})

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

    def too_long(self):
        """A set of prices about as long as the stage, or longer; cut short sometimes."""
        made = self.random_price((1, 2, 3, 4))
        room = self.twin.limits.staged_rows
        rows = np.resize(made, room + self.random.choice((-1, 0, 1, 2, room)))
        rows["last"] = 0
        rows["last"][-1] = self.chance(0.8)
        return rows

    def say_clock(self):
        return command(CLOCK, self.now, {})

    def say_open_account(self):
        return command(OPEN_ACCOUNT, self.now, {"account": self.random.randint(0, 6)})

    def pick(self):
        maker = self.random.choices(list(MAKERS), list(MAKERS.values()))[0]
        return maker(self)

    def commands(self, count):
        """The venue, then so many random commands."""
        for made in self.venue():
            yield made
            self.take(made)
        for _ in range(count):
            passed = self.pass_time()
            self.now = max(self.now, self.twin.now)
            if self.ends and self.dates.random() < 0.003:
                made = self.delisting()
            elif self.scanned and self.risks.random() < 0.05:
                made = self.risk_change()
            elif passed > 60 * SECOND and self.chance(0.8):
                made = self.random_price((1, 2, 3, 4))
            else:
                if (self.stakes or self.backed) and self.stake_random.random() < 0.25:
                    made = self.random_stake()
                    yield made
                    self.take(made)
                if self.lends and self.keepers.random() < (0.3 if self.has_ended() else 0.02):
                    made = self.random_restart()
                    yield made
                    self.take(made)
                if self.sells and self.sale_random.random() < 0.3:
                    made = self.random_sale()
                    yield made
                    self.take(made)
                if self.spreads and self.spread_random.random() < 0.2:
                    for made in self.random_spread():
                        yield made
                        self.take(made)
                bids = self.lends and self.chance(0.7) and self.with_offers()
                made = self.bad_row() if self.chance(0.03) else self.random_bid() if bids else self.pick()
            yield made
            self.take(made)

    def take(self, made):
        if self.own:
            self.twin.submit(made)


# How often each kind of command is said.
MAKERS = {
    Flow.random_price: 26,
    Flow.random_order: 40,
    Flow.random_quote: 12,
    Flow.unwind: 2,
    Flow.random_amend: 4,
    Flow.random_cancel: 4,
    Flow.random_cancel_all: 0.7,
    Flow.random_cancel_after: 0.7,
    Flow.random_deposit: 3,
    Flow.random_withdraw: 2,
    Flow.random_transfer: 2,
    Flow.random_supply: 4,
    Flow.random_redeem: 3,
    Flow.random_loan: 12,
    Flow.random_bid: 1,
    Flow.ruin: 1,
    Flow.random_reference: 1,
    Flow.random_margin: 2,
    Flow.random_leverage: 1.5,
    Flow.random_mode: 1.5,
    Flow.random_configuration: 4,
    Flow.reopen: 1.5,
    Flow.freeze: 0.6,
    Flow.say_clock: 2,
    Flow.too_long: 0.3,
    Flow.say_open_account: 0.3,
}


def random_commands(seed, count, twin=None):
    """COMMAND rows, a batch per command. With `twin`, the caller runs each batch on it before asking for the next."""
    yield from Flow(seed, twin).commands(count)
