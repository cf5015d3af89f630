"""Orders that end or shrink other than by a fill, and what that returns to a parent. See docs/concepts/orders.md."""

from steelyard.model import events
from steelyard.model.orders import RESTING
from tests.reference.isolated import return_margin, shrink_margin


def close_order(twin, order, reason, extra=0):
    """Takes an order out, says so, and returns the margin of what it did not fill."""
    twin.retire(order)
    twin.emit(
        events.ORDER_CLOSED,
        reason=reason,
        account=order.account,
        market=order.market,
        side=order.side,
        order=order.id,
        lots=order.remaining,
        extra=extra,
    )
    return_margin(twin, order.account, order.margin)


def cut_order(twin, order, cut):
    """An order keeps its place with fewer lots."""
    before = order.margin
    order.remaining -= cut
    order.lots -= cut
    shrink_margin(order, order.remaining + cut)
    twin.emit(
        events.ORDER_AMENDED,
        account=order.account,
        market=order.market,
        side=order.side,
        order=order.id,
        price=order.price,
        lots=order.remaining,
        extra=1,
    )
    return_margin(twin, order.account, before - order.margin)


def cancel_all(twin, account, market, reason):
    """Leg by leg in order of thing, oldest first; a child's orders come at its stub."""
    for thing, leg in sorted(twin.legs_of(account).items()):
        if market and thing != market.thing:
            continue
        for holder in (account, leg.child) if leg.child else (account,):
            for order in twin.open_orders(holder):
                if twin.markets[order.market].thing == thing:
                    close_order(twin, order, reason)


def resting_reduce_only(twin, account, market):
    orders = twin.open_orders(account, market.row) if account else []
    return sum(order.remaining for order in orders if order.state == RESTING and order.reduces)


def shrink_reduce_only(twin, account, market):
    """Resting reduce-only orders never exceed the position they may reduce: newest shrink first."""
    quantity = twin.quantity(account, market.thing)
    resting = [order for order in twin.open_orders(account, market.row) if order.state == RESTING and order.reduces]
    excess = sum(order.remaining for order in resting)
    if resting and quantity * resting[0].side < 0:
        excess -= abs(quantity)
    for order in sorted(resting, key=lambda order: -order.priority):
        if excess <= 0:
            return
        cut = min(excess, order.remaining)
        excess -= cut
        if cut == order.remaining:
            close_order(twin, order, events.CLOSED_REDUCE_ONLY)
        else:
            cut_order(twin, order, cut)
