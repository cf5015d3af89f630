"""The checks of an order, numbered as in docs/concepts/orders.md. They fix its price, lots and reserve on the way."""

from steelyard.model import reject
from steelyard.model.keys import (
    A_POOL_GAINS,
    M_ATOMS_PER_TICK_LOT,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_BY_ARRAY,
    M_DATED,
    M_EXPIRY_NS,
    M_MAKER_PPM,
    M_OPEN_INTEREST_LOTS_MAX,
    M_ORDER_LOTS_MAX,
    M_PAID,
    M_POSITION_LOTS_MAX,
    M_PRICE_BAND_PPM,
    M_STATE,
    M_TAKER_PPM,
    M_TICKS_MAX,
    M_TICKS_MIN,
    T_PRODUCTS,
)
from steelyard.model.orders import (
    BUY,
    CANCEL_ONLY,
    CLOSE_POSITION,
    FLAGS_ALL,
    FOK,
    FOR_OPEN,
    FOR_REDUCE,
    GTC,
    GTT,
    HALTED,
    IOC,
    LIMIT,
    MARKET,
    NO_TRIGGER,
    ON_LAST,
    POST_ONLY,
    POST_ONLY_MARKET,
    POST_ONLY_SLIDE,
    PRODUCT_DATED,
    PRODUCT_PERPETUAL,
    PRODUCT_PORTFOLIO,
    PRODUCT_SPOT,
    REDUCE_ONLY_MARKET,
    RESTING,
    SELL,
    SPARED,
    STOP,
    STP_BOTH,
    TAKE_PROFIT,
    TO_OPEN,
    TRAILING,
)
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference import closing, isolated, money, pairs, scenarios, settlement
from tests.reference.health import equity, gained, leaves_no_weaker, may_open, requirement
from tests.reference.matching import best_price, book_side, crosses, fee_rate, fillable_lots
from tests.reference.numbers import atoms_worth_up, is_inverse, part_down, part_up, up, value, worth
from tests.reference.rows import copied

# --- Checks 1 to 11 ---------------------------------------------------------------------------------------------------


def check_fields(twin, c):
    trailing, waits_for_price = c.trigger_kind == TRAILING, c.trigger_kind in (STOP, TAKE_PROFIT)
    post_only = c.options & (POST_ONLY | POST_ONLY_SLIDE)
    wrong = (
        c.side not in (BUY, SELL),
        c.order_type not in (LIMIT, MARKET),
        not GTC <= c.tif <= GTT,
        not 0 <= c.stp <= STP_BOTH,
        not NO_TRIGGER <= c.trigger_kind <= TRAILING,
        not 0 <= c.trigger_on <= ON_LAST,
        not 0 <= c.options <= FLAGS_ALL,
        post_only == POST_ONLY | POST_ONLY_SLIDE,
        post_only and (c.order_type == MARKET or c.tif in (IOC, FOK)),
        c.options & CLOSE_POSITION and (not waits_for_price or c.lots),
        c.trigger_kind == NO_TRIGGER and (c.trigger or c.callback),
        trailing and not 1 <= c.callback <= PPM - 1,
        waits_for_price and c.callback,
        (c.tif == GTT) != (c.expires_ns != 0),
        c.order_type == MARKET and (c.price or c.tif == GTT),
        trailing and c.order_type == LIMIT,
        min(c.price, c.lots, c.trigger, c.expires_ns) < 0,
    )
    twin.require(not any(wrong), reject.FIELD_OUT_OF_RANGE)


def check_size(twin, market, lots, closes):
    twin.require(lots or closes, reject.SIZE_MUST_BE_POSITIVE)
    twin.require(lots <= market.rule[M_ORDER_LOTS_MAX], reject.SIZE_EXCEEDS_LIMIT)


def check_price(twin, market, c, needs_trigger):
    twin.require(c.price or c.order_type == MARKET, reject.PRICE_MUST_BE_POSITIVE)
    twin.require(c.trigger or not needs_trigger, reject.PRICE_MUST_BE_POSITIVE)
    twin.require(max(c.price, c.trigger) <= market.rule[M_TICKS_MAX], reject.PRICE_EXCEEDS_LIMIT)
    lowest = min(price for price in (c.price, c.trigger, market.rule[M_TICKS_MIN]) if price)
    twin.require(lowest >= market.rule[M_TICKS_MIN], reject.PRICE_BELOW_LIMIT)


def check_permissions(twin, market, order):
    """6 to 8: what the market, the tier, the account and the prices allow."""
    twin.require(not settlement.has_expired(twin, market), reject.MARKET_SETTLED)
    leaving = market.rule[M_EXPIRY_NS] and not market.rule[M_DATED]
    twin.require(not leaving or order.reduces, reject.MARKET_REDUCE_ONLY)
    state = market.rule[M_STATE]
    twin.require(state != HALTED, reject.MARKET_HALTED)
    twin.require(state != CANCEL_ONLY, reject.MARKET_CANCEL_ONLY)
    post_only = order.options & (POST_ONLY | POST_ONLY_SLIDE)
    twin.require(state != POST_ONLY_MARKET or post_only, reject.MARKET_POST_ONLY)
    twin.require(state != REDUCE_ONLY_MARKET or order.reduces, reject.MARKET_REDUCE_ONLY)
    tier = twin.tiers[twin.risk_tier_of(order.home)]
    product = PRODUCT_DATED if market.rule[M_DATED] else PRODUCT_PERPETUAL
    product = PRODUCT_SPOT if pairs.is_pair(market) else product
    if scenarios.scans(twin, order.home):
        product |= PRODUCT_PORTFOLIO
    twin.require(order.reduces or tier[T_PRODUCTS] & product == product, reject.TIER_FORBIDS_PRODUCT)
    decides = scenarios.scans(twin, order.home) or market.rule[M_BY_ARRAY]
    if not order.reduces and not pairs.is_pair(market) and decides:
        twin.require(scenarios.has_array(twin, market), reject.RISK_ARRAY_MISSING)
    queued = order.account and twin.accounts[order.account].queued
    twin.require(not queued or (queued == SPARED and order.reduces), reject.ACCOUNT_IN_LIQUIDATION)
    if order.reduces:
        twin.require(market.mark, reject.PRICE_STALE)
    else:
        twin.require_good([market], TO_OPEN)


def check_room(twin, market, order):
    of_account = len(twin.open_orders(order.account)) if order.account else 0
    full = len(twin.orders) >= twin.limits.orders or of_account >= twin.limits.orders_per_account
    twin.require(not full, reject.ORDERS_FULL)
    things = twin.things_of(market)
    if order.account:
        twin.require(twin.has_room_for_legs(order.account, things), reject.LEGS_FULL)
    else:
        gained = {twin.assets[thing].rule[A_POOL_GAINS] for thing in things if thing < MARKET_0}
        new = len({*things, *gained} - {0, 1})  # a child has its first leg already
        twin.require(twin.has_room_for_legs(order.home, things, new), reject.LEGS_FULL)
        twin.require(len(twin.accounts) < twin.limits.accounts, reject.ACCOUNTS_FULL)


# --- Checks 12 to 18 --------------------------------------------------------------------------------------------------


def check_entry(twin, market, order):
    """May it meet the book now? Fixes its price, lots and reserve; returns the margin to move to a child."""
    if order.order_type == LIMIT:
        band = part_down(market.mark, market.rule[M_PRICE_BAND_PPM])
        outside = order.price > market.mark + band if order.side == BUY else order.price < market.mark - band
        twin.require(not outside, reject.PRICE_OUTSIDE_BAND)
    else:
        order.price = worst_level(twin, market, order)
    check_post_only(twin, market, order)
    if order.reduces:
        cut_to_position(twin, market, order)
    order.reserve = 0 if order.reduces else reserve_per_lot(twin, market, order)
    if not order.reduces:
        check_limits(twin, market, order)
    margin = check_margin(twin, market, order)
    if order.tif == FOK:
        with pairs.as_if_accrued(twin, market):
            fillable = fillable_lots(twin, order, market)
        twin.require(fillable >= order.remaining, reject.FILL_OR_KILL_CANNOT_FILL)
    return margin


def worst_level(twin, market, order):
    """The price of a market order: the last level it needs."""
    against, seen = book_side(twin, market, -order.side), 0
    twin.require(against, reject.NO_LIQUIDITY)
    for resting in against:
        seen += resting.remaining
        if seen >= order.remaining:
            return resting.price
    return against[-1].price


def check_post_only(twin, market, order):
    opposite = best_price(twin, market, -order.side)
    if not order.options & (POST_ONLY | POST_ONLY_SLIDE) or not crosses(order, opposite):
        return
    twin.require(order.options & POST_ONLY_SLIDE, reject.POST_ONLY_WOULD_CROSS)
    order.price = opposite - order.side
    twin.require(market.rule[M_TICKS_MIN] <= order.price <= market.rule[M_TICKS_MAX], reject.POST_ONLY_WOULD_CROSS)


def can_reduce(twin, market, order):
    return bool(order.account) and twin.quantity(order.account, market.thing) * order.side < 0


def cut_to_position(twin, market, order):
    twin.require(can_reduce(twin, market, order), reject.NOTHING_TO_REDUCE)
    room = abs(twin.quantity(order.account, market.thing))
    if not crosses(order, best_price(twin, market, -order.side)):
        room -= closing.resting_reduce_only(twin, order.account, market)
        twin.require(room > 0, reject.NOTHING_TO_REDUCE)
    order.remaining = min(order.remaining, room)
    order.lots = order.filled + order.remaining


def reserve_per_lot(twin, market, order):
    """What one lot may lose at once by crossing the mark, and its fee."""
    scale, beyond = market.rule[M_ATOMS_PER_TICK_LOT], max(0, order.side * (order.price - market.mark))
    crossing, notional = beyond * scale, order.price * scale
    if is_inverse(market.rule):
        crossing, notional = up(scale * beyond, order.price * market.mark), up(scale, order.price)
    rate = fee_rate(twin, order.home, market, M_TAKER_PPM)
    if order.options & (POST_ONLY | POST_ONLY_SLIDE):
        rate = max(0, fee_rate(twin, order.home, market, M_MAKER_PPM))
    if pairs.is_pair(market):
        fee = part_up(notional, rate)
        return notional + fee if order.side == BUY else max(0, notional - fee)
    return crossing + part_up(notional, rate)


def larger_side(twin, leg, order=None):
    bids, asks, _, _ = twin.resting_lots(leg)
    if order is not None and order.side == BUY:
        bids += order.remaining
    elif order is not None:
        asks += order.remaining
    return max(max(leg.quantity, 0) + bids, max(-leg.quantity, 0) + asks)


def check_limits(twin, market, order):
    """16: the owner's position, the bracket table and the open interest."""
    acting = isolated.acting_legs(twin, order.home, order.account, market)[market.thing]
    own = larger_side(twin, acting, order)
    total = own
    for account in twin.accounts_of(twin.accounts[order.home].owner):
        leg = twin.leg_or_none(account, market.thing)
        if leg is not None and account != order.account:
            total += larger_side(twin, leg)
    twin.require(total <= market.rule[M_POSITION_LOTS_MAX], reject.POSITION_LIMIT)
    notional = abs(worth(market.rule, own, market.mark))
    largest = market.rule[M_BRACKET_UPPER + market.rule[M_BRACKETS] - 1]
    twin.require(notional <= largest, reject.POSITION_LIMIT)
    if twin.open_interest(market) + order.remaining > market.rule[M_OPEN_INTEREST_LOTS_MAX]:
        same_side = [
            each.remaining
            for each in twin.open_orders(acting.account, market.row)
            if each.state == RESTING and each.side == order.side
        ]
        only_reduces = acting.quantity * order.side < 0 and order.remaining + sum(same_side) <= abs(acting.quantity)
        twin.require(only_reduces, reject.OPEN_INTEREST_LIMIT)


def check_margin(twin, market, order):
    """17: the account's own means, or a child's with its parent's; returns the atoms the parent sends."""
    if pairs.is_pair(market):
        pairs.check_order(twin, market, order)
        return 0
    if market.rule[M_PAID] and order.side == BUY and not order.reduces:
        twin.require(pairs.holds_price(twin, market, order), reject.BALANCE_TOO_LOW)
    legs = isolated.acting_legs(twin, order.home, order.account, market)
    bids, asks, _, _ = twin.resting_lots(legs[market.thing])
    resting = 0 if order.reduces else bids if order.side == BUY else asks
    held, signed, asset = legs[market.thing].quantity, order.side * order.remaining, twin.settle(market)
    after = held + order.side * (order.remaining + resting)
    atoms = gained(market, held, signed, worth(market.rule, signed, order.price))
    no_weaker = leaves_no_weaker(twin, legs, market, after, atoms)
    twin.require(no_weaker or not money.below_cap(twin, legs), reject.LOAN_CAP_EXCEEDED)
    missing = (
        missing_after_reducing(twin, legs, market, order, atoms)
        if order.reduces
        else (requirement(twin, legs, FOR_OPEN, order) - equity(twin, legs))
    )
    if missing <= 0 or no_weaker:
        return 0
    is_isolated = order.account != order.home
    twin.require(is_isolated and not order.reduces, reject.OPENING_MARGIN_EXCEEDED)
    twin.require(not money.below_cap(twin, twin.legs_of(order.home)), reject.LOAN_CAP_EXCEEDED)
    margin = margin_to_send(twin, legs, order, asset, missing)
    parent = copied(twin, twin.legs_of(order.home))
    parent[asset].quantity -= margin
    twin.require(may_open(twin, parent), reject.PARENT_MARGIN_EXCEEDED)
    return margin


def margin_to_send(twin, legs, order, asset, missing):
    """The fewest atoms of the parent with which the child may open: haircuts ask for more than is missing."""

    def suffices(atoms):
        more = copied(twin, legs)
        more[asset].quantity += atoms
        return may_open(twin, more, order)

    too_few, enough = atoms_worth_up(missing, twin.assets[asset].price), pairs.free(twin, order.home, asset)
    twin.require(enough >= too_few, reject.BALANCE_TOO_LOW)
    if suffices(too_few):
        return too_few
    twin.require(suffices(enough), reject.BALANCE_TOO_LOW)
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if suffices(middle):
            enough = middle
        else:
            too_few = middle
    return enough


def missing_after_reducing(twin, legs, market, order, atoms):
    """What a reduce-only order, filled whole at its price, would leave short of M(open)."""
    legs, cost = copied(twin, legs), abs(worth(market.rule, order.remaining, order.price))
    gain = atoms - part_up(cost, fee_rate(twin, order.home, market, M_TAKER_PPM))
    own = equity(twin, legs) + value(gain, twin.assets[twin.settle(market)].price)
    legs[market.thing].quantity += order.side * order.remaining
    return requirement(twin, legs, FOR_REDUCE) - own
