"""Amending and cancelling."""

from steelyard.engine.book import leg_list_add, leg_list_remove, level_remove
from steelyard.engine.events import say_money
from steelyard.engine.ledger import find_leg, first_in_order
from steelyard.engine.opening import restate
from steelyard.engine.orders import add_margin, count_in, cut, far_leave, give_back, leave, margin_of, say_amended
from steelyard.engine.placing import (
    check_order_again,
    check_permission,
    far_enter,
    move_to_the_end,
    named_order,
    send_margin,
)
from steelyard.engine.timers import push_timer
from steelyard.model import orders as word
from steelyard.model import reject as no
from steelyard.model.events import CANCEL_AFTER_SET, CLOSED_BY_USER
from steelyard.model.keys import M_ORDER_LOTS_MAX, M_TICKS_MAX, M_TICKS_MIN
from steelyard.num import far, kernel
from steelyard.num.limits import TIME_NS_MAX
from steelyard.state.tables import ACCOUNT, COMMAND, LEG, LEG_OPEN, MACHINE, MARKET_0, MARKET_RULE, ORDER


@kernel
def check_user(s, account):
    """The account of a command must be one that trades for itself."""
    if account <= 0 or account > MACHINE(s).accounts[0]:
        return no.ACCOUNT_UNKNOWN
    return no.NONE if ACCOUNT(s).role[account] == word.USER else no.ACCOUNT_IS_NOT_TRADABLE


@kernel
def check_trader(s, account):
    """The account of a command about open orders: one that trades for itself, or the backstop, which unwinds."""
    return no.NONE if account == word.BACKSTOP else check_user(s, account)


@far
def amend_order(s, i):
    """AMEND_ORDER: keep the place when only shrinking; otherwise leave the book and enter it anew with the same id."""
    c, order = COMMAND(s), ORDER(s)
    if c.price[i] < 0 or c.lots[i] < 0:
        return no.FIELD_OUT_OF_RANGE
    reason = check_trader(s, c.account[i])
    if reason:
        return reason
    row = named_order(s, i)
    if row == 0 or order.state[row] != word.RESTING:
        return no.ORDER_UNKNOWN
    old_price, old_lots, old_reserve = order.price[row], order.remaining[row], order.reserve[row]
    price = c.price[i] if c.price[i] else old_price
    lots = c.lots[i] - order.filled[row] if c.lots[i] else old_lots
    if lots <= 0:
        return no.SIZE_MUST_BE_POSITIVE
    if price == old_price and lots == old_lots:
        return no.NOTHING_CHANGES
    leg = order.leg[row]
    if price == old_price and lots < old_lots:
        margin = margin_of(s, row)
        cut(s, row, old_lots - lots)
        say_amended(s, row, 1)
        give_back(s, leg, margin - margin_of(s, row))
        return no.NONE
    acting = LEG(s).account[leg]
    market, owner = LEG(s).thing[leg] - MARKET_0, ACCOUNT(s).owner[acting]
    rule = MARKET_RULE(s)
    if order.filled[row] + lots > rule[market, M_ORDER_LOTS_MAX]:
        return no.SIZE_EXCEEDS_LIMIT
    if price > rule[market, M_TICKS_MAX]:
        return no.PRICE_EXCEEDS_LIMIT
    if price < rule[market, M_TICKS_MIN]:
        return no.PRICE_BELOW_LIMIT
    reason = check_permission(s, row, c.account[i], acting, market)
    if reason:
        return reason
    # The order is judged as if the old one were gone: its lots leave the sums, and return if it is refused.
    count_in(s, row, -old_lots)
    order.state[row] = word.INCOMING
    order.price[row] = price
    order.remaining[row] = lots
    reason, wanted = check_order_again(s, row, c.account[i], acting, leg, market, owner)
    price, lots, reserve = order.price[row], order.remaining[row], order.reserve[row]
    order.price[row] = old_price
    order.remaining[row] = old_lots
    order.reserve[row] = old_reserve
    if reason:
        order.state[row] = word.RESTING
        count_in(s, row, old_lots)
        restate(s, leg)
        return reason
    level_remove(s, market, row)
    leg_list_remove(s, row)
    move_to_the_end(s, row)
    leg_list_add(s, row)
    order.price[row] = price
    order.remaining[row] = lots
    order.reserve[row] = reserve
    add_margin(s, row, wanted)
    say_amended(s, row, 0)
    send_margin(s, c.account[i], acting, market, wanted)
    far_enter(s, row)
    return no.NONE


@far
def cancel_order(s, i):
    reason = check_trader(s, COMMAND(s).account[i])
    if reason:
        return reason
    row = named_order(s, i)
    if row == 0:
        return no.ORDER_UNKNOWN
    leave(s, row, CLOSED_BY_USER, 0)
    return no.NONE


@far
def cancel_leg(s, leg, reason):
    """Close all orders of one leg, oldest first."""
    order = ORDER(s)
    row = LEG_OPEN(s).first_order[leg]
    while row:
        after = order.next_of_leg[row]
        far_leave(s, row, reason, 0)
        row = after
    return 0


@far
def cancel_orders(s, account, market, reason, with_children):
    """Close an account's orders (of one market, or of all), leg by leg in order of thing."""
    leg = LEG(s)
    row = first_in_order(s, account)
    while row:
        thing = leg.thing[row]
        if thing >= MARKET_0 and (market == 0 or thing == MARKET_0 + market):
            cancel_leg(s, row, reason)
            child = leg.child[row]
            if child and with_children:
                cancel_leg(s, find_leg(s, child, thing), reason)
        row = leg.next_of_account[row]
    return 0


@far
def cancel_all(s, i):
    c = COMMAND(s)
    reason = check_trader(s, c.account[i])
    if reason:
        return reason
    if c.market[i] < 0 or c.market[i] > MACHINE(s).markets[0]:
        return no.MARKET_UNKNOWN
    cancel_orders(s, c.account[i], c.market[i], CLOSED_BY_USER, 1)
    return no.NONE


@far
def cancel_after(s, i):
    c, machine = COMMAND(s), MACHINE(s)
    account = c.account[i]
    reason = check_trader(s, account)
    if reason:
        return reason
    if c.lots[i] < 0 or c.lots[i] > TIME_NS_MAX - machine.now_ns[0]:
        return no.FIELD_OUT_OF_RANGE
    at_ns = machine.now_ns[0] + c.lots[i] if c.lots[i] else 0
    ACCOUNT(s).cancel_at_ns[account] = at_ns
    if at_ns:
        push_timer(s, at_ns, (word.TIMER_CANCEL_AFTER << 32) + account)
    say_money(s, CANCEL_AFTER_SET, account, 0, at_ns, 0)
    return no.NONE
