"""Conditional orders: who is reached by a price, and their turns."""

from steelyard.engine.alarms import DRIVER_MARK, market_driver, ring, trigger_order
from steelyard.engine.book import priority_of
from steelyard.engine.heap import TRIGGERS, heap_key, heap_length, heap_pop, heap_target
from steelyard.engine.orders import trailing_remove
from steelyard.engine.placing import run_triggered
from steelyard.model.orders import ON_LAST, TRIGGERED
from steelyard.num import far, kernel
from steelyard.num.rounding import ppm_up
from steelyard.state.tables import MACHINE, MARKET, NOTE, ORDER, PENDING


@kernel
def follow(s, market, trigger_on, price):
    """Move the trailing stops that watch this price; those it has fallen back to fire."""
    note, order = NOTE(s), ORDER(s)
    row = MARKET(s).trailing[market]
    while row:
        after = note.next_trailing[row]
        if note.trigger_on[row] == trigger_on:
            selling = order.side[row] < 0
            if note.best[row] == 0:
                reached = price >= note.trigger[row] if selling else price <= note.trigger[row]
                if reached:
                    note.best[row] = price
            elif selling:
                note.best[row] = max(note.best[row], price)
            else:
                note.best[row] = min(note.best[row], price)
            best = note.best[row]
            back = ppm_up(best, note.callback[row])
            if best != 0 and (price <= best - back if selling else price >= best + back):
                trailing_remove(s, market, row)
                trigger_order(s, row)
        row = after
    return 0


@far
def show_price(s, market, trigger_on, price):
    """A price was set: ring the stops that watch it."""
    if price > 0:
        ring(s, market_driver(market, DRIVER_MARK + trigger_on), price)
        if MARKET(s).trailing[market]:
            follow(s, market, trigger_on, price)
    return 0


@kernel
def show_last_prices(s):
    """Trades of this command may have reached stops that watch the last price."""
    machine, table, pending = MACHINE(s), MARKET(s), PENDING(s)
    for place in range(machine.pending[0]):
        market = pending[place]
        table.pending[market] = 0
        show_price(s, market, ON_LAST, table.last[market])
    machine.pending[0] = 0
    return 0


@far
def run_next_triggered(s):
    """Give the oldest triggered order its turn; 0 if there is none."""
    order = ORDER(s)
    while heap_length(s, TRIGGERS):
        priority, row = heap_key(s, TRIGGERS), heap_target(s, TRIGGERS)
        heap_pop(s, TRIGGERS)
        if order.state[row] == TRIGGERED and priority_of(s, row) == priority:
            run_triggered(s, row)
            return 1
    return 0
