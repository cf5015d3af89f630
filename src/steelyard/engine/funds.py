"""Who pays what an account cannot: the insurance fund and pools that back, in order. See docs/concepts/sharing.md."""

from steelyard.engine.events import say, say_money
from steelyard.engine.ledger import cash, transfer
from steelyard.engine.worth import show_stake
from steelyard.model.events import FUND_DAY, FUND_PAID, STAKES_EARNED, STAKES_PAID
from steelyard.model.keys import (
    A_FUND_DAY_MAX,
    A_FUND_STEP_MAX,
    A_PAYER,
    A_POOL_FEE_PPM,
    HOUR,
    M_PAYER,
)
from steelyard.model.orders import FROM_FUND, INSURANCE
from steelyard.num import far, kernel
from steelyard.num.limits import AMOUNT_MAX, PAYERS_MAX
from steelyard.num.rounding import mul_div_down, ppm_down
from steelyard.state.tables import ASSET, ASSET_RULE, MACHINE, MARKET_RULE

DAY_NS = 24 * HOUR


@kernel
def payer(s, market, asset, place):
    """Who pays at this place of the order of a market (0: of a debt in the asset); 0: nobody."""
    rule = MARKET_RULE(s)
    if market and rule[market, M_PAYER]:
        return rule[market, M_PAYER + place]
    if ASSET_RULE(s)[asset, A_PAYER]:
        return ASSET_RULE(s)[asset, A_PAYER + place]
    return FROM_FUND if place == 0 else 0


@far
def purse_of_fund(s, asset):
    """What the insurance fund may pay now: what it has, within its caps. A new day counts from nothing."""
    table, rule, machine = ASSET(s), ASSET_RULE(s), MACHINE(s)
    purse = min(max(0, cash(s, INSURANCE, asset)), rule[asset, A_FUND_STEP_MAX])
    if rule[asset, A_FUND_DAY_MAX] == AMOUNT_MAX:
        return purse
    day = machine.now_ns[0] // DAY_NS
    if table.fund_day[asset] != day:
        say_money(s, FUND_DAY, 0, asset, table.fund_paid[asset], 0)
        table.fund_day[asset] = day
        table.fund_paid[asset] = 0
    return min(purse, max(0, rule[asset, A_FUND_DAY_MAX] - table.fund_paid[asset]))


@kernel
def purse_of(s, who, asset):
    """What a payer may pay now."""
    if who == 0:
        return 0
    return purse_of_fund(s, asset) if who == FROM_FUND else cash(s, ASSET(s).keeper[who], asset)


@far
def fund_purse(s, market, asset):
    """What all payers together may pay now."""
    purse = 0
    for place in range(PAYERS_MAX):
        purse += purse_of(s, payer(s, market, asset, place), asset)
    return purse


@kernel
def give(s, who, account, market, asset, amount, beside):
    """A payer parts with what its purse holds. Beside a deleveraging the fund's part is told there."""
    if amount == 0:
        return 0
    if who == FROM_FUND:
        transfer(s, INSURANCE, account, asset, amount)
        if ASSET_RULE(s)[asset, A_FUND_DAY_MAX] < AMOUNT_MAX:
            ASSET(s).fund_paid[asset] += amount
        if beside == 0:
            say_money(s, FUND_PAID, account, market, amount, asset)
        return 0
    keeper = ASSET(s).keeper[who]
    transfer(s, keeper, account, asset, amount)
    say(s, STAKES_PAID, account, market, 0, 0, who, 0, 0, amount, 0, keeper, 0, beside, asset)
    return show_stake(s, who)


@far
def fund_pays(s, account, market, asset, amount):
    """Each payer pays as much of this as its purse holds."""
    left = max(0, amount)
    for place in range(PAYERS_MAX):
        who = payer(s, market, asset, place)
        part = min(left, purse_of(s, who, asset)) if left else 0
        give(s, who, account, market, asset, part, 0)
        left -= part
    return 0


@far
def fund_pays_debt(s, account, asset, amount):
    """The same of a debt, one after the other: 1 if one goes on later, stopped by its step alone."""
    left = amount
    for place in range(PAYERS_MAX):
        who = payer(s, 0, asset, place)
        part = min(left, purse_of(s, who, asset))
        give(s, who, account, 0, asset, part, 0)
        left -= part
        if left and purse_of(s, who, asset) > 0:
            return 1
    return 0


@far
def give_beside(s, account, market, asset, first, second, third, before, after, lots, paying):
    """What the payers' parts of a deleveraging come to for the lots from `before` to `after`; and they are paid."""
    together = 0
    for place in range(PAYERS_MAX):
        whole = first if place == 0 else second if place == 1 else third
        part = mul_div_down(whole, after, lots) - mul_div_down(whole, before, lots)
        together += part
        if paying:
            give(s, payer(s, market, asset, place), account, market, asset, part, 1)
    return together


@far
def earn(s, account, market, asset, fee):
    """The pools among a market's payers get their parts of a liquidation fee, the insurance fund the rest."""
    left = fee
    for place in range(PAYERS_MAX):
        who = payer(s, market, asset, place)
        if who > FROM_FUND and ASSET(s).deposited[who] > 0:
            part, keeper = min(left, ppm_down(fee, ASSET_RULE(s)[who, A_POOL_FEE_PPM])), ASSET(s).keeper[who]
            if part:
                transfer(s, account, keeper, asset, part)
                say(s, STAKES_EARNED, account, market, 0, 0, who, 0, 0, part, 0, keeper, 0, 0, 0)
                show_stake(s, who)
                left -= part
    return transfer(s, account, INSURANCE, asset, left)
