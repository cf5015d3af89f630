"""Deposits, withdrawals, transfers, isolated margin, loans and their conversion. See docs/concepts/money.md."""

from steelyard.engine.bitmap import bit_clear, bit_next, bit_set
from steelyard.engine.changing import check_user
from steelyard.engine.events import say, say_money
from steelyard.engine.interest import index_soon
from steelyard.engine.judge import wake
from steelyard.engine.ledger import (
    cash,
    far_post,
    find_leg,
    first_in_order,
    free_cash,
    has_leg_room,
    has_leg_rows,
    legs_wanted,
    must_convert,
    retry_conversions,
    touch_loan,
    transfer,
    unfunded_loans,
)
from steelyard.engine.placing import may_give, why_not_good, why_not_good_assets
from steelyard.engine.worth import show_share
from steelyard.model import reject as no
from steelyard.model.events import (
    CONVERTED,
    DEPOSITED,
    MARGIN_MOVED,
    TRANSFERRED,
    WITHDRAWAL_CONFIRMED,
    WITHDRAWAL_RESERVED,
    WITHDRAWAL_RETURNED,
)
from steelyard.model.keys import (
    A_CONVERT_HAIRCUT_PPM,
    A_LOAN_CAP,
    A_POOL_OF,
    A_SUPPLY_MAX,
    M_SETTLE,
    T_PRODUCTS,
)
from steelyard.model.orders import (
    CHILD,
    CONFIRMED,
    CONVERTER,
    FOR_LEAVING,
    KEEPER,
    LENDER,
    MAY_BORROW,
    PRODUCT_BORROWING,
    RESERVED,
    RETURNED,
    TO_SETTLE,
    TO_WITHDRAW,
    USED,
    USER,
)
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, PPM
from steelyard.num.rounding import mul_div_down, mul_div_up, ppm_down
from steelyard.num.wide import mix
from steelyard.rules.cash import charge, is_price_fresh
from steelyard.rules.consent import is_over_loan_cap
from steelyard.rules.interest import cash_now, loan_refusal, may_hold_shares
from steelyard.rules.offers import is_frozen, is_offered
from steelyard.rules.price import is_asset_good, is_market_good
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    COMMAND,
    CONVERTING,
    L_BITS_REFERENCE,
    LAYOUT,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET_0,
    MARKET_RULE,
    REFERENCE,
    REFERENCE_SLOT,
    TIER_RULE,
)


@leaf
def reference_hash(c0, c1, c2, c3, c4):
    return mix(mix(c0, c1), mix(mix(c2, c3), c4))


@kernel
def find_reference(s, i):
    """The row of the reference a command names, or 0."""
    c, table, slots = COMMAND(s), REFERENCE(s), REFERENCE_SLOT(s)
    mask = len(slots) - 1
    place = reference_hash(c.client0[i], c.client1[i], c.client2[i], c.client3[i], c.client4[i]) & mask
    while True:
        row = slots[place]
        if row == 0 or (
            table.client0[row] == c.client0[i]
            and table.client1[row] == c.client1[i]
            and table.client2[row] == c.client2[i]
            and table.client3[row] == c.client3[i]
            and table.client4[row] == c.client4[i]
        ):
            return row
        place = (place + 1) & mask


@leaf
def reference_home(s, row):
    """Where the search for a reference starts."""
    table = REFERENCE(s)
    return reference_hash(
        table.client0[row], table.client1[row], table.client2[row], table.client3[row], table.client4[row]
    )


@kernel
def link_reference(s, row):
    slots = REFERENCE_SLOT(s)
    mask = len(slots) - 1
    place = reference_home(s, row) & mask
    while slots[place] != 0:
        place = (place + 1) & mask
    slots[place] = row
    return 0


@kernel
def unlink_reference(s, row):
    """Take a reference out, closing the gap so that searches never stop early."""
    slots = REFERENCE_SLOT(s)
    mask = len(slots) - 1
    gap = reference_home(s, row) & mask
    while slots[gap] != row:
        gap = (gap + 1) & mask
    place = gap
    while True:
        place = (place + 1) & mask
        other = slots[place]
        if other == 0:
            break
        if ((place - reference_home(s, other)) & mask) >= ((place - gap) & mask):
            slots[gap] = other
            gap = place
    slots[gap] = 0
    return 0


@leaf
def next_reference(s):
    """The row that a new reference takes: the first after the last one's, round the table, that no withdrawal waits in.

    0 if withdrawals wait in all. The reference that was there has ended, and is forgotten.
    """
    base, rows = LAYOUT(s)[L_BITS_REFERENCE], len(REFERENCE(s))
    row = bit_next(s, base, rows, MACHINE(s).reference_at[0] + 1)
    return row if row > 0 else max(0, bit_next(s, base, rows, 1))


@leaf
def keep_reference(s, row, kept):
    """Whether the row of this reference may be taken by a new one."""
    base, rows = LAYOUT(s)[L_BITS_REFERENCE], len(REFERENCE(s))
    if kept:
        bit_clear(s, base, rows, row)
    else:
        bit_set(s, base, rows, row)


@kernel
def add_reference(s, i, state):
    c, table, machine = COMMAND(s), REFERENCE(s), MACHINE(s)
    row = next_reference(s)
    machine.reference_at[0] = row
    if table.state[row]:
        unlink_reference(s, row)
    else:
        machine.references[0] += 1
    if state == RESERVED:
        keep_reference(s, row, True)
    table.client0[row] = c.client0[i]
    table.client1[row] = c.client1[i]
    table.client2[row] = c.client2[i]
    table.client3[row] = c.client3[i]
    table.client4[row] = c.client4[i]
    table.amount[row] = c.lots[i]
    table.account[row] = c.account[i]
    table.asset[row] = c.market[i]
    table.state[row] = state
    link_reference(s, row)
    return row


@leaf
def has_reference(s, i):
    c = COMMAND(s)
    return (c.client0[i] | c.client1[i] | c.client2[i] | c.client3[i] | c.client4[i]) != 0


@leaf
def is_well_formed(s, i):
    """A movement names a reference, and only the option there is."""
    return has_reference(s, i) and 0 <= COMMAND(s).options[i] <= MAY_BORROW


@kernel
def check_party(s, account):
    """An account that money may enter or leave by command: not a child, nor the keeper of a stake pool."""
    if account <= 0 or account > MACHINE(s).accounts[0]:
        return no.ACCOUNT_UNKNOWN
    role = ACCOUNT(s).role[account]
    return no.ACCOUNT_IS_NOT_TRADABLE if role == CHILD or role == KEEPER else no.NONE


@kernel
def check_named(s, i, taker):
    """What a movement of money names: accounts, an asset, an amount, a reference. Taker 0 is the outside world."""
    c = COMMAND(s)
    if not is_well_formed(s, i):
        return no.FIELD_OUT_OF_RANGE
    reason = check_party(s, c.account[i])
    if reason == no.NONE and taker:
        reason = check_party(s, taker)
    if reason:
        return reason
    if taker == c.account[i]:
        return no.SAME_ACCOUNT
    if c.market[i] <= 0 or c.market[i] > MACHINE(s).assets[0]:
        return no.ASSET_UNKNOWN
    if c.lots[i] <= 0:
        return no.AMOUNT_MUST_BE_POSITIVE
    return no.REFERENCE_REPEATED if find_reference(s, i) else no.NONE


@kernel
def check_move(s, i, taker):
    """The checks that deposits, withdrawals and transfers share."""
    c = COMMAND(s)
    reason = check_named(s, i, taker)
    if reason:
        return reason
    asset = c.market[i]
    of_lenders = ASSET(s).pool[asset] != 0 and (c.account[i] == LENDER or taker == LENDER)
    across = taker == 0 and ASSET_RULE(s)[asset, A_POOL_OF] != 0  # shares are made and unmade inside only
    return no.ONLY_BY_SUPPLY_OR_REDEEM if of_lenders or across else no.NONE


@leaf
def is_reference_table_full(s):
    return next_reference(s) == 0


@kernel
def check_markets(s, account):
    """Whether the prices of all positions and resting orders are good for withdrawing; a stale one is told first."""
    leg, orders = LEG(s), LEG_OPEN(s)
    row, reason = ACCOUNT(s).first_leg[account], no.NONE
    while row:
        if leg.thing[row] >= MARKET_0:
            resting = orders.bid_lots[row] | orders.ask_lots[row] | orders.reduce_lots[row]
            market = leg.thing[row] - MARKET_0
            if (leg.quantity[row] != 0 or resting != 0) and not is_market_good(s, market, TO_WITHDRAW):
                reason = why_not_good(s, market)
                if reason == no.PRICE_STALE:
                    return reason
        row = leg.next_of_account[row]
    return reason


@kernel
def welcome(s, account):
    """Money came from outside or from another account: whatever waited for it goes on."""
    wake(s, account)
    if account == CONVERTER:
        retry_conversions(s)
    elif is_over_loan_cap(s, account):
        must_convert(s, account)
    return 0


@far
def deposit(s, i):
    c, asset = COMMAND(s), ASSET(s)
    if c.options[i]:
        return no.FIELD_OUT_OF_RANGE
    reason = check_move(s, i, 0)
    if reason:
        return reason
    account, thing, amount = c.account[i], c.market[i], c.lots[i]
    inside = asset.deposited[thing] - asset.withdrawn[thing]
    if amount > ASSET_RULE(s)[thing, A_SUPPLY_MAX] - inside:
        return no.AMOUNT_EXCEEDS_LIMIT
    if is_reference_table_full(s):
        return no.REFERENCES_FULL
    wanted = legs_wanted(s, account, thing)
    if wanted and not has_leg_room(s, account, wanted):
        return no.LEGS_FULL
    add_reference(s, i, USED)
    asset.deposited[thing] += amount
    far_post(s, account, thing, amount)
    welcome(s, account)
    say_money(s, DEPOSITED, account, thing, amount, 0)
    return no.NONE


@leaf
def loan_part(s, account, asset, amount):
    """How much of what leaves an account is lent to it."""
    return max(0, amount - max(0, cash(s, account, asset)))


@kernel
def check_borrowing(s, account, asset, amount):
    """May so much of an asset, more than the account holds, leave it as a loan?"""
    if TIER_RULE(s)[ACCOUNT(s).risk_tier[account], T_PRODUCTS] & PRODUCT_BORROWING == 0:
        return no.TIER_FORBIDS_PRODUCT
    if not is_price_fresh(s, asset):
        return why_not_good_assets(s, asset, asset)
    wanted = legs_wanted(s, account, asset)
    if wanted and not has_leg_room(s, account, wanted):
        return no.LEGS_FULL
    row = find_leg(s, account, asset)
    if amount - cash_now(s, row) > ASSET_RULE(s)[asset, A_LOAN_CAP]:
        return no.LOAN_CAP_EXCEEDED
    return loan_refusal(s, account, asset, loan_part(s, account, asset, amount))


@kernel
def check_giving(s, account, asset, amount, may_borrow):
    """May cash of this account leave it? The order of reasons is that of docs/concepts/money.md."""
    held = free_cash(s, account, asset)
    if account == LENDER:
        held -= ASSET(s).loans[asset]
    if held >= amount:
        return no.NONE
    if may_borrow and ACCOUNT(s).role[account] == USER:
        # What orders in pairs are going to spend is not there for anything else.
        return check_borrowing(s, account, asset, amount + cash(s, account, asset) - held)
    return no.BALANCE_TOO_LOW


@kernel
def check_opening_after(s, account, asset, amount):
    if is_over_loan_cap(s, account):
        return no.LOAN_CAP_EXCEEDED  # its collateral waits to be converted
    equity, requirement, _ = account_risk(s, account, FOR_LEAVING)
    if may_give(s, account, asset, amount, equity, requirement, FOR_LEAVING):
        return no.NONE
    return no.OPENING_MARGIN_EXCEEDED


@kernel
def check_parting(s, account, asset, amount, present, may_borrow):
    """May cash of this account leave it, with so many coins present? A loan is judged with all its interest."""
    table = ASSET(s)
    index = table.borrow_index[asset]
    if may_borrow:
        table.borrow_index[asset] = index_soon(s, asset, find_leg(s, LENDER, asset))
    reason = check_giving(s, account, asset, amount, may_borrow)
    if reason == no.NONE and amount > present:
        reason = no.COINS_NOT_PRESENT
    if reason == no.NONE:
        reason = check_opening_after(s, account, asset, amount)
    table.borrow_index[asset] = index
    return reason


@kernel
def check_state_of_giver(s, account):
    if ACCOUNT(s).queued[account]:
        return no.ACCOUNT_IN_LIQUIDATION
    reason = check_markets(s, account)
    if reason:
        return reason
    return no.REFERENCES_FULL if is_reference_table_full(s) else no.NONE


@far
def withdraw(s, i):
    c, table = COMMAND(s), ASSET(s)
    reason = check_move(s, i, 0)
    if reason:
        return reason
    account, asset, amount = c.account[i], c.market[i], c.lots[i]
    reason = check_state_of_giver(s, account)
    if reason == no.NONE:
        present = table.deposited[asset] - table.withdrawn[asset] - table.reserved[asset]
        present -= unfunded_loans(s, asset, LENDER)
        reason = check_parting(s, account, asset, amount, present, c.options[i])
    if reason:
        return reason
    add_reference(s, i, RESERVED)
    table.reserved[asset] += amount
    far_post(s, account, asset, -amount)
    say_money(s, WITHDRAWAL_RESERVED, account, asset, amount, 0)
    return no.NONE


@far
def end_withdrawal(s, i, confirmed):
    """The reserved amount leaves for good, or comes back."""
    table, asset = REFERENCE(s), ASSET(s)
    if not has_reference(s, i):
        return no.FIELD_OUT_OF_RANGE
    row = find_reference(s, i)
    if row == 0:
        return no.REFERENCE_UNKNOWN
    if table.state[row] != RESERVED:
        return no.REFERENCE_NOT_PENDING
    account, thing, amount = table.account[row], table.asset[row], table.amount[row]
    asset.reserved[thing] -= amount
    keep_reference(s, row, False)
    if confirmed:
        table.state[row] = CONFIRMED
        asset.withdrawn[thing] += amount
        say_money(s, WITHDRAWAL_CONFIRMED, account, thing, amount, 0)
        return no.NONE
    table.state[row] = RETURNED
    far_post(s, account, thing, amount)
    welcome(s, account)
    say_money(s, WITHDRAWAL_RETURNED, account, thing, amount, 0)
    if account == LENDER and asset.pool[thing]:
        show_share(s, thing, find_leg(s, LENDER, thing))
    return no.NONE


@kernel
def may_receive(s, account, asset, amount, paid_asset, paid):
    """May an account receive cash, paying so much of another asset? Not shares in a pool to which it owes."""
    lent = ASSET_RULE(s)[asset, A_POOL_OF]
    if lent == 0 or ASSET(s).pool[lent] != asset:
        return True
    return may_hold_shares(s, account, lent, paid if paid_asset == lent else 0, amount)


@far
def move_between(s, i):
    """TRANSFER."""
    c = COMMAND(s)
    if c.order[i] <= 0 or c.order[i] > MACHINE(s).accounts[0]:
        return no.ACCOUNT_UNKNOWN if is_well_formed(s, i) else no.FIELD_OUT_OF_RANGE
    taker = c.order[i]
    reason = check_move(s, i, taker)
    if reason:
        return reason
    account, asset, amount = c.account[i], c.market[i], c.lots[i]
    reason = check_state_of_giver(s, account)
    if reason:
        return reason
    wanted = legs_wanted(s, taker, asset)
    both = wanted + (legs_wanted(s, account, asset) if c.options[i] else 0)
    if wanted and not (has_leg_room(s, taker, wanted) and has_leg_rows(s, both)):
        return no.LEGS_FULL
    reason = check_parting(s, account, asset, amount, amount, c.options[i])
    if reason:
        return reason
    if not may_receive(s, taker, asset, amount, 0, 0):
        return no.SHARES_OF_SAME_POOL
    add_reference(s, i, USED)
    transfer(s, account, taker, asset, amount)
    welcome(s, taker)
    say_money(s, TRANSFERRED, account, asset, amount, taker)
    return no.NONE


@far
def move_margin(s, i):
    """MOVE_MARGIN: between a parent and its isolated position."""
    c = COMMAND(s)
    account, market, amount = c.account[i], c.market[i], c.lots[i]
    reason = check_user(s, account)
    if reason:
        return reason
    if market <= 0 or market > MACHINE(s).markets[0]:
        return no.MARKET_UNKNOWN
    if amount == 0:
        return no.AMOUNT_MUST_BE_POSITIVE
    if amount > AMOUNT_MAX or amount < -AMOUNT_MAX:
        return no.AMOUNT_EXCEEDS_LIMIT
    stub = find_leg(s, account, MARKET_0 + market)
    child = LEG(s).child[stub] if stub else 0
    if child == 0 or LEG(s).quantity[find_leg(s, child, MARKET_0 + market)] == 0:
        return no.MARKET_IS_NOT_ISOLATED
    asset = MARKET_RULE(s)[market, M_SETTLE]
    giver = account if amount > 0 else child
    taker = child if amount > 0 else account
    if ACCOUNT(s).queued[giver]:
        return no.ACCOUNT_IN_LIQUIDATION
    reason = check_markets(s, giver)
    if reason:
        return reason
    if free_cash(s, giver, asset) < abs(amount):
        return no.BALANCE_TOO_LOW
    reason = check_opening_after(s, giver, asset, abs(amount))
    if reason:
        return no.PARENT_MARGIN_EXCEEDED if amount > 0 and reason == no.OPENING_MARGIN_EXCEEDED else reason
    transfer(s, giver, taker, asset, abs(amount))
    say(s, MARGIN_MOVED, account, market, 0, 0, child, 0, 0, amount, 0, 0, 0, 0, 0)
    return no.NONE


@leaf
def is_tradable(s, asset):
    return is_asset_good(s, asset, TO_SETTLE) and not is_frozen(s, asset)


@kernel
def may_sell(s, row, debt_row, all_debts):
    """Whether the converter may buy of this leg: for a debt of a liquidation only once no offer stands any more."""
    leg = LEG(s)
    if leg.quantity[row] <= 0 or not is_tradable(s, leg.thing[row]):
        return False
    return not (all_debts and is_offered(s, row, debt_row))


@kernel
def can_convert(s, account, debt_row, all_debts):
    """Whether the converter has anything of what is owed, and the account anything to sell, at good prices."""
    leg, owed = LEG(s), LEG(s).thing[debt_row]
    if not is_tradable(s, owed) or cash(s, CONVERTER, owed) <= 0:
        return False
    row = ACCOUNT(s).first_leg[account]
    while row:
        if leg.thing[row] < MARKET_0 and may_sell(s, row, debt_row, all_debts):
            return True
        row = leg.next_of_account[row]
    return False


@kernel
def convert_debt(s, account, debt_row, all_debts):
    """Sell other collateral to the converter for one debt, asset by asset, as far as both reach, at good prices."""
    leg, assets = LEG(s), ASSET(s)
    owed = leg.thing[debt_row]
    if not can_convert(s, account, debt_row, all_debts):
        return 0
    touch_loan(s, debt_row)
    price_owed = assets.price[owed]
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        asset, held = leg.thing[row], leg.quantity[row]
        debt = -leg.quantity[debt_row]
        unit = ppm_down(assets.price[asset], PPM - ASSET_RULE(s)[asset, A_CONVERT_HAIRCUT_PPM])
        if debt > 0 and unit > 0 and price_owed > 0 and may_sell(s, row, debt_row, all_debts):
            quantity = min(held, mul_div_up(charge(debt, price_owed), ASSET_PRICE_SCALE, unit))
            paid = min(debt, mul_div_down(quantity, unit, price_owed))
            purse = max(0, cash(s, CONVERTER, owed))
            if paid > purse:
                paid = purse
                quantity = min(quantity, mul_div_up(paid, price_owed, unit))
            if paid > 0:
                transfer(s, account, CONVERTER, asset, quantity)
                transfer(s, CONVERTER, account, owed, paid)
                say(s, CONVERTED, account, asset, 0, 0, owed, 0, quantity, paid, 0, 0, 0, 0, 0)
        row = leg.next_of_account[row]
    return 0


@far
def convert_debts(s, account, all_debts):
    """Convert collateral for debts beyond their cap, or for every debt."""
    if account == CONVERTER or ACCOUNT(s).debts[account] == 0:
        return 0
    leg = LEG(s)
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        cap = 0 if all_debts else ASSET_RULE(s)[leg.thing[row], A_LOAN_CAP]
        if leg.quantity[row] < -cap:
            convert_debt(s, account, row, all_debts)
        row = leg.next_of_account[row]
    return 0


@far
def convert_waiting(s, enough):
    """Accounts whose cash fell below their cap in this command convert, in the order in which that happened.

    When so many events are written, the others wait for the walk over all accounts, from the first.
    """
    machine, table, waiting = MACHINE(s), ACCOUNT(s), CONVERTING(s)
    place = 0
    while place < machine.converting[0]:
        account = waiting[place]
        table.converting[account] = 0
        if table.queued[account] == 0:
            if machine.events[0] < enough:
                convert_debts(s, account, 0)
            else:
                machine.capping[0] = 1
        place += 1
    machine.converting[0] = 0
    return 0


@far
def enforce_lowered_caps(s, enough):
    """A loan cap was lowered: accounts above theirs convert, by row, until so many events are written."""
    machine, table = MACHINE(s), ACCOUNT(s)
    while machine.capping[0] and machine.events[0] < enough:
        account = machine.capping[0]
        if table.queued[account] == 0:
            convert_debts(s, account, 0)
        machine.capping[0] = account + 1 if account < machine.accounts[0] else 0
    return 0
