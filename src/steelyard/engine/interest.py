"""Loans: an asset's borrow index moves on, debts are settled and listed. See docs/concepts/borrowing.md."""

from steelyard.engine.alarms import mark_dirty
from steelyard.engine.events import say
from steelyard.engine.opening import STALE
from steelyard.engine.timers import push_timer
from steelyard.engine.worth import lent, show_share
from steelyard.model.events import INTEREST_PAID, INTEREST_SET, RATE_SET
from steelyard.model.keys import (
    A_INTEREST_INTERVAL_NS,
    A_OUTFLOW_MAX,
    A_OUTFLOW_WINDOW_NS,
    A_POOL_GAINS,
    A_RATE_BASE_PPM,
    A_RATE_KIND,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    A_RESERVE_PPM,
    UNIT,
)
from steelyard.model.orders import ADAPTIVE, INSURANCE, LENDER, PEG, TIMER_INTEREST
from steelyard.num import far, kernel
from steelyard.num.limits import BORROW_INDEX_MAX, BORROW_STEP, PPM, RATE_FINE, REST_SCALE
from steelyard.num.rounding import clamp, mul_div_down, mul_div_rest
from steelyard.rules.interest import (
    borrow_index_after,
    borrow_rate_ppm,
    debt_part,
    debt_up,
    held_after,
    highest_index,
    holds_rate,
    index_with,
    inflow_ns,
    outflow_ns,
    utilisation_ppm,
)
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, HOLDER, LEG, MACHINE


@kernel
def used_now_ppm(s, asset, lender_row):
    table = ASSET(s)
    return utilisation_ppm(table.owed[asset], table.loans[asset], lent(s, lender_row))


@kernel
def rate_of_loans(s, asset, lender_row):
    """What the loans that stand cost a year, since the asset last accrued."""
    elapsed = MACHINE(s).now_ns[0] - ASSET(s).accrued_ns[asset]
    return borrow_rate_ppm(s, asset, used_now_ppm(s, asset, lender_row), elapsed)


@kernel
def hold_rate(s, asset, rate):
    """The rate that is held from now on."""
    table = ASSET(s)
    if rate != table.rate_held[asset]:
        table.rate_held[asset] = rate
        say(s, RATE_SET, 0, asset, 0, 0, 0, 0, 0, rate, 0, 0, 0, 0, 0)
    return 0


@far
def begin_rate(s, asset, was):
    """Parameters changed: the rate that is held from now on. An adaptive one goes on from where it is."""
    rule = ASSET_RULE(s)
    kind = rule[asset, A_RATE_KIND]
    first = ASSET(s).rate_held[asset] if was == ADAPTIVE else rule[asset, A_RATE_BASE_PPM] * RATE_FINE
    if kind == ADAPTIVE:
        first = clamp(first, rule[asset, A_RATE_MIN_PPM] * RATE_FINE, rule[asset, A_RATE_MAX_PPM] * RATE_FINE)
    elif kind == PEG:
        first = held_after(s, asset, 0, 0, 1)
    return hold_rate(s, asset, first if holds_rate(kind) else 0)


@far
def index_soon(s, asset, lender_row):
    """The borrow index if the asset accrued now."""
    table = ASSET(s)
    elapsed, before = MACHINE(s).now_ns[0] - table.accrued_ns[asset], table.borrow_index[asset]
    if elapsed <= 0 or table.owed[asset] == 0:
        return before
    index = borrow_index_after(before, table.owed[asset], rate_of_loans(s, asset, lender_row), elapsed)
    # So short a time is left to the next accrual.
    return before if index - before < BORROW_STEP and index < BORROW_INDEX_MAX else index


@kernel
def owed_after(s, asset, index):
    """(all debts when the borrow index is this, in 10**-12 of an atom what is left beside it)."""
    table = ASSET(s)
    owed, before = table.owed[asset], table.borrow_index[asset]
    whole, rest = mul_div_down(owed, index, before), mul_div_rest(owed, index, before)
    # Both parts of what is beside it, each with its own rest, so that the sum is rounded once.
    parts = mul_div_down(rest, REST_SCALE, before) + mul_div_down(table.owed_rest[asset], index, before)
    rests = mul_div_rest(rest, REST_SCALE, before) + mul_div_rest(table.owed_rest[asset], index, before)
    parts += rests // before
    return whole + parts // REST_SCALE, parts % REST_SCALE


@kernel
def owe_at_least_loans(s, asset, owed):
    """All debts come to this now, but not to less than what is in the books."""
    table = ASSET(s)
    if owed < table.loans[asset] or table.loans[asset] == 0:
        owed = table.loans[asset]
        table.owed_rest[asset] = 0
    table.owed[asset] = owed
    return 0


@kernel
def reserve_after(s, asset, owed, grown, lender_row):
    """(the reserve when debts of `owed` have grown by so much, and in 10**-12 of an atom what is left beside it).

    What no lender of a pool funds grows for the house.
    """
    table, funded = ASSET(s), PPM
    if table.pool[asset]:
        assets = max(0, lent(s, lender_row) + owed - table.loans[asset] - table.reserve[asset])
        if assets < owed:
            funded = mul_div_down(assets, PPM, owed)
    part = REST_SCALE - funded * (PPM - ASSET_RULE(s)[asset, A_RESERVE_PPM])
    rest = mul_div_rest(grown, part, REST_SCALE) + table.reserve_rest[asset]
    return table.reserve[asset] + mul_div_down(grown, part, REST_SCALE) + rest // REST_SCALE, rest % REST_SCALE


@far
def accrue(s, asset, lender_row):
    """Interest up to now, at the rate of the loans that stood since it last accrued."""
    table, machine = ASSET(s), MACHINE(s)
    owed, before, index = table.owed[asset], table.borrow_index[asset], index_soon(s, asset, lender_row)
    rate = rate_of_loans(s, asset, lender_row) if owed else 0
    if index == before and rate > 0 and index < BORROW_INDEX_MAX:
        return 0
    if holds_rate(ASSET_RULE(s)[asset, A_RATE_KIND]):
        elapsed = machine.now_ns[0] - table.accrued_ns[asset]
        hold_rate(s, asset, held_after(s, asset, used_now_ppm(s, asset, lender_row), elapsed, 1))
    table.accrued_ns[asset] = machine.now_ns[0]
    if index == before:
        return 0
    later, rest = owed_after(s, asset, index)
    table.borrow_index[asset] = index
    table.reserve[asset], table.reserve_rest[asset] = reserve_after(s, asset, owed, later - owed, lender_row)
    table.owed[asset], table.owed_rest[asset] = later, rest
    table.moved_seq[asset] = machine.seq[0]
    machine.prices_moved[0] = 1
    if index > highest_index(s, asset):
        arm_debtors(s, asset)
    say(s, INTEREST_SET, 0, asset, 0, 0, 0, 0, 0, rate, 0, index, table.loans[asset], 0, 0)
    if table.pool[asset]:
        show_share(s, asset, lender_row)
    return 0


@kernel
def note_part(s, row, quantity, times):
    """Keep the sum of what debts share in gains: one was, or is (times 1), this at the index of its leg."""
    asset = LEG(s).thing[row]
    if quantity < 0 and ASSET_RULE(s)[asset, A_POOL_GAINS]:
        ASSET(s).debt_shares[asset] += times * debt_part(-quantity, LEG(s).index_at_touch[row])
    return 0


@kernel
def spread_debt(s, asset, amount):
    """All debts grow by so much together, each by its part: the index rises, and with it what is owed altogether."""
    table, machine = ASSET(s), MACHINE(s)
    table.borrow_index[asset] = index_with(table.borrow_index[asset], table.owed[asset], amount)
    table.owed[asset] += amount
    table.moved_seq[asset] = machine.seq[0]
    machine.prices_moved[0] = 1
    if table.borrow_index[asset] > highest_index(s, asset):
        arm_debtors(s, asset)
    return 0


@kernel
def arm_debtors(s, asset):
    """Certificates count debts at an index that is passed now: everybody who owes this asset is looked at."""
    table, leg, holder = ASSET(s), LEG(s), HOLDER(s)
    table.borrow_ref[asset] = table.borrow_index[asset]
    row = table.debtors[asset]
    while row:
        mark_dirty(s, leg.account[row])
        row = holder.next[row]
    return 0


@kernel
def take_interest(s, account, row, amount):
    """Interest comes to an account of the house, which owes nothing of it."""
    leg, table = LEG(s), ACCOUNT(s)
    leg.quantity[row] += amount
    if leg.thing[row] == UNIT:
        table.slack[account] += amount
    else:
        table.open_epoch[account] = STALE
    return 0


@far
def settle_debt(s, row, lender_row, insurance_row):
    """The interest that a debt has grown by is paid: first the reserve, then the lender. How much it is.

    The asset has accrued. The row of the insurance fund is needed only if there is a reserve.
    """
    leg, table = LEG(s), ASSET(s)
    asset = leg.thing[row]
    index = table.borrow_index[asset]
    interest = debt_up(-leg.quantity[row], index, leg.index_at_touch[row]) + leg.quantity[row]
    note_part(s, row, leg.quantity[row], -1)
    leg.index_at_touch[row] = index
    leg.quantity[row] -= interest
    note_part(s, row, leg.quantity[row], 1)
    if interest == 0:
        return 0
    kept = min(interest, table.reserve[asset])
    table.loans[asset] += interest
    owe_at_least_loans(s, asset, table.owed[asset])
    table.reserve[asset] -= kept
    take_interest(s, LENDER, lender_row, interest - kept)
    if kept:
        take_interest(s, INSURANCE, insurance_row, kept)
    say(s, INTEREST_PAID, leg.account[row], asset, 0, 0, index, 0, 0, interest, kept, 0, 0, 0, 0)
    if table.pool[asset]:
        show_share(s, asset, lender_row)
    return interest


@far
def note_outflow(s, asset, amount):
    """So much was redeemed or lent (negative: supplied or repaid). What exceeds a window is forgotten with it."""
    table, now = ASSET(s), MACHINE(s).now_ns[0]
    if ASSET_RULE(s)[asset, A_OUTFLOW_MAX] == 0:
        return 0
    until = max(now, table.outflow_until_ns[asset])
    if amount > 0:
        latest = now + ASSET_RULE(s)[asset, A_OUTFLOW_WINDOW_NS]
        table.outflow_until_ns[asset] = min(latest, until + outflow_ns(s, asset, amount))
    elif amount < 0:
        table.outflow_until_ns[asset] = max(now, until - inflow_ns(s, asset, -amount))
    return 0


@far
def plan_interest(s, asset):
    """The next instant at which an asset accrues by itself; none while nobody owes anything."""
    table, now = ASSET(s), MACHINE(s).now_ns[0]
    interval = ASSET_RULE(s)[asset, A_INTEREST_INTERVAL_NS]
    if table.owed[asset] == 0:
        table.next_interest_ns[asset] = 0
        return 0
    table.next_interest_ns[asset] = (now // interval + 1) * interval
    return push_timer(s, table.next_interest_ns[asset], (TIMER_INTEREST << 32) + asset)


@far
def change_debt(s, row, before, after):
    """A settled cash leg was at `before` and is at `after`: loans, checkpoint, and its place in the list of debtors."""
    leg, table, holder = LEG(s), ASSET(s), HOLDER(s)
    asset, borrowed = leg.thing[row], max(0, -after) - max(0, -before)
    table.loans[asset] += borrowed
    owe_at_least_loans(s, asset, table.owed[asset] + borrowed if table.loans[asset] else 0)
    note_outflow(s, asset, borrowed)
    if table.next_interest_ns[asset] == 0 and table.owed[asset]:
        plan_interest(s, asset)
    note_part(s, row, before, -1)
    leg.index_at_touch[row] = table.borrow_index[asset] if after < 0 else 0
    note_part(s, row, after, 1)
    if ASSET_RULE(s)[asset, A_POOL_GAINS]:
        leg.cost[row] = table.gained[asset] if after < 0 else 0
    if before >= 0 and after < 0:
        link_debtor(s, row)
    elif before < 0 and after >= 0:
        prev, rest = holder.prev[row], holder.next[row]
        if prev:
            holder.next[prev] = rest
        else:
            table.debtors[asset] = rest
        if rest:
            holder.prev[rest] = prev
    return 0


@kernel
def link_debtor(s, row):
    table, holder, asset = ASSET(s), HOLDER(s), LEG(s).thing[row]
    first = table.debtors[asset]
    holder.next[row] = first
    holder.prev[row] = 0
    if first:
        holder.prev[first] = row
    table.debtors[asset] = row
    return 0
