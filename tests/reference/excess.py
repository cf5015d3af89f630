"""Too much of one thing. See docs/concepts/requirements.md."""

from collections import Counter

from steelyard.model.keys import (
    A_EXCESS_FROM,
    A_EXCESS_PPM,
    A_EXCESS_SHARE_PPM,
    A_GROUP,
    M_EXCESS_FROM,
    M_EXCESS_PPM,
    M_GROUP,
    M_KIND,
    M_SETTLE,
)
from steelyard.model.orders import SPOT
from steelyard.state.tables import MARKET_0
from tests.reference import health
from tests.reference.interest import cash_now
from tests.reference.numbers import charge, part_down, part_up, up, value, worth
from tests.reference.scenarios import ends


def part(twin, legs, question, order=None):
    """What it adds to M(open)."""
    return of_positions(twin, legs, order) + of_collateral(twin, legs, question)


def answer(mine, whole, limit, rate):
    """For the share that is mine of what the whole is above the limit."""
    return part_up(up(mine * (whole - limit), whole), rate) if mine and whole > limit else 0


def of_positions(twin, legs, order):
    sizes, totals = {}, Counter()
    for thing, leg in legs.items():
        row = thing - MARKET_0
        if row <= 0 or twin.markets[row].rule[M_KIND] == SPOT:
            continue
        rule, mark = twin.markets[row].rule, twin.markets[row].mark
        larger = max(abs(worth(rule, lots, mark)) for lots in ends(twin, leg, order))
        sizes[row] = charge(larger, twin.assets[rule[M_SETTLE]].price)
        totals[rule[M_GROUP] or -row] += sizes[row]
    rules = {row: twin.markets[row].rule for row in sizes}
    return sum(
        answer(size, totals[rules[row][M_GROUP] or -row], rules[row][M_EXCESS_FROM], rules[row][M_EXCESS_PPM])
        for row, size in sizes.items()
    )


def of_collateral(twin, legs, question):
    counts, totals = {}, Counter()
    for thing, leg in legs.items():
        if thing < MARKET_0 and leg.quantity > 0:
            asset = twin.assets[thing]
            counts[thing] = max(
                0, value(cash_now(twin, leg), asset.price) - health.cash_requirement(twin, leg, question)
            )
            totals[asset.rule[A_GROUP] or -thing] += counts[thing]
    found = 0
    for thing, mine in counts.items():
        rule = twin.assets[thing].rule
        limit = min(part_down(sum(counts.values()), rule[A_EXCESS_SHARE_PPM]), rule[A_EXCESS_FROM])
        found += answer(mine, totals[rule[A_GROUP] or -thing], limit, rule[A_EXCESS_PPM])
    return found
