"""The formulas of health in plain Python integers, read from rule tables: what an explanation writes out line by line.

The machine answers with compiled code; nothing is decided here. Explanations and checks of stories compare the two and
fail loudly if they ever differ. See docs/concepts/numbers.md and docs/concepts/legs-and-health.md.
"""

from dataclasses import dataclass
from math import isqrt
from operator import floordiv
from typing import Any

import numpy as np

from steelyard.model import keys as K
from steelyard.model.orders import FOR_LEAVING, FOR_OPEN, FOR_RESTORE, FOR_TAKEOVER, FROM_FUND, GIVES_PRICE, INVERSE
from steelyard.num.limits import ASSET_PRICE_SCALE, CURVE_POINTS, INDEX_SCALE, PAYERS_MAX, PPM, SCENARIOS, SIZE_SCALE


def div_up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def ppm_up(amount: int, rate: int) -> int:
    return div_up(amount * rate, PPM)


def ppm_down(amount: int, rate: int) -> int:
    return amount * rate // PPM


def value(atoms: int, price: int) -> int:
    """What atoms are worth, rounded down."""
    return atoms * price // ASSET_PRICE_SCALE


def charge(atoms: int, price: int) -> int:
    """What atoms of requirement weigh, rounded up."""
    return div_up(atoms * price, ASSET_PRICE_SCALE)


def atoms_down(amount: int, price: int) -> int:
    """Value back to atoms, rounded down."""
    return amount * ASSET_PRICE_SCALE // price


def atoms_up(amount: int, price: int) -> int:
    return div_up(amount * ASSET_PRICE_SCALE, price)


def worth(is_inverse: bool, scale: int, lots: int, price: int) -> int:
    """What signed lots cost at a price, in atoms of the settlement asset. See docs/concepts/contracts.md."""
    if not is_inverse:
        return lots * price * scale
    size = abs(lots) * scale // price if price else 0
    return -size if lots > 0 else size


def largest_position(rule: Any) -> int:
    """Atoms of the largest position at the end of the ladder at which it is worth most, from a row of rules."""
    lots, scale = int(rule[K.M_POSITION_LOTS_MAX]), int(rule[K.M_ATOMS_PER_TICK_LOT])
    if rule[K.M_KIND] == INVERSE:
        return div_up(lots * scale, int(rule[K.M_TICKS_MIN]))
    return lots * scale * int(rule[K.M_TICKS_MAX])


Gap = tuple[int, int]  # how much lower and how much higher a price may be
CERTAIN: Gap = (0, 0)


@dataclass(frozen=True, slots=True)
class Bracket:
    upper: int
    maintain: int  # ppm
    open: int  # ppm
    deduct_maintain: int
    deduct_open: int


@dataclass(frozen=True, slots=True)
class MarketRule:
    """The parameters of a market that health and liquidation use."""

    row: int
    settle: int
    is_inverse: bool
    scale: int  # atoms per tick and lot; of an inverse market atoms times ticks per lot
    is_paid: bool  # a fill pays its whole price at once
    base: int  # of a spot pair, else 0
    lot_atoms: int  # of a spot pair
    ticks_min: int
    ticks_max: int
    leverage: int
    restore: int
    takeover: int
    liquidation_fee: int
    reach: int
    spread: int
    urgency: int
    closing: int  # what closing at the bankruptcy price costs, ppm
    slice: int
    slice_notional: int
    slip: int
    size_maintain: tuple[int, int, int]
    size_open: tuple[int, int, int]
    by_array: bool
    array: tuple[int, ...] | None  # the risk array that decides what positions require
    brackets: tuple[Bracket, ...]
    payers: tuple[int, ...]  # none: those of the asset
    group: int  # of no group: a negative number of its own

    def worth(self, lots: int, price: int) -> int:
        """What signed lots cost at a price."""
        return worth(self.is_inverse, self.scale, lots, price)

    def closing_worth(self, quantity: int, price: int) -> int:
        """What closing a whole position costs at settlement, rounded against it."""
        return div_up(quantity * self.scale, price) if self.is_inverse else -quantity * price * self.scale

    def notional(self, lots: int, price: int) -> int:
        return abs(self.worth(lots, price))

    def gained(self, quantity: int, lots: int, cost: int, mark: int) -> int:
        """What equity of a position gains by taking signed lots for this cost, in atoms."""
        return self.worth(quantity + lots, mark) - self.worth(quantity, mark) - cost

    def reserve_per_lot(self, side: int, price: int, mark: int, rate: int) -> int:
        """What an order at this price locks in by crossing the mark, and its fee."""
        beyond = max(0, (price - mark) * side)
        if self.is_inverse:
            return div_up(self.scale * beyond, price * mark) + ppm_up(div_up(self.scale, price), rate)
        return beyond * self.scale + ppm_up(price * self.scale, rate)

    def accrued_up(self, quantity: int, index_now: int, index_then: int) -> int:
        """Funding a leg owes, rounded against it."""
        return div_up(quantity * (-1 if self.is_inverse else self.scale) * (index_now - index_then), INDEX_SCALE)

    def worst_price(self, quantity: int, mark: int) -> int:
        """The price at which a bankrupt account may still close a position."""
        slip = ppm_down(mark, self.slip)
        return self.within(mark - slip if quantity > 0 else mark + slip)

    def within(self, price: int) -> int:
        """The nearest price of the ladder."""
        return max(self.ticks_min, min(price, self.ticks_max))

    def bankruptcy_price(self, quantity: int, cash: int) -> int:
        """Where closing the whole position brings this cash, rounded towards the mark."""
        if not self.is_inverse:
            unit = abs(quantity) * self.scale
            return self.within(div_up(cash, unit) if quantity > 0 else -cash // unit)
        if cash * quantity >= 0:
            return self.ticks_max
        size = abs(quantity) * self.scale
        return self.within(div_up(size, -cash) if quantity > 0 else size // cash)

    def bracket(self, notional: int) -> int:
        """Which bracket a notional falls into, from 0."""
        place = 0
        while place < len(self.brackets) - 1 and notional > self.brackets[place].upper:
            place += 1
        return place


def _size_rates(rule: list[int], key: int) -> tuple[int, int, int]:
    base, slope, root = rule[key : key + K.SIZE_RATES]
    return base, slope, root


def market_rule(table: Any, row: int, arrays: Any = None) -> MarketRule:
    """From a row of the machine's rule table, and of that of risk arrays."""
    rule: list[int] = np.asarray(table[row]).tolist()
    count = rule[K.M_BRACKETS]
    brackets: list[Bracket] = []
    deduct_maintain = deduct_open = 0
    for i in range(count):
        upper, maintain, opening = (
            rule[K.M_BRACKET_UPPER + i],
            rule[K.M_BRACKET_MAINTAIN_PPM + i],
            rule[K.M_BRACKET_OPEN_PPM + i],
        )
        if i:
            before = brackets[-1]
            deduct_maintain += ppm_down(before.upper, maintain - before.maintain)
            deduct_open += ppm_down(before.upper, opening - before.open)
        brackets.append(Bracket(upper, maintain, opening, deduct_maintain, deduct_open))
    return MarketRule(
        row=row,
        settle=rule[K.M_SETTLE],
        is_inverse=rule[K.M_KIND] == INVERSE,
        scale=rule[K.M_ATOMS_PER_TICK_LOT],
        is_paid=bool(rule[K.M_PAID]),
        base=rule[K.M_BASE],
        lot_atoms=rule[K.M_LOT_ATOMS],
        ticks_min=rule[K.M_TICKS_MIN],
        ticks_max=rule[K.M_TICKS_MAX],
        leverage=rule[K.M_LEVERAGE_DEFAULT],
        restore=rule[K.M_RESTORE_PPM],
        takeover=rule[K.M_TAKEOVER_PPM],
        liquidation_fee=rule[K.M_LIQUIDATION_FEE_PPM],
        reach=rule[K.M_REACH_PPM],
        spread=rule[K.M_SPREAD_PPM],
        urgency=rule[K.M_URGENCY_PPM],
        closing=rule[K.M_CLOSING_PPM],
        slice=rule[K.M_SLICE_PPM],
        slice_notional=rule[K.M_SLICE_NOTIONAL],
        slip=rule[K.M_SLIP_PPM],
        size_maintain=_size_rates(rule, K.M_SIZE_MAINTAIN_PPM),
        size_open=_size_rates(rule, K.M_SIZE_OPEN_PPM),
        by_array=rule[K.M_BY_ARRAY] != 0,
        array=tuple(int(each) for each in arrays[row]) if rule[K.M_BY_ARRAY] and arrays is not None else None,
        brackets=tuple(brackets),
        payers=_payers(rule, K.M_PAYER),
        group=rule[K.M_GROUP] or -row,
    )


def maintain_atoms(rule: MarketRule, notional: int) -> int:
    """B(N) of the maintenance schedule."""
    bracket = rule.brackets[rule.bracket(notional)]
    return ppm_up(notional, bracket.maintain) - bracket.deduct_maintain


def size_rate(rates: tuple[int, int, int], lots: int) -> int:
    """The rate of so many lots, in 10**-12: a base and a slope, or a root if that is more; at most one."""
    base, slope, square = rates
    square *= abs(lots)
    root = isqrt(square - 1) + 1 if square else 0
    return min(SIZE_SCALE, max(base * (SIZE_SCALE // PPM) + slope * abs(lots), root * (SIZE_SCALE // 10**9)))


def size_atoms(rates: tuple[int, int, int], lots: int, notional: int) -> int:
    return div_up(notional * size_rate(rates, lots), SIZE_SCALE)


def array_atoms(array: tuple[int, ...], lots: int) -> int:
    """What a position requires by its array alone: its worst scenario, and what a short pays beside; at least 1."""
    if lots == 0:
        return 0
    worst = -min(ppm_down(lots, array[K.S_VALUE + scenario]) for scenario in range(SCENARIOS))
    return max(1, max(0, worst) + ppm_up(max(0, -lots), array[K.S_SHORT]))


def kept_atoms(rule: MarketRule, lots: int, notional: int) -> int:
    """M(maintain) of so many signed lots, in atoms."""
    if rule.array is not None:
        return array_atoms(rule.array, lots)
    return max(maintain_atoms(rule, notional), size_atoms(rule.size_maintain, lots, notional))


def open_atoms(rule: MarketRule, notional: int) -> int:
    bracket = rule.brackets[rule.bracket(notional)]
    return ppm_up(notional, bracket.open) - bracket.deduct_open


def opening_lots(rule: MarketRule, lots: int, mark: int, leverage: int, oi_scale: int, index: int, gap: Gap) -> int:
    """Opening requirement of signed lots, with what they lose if the index is at its worse end. In atoms."""
    lost = lost_at_worse_end(rule, lots, index, gap)
    return opening_side(rule, lots, rule.notional(lots, mark), leverage, oi_scale) + lost


def lost_at_worse_end(rule: MarketRule, lots: int, index: int, gap: Gap) -> int:
    """What signed lots lose, in atoms, if the index is at the worse end for them."""
    worse = index - gap[0] if lots > 0 else index + gap[1]
    return rule.worth(lots, index) - rule.worth(lots, worse)


def charge_opening(needed: int, equity: int, price: int, gap: Gap) -> int:
    """M(open) in value of a market leg that needs these atoms; E, in atoms too, counts at its worse end."""
    worse = price - gap[0] if equity > 0 else price + gap[1]
    return charge(needed, price + gap[1]) + value(equity, price) - value(equity, worse)


def opening_side(rule: MarketRule, lots: int, notional: int, leverage: int, oi_scale: int) -> int:
    """Opening requirement of one side: bracket, leverage or size, then open interest. In atoms."""
    base = max(open_atoms(rule, notional), div_up(notional, leverage), size_atoms(rule.size_open, lots, notional))
    if rule.array is not None:
        base = ppm_up(array_atoms(rule.array, lots), rule.array[K.S_OPEN_PPM])
    if oi_scale > 0 and notional > base:
        base += ppm_up(notional - base, oi_scale)
    then = max(0, notional - base) if lots > 0 else notional + base
    return min(base + ppm_up(then, rule.closing), max(base, notional))


def position_atoms(rule: MarketRule, lots: int, notional: int, question: int) -> int:
    """M of a position for every question but open, in atoms."""
    atoms = kept_atoms(rule, lots, notional)
    if question == FOR_RESTORE:
        return ppm_up(atoms, rule.restore)
    if question == FOR_TAKEOVER:
        return ppm_up(atoms, rule.takeover)
    return atoms


@dataclass(frozen=True, slots=True)
class AssetRule:
    borrow_weight: int
    target: int  # what a liquidation aims for, beside it
    fund_step: int  # what the insurance fund pays at most at a time
    fund_day: int  # and in a day
    tiers: tuple[tuple[int, int, int], ...]  # (upper end, opening weight, maintenance weight)
    payers: tuple[int, ...]  # of debts


def asset_rule(table: Any, row: int) -> AssetRule:
    rule: list[int] = np.asarray(table[row]).tolist()
    return AssetRule(
        rule[K.A_BORROW_WEIGHT_PPM],
        rule[K.A_TARGET_PPM],
        rule[K.A_FUND_STEP_MAX],
        rule[K.A_FUND_DAY_MAX],
        tuple(
            (rule[K.A_TIER_UPPER + i], rule[K.A_TIER_OPEN_PPM + i], rule[K.A_TIER_MAINTAIN_PPM + i])
            for i in range(rule[K.A_TIERS])
        ),
        _payers(rule, K.A_PAYER) or (FROM_FUND,),
    )


def _payers(rule: list[int], first: int) -> tuple[int, ...]:
    return tuple(who for who in rule[first : first + PAYERS_MAX] if who)


@dataclass(frozen=True, slots=True)
class CurveRule:
    """One step of a ladder of offers."""

    of: int
    gives: int
    low: int
    high: int
    fee: int
    beyond: int
    points: tuple[int, ...]
    size: int

    def at(self, x: int) -> int:
        """In straight lines between its points: a bonus rounded down, a price up."""
        place, rest = divmod((len(self.points) - 1) * (x - self.low), self.high - self.low)
        if place < 0:
            return self.points[0]
        if place >= len(self.points) - 1:
            return self.points[-1]
        moved = (self.points[place + 1] - self.points[place]) * rest
        rounded = div_up if self.gives == GIVES_PRICE else floordiv
        return self.points[place] + rounded(moved, self.high - self.low)

    def within(self, y: int, equity: int, owed: int) -> int:
        """What is given is at most what the owner has for each unit owed."""
        if self.beyond:
            return y
        bonus = min(1 << 60, max(0, equity) * PPM // max(1, owed))
        return max(y, div_up(PPM * PPM, PPM + bonus)) if self.gives == GIVES_PRICE else min(y, bonus)

    def gross(self, y: int, par: int) -> int:
        """Collateral given for a debt worth so much of it."""
        return par * PPM // y if self.gives == GIVES_PRICE else par + ppm_down(par, y)

    def par_for(self, y: int, gross: int) -> int:
        """The least collateral that a debt must be worth for so much to be given."""
        return div_up(gross * y, PPM) if self.gives == GIVES_PRICE else div_up(gross * PPM, PPM + y)


def curve_rule(table: Any, row: int) -> CurveRule:
    rule = [int(value) for value in table[row]]
    points = tuple(rule[K.C_POINT : K.C_POINT + CURVE_POINTS])
    low, high, fee, beyond = (rule[key] for key in (K.C_FROM, K.C_TO, K.C_FEE_PPM, K.C_BEYOND))
    return CurveRule(rule[K.C_OF], rule[K.C_GIVES], low, high, fee, beyond, points, rule[K.C_SIZE])


def cash_requirement(
    asset: int, rule: AssetRule, quantity: int, price: int, question: int, is_fresh: bool = True
) -> int:
    """Haircut of an asset held, or surcharge of one owed, in value. `is_fresh` says whether its price is good for
    what is asked; it matters to the questions open and leaving alone.
    """
    if quantity < 0:
        weight = max(rule.borrow_weight, rule.target) if question == FOR_RESTORE else rule.borrow_weight
        return ppm_up(charge(-quantity, price), weight - PPM)
    if asset == 1:
        return 0
    opens = question in (FOR_OPEN, FOR_LEAVING)
    if opens and not is_fresh:
        return value(quantity, price)
    total = below = 0
    for upper, opening, maintain in rule.tiers:
        end = min(quantity, upper)
        if end > below:
            total += ppm_up(charge(end - below, price), PPM - (opening if opens else maintain))
            below = end
    total += charge(quantity - below, price) if quantity > below else 0
    return min(total, value(quantity, price))  # never more than the cash is worth


def cash_needed(
    asset: int, rule: AssetRule, quantity: int, price: int, question: int, is_fresh: bool = True, gap: Gap = CERTAIN
) -> int:
    """The same, counted low or high where risk rises: E at mid needs the difference as well."""
    end = price
    if question in (FOR_OPEN, FOR_LEAVING):
        end += gap[1] if quantity < 0 else -gap[0]
    difference = value(quantity, price) - value(quantity, end)
    return difference + cash_requirement(asset, rule, quantity, end, question, is_fresh)
