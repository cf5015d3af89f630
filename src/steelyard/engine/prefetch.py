"""Fetching rows before they are needed: the difference between waiting for memory and working.

A batch lets the machine see what comes. In steps it asks for the rows that an order will touch, each step using what
the one before brought in. These are hints: they read, they change nothing, and rows that are nonsense (the commands
ahead are not checked yet) are not followed.
"""

from steelyard.engine.book import best_against, crosses
from steelyard.model import commands as do
from steelyard.model.orders import LIMIT
from steelyard.num import leaf
from steelyard.num.limits import PRICE_TICKS_MAX
from steelyard.num.wide import mix
from steelyard.state.tables import (
    ACCOUNT,
    AHEAD_ACCOUNT,
    AHEAD_COMMAND,
    AHEAD_LADDER,
    AHEAD_LEG,
    AHEAD_LEG_OPEN,
    AHEAD_LEG_SLOT,
    AHEAD_ORDER,
    COMMAND,
    LADDER,
    LEG,
    LEG_SLOT,
    MACHINE,
    MARKET,
    MARKET_0,
    ORDER,
    SCRATCH,
    SLOT_ROW_MASK,
    SWEEP_BLOCK,
)

# Commands ahead: of their own rows, of what they name, and of what that names. More steps, down to the account that
# an order will meet, cost more than they brought: the book has changed by then.
READ_AHEAD, ROWS_AHEAD, LEGS_AHEAD = 32, 12, 8
_ROW_MASK = (1 << 24) - 1


@leaf
def first_slot(s, account, market):
    return mix(account, MARKET_0 + market) & (len(LEG_SLOT(s)) - 1)


@leaf
def is_plausible(s, i):
    """Whether a command ahead is an order or a cancel that names rows that exist."""
    c, machine = COMMAND(s), MACHINE(s)
    if c.kind[i] != do.PLACE_ORDER and c.kind[i] != do.CANCEL_ORDER:
        return False
    account, market, row = c.account[i], c.market[i], c.order[i] & _ROW_MASK
    return 0 < account <= machine.accounts[0] and 0 <= market <= machine.markets[0] and row < len(ORDER(s))


@leaf
def first_met(s, i):
    """The resting order that the order of a command ahead would meet now, or 0."""
    c, table, market = COMMAND(s), MARKET(s), COMMAND(s).market[i]
    best = best_against(s, market, c.side[i])
    if best == 0 or (c.order_type[i] == LIMIT and not crosses(c.price[i], best, c.side[i])):
        return 0
    return LADDER(s).head[table.ladder[market] + best]


@leaf
def fetch_leg(s, leg):
    AHEAD_LEG(s, leg)
    AHEAD_LEG_OPEN(s, leg)


@leaf
def fetch_rows(s, i):
    """What is known from the command alone."""
    c = COMMAND(s)
    account = c.account[i]
    AHEAD_ACCOUNT(s, account)
    if c.kind[i] == do.PLACE_ORDER:
        AHEAD_LEG_SLOT(s, first_slot(s, account, c.market[i]))
    else:
        AHEAD_ORDER(s, c.order[i] & _ROW_MASK)
    return 0


@leaf
def fetch_legs(s, i):
    """What those rows name."""
    c, table = COMMAND(s), ACCOUNT(s)
    if c.kind[i] == do.PLACE_ORDER:
        if table.open_epoch[c.account[i]] != MACHINE(s).open_epoch[0]:
            AHEAD_LEG(s, table.first_leg[c.account[i]])  # its slack will be worked out
        fetch_leg(s, LEG_SLOT(s)[first_slot(s, c.account[i], c.market[i])] & SLOT_ROW_MASK)
        if 0 < c.price[i] < PRICE_TICKS_MAX and c.market[i]:
            AHEAD_LADDER(s, MARKET(s).ladder[c.market[i]] + c.price[i])
        met = first_met(s, i)
        if met:
            AHEAD_ORDER(s, met)
            AHEAD_LEG(s, c.account[i])  # it will trade, which moves its cash
        return 0
    row, order = c.order[i] & _ROW_MASK, ORDER(s)
    fetch_leg(s, order.leg[row])
    AHEAD_ORDER(s, order.next[row])
    AHEAD_ORDER(s, order.prev[row])
    AHEAD_ORDER(s, order.next_of_leg[row])
    AHEAD_ORDER(s, order.prev_of_leg[row])
    return 0


@leaf
def fetch_next_met(s, market, side):
    """An order was filled: whoever is met next is now the first of its level, then the second and the third."""
    order, best = ORDER(s), best_against(s, market, side)
    head = LADDER(s).head[MARKET(s).ladder[market] + best]
    account = LEG(s).account[order.leg[head]]
    AHEAD_ACCOUNT(s, account)
    AHEAD_LEG(s, account)  # its cash
    second = order.next[head]
    fetch_leg(s, order.leg[second])
    AHEAD_ORDER(s, order.next[second])


@leaf
def fetch_ahead(s, i, blocked):
    """Ask for what the commands after this one will need; the last row seen so far that is not to be followed."""
    AHEAD_COMMAND(s, i + READ_AHEAD)
    if i + ROWS_AHEAD < len(COMMAND(s)):
        if is_plausible(s, i + ROWS_AHEAD):
            fetch_rows(s, i + ROWS_AHEAD)
        else:
            blocked = i + ROWS_AHEAD
        if i + LEGS_AHEAD > blocked:
            fetch_legs(s, i + LEGS_AHEAD)
    return blocked


@leaf
def fetch_accounts(s, first, end, lane):
    """Ask for all legs of these accounts, at most a block, in rounds: each leg names the next.

    They wait for memory together then, instead of one leg after the other.
    """
    leg, table, cursors = LEG(s), ACCOUNT(s), SCRATCH(s)
    place = len(cursors) - (lane + 1) * SWEEP_BLOCK - first
    for account in range(first, end):
        row = table.first_leg[account]
        AHEAD_LEG(s, row)
        cursors[place + account] = row
    more = 1
    while more:
        more = 0
        for account in range(first, end):
            row = leg.next_of_account[cursors[place + account]]
            AHEAD_LEG(s, row)
            cursors[place + account] = row
            more |= row
    return 0
