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
from steelyard.engine.events import say
from steelyard.engine.interest import accrue, change_debt, settle_debt
from steelyard.engine.opening import STALE
from steelyard.model.events import GAIN_PAID
from steelyard.model.keys import (
    A_LOAN_CAP,
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_OF,
    M_BASE,
    M_HAS_SIZE,
    M_LOT_ATOMS,
    M_SETTLE,
    REQUIRES_ARRAY,
    UNIT,
)
from steelyard.model.orders import FOR_MAINTAIN, INSURANCE, LENDER
from steelyard.num import far, far_twin, kernel, leaf, unlikely
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE_BITS, LEGS_PER_ACCOUNT_MAX, PPM
from steelyard.num.rounding import mul_div_down, ppm_down
from steelyard.num.wide import mix, multiply_shift_down
from steelyard.rules.cash import charge
from steelyard.rules.corner import (
    SLOP,
    corner_cash,
    corner_maintain,
    driver_value,
    exposure,
    highest_worth,
    share_up,
)
from steelyard.rules.interest import BAND_SHARE_BITS, cash_now
from steelyard.rules.offers import active_time
from steelyard.rules.pairs import flows, spends_cash
from steelyard.rules.pool import gain_of, sharing_part
from steelyard.rules.requirement import maintain_rate_ppm
from steelyard.rules.scan import alone_atoms, scan_part
from steelyard.rules.size_rates import size_maintain
from steelyard.rules.worth import is_paid
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    CONVERTING,
    HOLDER,
    L_ACCOUNTS,
    L_LEGS,
    L_LEGS_RESERVED,
    LAYOUT,
    LEG,
    LEG_SLOT,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    SLOT_ROW_BITS,
    SLOT_ROW_MASK,
)

BORROW_WEIGHT_MAX = 4  # times: the highest A_BORROW_WEIGHT_PPM
BOX_MAX_PPM = 200_000  # no box is wider than a fifth of the price to either side
FIRST_BOX_MAX_PPM = 100_000  # nor a first one than a tenth: more fills will come, which want a budget
FIRST_BOX_SHARE_PPM = 300_000  # of the certificate goes into the box of a leg that came to life


@leaf
def seek_leg(s, account, thing):
    """The leg of this account and thing, or 0."""
    if thing == UNIT:
        return account
    leg, slots = LEG(s), LEG_SLOT(s)
    mask, spread = len(slots) - 1, mix(account, thing)
    place = spread & mask
    while True:
        entry = slots[place]
        if entry == 0:
            return 0
        # Half of the hash stands in the slot: looking at a row of somebody else's would cost more than all the rest.
        if (entry ^ spread) >> SLOT_ROW_BITS == 0:
            row = entry & SLOT_ROW_MASK
            if leg.account[row] == account and leg.thing[row] == thing:
                return row
        place = (place + 1) & mask


@kernel
def find_leg(s, account, thing):
    """The same where its speed does not matter."""
    return seek_leg(s, account, thing)


@kernel
def link_leg(s, row):
    """Put a leg into the indices: the slots, its account's list, its market's holders."""
    leg, slots, table = LEG(s), LEG_SLOT(s), ACCOUNT(s)
    account, thing = leg.account[row], leg.thing[row]
    if thing != UNIT:
        mask, spread = len(slots) - 1, mix(account, thing)
        place = spread & mask
        while slots[place] != 0:
            place = (place + 1) & mask
        slots[place] = (spread & ~SLOT_ROW_MASK) + row
    first = table.first_leg[account]
    leg.next_of_account[row] = first
    table.first_leg[account] = row
    if first:
        table.unsorted[account] = 1  # looking for its place would cost more than all the rest
    if thing >= MARKET_0:
        if spends_cash(s, thing - MARKET_0):
            table.pairs[account] += 1
            table.open_epoch[account] = STALE
        holder, market = HOLDER(s), MARKET(s)
        first = market.holders[thing - MARKET_0]
        holder.next[row] = first
        holder.prev[row] = 0
        if first:
            holder.prev[first] = row
        market.holders[thing - MARKET_0] = row
    return 0


@far
def sort_legs(s, account):
    """Put the list of an account's legs in order of thing; it is short."""
    leg, table = LEG(s), ACCOUNT(s)
    row = table.first_leg[account]
    table.first_leg[account] = 0
    table.unsorted[account] = 0
    while row:
        rest, thing = leg.next_of_account[row], leg.thing[row]
        before, after = 0, table.first_leg[account]
        while after and leg.thing[after] < thing:
            before = after
            after = leg.next_of_account[after]
        leg.next_of_account[row] = after
        if before:
            leg.next_of_account[before] = row
        else:
            table.first_leg[account] = row
        row = rest
    return 0


@leaf
def first_in_order(s, account):
    """The first leg of an account whose legs are to be met in order of thing."""
    if ACCOUNT(s).unsorted[account]:
        sort_legs(s, account)
    return ACCOUNT(s).first_leg[account]


@kernel
def open_leg_row(s, account, thing):
    """A new, empty leg in the lowest free row: legs stay open, so that is the next one."""
    leg, table, machine = LEG(s), ACCOUNT(s), MACHINE(s)
    row = LAYOUT(s)[L_ACCOUNTS] + machine.leg_rows[0] + 1
    if row >= len(leg):
        machine.fatal[0] = 1
        return 0
    leg.account[row] = account
    leg.thing[row] = thing
    if thing >= MARKET_0:
        leg.index_at_touch[row] = MARKET(s).funding_index[thing - MARKET_0]
    elif table.started[account]:
        leg.offered_from[row] = active_time(s, thing)
    table.legs[account] += 1
    machine.leg_rows[0] += 1
    link_leg(s, row)
    if table.armed[account] == ARMED and thing < MARKET_0:
        mark_dirty(s, account)  # a new driver needs a box
    return row


@kernel
def open_cash_row(s, account, asset):
    """The leg of an asset, if there is none; before it the one of what the asset gains."""
    gained = ASSET_RULE(s)[asset, A_POOL_GAINS]
    if gained and find_leg(s, account, gained) == 0:
        open_leg_row(s, account, gained)
    row = find_leg(s, account, asset)
    return row if row else open_leg_row(s, account, asset)


@far
def open_leg(s, account, thing):
    """A new, empty leg; a market's brings the cash legs of its settlement asset, and of a pair's base, along.

    That of what gains brings the one of what it gains.
    """
    if thing < MARKET_0:
        return open_cash_row(s, account, thing)
    open_cash_row(s, account, MARKET_RULE(s)[thing - MARKET_0, M_SETTLE])
    if MARKET_RULE(s)[thing - MARKET_0, M_BASE]:
        open_cash_row(s, account, MARKET_RULE(s)[thing - MARKET_0, M_BASE])
    return open_leg_row(s, account, thing)


@leaf
def has_leg_rows(s, wanted):
    """Rows for this many more legs, the machine's own left out."""
    return MACHINE(s).leg_rows[0] + wanted + LAYOUT(s)[L_LEGS_RESERVED] <= LAYOUT(s)[L_LEGS]


@leaf
def has_leg_room(s, account, wanted):
    """Room for this many more legs of an account."""
    return ACCOUNT(s).legs[account] + wanted <= LEGS_PER_ACCOUNT_MAX and has_leg_rows(s, wanted)


@kernel
def gained_wanted(s, account, asset, other):
    """1 if opening a leg of this asset opens one of what it gains, which is not opened for its own sake anyway."""
    gained = ASSET_RULE(s)[asset, A_POOL_GAINS]
    if gained == 0 or gained == other or find_leg(s, account, asset):
        return 0
    return int(find_leg(s, account, gained) == 0)


@kernel
def legs_wanted(s, account, thing):
    """How many legs must be opened before this account can hold this thing."""
    if find_leg(s, account, thing):
        return 0
    if thing < MARKET_0:
        return 1 + gained_wanted(s, account, thing, 0)
    settle, base = MARKET_RULE(s)[thing - MARKET_0, M_SETTLE], MARKET_RULE(s)[thing - MARKET_0, M_BASE]
    wanted = 1 + int(find_leg(s, account, settle) == 0) + int(base != 0 and find_leg(s, account, base) == 0)
    return wanted + gained_wanted(s, account, settle, base) + gained_wanted(s, account, base, settle)


@leaf
def settle_prices(s, account, asset):
    """(low, high) price of a settlement asset on the account's box."""
    if asset == UNIT:
        return ASSET_PRICE_SCALE, ASSET_PRICE_SCALE
    row = find_leg(s, account, asset)
    leg = LEG(s)
    return leg.box_low[row], leg.box_high[row]


@kernel
def maintain_term(s, row):
    """The leg's part of its account's certificate on its box."""
    leg = LEG(s)
    thing = leg.thing[row]
    if thing >= MARKET_0:
        low, high = settle_prices(s, leg.account[row], MARKET_RULE(s)[thing - MARKET_0, M_SETTLE])
        return corner_maintain(s, row, low, high)
    quantity = leg.quantity[row]
    if thing == UNIT:
        return quantity if quantity >= 0 else corner_cash(s, row, ASSET_PRICE_SCALE, ASSET_PRICE_SCALE, FOR_MAINTAIN)
    return corner_cash(s, row, leg.box_low[row], leg.box_high[row], FOR_MAINTAIN) if quantity else 0


@kernel
def scan_on_boxes(s, account, total):
    """What scenarios require: no mark moves it. More than there is where what a position settles in has a price."""
    leg = LEG(s)
    row = ACCOUNT(s).first_leg[account]
    while row:
        market = leg.thing[row] - MARKET_0
        if market > 0 and leg.quantity[row] != 0 and MARKET_RULE(s)[market, M_SETTLE] != UNIT:
            return total + 1
        row = leg.next_of_account[row]
    return scan_part(s, account, FOR_MAINTAIN, 0, 0, 0)


@far
def prove(s, account):
    """The certificate at the corners of the present boxes."""
    leg, table = LEG(s), ACCOUNT(s)
    total = 0
    row = table.first_leg[account]
    while row:
        total += maintain_term(s, row)
        row = leg.next_of_account[row]
    if table.scans[account]:
        total -= scan_on_boxes(s, account, total)
    table.certificate[account] = total
    MACHINE(s).proven[0] += 1
    return total


@kernel
def try_box(s, row, width_ppm):
    """Give a leg a box of this relative width if its account's certificate can pay for it: 1 if so."""
    leg, table = LEG(s), ACCOUNT(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    here = driver_value(s, market)
    reach = ppm_down(here, width_ppm)
    leg.box_low[row] = max(0, here - reach - 1)
    leg.box_high[row] = here + reach + 1
    term = maintain_term(s, row)
    if table.certificate[account] + term < 0:
        leg.box_low[row] = 0
        leg.box_high[row] = 0
        return 0
    table.certificate[account] += term
    alarm_insert(s, market_driver(market, DRIVER_Y), LOW, leg_node(row, LOW))
    alarm_insert(s, market_driver(market, DRIVER_Y), HIGH, leg_node(row, HIGH))
    return 1


@far
def first_box(s, row):
    """A leg came to life: give it a box out of its account's certificate, or have the account armed anew."""
    leg, table = LEG(s), ACCOUNT(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    settle = MARKET_RULE(s)[market, M_SETTLE]
    ready = table.armed[account] == ARMED and table.dirty[account] == 0 and MACHINE(s).weaken_ppm[0] == 0
    if ready and settle != UNIT:
        ready = leg.box_high[find_leg(s, account, settle)] != 0
    if ready and try_box(s, row, FIRST_BOX_MAX_PPM):
        return 0
    if ready and table.certificate[account] > 0:
        moving = exposure(s, row)
        share = mul_div_down(ppm_down(table.certificate[account], FIRST_BOX_SHARE_PPM), PPM, max(1, moving))
        if try_box(s, row, min(share, FIRST_BOX_MAX_PPM)):
            return 0
    mark_dirty(s, account)
    return 0


@leaf
def spend(s, account, amount):
    """What just happened cost at most this much of the account's certificate. A spent one is made again, or judged.

    Certificates are budgets: an exact one would be worked out at the corners of the box after every fill, which costs
    more than the fill; a bound of the change costs a few multiplications.
    """
    table = ACCOUNT(s)
    if unlikely((table.armed[account] != ARMED) | (table.dirty[account] != 0)):
        mark_dirty(s, account)
    else:
        table.certificate[account] -= amount
        if unlikely(table.certificate[account] < 0) and prove(s, account) < 0:
            mark_dirty(s, account)


@leaf
def worst_end(s, row, quantity):
    """The end of a leg's box at which E - M of such a position is least: as no rate passes 1, it moves with E."""
    leg = LEG(s)
    falls = quantity * MARKET(s).scale[leg.thing[row] - MARKET_0] > 0
    return leg.box_low[row] if falls else leg.box_high[row] + 1


@leaf
def gained_at_worst(s, row, market, before, lots, trade_value):
    """At least what E gained by a trade, in atoms, from the worst end of the box before to the worst one after."""
    leg, scale = LEG(s), MARKET(s).scale[market]
    after = before + lots
    end = worst_end(s, row, after if after else before)
    worth = end + leg.index_at_touch[row] - MARKET(s).funding_ref[market]
    gained = multiply_shift_down(lots * scale, worth, INDEX_SCALE_BITS) - trade_value
    if before and after and (before > 0) != (after > 0):
        # What was held stood at the other end.
        width = leg.box_high[row] + 1 - leg.box_low[row]
        gained += multiply_shift_down(abs(before * scale), width, INDEX_SCALE_BITS) - 1
    return gained


@leaf
def spend_trade(s, row, lots, trade_value):
    """A leg took signed lots worth this much, its cash is booked: bound what that cost anywhere on its box."""
    leg, rule = LEG(s), MARKET_RULE(s)
    account, market = leg.account[row], leg.thing[row] - MARKET_0
    if unlikely(ACCOUNT(s).scans[account]):
        mark_dirty(s, account)
        return 0
    settle = rule[market, M_SETTLE]
    if unlikely(leg.box_high[row] == 0):
        if is_paid(s, market) and settle == UNIT:
            if trade_value < 0:
                mark_dirty(s, account)  # what it brought may have been counted, if a debt or a fee was dealt with since
                return 0
            spend(s, account, trade_value)  # paid for already: the new leg's term is all that it is worth
        first_box(s, row)
        return 0
    after = leg.quantity[row]
    before = after - lots
    cost = SLOP - gained_at_worst(s, row, market, before, lots, trade_value)
    grown = abs(after) - abs(before) if (before > 0) == (after > 0) else abs(after)
    if unlikely(rule[market, M_HAS_SIZE] == REQUIRES_ARRAY):
        cost += max(0, alone_atoms(s, market, after) - alone_atoms(s, market, before))
    elif grown > 0:
        scale, highest = abs(MARKET(s).scale[market]), highest_worth(s, market, leg.box_high[row] + 1)
        more = multiply_shift_down(grown * scale, highest, INDEX_SCALE_BITS) + 1
        whole = multiply_shift_down(abs(after) * scale, highest, INDEX_SCALE_BITS) + 1
        needed = share_up(more, maintain_rate_ppm(s, market, whole))
        if unlikely(rule[market, M_HAS_SIZE]):
            held, less = abs(after) - grown, max(0, whole - more - 1)
            risen = size_maintain(s, market, after, whole) - size_maintain(s, market, held, less)
            needed = max(needed, risen + 1)
        cost += needed
    # Never below zero: the certificate may have been worked out anew since, when cash moved.
    cost = max(0, cost)
    if unlikely(settle != UNIT):
        cost = charge(cost, leg.box_high[find_leg(s, account, settle)]) + SLOP
    spend(s, account, cost)
    return 0


@leaf
def must_convert(s, account):
    """At the end of the command this account's other collateral is looked at."""
    table, machine = ACCOUNT(s), MACHINE(s)
    if table.converting[account] == 0:
        table.converting[account] = 1
        CONVERTING(s)[machine.converting[0]] = account
        machine.converting[0] += 1


@far
def retry_conversions(s):
    """What may have kept collateral waiting is gone: if anybody owes beyond a cap, everybody is looked at again."""
    asset, leg, holder, machine = ASSET(s), LEG(s), HOLDER(s), MACHINE(s)
    for each in range(1, machine.assets[0] + 1):
        row = asset.debtors[each]
        while row:
            if leg.quantity[row] < -ASSET_RULE(s)[each, A_LOAN_CAP]:
                machine.capping[0] = 1
                return 0
            row = holder.next[row]
    return 0


@far
def owe(s, row, before, after):
    """Keep the sum of loans, and note who must convert other collateral."""
    table, account, asset = ACCOUNT(s), LEG(s).account[row], LEG(s).thing[row]
    change_debt(s, row, before, after)
    if before >= 0 and after < 0:
        table.debts[account] += 1
    elif before < 0 and after >= 0:
        table.debts[account] -= 1
    if after < before and after < -ASSET_RULE(s)[asset, A_LOAN_CAP]:
        must_convert(s, account)
    return 0


@leaf
def cash_bound(s, row, amount):
    """At most what a movement of cash takes from E - M at any price on its box, surcharges of a loan included."""
    worst = abs(amount)
    if LEG(s).quantity[row] < 0:
        worst += (worst >> BAND_SHARE_BITS) + SLOP  # certificates count a debt at a higher index
    if LEG(s).thing[row] != UNIT:
        worst = charge(worst, LEG(s).box_high[row]) + SLOP
    return BORROW_WEIGHT_MAX * worst


@far
def touch_loan(s, row):
    """What comes before a change of a loan or of what is lent: interest up to now, and the account's part of it."""
    leg = LEG(s)
    account, asset = leg.account[row], leg.thing[row]
    lender = find_leg(s, LENDER, asset)
    accrue(s, asset, lender)
    if leg.quantity[row] >= 0:
        return 0
    if ASSET_RULE(s)[asset, A_POOL_GAINS]:
        pay_gain(s, row)
    insurance = 0
    if leg.quantity[row] != cash_now(s, row):
        lender = lender if lender else open_leg(s, LENDER, asset)
        insurance = find_leg(s, INSURANCE, asset)
        if insurance == 0 and ASSET(s).reserve[asset]:
            insurance = open_leg(s, INSURANCE, asset)
    if settle_debt(s, row, lender, insurance):
        spend(s, account, cash_bound(s, row, 1))  # it was rounded up
        if leg.quantity[row] < -ASSET_RULE(s)[asset, A_LOAN_CAP]:
            must_convert(s, account)
    return 0


@far
def pay_gain(s, row):
    """A leg of something that gains is brought up to the sum per share; the atoms that this pays."""
    leg, share = LEG(s), LEG(s).thing[row]
    account, shares, amount, sum_now = leg.account[row], sharing_part(s, row), gain_of(s, row), ASSET(s).gained[share]
    if ASSET_RULE(s)[share, A_POOL_OF]:
        leg.index_at_touch[row] = sum_now
    elif leg.quantity[row] < 0:
        leg.cost[row] = sum_now
    if amount:
        asset = ASSET_RULE(s)[share, A_POOL_GAINS]
        keeper = ASSET(s).keeper[share]
        transfer(s, keeper, account, asset, amount)
        say(s, GAIN_PAID, account, asset, 0, keeper, share, 0, shares, amount, 0, sum_now, 0, 0, 0)
    return amount


@far
def touch_stake(s, row, amount):
    """Before shares of a stake pool move: gains are paid; nobody means to redeem more than it will have."""
    leg = LEG(s)
    if ASSET_RULE(s)[leg.thing[row], A_POOL_GAINS]:
        return pay_gain(s, row)
    after = leg.quantity[row] + amount
    if leg.cost[row] > after:
        leg.cost[row] = after
        if after == 0:
            leg.index_at_touch[row] = 0
    return 0


@leaf
def move_cash(s, account, asset, amount):
    """Change a cash leg; its row. The certificate is the caller's business."""
    leg, table = LEG(s), ACCOUNT(s)
    row = account
    if unlikely(asset != UNIT):
        row = find_leg(s, account, asset)
        if row == 0:
            row = open_leg(s, account, asset)
    if unlikely((leg.quantity[row] < 0) | (leg.quantity[row] + amount < 0) | (account == LENDER)):
        touch_loan(s, row)
    if unlikely(asset != UNIT) and ASSET_RULE(s)[asset, A_POOL_KIND]:
        touch_stake(s, row, amount)
    before = leg.quantity[row]
    after = before + amount
    leg.quantity[row] = after
    if unlikely((before < 0) | (after < 0)):
        owe(s, row, before, after)
        table.open_epoch[account] = STALE
    elif asset == UNIT:
        table.slack[account] += amount
    else:
        table.open_epoch[account] = STALE
    return row


@leaf
def post(s, account, asset, amount):
    """Add atoms to an account's cash (take them away if negative)."""
    if amount == 0:
        return 0
    row = move_cash(s, account, asset, amount)
    if row == account and LEG(s).quantity[row] >= 0 and LEG(s).quantity[row] >= amount:
        # Cash in the unit of account that is not owed moves the certificate by exactly itself.
        spend(s, account, -amount)
    elif amount > 0:
        spend(s, account, 0)
    else:
        spend(s, account, cash_bound(s, row, amount))
    return 0


@leaf
def realise(s, account, asset, amount):
    """Move value between a leg and its account's cash: E stays, only a haircut or a loan's surcharge can change."""
    if amount == 0:
        return 0
    row = move_cash(s, account, asset, amount)
    if row != account or LEG(s).quantity[row] < 0 or LEG(s).quantity[row] < amount:
        spend(s, account, cash_bound(s, row, amount))
    return 0


far_post = far_twin(post)


@leaf
def cash(s, account, asset):
    row = find_leg(s, account, asset)
    return LEG(s).quantity[row] if row else 0


@far
def free_cash(s, account, asset):
    """What of a balance no order in a pair or a paid-up market is going to spend."""
    held = cash(s, account, asset)
    return held - flows(s, account, asset, 0, 0)[0] if ACCOUNT(s).pairs[account] else held


@kernel
def transfer(s, giver, taker, asset, amount):
    far_post(s, giver, asset, -amount)
    far_post(s, taker, asset, amount)
    return 0


@far
def exchange(s, account, market, lots, trade_value):
    """An account takes signed lots of a pair's base for this much of its quote; what it has of the base then."""
    rule = MARKET_RULE(s)
    base, quote, taken = rule[market, M_BASE], rule[market, M_SETTLE], lots * rule[market, M_LOT_ATOMS]
    # What comes, comes first: nobody borrows for a moment what the same trade brings.
    if lots > 0:
        far_post(s, account, base, taken)
        far_post(s, account, quote, -trade_value)
    else:
        far_post(s, account, quote, -trade_value)
        far_post(s, account, base, taken)
    return cash(s, account, base)


@kernel
def unfunded_loans(s, asset, lender):
    """What is owed in this asset beyond what the lender has put up."""
    return max(0, ASSET(s).loans[asset] - max(0, cash(s, lender, asset)))
