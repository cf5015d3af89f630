"""What a trade does to a leg: funding settles, quantity and cost move, profit is realised into cash."""

from steelyard.engine.events import say_money
from steelyard.engine.ledger import realise, spend_trade
from steelyard.engine.opening import restate, shift_slack
from steelyard.model.events import FUNDING_PAID
from steelyard.model.keys import M_SETTLE
from steelyard.num import far, far_twin, leaf, unlikely
from steelyard.num.limits import INDEX_SCALE, INDEX_SCALE_BITS
from steelyard.num.rounding import mul_div_up
from steelyard.num.wide import multiply, multiply_shift_down
from steelyard.rules.corner import equity_gained
from steelyard.rules.requirement import accrued_up
from steelyard.rules.worth import is_paid
from steelyard.state.tables import LEG, MARKET, MARKET_0, MARKET_RULE


@far
def pay_funding(s, row):
    """Pay what a leg owes (or is owed) since its last touch; the rounding stays as the market's dust."""
    leg, table = LEG(s), MARKET(s)
    market = leg.thing[row] - MARKET_0
    now, then = table.funding_index[market], leg.index_at_touch[row]
    leg.index_at_touch[row] = now
    quantity = leg.quantity[row]
    if quantity == 0:
        return 0
    rule = MARKET_RULE(s)
    scale = table.scale[market]
    owed = accrued_up(quantity, scale, now, then)
    # The low bits of the wide product are its remainder; the rest was paid.
    low, _ = multiply(quantity * scale, now - then)
    table.funding_dust[market] += -low & (INDEX_SCALE - 1)
    table.funding_pool[market] += owed
    realise(s, leg.account[row], rule[market, M_SETTLE], -owed)
    # In the middle of a fill a leg's orders are no longer what its slack counts, so its slack is not worked out here.
    shift_slack(s, row, multiply_shift_down(quantity * scale, now - then, INDEX_SCALE_BITS))
    if owed:
        say_money(s, FUNDING_PAID, leg.account[row], market, owed, 0)
    return owed


@leaf
def settle_funding(s, row):
    if unlikely(MARKET(s).funding_index[LEG(s).thing[row] - MARKET_0] != LEG(s).index_at_touch[row]):
        pay_funding(s, row)


@leaf
def realised_down(quantity, cost, lots, trade_value):
    """(closed lots, cash realised) when signed `lots` worth `trade_value` meet a position."""
    if quantity == 0 or (quantity > 0) == (lots > 0):
        return 0, 0
    if abs(lots) <= abs(quantity):
        return abs(lots), -trade_value - mul_div_up(cost, abs(lots), abs(quantity))
    # The whole position closes. Its part of the trade is exact in a linear market, else it rounds up.
    return abs(quantity), -mul_div_up(trade_value, abs(quantity), abs(lots)) - cost


@leaf
def realised_of(s, market, quantity, cost, lots, trade_value):
    """The cash realised when a leg of this market takes signed lots."""
    if unlikely(is_paid(s, market)):
        return -trade_value
    _, realised = realised_down(quantity, cost, lots, trade_value)
    return realised


@leaf
def book_trade(s, row, lots, trade_value, counted):
    """Add signed lots worth `trade_value` to a settled leg; returns the cash realised.

    `counted`: they are of an order that the account's opening slack counts.
    """
    leg, table = LEG(s), MARKET(s)
    market = leg.thing[row] - MARKET_0
    quantity, cost = leg.quantity[row], leg.cost[row]
    realised = realised_of(s, market, quantity, cost, lots, trade_value)
    leg.quantity[row] = quantity + lots
    leg.cost[row] = cost + trade_value + realised
    table.clearing[market] -= realised
    table.open_interest[market] += max(0, quantity + lots) - max(0, quantity)
    realise(s, leg.account[row], MARKET_RULE(s)[market, M_SETTLE], realised)
    spend_trade(s, row, lots, trade_value)
    if counted:
        shift_slack(s, row, equity_gained(s, row, market, lots, trade_value) - realised)
    else:
        restate(s, row)
    return realised


far_book_trade = far_twin(book_trade)
