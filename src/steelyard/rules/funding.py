"""The premium sample and the funding rate. See docs/concepts/funding.md.

Promises
- A rate lies within its cap. A sample that cannot be taken is 0.
"""

from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_FUNDING_CAP_PPB,
    M_FUNDING_CLAMP_PPB,
    M_FUNDING_INTERVAL_NS,
    M_IMPACT_NOTIONAL,
    M_INTEREST_PPB,
    M_PREMIUM_DIVISOR,
    M_SAMPLE_INTERVAL_NS,
)
from steelyard.num import kernel
from steelyard.num.limits import FUNDING_INDEX_MAX, INDEX_SCALE, INDEX_SCALE_BITS, PPB
from steelyard.num.rounding import clamp, mul_div_down, mul_div_up
from steelyard.rules.worth import lot_worth, worth
from steelyard.state.tables import LADDER, MARKET, MARKET_RULE

IMPACT_LEVELS_MAX = 256


@kernel
def funding_rate(s, market):
    """Rate of the interval that ends, in ppb."""
    table, rule = MARKET(s), MARKET_RULE(s)
    expected = max(1, rule[market, M_FUNDING_INTERVAL_NS] // rule[market, M_SAMPLE_INTERVAL_NS])
    premium = table.premium_sum[market] // (expected * rule[market, M_PREMIUM_DIVISOR])
    pull = rule[market, M_FUNDING_CLAMP_PPB]
    cap = rule[market, M_FUNDING_CAP_PPB]
    return clamp(premium + clamp(rule[market, M_INTEREST_PPB] - premium, -pull, pull), -cap, cap)


@kernel
def take_level(s, market, price, wanted):
    """(lots, value) taken from one level towards a notional still wanted."""
    scale = MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    lots = LADDER(s).lots[MARKET(s).ladder[market] + price]
    enough = mul_div_up(wanted, 1, price * scale) if MARKET(s).scale[market] > 0 else mul_div_up(wanted, price, scale)
    lots = min(lots, enough)
    return lots, abs(worth(s, market, lots, price))


@kernel
def impact_notional(s, market):
    return MARKET_RULE(s)[market, M_IMPACT_NOTIONAL]


@kernel
def average_price(s, market, lots, value, up):
    """The price at which these lots are worth this much, in index units."""
    scale = MARKET_RULE(s)[market, M_ATOMS_PER_TICK_LOT]
    if MARKET(s).scale[market] > 0:
        return mul_div_up(value, INDEX_SCALE, lots * scale) if up else mul_div_down(value, INDEX_SCALE, lots * scale)
    if up:
        return mul_div_up(scale, INDEX_SCALE * INDEX_SCALE, mul_div_down(value, INDEX_SCALE, lots))
    return mul_div_down(scale, INDEX_SCALE * INDEX_SCALE, mul_div_up(value, INDEX_SCALE, lots))


@kernel
def funding_moved(s, market, rate):
    """What an instant at this rate adds to the funding index: at a positive one longs owe that part of their worth."""
    moving = lot_worth(s, market, MARKET(s).index[market])
    before = MARKET(s).funding_index[market]
    moved = mul_div_down(moving if MARKET(s).scale[market] > 0 else -moving, rate, PPB)
    return clamp(before + moved, -FUNDING_INDEX_MAX, FUNDING_INDEX_MAX) - before


@kernel
def premium(s, market, impact_bid, impact_ask):
    """Premium of the impact prices over the index, in ppb."""
    index = MARKET(s).index[market] << INDEX_SCALE_BITS
    above = max(0, impact_bid - index) - max(0, index - impact_ask)
    return clamp(mul_div_down(above, PPB, index), -PPB, PPB)
