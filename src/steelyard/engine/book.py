"""The order book: price levels in a ladder of ticks, a bitmap over them, orders linked by age. Indices all.

A book never crosses, so bids and asks share one ladder: bits below the best bid are bids, above the best ask asks.
"""

from steelyard.engine.bitmap import bit_clear, bit_next, bit_previous, bit_set
from steelyard.model.keys import M_TICKS_MAX
from steelyard.num import kernel, leaf
from steelyard.num.limits import ORDER_ID_SHIFT
from steelyard.state.tables import (
    LADDER,
    LEG,
    LEG_OPEN,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    NOTE,
    ORDER,
)


@leaf
def priority_of(s, row):
    """The number of an order's acceptance, or of its last move to the end of its level."""
    order = ORDER(s)
    moved = NOTE(s).priority[row] if order.noted[row] else 0
    return moved if moved else order.id[row] >> ORDER_ID_SHIFT


@leaf
def ladder_size(s, market):
    return MARKET_RULE(s)[market, M_TICKS_MAX] + 1


@leaf
def level_add(s, market, row):
    """Link an order as the newest of its level."""
    table, ladder, order = MARKET(s), LADDER(s), ORDER(s)
    price = order.price[row]
    level = table.ladder[market] + price
    tail = ladder.tail[level]
    order.prev[row] = tail
    order.next[row] = 0
    ladder.tail[level] = row
    ladder.lots[level] += order.remaining[row]
    if tail:
        order.next[tail] = row
        return 0
    ladder.head[level] = row
    bit_set(s, table.ladder_bits[market], ladder_size(s, market), price)
    if order.side[row] > 0:
        table.best_bid[market] = max(table.best_bid[market], price)
    elif table.best_ask[market] == 0 or price < table.best_ask[market]:
        table.best_ask[market] = price
    return 0


@leaf
def level_remove(s, market, row):
    """Unlink an order from its level; the best price moves on if the level is empty now."""
    table, ladder, order = MARKET(s), LADDER(s), ORDER(s)
    price = order.price[row]
    level = table.ladder[market] + price
    before, after = order.prev[row], order.next[row]
    ladder.lots[level] -= order.remaining[row]
    if before:
        order.next[before] = after
    else:
        ladder.head[level] = after
    if after:
        order.prev[after] = before
    else:
        ladder.tail[level] = before
    order.prev[row] = 0
    order.next[row] = 0
    if ladder.head[level] == 0:
        base, size = table.ladder_bits[market], ladder_size(s, market)
        bit_clear(s, base, size, price)
        if price == table.best_bid[market]:
            table.best_bid[market] = max(0, bit_previous(s, base, size, price))
        elif price == table.best_ask[market]:
            table.best_ask[market] = max(0, bit_next(s, base, size, price))
    return 0


@leaf
def best_against(s, market, side):
    """The best price an order of this side would meet, or 0."""
    table = MARKET(s)
    return table.best_ask[market] if side > 0 else table.best_bid[market]


@leaf
def next_level(s, market, side, price):
    """The next price beyond this one on the side an order of `side` meets, or 0."""
    base, size = MARKET(s).ladder_bits[market], ladder_size(s, market)
    if side > 0:
        return max(0, bit_next(s, base, size, price + 1))
    return max(0, bit_previous(s, base, size, price - 1))


@kernel
def price_of_lots(s, market, side, lots):
    """The worst price that taking these lots would need; the last level if the book is too thin; 0 if it is empty."""
    table, ladder = MARKET(s), LADDER(s)
    price = best_against(s, market, side)
    if price == 0:
        return 0
    while True:
        lots -= ladder.lots[table.ladder[market] + price]
        if lots <= 0:
            return price
        beyond = next_level(s, market, side, price)
        if beyond == 0:
            return price
        price = beyond


@leaf
def crosses(price, best, side):
    """Whether an order of this side and price meets the best price against it."""
    return best != 0 and (price >= best if side > 0 else price <= best)


@leaf
def leg_list_add(s, row):
    """Link an order as the newest of its leg."""
    order, orders = ORDER(s), LEG_OPEN(s)
    leg = order.leg[row]
    last = orders.last_order[leg]
    order.prev_of_leg[row] = last
    order.next_of_leg[row] = 0
    orders.last_order[leg] = row
    if last:
        order.next_of_leg[last] = row
    else:
        orders.first_order[leg] = row
    return 0


@leaf
def leg_list_remove(s, row):
    order, orders = ORDER(s), LEG_OPEN(s)
    leg = order.leg[row]
    before, after = order.prev_of_leg[row], order.next_of_leg[row]
    if before:
        order.next_of_leg[before] = after
    else:
        orders.first_order[leg] = after
    if after:
        order.prev_of_leg[after] = before
    else:
        orders.last_order[leg] = before
    return 0


@leaf
def market_of(s, leg):
    return LEG(s).thing[leg] - MARKET_0
