"""The position part of M by scenarios. See docs/concepts/requirements.md."""

from collections import defaultdict

from steelyard.model.keys import (
    M_GROUP,
    M_KIND,
    M_RESTORE_PPM,
    M_SETTLE,
    M_TAKEOVER_PPM,
    O_MARGIN,
    S_BASIS,
    S_IS_SET,
    S_OPEN_PPM,
    S_SHORT,
    S_VALUE,
)
from steelyard.model.orders import FOR_LEAVING, FOR_MAINTAIN, FOR_OPEN, FOR_REDUCE, FOR_RESTORE, FOR_TAKEOVER, SPOT
from steelyard.num.limits import PPM, SCENARIOS
from steelyard.state.tables import MARKET_0
from tests.reference.numbers import charge, down, part_up, up, value

OPENING = (FOR_OPEN, FOR_REDUCE, FOR_LEAVING)


def scans(twin, account):
    """Whether an account is margined by scenarios."""
    return bool(twin.owners[twin.accounts[account].owner][O_MARGIN])


def has_array(twin, market):
    return bool(twin.arrays[market.row][S_IS_SET])


def part(twin, legs, question, order=None):
    """0 for an account that is not margined so."""
    held = {}
    for thing, leg in legs.items():
        if thing > MARKET_0 and twin.markets[thing - MARKET_0].rule[M_KIND] != SPOT:
            if not scans(twin, leg.account):
                return 0
            held[thing - MARKET_0] = ends(twin, leg, order) if question in OPENING else (leg.quantity, leg.quantity)
    counted = [market for market in held if is_held(twin, legs[MARKET_0 + market], order)]
    groups = defaultdict(list)
    for market in held:
        groups[twin.markets[market].rule[M_GROUP] or -market].append(market)
    total = sum(group(twin, {market: held[market] for market in markets}) for markets in groups.values())
    rules = [twin.markets[market].rule for market in counted]
    if question == FOR_MAINTAIN:
        return total
    if question == FOR_TAKEOVER:
        return part_up(total, min([PPM, *(rule[M_TAKEOVER_PPM] for rule in rules)]))
    if question == FOR_RESTORE:
        return part_up(total, max([PPM, *(rule[M_RESTORE_PPM] for rule in rules)]))
    return part_up(total, max([PPM, *(twin.arrays[market][S_OPEN_PPM] for market in counted)]))


def ends(twin, leg, order):
    """(fewest, most) lots if the orders of one side are filled, this one's among them."""
    bids, asks, _, _ = twin.resting_lots(leg)
    if order is not None and order.market + MARKET_0 == leg.thing:
        bids, asks = (bids + order.remaining, asks) if order.side > 0 else (bids, asks + order.remaining)
    return leg.quantity - asks, leg.quantity + bids


def is_held(twin, leg, order):
    return leg.quantity != 0 or ends(twin, leg, None) != (0, 0) or (order and order.market + MARKET_0 == leg.thing)


def price_of(twin, market):
    return twin.assets[twin.markets[market].rule[M_SETTLE]].price


def change(twin, market, lots, scenario):
    return value(down(lots * twin.arrays[market][S_VALUE + scenario], PPM), price_of(twin, market))


def cost(twin, market, lots, per_lot):
    return charge(up(lots * per_lot, PPM), price_of(twin, market))


def group(twin, held):
    """`held` is {market: (fewest, most lots)}."""
    sums = [
        sum(min(change(twin, market, lots, scenario) for lots in both) for market, both in held.items())
        for scenario in range(SCENARIOS)
    ]
    sides = [
        sum(
            max(0, *(cost(twin, market, lots, sign * twin.arrays[market][S_BASIS]) for lots in both))
            for market, both in held.items()
        )
        for sign in (1, -1)
    ]
    shorts = sum(cost(twin, market, max(0, -low), twin.arrays[market][S_SHORT]) for market, (low, _) in held.items())
    return max(0, -min(sums)) + min(sides) + shorts


def alone(twin, market, lots):
    """The weight of so many lots."""
    if not lots:
        return 0
    loss = max(0, *(-change(twin, market.row, lots, scenario) for scenario in range(SCENARIOS)))
    return max(1, loss + cost(twin, market.row, max(0, -lots), twin.arrays[market.row][S_SHORT]))


def atoms_alone(twin, market, lots):
    """What a position in a market that its array decides about requires, in atoms."""
    if not lots:
        return 0
    array = twin.arrays[market.row]
    gains = [down(lots * array[S_VALUE + scenario], PPM) for scenario in range(SCENARIOS)]
    return max(1, max(0, -min(gains)) + up(max(0, -lots) * array[S_SHORT], PPM))
