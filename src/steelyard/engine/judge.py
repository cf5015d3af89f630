"""Judging accounts exactly, arming the healthy with boxes, queueing the unhealthy for liquidation."""

from steelyard.engine.alarms import (
    ARMED,
    HIGH,
    HOT_ARMED,
    LOW,
    NOT_ARMED,
    QUEUED,
    alarm_insert,
    disarm,
    driver_of,
    enter_hot,
    leg_node,
    mark_dirty,
)
from steelyard.engine.heap import TURNS, heap_push
from steelyard.engine.ledger import BOX_MAX_PPM, prove
from steelyard.model.keys import UNIT
from steelyard.model.orders import OWES, WAITS
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import PPM
from steelyard.num.rounding import mul_div_down, ppm_down
from steelyard.rules.corner import driver_value, exposure
from steelyard.rules.requirement import HEALTH_LIMIT, account_health, health_of
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    DIRTY,
    HOT,
    LEG,
    MACHINE,
    MARKET,
    MARKET_0,
)

BOX_SHARE_PPM = 750_000  # of the slack goes into the box, the rest lets fills pass without a new look
HALVINGS = 12


@leaf
def has_box(s, row):
    """Whether this leg moves with a driver."""
    leg = LEG(s)
    if leg.thing[row] == UNIT:
        return False
    return leg.quantity[row] != 0 or leg.thing[row] < MARKET_0


@kernel
def set_boxes(s, account, width_ppm):
    """Guess a box of this relative width for every leg; nothing is linked yet."""
    leg = LEG(s)
    row = ACCOUNT(s).first_leg[account]
    while row:
        if has_box(s, row):
            thing = leg.thing[row]
            here = ASSET(s).price[thing] if thing < MARKET_0 else driver_value(s, thing - MARKET_0)
            reach = ppm_down(here, width_ppm)
            leg.box_low[row] = max(0, here - reach - 1)
            leg.box_high[row] = here + reach + 1
        row = leg.next_of_account[row]
    return 0


@far
def arm(s, account, slack):
    """Give a healthy account the widest box that its slack can prove, or put it on the hot list."""
    leg, table, machine = LEG(s), ACCOUNT(s), MACHINE(s)
    disarm(s, account)
    machine.rearmed[0] += 1
    total = 0
    row = table.first_leg[account]
    while row:
        total += exposure(s, row)
        row = leg.next_of_account[row]
    width = BOX_MAX_PPM
    if total > 0:
        width = min(width, mul_div_down(ppm_down(slack, BOX_SHARE_PPM), PPM, total))
    proven = False
    for _ in range(HALVINGS):
        set_boxes(s, account, width)
        if prove(s, account) >= 0:
            proven = True
            break
        if width == 0:
            break
        width >>= 1
    if not proven:
        row = table.first_leg[account]
        while row:
            leg.box_low[row] = 0
            leg.box_high[row] = 0
            row = leg.next_of_account[row]
        table.armed[account] = HOT_ARMED
        enter_hot(s, account)
        return 0
    table.armed[account] = ARMED
    widened = machine.weaken_ppm[0]
    row = table.first_leg[account]
    while row:
        if has_box(s, row):
            if widened:
                # A test widens boxes without proof, to show that missed accounts are noticed.
                leg.box_low[row] -= ppm_down(leg.box_low[row], widened)
                leg.box_high[row] += ppm_down(leg.box_high[row], widened)
            driver = driver_of(s, leg.thing[row])
            alarm_insert(s, driver, LOW, leg_node(row, LOW))
            alarm_insert(s, driver, HIGH, leg_node(row, HIGH))
        row = leg.next_of_account[row]
    return 0


@far
def enqueue(s, account, health):
    """Wait for a turn of liquidation."""
    table, machine = ACCOUNT(s), MACHINE(s)
    if table.queued[account] == 0:
        machine.queued[0] += 1
        disarm(s, account)
        table.armed[account] = QUEUED
    table.queued[account] = WAITS
    table.due_ns[account] = 0
    table.health[account] = health
    heap_push(s, TURNS, health, account)
    return 0


@kernel
def wake(s, account):
    """Money came: an account that waits for it gets a turn, after everybody who has something to close."""
    if ACCOUNT(s).queued[account] == OWES:
        enqueue(s, account, HEALTH_LIMIT)
    return 0


@kernel
def judge(s, account):
    """Look at one account exactly: queue it if unhealthy, else arm it."""
    table = ACCOUNT(s)
    if table.queued[account]:
        return 0
    MACHINE(s).judged[0] += 1
    equity, requirement = account_health(s, account)
    if equity < requirement:
        return enqueue(s, account, health_of(equity, requirement))
    return arm(s, account, equity - requirement)


@kernel
def has_moved(s, account):
    """Whether any driver of this account moved in this command."""
    leg, now = LEG(s), MACHINE(s).seq[0]
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if (MARKET(s).moved_seq[thing - MARKET_0] if thing >= MARKET_0 else ASSET(s).moved_seq[thing]) == now:
            return True
        row = leg.next_of_account[row]
    return False


@far
def judge_dirty(s):
    """Judge everybody whose proof was lost: alarms that rang, certificates that broke, and the hot if prices moved."""
    table, machine, dirty, hot = ACCOUNT(s), MACHINE(s), DIRTY(s), HOT(s)
    if machine.prices_moved[0]:
        machine.prices_moved[0] = 0
        if machine.sweep_all[0]:
            for account in range(1, machine.accounts[0] + 1):
                mark_dirty(s, account)
        else:
            for place in range(machine.hot[0]):
                if has_moved(s, hot[place]):
                    mark_dirty(s, hot[place])
    for place in range(machine.dirty[0]):
        account = dirty[place]
        table.dirty[account] = 0
        judge(s, account)
    machine.dirty[0] = 0
    return 0


@kernel
def forget(s, account):
    """An account left the queue: it is armed again at the end of the command."""
    table, machine = ACCOUNT(s), MACHINE(s)
    table.queued[account] = 0
    table.started[account] = 0
    table.health[account] = 0
    table.due_ns[account] = 0
    machine.queued[0] -= 1
    table.armed[account] = NOT_ARMED
    mark_dirty(s, account)
    return 0
