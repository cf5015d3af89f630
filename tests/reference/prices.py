"""From reports to an index, from an index and the book to a mark. See docs/concepts/prices.md."""

from steelyard.model import events, reject
from steelyard.model.keys import (
    A_SUPPLY_MAX,
    F_CONFIDENCE_MAX_PPM,
    F_QUORUM,
    F_STALENESS_NS,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
    M_FUNDING_INTERVAL_NS,
    M_MARK_BAND_PPM,
    M_MARK_POLICY,
    M_OI_LOWER_LOTS,
    M_OI_UPPER_LOTS,
    M_SETTLE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import BUY, ON_INDEX, ON_MARK, SELL
from steelyard.num.limits import (
    AMOUNT_MAX,
    ASSET_PRICE_SCALE,
    INDEX_SCALE,
    PPB,
    PPM,
    SOURCES_MAX,
    TIME_NS_MAX,
    VALUE_MAX,
)
from tests.reference import ladders, money, pairs
from tests.reference.matching import best_price
from tests.reference.numbers import clamp, down, largest_position, part_down

# --- Commands ---------------------------------------------------------------------------------------------------------


def price(twin, rows):
    """Reports of one instant: all of them, or none."""
    for row in rows:
        check_report(twin, row, rows[-1].at_ns)
    named = []
    for row in rows:
        source = twin.feeds[row.market].sources[row.account]
        source.price, source.confidence, source.at_ns = row.price, row.lots, row.trigger
        if row.market not in named:
            named.append(row.market)
    for feed in named:
        recompute(twin, feed)
    recompute_pairs(twin)


def recompute_pairs(twin):
    for market in sorted(twin.markets):
        if pairs.is_pair(twin.markets[market]) and pairs.follow(twin, twin.markets[market]):
            recompute_mark(twin, twin.markets[market])


def recompute(twin, feed):
    """A feed, and the mark of its market."""
    recompute_index(twin, feed)
    if twin.feeds[feed].user and twin.feeds[feed].user_is_market:
        recompute_mark(twin, twin.markets[twin.feeds[feed].user])


def clock(twin, _):
    for feed in sorted(twin.feeds):
        recompute_index(twin, feed)
    for market in sorted(twin.markets):
        if pairs.is_pair(twin.markets[market]):
            pairs.follow(twin, twin.markets[market])
        recompute_mark(twin, twin.markets[market])


def check_report(twin, row, at_ns):
    feed, source = twin.feeds.get(row.market), row.account
    twin.require(feed, reject.FEED_UNKNOWN, row=row)
    listened = 0 <= source < SOURCES_MAX and feed.weight(source)
    twin.require(listened, reject.SOURCE_UNKNOWN, row=row)
    twin.require(row.price > 0, reject.PRICE_MUST_BE_POSITIVE, row=row)
    twin.require(price_fits(twin, feed, row.price), reject.PRICE_EXCEEDS_LIMIT, row=row)
    if feed.user_is_market:
        lowest = twin.markets[feed.user].rule[M_TICKS_MIN]
        twin.require(row.price >= lowest, reject.PRICE_BELOW_LIMIT, row=row)
    in_order = feed.sources[source].at_ns <= row.trigger <= at_ns
    twin.require(row.lots >= 0 and in_order, reject.FIELD_OUT_OF_RANGE, row=row)


def price_fits(twin, feed, price):
    if not feed.user:
        return price <= AMOUNT_MAX
    if feed.user_is_market:
        return price <= twin.markets[feed.user].rule[M_TICKS_MAX]
    widest = twin.assets[feed.user].rule[A_SUPPLY_MAX]
    for market in twin.markets.values():
        if market.rule[M_SETTLE] == feed.user:
            widest = max(widest, largest_position(market.rule))
    return down(price * widest, ASSET_PRICE_SCALE) <= VALUE_MAX


# --- Index ------------------------------------------------------------------------------------------------------------


def fresh_reports(twin, feed):
    rule = feed.rule
    return [
        (source.price, number, feed.weight(number), source.at_ns + rule[F_STALENESS_NS])
        for number, source in enumerate(feed.sources)
        if feed.weight(number) > 0
        and source.price > 0
        and twin.now - source.at_ns <= rule[F_STALENESS_NS]
        and source.confidence * PPM <= source.price * rule[F_CONFIDENCE_MAX_PPM]
    ]


def weighted_median(reports):
    total, running = sum(weight for _, _, weight, _ in reports), 0
    for price, _, weight, _ in sorted(reports):
        running += weight
        if 2 * running >= total:
            return price
    raise AssertionError("no reports")


def recompute_index(twin, row):
    feed = twin.feeds[row]
    reports = fresh_reports(twin, feed)
    if len(reports) >= feed.rule[F_QUORUM]:
        before = feed.price
        feed.price = weighted_median(reports)
        ends = sorted((end for _, _, _, end in reports), reverse=True)
        feed.fresh_until_ns = min(ends[feed.rule[F_QUORUM] - 1], TIME_NS_MAX)
        if feed.price != before:
            twin.emit(events.INDEX_SET, market=row, price=feed.price)
    else:
        feed.fresh_until_ns = min(feed.fresh_until_ns, twin.now - 1)
    copy_to_user(twin, feed)


def copy_to_user(twin, feed):
    if feed.user and feed.user_is_market:
        market = twin.markets[feed.user]
        if market.index != feed.price:
            twin.prices_set.add((market.row, ON_INDEX))
        market.index, market.fresh_until_ns = feed.price, feed.fresh_until_ns
    elif feed.user:
        asset = twin.assets[feed.user]
        if asset.fresh_until_ns < twin.now <= feed.fresh_until_ns:
            money.retry_conversions(twin)
        if asset.fresh_until_ns != feed.fresh_until_ns:
            ladders.settle_active_time(twin, feed.user)
        asset.price, asset.fresh_until_ns = feed.price, feed.fresh_until_ns
        twin.show_share(feed.user)


# --- Mark -------------------------------------------------------------------------------------------------------------


def recompute_mark(twin, market):
    if not twin.is_fresh(market):
        return
    bid, ask = best_price(twin, market, BUY), best_price(twin, market, SELL)
    index, rule = market.index, market.rule
    mark = index if rule[M_MARK_POLICY] else median_of_three(twin, market, bid, ask)
    band = part_down(index, rule[M_MARK_BAND_PPM])
    mark = clamp(clamp(mark, index - band, index + band), rule[M_TICKS_MIN], rule[M_TICKS_MAX])
    if mark != market.mark:
        twin.prices_set.add((market.row, ON_MARK))
    market.mark = mark
    market.mark_at_ns = twin.now
    market.oi_scale_ppm = oi_scale(twin, market)
    twin.emit(
        events.MARK_SET,
        market=market.row,
        price=market.mark,
        other=index,
        amount=market.funding_rate,
        extra=bid,
        extra2=ask,
    )


def median_of_three(twin, market, bid, ask):
    index, rule = market.index, market.rule
    interval = rule[M_FUNDING_INTERVAL_NS]
    left_ppm = down((market.next_funding_ns - twin.now) * PPM, interval) if interval else 0
    by_funding = index + down(index * left_ppm * market.funding_rate, PPM * PPB)

    if bid and ask:
        sample_basis(twin, market, bid, ask)
    width = part_down(index, rule[M_BASIS_CLAMP_PPM])
    by_basis = index + clamp(down(market.basis, INDEX_SCALE), -width, width)

    if bid and ask:
        by_book = median(bid, ask, market.last or down(bid + ask, 2))
    else:
        by_book = market.last or index
    return median(by_funding, by_basis, by_book)


def sample_basis(twin, market, bid, ask):
    sample = (bid + ask) * INDEX_SCALE // 2 - market.index * INDEX_SCALE
    if not market.mark_at_ns:
        market.basis = sample
        return
    passed = twin.now - market.mark_at_ns
    market.basis += down((sample - market.basis) * passed, passed + market.rule[M_BASIS_TAU_NS])


def median(*three):
    return sorted(three)[1]


def oi_scale(twin, market):
    lower, upper = market.rule[M_OI_LOWER_LOTS], market.rule[M_OI_UPPER_LOTS]
    if not upper:
        return 0
    return clamp(down(PPM * (twin.open_interest(market) - lower), upper - lower), 0, PPM)
