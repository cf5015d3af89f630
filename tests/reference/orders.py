"""Placing, amending, cancelling and triggering. The numbers are those of docs/concepts/orders.md."""

from dataclasses import replace

from steelyard.model import events, reject
from steelyard.model.keys import M_TICKS_MAX, M_TICKS_MIN
from steelyard.model.orders import (
    BACKSTOP,
    CLOSE_POSITION,
    FOK,
    GTC,
    GTT,
    INCOMING,
    IOC,
    MARKET,
    NO_TRIGGER,
    REDUCE_ONLY,
    RESTING,
    STOP,
    TAKE_PROFIT,
    TRAILING,
    USER,
    WAITING,
)
from tests.reference import closing, isolated, money
from tests.reference.checks import check_entry, check_fields, check_permissions, check_price, check_room, check_size
from tests.reference.closing import close_order
from tests.reference.isolated import shrink_margin
from tests.reference.matching import match
from tests.reference.rows import ID_ROWS, Order, Refused
from tests.reference.stops import fires_at_once, trailing_in, watched_price

# --- Commands ---------------------------------------------------------------------------------------------------------


def place(twin, c):
    check_fields(twin, c)
    twin.require(c.account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    reduces = c.options & (REDUCE_ONLY | CLOSE_POSITION)
    unwinds = c.account == BACKSTOP and reduces
    twin.require(twin.accounts[c.account].role == USER or unwinds, reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(c.market in twin.markets, reject.MARKET_UNKNOWN)
    first = twin.first_with_client(c.account, c.client)
    twin.require(not first, reject.CLIENT_ID_REPEATED, order=first)
    market = twin.markets[c.market]
    closes = c.options & CLOSE_POSITION
    check_size(twin, market, c.lots, closes)
    needs_trigger = c.trigger_kind in (STOP, TAKE_PROFIT)
    check_price(twin, market, c, needs_trigger)
    order = Order(
        row=0,
        account=isolated.acting_account(twin, c.account, market),
        home=c.account,
        market=c.market,
        side=c.side,
        order_type=c.order_type,
        tif=IOC if c.order_type == MARKET and c.tif == GTC else c.tif,
        stp=c.stp,
        options=c.options,
        price=c.price,
        remaining=c.lots,
        lots=c.lots,
        client=c.client,
        trigger_kind=c.trigger_kind,
        trigger_on=c.trigger_on,
        trigger=c.trigger,
        callback=c.callback,
        expires_ns=c.expires_ns,
    )
    check_permissions(twin, market, order)
    twin.require(c.tif != GTT or c.expires_ns > twin.now, reject.EXPIRY_NOT_IN_FUTURE)
    check_room(twin, market, order)
    if order.trigger_kind != NO_TRIGGER:
        price = watched_price(twin, order)
        twin.require(price, reject.PRICE_STALE)
        twin.require(not fires_at_once(order, price), reject.TRIGGER_WOULD_FIRE_AT_ONCE)
        full = order.trigger_kind == TRAILING and trailing_in(twin, market) >= twin.limits.trailing_per_market
        twin.require(not full, reject.TRAILING_STOPS_FULL)
        accept(twin, market, order, WAITING, 0)
        return
    margin = check_entry(twin, market, order)
    accept(twin, market, order, INCOMING, margin)
    enter(twin, market, order)


def amend(twin, c):
    twin.require(c.price >= 0 and c.lots >= 0, reject.FIELD_OUT_OF_RANGE)
    old = find_own(twin, c)
    twin.require(old.state == RESTING, reject.ORDER_UNKNOWN)
    market, price, lots = twin.markets[old.market], c.price or old.price, c.lots or old.lots
    twin.require(lots > old.filled, reject.SIZE_MUST_BE_POSITIVE)
    twin.require((price, lots) != (old.price, old.lots), reject.NOTHING_CHANGES)
    if price == old.price and lots < old.lots:
        closing.cut_order(twin, old, old.lots - lots)
        return
    order = replace(old, price=price, remaining=lots - old.filled, lots=lots)
    old.state = INCOMING  # taken out while the checks look
    try:
        check_size(twin, market, lots, False)
        twin.require(price <= market.rule[M_TICKS_MAX], reject.PRICE_EXCEEDS_LIMIT)
        twin.require(price >= market.rule[M_TICKS_MIN], reject.PRICE_BELOW_LIMIT)
        check_permissions(twin, market, order)
        margin = check_entry(twin, market, order)
    except Refused:
        old.state = RESTING
        raise
    twin.orders[order.row] = order
    order.state = INCOMING
    order.priority = twin.next_order_number()
    order.lots = order.filled + order.remaining
    twin.emit(
        events.ORDER_AMENDED,
        account=order.account,
        market=order.market,
        side=order.side,
        order=order.id,
        price=order.price,
        lots=order.remaining,
    )
    order.margin += margin
    isolated.move_margin(twin, order.account, margin)
    enter(twin, market, order)


def cancel(twin, c):
    close_order(twin, find_own(twin, c), events.CLOSED_BY_USER)


def cancel_all(twin, c):
    check_trader(twin, c.account)
    twin.require(not c.market or c.market in twin.markets, reject.MARKET_UNKNOWN)
    closing.cancel_all(twin, c.account, twin.markets.get(c.market), events.CLOSED_BY_USER)


def check_trader(twin, account):
    twin.require(account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    tradable = account == BACKSTOP or twin.accounts[account].role == USER
    twin.require(tradable, reject.ACCOUNT_IS_NOT_TRADABLE)


def find_own(twin, c):
    check_trader(twin, c.account)
    for order in twin.orders.values():
        if order.home == c.account:
            if order.id == c.order if c.order else order.client == c.client != money.NO_CLIENT:
                return order
    raise Refused(reject.ORDER_UNKNOWN)


def run_triggered(twin, old):
    """A triggered order takes the checks again, now for real."""
    market = twin.markets[old.market]
    twin.emit(
        events.ORDER_TRIGGERED,
        account=old.account,
        market=old.market,
        side=old.side,
        order=old.id,
        price=watched_price(twin, old),
    )
    if old.options & CLOSE_POSITION:
        old.remaining = old.lots = abs(twin.quantity(old.account, market.thing))
    order = replace(old)
    try:
        check_permissions(twin, market, order)
        twin.require(order.remaining, reject.NOTHING_TO_REDUCE)
        margin = check_entry(twin, market, order)
    except Refused as refused:
        close_order(twin, old, events.CLOSED_REFUSED, extra=refused.reason)
        return
    twin.orders[order.row] = order
    order.state = INCOMING
    order.priority = twin.next_order_number()
    order.margin = margin
    isolated.move_margin(twin, order.account, margin)
    enter(twin, market, order)


# --- Into the table, and into the book --------------------------------------------------------------------------------


def accept(twin, market, order, state, margin):
    if order.account:
        twin.make_market_leg(order.account, market)
    else:
        order.account = isolated.make_child(twin, order.home, market)
    order.row = twin.lowest_free_order()
    order.priority = twin.next_order_number()
    order.id = order.priority * ID_ROWS + order.row
    order.leg = twin.leg(order.account, market.thing).row
    order.state = state
    order.margin = margin
    twin.orders[order.row] = order
    if margin:
        isolated.move_margin(twin, order.account, margin)
    twin.emit(
        events.ORDER_ACCEPTED,
        account=order.account,
        market=order.market,
        side=order.side,
        options=order.order_type + 2 * order.tif,
        order=order.id,
        price=order.price,
        lots=order.lots,
        other=order.trigger,
        amount=margin,
    )


def enter(twin, market, order):
    with isolated.one_return(twin, order.account, market):
        meet_book(twin, market, order)


def meet_book(twin, market, order):
    """What is left of the order rests or closes."""
    before = order.remaining
    _, _, must_close = match(twin, order, market)
    shrink_margin(order, before)
    if not order.remaining:
        twin.retire(order)
        return
    if must_close:
        close_order(twin, order, must_close)
        return
    if order.order_type == MARKET or order.tif in (IOC, FOK):
        close_order(twin, order, events.CLOSED_IMMEDIATE)
        return
    if order.reduces:
        quantity = twin.quantity(order.account, market.thing)
        room = abs(quantity) if quantity * order.side < 0 else 0
        room -= closing.resting_reduce_only(twin, order.account, market)
        if room <= 0:
            close_order(twin, order, events.CLOSED_REDUCE_ONLY)
            return
        if room < order.remaining:
            closing.cut_order(twin, order, order.remaining - room)
    order.state = RESTING
