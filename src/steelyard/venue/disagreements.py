"""Refused parameters in words: which one, what it was, and what would do."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from steelyard.model import keys as K
from steelyard.model import reject as no
from steelyard.model.orders import FOR_BOOK, GIVES_BONUS, INVERSE, OF_TIME, TO_RESTORE
from steelyard.model.reject import Reject
from steelyard.num.limits import (
    BONUS_MAX,
    BRACKETS_MAX,
    COLLATERAL_TIERS_MAX,
    CURVE_POINTS,
    FEE_TIERS_MAX,
    LOT_WORTH_MAX,
    NOTICE_NS,
    NOTIONAL_MAX,
    PAYERS_MAX,
    PPM,
    SIZE_SCALE,
    YEAR_NS,
)
from steelyard.venue import formulas as F
from steelyard.venue.amounts import Step, clock_text, duration_text, trimmed
from steelyard.venue.parameters import (
    ARRAY_PARAMETERS,
    ASSET_PARAMETERS,
    CURVE_PARAMETERS,
    FEED_PARAMETERS,
    GIVES,
    MARKET_PARAMETERS,
    OWNER_PARAMETERS,
    TIER_PARAMETERS,
    VARIABLES,
    Grid,
    Parameter,
    key_name,
    rate,
)
from steelyard.venue.refusals import SENTENCES

Ranges = Mapping[tuple[int, int], tuple[int, int, int, bool]]
RANGES: list[tuple[dict[str, Parameter], Ranges]] = [
    (ASSET_PARAMETERS, K.ASSET_KEYS),
    (FEED_PARAMETERS, K.FEED_KEYS),
    (MARKET_PARAMETERS, K.MARKET_KEYS),
    (TIER_PARAMETERS, K.TIER_KEYS),
    (OWNER_PARAMETERS, K.OWNER_KEYS),
    (CURVE_PARAMETERS, K.CURVE_KEYS),
    (ARRAY_PARAMETERS, K.ARRAY_KEYS),
]
Values = Mapping[int, int]


def defaults(ranges: Ranges) -> dict[int, int]:
    """What a new row starts from."""
    return {key + place: default for (key, count), (_, _, default, _) in ranges.items() for place in range(count)}


def explain_refusal(
    label: str,
    table: dict[str, Parameter],
    grid: Grid,
    reason: Reject,
    key: int,
    asked: Values,
    before: Values,
    curves: Any = (),
) -> str:
    """`before` holds what the row has, or its defaults if it is new; `curves` are the rows that ladders are made of."""
    name = key_name(table, key)
    if reason == no.PARAMETER_OUT_OF_RANGE:
        low, high = _range(table, key)
        return (
            f"{label}: {name} {_text(table, grid, key, asked.get(key, 0))} is not within "
            f"{_text(table, grid, key, low)} to {_text(table, grid, key, high)}"
        )
    if reason == no.PARAMETER_IS_FIXED:
        now = _text(table, grid, key, before.get(key, 0))
        return f"{label}: {name} is {now} and cannot change once it has been set"
    if reason == no.PARAMETERS_DISAGREE:
        values = {**before, **asked}
        if table is MARKET_PARAMETERS:
            why = _market(key, values, grid)
        elif table is ASSET_PARAMETERS:
            why = _ladder(values, curves) if key == K.A_OFFER else _asset(key, values)
        elif table is CURVE_PARAMETERS:
            why = _curve(key, values)
        elif table is ARRAY_PARAMETERS:
            why = _array(key, values, grid)
        elif table is FEED_PARAMETERS:
            why = _feed(key, values)
        else:
            why = f"there is no risk tier {values.get(K.O_RISK_TIER)}"
        return f"{label}: {why}"
    return f"{label}: {SENTENCES[reason]}"


def _neat(step: Step, steps: int) -> str:
    return trimmed(step.back(steps))


def _range(table: dict[str, Parameter], key: int) -> tuple[int, int]:
    for parameters, ranges in RANGES:
        if parameters is table:
            for (first, count), (low, high, _, _) in ranges.items():
                if first <= key < first + count:
                    return low, high
    return 0, 0


def _text(table: dict[str, Parameter], grid: Grid, key: int, value: int) -> str:
    for parameter in table.values():
        if parameter.key == key:
            shown = grid.back(parameter, value)
            return trimmed(shown) if isinstance(shown, Decimal) else str(shown)
    is_amount = K.M_BRACKET_UPPER <= key < K.M_BRACKET_UPPER + BRACKETS_MAX
    if table is ASSET_PARAMETERS:
        is_amount = K.A_TIER_UPPER <= key < K.A_TIER_UPPER + COLLATERAL_TIERS_MAX
    return _neat(grid.atom, value) if is_amount else trimmed(rate(value))


def _feed(key: int, values: Values) -> str:
    if key in (K.F_QUORUM, K.F_STRICT_QUORUM) and values[key]:
        return f"{key_name(FEED_PARAMETERS, key)} {values[key]} asks for more sources than the feed listens to"
    return {
        K.F_STRICT_QUORUM: "what demands quorum needs a strict_quorum of at least 1",
        K.F_STEP_NS: "a step needs a step_interval",
        K.F_WINDOW_NS: "an average, and what demands steady, need a window",
        K.F_DIVERGENCE_MAX_PPM: "what believes or demands steady needs a divergence above 0",
    }.get(key, f"{key_name(FEED_PARAMETERS, key)} contradicts another parameter")


_PAYERS = (
    "payers are the insurance fund and shares of pools that back this asset, each once, and none after an empty place"
)


def _asset(key: int, values: Values) -> str:
    name = key_name(ASSET_PARAMETERS, key)
    if K.A_TIER_UPPER <= key < K.A_TIER_OPEN_PPM:
        return f"the {name} must lie above that of the tier before it"
    if K.A_TIER_OPEN_PPM <= key < K.A_TIER_MAINTAIN_PPM:
        return f"the {name} must be above neither the maintenance weight of its tier nor that of the tier before it"
    if K.A_TIER_MAINTAIN_PPM <= key < K.A_TIER_MAINTAIN_PPM + COLLATERAL_TIERS_MAX:
        return f"the {name} must not be above that of the tier before it"
    if key == K.A_TIERS:
        return "the unit of account counts fully; it has one collateral tier of weight 1"
    if key == K.A_FEED:
        return "every asset but the unit of account and shares needs a price feed of its own, and those have none"
    if key == K.A_POOL_OF:
        return "pool_of must name an asset that is no share, and has no pool of this kind yet, or one that was emptied"
    if key == K.A_POOL_KIND:
        return "only shares have a pool_kind: pool_of must name what the pool lends or what is staked"
    if key == K.A_EXCESS_PPM:
        return "the unit of account is never too much: its excess is 0"
    if key in (K.A_POOL_COOL_NS, K.A_POOL_FEE_PPM):
        return f"only shares of a pool that backs have a {name}"
    if K.A_PAYER <= key < K.A_PAYER + PAYERS_MAX:
        return _PAYERS
    if key == K.A_POOL_GAINS:
        return (
            "pool_gains must name the collateral of a pool that absorbs, or of borrowers who take debts over: "
            "an asset that was there before, and gains nothing itself"
        )
    if key == K.A_ISSUES:
        return (
            "issues must name an asset that the house may issue: neither the unit of account, nor this asset, "
            "nor a share or something that gains; and shares are never owed"
        )
    if key == K.A_LOAN_CAP:
        return "shares of a pool are never owed: their loan_cap is 0"
    if key == K.A_FROZEN:
        return "a share is frozen with what its pool lends: freeze that"
    if key == K.A_SUPPLY_MAX:
        return "supply_max is less than the shares that the lender's own coins buy when the pool begins"
    if key == K.A_RATE_KINK_PPM:
        return "the target of an adaptive rate, interest_kink, must be below 1"
    low, base, high = (trimmed(rate(values[each])) for each in (K.A_RATE_MIN_PPM, K.A_RATE_BASE_PPM, K.A_RATE_MAX_PPM))
    if key == K.A_RATE_MIN_PPM:
        return f"interest_min {low} is above interest_max {high}"
    if key == K.A_RATE_BASE_PPM:
        return f"interest_base {base} is not within interest_min {low} and interest_max {high}"
    if key == K.A_RATE_SPEED_PPM:
        speed, interval = trimmed(rate(values[key])), values[K.A_INTEREST_INTERVAL_NS]
        return (
            f"interest_speed {speed} moves the rate by more than a factor of e in interest_interval "
            f"{duration_text(interval)}; it may be at most {trimmed(rate(PPM * YEAR_NS // interval))}"
        )
    return f"{name} contradicts another parameter"


def _array(key: int, values: Values, grid: Grid) -> str:
    name = key_name(ARRAY_PARAMETERS, key)
    if key == K.S_OPEN_PPM:
        return f"open {trimmed(rate(values[key]))} must be at least restore of its market"
    if values[key] == K.ARRAY_VALUE_MISSING:
        return f"{name} is missing: an array is set as a whole"
    return (
        f"{name} {_text(ARRAY_PARAMETERS, grid, key, values[key])}: spot pairs have no risk array, and at position_max "
        f"it may be at most {_neat(grid.atom, NOTIONAL_MAX)}"
    )


def _curve(key: int, values: Values) -> str:
    of, gives = VARIABLES[values[K.C_OF]], GIVES[values[K.C_GIVES]]
    if K.C_POINT <= key < K.C_POINT + CURVE_POINTS:
        here, before = rate(values[key]), rate(values[key - 1])
        if values[key] > BONUS_MAX and values[K.C_GIVES] == GIVES_BONUS:
            return f"a bonus of {trimmed(here)} is above the largest there can be, {trimmed(rate(BONUS_MAX))}"
        low, high = (_at(key - K.C_POINT - back, values) for back in (1, 0))
        word, may = ("rises", "rise") if here > before else ("falls", "fall")
        return (
            f"its {gives} {word} from {trimmed(before)} at {of} {low} to {trimmed(here)} at {high}; "
            f"a {gives} by {of} may not {may}"
        )
    if key in (K.C_FROM, K.C_TO):
        return f"it begins at {values[K.C_FROM]} and ends at {values[K.C_TO]}; it must end later, and time begins at 0"
    if key == K.C_DEBT:
        return f"there is no asset {values[key]} that debts could be in"
    if values[K.C_TAKER] == FOR_BOOK and key in (K.C_LASTS_NS, K.C_FEE_PPM, K.C_PART):
        return "what goes through a book says how long it lasts; its fee and its slices are those of the market"
    if key == K.C_PART:
        return f"curve {values[key]} for the part must come before it, be of the same variable, and give a bonus"
    if key == K.C_OF:
        return "what a pool takes takes no time: its curve cannot be one of time"
    if key == K.C_SIZE:
        return (
            "a pool or borrowers take debts whole, borrowers in no other way; "
            "bidders take all that the collateral pays, or what restores"
        )
    if key == K.C_LASTS_NS:
        return "what a pool or borrowers take takes no time: it cannot say how long it lasts"
    if key == K.C_ELSE:
        return f"curve {values[key]} for other debts must come before it, and it must be for debts in one asset itself"
    return (
        f"curve {values[key]} can follow only if it comes before it in the table and the offer says how long it lasts"
    )


def _at(place: int, values: Values) -> str:
    """Where a point of a curve lies."""
    first, last = values[K.C_FROM], values[K.C_TO]
    where = first + (last - first) * place // (CURVE_POINTS - 1)
    return duration_text(where) if values[K.C_OF] == OF_TIME else trimmed(rate(where))


def _ladder(values: Values, curves: Any) -> str:
    """Which step of a ladder could not heal, and by how much."""
    weight = max(values[K.A_TIER_MAINTAIN_PPM + i] for i in range(values[K.A_TIERS]))
    waiting = [values[K.A_OFFER]]
    for curve in waiting:
        if curve >= len(curves) or not curves[curve][K.C_TO]:
            return f"there is no curve {curve}"
        rule = curves[curve]
        waiting += [int(rule[key]) for key in (K.C_THEN, K.C_ELSE) if rule[key] and int(rule[key]) not in waiting]
        if rule[K.C_SIZE] == TO_RESTORE:
            told = _cannot_heal(curve, [int(each) for each in rule], weight)
            if told:
                return told
    return "its offers could not heal an account"


def _cannot_heal(curve: int, rule: Sequence[int], weight: int) -> str:
    points, shown = rule[K.C_POINT : K.C_POINT + CURVE_POINTS], trimmed(rate(weight))
    if rule[K.C_GIVES] == GIVES_BONUS:
        most = max(points)
        if (PPM + most) * weight < PPM * PPM:
            return ""
        both = trimmed(Decimal((PPM + most) * weight) / PPM**2)
        what = f"gives a bonus of up to {trimmed(rate(most))}, and (1 + bonus) x weight {shown} = {both}"
        how = "is not below 1"
    else:
        least = min(points)
        if least > weight:
            return ""
        what, how = f"goes down to a price of {trimmed(rate(least))}", f"which is not above the weight {shown}"
    return (
        f"curve {curve} {what} {how}: repaying would cost more than it frees, so it could not restore anybody; "
        f"let it give less, or take all"
    )


def _market(key: int, values: Values, grid: Grid) -> str:
    name = key_name(MARKET_PARAMETERS, key)
    if K.M_PAYER <= key < K.M_PAYER + PAYERS_MAX:
        return _PAYERS
    if key == K.M_POSITION_LOTS_MAX:
        inverse, scale, lots = values[K.M_KIND] == INVERSE, values[K.M_ATOMS_PER_TICK_LOT], values[key]
        end, word = (K.M_TICKS_MIN, "lowest") if inverse else (K.M_TICKS_MAX, "highest")
        ticks = values[end]
        most = NOTIONAL_MAX * ticks // scale if inverse else NOTIONAL_MAX // (ticks * scale)
        return (
            f"a position of {_neat(grid.lot, lots)} at the {word} price {_neat(grid.tick, ticks)} would be worth more "
            f"than {_neat(grid.atom, NOTIONAL_MAX)}, the widest number kept; position_max may be at most "
            f"{_neat(grid.lot, most)} at this {key_name(MARKET_PARAMETERS, end)}"
        )
    if key == K.M_EXCESS_PPM:
        return "orders in spot pairs leave no position that could be too much: excess is that of their assets"
    if key == K.M_STATE:
        return "the market has expired and is settled for ever"
    if key == K.M_EXPIRY_NS:
        when = clock_text(values[key]) if values[key] else None
        return (
            f"expiry {when} is not allowed: that of a new market lies ahead, one that is set "
            f"later at least {duration_text(NOTICE_NS)}; a future keeps one, spot pairs have none, and once it is "
            f"reached nothing about it changes"
        )
    if key == K.M_PAID:
        return "a paid-up contract is linear, and settles in the unit of account"
    if key == K.M_SETTLE_PRICE:
        return f"settle_price {_neat(grid.tick, values[key])} needs an expiry, and lies within price_min and price_max"
    if key == K.M_TICKS_MIN:
        low, high = (_neat(grid.tick, values[each]) for each in (key, K.M_TICKS_MAX))
        return f"price_min {low} is above price_max {high}"
    if key == K.M_ATOMS_PER_TICK_LOT:
        low, high = (_neat(grid.tick, values[each]) for each in (K.M_TICKS_MIN, K.M_TICKS_MAX))
        return (
            f"a lot of {_neat(grid.lot, 1)} must be worth at least one atom ({_neat(grid.atom, 1)}) at price_max "
            f"{high}, and at most {_neat(grid.atom, LOT_WORTH_MAX)} at price_min {low}"
        )
    if key == K.M_ORDER_LOTS_MAX:
        order, position = _neat(grid.lot, values[key]), _neat(grid.lot, values[K.M_POSITION_LOTS_MAX])
        return f"order_max {order} is above position_max {position}"
    if key == K.M_RESTORE_PPM:
        return _restore(values, grid)
    if key == K.M_BY_ARRAY:
        return "by_array is for paid-up markets: set paid as well"
    if key == K.M_GROUP:
        return "group cannot change once the market has scenarios: what is offset now would not be any more, at once"
    if K.M_SIZE_MAINTAIN_PPM <= key < K.M_HAS_SIZE:
        if values[K.M_BY_ARRAY]:
            return f"{name} must be 0 where the risk array decides"
        return _size(key, values, grid)
    if key == K.M_LIQUIDATION_FEE_PPM:
        freed = Decimal(values[K.M_BRACKET_MAINTAIN_PPM] * values[K.M_RESTORE_PPM]) / PPM**2
        return (
            f"liquidation_fee {trimmed(rate(values[key]))} must be below what closing frees: the maintenance rate of "
            f"bracket 1 times restore = {trimmed(freed)}"
        )
    if key == K.M_OI_UPPER_LOTS:
        upper, lower = _neat(grid.lot, values[key]), _neat(grid.lot, values[K.M_OI_LOWER_LOTS])
        return f"oi_upper {upper} must be above oi_lower {lower}, or 0 to switch the rise off"
    if key == K.M_FUNDING_INTERVAL_NS:
        interval, sample = duration_text(values[key]), duration_text(values[K.M_SAMPLE_INTERVAL_NS])
        return f"funding_interval {interval} must be a multiple of sample_interval {sample}"
    if K.M_MAKER_PPM <= key < K.M_MAKER_PPM + FEE_TIERS_MAX:
        tiers = values[K.M_FEE_TIERS]
        rebate = -min(values[K.M_MAKER_PPM + i] for i in range(tiers))
        fee = min(values[K.M_TAKER_PPM + i] for i in range(tiers))
        return f"a maker's rebate of {trimmed(rate(rebate))} is above the lowest taker fee {trimmed(rate(fee))}"
    if K.M_BRACKET_UPPER <= key < K.M_BRACKET_MAINTAIN_PPM:
        return f"the {name} must lie above that of the bracket before it"
    if K.M_BRACKET_MAINTAIN_PPM <= key < K.M_BRACKET_OPEN_PPM + BRACKETS_MAX:
        return f"the {name} must not be below that of the bracket before it"
    if key == K.M_SETTLE:
        return "there is no such settlement asset"
    if key == K.M_FEED:
        return "the price feed is missing, or serves something else already"
    return f"{name} contradicts another parameter"


def _size(key: int, values: Values, grid: Grid) -> str:
    """Rates by size that would have to be restored to more than opening takes, or to more than all."""
    restore = trimmed(rate(values[K.M_RESTORE_PPM]))
    if key == K.M_SIZE_MAINTAIN_PPM:
        lots = values[K.M_POSITION_LOTS_MAX]
        rates = values[key], values[K.M_SIZE_MAINTAIN_SLOPE], values[K.M_SIZE_MAINTAIN_ROOT]
        reached = trimmed(Decimal(F.size_rate(rates, lots)) / SIZE_SCALE)
        return (
            f"the maintenance rate by size is {reached} at position_max {_neat(grid.lot, lots)}; restored {restore} "
            f"times it must not be above 1"
        )
    kept = key - K.M_SIZE_OPEN_PPM + K.M_SIZE_MAINTAIN_PPM
    named = (key_name(MARKET_PARAMETERS, each) for each in (key, kept))
    opening, maintain = (
        f"{name} {_text(MARKET_PARAMETERS, grid, each, values[each])}"
        for name, each in zip(named, (key, kept), strict=True)
    )
    return f"{opening} must be at least restore {restore} times {maintain}"


def _restore(values: Values, grid: Grid) -> str:
    """Where an account would have to be restored to more than opening takes: on a slope, or at the end of a bracket."""
    row = [values.get(key, 0) for key in range(K.MARKET_WIDTH)]
    rule = F.market_rule(np.array([row]), 0)
    for place, bracket in enumerate(rule.brackets):
        target, opening = (
            F.ppm_up(F.maintain_atoms(rule, bracket.upper), rule.restore),
            F.open_atoms(rule, bracket.upper),
        )
        if target > opening and bracket.maintain * rule.restore <= bracket.open * PPM:
            return (
                f"restore {trimmed(rate(rule.restore))} asks for more than opening does: at a notional of "
                f"{_neat(grid.atom, bracket.upper)} (end of bracket {place + 1}) it is {_neat(grid.atom, target)}, "
                f"and the opening rates give {_neat(grid.atom, opening)}"
            )
        if bracket.maintain * rule.restore > bracket.open * PPM:
            restore, maintain, opens = (trimmed(rate(each)) for each in (rule.restore, bracket.maintain, bracket.open))
            where = f"opening rate {opens} of bracket {place + 1}"
            return f"restore {restore} x maintenance rate {maintain} is above the {where}"
    return "restore asks for more than opening does"
