"""Spot pairs. See docs/concepts/pairs.md."""

from contextlib import ExitStack

from steelyard.model import reject
from steelyard.model.keys import (
    A_LOAN_CAP,
    M_ATOMS_PER_TICK_LOT,
    M_BASE,
    M_FEE_TIERS,
    M_KIND,
    M_LOT_ATOMS,
    M_MAKER_PPM,
    M_PAID,
    M_SETTLE,
    M_TAKER_PPM,
    M_TICKS_MAX,
    O_FEE_TIER,
    T_PRODUCTS,
)
from steelyard.model.orders import (
    BORROW,
    BUY,
    FOR_MAINTAIN,
    FOR_OPEN,
    ON_INDEX,
    POST_ONLY,
    POST_ONLY_SLIDE,
    PRODUCT_BORROWING,
    RESTING,
    SELL,
    SPOT,
    TO_OPEN,
)
from steelyard.state.tables import MARKET_0
from tests.reference import health, interest, money
from tests.reference.numbers import down, part_up, up, value
from tests.reference.rows import Leg, copied


def is_pair(market):
    return market.rule[M_KIND] == SPOT


def spends_cash(market):
    """Whether who buys must hold what he pays."""
    return is_pair(market) or market.rule[M_PAID] != 0


def assets_of(market):
    """(base, quote)"""
    return market.rule[M_BASE], market.rule[M_SETTLE]


def follow(twin, market):
    """The index of a pair is made from its assets' prices; True if anything changed."""
    base, quote = (twin.assets[row] for row in assets_of(market))
    index, until = 0, 0
    if quote.price > 0:
        lot = down(base.price * market.rule[M_LOT_ATOMS], quote.price)
        index = min(down(lot, market.rule[M_ATOMS_PER_TICK_LOT]), market.rule[M_TICKS_MAX])
    if index:
        until = min(base.fresh_until_ns, quote.fresh_until_ns)
    before = market.index, market.fresh_until_ns
    market.index, market.fresh_until_ns = index, until
    if index:
        twin.show(market, ON_INDEX, index != before[0])
    return (index, until) != before


# --- M(open) ----------------------------------------------------------------------------------------------------------


def sums(twin, leg, order=None):
    """(bids, asks, what the bids spend, what the asks bring) of one pair's resting orders, and of one more."""
    bids, asks, spent, brought = twin.resting_lots(leg)
    if order is not None and order.market + MARKET_0 == leg.thing:
        if order.side == BUY:
            bids, spent = bids + order.remaining, spent + order.remaining * order.reserve
        else:
            asks, brought = asks + order.remaining, brought + order.remaining * order.reserve
    return bids, asks, spent, brought


def flows(twin, legs, order=None):
    """({asset: spent}, {asset: brought}) by all orders in pairs and where contracts are paid up."""
    spent_of, brought_of = {}, {}

    def buys(leg):
        mine = [each for each in twin.open_orders(leg.account, leg.thing - MARKET_0) if each is not order]
        mine = [each for each in mine if each.state == RESTING]
        mine += [order] if order is not None and order.market + MARKET_0 == leg.thing else []
        return [each for each in mine if each.side == BUY and not each.reduces]

    for thing, leg in legs.items():
        if thing < MARKET_0 or not spends_cash(market := twin.markets[thing - MARKET_0]):
            continue
        base, quote = assets_of(market)
        if not is_pair(market):
            spent_of[quote] = spent_of.get(quote, 0) + sum(price_of_buy(twin, market, each) for each in buys(leg))
            continue
        bids, asks, spent, brought = sums(twin, leg, order)
        lot = market.rule[M_LOT_ATOMS]
        for table, asset, amount in (
            (spent_of, quote, spent),
            (spent_of, base, asks * lot),
            (brought_of, quote, brought),
            (brought_of, base, bids * lot),
        ):
            table[asset] = table.get(asset, 0) + amount
    return spent_of, brought_of


def price_of_buy(twin, market, order):
    """What it takes if it is filled whole, its fee included."""
    rule, tier = market.rule, twin.owners[twin.accounts[order.account].owner][O_FEE_TIER]
    tier = min(tier, rule[M_FEE_TIERS] - 1)
    rate = rule[M_TAKER_PPM + tier]
    if order.options & (POST_ONLY | POST_ONLY_SLIDE):
        rate = max(0, rule[M_MAKER_PPM + tier])
    lot = order.price * rule[M_ATOMS_PER_TICK_LOT]
    return order.remaining * (lot + part_up(lot, rate))


def holds_price(twin, market, order):
    """Is the cash there for this order, and all others that spend it?"""
    asset = market.rule[M_SETTLE]
    legs = dict(twin.legs_of(order.account))
    legs.setdefault(market.thing, Leg(0, order.account, market.thing))
    return flows(twin, legs, order)[0][asset] <= held(twin, legs, asset)


def pair_legs(twin, legs):
    return [leg for thing, leg in legs.items() if thing > MARKET_0 and is_pair(twin.markets[thing - MARKET_0])]


def held(twin, legs, asset):
    return interest.cash_now(twin, legs[asset]) if asset in legs else 0


def counts(twin, asset, quantity):
    """F: what so much cash adds to E - M(open)."""
    cash = Leg(0, 0, asset)
    cash.quantity = quantity
    return value(quantity, twin.assets[asset].price) - health.cash_requirement(twin, cash, FOR_OPEN)


def open_requirement(twin, legs, order=None):
    """What all orders in pairs ask for."""
    spent_of, brought_of = flows(twin, legs, order)

    def cost(asset, own):
        if not own:
            return 0
        has, everything = held(twin, legs, asset), spent_of[asset]
        lost = max(0, counts(twin, asset, has) - counts(twin, asset, has - everything))
        return up(lost * own, everything)

    def gain(asset, own):
        if not own:
            return 0
        has, everything = held(twin, legs, asset), brought_of[asset]
        gained = max(0, counts(twin, asset, has + everything) - counts(twin, asset, has))
        return down(gained * own, everything)

    def asks_for(each):
        market = twin.markets[each.market]
        base, quote = assets_of(market)
        lots, money = each.remaining * market.rule[M_LOT_ATOMS], each.remaining * each.reserve
        if each.side == BUY:
            return max(0, cost(quote, money) - gain(base, lots))
        return max(0, cost(base, lots) - gain(quote, money))

    total = 0
    for leg in pair_legs(twin, legs):
        market = leg.thing - MARKET_0
        orders = [each for each in twin.open_orders(leg.account, market) if each.state == RESTING and each is not order]
        orders += [order] if order is not None and order.market == market else []
        total += max(sum(asks_for(each) for each in orders if each.side == side) for side in (BUY, SELL))
    return total


def free(twin, account, asset):
    """Cash that no order in a pair is going to spend."""
    spent, _ = flows(twin, twin.legs_of(account))
    return money.cash(twin, account, asset) - spent.get(asset, 0)


# --- Checks -----------------------------------------------------------------------------------------------------------


def check_order(twin, market, order):
    """In place of the margin check of a position."""
    base, quote = assets_of(market)
    asset = quote if order.side == BUY else base
    with interest.as_if_accrued(twin, asset):
        legs = dict(twin.legs_of(order.account))
        for thing in (quote, base, market.thing):
            legs.setdefault(thing, Leg(0, order.account, thing))
        check_spending(twin, legs, asset, order)
        over_cap = money.below_cap(twin, legs)
        missing = health.requirement(twin, legs, FOR_OPEN, order) - health.equity(twin, legs)
        if missing <= 0 and not over_cap:
            return
        bids, asks, spent, brought = sums(twin, legs[market.thing], order)
        lot = market.rule[M_LOT_ATOMS]
        changes = {base: bids * lot, quote: -spent} if order.side == BUY else {base: -asks * lot, quote: brought}
        if leaves_no_weaker(twin, legs, changes):
            return
        twin.require(not over_cap, reject.LOAN_CAP_EXCEEDED)
        twin.require(False, reject.OPENING_MARGIN_EXCEEDED)


def check_spending(twin, legs, asset, order):
    spent, has = flows(twin, legs, order)[0][asset], held(twin, legs, asset)
    if spent <= max(0, has):
        return
    twin.require(order.options & BORROW, reject.BALANCE_TOO_LOW)
    products = twin.tiers[twin.risk_tier_of(order.account)][T_PRODUCTS]
    twin.require(products & PRODUCT_BORROWING, reject.TIER_FORBIDS_PRODUCT)
    twin.require(spent - has <= twin.assets[asset].rule[A_LOAN_CAP], reject.LOAN_CAP_EXCEEDED)
    refused = money.loan_refusal(twin, order.account, asset, spent - max(0, has))
    twin.require(not refused, refused)


def exchanged(twin, legs, changes):
    """The legs as they would be, with {asset: change}."""
    after = copied(twin, legs)
    for asset, change in changes.items():
        after.setdefault(asset, Leg(0, 0, asset)).quantity += change
    return after


def leaves_no_weaker(twin, legs, changes):
    after = exchanged(twin, legs, changes)
    equity_before, equity_after = health.equity(twin, legs), health.equity(twin, after)
    before, now = health.requirement(twin, legs, FOR_MAINTAIN), health.requirement(twin, after, FOR_MAINTAIN)
    if now >= before:
        return False
    return equity_after >= equity_before if equity_before < 0 else equity_after * before >= equity_before * now


def may_exchange(twin, resting, market, lots, cost, strict):
    """May the owner of a resting order take these lots for this much of the quote, fees in it?"""
    legs, (base, quote) = twin.legs_of(resting.account), assets_of(market)
    changes = {base: lots * market.rule[M_LOT_ATOMS], quote: -cost}
    asset, spent = (quote, cost) if lots > 0 else (base, -changes[base])
    has = held(twin, legs, asset)
    if spent > max(0, has):
        borrows = resting.options & BORROW and twin.is_good(twin.assets[asset], TO_OPEN)
        if not borrows or spent - has > twin.assets[asset].rule[A_LOAN_CAP]:
            return False
        if money.loan_refusal(twin, resting.account, asset, spent - max(0, has)):
            return False
    if health.is_healthy(twin, exchanged(twin, legs, changes)) and not money.below_cap(twin, legs):
        return True
    return not strict and leaves_no_weaker(twin, legs, changes)


# --- Fills ------------------------------------------------------------------------------------------------------------


def exchange(twin, account, market, lots, cost):
    """Books base against quote, what comes first; what the account has of the base then."""
    base, quote = assets_of(market)
    movements = [(base, lots * market.rule[M_LOT_ATOMS]), (quote, -cost)]
    for asset, amount in movements if lots > 0 else reversed(movements):
        money.book(twin, account, asset, amount)
    return twin.quantity(account, base)


def as_if_accrued(twin, market):
    """Inside, what a market moves has the indices that its fills will see."""
    stack = ExitStack()
    for asset in (market.rule[M_SETTLE], market.rule[M_BASE]):
        if asset:
            stack.enter_context(interest.as_if_accrued(twin, asset))
    return stack
