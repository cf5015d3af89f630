"""When something is due. A timer that no longer stands is not removed but ignored when it rings."""

from steelyard.engine.heap import TIMERS, heap_capacity, heap_length, heap_push, set_heap_length
from steelyard.model.commands import MARKET as MARKET_TABLE
from steelyard.model.keys import M_EXPIRY_NS, M_STATE, R_NEXT_NS
from steelyard.model.orders import (
    COOLS,
    FREE,
    SETTLED,
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
from steelyard.num import far, kernel
from steelyard.num.limits import SETTLEMENT_WAIT_NS
from steelyard.rules.parameters import ramp_row
from steelyard.state.tables import ACCOUNT, ASSET, FEED, MACHINE, MARKET, MARKET_RULE, NOTE, ORDER, RAMP


@kernel
def link_timers(s):
    """Every timer that stands, from the facts: of markets, assets, feeds, accounts and orders."""
    market, account, order, note, machine = MARKET(s), ACCOUNT(s), ORDER(s), NOTE(s), MACHINE(s)
    asset, rule = ASSET(s), MARKET_RULE(s)
    set_heap_length(s, TIMERS, 0)
    for row in range(1, machine.markets[0] + 1):
        if market.next_sample_ns[row]:
            heap_push(s, TIMERS, market.next_sample_ns[row], (TIMER_SAMPLE << 32) + row)
        if market.next_funding_ns[row]:
            heap_push(s, TIMERS, market.next_funding_ns[row], (TIMER_FUNDING << 32) + row)
        if RAMP(s)[ramp_row(s, MARKET_TABLE, row), R_NEXT_NS]:
            heap_push(s, TIMERS, RAMP(s)[ramp_row(s, MARKET_TABLE, row), R_NEXT_NS], (TIMER_RAMP_MARKET << 32) + row)
        expiry = rule[row, M_EXPIRY_NS]
        if expiry and rule[row, M_STATE] != SETTLED:
            due = expiry if market.index_at_ns[row] < expiry else expiry + SETTLEMENT_WAIT_NS
            heap_push(s, TIMERS, due, (TIMER_SETTLEMENT << 32) + row)
    for row in range(1, machine.assets[0] + 1):
        if asset.next_interest_ns[row]:
            heap_push(s, TIMERS, asset.next_interest_ns[row], (TIMER_INTEREST << 32) + row)
        if RAMP(s)[row, R_NEXT_NS]:
            heap_push(s, TIMERS, RAMP(s)[row, R_NEXT_NS], (TIMER_RAMP_ASSET << 32) + row)
    for row in range(1, machine.feeds[0] + 1):
        if FEED(s).pending_ns[row]:
            heap_push(s, TIMERS, FEED(s).pending_ns[row], (TIMER_PRICE << 32) + row)
    for row in range(1, machine.accounts[0] + 1):
        if account.cancel_at_ns[row]:
            heap_push(s, TIMERS, account.cancel_at_ns[row], (TIMER_CANCEL_AFTER << 32) + row)
        if account.queued[row] >= COOLS:
            heap_push(s, TIMERS, account.due_ns[row], (TIMER_COOLDOWN << 32) + row)
    if machine.bids_due_ns[0]:
        heap_push(s, TIMERS, machine.bids_due_ns[0], TIMER_BIDS << 32)
    for row in range(1, len(order)):
        if order.state[row] != FREE and note.expires_ns[row]:
            heap_push(s, TIMERS, note.expires_ns[row], (TIMER_EXPIRY << 32) + row)
    return 0


@far
def push_timer(s, at_ns, target):
    """Remember an instant. The heap holds twice what can stand, so sweeping it when full is rare.

    The caller has written the fact that the timer stands for, so a sweep brings it along.
    """
    if heap_length(s, TIMERS) >= heap_capacity(s, TIMERS):
        return link_timers(s)
    return heap_push(s, TIMERS, at_ns, target)
