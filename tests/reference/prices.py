"""From reports to an index, from an index and the book to a mark. See docs/concepts/prices.md."""

from dataclasses import dataclass

from steelyard.model import events, reject
from steelyard.model.keys import (
    A_SUPPLY_MAX,
    F_BELIEVES,
    F_CONFIDENCE_MAX_PPM,
    F_DELAY_NS,
    F_DEMANDS,
    F_DEVIATION_MAX_PPM,
    F_DIVERGENCE_MAX_PPM,
    F_GRACE_NS,
    F_GROWTH_AT_NS,
    F_GROWTH_PPM,
    F_GROWTH_REF,
    F_HALTED,
    F_HAS_POLICY,
    F_OUTAGE_NS,
    F_QUORUM,
    F_SOURCE_STALENESS_NS,
    F_STALENESS_NS,
    F_STEP_NS,
    F_STEP_PPM,
    F_STRICT_QUORUM,
    F_UPPER,
    F_WIDENS,
    F_WIDTH_MAX_PPM,
    F_WINDOW_NS,
    F_WITNESSES,
    M_BASIS_CLAMP_PPM,
    M_BASIS_TAU_NS,
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
    ACTIONS,
    BUY,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    DEMAND_WHOLE,
    ON_INDEX,
    ON_MARK,
    SELL,
    SETTLED,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_SETTLE,
    WIDEN_AVERAGE,
    WIDEN_CONFIDENCE,
    WIDEN_NOW,
)
from steelyard.num.limits import (
    AMOUNT_MAX,
    ASSET_PRICE_SCALE,
    INDEX_SCALE,
    INT64_MAX,
    PPB,
    PPM,
    SOURCES_MAX,
    TIME_NS_MAX,
    VALUE_MAX,
    YEAR_NS,
)
from tests.reference import ladders, money, pairs, settlement
from tests.reference.matching import best_price
from tests.reference.numbers import clamp, down, largest_position, part_down, part_up

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
        if pairs.is_pair(twin.markets[market]):
            if pairs.follow(twin, twin.markets[market]):
                recompute_mark(twin, twin.markets[market])
            elif twin.markets[market].mark:
                twin.show(twin.markets[market], ON_MARK, False)


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
    listened = 0 <= source < SOURCES_MAX and (feed.weight(source) or feed.rule[F_WITNESSES] >> source & 1)
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


@dataclass(frozen=True, order=True)
class Report:
    price: int
    source: int
    weight: int
    confidence: int
    end: int  # the last instant at which it is fresh


def fresh_reports(twin, feed):
    found = []
    for number, source in enumerate(feed.sources):
        staleness = feed.rule[F_SOURCE_STALENESS_NS + number] or feed.rule[F_STALENESS_NS]
        narrow = source.confidence * PPM <= source.price * feed.rule[F_CONFIDENCE_MAX_PPM]
        if source.price > 0 and twin.now - source.at_ns <= staleness and narrow:
            end = min(source.at_ns + staleness, TIME_NS_MAX)
            found.append(Report(source.price, number, feed.weight(number), source.confidence, end))
    return found


def counted_reports(twin, feed):
    """Those with a weight, without those far from the median of them."""
    reports = [report for report in fresh_reports(twin, feed) if report.weight]
    allowed = feed.rule[F_DEVIATION_MAX_PPM]
    if not allowed or not reports:
        return reports
    middle = weighted_median(feed, reports)
    return [report for report in reports if abs(report.price - middle) * PPM <= middle * allowed]


def weighted_median(feed, reports, end=0):
    """Of price + end x confidence; where two are in the middle the lower, or the upper if the feed says so."""
    total, running = sum(report.weight for report in reports), 0
    for price, weight in sorted((report.price + end * report.confidence, report.weight) for report in reports):
        running += weight
        if 2 * running > total or (2 * running == total and not feed.rule[F_UPPER]):
            return price
    raise AssertionError("no reports")


def good_until(reports, quorum):
    """The quorum-th largest end, or none."""
    ends = sorted((report.end for report in reports), reverse=True)
    return ends[quorum - 1] if len(ends) >= quorum else None


def recompute_index(twin, row):
    feed = twin.feeds[row]
    if feed.user and feed.user_is_market:
        settlement.take_in(twin, twin.markets[feed.user])
    rule, before, settled = feed.rule, feed.price, feed.until[TO_SETTLE]
    reports = [] if rule[F_HALTED] else counted_reports(twin, feed)
    end = good_until(reports, rule[F_QUORUM])
    feed.fresh_until_ns = end if end is not None else min(feed.fresh_until_ns, twin.now - 1)
    if rule[F_HAS_POLICY]:
        follow_policy(twin, row, feed, reports if end is not None else None, end)
    else:
        if end is not None:
            feed.price = weighted_median(feed, reports)
        feed.until = [feed.fresh_until_ns] * ACTIONS
        if feed.price != before:
            twin.emit(events.INDEX_SET, market=row, price=feed.price)
    if is_good(twin, feed, TO_LIQUIDATE):
        feed.good_price = feed.price
    copy_to_user(twin, feed, settled, feed.price != before)


def is_good(twin, feed, action):
    return twin.now <= feed.until[action] and (action != TO_LIQUIDATE or twin.now >= feed.calm_ns)


def copy_to_user(twin, feed, settled, changed):
    if feed.user and feed.user_is_market:
        market = twin.markets[feed.user]
        if market.rule[M_STATE] == SETTLED:
            return
        market.index, market.fresh_until_ns = feed.price, feed.until[TO_OPEN]
        market.below, market.above = feed.below, feed.above
        twin.show(market, ON_INDEX, changed)
    elif feed.user:
        asset = twin.assets[feed.user]
        if settled < twin.now <= feed.until[TO_SETTLE]:
            money.retry_conversions(twin)
        if asset.fresh_until_ns != feed.until[TO_OPEN]:
            ladders.settle_active_time(twin, feed.user)
        asset.price, asset.fresh_until_ns = feed.price, feed.until[TO_OPEN]
        asset.below, asset.above = feed.below, feed.above
        twin.show_shares(feed.user)


# --- Policy -----------------------------------------------------------------------------------------------------------

KEPT = "now_price below above before mean rest mean_ns mean_at_ns anchor anchor_at_ns pending pending_ns calm_ns told"


def forget_policy(feed):
    for name in KEPT.split():
        setattr(feed, name, 0)


def follow_policy(twin, row, feed, reports, end):
    """The page's eight steps; `reports` is none without a quorum."""
    rule, now = feed.rule, twin.now
    before, shown, was_good = feed.price, (feed.below, feed.above, feed.pending), feed.until[TO_LIQUIDATE]
    average = extend_window(feed, now)
    if reports is None:
        feed.pending = feed.pending_ns = 0
        feed.until = [min(until, now - 1) for until in feed.until]
    else:
        median, cap = weighted_median(feed, reports), growth_cap(twin, feed)
        first, feed.now_price = not feed.now_price, min(median, cap)
        if first:
            feed.before = feed.now_price
        if first or not rule[F_WINDOW_NS]:
            average = feed.now_price
        steady = abs(feed.now_price - average) * PPM <= average * rule[F_DIVERGENCE_MAX_PPM]
        believes = rule[F_BELIEVES]
        wanted = average if believes == 1 or (believes == 2 and not steady) else feed.now_price
        stepped = clamp(wanted, *reach_of_step(feed, now))
        feed.price = take_effect(feed, stepped, now)
        set_interval(twin, feed, reports, average, cap)
        narrow = (feed.below + feed.above) * PPM <= feed.price * rule[F_WIDTH_MAX_PPM]
        whole = feed.now_price == median and stepped == wanted
        strict = good_until(reports, rule[F_STRICT_QUORUM]) if rule[F_STRICT_QUORUM] else None
        for action in range(ACTIONS):
            demands = rule[F_DEMANDS + action]
            until = strict if demands & DEMAND_QUORUM else end
            met = until is not None
            met = met and (narrow or not demands & DEMAND_NARROW) and (steady or not demands & DEMAND_STEADY)
            met = met and (whole or not demands & DEMAND_WHOLE)
            feed.until[action] = until if met else min(feed.until[action], now - 1)
        again = was_good < now <= feed.until[TO_LIQUIDATE]
        if again and before and now - was_good > rule[F_OUTAGE_NS] and rule[F_GRACE_NS]:
            feed.calm_ns = now + rule[F_GRACE_NS]
    if feed.price != before:
        twin.emit(events.INDEX_SET, market=row, price=feed.price)
    bits = sum(1 << action for action in range(ACTIONS) if is_good(twin, feed, action))
    if bits != feed.told or shown != (feed.below, feed.above, feed.pending):
        feed.told = bits
        said = {"amount": feed.below, "fee": feed.above, "extra": bits, "extra2": feed.pending}
        twin.emit(
            events.FEED_JUDGED, market=row, price=feed.price, other=feed.now_price, lots=average, **said
        )  # fmt: skip


def extend_window(feed, now):
    """The average, once what the sources said until now has stood until now."""
    window, price, stood = feed.rule[F_WINDOW_NS], feed.now_price, now - feed.mean_at_ns
    feed.mean_at_ns = now
    if not window or not price:
        feed.before, feed.mean, feed.rest, feed.mean_ns = price, 0, 0, 0
        return price
    total, length = feed.mean * feed.mean_ns + feed.rest, feed.mean_ns
    if length + stood >= window:
        room = max(0, window - length)
        feed.before = down(total + price * room, length + room)
        stood -= room
        if stood >= window:
            feed.before, stood = price, stood % window
        total, length = 0, 0
    total, length = total + price * stood, length + stood
    feed.mean, feed.rest, feed.mean_ns = (*divmod(total, length), length) if length else (0, 0, 0)
    return feed.before + down((feed.mean - feed.before) * feed.mean_ns, window)


def lowest_price(twin, feed):
    return twin.markets[feed.user].rule[M_TICKS_MIN] if feed.user and feed.user_is_market else 0


def growth_cap(twin, feed):
    rule, reference = feed.rule, feed.rule[F_GROWTH_REF]
    if not reference:
        return INT64_MAX
    grown = down(rule[F_GROWTH_PPM] * PPM * max(0, twin.now - rule[F_GROWTH_AT_NS]), YEAR_NS)
    return min(INT64_MAX, max(lowest_price(twin, feed), reference + down(reference * grown, 10**12)))


def reach_of_step(feed, now):
    """The lowest and the highest price of this interval."""
    step = feed.rule[F_STEP_PPM]
    if not step or not feed.price:
        feed.anchor = feed.anchor_at_ns = 0
        return 0, INT64_MAX
    if not feed.anchor or now - feed.anchor_at_ns >= feed.rule[F_STEP_NS]:
        feed.anchor, feed.anchor_at_ns = feed.price, now
    reach = part_up(feed.anchor, step)
    return feed.anchor - reach, feed.anchor + reach


def take_effect(feed, wanted, now):
    """The price, with the delay."""
    price, delay = feed.price, feed.rule[F_DELAY_NS]
    if not delay or not price:
        feed.pending = feed.pending_ns = 0
        return wanted
    if feed.pending and now >= feed.pending_ns:
        price, feed.pending, feed.pending_ns = feed.pending, 0, 0
    if not feed.pending and wanted != price:
        feed.pending, feed.pending_ns = wanted, now + delay
    return price


def set_interval(twin, feed, reports, average, cap):
    widens, seen = feed.rule[F_WIDENS], [feed.price]
    if widens & WIDEN_CONFIDENCE:
        seen += [min(cap, weighted_median(feed, reports, end)) for end in (-1, 1)]
    if widens & WIDEN_AVERAGE:
        seen.append(average)
    if widens & WIDEN_NOW:
        seen.append(feed.now_price)
    seen += [report.price for report in fresh_reports(twin, feed) if feed.rule[F_WITNESSES] >> report.source & 1]
    feed.below = feed.price - max(lowest_price(twin, feed), min(seen))
    feed.above = min(2 * feed.price, max(seen)) - feed.price


# --- Mark -------------------------------------------------------------------------------------------------------------


def recompute_mark(twin, market):
    # What feeds a pair has no freshness of its own: its mark stands still while an asset is not good for opening.
    fresh = twin.is_fresh(market) if market.rule[M_FEED] else twin.now <= market.fresh_until_ns
    if not market.index or not fresh:
        return
    if settlement.has_expired(twin, market):
        settlement.settle(twin, market)
        return
    bid, ask = best_price(twin, market, BUY), best_price(twin, market, SELL)
    index, rule = market.index, market.rule
    mark = index if rule[M_MARK_POLICY] else median_of_three(twin, market, bid, ask)
    band = part_down(index, rule[M_MARK_BAND_PPM])
    mark = clamp(clamp(mark, index - band, index + band), rule[M_TICKS_MIN], rule[M_TICKS_MAX])
    changed, market.mark = mark != market.mark, mark
    if twin.is_good(market, TO_LIQUIDATE):
        market.good_mark = mark
    twin.show(market, ON_MARK, changed)
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
