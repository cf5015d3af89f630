"""Fetching rows before they are needed: the difference between waiting for memory and working.

A batch lets the machine see what comes. Twelve, eight and four commands ahead it asks for the rows that an order will
touch, each step using what the one before brought in. These are hints: they read, they change nothing, and rows that
are nonsense (the commands ahead are not checked yet) are skipped.
"""

from steelyard.model import commands as do
from steelyard.model.orders import SELL
from steelyard.num import kernel, leaf
from steelyard.num.wide import mix
from steelyard.state.tables import (
    ACCOUNT,
    AHEAD_ACCOUNT,
    AHEAD_LADDER,
    AHEAD_LEG,
    AHEAD_LEG_OPEN,
    AHEAD_LEG_SLOT,
    AHEAD_NOTE,
    AHEAD_ORDER,
    AHEAD_OWNER_RULE,
    COMMAND,
    LADDER,
    LEG,
    LEG_SLOT,
    MACHINE,
    MARKET,
    MARKET_0,
    ORDER,
)

FAR_AHEAD, AHEAD, NEAR_AHEAD = 12, 8, 4
_ROW_MASK = (1 << 24) - 1


@leaf
def first_slot(s, account, market):
    return mix(account, MARKET_0 + market) & (len(LEG_SLOT(s)) - 1)


@leaf
def is_plausible(s, i):
    """Whether a command ahead names rows that exist."""
    c, machine = COMMAND(s), MACHINE(s)
    if c.kind[i] != do.PLACE_ORDER and c.kind[i] != do.CANCEL_ORDER:
        return False
    account, market, row = c.account[i], c.market[i], c.order[i] & _ROW_MASK
    return 0 < account <= machine.accounts[0] and 0 <= market <= machine.markets[0] and row < len(ORDER(s))


@leaf
def fetch_side(s, leg):
    """What a fill touches on one side."""
    account = LEG(s).account[leg]
    AHEAD_ACCOUNT(s, account)
    AHEAD_LEG(s, account)


@leaf
def fetch_order(s, row):
    AHEAD_ORDER(s, row)
    AHEAD_NOTE(s, row)


@leaf
def fetch_leg(s, leg):
    AHEAD_LEG(s, leg)
    AHEAD_LEG_OPEN(s, leg)


@kernel
def fetch_ahead(s, i):
    """Ask for what the commands after this one will need."""
    c, rows = COMMAND(s), len(COMMAND(s))
    j = i + FAR_AHEAD
    if j < rows and is_plausible(s, j):
        AHEAD_ACCOUNT(s, c.account[j])
        if c.kind[j] == do.PLACE_ORDER:
            AHEAD_LEG_SLOT(s, first_slot(s, c.account[j], c.market[j]))
            AHEAD_LEG(s, c.account[j])
        else:
            fetch_order(s, c.order[j] & _ROW_MASK)
    j = i + AHEAD
    if j < rows and is_plausible(s, j):
        AHEAD_OWNER_RULE(s, ACCOUNT(s).owner[c.account[j]])
        if c.kind[j] == do.PLACE_ORDER:
            fetch_leg(s, LEG_SLOT(s)[first_slot(s, c.account[j], c.market[j])])
            table, market = MARKET(s), c.market[j]
            best = table.best_bid[market] if c.side[j] == SELL else table.best_ask[market]
            if 0 < c.price[j] < (1 << 24) and market > 0:
                AHEAD_LADDER(s, table.ladder[market] + c.price[j])
            if best:
                fetch_order(s, LADDER(s).head[table.ladder[market] + best])
        else:
            row = c.order[j] & _ROW_MASK
            order = ORDER(s)
            fetch_leg(s, order.leg[row])
            AHEAD_ORDER(s, order.next[row])
            AHEAD_ORDER(s, order.prev[row])
            AHEAD_ORDER(s, order.next_of_leg[row])
            AHEAD_ORDER(s, order.prev_of_leg[row])
    j = i + NEAR_AHEAD
    if j < rows and c.kind[j] == do.PLACE_ORDER and is_plausible(s, j):
        table, market = MARKET(s), c.market[j]
        best = table.best_bid[market] if c.side[j] == SELL else table.best_ask[market]
        if best:
            fetch_leg(s, ORDER(s).leg[LADDER(s).head[table.ladder[market] + best]])
    j = i + 2
    if j < rows and c.kind[j] == do.PLACE_ORDER and is_plausible(s, j):
        table, market = MARKET(s), c.market[j]
        best = table.best_bid[market] if c.side[j] == SELL else table.best_ask[market]
        if best:
            fetch_side(s, ORDER(s).leg[LADDER(s).head[table.ladder[market] + best]])
    return 0
