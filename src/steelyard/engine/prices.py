"""Reports become indices, indices become marks. See docs/concepts/prices.md."""

from steelyard.engine.alarms import ARMED, DRIVER_Y, mark_dirty, market_driver, ring
from steelyard.engine.events import say
from steelyard.engine.ledger import find_leg, retry_conversions
from steelyard.engine.opening import note_deviation, set_references
from steelyard.engine.stops import show_price
from steelyard.engine.worth import set_price, show_share
from steelyard.model import reject as no
from steelyard.model.events import INDEX_SET, MARK_SET
from steelyard.model.keys import (
    A_SUPPLY_MAX,
    F_WEIGHT,
    M_BASE,
    M_MARK_POLICY,
    M_SETTLE,
    M_TICKS_MAX,
    M_TICKS_MIN,
)
from steelyard.model.orders import LENDER, MEDIAN_OF_THREE, ON_INDEX, ON_MARK
from steelyard.num import far, kernel
from steelyard.num.limits import ASSET_PRICE_SCALE, SOURCES_MAX, VALUE_MAX
from steelyard.num.rounding import mul_div_down
from steelyard.rules.corner import driver_value
from steelyard.rules.offers import active_time
from steelyard.rules.pairs import is_pair, pair_index
from steelyard.rules.parameters import widest_position
from steelyard.rules.price import basis_after, fresh_until, mark_price, open_interest_scale, weighted_median
from steelyard.rules.worth import lot_worth
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    FEED,
    FEED_RULE,
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
        if source < 0 or source >= SOURCES_MAX or FEED_RULE(s)[feed, F_WEIGHT + source] == 0:
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
def set_index(s, feed):
    """Recompute a feed's price and hand it to its market or asset; without quorum the last price stays, stale."""
    table, machine = FEED(s), MACHINE(s)
    now = machine.now_ns[0]
    price = weighted_median(s, feed, now)
    if price:
        table.fresh_until_ns[feed] = fresh_until(s, feed, now)
    else:
        price = table.price[feed]
        table.fresh_until_ns[feed] = min(table.fresh_until_ns[feed], now - 1)
    changed = price != table.price[feed]
    table.price[feed] = price
    user = table.user[feed]
    if changed:
        say(s, INDEX_SET, 0, feed, 0, 0, 0, price, 0, 0, 0, 0, 0, 0, 0)
    if user == 0:
        return 0
    if table.user_is_market[feed]:
        market = MARKET(s)
        market.index[user] = price
        market.fresh_until_ns[user] = table.fresh_until_ns[feed]
        if changed:
            show_price(s, user, ON_INDEX, price)
        return 0
    asset = ASSET(s)
    if asset.fresh_until_ns[user] < now <= table.fresh_until_ns[feed]:
        retry_conversions(s)
    if asset.fresh_until_ns[user] != table.fresh_until_ns[feed]:
        settle_active_time(s, user)
        # Only news: a price that stays stale must not have every slack worked out again at each look.
        asset.fresh_until_ns[user] = table.fresh_until_ns[feed]
        machine.stale_at_ns[0] = min(machine.stale_at_ns[0], table.fresh_until_ns[feed])
    if changed:
        set_price(s, user, price)
    if asset.pool[user]:
        show_share(s, user, find_leg(s, LENDER, user))
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
def set_mark(s, market):
    """Recompute a market's mark from its index, if that is fresh."""
    table, machine = MARKET(s), MACHINE(s)
    now = machine.now_ns[0]
    if table.index[market] == 0 or now > table.fresh_until_ns[market]:
        return 0
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
    if changed:
        show_price(s, market, ON_MARK, mark)
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
    if not changed and until == table.fresh_until_ns[market]:
        return 0
    table.index[market] = index
    table.fresh_until_ns[market] = until
    if changed and index:
        show_price(s, market, ON_INDEX, index)
    return 1


@far
def refresh_pairs(s):
    """Prices of assets may have changed: pairs follow, each once."""
    if MACHINE(s).pairs[0]:
        for market in range(1, MACHINE(s).markets[0] + 1):
            if is_pair(s, market) and set_pair_index(s, market):
                set_mark(s, market)
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
