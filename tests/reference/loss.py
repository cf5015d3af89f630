"""E < 0: the book, the backstop and the counterparties, each step afresh. See docs/concepts/liquidation.md."""

from itertools import pairwise

from steelyard.model import events
from steelyard.model.keys import A_GROUP, M_GROUP, M_PAID, M_RANKING
from steelyard.model.orders import BY_PROFIT, BY_SIZE, HEDGES_LAST, PRO_RATA
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference import isolated
from tests.reference.closing import shrink_reduce_only
from tests.reference.health import equity, is_healthy
from tests.reference.interest import cash_now
from tests.reference.numbers import atoms_worth_down, clamp, down, value, worth
from tests.reference.positions import trade, trade_on_copy
from tests.reference.rows import copied
from tests.reference.standing import (
    Standing,
    fund_holds,
    fund_pays,
    give,
    meet_book,
    offer_to_backstop,
    payers,
    purse_of,
    take_penalty,
)

FACTOR_MAX = 1 << 31
CANDIDATES_MAX = 64


def resolve_deficit(twin, leg):
    """E < 0: the book, the backstop and the counterparties; each step starts afresh."""
    deficit_on_book(twin, Standing(twin, leg))
    for step in (deficit_to_backstop, deleverage):
        standing = Standing(twin, leg)
        if not standing.lots or standing.equity >= 0:
            return
        step(twin, standing)


def deficit_on_book(twin, standing):
    leg, worst = standing.leg, standing.worst_price()
    needed = standing.bankruptcy(standing.lots) - standing.cash_at(worst, standing.lots)
    fund, lots = fund_holds(twin, standing.asset, standing.market.row), standing.lots
    if fund < needed:
        lots = down(lots * fund, needed)
    if lots:
        filled, received = meet_book(twin, standing, lots, worst)
        missing = standing.bankruptcy(filled) - received
        fund_pays(twin, leg.account, standing.asset, standing.market.row, missing)
        owned = atoms_worth_down(equity(twin, twin.legs_of(leg.account)), standing.price)
        take_penalty(twin, standing, received, min(-missing, owned))


def deficit_to_backstop(twin, standing):
    def needed(lots):
        return standing.bankruptcy(lots) - standing.cash_at(standing.mark, lots)

    fund, lots = fund_holds(twin, standing.asset, standing.market.row), standing.lots
    if fund < needed(lots):
        lots = down(lots * fund, needed(lots))
    taken = offer_to_backstop(twin, standing, lots, lambda d: standing.cash_at(standing.mark, d))
    if taken:
        fund_pays(twin, standing.leg.account, standing.asset, standing.market.row, needed(taken))


# --- Auto-deleveraging ------------------------------------------------------------------------------------------------


def score_of(twin, standing, account):
    """How well a counterparty stands; 0 if it has no profit or no equity."""
    ranking = standing.market.rule[M_RANKING]
    leg, legs = twin.leg(account, standing.market.thing), twin.legs_of(account)
    worth_now = worth(standing.market.rule, leg.quantity, standing.mark)
    profit, own = worth_now - leg.cost, equity(twin, legs)
    if profit <= 0 or own <= 0:
        return 0
    if ranking in (BY_SIZE, PRO_RATA):
        return max(1, size_of(twin, leg))
    cost = worth_now if standing.market.rule[M_PAID] else abs(leg.cost)
    gain = clamp(down(profit * PPM, max(1, cost)), 0, FACTOR_MAX)
    if ranking == BY_PROFIT:
        return max(1, gain)
    score = gain * clamp(down(size_of(twin, leg) * PPM, max(1, own)), 0, FACTOR_MAX)
    if ranking == HEDGES_LAST:
        return max(1, down(score * unhedged(twin, legs, leg), PPM))
    return score


def size_of(twin, leg):
    market = twin.markets[leg.thing - MARKET_0]
    return value(abs(worth(market.rule, leg.quantity, market.mark)), twin.assets[twin.settle(market)].price)


def unhedged(twin, legs, leg):
    """The part of a position, in ppm, that nothing in its group makes good."""
    group, size = twin.markets[leg.thing - MARKET_0].rule[M_GROUP], size_of(twin, leg)
    if not group or not size:
        return PPM
    net = 0
    for thing, other in legs.items():
        if thing > MARKET_0 and other.quantity and twin.markets[thing - MARKET_0].rule[M_GROUP] == group:
            net += size_of(twin, other) * (1 if other.quantity > 0 else -1)
        elif thing < MARKET_0 and twin.assets[thing].rule[A_GROUP] == group:
            net += value(cash_now(twin, other), twin.assets[thing].price)
    own_way = net if leg.quantity > 0 else -net
    return down(clamp(own_way, 0, size) * PPM, size)


def shares(twin, standing, rows):
    """What each of these takes, pro rata; or None if each takes what it can."""
    sizes = [abs(twin.quantity(row, standing.market.thing)) for row in rows]
    together = sum(sizes)
    if standing.market.rule[M_RANKING] != PRO_RATA or together <= standing.lots:
        return None
    passed = [sum(sizes[:i]) for i in range(len(sizes) + 1)]
    ends = [down(standing.lots * each, together) for each in passed]
    return [after - before for before, after in pairwise(ends)]


def deleverage(twin, standing):
    market, thing = standing.market, standing.market.thing
    total, other_side = standing.lots, -standing.sign
    missing = standing.bankruptcy(total) - standing.cash_at(standing.mark, total)
    missing = max(0, missing)
    helping = []  # (payer, its whole part)
    for who in payers(twin, standing.asset, market.row):
        part = min(purse_of(twin, who, standing.asset), missing)
        helping.append((who, part))
        missing -= part
    cash = standing.bankruptcy(total) - sum(part for _, part in helping)
    candidates = [
        (score_of(twin, standing, row), row)
        for row, account in twin.accounts.items()
        if not account.queued and twin.quantity(row, thing) * other_side > 0
    ]
    ranked = sorted((each for each in candidates if each[0]), key=lambda each: (-each[0], each[1]))
    ranked, done = ranked[:CANDIDATES_MAX], 0
    parts = shares(twin, standing, [row for _, row in ranked])
    for rank, (score, row) in enumerate(ranked, 1):
        taken = parts[rank - 1] if parts else min(abs(twin.quantity(row, thing)), total - done)
        if not taken:
            continue
        paid = down(cash * (done + taken), total) - down(cash * done, total)
        parts_beside = [
            (who, down(part * (done + taken), total) - down(part * done, total)) for who, part in helping
        ]  # fmt: skip
        if not may_be_deleveraged(twin, standing, row, taken, paid):
            continue
        trade(twin, standing.leg.account, market, -standing.sign * taken, -paid)
        before, _ = trade(twin, row, market, standing.sign * taken, paid)
        twin.emit(
            events.DELEVERAGED,
            account=standing.leg.account,
            other=row,
            market=market.row,
            side=-standing.sign,
            lots=taken,
            amount=paid,
            fee=sum(part for _, part in parts_beside),
            extra=score,
            extra2=rank,
        )
        for who, part in parts_beside:
            give(twin, who, standing.leg.account, standing.asset, market.row, part, beside=1)
        done += taken
        shrink_reduce_only(twin, row, market)
        isolated.return_after_fill(twin, row, market, before)
        if done == total:
            return


def may_be_deleveraged(twin, standing, row, lots, cash):
    """It loses no more than its profit, and stays healthy."""
    legs = copied(twin, twin.legs_of(row))
    realised = trade_on_copy(twin, legs, standing.market, standing.sign * lots, cash)
    return realised >= 0 and is_healthy(twin, legs)
