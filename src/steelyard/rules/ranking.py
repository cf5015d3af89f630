"""Who is deleveraged first: profit ratio times effective leverage. See docs/concepts/liquidation.md."""

from steelyard.model.keys import M_SETTLE
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.num import kernel
from steelyard.num.limits import PPM
from steelyard.num.rounding import mul_div_down
from steelyard.rules.cash import value
from steelyard.rules.requirement import account_risk
from steelyard.rules.worth import worth
from steelyard.state.tables import ASSET, LEG, MARKET, MARKET_0, MARKET_RULE

FACTOR_MAX = 1 << 31


@kernel
def deleveraging_score(s, row):
    """0 if the leg is not in profit or its account has no equity."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    rule = MARKET_RULE(s)
    atoms = worth(s, market, quantity, MARKET(s).mark[market])
    profit = atoms - leg.cost[row]
    equity, _, _ = account_risk(s, leg.account[row], FOR_MAINTAIN)
    if profit <= 0 or equity <= 0:
        return 0
    notional = value(abs(atoms), ASSET(s).price[rule[market, M_SETTLE]])
    ratio = min(mul_div_down(profit, PPM, max(1, abs(leg.cost[row]))), FACTOR_MAX)
    leverage = min(mul_div_down(notional, PPM, equity), FACTOR_MAX)
    return ratio * leverage
