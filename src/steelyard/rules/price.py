"""Index and mark. See docs/concepts/prices.md.

Promises
- The index is one of the fresh reports: no single source moves it past its neighbours.
- The mark stays within its band around the index; the book moves it only through a clamped average or a median.
"""

from steelyard.model.keys import (
    F_CONFIDENCE_MAX_PPM,
    F_QUORUM,
    F_STALENESS_NS,
    F_WEIGHT,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
    M_FUNDING_INTERVAL_NS,
    M_MARK_BAND_PPM,
    M_MARK_POLICY,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import MEDIAN_OF_THREE
from steelyard.num import kernel, leaf
from steelyard.num.limits import INDEX_SCALE, INDEX_SCALE_BITS, PPM, SOURCES_MAX, TIME_NS_MAX
from steelyard.num.rounding import clamp, median, mul_div_down, ppm_down
from steelyard.num.wide import product_is_less
from steelyard.state.tables import FEED_RULE, MARKET, MARKET_RULE, SOURCE


@leaf
def is_fresh_report(s, feed, source, now):
    """Whether this source's last report counts now."""
    rule, table = FEED_RULE(s), SOURCE(s)
    row = feed * SOURCES_MAX + source
    if rule[feed, F_WEIGHT + source] <= 0 or table.price[row] <= 0:
        return False
    if now - table.at_ns[row] > rule[feed, F_STALENESS_NS]:
        return False
    return product_is_less(table.price[row], rule[feed, F_CONFIDENCE_MAX_PPM], table.confidence[row], PPM) == 0


@kernel
def weighted_median(s, feed, now):
    """Price of the fresh report at which twice the running weight reaches the total; 0 without quorum."""
    rule, table = FEED_RULE(s), SOURCE(s)
    count, total = 0, 0
    for source in range(SOURCES_MAX):
        if is_fresh_report(s, feed, source, now):
            count += 1
            total += rule[feed, F_WEIGHT + source]
    if count < rule[feed, F_QUORUM]:
        return 0
    # Eight sources: for each, weigh those at or below it. The lowest price that reaches half is the answer.
    best = 0
    for source in range(SOURCES_MAX):
        if not is_fresh_report(s, feed, source, now):
            continue
        price = table.price[feed * SOURCES_MAX + source]
        below = 0
        for other in range(SOURCES_MAX):
            if is_fresh_report(s, feed, other, now) and table.price[feed * SOURCES_MAX + other] <= price:
                below += rule[feed, F_WEIGHT + other]
        if 2 * below >= total and (best == 0 or price < best):
            best = price
    return best


@leaf
def ends_at(at_ns, staleness_ns):
    """The last instant at which a report is fresh; no clock goes further than the latest."""
    return at_ns + min(staleness_ns, TIME_NS_MAX - at_ns)


@kernel
def fresh_until(s, feed, now):
    """When, nothing new arriving, fewer than quorum reports will be fresh (the quorum-th latest to go stale)."""
    rule, table = FEED_RULE(s), SOURCE(s)
    staleness, quorum = rule[feed, F_STALENESS_NS], rule[feed, F_QUORUM]
    best = -1
    for source in range(SOURCES_MAX):
        if not is_fresh_report(s, feed, source, now):
            continue
        ends = ends_at(table.at_ns[feed * SOURCES_MAX + source], staleness)
        later = 0
        for other in range(SOURCES_MAX):
            if is_fresh_report(s, feed, other, now):
                ends_other = ends_at(table.at_ns[feed * SOURCES_MAX + other], staleness)
                later += 1 if ends_other >= ends else 0
        if later >= quorum:
            best = max(best, ends)
    return best


@leaf
def basis_sample(s, market):
    """Mid less index, in index units; only asked when both sides of the book exist."""
    table = MARKET(s)
    return (table.best_bid[market] + table.best_ask[market]) * (INDEX_SCALE // 2) - (
        table.index[market] << INDEX_SCALE_BITS
    )


@leaf
def basis_after(s, market, now):
    """The average basis with the present sample taken in."""
    table = MARKET(s)
    if table.best_bid[market] == 0 or table.best_ask[market] == 0:
        return table.basis[market]
    sample = basis_sample(s, market)
    if table.mark_at_ns[market] == 0:
        return sample
    elapsed = now - table.mark_at_ns[market]
    before = table.basis[market]
    return before + mul_div_down(sample - before, elapsed, elapsed + MARKET_RULE(s)[market, M_BASIS_TAU_NS])


@leaf
def book_price(s, market):
    """median(bid, ask, last), or what there is of it."""
    table = MARKET(s)
    bid, ask, last = table.best_bid[market], table.best_ask[market], table.last[market]
    if bid != 0 and ask != 0:
        return median(bid, ask, last if last != 0 else (bid + ask) >> 1)
    return last if last != 0 else table.index[market]


@kernel
def mark_price(s, market, now, basis):
    """Median of funding-projected index, index plus clamped basis, and book; within a band around the index."""
    table, rule = MARKET(s), MARKET_RULE(s)
    index = table.index[market]
    mark = index
    if rule[market, M_MARK_POLICY] == MEDIAN_OF_THREE:
        interval, left_ppm = rule[market, M_FUNDING_INTERVAL_NS], 0
        if interval > 0:
            left_ppm = mul_div_down(max(0, table.next_funding_ns[market] - now), PPM, interval)
        projected = index + mul_div_down(index * left_ppm, table.funding_rate[market], 10**15)
        reach = ppm_down(index, rule[market, M_BASIS_CLAMP_PPM])
        smoothed = index + clamp(basis >> INDEX_SCALE_BITS, -reach, reach)
        mark = median(projected, smoothed, book_price(s, market))
    band = ppm_down(index, rule[market, M_MARK_BAND_PPM])
    return clamp(clamp(mark, index - band, index + band), rule[market, M_TICKS_MIN], rule[market, M_TICKS_MAX])


@leaf
def open_interest_scale(s, market):
    """How far open interest has raised the opening requirement towards the whole notional, in ppm."""
    rule = MARKET_RULE(s)
    lower, upper = rule[market, M_OI_LOWER_LOTS], rule[market, M_OI_UPPER_LOTS]
    if upper == 0:
        return 0
    return clamp(mul_div_down(MARKET(s).open_interest[market] - lower, PPM, upper - lower), 0, PPM)
