"""Matching in strict price-time priority, and what a fill does to both sides. See docs/concepts/orders.md."""

from steelyard.engine.alarms import DRIVER_LAST, market_driver
from steelyard.engine.book import best_against, crosses, level_remove, next_level
from steelyard.engine.events import say
from steelyard.engine.ledger import exchange, post
from steelyard.engine.opening import has_slack, what_is_left
from steelyard.engine.orders import (
    closing_share,
    count_in,
    far_leave,
    give_back,
    is_reduce_only,
    maker_rate_ppm,
    retire,
    shrink_margin,
    shrink_reduce_only,
    taker_rate_ppm,
)
from steelyard.engine.positions import book_trade, settle_funding
from steelyard.engine.prefetch import fetch_next_met
from steelyard.model.events import (
    CLOSED_MAINTENANCE,
    CLOSED_REDUCE_ONLY,
    CLOSED_SELF_TRADE,
    CLOSED_WORK_LIMIT,
    FILL,
    FILL_LIQUIDATION,
    FILL_MAKER,
)
from steelyard.model.keys import M_SETTLE, UNIT
from steelyard.model.orders import BORROW, CHILD, FEES, STP_BOTH, STP_MAKER, STP_NONE, STP_TAKER
from steelyard.num import far, leaf, unlikely
from steelyard.num.rounding import ppm_up
from steelyard.rules.consent import may_exchange, may_hold
from steelyard.rules.corner import SLOP
from steelyard.rules.interest import cash_of
from steelyard.rules.pairs import is_pair
from steelyard.rules.worth import is_paid, worth
from steelyard.state.tables import (
    ACCOUNT,
    DRIVER,
    LADDER,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    ORDER,
    PENDING,
    SCORE,
)

EVENTS_PER_ORDER_MAX = 8192  # an order that has caused more stops, so that one command's work is bounded
LOOK_AHEAD_MAX = 4096
UNFINISHED = 0  # `match` stopped because nothing crosses any more


@leaf
def maker_fee(s, market, account, notional):
    """What the maker of a trade pays, rounded up; a rebate if negative."""
    return ppm_up(notional, maker_rate_ppm(s, market, account))


@leaf
def may_fill(s, maker, lots, cost, fee, lots_before, atoms_before):
    """May this resting order be filled for a fee, after its account already took other lots (in a look ahead)?"""
    order, leg, table = ORDER(s), LEG(s), ACCOUNT(s)
    row = order.leg[maker]
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    signed = lots * order.side[maker]
    fee = max(0, fee)
    if unlikely(is_pair(s, market)):
        atoms, borrows = cost + atoms_before, order.options[maker] & BORROW
        return may_exchange(s, account, market, signed + lots_before, atoms, fee, borrows, int(lots_before != 0))
    if unlikely(is_paid(s, market)) and signed > 0 and not is_reduce_only(order.options[maker]):
        if cost + atoms_before + fee > cash_of(s, account, MARKET_RULE(s)[market, M_SETTLE]):
            return 0
    if lots_before == 0 and MARKET_RULE(s)[market, M_SETTLE] == UNIT and has_slack(s, account):
        # M(open) counts the order filled whole, and is never below M(maintain) but for roundings.
        loss = max(0, cost - worth(s, market, signed, MARKET(s).mark[market]))
        if what_is_left(s, table.slack[account], table.reach[account]) >= loss + fee + SLOP:
            return 1
    return may_hold(s, account, row, signed + lots_before, cost + atoms_before, fee, int(lots_before != 0))


@leaf
def note_last(s, market, price):
    """A trade happened here; remember to look at the stops if it may have reached one."""
    table, machine, driver = MARKET(s), MACHINE(s), DRIVER(s)
    table.last[market] = price
    alarm = market_driver(market, DRIVER_LAST)
    reached = (table.trailing[market] != 0) | (price <= driver.low[alarm]) | (price >= driver.high[alarm])
    if unlikely(reached) and table.pending[market] == 0:
        table.pending[market] = 1
        PENDING(s)[machine.pending[0]] = market
        machine.pending[0] += 1


@leaf
def needs_care(s, row):
    """Whether a fill has consequences beyond the leg: reduce-only orders, or an isolated position."""
    return (LEG_OPEN(s).reduce_lots[row] != 0) | (ACCOUNT(s).role[LEG(s).account[row]] == CHILD)


@far
def after_fill(s, row, before):
    """What follows a fill on one side: reduce-only orders shrink, an isolated position returns margin."""
    if LEG_OPEN(s).reduce_lots[row]:
        shrink_reduce_only(s, row)
    account = LEG(s).account[row]
    if ACCOUNT(s).role[account] == CHILD and MACHINE(s).matching[0] != account:
        give_back(s, row, closing_share(s, row, before))
    return 0


@far
def fill_side(s, row, order_id, other_id, side, lots, price, cost, fee, flags, left, counted):
    """Book one side of a fill: funding, trade, fee, event."""
    leg = LEG(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    rule = MARKET_RULE(s)
    realised = 0
    if unlikely(is_pair(s, market)):
        held = exchange(s, account, market, side * lots, cost)
    else:
        settle_funding(s, row)
        realised = book_trade(s, row, side * lots, cost, counted)
        held = leg.quantity[row]
    if fee:
        post(s, account, rule[market, M_SETTLE], -fee)
    say(
        s,
        FILL,
        account,
        market,
        side,
        order_id,
        other_id,
        price,
        lots,
        realised,
        fee,
        held,
        left,
        0,
        flags,
    )
    return realised


@leaf
def fill(s, taker_leg, taker_id, maker, side, lots, price, cost, fee, left, liquidation):
    """A trade between an incoming order and a resting one, both sides booked; the maker pays at least `fee`.

    A rebate never exceeds what the taker pays. A liquidation pays its own fee elsewhere, and for no rebate.
    """
    order, leg, table = ORDER(s), LEG(s), MARKET(s)
    maker_leg, maker_id = order.leg[maker], order.id[maker]
    market = leg.thing[taker_leg] - MARKET_0
    flags = FILL_LIQUIDATION if liquidation else 0
    taker_fee = 0 if liquidation else ppm_up(abs(cost), taker_rate_ppm(s, market, leg.account[taker_leg]))
    fee = max(fee, -taker_fee)
    taker_before = leg.quantity[taker_leg]
    promised = MACHINE(s).promised[0]
    fill_side(s, taker_leg, taker_id, maker_id, side, lots, price, cost, taker_fee, flags, left, promised)
    maker_before = leg.quantity[maker_leg]
    remaining = order.remaining[maker] - lots
    count_in(s, maker, -lots)
    LADDER(s).lots[table.ladder[market] + price] -= lots
    shrink_margin(s, maker, remaining, order.remaining[maker])
    order.remaining[maker] = remaining
    order.filled[maker] += lots
    counted = 0 if is_reduce_only(order.options[maker]) else 1
    flags |= FILL_MAKER
    fill_side(s, maker_leg, maker_id, taker_id, -side, lots, price, -cost, fee, flags, remaining, counted)
    post(s, FEES, MARKET_RULE(s)[market, M_SETTLE], taker_fee + fee)
    if remaining == 0:
        level_remove(s, market, maker)
        retire(s, maker)
        fetch_next_met(s, market, side)
    note_last(s, market, price)
    MACHINE(s).fills[0] += 1
    if unlikely(needs_care(s, taker_leg)):
        after_fill(s, taker_leg, taker_before)
    if unlikely(needs_care(s, maker_leg)):
        after_fill(s, maker_leg, maker_before)
    return 0


@leaf
def match(s, taker_leg, taker_id, side, limit, lots, stp, reduce_only, liquidation, counted):
    """Meet the book; returns (lots left, signed cost of the others, why the rest must close or UNFINISHED)."""
    order, leg, table, ladder, accounts, machine = ORDER(s), LEG(s), MARKET(s), LADDER(s), ACCOUNT(s), MACHINE(s)
    market = leg.thing[taker_leg] - MARKET_0
    owner = accounts.owner[leg.account[taker_leg]]
    left, traded, started = lots, 0, machine.events[0]
    machine.promised[0] = 1 if counted else 0
    while left > 0:
        price = best_against(s, market, side)
        if not crosses(limit, price, side):
            return left, traded, UNFINISHED
        if unlikely(machine.events[0] - started > EVENTS_PER_ORDER_MAX):
            return left, traded, CLOSED_WORK_LIMIT
        maker = ladder.head[table.ladder[market] + price]
        if unlikely(stp != STP_NONE) and accounts.owner[leg.account[order.leg[maker]]] == owner:
            if stp != STP_TAKER:
                far_leave(s, maker, CLOSED_SELF_TRADE, 0)
            if stp != STP_MAKER:
                return left, traded, CLOSED_SELF_TRADE
            continue
        take = min(left, order.remaining[maker])
        if unlikely(reduce_only):
            take = min(take, abs(leg.quantity[taker_leg]))
            if take == 0:
                return left, traded, CLOSED_REDUCE_ONLY
        cost = worth(s, market, side * take, price)
        fee = maker_fee(s, market, leg.account[order.leg[maker]], abs(cost))
        if unlikely(not may_fill(s, maker, take, -cost, fee, 0, 0)):
            far_leave(s, maker, CLOSED_MAINTENANCE, 0)
            continue
        left -= take
        fill(s, taker_leg, taker_id, maker, side, take, price, cost, fee, left, liquidation)
        traded += cost
    return 0, traded, UNFINISHED


@far
def can_fill_whole(s, market, taker_account, owner, side, limit, lots, stp):
    """Fill-or-kill: look along the path `match` would take, counting only what would survive."""
    order, leg, table, ladder, accounts, seen = ORDER(s), LEG(s), MARKET(s), LADDER(s), ACCOUNT(s), SCORE(s)
    orders = LEG_OPEN(s)
    price = best_against(s, market, side)
    met, looked = 0, 0
    while crosses(limit, price, side):
        maker = ladder.head[table.ladder[market] + price]
        while maker:
            looked += 1
            if looked > LOOK_AHEAD_MAX:
                return 0
            row = order.leg[maker]
            account = leg.account[row]
            same_owner = accounts.owner[account] == owner
            if same_owner:
                if stp == STP_TAKER or stp == STP_BOTH:
                    return 0
                if stp == STP_MAKER or account == taker_account:
                    maker = order.next[maker]
                    continue
            take = min(lots, order.remaining[maker])
            at = 0
            while at < met and seen.account[at] != account:
                at += 1
            if at == met:
                seen.account[at] = account
                seen.a[at] = 0  # signed lots counted
                seen.b[at] = 0  # their cost
                seen.score[at] = 0  # lots of them that were not reduce-only
                met += 1
            if is_reduce_only(order.options[maker]):
                spare = abs(leg.quantity[row]) - orders.reduce_lots[row] - seen.score[at]
                take = min(take, max(0, order.remaining[maker] + min(0, spare)))
            cost = worth(s, market, -side * take, price)
            fee = maker_fee(s, market, account, abs(cost))
            if take > 0 and may_fill(s, maker, take, cost, fee, seen.a[at], seen.b[at]):
                seen.a[at] -= side * take
                seen.b[at] += cost + max(0, fee)
                if not is_reduce_only(order.options[maker]):
                    seen.score[at] += take
                lots -= take
                if lots == 0:
                    return 1
            maker = order.next[maker]
        price = next_level(s, market, side, price)
    return 0
