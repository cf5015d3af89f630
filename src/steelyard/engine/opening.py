"""The opening slack: what most orders are checked against, without a look at the account's other legs. Indices only.

See "Opening slack" in docs/concepts/legs-and-health.md: every driver has a reference, an account keeps a lower bound of
E - M(open) at the references and its reach, and `deviation` is how far any driver has gone since.
"""

from steelyard.model.keys import A_EXCESS_PPM, M_EXCESS_PPM, M_SETTLE, UNIT
from steelyard.model.orders import FOR_OPEN
from steelyard.num import far, leaf, unlikely
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE_BITS, INT64_MAX, VALUE_MAX
from steelyard.num.rounding import mul_div_up
from steelyard.rules.cash import charge, value
from steelyard.rules.corner import (
    RATE_OF_LEVERAGE,
    corner_cash,
    driver_value,
    highest_worth,
    reference_terms,
)
from steelyard.rules.requirement import leverage_in_force
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, LEG, LEG_OPEN, MACHINE, MARKET, MARKET_0, MARKET_RULE

REACH_BITS = 24  # reach is counted in 2**24 atoms, deviation in 2**-24: their product is in atoms
REACH_MAX = (1 << 31) - 1
DEVIATION_MAX = (1 << REACH_BITS) // 20  # a twentieth: beyond, all references are set anew
STALE = -1  # an epoch that never is


@leaf
def rate_of_leg(s, account, market, chosen):
    return RATE_OF_LEVERAGE[leverage_in_force(s, account, market, chosen)]


@leaf
def open_terms(s, row, market, rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve):
    """(slack, reach) of a market leg with these orders, at its reference."""
    atoms, moving = reference_terms(s, row, market, rate_ppm, bid_lots, ask_lots, bid_reserve, ask_reserve)
    settle = MARKET_RULE(s)[market, M_SETTLE]
    if unlikely(MACHINE(s).excess[0]) and moving and MARKET_RULE(s)[market, M_EXCESS_PPM]:
        return -VALUE_MAX, 0  # what its group has too much depends on other legs: that is judged exactly
    if unlikely(settle != UNIT) and moving:
        if ASSET(s).open_gap[settle]:
            return -VALUE_MAX, 0  # what it settles in may be worth more or less: that is judged exactly
        # Profit in an asset that is priced itself: both may go, (1 + d)^2 - 1 <= 3 d.
        price = ASSET(s).open_ref[settle]
        moving = 3 * min(VALUE_MAX, charge(moving + abs(atoms), price))
        atoms = value(atoms, price) - 1
    reach = (moving >> REACH_BITS) + 1 if moving else 0
    return (atoms, reach) if reach <= REACH_MAX else (-VALUE_MAX, 0)


@leaf
def store_terms(s, row, term, reach):
    """A market leg's part of its account's slack and reach is this now."""
    orders, table, account = LEG_OPEN(s), ACCOUNT(s), LEG(s).account[row]
    table.slack[account] += term - orders.open_term[row]
    table.reach[account] += reach - orders.open_reach[row]
    orders.open_term[row] = term
    orders.open_reach[row] = reach


@leaf
def terms_of_leg(s, row):
    """(slack, reach) of a market leg with the orders it has."""
    leg, orders = LEG(s), LEG_OPEN(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    return open_terms(
        s,
        row,
        market,
        rate_of_leg(s, account, market, orders.leverage[row]),
        orders.bid_lots[row],
        orders.ask_lots[row],
        orders.bid_reserve[row],
        orders.ask_reserve[row],
    )


@leaf
def restate(s, row):
    """A market leg changed: its part of the slack is worked out anew."""
    if ACCOUNT(s).open_epoch[LEG(s).account[row]] == MACHINE(s).open_epoch[0]:
        term, reach = terms_of_leg(s, row)
        store_terms(s, row, term, reach)
        MACHINE(s).promised[0] = 0


@far
def prove_open(s, account):
    """Work the slack out from all legs."""
    leg, orders, table, asset = LEG(s), LEG_OPEN(s), ACCOUNT(s), ASSET(s)
    slack, reach = 0, 0
    row = table.first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing >= MARKET_0:
            term, moving = terms_of_leg(s, row)
            orders.open_term[row] = term
            orders.open_reach[row] = moving
            slack += term
            reach += moving
        elif leg.quantity[row] != 0:
            price = asset.open_ref[thing] if thing != UNIT else ASSET_PRICE_SCALE
            if thing != UNIT:
                price = max(0, price - asset.open_gap[thing])
            slack += corner_cash(s, row, price, price, FOR_OPEN)
            if MACHINE(s).excess[0] and ASSET_RULE(s)[thing, A_EXCESS_PPM]:
                slack -= VALUE_MAX
            if thing != UNIT:
                price = asset.open_ref[thing]
                reach += (charge(abs(leg.quantity[row]), price) >> (REACH_BITS - 2)) + 1
        row = leg.next_of_account[row]
    table.slack[account] = slack
    table.reach[account] = reach
    table.open_epoch[account] = MACHINE(s).open_epoch[0]
    table.loose[account] = 0
    MACHINE(s).promised[0] = 0
    return 0


@leaf
def shift_slack(s, row, gained):
    """A leg's E at its reference grew by at least these atoms; M(open) did not rise, and is left as it is."""
    leg, table = LEG(s), ACCOUNT(s)
    account = leg.account[row]
    if MARKET_RULE(s)[leg.thing[row] - MARKET_0, M_SETTLE] == UNIT:
        table.slack[account] += gained
        LEG_OPEN(s).open_term[row] += gained
        table.loose[account] = 1
    else:
        table.open_epoch[account] = STALE


@leaf
def what_is_left(s, slack, reach):
    """At least E - M(open), now that drivers have gone as far as they have."""
    return slack - reach * MACHINE(s).deviation[0]


@far
def forget_stale_prices(s):
    """A price may have gone stale: slacks that count on its asset hold no longer."""
    machine, asset = MACHINE(s), ASSET(s)
    now, since, soonest, lost = machine.now_ns[0], machine.stale_at_ns[0], INT64_MAX, 0
    for row in range(1, machine.assets[0] + 1):
        until = asset.fresh_until_ns[row]
        if until >= now:
            soonest = min(soonest, until)
        elif until >= since:
            lost = 1
    machine.stale_at_ns[0] = soonest
    machine.open_epoch[0] += lost
    return 0


@leaf
def has_slack(s, account):
    """Whether the account's slack may be trusted; one that is out of date is worked out first."""
    table = ACCOUNT(s)
    if unlikely(table.debts[account] | table.pairs[account] | table.scans[account]):
        return False
    if unlikely(MACHINE(s).now_ns[0] > MACHINE(s).stale_at_ns[0]):
        forget_stale_prices(s)
    if unlikely(table.open_epoch[account] != MACHINE(s).open_epoch[0]):
        prove_open(s, account)
    return True


@leaf
def pays(s, account, row, term, reach):
    """Whether E >= M(open) with these parts of a leg instead of its own."""
    table, orders = ACCOUNT(s), LEG_OPEN(s)
    slack, moving = table.slack[account] - orders.open_term[row], table.reach[account] - orders.open_reach[row]
    return what_is_left(s, slack + term, moving + reach) >= 0


@leaf
def take_slack(s, account, row, term, reach):
    """Whether these parts of a leg can be paid for; if so they are its own from now on."""
    if unlikely(not pays(s, account, row, term, reach)):
        if ACCOUNT(s).loose[account] == 0:
            return False
        prove_open(s, account)
        if not pays(s, account, row, term, reach):
            return False
    if row:
        store_terms(s, row, term, reach)
    return True


@leaf
def gap_for(s, before, needed):
    """The gap that slacks count, given the one before: another one puts them out of date."""
    if before >= needed and before <= 4 * needed:
        return before
    MACHINE(s).open_epoch[0] += 1
    return needed + needed // 4


@far
def set_references(s):
    """All drivers are at their references from now on, and every slack is out of date."""
    machine, table, asset = MACHINE(s), MARKET(s), ASSET(s)
    for market in range(1, machine.markets[0] + 1):
        reference = max(0, driver_value(s, market)) if table.mark[market] else 0
        table.open_ref[market] = reference
        whole = (highest_worth(s, market, reference) >> INDEX_SCALE_BITS) + 1
        table.open_lot[market] = whole * abs(table.scale[market])
    for each in range(1, machine.assets[0] + 1):
        asset.open_ref[each] = asset.price[each]
    machine.deviation[0] = 0
    machine.open_epoch[0] += 1
    return 0


@far
def note_deviation(s, here, reference):
    """A driver moved."""
    machine = MACHINE(s)
    gone = mul_div_up(abs(here - reference), 1 << REACH_BITS, reference) if reference > 0 else INT64_MAX
    if gone > DEVIATION_MAX:
        return set_references(s)
    machine.deviation[0] = max(machine.deviation[0], gone)
    return 0
