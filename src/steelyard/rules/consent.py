"""May this be done? The weak-account rule and the check of a resting order's fill: docs/concepts/legs-and-health.md.

Promises
- What passes here leaves the account healthy, or no weaker than it was.
"""

from steelyard.model.keys import A_LOAN_CAP, M_ATOMS_PER_TICK_LOT, M_SETTLE
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.num import far, kernel
from steelyard.num.wide import product_is_less
from steelyard.rules.requirement import account_risk, leg_requirement, perpetual_requirement, value
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, LEG, MARKET, MARKET_0, MARKET_RULE


@kernel
def is_over_loan_cap(s, account):
    """Whether an account owes more of an asset than one may: until collateral converts, its risk may not rise."""
    if account == 0 or ACCOUNT(s).debts[account] == 0:
        return False
    leg = LEG(s)
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing < MARKET_0 and leg.quantity[row] < -ASSET_RULE(s)[thing, A_LOAN_CAP]:
            return True
        row = leg.next_of_account[row]
    return False


@kernel
def is_no_weaker(s, account, row, lots_after, gain_value):
    """With `lots_after` as the leg's position and this much equity gained (fee set aside), is the account no weaker?

    The position part of M(maintain) must not rise, M(maintain) must fall, and E / M (E if negative) must not fall.
    """
    if row == 0:
        return False
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    market = LEG(s).thing[row] - MARKET_0
    notional = abs(lots_after) * MARKET(s).mark[market] * MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    change = perpetual_requirement(s, market, notional, FOR_MAINTAIN) - leg_requirement(s, row, FOR_MAINTAIN)
    if change >= 0:
        return False
    after = equity + gain_value
    if equity < 0:
        return after >= equity
    return product_is_less(after, requirement, equity, requirement + change) == 0


@far
def may_hold(s, account, row, lots, trade_atoms, fee_atoms, strict):
    """May this account's leg take signed `lots` for `trade_atoms` (signed cost) and `fee_atoms`?

    `strict` leaves the weak-account rule out.
    """
    market = LEG(s).thing[row] - MARKET_0
    rule = MARKET_RULE(s)
    price = ASSET(s).price[rule[market, M_SETTLE]]
    lot_notional = MARKET(s).mark[market] * rule[market, M_ATOMS_PER_TICK_LOT]
    gain = lots * lot_notional - trade_atoms
    quantity = LEG(s).quantity[row] + lots
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    requirement += perpetual_requirement(s, market, abs(quantity) * lot_notional, FOR_MAINTAIN)
    requirement -= leg_requirement(s, row, FOR_MAINTAIN)
    if equity + value(gain - fee_atoms, price) >= requirement and not is_over_loan_cap(s, account):
        return 1
    return 1 if strict == 0 and is_no_weaker(s, account, row, quantity, value(gain, price)) else 0
