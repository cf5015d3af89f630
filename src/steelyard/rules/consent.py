"""May this be done? The weak-account rule and the check of a resting order's fill: docs/concepts/legs-and-health.md.

Promises
- What passes here leaves the account healthy, or no weaker than it was.
"""

from steelyard.model import reject as no
from steelyard.model.keys import A_LOAN_CAP, M_BASE, M_LOT_ATOMS, M_SETTLE
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.num import far, kernel
from steelyard.num.wide import product_is_less
from steelyard.rules.cash import cash_requirement, is_price_fresh, value
from steelyard.rules.interest import cash_of, loan_refusal
from steelyard.rules.requirement import account_risk, requirement_change
from steelyard.rules.worth import gained
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, LEG, MARKET_0, MARKET_RULE


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
def is_no_weaker(s, account, row, market, lots_after, gain_value):
    """With `lots_after` as the leg's position and this much equity gained (fee set aside), is the account no weaker?

    The position part of M(maintain) must not rise, M(maintain) must fall, and E / M (E if negative) must not fall.
    """
    if account == 0:
        return False
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    change = requirement_change(s, account, row, market, lots_after)
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
    price = ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]]
    gain = gained(s, market, LEG(s).quantity[row], lots, trade_atoms)
    quantity = LEG(s).quantity[row] + lots
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    requirement += requirement_change(s, account, row, market, quantity)
    if equity + value(gain - fee_atoms, price) >= requirement and not is_over_loan_cap(s, account):
        return 1
    return 1 if strict == 0 and is_no_weaker(s, account, row, market, quantity, value(gain, price)) else 0


@kernel
def after_exchange(s, account, base, base_change, quote, quote_change, equity, requirement):
    """(E, M(maintain)) that these become when cash in two assets changes."""
    for each in range(2):
        asset, change = (base, base_change) if each == 0 else (quote, quote_change)
        price, held = ASSET(s).price[asset], cash_of(s, account, asset)
        equity += value(held + change, price) - value(held, price)
        requirement += cash_requirement(s, asset, held + change, price, FOR_MAINTAIN)
        requirement -= cash_requirement(s, asset, held, price, FOR_MAINTAIN)
    return equity, requirement


@far
def exchange_is_no_weaker(s, account, base, base_change, quote, quote_change):
    """The weak-account rule for an exchange of cash, fees included: positions stay as they are."""
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    after, needed = after_exchange(s, account, base, base_change, quote, quote_change, equity, requirement)
    if needed >= requirement:
        return 0
    if equity < 0:
        return 1 if after >= equity else 0
    return 1 if product_is_less(after, requirement, equity, needed) == 0 else 0


@kernel
def may_spend(s, account, asset, amount, may_borrow):
    """Is this cash there, or may it be borrowed now?"""
    held = cash_of(s, account, asset)
    if amount <= max(0, held):
        return True
    if may_borrow == 0 or not is_price_fresh(s, asset) or amount - held > ASSET_RULE(s)[asset, A_LOAN_CAP]:
        return False
    return loan_refusal(s, account, asset, amount - max(0, held)) == no.NONE


@far
def may_exchange(s, account, market, lots, trade_atoms, fee_atoms, may_borrow, strict):
    """May this account exchange signed `lots` of a pair for `trade_atoms` (signed cost) and `fee_atoms`?

    `strict` leaves the weak-account rule out.
    """
    rule = MARKET_RULE(s)
    base, quote = rule[market, M_BASE], rule[market, M_SETTLE]
    base_change, quote_change = lots * rule[market, M_LOT_ATOMS], -trade_atoms - fee_atoms
    spent, amount = (quote, -quote_change) if lots > 0 else (base, -base_change)
    if not may_spend(s, account, spent, amount, may_borrow):
        return 0
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    after, needed = after_exchange(s, account, base, base_change, quote, quote_change, equity, requirement)
    if after >= needed and not is_over_loan_cap(s, account):
        return 1
    return exchange_is_no_weaker(s, account, base, base_change, quote, quote_change) if strict == 0 else 0
