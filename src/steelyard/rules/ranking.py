"""Who is deleveraged first. See docs/concepts/liquidation.md.

Promises
- Only legs in profit, of accounts with equity, are ranked at all.
"""

from steelyard.model.keys import A_GROUP, M_GROUP, M_RANKING, M_SETTLE
from steelyard.model.orders import BY_PROFIT, BY_SIZE, FOR_MAINTAIN, HEDGES_LAST, PRO_RATA
from steelyard.num import kernel
from steelyard.num.limits import PPM
from steelyard.num.rounding import clamp, mul_div_down
from steelyard.rules.cash import value
from steelyard.rules.interest import cash_now
from steelyard.rules.requirement import account_risk
from steelyard.rules.worth import is_paid, worth
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, LEG, MARKET, MARKET_0, MARKET_RULE

FACTOR_MAX = 1 << 31


@kernel
def notional_value(s, row):
    """|V| of a position, in value."""
    leg = LEG(s)
    market = leg.thing[row] - MARKET_0
    atoms = worth(s, market, leg.quantity[row], MARKET(s).mark[market])
    return value(abs(atoms), ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]])


@kernel
def unhedged_ppm(s, row):
    """The part of a position that nothing else in its account hedges."""
    leg = LEG(s)
    group, notional = MARKET_RULE(s)[leg.thing[row] - MARKET_0, M_GROUP], notional_value(s, row)
    if group == 0 or notional == 0:
        return PPM
    net, each = 0, ACCOUNT(s).first_leg[leg.account[row]]
    while each:
        thing = leg.thing[each]
        if thing >= MARKET_0:
            if MARKET_RULE(s)[thing - MARKET_0, M_GROUP] == group and leg.quantity[each]:
                net += notional_value(s, each) if leg.quantity[each] > 0 else -notional_value(s, each)
        elif ASSET_RULE(s)[thing, A_GROUP] == group:
            net += value(cash_now(s, each), ASSET(s).price[thing])
        each = leg.next_of_account[each]
    if leg.quantity[row] < 0:
        net = -net
    return mul_div_down(clamp(net, 0, notional), PPM, notional)


@kernel
def deleveraging_score(s, row):
    """0 if the leg is not in profit or its account has no equity."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    ranking = MARKET_RULE(s)[market, M_RANKING]
    profit = worth(s, market, quantity, MARKET(s).mark[market]) - leg.cost[row]
    equity, _, _ = account_risk(s, leg.account[row], FOR_MAINTAIN)
    if profit <= 0 or equity <= 0:
        return 0
    notional = notional_value(s, row)
    if ranking == BY_SIZE or ranking == PRO_RATA:
        return max(1, notional)
    cost = profit if is_paid(s, market) else abs(leg.cost[row])
    ratio = min(mul_div_down(profit, PPM, max(1, cost)), FACTOR_MAX)
    if ranking == BY_PROFIT:
        return max(1, ratio)
    score = ratio * min(mul_div_down(notional, PPM, equity), FACTOR_MAX)
    return max(1, mul_div_down(score, unhedged_ppm(s, row), PPM)) if ranking == HEDGES_LAST else score
