"""Every movement of cash, and the rows that carry it. No other module changes the quantity of a cash leg.

See docs/concepts/money.md. The certificate of the account follows each movement.
"""

from steelyard.engine.alarms import (
    ARMED,
    DRIVER_Y,
    HIGH,
    LOW,
    alarm_insert,
    leg_node,
    mark_dirty,
    market_driver,
)
from steelyard.engine.bitmap import bit_clear, bit_next
from steelyard.model.keys import (
    A_LOAN_CAP,
    M_ATOMS_PER_TICK_LOT,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKETS,
    M_SETTLE,
)
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN
from steelyard.num import far, far_twin, kernel, leaf
from steelyard.num.limits import ASSET_PRICE_SCALE, INT64_MAX, LEGS_PER_ACCOUNT_MAX
from steelyard.num.rounding import ppm_down, ppm_up
from steelyard.num.wide import mix
from steelyard.rules.corner import (
    SLOP,
    corner_cash,
    corner_maintain,
    corner_open,
    driver_value,
    highest_mark,
    lowest_mark,
)
from steelyard.rules.requirement import charge
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    CONVERTING,
    HOLDER,
    L_ACCOUNTS,
    L_BITS_LEG,
    L_LEGS,
    L_LEGS_RESERVED,
    LAYOUT,
    LEG,
    LEG_OPEN,
    LEG_SLOT,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
)

UNIT = 1  # the asset that is the unit of account
BORROW_WEIGHT_MAX = 4  # times: the highest A_BORROW_WEIGHT_PPM
BOX_MAX_PPM = 200_000  # no box is wider than a fifth of the price to either side


@kernel
def find_leg(s, account, thing):
    """The leg of this account and thing, or 0."""
    if thing == UNIT:
        return account
    leg, slots = LEG(s), LEG_SLOT(s)
    mask = len(slots) - 1
    place = mix(account, thing) & mask
    while True:
        row = slots[place]
        if row == 0 or (leg.account[row] == account and leg.thing[row] == thing):
            return row
        place = (place + 1) & mask


@kernel
def link_leg(s, row):
    """Put a leg into the indices: the slots, its account's list by thing, its market's holders."""
    leg, slots, table = LEG(s), LEG_SLOT(s), ACCOUNT(s)
    account, thing = leg.account[row], leg.thing[row]
    if thing != UNIT:
        mask = len(slots) - 1
        place = mix(account, thing) & mask
        while slots[place] != 0:
            place = (place + 1) & mask
        slots[place] = row
    before, after = 0, table.first_leg[account]
    while after and leg.thing[after] < thing:
        before = after
        after = leg.next_of_account[after]
    leg.next_of_account[row] = after
    if before:
        leg.next_of_account[before] = row
    else:
        table.first_leg[account] = row
    if thing >= MARKET_0:
        holder, market = HOLDER(s), MARKET(s)
        first = market.holders[thing - MARKET_0]
        holder.next[row] = first
        holder.prev[row] = 0
        if first:
            holder.prev[first] = row
        market.holders[thing - MARKET_0] = row
    return 0


@kernel
def open_leg_row(s, account, thing):
    """A new, empty leg in the lowest free row."""
    leg, table, machine, layout = LEG(s), ACCOUNT(s), MACHINE(s), LAYOUT(s)
    rows = len(leg)
    row = bit_next(s, layout[L_BITS_LEG], rows, layout[L_ACCOUNTS] + 1)
    if row < 0:
        machine.fatal[0] = 1
        return 0
    bit_clear(s, layout[L_BITS_LEG], rows, row)
    leg.account[row] = account
    leg.thing[row] = thing
    if thing >= MARKET_0:
        leg.funding_at_touch[row] = MARKET(s).funding_index[thing - MARKET_0]
    table.legs[account] += 1
    machine.leg_rows[0] += 1
    link_leg(s, row)
    if table.armed[account] == ARMED and thing < MARKET_0:
        mark_dirty(s, account)  # a new driver needs a box
    return row


@far
def open_leg(s, account, thing):
    """A new, empty leg; a market's brings the cash leg of its settlement asset along."""
    if thing >= MARKET_0:
        settle = MARKET_RULE(s)[thing - MARKET_0, M_SETTLE]
        if find_leg(s, account, settle) == 0:
            open_leg_row(s, account, settle)
    return open_leg_row(s, account, thing)


@leaf
def has_leg_room(s, account, wanted):
    """Room for this many more legs of an account."""
    return (
        ACCOUNT(s).legs[account] + wanted <= LEGS_PER_ACCOUNT_MAX
        and MACHINE(s).leg_rows[0] + wanted + LAYOUT(s)[L_LEGS_RESERVED] <= LAYOUT(s)[L_LEGS]
    )


@kernel
def legs_wanted(s, account, thing):
    """How many legs must be opened before this account can hold this thing."""
    if find_leg(s, account, thing):
        return 0
    wanted = 1
    if thing >= MARKET_0 and find_leg(s, account, MARKET_RULE(s)[thing - MARKET_0, M_SETTLE]) == 0:
        wanted += 1
    return wanted


@leaf
def settle_prices(s, account, asset):
    """(low, high) price of a settlement asset on the account's box."""
    if asset == UNIT:
        return ASSET_PRICE_SCALE, ASSET_PRICE_SCALE
    row = find_leg(s, account, asset)
    leg = LEG(s)
    return leg.box_low[row], leg.box_high[row]


@kernel
def leg_terms(s, row):
    """(maintain, open): the leg's parts of its account's certificates on its box."""
    leg, orders = LEG(s), LEG_OPEN(s)
    thing = leg.thing[row]
    if thing == UNIT:
        quantity = leg.quantity[row]
        if quantity >= 0:
            return quantity, quantity
        return (
            corner_cash(s, row, ASSET_PRICE_SCALE, ASSET_PRICE_SCALE, FOR_MAINTAIN),
            corner_cash(s, row, ASSET_PRICE_SCALE, ASSET_PRICE_SCALE, FOR_OPEN),
        )
    if thing < MARKET_0:
        if leg.quantity[row] == 0:
            return 0, 0
        low, high = leg.box_low[row], leg.box_high[row]
        return corner_cash(s, row, low, high, FOR_MAINTAIN), corner_cash(s, row, low, high, FOR_OPEN)
    low, high = settle_prices(s, leg.account[row], MARKET_RULE(s)[thing - MARKET_0, M_SETTLE])
    bid_lots, ask_lots = orders.bid_lots[row], orders.ask_lots[row]
    opening = corner_open(s, row, low, high, bid_lots, ask_lots, orders.bid_reserve[row], orders.ask_reserve[row])
    return corner_maintain(s, row, low, high), opening


@far
def prove(s, account):
    """Both certificates at the corners of the present boxes; the maintenance one is returned."""
    leg, table, machine = LEG(s), ACCOUNT(s), MACHINE(s)
    total, total_open = 0, 0
    row = table.first_leg[account]
    while row:
        term, term_open = leg_terms(s, row)
        total += term
        total_open += term_open
        row = leg.next_of_account[row]
    table.certificate[account] = total
    table.certificate_open[account] = total_open
    table.open_epoch[account] = machine.open_epoch[0]
    machine.proven[0] += 1
    return total


@far
def forget_stale_prices(s):
    """A price may have gone stale: opening certificates that count on its asset hold no longer."""
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


@far
def first_box(s, row):
    """A leg came to life: give it a box out of its account's spare slack, or have the account armed anew."""
    leg, table = LEG(s), ACCOUNT(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    settle = MARKET_RULE(s)[market, M_SETTLE]
    if table.armed[account] != ARMED or table.dirty[account] or MACHINE(s).weaken_ppm[0]:
        mark_dirty(s, account)
        return 0
    if settle != UNIT and leg.box_high[find_leg(s, account, settle)] == 0:
        mark_dirty(s, account)
        return 0
    here = driver_value(s, market)
    reach = ppm_down(here, BOX_MAX_PPM)
    leg.box_low[row] = max(0, here - reach - 1)
    leg.box_high[row] = here + reach + 1
    maintain, opening = leg_terms(s, row)
    if table.certificate[account] + maintain < 0:
        leg.box_low[row] = 0
        leg.box_high[row] = 0
        mark_dirty(s, account)
        return 0
    table.certificate[account] += maintain
    table.certificate_open[account] += opening
    alarm_insert(s, market_driver(market, DRIVER_Y), LOW, leg_node(row, LOW))
    alarm_insert(s, market_driver(market, DRIVER_Y), HIGH, leg_node(row, HIGH))
    return 0


@leaf
def spend(s, account, maintain, opening):
    """What just happened cost at most this much of the account's proofs. Spent proofs are made again, or it is judged.

    Certificates are budgets: an exact one would be worked out at the corners of the box after every fill, which costs
    more than the fill; a bound of the change costs a few multiplications.
    """
    table = ACCOUNT(s)
    if table.armed[account] != ARMED or table.dirty[account]:
        mark_dirty(s, account)
    else:
        table.certificate[account] -= maintain
        table.certificate_open[account] -= opening
        if table.certificate[account] < 0 and prove(s, account) < 0:
            mark_dirty(s, account)


@kernel
def spend_trade(s, row, lots, trade_value):
    """A leg took signed lots worth this much, its cash is booked: bound what that cost anywhere on its box."""
    leg, rule = LEG(s), MARKET_RULE(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    if leg.box_high[row] == 0:
        return first_box(s, row)
    scale, settle = rule[market, M_ATOMS_PER_TICK_LOT], rule[market, M_SETTLE]
    lowest, highest = lowest_mark(s, market, leg.box_low[row]), highest_mark(s, market, leg.box_high[row])
    lost = max(0, trade_value - lots * scale * lowest, trade_value - lots * scale * highest)
    grown = abs(lots) * scale * highest
    maintain = lost + ppm_up(grown, rule[market, M_BRACKET_MAINTAIN_PPM + rule[market, M_BRACKETS] - 1]) + SLOP
    opening = lost + grown + SLOP
    if settle != UNIT:
        dearest = leg.box_high[find_leg(s, account, settle)]
        maintain, opening = charge(maintain, dearest) + SLOP, charge(opening, dearest) + SLOP
    spend(s, account, maintain, opening)
    return 0


@leaf
def order_bound(s, row, lots, reserve):
    """At most what these lots of an order, with their reserve, add to M(open) anywhere on the leg's box."""
    leg, rule = LEG(s), MARKET_RULE(s)
    market = leg.thing[row] - MARKET_0
    bound = lots * rule[market, M_ATOMS_PER_TICK_LOT] * highest_mark(s, market, leg.box_high[row]) + reserve + SLOP
    settle = rule[market, M_SETTLE]
    if settle != UNIT:
        bound = charge(bound, leg.box_high[find_leg(s, leg.account[row], settle)]) + SLOP
    return bound


@kernel
def spend_order(s, row, lots, reserve):
    """An order came to rest on a leg."""
    if LEG(s).box_high[row] == 0:
        return first_box(s, row)
    spend(s, LEG(s).account[row], 0, order_bound(s, row, lots, reserve))
    return 0


@kernel
def owe(s, account, asset, before, after):
    """Keep the sum of loans, and note who must convert other collateral."""
    table, machine = ACCOUNT(s), MACHINE(s)
    ASSET(s).loans[asset] += max(0, -after) - max(0, -before)
    if before >= 0 and after < 0:
        table.debts[account] += 1
    elif before < 0 and after >= 0:
        table.debts[account] -= 1
    if after < before and after < -ASSET_RULE(s)[asset, A_LOAN_CAP] and table.converting[account] == 0:
        table.converting[account] = 1
        CONVERTING(s)[machine.converting[0]] = account
        machine.converting[0] += 1
    return 0


@kernel
def move_cash(s, account, asset, amount):
    """Change a cash leg; its row. The certificates are the caller's business."""
    leg = LEG(s)
    row = find_leg(s, account, asset)
    if row == 0:
        row = open_leg(s, account, asset)
    before = leg.quantity[row]
    after = before + amount
    leg.quantity[row] = after
    if before < 0 or after < 0:
        owe(s, account, asset, before, after)
    return row


@leaf
def cash_bound(s, row, amount):
    """At most what a movement of cash takes from E - M at any price on its box, surcharges of a loan included."""
    worst = abs(amount)
    if LEG(s).thing[row] != UNIT:
        worst = charge(worst, LEG(s).box_high[row]) + SLOP
    return BORROW_WEIGHT_MAX * worst


@kernel
def post(s, account, asset, amount):
    """Add atoms to an account's cash (take them away if negative)."""
    if amount == 0:
        return 0
    row = move_cash(s, account, asset, amount)
    if row == account and LEG(s).quantity[row] >= 0 and LEG(s).quantity[row] >= amount:
        # Cash in the unit of account that is not owed moves both certificates by exactly itself.
        spend(s, account, -amount, -amount)
    elif amount > 0:
        spend(s, account, 0, 0)
    else:
        spend(s, account, cash_bound(s, row, amount), cash_bound(s, row, amount))
    return 0


@kernel
def realise(s, account, asset, amount):
    """Move value between a leg and its account's cash: E stays, only a haircut or a loan's surcharge can change."""
    if amount == 0:
        return 0
    row = move_cash(s, account, asset, amount)
    if row != account or LEG(s).quantity[row] < 0 or LEG(s).quantity[row] < amount:
        spend(s, account, cash_bound(s, row, amount), cash_bound(s, row, amount))
    return 0


far_post = far_twin(post)


@leaf
def cash(s, account, asset):
    row = find_leg(s, account, asset)
    return LEG(s).quantity[row] if row else 0


@kernel
def transfer(s, giver, taker, asset, amount):
    far_post(s, giver, asset, -amount)
    far_post(s, taker, asset, amount)
    return 0


@kernel
def unfunded_loans(s, asset, lender):
    """What is owed in this asset beyond what the lender has put up."""
    return max(0, ASSET(s).loans[asset] - max(0, cash(s, lender, asset)))
