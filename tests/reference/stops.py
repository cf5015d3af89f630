"""Orders that wait for a price. See docs/concepts/orders.md (life)."""

from steelyard.model.orders import BUY, ON_INDEX, ON_MARK, STOP, TRAILING, TRIGGERED, WAITING
from tests.reference.numbers import part_up


def watched_price(twin, order):
    market = twin.markets[order.market]
    if order.trigger_on == ON_MARK:
        return market.mark
    return market.index if order.trigger_on == ON_INDEX else market.last


def fires(order, price):
    """Looks at a price; a trailing stop remembers the best it saw."""
    if order.trigger_kind == TRAILING:
        return trailing_fires(order, price)
    if order.trigger_kind == STOP:
        return price >= order.trigger if order.side == BUY else price <= order.trigger
    return price <= order.trigger if order.side == BUY else price >= order.trigger


def fires_at_once(order, price):
    """At its placing; a trailing stop that has a trigger starts at the first price it sees afterwards."""
    return not (order.trigger_kind == TRAILING and order.trigger) and fires(order, price)


def trailing_fires(order, price):
    if not order.best and order.trigger:
        reached = price <= order.trigger if order.side == BUY else price >= order.trigger
        if not reached:
            return False
    if order.side == BUY:
        order.best = min(order.best or price, price)
        return price >= order.best + part_up(order.best, order.callback)
    order.best = max(order.best, price)
    return price <= order.best - part_up(order.best, order.callback)


def trailing_in(twin, market):
    """How many trailing stops wait in this market."""
    of_market = [each for each in twin.orders.values() if each.market == market.row and each.state == WAITING]
    return sum(each.trigger_kind == TRAILING for each in of_market)


def look_at_stops(twin):
    """Those whose price was set and reached become triggered."""
    found = False
    for order in twin.orders.values():
        if order.state == WAITING and (order.market, order.trigger_on) in twin.prices_set:
            if fires(order, watched_price(twin, order)):
                order.state = TRIGGERED
                found = True
    twin.prices_set.clear()
    return found


def next_triggered(twin):
    """The one of lowest priority number, or none."""
    triggered = [order for order in twin.orders.values() if order.state == TRIGGERED]
    return min(triggered, key=lambda order: order.priority, default=None)
