"""Every index, made anew from the facts; and the first state of all.

Rebuilding changes no fact, and nothing that happens afterwards: a test does it at random moments.
"""

from steelyard.engine.accounts import add_account, join_owner, take_settings
from steelyard.engine.alarms import (
    DRIVER_MARK,
    HIGH,
    LOW,
    NOT_ARMED,
    QUEUED,
    alarm_insert,
    mark_dirty,
    market_driver,
    order_node,
)
from steelyard.engine.bitmap import bit_set
from steelyard.engine.book import leg_list_add, level_add, priority_of
from steelyard.engine.configure import count_excess, take_ladder
from steelyard.engine.heap import TRIGGERS, TURNS, heap_push
from steelyard.engine.interest import link_debtor, note_part
from steelyard.engine.judge import judge_dirty
from steelyard.engine.ledger import link_leg
from steelyard.engine.money import link_reference
from steelyard.engine.opening import gap_for
from steelyard.engine.orders import client_insert, has_client_id, trailing_add
from steelyard.engine.placing import fires_at_or_above
from steelyard.engine.prices import rearm_holders
from steelyard.engine.timers import link_timers
from steelyard.engine.worth import link_stake
from steelyard.model import orders as word
from steelyard.model.commands import OWNER as OWNER_TABLE
from steelyard.model.commands import RISK_TIER as TIER_TABLE
from steelyard.model.keys import A_POOL_KIND, A_POOL_OF, MARKET_WIDTH, OWNER_WIDTH, TIER_WIDTH
from steelyard.num import entry, kernel, leaf
from steelyard.num.limits import INT64_MAX
from steelyard.rules.pairs import is_pair
from steelyard.rules.worth import index_gap, lot_worth
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    DRIVER,
    KEY_RANGE,
    L_ACCOUNTS,
    L_BITS_ORDER,
    L_BITS_REFERENCE,
    LAYOUT,
    LEG,
    MACHINE,
    MARKET,
    MARKET_0,
    NOTE,
    ORDER,
    OWNER_RULE,
    RECENT,
    REFERENCE,
    SCRATCH,
    TIER_RULE,
)


@kernel
def free_rows(s):
    """A set bit is a row that may be taken."""
    order, reference, layout = ORDER(s), REFERENCE(s), LAYOUT(s)
    MACHINE(s).free_order[0] = 1
    for row in range(1, len(order)):
        if order.state[row] == word.FREE:
            bit_set(s, layout[L_BITS_ORDER], len(order), row)
    for row in range(1, len(reference)):
        if reference.state[row] != word.RESERVED:
            bit_set(s, layout[L_BITS_REFERENCE], len(reference), row)
    return 0


@kernel
def reset_drivers(s):
    driver = DRIVER(s)
    MACHINE(s).open_epoch[0] = 1  # no slack has been worked out yet
    for row in range(len(driver)):
        driver.low[row] = -1
        driver.high[row] = INT64_MAX
    return 0


@kernel
def link_accounts(s):
    leg, table, machine = LEG(s), ACCOUNT(s), MACHINE(s)
    for account in range(1, machine.accounts[0] + 1):
        join_owner(s, account)
        take_settings(s, account)
        table.armed[account] = QUEUED if table.queued[account] else NOT_ARMED
        link_leg(s, account)
    for row in range(LAYOUT(s)[L_ACCOUNTS] + 1, len(leg)):
        if leg.account[row]:
            link_leg(s, row)
            machine.leg_rows[0] += 1
    for row in range(1, len(leg)):
        if leg.account[row] and leg.thing[row] < MARKET_0 and leg.quantity[row] < 0:
            table.debts[leg.account[row]] += 1
            link_debtor(s, row)
            note_part(s, row, leg.quantity[row], 1)
    for row in range(1, machine.assets[0] + 1):
        ASSET(s).borrow_ref[row] = ASSET(s).borrow_index[row]
        if ASSET_RULE(s)[row, A_POOL_KIND]:
            link_stake(s, row)
        else:
            ASSET(s).pool[ASSET_RULE(s)[row, A_POOL_OF]] = row
    ASSET(s).pool[0] = 0
    return 0


@kernel
def link_markets(s):
    table, machine = MARKET(s), MACHINE(s)
    for market in range(1, machine.markets[0] + 1):
        take_ladder(s, market)
        if table.mark[market]:
            table.worth[market] = lot_worth(s, market, table.mark[market])
        table.open_gap[market] = gap_for(s, 0, index_gap(s, market))
        if is_pair(s, market):
            machine.pairs[0] += 1
        elif table.mark[market]:
            rearm_holders(s, market)
    asset = ASSET(s)
    for row in range(1, machine.assets[0] + 1):
        asset.open_gap[row] = gap_for(s, 0, max(asset.below[row], asset.above[row]))
    return 0


@leaf
def is_note_used(s, row):
    note = NOTE(s)
    named = note.client0[row] | note.client1[row] | note.client2[row] | note.client3[row] | note.client4[row]
    kind = note.trigger_kind[row] | note.trigger_on[row]
    return 1 if named | kind | note.priority[row] | note.margin[row] | note.expires_ns[row] else 0


@kernel
def link_order(s, row):
    """One open order back into book, alarms, lists and heaps."""
    order, note = ORDER(s), NOTE(s)
    market = LEG(s).thing[order.leg[row]] - MARKET_0
    leg_list_add(s, row)
    order.noted[row] = is_note_used(s, row)
    if has_client_id(s, row):
        client_insert(s, row)
    if order.state[row] == word.RESTING:
        level_add(s, market, row)
    elif order.state[row] == word.TRIGGERED:
        heap_push(s, TRIGGERS, priority_of(s, row), row)
    elif note.trigger_kind[row] == word.TRAILING:
        trailing_add(s, market, row)
    else:
        side = HIGH if fires_at_or_above(order.side[row], note.trigger_kind[row]) else LOW
        alarm_insert(s, market_driver(market, DRIVER_MARK + note.trigger_on[row]), side, order_node(s, row))
    return 0


@kernel
def link_recent(s):
    recent = RECENT(s)
    for row in range(1, len(recent)):
        if recent.used[row]:
            client_insert(s, -row)
    for row in range(1, len(REFERENCE(s))):
        if REFERENCE(s).state[row]:
            link_reference(s, row)
    return 0


@kernel
def link_queues(s):
    table, machine = ACCOUNT(s), MACHINE(s)
    for account in range(1, machine.accounts[0] + 1):
        if table.queued[account] == word.WAITS:
            heap_push(s, TURNS, table.health[account], account)
        elif table.queued[account] == 0:
            mark_dirty(s, account)
    link_timers(s)
    return 0


@entry
def rebuild(s, orders):
    """Make every index of a state whose index tables are zero; `scratch` lists its open orders by priority."""
    scratch = SCRATCH(s)
    reset_drivers(s)
    free_rows(s)
    link_accounts(s)
    count_excess(s)
    link_markets(s)
    for i in range(orders):
        link_order(s, scratch[i])
    link_recent(s)
    link_queues(s)
    judge_dirty(s)
    return 0


@entry
def genesis(s):
    """What every machine starts with: the system's owner and accounts, and one risk tier."""
    machine, owner_rule, tier_rule, ranges = MACHINE(s), OWNER_RULE(s), TIER_RULE(s), KEY_RANGE(s)
    reset_drivers(s)
    free_rows(s)
    machine.owners[0] = 1
    machine.risk_tiers[0] = 1
    for key in range(OWNER_WIDTH):
        owner_rule[1, key] = ranges[OWNER_TABLE * MARKET_WIDTH + key, 3]
    for key in range(TIER_WIDTH):
        tier_rule[1, key] = ranges[TIER_TABLE * MARKET_WIDTH + key, 3]
    for account in range(1, word.SYSTEM_ACCOUNTS + 1):
        add_account(s, account, word.SYSTEM_OWNER, word.SYSTEM, 0, 0)
    machine.events[0] = 0
    return 0
