"""Stake pools take over debts of accounts in liquidation, and divide what they get. See docs/concepts/sharing.md."""

from steelyard.engine.events import say
from steelyard.engine.interest import spread_debt
from steelyard.engine.ledger import cash, find_leg, transfer
from steelyard.engine.worth import show_share, show_stake
from steelyard.model.events import ABSORBED, DEBT_SPREAD
from steelyard.model.keys import C_GIVES, C_SIZE
from steelyard.model.orders import (
    FOR_BORROWERS,
    FOR_MAINTAIN,
    FOR_POOL,
    GIVES_PRICE,
    INSURANCE,
    LENDER,
    TAKE_WHOLE,
    TO_LIQUIDATE,
)
from steelyard.num import far, kernel
from steelyard.num.limits import BORROW_INDEX_MAX, GAIN_SCALE, GAIN_STEP_MAX, GAIN_SUM_MAX
from steelyard.num.rounding import mul_div_down, mul_div_up
from steelyard.rules.interest import cash_now, index_with
from steelyard.rules.offers import (
    cost_of_bid,
    curve_at,
    fee_paid,
    holds_nothing_else,
    is_covered,
    is_frozen,
    net_and_fee,
    size_of_offer,
    step_without_time,
    variable,
    within_equity,
)
from steelyard.rules.pool import absorbing_pool, sharing_part, sharing_parts
from steelyard.rules.price import is_asset_good
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import ASSET, BID, CURVE_RULE, LEG


@kernel
def price_step(s, row, curve, x, equity):
    """What a step of a ladder gives now, where its variable is x, into a bid: whether that is anything."""
    bid, y = BID(s), curve_at(s, curve, x)
    bid.curve[row] = curve
    bid.value[row] = within_equity(s, bid.target[row], curve, y, equity)
    bid.equity[row] = equity
    return y != 0 or CURVE_RULE(s)[curve, C_GIVES] != GIVES_PRICE


@kernel
def may_be_sold(s, collateral, debt):
    """Both have a price that is good for liquidating, and neither is frozen."""
    if ASSET(s).price[collateral] <= 0 or ASSET(s).price[debt] <= 0:
        return False
    if is_frozen(s, collateral) or is_frozen(s, debt):
        return False
    return is_asset_good(s, collateral, TO_LIQUIDATE) and is_asset_good(s, debt, TO_LIQUIDATE)


@kernel
def can_divide(s, share, amount, shares):
    """Whether the sum per share has room for a gain of so many shares."""
    table = ASSET(s)
    whole = amount + table.undivided[share]
    if shares == 0 or whole // shares >= GAIN_STEP_MAX:
        return False
    return table.gained[share] <= GAIN_SUM_MAX - mul_div_down(whole, GAIN_SCALE, shares)


@kernel
def divide(s, share, amount):
    """A gain is divided among the shares there are; what rounding leaves waits for the next one."""
    table = ASSET(s)
    shares, whole = sharing_parts(s, share), amount + table.undivided[share]
    step = mul_div_down(whole, GAIN_SCALE, shares)
    table.gained[share] += step
    table.undivided[share] = whole - mul_div_up(step, shares, GAIN_SCALE)
    return 0


@kernel
def size_absorption(s, held, owed, purse, x):
    """How much the pool repays for row 0 of the bids, and what it gets; nothing repaid: it takes nothing."""
    bid = BID(s)
    whole = CURVE_RULE(s)[bid.curve[0], C_SIZE] == TAKE_WHOLE
    repaid = min(owed if whole else size_of_offer(s, 0, held, owed, x), purse)
    if repaid <= 0:
        return 0
    net, fee = net_and_fee(s, 0, repaid, mul_div_down(held, repaid, owed) if whole else held)
    bid.repaid[0] = repaid
    bid.net[0] = net
    bid.fee[0] = fee_paid(s, 0, fee, repaid, net, held, owed)
    return repaid if net > 0 else 0


@kernel
def draw_up(s, account, collateral, debt, curve, x, equity):
    """Row 0 of the bids is what a step that nobody bids at gives: whether that is anything."""
    bid = BID(s)
    bid.target[0] = account
    bid.collateral[0] = collateral
    bid.debt[0] = debt
    return price_step(s, 0, curve, x, equity)


@kernel
def absorb_pair(s, account, given, owed, equity, requirement):
    """The pool of a collateral and a debt takes what it can at the step that was reached."""
    leg, bid, table = LEG(s), BID(s), ASSET(s)
    collateral, debt, curve = leg.thing[given], leg.thing[owed], step_without_time(s, given, owed, FOR_POOL)
    share = absorbing_pool(s, debt, collateral) if curve else 0
    if share == 0 or not may_be_sold(s, collateral, debt):
        return 0
    x = variable(s, account, curve, collateral, 0, equity, requirement)
    if not draw_up(s, account, collateral, debt, curve, x, equity):
        return 0
    keeper = table.keeper[share]
    if size_absorption(s, leg.quantity[given], -cash_now(s, owed), cash(s, keeper, debt), x) == 0:
        return 0
    repaid, net, fee, y = bid.repaid[0], bid.net[0], bid.fee[0], bid.value[0]
    if not can_divide(s, share, net, table.deposited[share]):
        return 0
    cost = cost_of_bid(s, 0, repaid, net + fee)
    transfer(s, keeper, account, debt, repaid)
    transfer(s, account, keeper, collateral, net)
    transfer(s, account, INSURANCE, collateral, fee)
    divide(s, share, net)
    say(s, ABSORBED, account, collateral, 0, keeper, share, y, repaid, net, fee, equity, cost, curve, debt)
    return show_stake(s, share)


@kernel
def can_be_spread(s, debt, amount, part):
    """Whether others owe as much of an asset, the lender has it, and the index may rise; `part`: of the debt's own."""
    table = ASSET(s)
    others = table.owed[debt] - amount
    if table.debt_shares[debt] <= part or amount > others or cash(s, LENDER, debt) < amount:
        return False
    return index_with(table.borrow_index[debt], others, amount) <= BORROW_INDEX_MAX


@far
def spread_pair(s, account, given, owed):
    """Who else owes the asset takes all of a debt over, and gets collateral for it, both by their debts."""
    leg, bid, table = LEG(s), BID(s), ASSET(s)
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    if equity >= requirement or leg.quantity[given] <= 0 or leg.quantity[owed] >= 0:
        return 0
    collateral, debt, curve = leg.thing[given], leg.thing[owed], step_without_time(s, given, owed, FOR_BORROWERS)
    if curve == 0 or not may_be_sold(s, collateral, debt):
        return 0
    x = variable(s, account, curve, collateral, 0, equity, requirement)
    if not draw_up(s, account, collateral, debt, curve, x, equity):
        return 0
    held, amount, part = leg.quantity[given], -cash_now(s, owed), sharing_part(s, owed)
    if not can_be_spread(s, debt, amount, part):
        return 0
    if not is_covered(s, 0, amount, held) and not holds_nothing_else(s, account, collateral):
        return 0
    net, fee = net_and_fee(s, 0, amount, held)
    fee = fee_paid(s, 0, fee, amount, net, held, amount)
    if net <= 0 or not can_divide(s, debt, net, table.debt_shares[debt] - part):
        return 0
    keeper, until, y = table.keeper[debt], table.outflow_until_ns[debt], bid.value[0]
    cost = cost_of_bid(s, 0, amount, net + fee)
    transfer(s, LENDER, account, debt, amount)
    table.outflow_until_ns[debt] = until  # no coins came in
    transfer(s, account, keeper, collateral, net)
    transfer(s, account, INSURANCE, collateral, fee)
    spread_debt(s, debt, amount)
    divide(s, debt, net)
    index = table.borrow_index[debt]
    say(s, DEBT_SPREAD, account, collateral, 0, keeper, index, y, amount, net, fee, equity, cost, curve, debt)
    return show_share(s, debt, find_leg(s, LENDER, debt)) if table.pool[debt] else 0
