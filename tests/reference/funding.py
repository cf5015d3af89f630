"""Premium samples and funding instants. See docs/concepts/funding.md; what a leg pays is in positions.py."""

from steelyard.model import events
from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_EXPIRY_NS,
    M_FUNDING_CAP_PPB,
    M_FUNDING_CLAMP_PPB,
    M_FUNDING_INTERVAL_NS,
    M_IMPACT_NOTIONAL,
    M_INTEREST_PPB,
    M_PREMIUM_DIVISOR,
    M_SAMPLE_INTERVAL_NS,
    M_STATE,
)
from steelyard.model.orders import BUY, DUST, SELL, SETTLED, TO_FUND
from steelyard.num.limits import FUNDING_INDEX_MAX, INDEX_SCALE, PPB
from tests.reference import money
from tests.reference.matching import book_side
from tests.reference.numbers import clamp, down, is_inverse, up, worth

LEVELS_MAX = 256


def sample(twin, market):
    market.next_sample_ns += market.rule[M_SAMPLE_INTERVAL_NS]
    found = premium(twin, market)
    if found is not None:
        market.premium_sum += found


def premium(twin, market):
    """In ppb; None if the sample is missing."""
    if not (market.index and twin.is_good(market, TO_FUND)):
        return None
    bid, ask = impact(twin, market, BUY), impact(twin, market, SELL)
    if bid is None or ask is None:
        return None
    index = market.index * INDEX_SCALE
    return clamp(down((max(0, bid - index) - max(0, index - ask)) * PPB, index), -PPB, PPB)


def impact(twin, market, side):
    """The average price, in 2^-20 ticks, of trading the impact notional against one side; None if it is too thin."""
    rule, rest, lots, atoms = market.rule, market.rule[M_IMPACT_NOTIONAL], 0, 0
    levels = {}
    for order in book_side(twin, market, side):
        levels[order.price] = levels.get(order.price, 0) + order.remaining
    for price, held in list(levels.items())[:LEVELS_MAX]:
        scale = rule[M_ATOMS_PER_TICK_LOT]
        needed = up(rest * price, scale) if is_inverse(rule) else up(rest, price * scale)
        taken = min(held, needed)
        value = abs(worth(rule, taken, price))
        lots, atoms, rest = lots + taken, atoms + value, rest - value
        if rest <= 0:
            return average_price(rule, lots, atoms, side)
    return None


def average_price(rule, lots, atoms, side):
    """A bid's is rounded down, an ask's up."""
    towards, away = (down, up) if side == BUY else (up, down)
    scale = rule[M_ATOMS_PER_TICK_LOT]
    if is_inverse(rule):
        return towards(scale * INDEX_SCALE * INDEX_SCALE, away(atoms * INDEX_SCALE, lots))
    return towards(atoms * INDEX_SCALE, lots * scale)


def lot_worth(rule, price):
    """W, in index units."""
    return down(rule[M_ATOMS_PER_TICK_LOT] * INDEX_SCALE, price) if is_inverse(rule) else price * INDEX_SCALE


def fund(twin, market):
    """One funding instant: the rate of the interval that ends moves the funding index."""
    rule = market.rule
    interval = rule[M_FUNDING_INTERVAL_NS]
    market.next_funding_ns += interval
    samples = max(1, interval // rule[M_SAMPLE_INTERVAL_NS])
    average = down(market.premium_sum, samples * rule[M_PREMIUM_DIVISOR])
    band, cap = rule[M_FUNDING_CLAMP_PPB], rule[M_FUNDING_CAP_PPB]
    rate = clamp(average + clamp(rule[M_INTEREST_PPB] - average, -band, band), -cap, cap)
    over = 0 < rule[M_EXPIRY_NS] < twin.now
    market.funding_rate = rate if market.index and twin.is_good(market, TO_FUND) and not over else 0
    if market.funding_rate:
        moving = lot_worth(rule, market.index)
        moved = down((-moving if is_inverse(rule) else moving) * market.funding_rate, PPB)
        market.funding_index = clamp(market.funding_index + moved, -FUNDING_INDEX_MAX, FUNDING_INDEX_MAX)
    market.premium_sum = 0
    twin.emit(
        events.FUNDING_SET,
        market=market.row,
        price=market.index,
        amount=market.funding_rate,
        extra=market.funding_index,
        extra2=twin.now,
    )
    sweep_dust(twin, market)


def sweep_dust(twin, market):
    whole = down(market.funding_dust, INDEX_SCALE)
    if whole:
        market.funding_dust -= whole * INDEX_SCALE
        market.funding_pool -= whole
        money.book(twin, DUST, twin.settle(market), whole)
        twin.emit(events.DUST_SWEPT, market=market.row, amount=whole)


def next_instant(now, interval):
    """The next multiple strictly after now."""
    return (now // interval + 1) * interval


def schedule(market, now):
    """A market's instants start anew from now."""
    interval = 0 if market.rule[M_STATE] == SETTLED else market.rule[M_FUNDING_INTERVAL_NS]
    market.next_funding_ns = next_instant(now, interval) if interval else 0
    market.next_sample_ns = next_instant(now, market.rule[M_SAMPLE_INTERVAL_NS]) if interval else 0
    market.premium_sum = 0
