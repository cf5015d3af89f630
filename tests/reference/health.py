"""Equity and requirement of an account, leg by leg. See docs/concepts/legs-and-health.md.

`legs` is always {thing: leg}: an account's own, or a changed copy of them to ask "what if".
"""

from dataclasses import replace
from math import isqrt

from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_TARGET_PPM,
    A_TIER_MAINTAIN_PPM,
    A_TIER_OPEN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_OPEN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_BY_ARRAY,
    M_CLOSING_PPM,
    M_DEDUCT_MAINTAIN,
    M_DEDUCT_OPEN,
    M_LEVERAGE_DEFAULT,
    M_RESTORE_PPM,
    M_SETTLE,
    M_SIZE_MAINTAIN_PPM,
    M_SIZE_OPEN_PPM,
    M_TAKEOVER_PPM,
    S_OPEN_PPM,
    T_LEVERAGE_MAX,
)
from steelyard.model.orders import (
    FOR_LEAVING,
    FOR_MAINTAIN,
    FOR_OPEN,
    FOR_REDUCE,
    FOR_RESTORE,
    FOR_TAKEOVER,
    TO_OPEN,
    TO_WITHDRAW,
)
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference import excess, pairs, scenarios
from tests.reference.interest import cash_now
from tests.reference.numbers import charge, clamp, down, funding_owed, part_up, up, value, worth

HEALTH_MAX = 1 << 60


def equity(twin, legs):
    return sum(leg_equity(twin, leg) for leg in legs.values() if leg.quantity)


def requirement(twin, legs, question, order=None):
    """M; in question *open*, `order` counts as if it rested already."""
    of_pairs, of_excess = 0, 0
    if question in (FOR_OPEN, FOR_REDUCE, FOR_LEAVING):
        of_pairs = pairs.open_requirement(twin, legs, order)
        of_excess = excess.part(twin, legs, question, order)
    of_scan = scenarios.part(twin, legs, question, order)
    return of_pairs + of_excess + of_scan + sum(leg_requirement(twin, leg, question, order) for leg in legs.values())


def position_requirement(twin, legs):
    """The position part of M(maintain)."""
    of_legs = sum(leg_requirement(twin, leg, FOR_MAINTAIN) for thing, leg in legs.items() if thing > MARKET_0)
    return of_legs + scenarios.part(twin, legs, FOR_MAINTAIN)


def health_of(twin, account):
    """E / M(maintain) in ppm."""
    legs = twin.legs_of(account)
    worth, maintain = equity(twin, legs), requirement(twin, legs, FOR_MAINTAIN)
    if not maintain:
        return -HEALTH_MAX if worth < 0 else HEALTH_MAX
    return clamp(down(worth * PPM, maintain), -HEALTH_MAX, HEALTH_MAX)


def is_healthy(twin, legs):
    return equity(twin, legs) >= requirement(twin, legs, FOR_MAINTAIN)


def may_open(twin, legs, order=None):
    return equity(twin, legs) >= requirement(twin, legs, FOR_OPEN, order)


def may_leave(twin, legs):
    return equity(twin, legs) >= requirement(twin, legs, FOR_LEAVING)


def holds_nothing_risky(legs):
    """Only cash in the unit of account, and no debt: nothing to judge."""
    return all(not leg.quantity or (leg.thing == 1 and leg.quantity > 0) for leg in legs.values())


def leg_equity(twin, leg):
    if leg.thing < MARKET_0:
        return value(cash_now(twin, leg), twin.assets[leg.thing].price)
    market = twin.markets[leg.thing - MARKET_0]
    return value(equity_atoms(market, leg), twin.assets[market.rule[M_SETTLE]].price)


def equity_atoms(market, leg):
    owed, _ = funding_owed(market.rule, leg.quantity, market.funding_index, leg.index_at_touch)
    return worth(market.rule, leg.quantity, market.mark) - leg.cost - owed


def leg_requirement(twin, leg, question, order=None):
    if leg.thing < MARKET_0:
        return cash_requirement(twin, leg, question) if leg.quantity else 0
    market = twin.markets[leg.thing - MARKET_0]
    if pairs.is_pair(market):
        return 0  # its orders are looked at together
    if question in (FOR_OPEN, FOR_REDUCE, FOR_LEAVING):
        return open_requirement(twin, market, leg, order, question)
    if not leg.quantity or scenarios.scans(twin, leg.account):
        return 0
    return kept_requirement(twin, market, leg.quantity, question)


def cash_requirement(twin, leg, question):
    """Counted at mid; in the questions that count low and high, E at mid needs the difference as well."""
    asset = twin.assets[leg.thing]
    atoms, price = cash_now(twin, leg), asset.price
    if question in (FOR_OPEN, FOR_LEAVING):
        price += asset.above if atoms < 0 else -asset.below
    return value(atoms, asset.price) - value(atoms, price) + weighed_at(twin, leg, price, question)


def weighed_at(twin, leg, price, question):
    """The haircut or surcharge at a price."""
    asset, rule = twin.assets[leg.thing], twin.assets[leg.thing].rule
    if leg.quantity < 0:
        weights = (rule[A_BORROW_WEIGHT_PPM], rule[A_TARGET_PPM] if question == FOR_RESTORE else 0)
        return part_up(charge(-cash_now(twin, leg), price), max(weights) - PPM)
    action = {FOR_OPEN: TO_OPEN, FOR_LEAVING: TO_WITHDRAW}.get(question)
    if action is not None and not twin.is_good(asset, action):
        return value(leg.quantity, price)
    weights = A_TIER_OPEN_PPM if question in (FOR_OPEN, FOR_REDUCE, FOR_LEAVING) else A_TIER_MAINTAIN_PPM
    total, below = 0, 0
    for tier in range(rule[A_TIERS]):
        part = min(leg.quantity, rule[A_TIER_UPPER + tier]) - below
        if part <= 0:
            break
        total += part_up(charge(part, price), PPM - rule[weights + tier])
        below += part
    total += charge(leg.quantity - below, price)
    return min(total, value(leg.quantity, price))  # never more than it is worth


def bracket_requirement(rule, notional, rates, deductions):
    """B(N) of one schedule."""
    i = 0
    while i + 1 < rule[M_BRACKETS] and notional > rule[M_BRACKET_UPPER + i]:
        i += 1
    return part_up(notional, rule[rates + i]) - rule[deductions + i]


def size_requirement(rule, keys, lots, notional):
    """What the rate of so many lots asks for: the larger of a straight line and a root, at most all of it."""
    base, slope, square = rule[keys : keys + 3]
    square *= abs(lots)
    root = isqrt(square - 1) + 1 if square else 0
    rate = max(base * 10**6 + slope * abs(lots), root * 10**3)
    return up(notional * min(rate, 10**12), 10**12)


def kept_atoms(twin, market, quantity):
    """What so many lots require at the mark, in atoms."""
    rule = market.rule
    notional = abs(worth(rule, quantity, market.mark))
    atoms = bracket_requirement(rule, notional, M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN)
    atoms = max(atoms, size_requirement(rule, M_SIZE_MAINTAIN_PPM, quantity, notional))
    return scenarios.atoms_alone(twin, market, quantity) if rule[M_BY_ARRAY] else atoms


def kept_requirement(twin, market, quantity, question):
    """maintain, restore or takeover of so many lots at the mark."""
    rule, atoms = market.rule, kept_atoms(twin, market, quantity)
    if question == FOR_RESTORE:
        atoms = part_up(atoms, rule[M_RESTORE_PPM])
    elif question == FOR_TAKEOVER:
        atoms = part_up(atoms, rule[M_TAKEOVER_PPM])
    return charge(atoms, twin.assets[rule[M_SETTLE]].price)


def leverage_of(twin, market, leg):
    tier = twin.tiers[twin.risk_tier_of(leg.account)]
    return min(leg.leverage or market.rule[M_LEVERAGE_DEFAULT], tier[T_LEVERAGE_MAX])


def open_requirement(twin, market, leg, order=None, question=FOR_OPEN):
    """The worse of all bids or all asks filled, and what those orders may lose on the way."""
    bids, asks, bid_reserve, ask_reserve = twin.resting_lots(leg)
    if order is not None and order.market == market.row:
        if order.side > 0:
            bids, bid_reserve = bids + order.remaining, bid_reserve + order.remaining * order.reserve
        else:
            asks, ask_reserve = asks + order.remaining, ask_reserve + order.remaining * order.reserve
    if not (leg.quantity or bids or asks):
        return 0
    leverage = leverage_of(twin, market, leg)
    asset, wide = twin.assets[market.rule[M_SETTLE]], question != FOR_REDUCE
    if scenarios.scans(twin, leg.account):
        needed = max(bid_reserve, ask_reserve)
        if wide:
            needed += max(lost_at_worse_end(market, lots) for lots in (leg.quantity + bids, leg.quantity - asks))
    else:
        needed = max(
            open_base(twin, market, leg.quantity + bids, leverage, wide) + bid_reserve,
            open_base(twin, market, leg.quantity - asks, leverage, wide) + ask_reserve,
        )
    if not wide:
        return charge(needed, asset.price)
    atoms = equity_atoms(market, leg)
    worse = asset.price - asset.below if atoms > 0 else asset.price + asset.above
    return charge(needed, asset.price + asset.above) + value(atoms, asset.price) - value(atoms, worse)


def open_base(twin, market, lots, leverage, wide):
    rule = market.rule
    notional = abs(worth(rule, lots, market.mark))
    base = max(bracket_requirement(rule, notional, M_BRACKET_OPEN_PPM, M_DEDUCT_OPEN), up(notional, leverage))
    base = max(base, size_requirement(rule, M_SIZE_OPEN_PPM, lots, notional))
    if rule[M_BY_ARRAY]:
        base = part_up(scenarios.atoms_alone(twin, market, lots), twin.arrays[market.row][S_OPEN_PPM])
    if notional > base:
        base += part_up(notional - base, market.oi_scale_ppm)
    then = max(0, notional - base) if lots > 0 else notional + base
    base = min(base + part_up(then, rule[M_CLOSING_PPM]), max(base, notional))
    return base + lost_at_worse_end(market, lots) if wide else base


def lost_at_worse_end(market, lots):
    """Of what the index may be."""
    worse = market.index - market.below if lots > 0 else market.index + market.above
    return worth(market.rule, lots, market.index) - worth(market.rule, lots, worse)


def parts_of_change(twin, legs, market, quantity_after):
    """What of M(maintain) changes with a position: before and after."""
    leg = legs.get(market.thing)
    if leg is not None and scenarios.scans(twin, leg.account):
        changed = {**legs, market.thing: replace(leg, quantity=quantity_after)}
        return scenarios.part(twin, legs, FOR_MAINTAIN), scenarios.part(twin, changed, FOR_MAINTAIN)
    sizes = (leg.quantity if leg else 0, quantity_after)
    before, after = (kept_requirement(twin, market, size, FOR_MAINTAIN) if size else 0 for size in sizes)
    return before, after


def gained(market, quantity, lots, cost):
    """What E of so many lots gains, in atoms, by taking signed lots for this cost."""
    return worth(market.rule, quantity + lots, market.mark) - worth(market.rule, quantity, market.mark) - cost


def leaves_no_weaker(twin, legs, market, quantity_after, atoms_gained):
    """The weak rule: less requirement, and no less health, with the fee set aside."""
    part_before, part_after = parts_of_change(twin, legs, market, quantity_after)
    before = requirement(twin, legs, FOR_MAINTAIN)
    after = before - part_before + part_after
    equity_before = equity(twin, legs)
    equity_after = equity_before + value(atoms_gained, twin.assets[market.rule[M_SETTLE]].price)
    if part_after > part_before or after >= before:
        return False
    if equity_before >= 0:
        return equity_after * before >= equity_before * after
    return equity_after >= equity_before
