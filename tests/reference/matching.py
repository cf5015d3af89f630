"""The book: who stands where, whether a fill may happen, and how an order meets it. See docs/concepts/orders.md."""

from dataclasses import dataclass, field

from steelyard.model import events
from steelyard.model.keys import M_ATOMS_PER_TICK_LOT, M_FEE_TIERS, M_MAKER_PPM, M_TAKER_PPM, O_FEE_TIER, O_STP
from steelyard.model.orders import (
    BUY,
    FEES,
    FOR_MAINTAIN,
    RESTING,
    STP_BOTH,
    STP_MAKER,
    STP_NONE,
    STP_OWNER,
    STP_TAKER,
)
from tests.reference import money
from tests.reference.closing import close_order, shrink_reduce_only
from tests.reference.health import equity, leaves_no_weaker, requirement
from tests.reference.isolated import return_after_fill
from tests.reference.numbers import part_up
from tests.reference.positions import trade, trade_on_copy
from tests.reference.rows import copied

FILLS_PER_ORDER_MAX = 4096


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
    taker_fee = 0 if liquidation else part_up(cost, fee_rate(twin, taker, market, M_TAKER_PPM))
    maker_fee = part_up(cost, fee_rate(twin, maker, market, M_MAKER_PPM))
    return taker_fee, max(maker_fee, -taker_fee)


def self_trade_mode(twin, order):
    account = order.account or order.home
    return order.stp if order.stp != STP_OWNER else twin.owners[twin.accounts[account].owner][O_STP]


def same_owner(twin, one, other):
    return twin.accounts[one].owner == twin.accounts[other].owner


@dataclass
class Looked:
    """What a look at the book has already counted for one account."""

    legs: dict
    lots: int = 0  # signed
    atoms: int = field(default=0)  # gained against the mark, fee set aside


def fill_may_happen(twin, resting, market, lots, fee, looked=None):
    """Afterwards its owner is healthy, or no weaker than now. `looked` carries on what was counted before."""
    a = market.rule[M_ATOMS_PER_TICK_LOT]
    before = looked or Looked(twin.legs_of(resting.account))
    signed = resting.side * lots
    legs = copied(before.legs)
    trade_on_copy(twin, legs, market, signed, signed * resting.price * a, fee)
    total = before.lots + signed
    atoms = before.atoms + signed * (market.mark - resting.price) * a
    now = twin.legs_of(resting.account)
    allowed = equity(twin, legs) >= requirement(twin, legs, FOR_MAINTAIN) or leaves_no_weaker(
        twin, now, market, now[market.thing].quantity + total, atoms
    )
    if allowed and looked:
        looked.legs, looked.lots, looked.atoms = legs, total, atoms
    return allowed


def fillable_lots(twin, taker, market):
    """How much a fill-or-kill order would surely fill: the same path, looked at first."""
    mode, counted, fills, met = self_trade_mode(twin, taker), 0, 0, {}
    for resting in book_side(twin, market, -taker.side):
        if counted >= taker.remaining or fills >= FILLS_PER_ORDER_MAX or not crosses(taker, resting.price):
            break
        if mode != STP_NONE and same_owner(twin, taker.account or taker.home, resting.account):
            if mode in (STP_TAKER, STP_BOTH):
                break
            continue
        looked = met.setdefault(resting.account, Looked(twin.legs_of(resting.account)))
        lots = min(resting.remaining, taker.remaining - counted)
        if resting.reduces:
            left = twin.quantity(resting.account, market.thing) + looked.lots
            lots = min(lots, max(0, -resting.side * left))
        cost = lots * resting.price * market.rule[M_ATOMS_PER_TICK_LOT]
        _, fee = fees_of(twin, taker.account or taker.home, resting.account, market, cost, False)
        if lots and fill_may_happen(twin, resting, market, lots, fee, looked):
            counted += lots
            fills += 1
    return counted


def match(twin, taker, market, liquidation=False):
    """Meets the book until it no longer crosses: (lots filled, signed cash received, closed by a rule of its own)."""
    a, mode = market.rule[M_ATOMS_PER_TICK_LOT], self_trade_mode(twin, taker)
    filled, received, fills = 0, 0, 0
    while taker.remaining:
        against = book_side(twin, market, -taker.side)
        if not against or not crosses(taker, against[0].price):
            break
        if taker.reduces and not twin.quantity(taker.account, market.thing):
            break
        resting = against[0]
        if mode != STP_NONE and same_owner(twin, taker.account, resting.account):
            if mode in (STP_MAKER, STP_BOTH):
                close_order(twin, resting, events.CLOSED_SELF_TRADE)
            if mode in (STP_TAKER, STP_BOTH):
                close_order(twin, taker, events.CLOSED_SELF_TRADE)
                break
            continue
        lots = min(taker.remaining, resting.remaining)
        cost = lots * resting.price * a
        taker_fee, maker_fee = fees_of(twin, taker.account, resting.account, market, cost, liquidation)
        if not fill_may_happen(twin, resting, market, lots, maker_fee):
            close_order(twin, resting, events.CLOSED_MAINTENANCE)
            continue
        fill(twin, market, taker, resting, lots, (taker_fee, maker_fee), liquidation)
        filled += lots
        received -= taker.side * cost
        fills += 1
        if fills == FILLS_PER_ORDER_MAX and taker.remaining and not liquidation:
            close_order(twin, taker, events.CLOSED_WORK_LIMIT)
            break
        if fills == FILLS_PER_ORDER_MAX:
            break
    return filled, received


def fill(twin, market, taker, resting, lots, fees, liquidation):
    twin.fills += 1
    flags = events.FILL_LIQUIDATION if liquidation else 0
    moved = []
    for order, other, fee, flag in (
        (taker, resting, fees[0], flags),
        (resting, taker, fees[1], flags | events.FILL_MAKER),
    ):
        order.remaining -= lots
        order.filled += lots
        signed = order.side * lots
        cost = signed * resting.price * market.rule[M_ATOMS_PER_TICK_LOT]
        before, closed, realised = trade(twin, order.account, market, signed, cost)
        money.book(twin, order.account, twin.settle(market), -fee)
        money.book(twin, FEES, twin.settle(market), fee)
        twin.emit(
            events.FILL,
            account=order.account,
            market=market.row,
            side=order.side,
            flags=flag,
            order=order.id,
            other=other.id,
            price=resting.price,
            lots=lots,
            amount=realised,
            fee=fee,
            extra=twin.quantity(order.account, market.thing),
            extra2=order.remaining,
        )
        moved.append((order.account, before, closed))
    market.last = resting.price
    if not resting.remaining:
        twin.retire(resting)
    for account, _, _ in moved:
        shrink_reduce_only(twin, account, market)
    for account, before, closed in moved:
        return_after_fill(twin, account, market, before, closed)
