"""Reports become indices, indices become marks. See docs/concepts/prices.md."""

from steelyard.engine.alarms import ARMED, DRIVER_Y, mark_dirty, market_driver, ring
from steelyard.engine.events import say
from steelyard.engine.ledger import find_leg, retry_conversions
from steelyard.engine.opening import gap_for, note_deviation, set_references
from steelyard.engine.stops import show_price
from steelyard.engine.timers import push_timer
from steelyard.engine.worth import set_gap, set_price, show_share, show_stakes
from steelyard.model import reject as no
from steelyard.model.events import FEED_JUDGED, INDEX_SET, MARK_SET, MARKET_SETTLED
from steelyard.model.keys import (
    A_SUPPLY_MAX,
    F_DELAY_NS,
    F_DEMANDS,
    F_GRACE_NS,
    F_HAS_POLICY,
    F_OUTAGE_NS,
    F_QUORUM,
    F_STEP_NS,
    F_STEP_PPM,
    F_STRICT_QUORUM,
    F_WEIGHT,
    F_WIDTH_MAX_PPM,
    F_WINDOW_NS,
    F_WITNESSES,
    M_BASE,
    M_EXPIRY_NS,
    M_FEED,
    M_MARK_POLICY,
    M_SETTLE,
    M_SETTLE_PRICE,
    M_SETTLE_WINDOW_NS,
    M_STATE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import (
    ACTIONS,
    BY_AVERAGE,
    BY_INDEX,
    BY_MARK,
    BY_RULE,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    DEMAND_WHOLE,
    LENDER,
    MEDIAN_OF_THREE,
    ON_INDEX,
    ON_MARK,
    SETTLED,
    TIMER_PRICE,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_SETTLE,
)
from steelyard.num import far, kernel
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, SOURCES_MAX, TIME_NS_MAX, VALUE_MAX
from steelyard.num.rounding import clamp, mul_div_down, ppm_up
from steelyard.num.wide import product_is_less
from steelyard.rules.corner import driver_value
from steelyard.rules.offers import active_time
from steelyard.rules.pairs import is_pair, pair_index
from steelyard.rules.parameters import widest_position
from steelyard.rules.price import (
    average_of,
    basis_after,
    believed,
    counted_sources,
    good_until,
    growth_cap,
    interval_around,
    is_good,
    is_in,
    is_mark_good,
    is_steady,
    is_trigger_good,
    mark_price,
    mean_after,
    open_interest_scale,
    weighted_median,
)
from steelyard.rules.worth import index_gap, lot_worth
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    FEED,
    FEED_RULE,
    FEED_UNTIL,
    HOLDER,
    LEG,
    MACHINE,
    MARKET,
    MARKET_RULE,
    SOURCE,
    STAGED,
)

BAND_SHARE = 200  # the funding index may drift by 1/200 of the mark before a market's holders are armed anew


@kernel
def is_too_dear(s, asset, price):
    """At this price the supply, or a position of a market settled in the asset, would be worth too much to add up."""
    widest = ASSET_RULE(s)[asset, A_SUPPLY_MAX]
    rule = MARKET_RULE(s)
    for market in range(1, MACHINE(s).markets[0] + 1):
        if rule[market, M_SETTLE] == asset:
            widest = max(widest, widest_position(s, market))
    return mul_div_down(price, widest, ASSET_PRICE_SCALE) > VALUE_MAX


@kernel
def check_reports(s):
    """The first reason against any row of a PRICE command."""
    rows, machine, table = STAGED(s), MACHINE(s), FEED(s)
    for i in range(machine.staged[0]):
        machine.failed[0] = i
        feed, source = rows.market[i], rows.account[i]
        if feed <= 0 or feed > machine.feeds[0]:
            return no.FEED_UNKNOWN
        if source < 0 or source >= SOURCES_MAX:
            return no.SOURCE_UNKNOWN
        if FEED_RULE(s)[feed, F_WEIGHT + source] == 0 and not is_in(FEED_RULE(s)[feed, F_WITNESSES], source):
            return no.SOURCE_UNKNOWN
        price, user = rows.price[i], table.user[feed]
        if price <= 0:
            return no.PRICE_MUST_BE_POSITIVE
        if table.user_is_market[feed]:
            if price > MARKET_RULE(s)[user, M_TICKS_MAX]:
                return no.PRICE_EXCEEDS_LIMIT
            if price < MARKET_RULE(s)[user, M_TICKS_MIN]:
                return no.PRICE_BELOW_LIMIT
        elif price > VALUE_MAX or (user and is_too_dear(s, user, price)):
            return no.PRICE_EXCEEDS_LIMIT
        if rows.lots[i] < 0 or rows.trigger[i] < 0 or rows.trigger[i] > machine.now_ns[0]:
            return no.FIELD_OUT_OF_RANGE
        if rows.trigger[i] < SOURCE(s).at_ns[feed * SOURCES_MAX + source]:
            return no.FIELD_OUT_OF_RANGE
    return no.NONE


@kernel
def settle_active_time(s, asset):
    """Before what it depends on changes: the active time of an asset up to now."""
    table = ASSET(s)
    table.active_ns[asset] = active_time(s, asset)
    table.active_at_ns[asset] = MACHINE(s).now_ns[0]
    return 0


@kernel
def take_in_index(s, market):
    """Add the index up to now to the sum that the settlement price is made of, as far as it was good for settling."""
    table, rule, now = MARKET(s), MARKET_RULE(s), MACHINE(s).now_ns[0]
    expiry = rule[market, M_EXPIRY_NS]
    since = max(table.index_at_ns[market], expiry - rule[market, M_SETTLE_WINDOW_NS])
    until = min(min(now, expiry), FEED_UNTIL(s)[rule[market, M_FEED], TO_SETTLE])
    if table.index[market] > 0 and until > since:
        micros = until // 1_000 - since // 1_000
        table.index_sum[market] += table.index[market] * micros
        table.index_micros[market] += micros
    table.index_at_ns[market] = now
    return 0


@kernel
def forget_policy(s, feed):
    """A feed without a policy remembers nothing that one would have kept."""
    table = FEED(s)
    table.now_price[feed] = 0
    table.below[feed] = 0
    table.above[feed] = 0
    table.before[feed] = 0
    table.mean[feed] = 0
    table.rest[feed] = 0
    table.mean_ns[feed] = 0
    table.mean_at_ns[feed] = 0
    table.anchor[feed] = 0
    table.anchor_at_ns[feed] = 0
    table.pending[feed] = 0
    table.pending_ns[feed] = 0
    table.calm_ns[feed] = 0
    table.told[feed] = 0
    return 0


@far
def add_to_window(s, feed):
    """The sources' price has stood until now."""
    table, now = FEED(s), MACHINE(s).now_ns[0]
    window, price = FEED_RULE(s)[feed, F_WINDOW_NS], table.now_price[feed]
    lasting, length = now - table.mean_at_ns[feed], table.mean_ns[feed]
    table.mean_at_ns[feed] = now
    if window == 0 or price == 0:
        table.before[feed] = price
        table.mean[feed] = 0
        table.rest[feed] = 0
        table.mean_ns[feed] = 0
        return 0
    mean, rest = table.mean[feed], table.rest[feed]
    if lasting >= window - length:
        if length < window:
            mean, _ = mean_after(mean, rest, length, price, window - length)
        # A window that was longer before it was configured shorter ends as it is.
        table.before[feed] = mean
        lasting -= max(0, window - length)
        if lasting >= window:
            table.before[feed] = price
            lasting %= window
        mean, rest, length = 0, 0, 0
    if lasting > 0:
        mean, rest = mean_after(mean, rest, length, price, lasting)
    table.mean[feed] = mean
    table.rest[feed] = rest
    table.mean_ns[feed] = length + lasting
    return 0


@kernel
def step_towards(s, feed, wanted):
    """As far as the price may go in this interval."""
    table, now = FEED(s), MACHINE(s).now_ns[0]
    step = FEED_RULE(s)[feed, F_STEP_PPM]
    if step == 0 or table.price[feed] == 0:
        table.anchor[feed] = 0
        table.anchor_at_ns[feed] = 0
        return wanted
    if table.anchor[feed] == 0 or now - table.anchor_at_ns[feed] >= FEED_RULE(s)[feed, F_STEP_NS]:
        table.anchor[feed] = table.price[feed]
        table.anchor_at_ns[feed] = now
    reach = ppm_up(table.anchor[feed], step)
    return clamp(wanted, table.anchor[feed] - reach, table.anchor[feed] + reach)


@kernel
def set_pending(s, feed, price, at_ns):
    """What takes effect later; price 0: nothing."""
    table = FEED(s)
    table.pending[feed] = price
    table.pending_ns[feed] = at_ns
    if price:
        push_timer(s, at_ns, (TIMER_PRICE << 32) + feed)
    return 0


@kernel
def delayed(s, feed, wanted):
    """The price that takes effect now, given the one wanted."""
    table, now = FEED(s), MACHINE(s).now_ns[0]
    delay, price = FEED_RULE(s)[feed, F_DELAY_NS], table.price[feed]
    if delay == 0 or price == 0:
        set_pending(s, feed, 0, 0)
        return wanted
    if table.pending[feed] and now >= table.pending_ns[feed]:
        price = table.pending[feed]
        set_pending(s, feed, 0, 0)
    if table.pending[feed] == 0 and wanted != price:
        set_pending(s, feed, wanted, now + delay)
    return price


@kernel
def judge_actions(s, feed, ends, strict, whole, average):
    """Until when the price is good for each action."""
    rule, table, until, now = FEED_RULE(s), FEED(s), FEED_UNTIL(s), MACHINE(s).now_ns[0]
    price, width = table.price[feed], table.below[feed] + table.above[feed]
    met = DEMAND_QUORUM
    if product_is_less(price, rule[feed, F_WIDTH_MAX_PPM], width, PPM) == 0:
        met |= DEMAND_NARROW
    if is_steady(s, feed, table.now_price[feed], average):
        met |= DEMAND_STEADY
    if whole:
        met |= DEMAND_WHOLE
    for action in range(ACTIONS):
        demands, lasts = rule[feed, F_DEMANDS + action], ends
        if demands & DEMAND_QUORUM:
            lasts = strict
        if demands & ~met or lasts < now:
            lasts = min(until[feed, action], now - 1)
        until[feed, action] = lasts
    return 0


@kernel
def tell_judged(s, feed, average, told):
    """FEED_JUDGED, if there is news; `told` says that something else than the bits is new."""
    table, bits = FEED(s), 0
    for action in range(ACTIONS):
        if is_good(s, feed, action):
            bits |= 1 << action
    if told or bits != table.told[feed]:
        table.told[feed] = bits
        below, above, pending = table.below[feed], table.above[feed], table.pending[feed]
        say(
            s, FEED_JUDGED, 0, feed, 0, 0, table.now_price[feed], table.price[feed], average, below, above,
            bits, pending, 0, 0,
        )  # fmt: skip
    return 0


@far
def follow_policy(s, feed, sources, ends):
    """What a feed with a policy makes of its reports. `ends` below 0: there is no quorum. 1 if there is news."""
    rule, table, now = FEED_RULE(s), FEED(s), MACHINE(s).now_ns[0]
    below, above, pending = table.below[feed], table.above[feed], table.pending[feed]
    good, before = FEED_UNTIL(s)[feed, TO_LIQUIDATE], table.price[feed]
    add_to_window(s, feed)
    average = average_of(s, feed, rule[feed, F_WINDOW_NS])
    if ends < 0:
        set_pending(s, feed, 0, 0)
        judge_actions(s, feed, ends, ends, 0, average)
    else:
        cap, median = growth_cap(s, feed, now), weighted_median(s, feed, sources, 0)
        price = min(median, cap)
        if table.now_price[feed] == 0:
            table.before[feed] = price
            average = price
        table.now_price[feed] = price
        if rule[feed, F_WINDOW_NS] == 0:
            average = price
        wanted = believed(s, feed, price, average)
        stepped = step_towards(s, feed, wanted)
        table.price[feed] = delayed(s, feed, stepped)
        low, high = interval_around(s, feed, sources, now, average, cap)
        table.below[feed] = low
        table.above[feed] = high
        whole = 1 if price == median and stepped == wanted else 0
        strict = good_until(s, feed, sources, rule[feed, F_STRICT_QUORUM])
        judge_actions(s, feed, ends, strict, whole, average)
        back = good < now <= FEED_UNTIL(s)[feed, TO_LIQUIDATE]
        if back and before and now - good > rule[feed, F_OUTAGE_NS] and rule[feed, F_GRACE_NS]:
            table.calm_ns[feed] = now + rule[feed, F_GRACE_NS]
    told = below != table.below[feed] or above != table.above[feed] or pending != table.pending[feed]
    if table.price[feed] != before:
        say(s, INDEX_SET, 0, feed, 0, 0, 0, table.price[feed], 0, 0, 0, 0, 0, 0, 0)
    return tell_judged(s, feed, average, told)


@kernel
def show_to_stops(s, market, trigger_on, price, changed):
    """Stops see a price that is new to them once it is good for them."""
    table, bit = MARKET(s), 1 << trigger_on
    if changed or table.unshown[market] & bit:
        table.unshown[market] |= bit
        if is_trigger_good(s, market):
            table.unshown[market] -= bit
            show_price(s, market, trigger_on, price)
    return 0


@kernel
def hand_to_market(s, feed, market, changed):
    """A settled market looks at no price any more."""
    table, feeds = MARKET(s), FEED(s)
    if MARKET_RULE(s)[market, M_STATE] == SETTLED:
        return 0
    table.index[market] = feeds.price[feed]
    table.fresh_until_ns[market] = FEED_UNTIL(s)[feed, TO_OPEN]
    table.below[market] = feeds.below[feed]
    table.above[market] = feeds.above[feed]
    table.open_gap[market] = gap_for(s, table.open_gap[market], index_gap(s, market))
    return show_to_stops(s, market, ON_INDEX, table.index[market], changed)


@kernel
def set_index(s, feed):
    """Recompute a feed's price and hand it to its market or asset; without quorum the last price stays, stale."""
    table, machine, until = FEED(s), MACHINE(s), FEED_UNTIL(s)
    now, before, user = machine.now_ns[0], table.price[feed], table.user[feed]
    if table.user_is_market[feed] and MARKET_RULE(s)[user, M_EXPIRY_NS] and MARKET_RULE(s)[user, M_STATE] != SETTLED:
        take_in_index(s, user)  # while what was said of the price that stood until now is still known
    sources, settles = counted_sources(s, feed, now), until[feed, TO_SETTLE]
    ends = good_until(s, feed, sources, FEED_RULE(s)[feed, F_QUORUM])
    table.fresh_until_ns[feed] = ends if ends >= 0 else min(table.fresh_until_ns[feed], now - 1)
    if FEED_RULE(s)[feed, F_HAS_POLICY]:
        follow_policy(s, feed, sources, ends)
    else:
        for action in range(ACTIONS):
            until[feed, action] = table.fresh_until_ns[feed]
        if ends >= 0:
            table.price[feed] = weighted_median(s, feed, sources, 0)
        if table.price[feed] != before:
            say(s, INDEX_SET, 0, feed, 0, 0, 0, table.price[feed], 0, 0, 0, 0, 0, 0, 0)
    price = table.price[feed]
    changed = price != before
    if is_good(s, feed, TO_LIQUIDATE):
        table.good_price[feed] = price
    if user == 0:
        return 0
    if table.user_is_market[feed]:
        return hand_to_market(s, feed, user, changed)
    asset = ASSET(s)
    if settles < now <= until[feed, TO_SETTLE]:
        retry_conversions(s)
    if asset.fresh_until_ns[user] != until[feed, TO_OPEN]:
        settle_active_time(s, user)
        # Only news: a price that stays stale must not have every slack worked out again at each look.
        asset.fresh_until_ns[user] = until[feed, TO_OPEN]
        machine.stale_at_ns[0] = min(machine.stale_at_ns[0], until[feed, TO_OPEN])
    set_gap(s, user, table.below[feed], table.above[feed])
    if changed:
        set_price(s, user, price)
    if asset.pool[user]:
        show_share(s, user, find_leg(s, LENDER, user))
    if asset.stakes[user]:
        show_stakes(s, user)
    return 0


@kernel
def rearm_holders(s, market):
    """Measure funding drift from here on, and give every holder of the market a new box."""
    table, leg, holder, accounts = MARKET(s), LEG(s), HOLDER(s), ACCOUNT(s)
    table.funding_ref[market] = table.funding_index[market]
    table.funding_band[market] = table.worth[market] // BAND_SHARE
    row = table.holders[market]
    while row:
        account = leg.account[row]
        if accounts.armed[account] == ARMED:
            mark_dirty(s, account)
        row = holder.next[row]
    set_references(s)
    return 0


@far
def show_driver(s, market):
    """Mark or funding index changed: ring the alarms keyed on their difference."""
    table, machine = MARKET(s), MACHINE(s)
    machine.prices_moved[0] = 1
    table.moved_seq[market] = machine.seq[0]
    drift, band = table.funding_index[market] - table.funding_ref[market], table.funding_band[market]
    # A mark that fell far makes an old band wide beside it: it is measured anew, well before the driver reaches zero.
    if band == 0 or abs(drift) > band or band > table.worth[market] // 100:
        rearm_holders(s, market)
    ring(s, market_driver(market, DRIVER_Y), driver_value(s, market))
    note_deviation(s, driver_value(s, market), table.open_ref[market])
    return 0


@far
def settle_market(s, market, is_last_chance):
    """Trading is over: the settlement price becomes the mark for ever, if there is one yet."""
    table, rule, machine = MARKET(s), MARKET_RULE(s), MACHINE(s)
    if rule[market, M_STATE] == SETTLED:
        return 0
    take_in_index(s, market)
    now, index, micros = machine.now_ns[0], table.index[market], table.index_micros[market]
    if rule[market, M_SETTLE_PRICE]:
        price, source = rule[market, M_SETTLE_PRICE], BY_RULE
    elif micros > 0:
        price, source = table.index_sum[market] // micros, BY_AVERAGE
    elif index > 0 and is_good(s, rule[market, M_FEED], TO_SETTLE):
        price, source = index, BY_INDEX
    elif is_last_chance:
        price, source = table.mark[market], BY_MARK
    else:
        return 0
    price = clamp(price, rule[market, M_TICKS_MIN], rule[market, M_TICKS_MAX])
    rule[market, M_STATE] = SETTLED
    changed = price != table.mark[market]
    table.mark[market] = price
    table.good_mark[market] = price
    table.fresh_until_ns[market] = TIME_NS_MAX
    table.mark_at_ns[market] = now
    table.worth[market] = lot_worth(s, market, price)
    table.below[market] = 0
    table.above[market] = 0
    table.unshown[market] = 0
    table.calm_ns[market] = 0
    table.next_sample_ns[market] = 0
    table.next_funding_ns[market] = 0
    table.premium_sum[market] = 0
    table.settling[market] = table.holders[market]
    if table.settling[market]:
        machine.settling[0] += 1
    say(s, MARKET_SETTLED, 0, market, 0, 0, index, price, 0, micros, 0, 0, 0, source, 0)
    if changed:
        show_driver(s, market)
    return 0


@far
def set_mark(s, market):
    """Recompute a market's mark from its index, if that is fresh."""
    table, machine = MARKET(s), MACHINE(s)
    now = machine.now_ns[0]
    # What feeds a pair has no freshness of its own: its mark stands still while an asset is not good for opening.
    feed = MARKET_RULE(s)[market, M_FEED]
    if table.index[market] == 0 or now > (FEED(s).fresh_until_ns[feed] if feed else table.fresh_until_ns[market]):
        return 0
    if MARKET_RULE(s)[market, M_EXPIRY_NS] and now >= MARKET_RULE(s)[market, M_EXPIRY_NS]:
        return settle_market(s, market, 0)
    basis = table.basis[market]
    if MARKET_RULE(s)[market, M_MARK_POLICY] == MEDIAN_OF_THREE:
        basis = basis_after(s, market, now)
    mark = mark_price(s, market, now, basis)
    changed = mark != table.mark[market]
    table.basis[market] = basis
    table.mark_at_ns[market] = now
    table.mark[market] = mark
    if changed:
        table.worth[market] = lot_worth(s, market, mark)
    scale = open_interest_scale(s, market)
    if scale > table.oi_scale_ppm[market]:
        machine.open_epoch[0] += 1
    table.oi_scale_ppm[market] = scale
    bid, ask = table.best_bid[market], table.best_ask[market]
    say(s, MARK_SET, 0, market, 0, 0, table.index[market], mark, 0, table.funding_rate[market], 0, bid, ask, 0, 0)
    if is_mark_good(s, market):
        table.good_mark[market] = mark
    show_to_stops(s, market, ON_MARK, mark, changed)
    if changed:
        if not is_pair(s, market):
            show_driver(s, market)
    return 0


@kernel
def set_pair_index(s, market):
    """The index of a pair follows its assets; 1 if it or its freshness changed."""
    table, rule, asset = MARKET(s), MARKET_RULE(s), ASSET(s)
    index = min(pair_index(s, market), rule[market, M_TICKS_MAX])
    until = min(asset.fresh_until_ns[rule[market, M_BASE]], asset.fresh_until_ns[rule[market, M_SETTLE]])
    if index == 0:
        until = 0
    changed = index != table.index[market]
    if index:
        show_to_stops(s, market, ON_INDEX, index, changed)
    if not changed and until == table.fresh_until_ns[market]:
        return 0
    table.index[market] = index
    table.fresh_until_ns[market] = until
    return 1


@far
def refresh_pairs(s):
    """Prices of assets may have changed: pairs follow, each once."""
    if MACHINE(s).pairs[0]:
        for market in range(1, MACHINE(s).markets[0] + 1):
            if is_pair(s, market):
                if set_pair_index(s, market):
                    set_mark(s, market)
                elif MARKET(s).mark[market]:
                    show_to_stops(s, market, ON_MARK, MARKET(s).mark[market], False)
    return 0


@far
def refresh_feed(s, feed):
    """Recompute a feed, then the mark of its market."""
    table = FEED(s)
    set_index(s, feed)
    if table.user_is_market[feed] and table.user[feed]:
        set_mark(s, table.user[feed])
    return 0


@far
def report_prices(s):
    """PRICE: all rows of one instant are taken in, then each named feed and its market once, in order of row."""
    rows, machine, source = STAGED(s), MACHINE(s), SOURCE(s)
    reason = check_reports(s)
    if reason:
        return reason
    count = machine.staged[0]
    for i in range(count):
        row = rows.market[i] * SOURCES_MAX + rows.account[i]
        source.price[row] = rows.price[i]
        source.confidence[row] = rows.lots[i]
        source.at_ns[row] = rows.trigger[i]
    table = FEED(s)
    for i in range(count):
        feed = rows.market[i]
        if table.taken_seq[feed] != machine.seq[0]:
            table.taken_seq[feed] = machine.seq[0]
            refresh_feed(s, feed)
    refresh_pairs(s)
    return no.NONE


@far
def clock(s):
    """CLOCK: every feed, then every mark."""
    machine = MACHINE(s)
    for feed in range(1, machine.feeds[0] + 1):
        set_index(s, feed)
    for market in range(1, machine.markets[0] + 1):
        if is_pair(s, market):
            set_pair_index(s, market)
        set_mark(s, market)
    return no.NONE
