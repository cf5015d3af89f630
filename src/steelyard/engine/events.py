"""The one place that writes events."""

from steelyard.model.events import REJECTED
from steelyard.num import leaf
from steelyard.state.tables import EVENT, MACHINE


@leaf
def say(s, kind, account, market, side, order, other, price, lots, amount, fee, extra, extra2, reason, flags):
    event, machine = EVENT(s), MACHINE(s)
    n = machine.events[0]
    machine.events[0] = n + 1
    event.seq[n] = machine.seq[0]
    event.kind[n] = kind
    event.reason[n] = reason
    event.side[n] = side
    event.options[n] = flags
    event.spare[n] = 0
    event.market[n] = market
    event.account[n] = account
    event.order[n] = order
    event.other[n] = other
    event.price[n] = price
    event.lots[n] = lots
    event.amount[n] = amount
    event.fee[n] = fee
    event.extra[n] = extra
    event.extra2[n] = extra2
    return n


@leaf
def say_money(s, kind, account, market, amount, other):
    """An event about an amount of one account."""
    return say(s, kind, account, market, 0, 0, other, 0, 0, amount, 0, 0, 0, 0, 0)


@leaf
def reject(s, reason, account, market, order, command):
    say(s, REJECTED, account, market, 0, order, 0, 0, 0, 0, 0, command, 0, reason, 0)
    return reason
