"""The loop: a pure function of the state and a batch of commands. See docs/concepts/determinism.md."""

from steelyard.engine.changing import amend_order, cancel_after, cancel_all, cancel_order, cancel_orders
from steelyard.engine.configure import configure, take_step
from steelyard.engine.events import reject
from steelyard.engine.funding import sample_premium, settle_interval
from steelyard.engine.heap import TIMERS, TRIGGERS, TURNS, heap_key, heap_length, heap_pop, heap_target
from steelyard.engine.interest import accrue, plan_interest
from steelyard.engine.judge import judge_dirty
from steelyard.engine.ledger import find_leg
from steelyard.engine.liquidation import cooled_down, next_turn
from steelyard.engine.money import (
    convert_waiting,
    deposit,
    end_withdrawal,
    enforce_lowered_caps,
    move_between,
    move_margin,
    withdraw,
)
from steelyard.engine.offers import fill_bids, liquidate
from steelyard.engine.orders import client_entry, far_leave
from steelyard.engine.placing import place_order
from steelyard.engine.pool import claim, leave, redeem, supply
from steelyard.engine.prefetch import ROWS_AHEAD, fetch_ahead
from steelyard.engine.prices import clock, refresh_feed, refresh_pairs, report_prices
from steelyard.engine.settings import open_account, set_leverage, set_margin_mode
from steelyard.engine.settlement import expire, settle_positions
from steelyard.engine.stops import run_next_triggered, show_last_prices
from steelyard.model import commands as do
from steelyard.model import reject as no
from steelyard.model.commands import ASSET as ASSET_TABLE
from steelyard.model.commands import MARKET as MARKET_TABLE
from steelyard.model.events import CLOSED_EXPIRED, CLOSED_TIMER
from steelyard.model.orders import (
    COOLS,
    FREE,
    LENDER,
    TIMER_BIDS,
    TIMER_CANCEL_AFTER,
    TIMER_COOLDOWN,
    TIMER_EXPIRY,
    TIMER_FUNDING,
    TIMER_INTEREST,
    TIMER_PRICE,
    TIMER_RAMP_ASSET,
    TIMER_RAMP_MARKET,
    TIMER_SAMPLE,
    TIMER_SETTLEMENT,
)
from steelyard.num import entry, far, kernel, leaf, unlikely
from steelyard.num.limits import STEP_NS_MAX, TIME_NS_MAX
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    COMMAND,
    FEED,
    L_COMMAND_EVENTS,
    L_EVENTS,
    L_EVENTS_PER_COMMAND,
    L_LIQUIDATIONS,
    L_TRIGGERS,
    LAYOUT,
    MACHINE,
    MARKET,
    NOTE,
    ORDER,
    RECENT,
    STAGED,
)


@far
def run_timer(s, kind, row, at_ns):
    """One piece of clock work, if it still stands."""
    account, market, order, note = ACCOUNT(s), MARKET(s), ORDER(s), NOTE(s)
    if kind == TIMER_COOLDOWN:
        if account.queued[row] >= COOLS and account.due_ns[row] == at_ns:
            cooled_down(s, row)
    elif kind == TIMER_CANCEL_AFTER:
        if account.cancel_at_ns[row] == at_ns:
            account.cancel_at_ns[row] = 0
            cancel_orders(s, row, 0, CLOSED_TIMER, 1)
    elif kind == TIMER_EXPIRY:
        if order.state[row] != FREE and note.expires_ns[row] == at_ns:
            far_leave(s, row, CLOSED_EXPIRED, 0)
    elif kind == TIMER_SAMPLE:
        if market.next_sample_ns[row] == at_ns:
            sample_premium(s, row)
    elif kind == TIMER_FUNDING:
        if market.next_funding_ns[row] == at_ns:
            settle_interval(s, row)
    elif kind == TIMER_SETTLEMENT:
        expire(s, row, at_ns)
    elif kind == TIMER_BIDS:
        if MACHINE(s).bids_due_ns[0] == at_ns:
            fill_bids(s)
    elif kind == TIMER_INTEREST and ASSET(s).next_interest_ns[row] == at_ns:
        accrue(s, row, find_leg(s, LENDER, row))
        plan_interest(s, row)
    elif kind == TIMER_RAMP_ASSET or kind == TIMER_RAMP_MARKET:
        take_step(s, ASSET_TABLE if kind == TIMER_RAMP_ASSET else MARKET_TABLE, row, at_ns)
    elif kind == TIMER_PRICE and FEED(s).pending_ns[row] == at_ns:
        refresh_feed(s, row)
        refresh_pairs(s)
    return 0


@far
def do_what_is_due(s, at_ns):
    """Clock work up to an instant; 0 if the events must be read before there is room to go on."""
    machine = MACHINE(s)
    while heap_length(s, TIMERS) and heap_key(s, TIMERS) <= at_ns:
        if machine.events[0] + LAYOUT(s)[L_COMMAND_EVENTS] > LAYOUT(s)[L_EVENTS]:
            return 0
        due, target = heap_key(s, TIMERS), heap_target(s, TIMERS)
        heap_pop(s, TIMERS)
        machine.now_ns[0] = max(machine.now_ns[0], due)
        run_timer(s, target >> 32, target & 0xFFFFFFFF, due)
    return 1 if machine.events[0] + LAYOUT(s)[L_COMMAND_EVENTS] <= LAYOUT(s)[L_EVENTS] else 0


@leaf
def advance_clock(s, at_ns):
    """The clock moves to the command's time, through all that is due before; 0 if there is no room for its events."""
    if heap_length(s, TIMERS) and unlikely(heap_key(s, TIMERS) <= at_ns):
        if do_what_is_due(s, at_ns) == 0:
            return 0
    MACHINE(s).now_ns[0] = at_ns
    return 1


@leaf
def is_known(kind):
    if do.CLOCK <= kind <= do.CANCEL_AFTER or do.SUPPLY <= kind <= do.REDEEM:
        return True
    return kind == do.LIQUIDATE or kind == do.CLAIM or kind == do.LEAVE


@leaf
def may_span(kind):
    return kind == do.PRICE or kind == do.CONFIGURE


@leaf
def act(s, i, kind):
    """What the command itself does: a reason, or 0."""
    if kind == do.PLACE_ORDER:
        return place_order(s, i)
    if kind == do.CANCEL_ORDER:
        return cancel_order(s, i)
    if kind == do.AMEND_ORDER:
        return amend_order(s, i)
    if kind == do.PRICE:
        return report_prices(s)
    if kind == do.CLOCK:
        return clock(s)
    if kind == do.CANCEL_ALL:
        return cancel_all(s, i)
    if kind == do.CANCEL_AFTER:
        return cancel_after(s, i)
    if kind == do.DEPOSIT:
        return deposit(s, i)
    if kind == do.WITHDRAW:
        return withdraw(s, i)
    if kind == do.CONFIRM_WITHDRAWAL:
        return end_withdrawal(s, i, 1)
    if kind == do.RETURN_WITHDRAWAL:
        return end_withdrawal(s, i, 0)
    if kind == do.TRANSFER:
        return move_between(s, i)
    if kind == do.MOVE_MARGIN:
        return move_margin(s, i)
    if kind == do.SET_LEVERAGE:
        return set_leverage(s, i)
    if kind == do.SET_MARGIN_MODE:
        return set_margin_mode(s, i)
    if kind == do.LIQUIDATE:
        return liquidate(s, i)
    if kind == do.OPEN_ACCOUNT:
        return open_account(s, i)
    if kind == do.SUPPLY:
        return supply(s, i)
    if kind == do.REDEEM:
        return redeem(s, i)
    if kind == do.CLAIM:
        return claim(s, i)
    if kind == do.LEAVE:
        return leave(s, i)
    return configure(s)


@far
def finish(s):
    """The end of a command: expired positions, stops, conversions, judgements, liquidations, until nothing is left."""
    machine, layout = MACHINE(s), LAYOUT(s)
    triggers, turns = layout[L_TRIGGERS], layout[L_LIQUIDATIONS]
    enough = machine.events[0] + layout[L_EVENTS_PER_COMMAND]
    if machine.settling[0]:
        settle_positions(s, enough)
    while True:
        more = 0
        if machine.pending[0]:
            show_last_prices(s)
        while triggers > 0 and heap_length(s, TRIGGERS) and machine.events[0] < enough:
            triggers -= 1
            more += run_next_triggered(s)
        if machine.converting[0]:
            convert_waiting(s, enough)
        if machine.capping[0]:
            enforce_lowered_caps(s, enough)
        if machine.dirty[0] or machine.prices_moved[0]:
            judge_dirty(s)
        if turns > 0 and heap_length(s, TURNS) and machine.events[0] < enough:
            turns -= 1
            more += next_turn(s)
        if more == 0 and machine.converting[0] == 0:
            return 0


@kernel
def first_order_of(s, i):
    """The order that first used a client id, for the event that refuses the second."""
    c = COMMAND(s)
    entry_found = client_entry(s, c.account[i], c.client0[i], c.client1[i], c.client2[i], c.client3[i], c.client4[i])
    return ORDER(s).id[entry_found] if entry_found > 0 else RECENT(s).order[-entry_found]


@far
def refuse(s, reason, i, kind):
    """Tell why, with what the row named."""
    c, rows, machine = COMMAND(s), STAGED(s), MACHINE(s)
    account, market, order = c.account[i], c.market[i], c.order[i]
    if may_span(kind) and machine.staged[0]:
        failed = machine.failed[0]
        account, market, order = rows.account[failed], rows.market[failed], rows.order[failed]
    if reason == no.CLIENT_ID_REPEATED:
        order = first_order_of(s, i)
    if reason == no.PARAMETERS_DISAGREE:
        order = machine.failed_key[0]
    reject(s, reason, account, market, order, kind)
    return 0


@far
def drop_staged(s):
    """Rows that were never completed: told once, then gone."""
    machine, rows = MACHINE(s), STAGED(s)
    machine.seq[0] += 1
    reject(s, no.INCOMPLETE_COMMAND, rows.account[0], rows.market[0], rows.order[0], rows.kind[0])
    clear_staged(s)
    return 0


@far
def is_dropped(s, i, kind):
    """Whether this row belongs to the set that was too long; its last row, or a row of another kind, ends that."""
    machine = MACHINE(s)
    belongs = machine.dropping[0] == kind
    if COMMAND(s).last[i] or not belongs:
        machine.dropping[0] = 0
    return 1 if belongs else 0


@far
def stage(s, i):
    """Copy a row of the batch to the stage."""
    c, rows, machine = COMMAND(s), STAGED(s), MACHINE(s)
    row = machine.staged[0]
    rows.at_ns[row] = c.at_ns[i]
    rows.kind[row] = c.kind[i]
    rows.market[row] = c.market[i]
    rows.account[row] = c.account[i]
    rows.order[row] = c.order[i]
    rows.price[row] = c.price[i]
    rows.lots[row] = c.lots[i]
    rows.trigger[row] = c.trigger[i]
    machine.staged[0] = row + 1
    return 0


@far
def clear_staged(s):
    machine, rows = MACHINE(s), STAGED(s)
    for row in range(machine.staged[0]):
        rows.at_ns[row] = 0
        rows.kind[row] = 0
        rows.market[row] = 0
        rows.account[row] = 0
        rows.order[row] = 0
        rows.price[row] = 0
        rows.lots[row] = 0
        rows.trigger[row] = 0
    machine.staged[0] = 0
    return 0


@leaf
def time_reason(s, at_ns):
    now = MACHINE(s).now_ns[0]
    if at_ns < now:
        return no.TIME_WENT_BACK
    if at_ns > TIME_NS_MAX or (now > 0 and at_ns - now > STEP_NS_MAX):
        return no.TIME_JUMPS_TOO_FAR
    return no.NONE


@leaf
def command(s, i):
    """One row of the batch: 1 when it is done, 0 if the events must be read first."""
    c, machine = COMMAND(s), MACHINE(s)
    kind = c.kind[i]
    if unlikely(machine.staged[0]):
        if STAGED(s).kind[0] != kind:
            drop_staged(s)
        elif machine.staged[0] >= len(STAGED(s)):
            drop_staged(s)
            machine.dropping[0] = kind
    if unlikely(machine.dropping[0]) and is_dropped(s, i, kind):
        return 1
    if unlikely(not is_known(kind)):
        machine.seq[0] += 1
        reject(s, no.UNKNOWN_COMMAND, c.account[i], c.market[i], c.order[i], kind)
        return 1
    if unlikely(c.last[i] == 0):
        if may_span(kind):
            stage(s, i)
        else:
            machine.seq[0] += 1
            reject(s, no.INCOMPLETE_COMMAND, c.account[i], c.market[i], c.order[i], kind)
        return 1
    at_ns = c.at_ns[i]
    reason = time_reason(s, at_ns)
    if unlikely(reason):
        machine.seq[0] += 1
        reject(s, reason, c.account[i], c.market[i], c.order[i], kind)
        clear_staged(s)
        return 1
    machine.seq[0] += 1
    if advance_clock(s, at_ns) == 0:
        machine.seq[0] -= 1  # the same row comes again, and goes on where its clock work stopped
        return 0
    if unlikely(may_span(kind)):
        stage(s, i)
    reason = act(s, i, kind)
    if unlikely(reason):
        refuse(s, reason, i, kind)
    if unlikely(machine.staged[0]):
        clear_staged(s)
    more = machine.pending[0] | machine.triggers[0] | machine.converting[0] | machine.turns[0] | machine.dirty[0]
    if unlikely(more | machine.prices_moved[0] | machine.capping[0] | machine.settling[0]):
        finish(s)
    return 1


@entry
def run(s, first):
    """Run the loaded batch from this row on; the number of the first row not done yet. Events are in `event`."""
    machine, limit = MACHINE(s), LAYOUT(s)[L_EVENTS] - LAYOUT(s)[L_COMMAND_EVENTS]
    machine.events[0] = 0
    rows = len(COMMAND(s))
    i, blocked = first, first + ROWS_AHEAD - 1
    while i < rows and machine.events[0] <= limit:
        blocked = fetch_ahead(s, i, blocked)
        if command(s, i) == 0:
            break
        i += 1
    return i
