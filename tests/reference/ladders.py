"""Ladders of offer curves, and how long they stand. See docs/concepts/offers.md."""

from fractions import Fraction
from math import ceil, floor

from steelyard.model.keys import (
    A_DUST,
    A_FROZEN,
    A_ISSUES,
    A_OFFER,
    A_POOL_GAINS,
    A_POOL_OF,
    A_SUPPLY_MAX,
    A_TIER_MAINTAIN_PPM,
    A_TIERS,
    C_DEBT,
    C_ELSE,
    C_FEE_PPM,
    C_FROM,
    C_GIVES,
    C_LASTS_NS,
    C_OF,
    C_PART,
    C_POINT,
    C_SIZE,
    C_TAKER,
    C_THEN,
    C_TO,
    SECOND,
)
from steelyard.model.orders import OWES
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference.health import equity
from tests.reference.numbers import clamp, value

HEALTH, COVER, LTV, TIME, VOLATILITY = range(5)
BONUS, PRICE = 0, 1
RESTORE, ALL, WHOLE = 0, 1, 2
BIDDERS, POOL, BOOK, BORROWERS = 0, 1, 2, 3
LAST_POINT = 32


# --- Curves -----------------------------------------------------------------------------------------------------------


def points(rule):
    return rule[C_POINT : C_POINT + LAST_POINT + 1]


def curve_at(rule, x):
    """A straight line between points, rounded for the account: a bonus down, a price up."""
    first, last, y = rule[C_FROM], rule[C_TO], points(rule)
    exact = Fraction(LAST_POINT * (x - first), last - first)
    if exact <= 0:
        return y[0]
    if exact >= LAST_POINT:
        return y[LAST_POINT]
    i = floor(exact)
    between = y[i] + (y[i + 1] - y[i]) * (exact - i)
    return floor(between) if rule[C_GIVES] == BONUS else ceil(between)


def check_curve(twin, rule, row):
    """The key that makes no sense, or None."""
    y = points(rule)
    if rule[C_TO] <= rule[C_FROM]:
        return C_TO
    if rule[C_OF] == TIME and rule[C_FROM] < 0:
        return C_FROM
    for i, each in enumerate(y):
        if rule[C_GIVES] == BONUS and each > 20 * PPM:
            return C_POINT + i
        if i and rule[C_OF] != VOLATILITY and each != y[i - 1]:
            generous = (each > y[i - 1]) == (rule[C_GIVES] == BONUS)  # the later point gives the bidder more
            if generous != (rule[C_OF] in (LTV, TIME)):
                return C_POINT + i
    pool, book = rule[C_TAKER] in (POOL, BORROWERS), rule[C_TAKER] == BOOK
    if pool and rule[C_OF] == TIME:
        return C_OF
    if rule[C_SIZE] == WHOLE and not pool:
        return C_SIZE
    if rule[C_TAKER] == BORROWERS and rule[C_SIZE] != WHOLE:
        return C_SIZE
    if (pool and rule[C_LASTS_NS]) or (book and not rule[C_LASTS_NS]):
        return C_LASTS_NS
    for key in (C_FEE_PPM, C_PART):
        if book and rule[key]:
            return key
    if rule[C_DEBT] and rule[C_DEBT] not in twin.assets:
        return C_DEBT
    if rule[C_ELSE] and (rule[C_ELSE] >= row or not rule[C_DEBT]):
        return C_ELSE
    timeless = not rule[C_LASTS_NS] and not pool
    if rule[C_THEN] and (rule[C_THEN] > row or timeless or (pool and rule[C_THEN] == row)):
        return C_THEN
    part = rule[C_PART]
    if part and (part >= row or (twin.curves[part][C_OF], twin.curves[part][C_GIVES]) != (rule[C_OF], BONUS)):
        return C_PART
    return None


def ladder(twin, curve):
    """A step and those that follow it."""
    steps = []
    while curve and curve not in steps:
        steps.append(curve)
        curve = twin.curves[curve][C_THEN]
    return steps


def check_ladder(twin, rule):
    """A_OFFER if an asset's ladder is missing, or has a step that could not heal."""
    curve, weight = rule[A_OFFER], max(rule[A_TIER_MAINTAIN_PPM : A_TIER_MAINTAIN_PPM + rule[A_TIERS]])
    if curve and curve not in twin.curves:
        return A_OFFER
    while curve:
        for step in ladder(twin, curve):
            held = twin.curves[step]
            if held[C_SIZE] == RESTORE and not all(heals(held, y, weight) for y in points(held)):
                return A_OFFER
        curve = twin.curves[curve][C_ELSE]
    return None


def heals(rule, y, weight):
    """What is given for a debt counts for less than the debt."""
    if rule[C_GIVES] == BONUS:
        return (1 + Fraction(y, PPM)) * weight < PPM
    return y > 0 and Fraction(PPM, y) * weight < PPM


# --- Time and ladders -------------------------------------------------------------------------------------------------


def is_frozen(twin, asset):
    """A share is frozen with what is lent."""
    return twin.assets[twin.assets[asset].rule[A_POOL_OF] or asset].rule[A_FROZEN]


def active_time(twin, asset):
    held = twin.assets[twin.assets[asset].rule[A_POOL_OF] or asset]
    if held.rule[A_FROZEN]:
        return held.active_ns
    return held.active_ns + max(0, min(twin.now, held.fresh_until_ns) - held.active_at_ns)


def settle_active_time(twin, asset):
    twin.assets[asset].active_ns, twin.assets[asset].active_at_ns = active_time(twin, asset), twin.now


def begin(twin, row):
    for thing, leg in twin.legs_of(row).items():
        if thing < MARKET_0:
            leg.offered_from = active_time(twin, thing)


def forget(twin, row):
    for leg in twin.legs_of(row).values():
        leg.offered_from = 0
        if leg.thing < MARKET_0 and not twin.assets[leg.thing].rule[A_POOL_OF]:
            if not twin.assets[leg.thing].rule[A_POOL_GAINS]:
                leg.cost = 0


# --- Claims -----------------------------------------------------------------------------------------------------------


def room_to_issue(twin, claims):
    asset = twin.assets[claims]
    return asset.rule[A_SUPPLY_MAX] - (asset.deposited - asset.withdrawn)


def are_issued(twin, row, claims, debt):
    """The house sells claims for this debt."""
    leg = twin.leg_or_none(row, claims)
    if not leg or leg.quantity or twin.assets[debt].rule[A_ISSUES] != claims:
        return False
    return leg.cost == debt and twin.accounts[row].queued == OWES


def offer_claims(twin, row, debt):
    """Whether a step stands of an auction of claims, which begins if it has not yet."""
    claims = twin.assets[debt].rule[A_ISSUES]
    if not claims or not twin.assets[claims].price or not twin.has_room_for_legs(row, (claims,)):
        return False
    leg = twin.make_leg(row, claims)
    if leg.quantity or room_to_issue(twin, claims) <= 0:
        return False
    if leg.cost < debt:
        leg.cost, leg.offered_from = debt, active_time(twin, claims)
    return leg.cost == debt and standing_offer(twin, row, claims, debt) is not None


def standing_offer(twin, row, collateral, debt):
    """(step for bidders or the book, active time it has stood), or None."""
    return walk(twin, row, collateral, debt)[0]


def step_for(twin, taker, row, collateral, debt):
    """The last step that is a pool's, or the borrowers', among those reached, or None."""
    return walk(twin, row, collateral, debt)[1].get(taker)


def beginning(twin, collateral, debt):
    """The first row of the ladder for such a debt, or 0."""
    curve = twin.assets[collateral].rule[A_OFFER]
    while curve and twin.curves[curve][C_DEBT] not in (0, debt):
        curve = twin.curves[curve][C_ELSE]
    return curve


def walk(twin, row, collateral, debt):
    """(the standing offer, {taker: the last of its steps before it})"""
    passed = {}
    curve = beginning(twin, collateral, debt)
    legs = (twin.leg(row, collateral), twin.leg(row, debt))
    time = min(active_time(twin, leg.thing) - leg.offered_from for leg in legs)
    while curve:
        rule = twin.curves[curve]
        if rule[C_TAKER] in (POOL, BORROWERS):
            passed[rule[C_TAKER]] = curve
            curve = rule[C_THEN]
            continue
        if not rule[C_LASTS_NS] or time < rule[C_LASTS_NS]:
            return (curve, time), passed
        time -= rule[C_LASTS_NS]
        if rule[C_THEN] == curve:
            return (curve, time % rule[C_LASTS_NS]), passed
        curve = rule[C_THEN]
    return None, passed


def pairs(twin, row):
    """(collateral, debt) of everything held and everything owed."""
    amounts = {thing: leg.quantity for thing, leg in twin.legs_of(row).items() if thing < MARKET_0}
    return [
        (held, owed) for owed in sorted(amounts) if amounts[owed] < 0 for held in sorted(amounts) if amounts[held] > 0
    ]


def wait(twin, row):
    """How long an account whose offers stand is left alone, or None if none stands."""
    lasting = []
    legs = twin.legs_of(row)
    insolvent = equity(twin, legs) < 0
    for collateral, debt in pairs(twin, row):
        if insolvent and is_dust(twin, collateral, legs[collateral].quantity):
            continue  # it keeps no loss waiting
        offer = standing_offer(twin, row, collateral, debt)
        if offer:
            steps = ladder(twin, offer[0])
            steps = [step for step in steps if twin.curves[step][C_TAKER] in (BIDDERS, BOOK)]
            ends = twin.curves[steps[-1]]
            for_ever = not ends[C_LASTS_NS] or ends[C_THEN]
            left = sum(twin.curves[step][C_LASTS_NS] for step in steps) - offer[1]
            lasting.append(5 * SECOND if for_ever else left)
    return clamp(min(lasting), SECOND, 5 * SECOND) if lasting else None


def is_dust(twin, asset, quantity):
    return quantity > 0 and value(quantity, twin.assets[asset].price) < twin.assets[asset].rule[A_DUST]
