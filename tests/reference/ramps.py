"""Parameters that tighten come in steps. See docs/concepts/ramps.md."""

from steelyard.model import events, reject
from steelyard.model.commands import ASSET, MARKET
from steelyard.model.keys import (
    A_BORROW_WEIGHT_PPM,
    A_LOAN_CAP,
    A_RAMP_NS,
    A_TIER_MAINTAIN_PPM,
    A_TIER_UPPER,
    A_TIERS,
    M_BRACKET_MAINTAIN_PPM,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_DEDUCT_MAINTAIN,
    M_RAMP_NS,
    M_SIZE_MAINTAIN_PPM,
    R_FROM,
    R_NEXT_NS,
    R_STARTED_NS,
    R_TO,
    R_UNTIL_NS,
    RAMP_WIDTH,
    SECOND,
)
from steelyard.num.limits import BRACKETS_MAX, COLLATERAL_TIERS_MAX, PPM, TIME_NS_MAX
from tests.reference.health import bracket_requirement
from tests.reference.numbers import down, part_up, up
from tests.reference.rows import Ramp

ROUNDINGS = 2

STEPS = {
    MARKET: range(M_BRACKET_MAINTAIN_PPM, M_BRACKET_MAINTAIN_PPM + BRACKETS_MAX),
    ASSET: range(A_TIER_MAINTAIN_PPM, A_TIER_MAINTAIN_PPM + COLLATERAL_TIERS_MAX),
}
SIZES = range(M_SIZE_MAINTAIN_PPM, M_SIZE_MAINTAIN_PPM + 3)
RAMPED = {MARKET: [*STEPS[MARKET], *SIZES], ASSET: [*STEPS[ASSET], A_BORROW_WEIGHT_PPM, A_LOAN_CAP]}
TIME = {MARKET: M_RAMP_NS, ASSET: A_RAMP_NS}
ENDS = {MARKET: (M_BRACKETS, M_BRACKET_UPPER), ASSET: (A_TIERS, A_TIER_UPPER)}


def columns(kind, ramp):
    """A row of the machine's table of ramps."""
    found = dict.fromkeys(range(RAMP_WIDTH), 0)
    if ramp.until:
        found |= {R_STARTED_NS: ramp.started, R_UNTIL_NS: ramp.until, R_NEXT_NS: ramp.next}
        for place, key in enumerate(RAMPED[kind]):
            found[R_FROM + place], found[R_TO + place] = ramp.ways[key]
    return found


def tightens(kind, key, before, after):
    rises = kind == MARKET or key == A_BORROW_WEIGHT_PPM
    return after > before if rises else after < before


def wanted_rule(kind, rule, ramp):
    """The rule with everything arrived where it was sent."""
    return [ramp.ways[key][1] if key in ramp.ways else value for key, value in enumerate(rule)]


def ends_of(kind, rule):
    number, upper = ENDS[kind]
    return rule[upper : upper + rule[number]]


def haircut(rule, amount):
    total, below = 0, 0
    for i in range(rule[A_TIERS]):
        part = max(0, min(amount, rule[A_TIER_UPPER + i]) - below)
        total += part_up(part, PPM - rule[A_TIER_MAINTAIN_PPM + i])
        below += part
    return total + amount - below


def required(kind, rule, size):
    if kind == ASSET:
        return haircut(rule, size)
    return bracket_requirement(rule, size, M_BRACKET_MAINTAIN_PPM, M_DEDUCT_MAINTAIN)


def asks_for_more(kind, before, after):
    """Somewhere, by steps that differ."""
    if any(
        required(kind, after, size) > required(kind, before, size) + ROUNDINGS
        for size in (*ends_of(kind, before), *ends_of(kind, after))
    ):
        return True
    first = STEPS[kind][0]
    if tightens(kind, first, before[first], after[first]):
        return True
    last_before, last_after = before[M_BRACKETS] - 1, after[M_BRACKETS] - 1
    return kind == MARKET and after[first + last_after] > before[first + last_before]


def hold_back(twin, kind, before, wanted):
    """What holds at once of a rule that was asked for, and the ways of the rest; None if nothing ramps."""
    changed = ends_of(kind, before) != ends_of(kind, wanted)
    if changed:
        twin.require(not asks_for_more(kind, before, wanted), reject.STEPS_CANNOT_RAMP)
    at_once, ramps = list(wanted), False
    for key in RAMPED[kind]:
        if tightens(kind, key, before[key], wanted[key]) and not (changed and key in STEPS[kind]):
            at_once[key], ramps = before[key], True
    ways = {key: (at_once[key], wanted[key]) for key in RAMPED[kind]}
    return at_once, ways if ramps else None


def begin(twin, kind, held, ways):
    """`held` is the asset or the market whose rule was just written."""
    held.ramp = Ramp()
    if ways is not None:
        until = twin.now + min(held.rule[TIME[kind]], TIME_NS_MAX - twin.now)
        held.ramp = Ramp(twin.now, until, 0, ways)
        plan(twin, held.ramp)


def plan(twin, ramp):
    step = up(ramp.until - ramp.started, 60 * SECOND) * SECOND
    ramp.next = min(ramp.until, twin.now + step)


def step(twin, kind, row, compute_deductions):
    """A step fell due."""
    held = (twin.assets if kind == ASSET else twin.markets)[row]
    ramp, rule = held.ramp, list(held.rule)
    passed, whole = twin.now - ramp.started, ramp.until - ramp.started
    for key, (origin, target) in ramp.ways.items():
        way = down(abs(target - origin) * passed, whole)
        rule[key] = origin + way if target > origin else origin - way
    if kind == MARKET:
        compute_deductions(rule)
    elif rule[A_LOAN_CAP] < held.rule[A_LOAN_CAP]:
        twin.capping = 1
    held.rule = rule
    if twin.now >= ramp.until:
        held.ramp = Ramp()
    else:
        plan(twin, ramp)
    twin.emit(events.CONFIGURED, account=kind, market=row, extra=2)
