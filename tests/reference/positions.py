"""How a position changes: funding first, then the trade, then what its owner's other orders may still do.

See docs/concepts/numbers.md (profit), orders.md (reduce-only) and funding.md (touch).
"""

from steelyard.model import events
from steelyard.model.keys import M_PAID, M_SETTLE
from steelyard.state.tables import MARKET_0
from tests.reference import money
from tests.reference.numbers import funding_owed, up


def settle_funding(twin, leg):
    """The leg pays what it owes; the rounding is the market's named dust."""
    market = twin.markets[leg.thing - MARKET_0]
    paid, dust = funding_owed(market.rule, leg.quantity, market.funding_index, leg.index_at_touch)
    leg.index_at_touch = market.funding_index
    market.funding_dust += dust
    if paid:
        market.funding_pool += paid
        money.book(twin, leg.account, market.rule[M_SETTLE], -paid)
        twin.emit(events.FUNDING_PAID, account=leg.account, market=market.row, amount=paid)


def take_lots(leg, lots, cost):
    """Adds signed lots that cost so many signed atoms; returns the profit realised in cash."""
    closed = min(abs(leg.quantity), abs(lots)) if leg.quantity * lots < 0 else 0
    closing_cost = up(cost * closed, abs(lots))
    released = up(leg.cost * closed, abs(leg.quantity)) if closed else 0
    leg.cost += cost - closing_cost - released
    leg.quantity += lots
    return -closing_cost - released


def take(market, leg, lots, cost):
    """The same in this market: where contracts are paid up, all of the price is cash at once."""
    if not market.rule[M_PAID]:
        return take_lots(leg, lots, cost)
    leg.quantity += lots
    return -cost


def trade(twin, account, market, lots, cost):
    """Books a trade of signed lots for real: (lots held before, profit realised)."""
    leg = twin.leg(account, market.thing)
    settle_funding(twin, leg)
    before = leg.quantity
    realised = take(market, leg, lots, cost)
    money.book(twin, account, market.rule[M_SETTLE], realised)
    return before, realised


def trade_on_copy(twin, legs, market, lots, cost, fee=0):
    """The same on copied legs; returns the profit realised."""
    leg, cash = legs[market.thing], legs[market.rule[M_SETTLE]]
    paid, _ = funding_owed(market.rule, leg.quantity, market.funding_index, leg.index_at_touch)
    leg.index_at_touch = market.funding_index
    realised = take(market, leg, lots, cost)
    cash.quantity += realised - paid - fee
    return realised
