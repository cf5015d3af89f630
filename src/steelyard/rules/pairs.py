"""Spot pairs: what an exchange of cash does to E and M, and what resting orders need. See docs/concepts/pairs.md.

Promises
- Whichever of an account's orders on one side of each pair are filled, E - M(open) falls by no more than the parts.
"""

from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_BASE,
    M_FEE_TIERS,
    M_KIND,
    M_LOT_ATOMS,
    M_MAKER_PPM,
    M_SETTLE,
    M_TAKER_PPM,
)
from steelyard.model.orders import CLOSE_POSITION, FOR_OPEN, POST_ONLY, POST_ONLY_SLIDE, REDUCE_ONLY, RESTING, SPOT
from steelyard.num import far, kernel, leaf
from steelyard.num.rounding import mul_div_down, mul_div_up, ppm_up
from steelyard.rules.cash import cash_needed, value
from steelyard.rules.interest import cash_of
from steelyard.rules.worth import is_paid
from steelyard.state.tables import ACCOUNT, ASSET, LEG, LEG_OPEN, MARKET, MARKET_0, MARKET_RULE, ORDER


@leaf
def is_pair(s, market):
    return MARKET_RULE(s)[market, M_KIND] == SPOT


@leaf
def spends_cash(s, market):
    """Whether a buy must hold what it pays: in a pair, and where contracts are paid up."""
    return is_pair(s, market) or is_paid(s, market)


@leaf
def cost_per_lot(s, market, account, price, post_only):
    """What buying a lot at a price takes at most, its fee included."""
    notional = price * MARKET(s).scale[market]
    rule, tier = MARKET_RULE(s), min(ACCOUNT(s).fee_tier[account], MARKET_RULE(s)[market, M_FEE_TIERS] - 1)
    rate = max(0, rule[market, M_MAKER_PPM + tier]) if post_only else rule[market, M_TAKER_PPM + tier]
    return notional + ppm_up(notional, rate)


@kernel
def paid_spent(s, account, leg, pair, market, order_row):
    """What the buys of a leg (0: none yet) in a paid-up market spend, with one order more in a market."""
    order, total = ORDER(s), 0
    extra, row = order_row if pair == market else 0, LEG_OPEN(s).first_order[leg] if leg else 0
    while extra or row:
        each = extra if extra else row
        if (extra or (each != order_row and order.state[each] == RESTING)) and order.side[each] > 0:
            flags = order.options[each]
            if flags & (REDUCE_ONLY | CLOSE_POSITION) == 0:
                post_only = flags & (POST_ONLY | POST_ONLY_SLIDE) != 0
                total += order.remaining[each] * cost_per_lot(s, pair, account, order.price[each], post_only)
        row = row if extra else order.next_of_leg[row]
        extra = 0
    return total


@kernel
def pair_index(s, market):
    """Ticks that a lot of the base is worth at its assets' prices; 0 if less than one."""
    rule, price = MARKET_RULE(s), ASSET(s).price
    quote = price[rule[market, M_SETTLE]]
    if quote <= 0:
        return 0
    return (
        mul_div_down(price[rule[market, M_BASE]], rule[market, M_LOT_ATOMS], quote)
        // rule[market, M_ATOMS_PER_TICK_LOT]
    )


@leaf
def counted(s, asset, quantity, question):
    """F(q): what cash adds to E - M."""
    price = ASSET(s).price[asset]
    return value(quantity, price) - cash_needed(s, asset, quantity, question)


@leaf
def pair_sums(s, leg, pair, market, order_row):
    """(bid lots, ask lots, what bids spend, what asks bring) of a pair's leg, with one order more in that market."""
    orders, order = LEG_OPEN(s), ORDER(s)
    bids, asks = orders.bid_lots[leg], orders.ask_lots[leg]
    spent, brought = orders.bid_reserve[leg], orders.ask_reserve[leg]
    if pair == market:
        lots = order.remaining[order_row]
        if order.side[order_row] > 0:
            bids += lots
            spent += lots * order.reserve[order_row]
        else:
            asks += lots
            brought += lots * order.reserve[order_row]
    return bids, asks, spent, brought


@leaf
def pair_flows(s, account, leg, pair, asset, market, order_row):
    """(spent, brought) of an asset by the orders of a pair or of a paid-up market."""
    rule = MARKET_RULE(s)
    if not is_pair(s, pair):
        if rule[pair, M_SETTLE] != asset:
            return 0, 0
        return paid_spent(s, account, leg, pair, market, order_row), 0
    bids, asks, spent, brought = pair_sums(s, leg, pair, market, order_row)
    if rule[pair, M_SETTLE] == asset:
        return spent, brought
    if rule[pair, M_BASE] == asset:
        return asks * rule[pair, M_LOT_ATOMS], bids * rule[pair, M_LOT_ATOMS]
    return 0, 0


@kernel
def flows(s, account, asset, market, order_row):
    """(spent, brought) of an asset by all an account's orders that spend, with one order more in a market (0: none)."""
    leg, met = LEG(s), 0
    all_spent, all_brought = 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        pair = leg.thing[row] - MARKET_0
        if pair > 0 and spends_cash(s, pair):
            spent, brought = pair_flows(s, account, row, pair, asset, market, order_row)
            all_spent += spent
            all_brought += brought
            met += int(pair == market)
        row = leg.next_of_account[row]
    if market and met == 0:
        spent, brought = pair_flows(s, account, 0, market, asset, market, order_row)
        all_spent += spent
        all_brought += brought
    return all_spent, all_brought


@kernel
def lost(s, asset, held, spent):
    """L: what E - M(open) loses if so much of an asset is spent."""
    return max(0, counted(s, asset, held, FOR_OPEN) - counted(s, asset, held - spent, FOR_OPEN))


@kernel
def gained(s, asset, held, brought):
    """G: what E - M(open) gains if so much of an asset comes."""
    return max(0, counted(s, asset, held + brought, FOR_OPEN) - counted(s, asset, held, FOR_OPEN))


@leaf
def order_part(spent, whole_spent, loss, brought, whole_brought, gain):
    """What one order asks for: its share of the loss, rounded up, less its share of the gain, rounded down."""
    cost = mul_div_up(loss, spent, whole_spent) if spent else 0
    return max(0, cost - mul_div_down(gain, brought, whole_brought)) if brought else cost


@far
def pair_part(s, account, leg, pair, market, order_row):
    """A pair's part of M(open), its leg being `leg` (0: none yet), with one order more in a market (0: none)."""
    rule, order = MARKET_RULE(s), ORDER(s)
    bids, asks, _, _ = pair_sums(s, leg, pair, market, order_row)
    if bids == 0 and asks == 0:
        return 0
    base, quote, lot = rule[pair, M_BASE], rule[pair, M_SETTLE], rule[pair, M_LOT_ATOMS]
    base_held, quote_held = cash_of(s, account, base), cash_of(s, account, quote)
    base_spent, base_brought = flows(s, account, base, market, order_row)
    quote_spent, quote_brought = flows(s, account, quote, market, order_row)
    quote_lost, base_gained = lost(s, quote, quote_held, quote_spent), gained(s, base, base_held, base_brought)
    base_lost, quote_gained = lost(s, base, base_held, base_spent), gained(s, quote, quote_held, quote_brought)
    buying, selling = 0, 0
    extra, row = order_row if pair == market else 0, LEG_OPEN(s).first_order[leg]
    while extra or row:
        each = extra if extra else row
        if extra or (each != order_row and order.state[each] == RESTING):
            lots, money = order.remaining[each], order.remaining[each] * order.reserve[each]
            if order.side[each] > 0:
                buying += order_part(money, quote_spent, quote_lost, lots * lot, base_brought, base_gained)
            else:
                selling += order_part(lots * lot, base_spent, base_lost, money, quote_brought, quote_gained)
        row = row if extra else order.next_of_leg[row]
        extra = 0
    return max(buying, selling)


@far
def pairs_part(s, account, market, order_row):
    """All pairs' parts of M(open) of an account, with one order more in a market (0: none)."""
    leg, total, met = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        pair = leg.thing[row] - MARKET_0
        if pair > 0 and is_pair(s, pair):
            total += pair_part(s, account, row, pair, market, order_row)
            met += int(pair == market)
        row = leg.next_of_account[row]
    if market and met == 0:
        total += pair_part(s, account, 0, market, market, order_row)
    return total
