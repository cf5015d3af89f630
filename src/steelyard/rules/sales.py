"""What an account in liquidation sells through a spot book: the limit, and how much. See docs/concepts/offers.md.

Promises
- A fill at the limit or better gives no more collateral, and repays no less debt, than the curve says.
- What is sold is held: nothing is borrowed for it.
"""

from steelyard.model.keys import (
    C_SIZE,
    M_BASE,
    M_LIQUIDATION_FEE_PPM,
    M_LOT_ATOMS,
    M_SETTLE,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_TICKS_MAX,
)
from steelyard.model.orders import FOR_RESTORE, TO_RESTORE
from steelyard.num import kernel
from steelyard.num.rounding import ppm_down, ppm_up
from steelyard.rules.cash import atoms_down
from steelyard.rules.offers import debt_for, equity_left, gross_of, is_restored, prices_of, worth_of_debt
from steelyard.rules.pairs import is_pair
from steelyard.rules.price import can_be_closed
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import BID, CURVE_RULE, MACHINE, MARKET, MARKET_RULE


@kernel
def market_between(s, one, other):
    """The first market in which two assets are exchanged, among those that liquidation may use; 0 if there is none."""
    rule = MARKET_RULE(s)
    for market in range(1, MACHINE(s).markets[0] + 1):
        base, quote = rule[market, M_BASE], rule[market, M_SETTLE]
        if is_pair(s, market) and min(base, quote) == min(one, other) and max(base, quote) == max(one, other):
            if can_be_closed(s, market):
                return market
    return 0


@kernel
def sale_limit(s, row, market, sells, lots):
    """The price at which so many lots are exchanged as the curve says, rounded for the account; 0: there is none."""
    bid, a = BID(s), MARKET(s).scale[market]
    price_held, price_owed = prices_of(s, row)
    atoms, most = lots * MARKET_RULE(s)[market, M_LOT_ATOMS], MARKET_RULE(s)[market, M_TICKS_MAX]
    if sells:
        debt = debt_for(s, bid.curve[row], bid.value[row], atoms, price_owed, price_held)
        limit = -(-debt // lots // a)
        return limit if limit <= most else 0
    gross = gross_of(s, bid.curve[row], bid.value[row], worth_of_debt(atoms, price_owed, price_held))
    return min(gross // lots // a, most)


@kernel
def sale_restores(s, row, market, sells, limit, lots, held, owed, required):
    """Whether E >= M(restore) after so many lots at the limit, the fee paid; `required` is M(restore) now."""
    price_held, price_owed = prices_of(s, row)
    base, quote = lots * MARKET_RULE(s)[market, M_LOT_ATOMS], lots * limit * MARKET(s).scale[market]
    fee = ppm_up(quote, MARKET_RULE(s)[market, M_LIQUIDATION_FEE_PPM])
    repaid, given = (quote, base) if sells else (base, quote)
    left = max(0, equity_left(s, row, repaid, given, held, owed))
    if sells:
        repaid -= min(fee, atoms_down(left, price_owed))
    else:
        given += min(min(fee, held - given), atoms_down(left, price_held))
    return is_restored(s, row, repaid, given, held, owed, required)


@kernel
def fewest_lots(s, row, market, sells, limit, most, held, owed):
    """The fewest lots that restore the account; the most if they do not suffice."""
    _, required, _ = account_risk(s, BID(s).target[row], FOR_RESTORE)
    if not sale_restores(s, row, market, sells, limit, most, held, owed, required):
        return most
    low, high = 0, most  # `low` is not enough, `high` is
    while high - low > 1:
        middle = (low + high) >> 1
        if sale_restores(s, row, market, sells, limit, middle, held, owed, required):
            high = middle
        else:
            low = middle
    return high


@kernel
def size_of_sale(s, row, market, sells, held, owed):
    """(lots of this turn, the limit, the most lots) of what a step for the book sells of so much for so much owed."""
    rule, a = MARKET_RULE(s), MARKET(s).scale[market]
    lot = rule[market, M_LOT_ATOMS]
    there = held // lot if sells else -(-owed // lot)
    limit = sale_limit(s, row, market, sells, there) if there else 0
    if limit == 0:
        return 0, 0, 0
    most = min(there, -(-owed // (limit * a)) if sells else held // (limit * a))
    lots = most
    if most and CURVE_RULE(s)[BID(s).curve[row], C_SIZE] == TO_RESTORE:
        lots = fewest_lots(s, row, market, sells, limit, most, held, owed)
    if most * limit * a > rule[market, M_SLICE_NOTIONAL]:
        lots = min(lots, max(1, ppm_down(most, rule[market, M_SLICE_PPM])))
    return lots, limit, most
