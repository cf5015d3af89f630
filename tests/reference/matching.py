"""The book: who stands where, whether a fill may happen, and how an order meets it. See docs/concepts/orders.md."""

from dataclasses import dataclass

from steelyard.model import events
from steelyard.model.keys import M_FEE_TIERS, M_MAKER_PPM, M_PAID, M_TAKER_PPM, O_FEE_TIER, O_STP
from steelyard.model.orders import (
    BUY,
    FEES,
    FOR_MAINTAIN,
    ON_LAST,
    RESTING,
    STP_BOTH,
    STP_MAKER,
    STP_NONE,
    STP_OWNER,
    STP_TAKER,
)
from tests.reference import money, pairs
from tests.reference.closing import close_order, resting_reduce_only, shrink_reduce_only
from tests.reference.health import equity, gained, leaves_no_weaker, parts_of_change, requirement
from tests.reference.isolated import return_after_fill, shrink_margin
from tests.reference.numbers import part_up, value, worth
from tests.reference.positions import trade

ORDERS_LOOKED_AT_MAX = 4_096
EVENTS_PER_ORDER_MAX = 8_192


def book_side(twin, market, side):
    """Resting orders of one side, best price first, then oldest."""
    resting = [
        order
        for order in twin.orders.values()
        if order.market == market.row and order.side == side and order.state == RESTING
    ]
    return sorted(resting, key=lambda order: (-side * order.price, order.priority))


def best_price(twin, market, side):
    """0 if the side is empty."""
    side_of_book = book_side(twin, market, side)
    return side_of_book[0].price if side_of_book else 0


def crosses(order, price):
    """Would this order trade at a price of the other side? 0 is no price."""
    return bool(price) and (order.price >= price if order.side == BUY else order.price <= price)


def fee_rate(twin, account, market, column):
    tier = twin.owners[twin.accounts[account].owner][O_FEE_TIER]
    return market.rule[column + min(tier, market.rule[M_FEE_TIERS] - 1)]


def fees_of(twin, taker, maker, market, cost, liquidation):
    """(taker's fee, maker's fee). A rebate is never more than the taker paid."""
    taker_fee = 0 if liquidation else part_up(abs(cost), fee_rate(twin, taker, market, M_TAKER_PPM))
    maker_fee = part_up(abs(cost), fee_rate(twin, maker, market, M_MAKER_PPM))
    return taker_fee, max(maker_fee, -taker_fee)


def self_trade_mode(twin, order):
    account = order.account or order.home
    return order.stp if order.stp != STP_OWNER else twin.owners[twin.accounts[account].owner][O_STP]


def same_owner(twin, one, other):
    return twin.accounts[one].owner == twin.accounts[other].owner


def fill_may_happen(twin, resting, market, lots, fee):
    """Afterwards its owner is healthy, or no weaker than now."""
    signed, legs = resting.side * lots, twin.legs_of(resting.account)
    cost = worth(market.rule, signed, resting.price)
    if pairs.is_pair(market):
        return pairs.may_exchange(twin, resting, market, signed, cost + max(0, fee), strict=False)
    held = legs[market.thing].quantity
    if not can_pay(twin, resting, market, signed, cost + max(0, fee)):
        return False
    if healthy_after(twin, resting.account, market, signed, cost + max(0, fee)):
        return True
    return leaves_no_weaker(twin, legs, market, held + signed, gained(market, held, signed, cost))


def can_pay(twin, resting, market, lots, cost):
    """Where contracts are paid up a buy that does not reduce needs the cash; the fee is in the cost."""
    if not market.rule[M_PAID] or lots < 0 or resting.reduces:
        return True
    return cost <= pairs.held(twin, twin.legs_of(resting.account), twin.settle(market))


def healthy_after(twin, account, market, lots, cost):
    """With so many lots more that cost so many atoms; collateral as it is now. Nobody is, who owes too much."""
    legs = twin.legs_of(account)
    before = twin.quantity(account, market.thing)
    maintain = requirement(twin, legs, FOR_MAINTAIN)
    part_before, part_after = parts_of_change(twin, legs, market, before + lots)
    maintain += part_after - part_before
    gain = gained(market, before, lots, cost)
    healthy = equity(twin, legs) + value(gain, twin.assets[twin.settle(market)].price) >= maintain
    return healthy and not money.below_cap(twin, legs)


@dataclass
class Counted:
    """What a look at the book has counted for one account."""

    lots: int = 0  # signed
    cost: int = 0  # signed atoms, fees included
    not_reducing: int = 0  # lots of orders that are not reduce-only


def fillable_lots(twin, taker, market):
    """How much a fill-or-kill order would surely fill: the same path, looked at first."""
    mode, home, found, met = self_trade_mode(twin, taker), taker.account or taker.home, 0, {}
    for resting in book_side(twin, market, -taker.side)[:ORDERS_LOOKED_AT_MAX]:
        if found >= taker.remaining or not crosses(taker, resting.price):
            break
        if mode != STP_NONE and same_owner(twin, home, resting.account):
            if mode in (STP_TAKER, STP_BOTH):
                return 0
            continue
        if resting.account == home:
            continue
        lots = min(resting.remaining, taker.remaining - found)
        if resting.reduces:
            lots = min(lots, reducible(twin, resting, market, met.get(resting.account, Counted())))
        if lots and count_in(twin, taker, resting, market, lots, met):
            found += lots
    return found


def reducible(twin, resting, market, counted):
    """What a reduce-only order may surely still reduce."""
    held = abs(twin.quantity(resting.account, market.thing))
    spare = held - resting_reduce_only(twin, resting.account, market) - counted.not_reducing
    return max(0, resting.remaining + min(0, spare))


def count_in(twin, taker, resting, market, lots, met):
    """Counts this fill if it may happen after those already counted."""
    account, before = resting.account, met.get(resting.account, Counted())
    cost = worth(market.rule, resting.side * lots, resting.price)
    _, fee = fees_of(twin, taker.account or taker.home, account, market, cost, False)
    after = Counted(
        before.lots + resting.side * lots,
        before.cost + cost + max(0, fee),
        before.not_reducing + (0 if resting.reduces else lots),
    )
    if account in met and pairs.is_pair(market):
        allowed = pairs.may_exchange(twin, resting, market, after.lots, after.cost, strict=True)
    elif account in met:
        pays = can_pay(twin, resting, market, resting.side, before.cost + cost + max(0, fee))
        allowed = pays and healthy_after(twin, account, market, after.lots, after.cost)
    else:
        allowed = fill_may_happen(twin, resting, market, lots, fee)
    if allowed:
        met[account] = after
    return allowed


def match(twin, taker, market, liquidation=False):
    """Meets the book until it no longer crosses: (lots filled, signed cash received, reason if its rest must close)."""
    mode = self_trade_mode(twin, taker)
    filled, received, begun = 0, 0, len(twin.events)
    while taker.remaining:
        against = book_side(twin, market, -taker.side)
        if not against or not crosses(taker, against[0].price):
            break
        if taker.reduces and not twin.quantity(taker.account, market.thing):
            break
        if len(twin.events) - begun > EVENTS_PER_ORDER_MAX:
            return filled, received, events.CLOSED_WORK_LIMIT
        resting = against[0]
        if mode != STP_NONE and same_owner(twin, taker.account, resting.account):
            if mode in (STP_MAKER, STP_BOTH):
                close_order(twin, resting, events.CLOSED_SELF_TRADE)
            if mode in (STP_TAKER, STP_BOTH):
                return filled, received, events.CLOSED_SELF_TRADE
            continue
        lots = min(taker.remaining, resting.remaining)
        cost = worth(market.rule, taker.side * lots, resting.price)
        taker_fee, maker_fee = fees_of(twin, taker.account, resting.account, market, cost, liquidation)
        if not fill_may_happen(twin, resting, market, lots, maker_fee):
            close_order(twin, resting, events.CLOSED_MAINTENANCE)
            continue
        fill(twin, market, taker, resting, lots, (taker_fee, maker_fee), liquidation)
        filled += lots
        received -= cost
    return filled, received, 0


def fill(twin, market, taker, resting, lots, fees, liquidation):
    flags = events.FILL_LIQUIDATION if liquidation else 0
    moved = []
    for order, other, fee, flag in (
        (taker, resting, fees[0], flags),
        (resting, taker, fees[1], flags | events.FILL_MAKER),
    ):
        order.remaining -= lots
        order.filled += lots
        signed = order.side * lots
        cost = worth(market.rule, signed, resting.price)
        if pairs.is_pair(market):
            before = realised = 0
            holds = pairs.exchange(twin, order.account, market, signed, cost)
        else:
            before, realised = trade(twin, order.account, market, signed, cost)
            holds = twin.quantity(order.account, market.thing)
        money.book(twin, order.account, twin.settle(market), -fee)
        money.book(twin, FEES, twin.settle(market), fee)
        twin.emit(
            events.FILL,
            account=order.account,
            market=market.row,
            side=order.side,
            options=flag,
            order=order.id,
            other=other.id,
            price=resting.price,
            lots=lots,
            amount=realised,
            fee=fee,
            extra=holds,
            extra2=order.remaining,
        )
        moved.append((order.account, before))
    market.last = resting.price
    twin.prices_set.add((market.row, ON_LAST))
    shrink_margin(resting, resting.remaining + lots)
    if not resting.remaining:
        twin.retire(resting)
    for account, before in moved:
        shrink_reduce_only(twin, account, market)
        return_after_fill(twin, account, market, before)
