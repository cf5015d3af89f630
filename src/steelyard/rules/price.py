"""Index and mark. See docs/concepts/prices.md.

Promises
- The median is one of the fresh reports: no single source moves it past its neighbours.
- A mean is exact: with its rest it says the sum of price x time to the last unit.
- The mark stays within its band around the index; the book moves it only through a clamped average or a median.
"""

from steelyard.model.keys import (
    A_FEED,
    A_POOL_OF,
    F_BELIEVES,
    F_CONFIDENCE_MAX_PPM,
    F_DEVIATION_MAX_PPM,
    F_DIVERGENCE_MAX_PPM,
    F_GROWTH_AT_NS,
    F_GROWTH_PPM,
    F_GROWTH_REF,
    F_HALTED,
    F_SOURCE_STALENESS_NS,
    F_STALENESS_NS,
    F_UPPER,
    F_WEIGHT,
    F_WIDENS,
    F_WITNESSES,
    M_BASE,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
    M_EXPIRY_NS,
    M_FEED,
    M_FUNDING_INTERVAL_NS,
    M_MARK_BAND_PPM,
    M_MARK_POLICY,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_SETTLE,
    M_STATE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import (
    BELIEVE_NOW,
    BELIEVE_STEADY,
    HALTED,
    MEDIAN_OF_THREE,
    SETTLED,
    TO_LIQUIDATE,
    TO_TRIGGER,
    WIDEN_AVERAGE,
    WIDEN_CONFIDENCE,
    WIDEN_NOW,
)
from steelyard.num import kernel, leaf
from steelyard.num.limits import INDEX_SCALE, INDEX_SCALE_BITS, INT64_MAX, PPM, SOURCES_MAX, TIME_NS_MAX, YEAR_NS
from steelyard.num.rounding import clamp, median, mul_div_down, ppm_down
from steelyard.num.wide import multiply, product_is_less
from steelyard.state.tables import (
    ASSET_RULE,
    FEED,
    FEED_RULE,
    FEED_UNTIL,
    MACHINE,
    MARKET,
    MARKET_RULE,
    SOURCE,
)

TRILLION = 10**12


@leaf
def is_in(sources, source):
    return (sources >> source) & 1


@leaf
def staleness_of(s, feed, source):
    """A source's own, or its feed's."""
    own = FEED_RULE(s)[feed, F_SOURCE_STALENESS_NS + source]
    return own if own else FEED_RULE(s)[feed, F_STALENESS_NS]


@leaf
def is_fresh_report(s, feed, source, now):
    """Whether this source's last report is young and narrow enough."""
    table, row = SOURCE(s), feed * SOURCES_MAX + source
    if table.price[row] <= 0 or now - table.at_ns[row] > staleness_of(s, feed, source):
        return False
    widest = FEED_RULE(s)[feed, F_CONFIDENCE_MAX_PPM]
    return product_is_less(table.price[row], widest, table.confidence[row], PPM) == 0


@kernel
def fresh_sources(s, feed, now):
    """Bits of the sources that have a weight and a fresh report."""
    sources = 0
    for source in range(SOURCES_MAX):
        if FEED_RULE(s)[feed, F_WEIGHT + source] > 0 and is_fresh_report(s, feed, source, now):
            sources |= 1 << source
    return sources


@kernel
def weighted_median(s, feed, sources, end):
    """The report at which twice the running weight reaches the total, or with F_UPPER exceeds it; 0 of none.

    Of prices at end 0, of price - confidence at end -1, of price + confidence at end 1.
    """
    rule, table = FEED_RULE(s), SOURCE(s)
    total = 0
    for source in range(SOURCES_MAX):
        if is_in(sources, source):
            total += rule[feed, F_WEIGHT + source]
    # Eight sources: for each, weigh those at or below it. The lowest price that reaches half is the answer.
    best, found = 0, 0
    for source in range(SOURCES_MAX):
        if not is_in(sources, source):
            continue
        row = feed * SOURCES_MAX + source
        price = table.price[row] + end * table.confidence[row]
        below = 0
        for other in range(SOURCES_MAX):
            row = feed * SOURCES_MAX + other
            if is_in(sources, other) and table.price[row] + end * table.confidence[row] <= price:
                below += rule[feed, F_WEIGHT + other]
        if 2 * below >= total + rule[feed, F_UPPER] and (found == 0 or price < best):
            best, found = price, 1
    return best


@kernel
def counted_sources(s, feed, now):
    """Bits of the sources whose reports count: fresh, and near the median of all that are."""
    if FEED_RULE(s)[feed, F_HALTED]:
        return 0
    sources = fresh_sources(s, feed, now)
    bound = FEED_RULE(s)[feed, F_DEVIATION_MAX_PPM]
    if bound:
        middle = weighted_median(s, feed, sources, 0)
        for source in range(SOURCES_MAX):
            away = abs(SOURCE(s).price[feed * SOURCES_MAX + source] - middle)
            if is_in(sources, source) and product_is_less(middle, bound, away, PPM):
                sources -= 1 << source
    return sources


@leaf
def ends_at(at_ns, staleness_ns):
    """The last instant at which a report is fresh; no clock goes further than the latest."""
    return at_ns + min(staleness_ns, TIME_NS_MAX - at_ns)


@kernel
def good_until(s, feed, sources, quorum):
    """When, nothing new arriving, fewer than quorum of these are fresh (the quorum-th latest end); -1: now already."""
    table = SOURCE(s)
    best = -1
    for source in range(SOURCES_MAX):
        if not is_in(sources, source):
            continue
        ends = ends_at(table.at_ns[feed * SOURCES_MAX + source], staleness_of(s, feed, source))
        later = 0
        for other in range(SOURCES_MAX):
            if is_in(sources, other):
                ends_other = ends_at(table.at_ns[feed * SOURCES_MAX + other], staleness_of(s, feed, other))
                later += 1 if ends_other >= ends else 0
        if later >= quorum:
            best = max(best, ends)
    return best


@kernel
def mean_after(mean, rest, length, price, lasting):
    """(mean, rest) of a window of this length once the price has stood for `lasting` ns more."""
    total = length + lasting
    moved = mul_div_down(price - mean, lasting, total)
    # The difference of the two products is small: their low words suffice.
    first, _ = multiply(price - mean, lasting)
    second, _ = multiply(moved, total)
    left, _ = multiply(first - second, 1)
    left += rest
    return mean + moved + left // total, left % total


@leaf
def average_of(s, feed, window):
    """The mean of the last window gives way to that of the present one as it fills."""
    table = FEED(s)
    if window == 0:
        return table.now_price[feed]
    before = table.before[feed]
    return before + mul_div_down(table.mean[feed] - before, table.mean_ns[feed], window)


@leaf
def lowest_price(s, feed):
    """Where the ladder of a feed's market begins; 0 of an asset's."""
    return MARKET_RULE(s)[FEED(s).user[feed], M_TICKS_MIN] if FEED(s).user_is_market[feed] else 0


@kernel
def growth_cap(s, feed, now):
    """The most that a price may have grown to by now."""
    rule = FEED_RULE(s)
    reference = rule[feed, F_GROWTH_REF]
    if reference == 0:
        return INT64_MAX
    since = max(0, now - rule[feed, F_GROWTH_AT_NS])
    grown = mul_div_down(rule[feed, F_GROWTH_PPM] * PPM, since, YEAR_NS)
    return max(lowest_price(s, feed), min(INT64_MAX - reference, mul_div_down(reference, grown, TRILLION)) + reference)


@leaf
def is_steady(s, feed, price, average):
    """Whether the sources' price is near its average."""
    return product_is_less(average, FEED_RULE(s)[feed, F_DIVERGENCE_MAX_PPM], abs(price - average), PPM) == 0


@leaf
def believed(s, feed, price, average):
    """Now, the average, or the average while now is not steady."""
    belief = FEED_RULE(s)[feed, F_BELIEVES]
    if belief == BELIEVE_NOW or (belief == BELIEVE_STEADY and is_steady(s, feed, price, average)):
        return price
    return average


@kernel
def interval_around(s, feed, sources, now, average, cap):
    """(below, above): how far the price may be wrong, by all that the feed's interval covers."""
    rule, price = FEED_RULE(s), FEED(s).price[feed]
    low, high, widens = price, price, rule[feed, F_WIDENS]
    if widens & WIDEN_CONFIDENCE:
        low = min(low, min(cap, weighted_median(s, feed, sources, -1)))
        high = max(high, min(cap, weighted_median(s, feed, sources, 1)))
    if widens & WIDEN_AVERAGE:
        low, high = min(low, average), max(high, average)
    if widens & WIDEN_NOW:
        low, high = min(low, FEED(s).now_price[feed]), max(high, FEED(s).now_price[feed])
    for source in range(SOURCES_MAX):
        if is_in(rule[feed, F_WITNESSES], source) and is_fresh_report(s, feed, source, now):
            seen = SOURCE(s).price[feed * SOURCES_MAX + source]
            low, high = min(low, seen), max(high, seen)
    return price - max(low, lowest_price(s, feed)), min(high, 2 * price) - price


@leaf
def is_good(s, feed, action):
    """Whether a feed's price is good for an action now; feed 0 is the unit of account."""
    now = MACHINE(s).now_ns[0]
    if feed == 0:
        return True
    return now <= FEED_UNTIL(s)[feed, action] and (action != TO_LIQUIDATE or now >= FEED(s).calm_ns[feed])


@leaf
def is_stale(s, feed):
    """Whether a feed's price is not even fresh; feed 0 is the unit of account."""
    return feed != 0 and MACHINE(s).now_ns[0] > FEED(s).fresh_until_ns[feed]


@leaf
def asset_feed(s, asset):
    """The feed of an asset's price; of a share, that of what is lent; 0 of the unit of account."""
    lent = ASSET_RULE(s)[asset, A_POOL_OF]
    return ASSET_RULE(s)[lent if lent else asset, A_FEED]


@leaf
def is_asset_good(s, asset, action):
    return is_good(s, asset_feed(s, asset), action)


@leaf
def index_feed(s, market):
    """The feed of a market's index; of a pair, that of its base; 0 of a settled market, which looks at none."""
    feed = MARKET_RULE(s)[market, M_FEED]
    if MARKET_RULE(s)[market, M_STATE] == SETTLED:
        return 0
    return feed if feed else ASSET_RULE(s)[MARKET_RULE(s)[market, M_BASE], A_FEED]


@leaf
def is_mark_good(s, market):
    """Whether the market's own price is good for liquidating."""
    return MACHINE(s).now_ns[0] >= MARKET(s).calm_ns[market] and is_good(s, index_feed(s, market), TO_LIQUIDATE)


@leaf
def is_trigger_good(s, market):
    """Whether the index is good for triggers; a pair has two prices in it."""
    if MARKET_RULE(s)[market, M_FEED]:
        return is_good(s, MARKET_RULE(s)[market, M_FEED], TO_TRIGGER)
    settle = MARKET_RULE(s)[market, M_SETTLE]
    return is_good(s, index_feed(s, market), TO_TRIGGER) and is_asset_good(s, settle, TO_TRIGGER)


@leaf
def waits_for_settlement(s, market):
    """Whether a market has expired and has no settlement price yet: its mark stands still meanwhile."""
    rule = MARKET_RULE(s)
    expiry = rule[market, M_EXPIRY_NS]
    return expiry != 0 and MACHINE(s).now_ns[0] >= expiry and rule[market, M_STATE] != SETTLED


@kernel
def is_market_good(s, market, action):
    """Whether there is a mark, and index and settlement price are good for an action."""
    if MARKET(s).mark[market] == 0 or not is_asset_good(s, MARKET_RULE(s)[market, M_SETTLE], action):
        return False
    if waits_for_settlement(s, market):
        return False
    if action == TO_LIQUIDATE:
        return is_mark_good(s, market)
    return is_good(s, index_feed(s, market), action)


@leaf
def can_be_closed(s, market):
    """In a halted market or at a bad price nobody can be liquidated fairly; an expired one closes everybody."""
    return MARKET_RULE(s)[market, M_STATE] < HALTED and is_market_good(s, market, TO_LIQUIDATE)


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
