"""Turns of liquidation and the order of loss. See docs/concepts/liquidation.md.

Cash is signed: what the account receives for closing lots is positive for a long, negative for a short.
"""

from dataclasses import dataclass

from steelyard.model import events
from steelyard.model.keys import (
    M_ATOMS_PER_TICK_LOT,
    M_BACKSTOP_LOTS_MAX,
    M_COOLDOWN_NS,
    M_LIQUIDATION_FEE_PPM,
    M_POSITION_LOTS_MAX,
    M_REACH_PPM,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_SLIP_PPM,
    M_STATE,
    M_TICKS_MAX,
    SECOND,
)
from steelyard.model.orders import (
    BACKSTOP,
    CHILD,
    FOR_MAINTAIN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    HALTED,
    INSURANCE,
    IOC,
    LIMIT,
    STP_MAKER,
)
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference import isolated, money
from tests.reference.closing import close_order, shrink_reduce_only
from tests.reference.health import (
    equity,
    holds_nothing_risky,
    is_healthy,
    kept_requirement,
    may_open,
    position_requirement,
    requirement,
)
from tests.reference.matching import match
from tests.reference.numbers import atoms_worth_down, atoms_worth_up, charge, clamp, down, part_down, part_up, up, value
from tests.reference.positions import settle_funding, trade, trade_on_copy
from tests.reference.rows import Leg, Order, copied

WAITS, COOLS = 1, 2
HEALTH_MAX = 1 << 60
FACTOR_MAX = 1 << 31
HALVINGS = 6
CANDIDATES_MAX = 64


# --- The queue --------------------------------------------------------------------------------------------------------


def health_of(twin, account):
    legs = twin.legs_of(account)
    maintain = requirement(twin, legs, FOR_MAINTAIN)
    if not maintain:
        return -HEALTH_MAX
    return clamp(down(equity(twin, legs) * PPM, maintain), -HEALTH_MAX, HEALTH_MAX)


def judge_all(twin):
    """The full sweep: whoever is unhealthy joins the queue."""
    for row, account in twin.accounts.items():
        legs = twin.legs_of(row)
        if not account.queued and not holds_nothing_risky(legs) and not is_healthy(twin, legs):
            account.queued, account.health = WAITS, health_of(twin, row)


def next_turn(twin):
    """The account of lowest health, ties by row, or none."""
    waiting = [account for account in twin.accounts.values() if account.queued == WAITS]
    return min(waiting, key=lambda account: (account.health, account.row), default=None)


def cool_down(twin, account, duration):
    account.queued, account.due_ns = COOLS, twin.now + duration


def cooldown_over(twin, account):
    account.due_ns = 0
    if is_healthy(twin, twin.legs_of(account.row)):
        leave(twin, account, events.ENDED_HEALTHY)
    else:
        account.queued, account.health = WAITS, health_of(twin, account.row)


def leave(twin, account, reason):
    legs = twin.legs_of(account.row)
    if account.started:
        twin.emit(
            events.LIQUIDATION_ENDED,
            reason=reason,
            account=account.row,
            amount=equity(twin, legs),
            fee=requirement(twin, legs, FOR_MAINTAIN),
        )
    account.queued = account.started = account.health = account.due_ns = 0
    if account.role == CHILD and isolated.is_empty(twin, account.row):
        isolated.return_everything(twin, account.row)


# --- A turn -----------------------------------------------------------------------------------------------------------


def turn(twin, account):
    row, legs = account.row, twin.legs_of(account.row)
    markets = [leg for thing, leg in sorted(legs.items()) if thing > MARKET_0]
    for leg in markets:
        for order in twin.open_orders(row, leg.thing - MARKET_0):
            close_order(twin, order, events.CLOSED_LIQUIDATION)
    for leg in markets:
        settle_funding(twin, leg)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    if not account.started:
        start(twin, account)
    if not can_be_worked_on(twin, legs):
        cool_down(twin, account, SECOND)
        return
    money.convert(twin, row, beyond_cap_only=False)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    if not any(leg.quantity for leg in markets):
        settle_debts(twin, account)
        return
    # max() takes the first of equals: the lower thing.
    worst = max((leg for leg in markets if leg.quantity), key=lambda leg: charge_of(twin, leg))
    before = abs(worst.quantity)
    work_on(twin, worst)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    pressing = (
        equity(twin, legs) < 0
        or equity(twin, legs) < requirement(twin, legs, FOR_TAKEOVER)
        or not any(leg.quantity for leg in markets)
    )
    if pressing and abs(worst.quantity) < before:
        account.health = health_of(twin, row)
    else:
        cool_down(twin, account, twin.markets[worst.thing - MARKET_0].rule[M_COOLDOWN_NS])


def charge_of(twin, leg):
    return kept_requirement(twin, twin.markets[leg.thing - MARKET_0], leg.quantity, FOR_MAINTAIN)


def start(twin, account):
    account.started = 1
    legs = twin.legs_of(account.row)
    twin.emit(
        events.LIQUIDATION_STARTED,
        account=account.row,
        amount=equity(twin, legs),
        fee=requirement(twin, legs, FOR_MAINTAIN),
        extra=requirement(twin, legs, FOR_RESTORE),
        extra2=requirement(twin, legs, FOR_TAKEOVER),
    )


def can_be_worked_on(twin, legs):
    """No market it holds is halted or stale, and every asset price it needs is fresh."""
    for thing, leg in legs.items():
        if not leg.quantity:
            continue
        if thing < MARKET_0:
            fresh = twin.is_fresh(twin.assets[thing])
        else:
            market = twin.markets[thing - MARKET_0]
            open_and_fresh = market.rule[M_STATE] != HALTED and twin.is_fresh(market)
            fresh = open_and_fresh and twin.is_fresh(twin.assets[twin.settle(market)])
        if not fresh:
            return False
    return True


def settle_debts(twin, account):
    """Nothing is left but cash: the fund pays what is owed beyond the account's own means, as far as it can."""
    owing = False
    for asset in sorted(twin.assets):
        debt = -money.cash(twin, account.row, asset)
        worth = equity(twin, twin.legs_of(account.row))
        if debt > 0 and worth < 0:
            fund_pays(twin, account.row, asset, 0, min(debt, atoms_worth_up(-worth, twin.assets[asset].price)))
        if debt > 0:
            owing |= money.cash(twin, account.row, asset) < 0
    if owing:
        cool_down(twin, account, SECOND)
    else:
        leave(twin, account, events.ENDED_CLOSED)


def fund_holds(twin, asset):
    return max(0, money.cash(twin, INSURANCE, asset))


def fund_pays(twin, account, asset, market, wanted):
    amount = min(max(0, wanted), fund_holds(twin, asset))
    if not amount:
        return
    money.book(twin, INSURANCE, asset, -amount)
    money.book(twin, account, asset, amount)
    twin.emit(events.FUND_PAID, account=account, market=market, amount=amount, other=asset)


# --- One leg ----------------------------------------------------------------------------------------------------------


@dataclass
class Standing:
    """An account, and the leg that is worked on, as they are before a step."""

    twin: object
    leg: Leg

    def __post_init__(self):
        self.market = self.twin.markets[self.leg.thing - MARKET_0]
        self.asset = self.twin.settle(self.market)
        self.price = self.twin.assets[self.asset].price
        legs = self.twin.legs_of(self.leg.account)
        self.equity = equity(self.twin, legs)
        self.restore = requirement(self.twin, legs, FOR_RESTORE)
        self.takeover = requirement(self.twin, legs, FOR_TAKEOVER)
        self.positions = position_requirement(self.twin, legs)
        self.quantity = self.leg.quantity
        self.sign = 1 if self.quantity > 0 else -1
        self.lots = abs(self.quantity)
        self.a = self.market.rule[M_ATOMS_PER_TICK_LOT]
        self.mark = self.market.mark

    def cash_at(self, price, lots):
        return self.sign * lots * price * self.a

    def kept(self, lots_fewer, question=FOR_MAINTAIN):
        left = self.lots - lots_fewer
        return kept_requirement(self.twin, self.market, left, question) if left else 0

    def share(self, lots):
        return self.kept(0) - self.kept(lots)

    def bankruptcy(self, lots):
        """The cash that closing these lots must bring to use up exactly their share of the equity."""
        kept = down(self.equity * self.share(lots), self.positions)
        return self.cash_at(self.mark, lots) - atoms_worth_down(kept, self.price)

    def bankruptcy_price(self):
        cash, per_tick = self.bankruptcy(self.lots), self.quantity * self.a
        price = up(cash, per_tick) if self.sign > 0 else down(cash, per_tick)
        return clamp(price, 1, self.market.rule[M_TICKS_MAX])


def work_on(twin, leg):
    standing = Standing(twin, leg)
    if standing.equity >= 0:
        sell_down(twin, standing)
    else:
        resolve_deficit(twin, leg)


def sell_down(twin, standing):
    """E >= 0: the book first, then the backstop."""
    rule, leg = standing.market.rule, standing.leg
    lots, bankruptcy_price = lots_to_close(standing), standing.bankruptcy_price()
    limit = standing.mark
    if standing.sign * (standing.mark - bankruptcy_price) > 0:
        limit -= standing.sign * part_down(abs(standing.mark - bankruptcy_price), rule[M_REACH_PPM])
    filled, received = meet_book(twin, standing, lots, limit)
    fee = min(part_up(abs(received), rule[M_LIQUIDATION_FEE_PPM]), max(0, received - standing.bankruptcy(filled)))
    if fee:
        money.book(twin, leg.account, standing.asset, -fee)
        money.book(twin, INSURANCE, standing.asset, fee)
        twin.emit(events.LIQUIDATION_FEE, account=leg.account, market=standing.market.row, amount=fee)
    after = Standing(twin, leg)
    if leg.quantity and 0 <= after.equity < after.takeover:
        offer_to_backstop(twin, after, after.lots, after.bankruptcy)


def lots_to_close(standing):
    """The fewest lots that restore the buffer, or all; a slice of them if the position is large."""
    rule, lots = standing.market.rule, standing.lots
    others = standing.restore - standing.kept(0, FOR_RESTORE)
    too_few, needed = 0, lots
    while needed - too_few > 1:
        middle = (too_few + needed) // 2
        fee = part_up(middle * standing.mark * standing.a, rule[M_LIQUIDATION_FEE_PPM])
        restore = others + standing.kept(middle, FOR_RESTORE)
        if standing.equity - charge(fee, standing.price) - restore >= 0:
            needed = middle
        else:
            too_few = middle
    if lots * standing.mark * standing.a > rule[M_SLICE_NOTIONAL]:
        needed = min(needed, max(1, part_down(lots, rule[M_SLICE_PPM])))
    return needed


def meet_book(twin, standing, lots, limit):
    """An immediate-or-cancel order of the house: (lots filled, signed cash received)."""
    market, account = standing.market, standing.leg.account
    twin.emit(
        events.LIQUIDATION_ORDER,
        account=account,
        market=market.row,
        side=-standing.sign,
        price=limit,
        lots=lots,
        other=standing.mark,
        amount=standing.bankruptcy(lots),
        extra=standing.equity,
        extra2=standing.positions,
    )
    order = Order(
        row=0,
        account=account,
        home=account,
        market=market.row,
        side=-standing.sign,
        order_type=LIMIT,
        tif=IOC,
        stp=STP_MAKER,
        options=0,
        price=limit,
        remaining=lots,
        lots=lots,
        client=money.NO_CLIENT,
        id=-account,
    )
    filled, received, _ = match(twin, order, market, liquidation=True)
    return filled, received


def offer_to_backstop(twin, standing, lots, cash_of):
    """The backstop takes all, a half, a quarter ... of these lots, as much as it may hold; returns the lots taken."""
    if standing.leg.account == BACKSTOP or twin.accounts[BACKSTOP].queued:
        return 0
    for halvings in range(HALVINGS + 1):
        taken = lots >> halvings
        if not taken:
            break
        if backstop_may_take(twin, standing, taken, cash_of(taken)):
            take_over(twin, standing, taken, cash_of(taken))
            return taken
    return 0


def backstop_may_take(twin, standing, lots, cash):
    market = standing.market
    most = min(market.rule[M_BACKSTOP_LOTS_MAX], market.rule[M_POSITION_LOTS_MAX])
    if abs(twin.quantity(BACKSTOP, market.thing) + standing.sign * lots) > most:
        return False
    legs = copied(isolated.acting_legs(twin, BACKSTOP, BACKSTOP, market))
    trade_on_copy(twin, legs, market, standing.sign * lots, cash)
    return may_open(twin, legs)


def take_over(twin, standing, lots, cash):
    market, leg = standing.market, standing.leg
    twin.make_market_leg(BACKSTOP, market)
    trade(twin, leg.account, market, -standing.sign * lots, -cash)
    trade(twin, BACKSTOP, market, standing.sign * lots, cash)
    twin.emit(
        events.TAKEN_OVER,
        account=leg.account,
        other=BACKSTOP,
        market=market.row,
        side=-standing.sign,
        lots=lots,
        amount=cash,
    )


def resolve_deficit(twin, leg):
    """E < 0: the book, the backstop and the counterparties; each step starts afresh."""
    deficit_on_book(twin, Standing(twin, leg))
    for step in (deficit_to_backstop, deleverage):
        standing = Standing(twin, leg)
        if not standing.lots or standing.equity >= 0:
            return
        step(twin, standing)


def deficit_on_book(twin, standing):
    rule, leg = standing.market.rule, standing.leg
    slip = part_down(standing.mark, rule[M_SLIP_PPM])
    worst = clamp(standing.mark - standing.sign * slip, 1, rule[M_TICKS_MAX])
    needed = standing.bankruptcy(standing.lots) - standing.cash_at(worst, standing.lots)
    fund, lots = fund_holds(twin, standing.asset), standing.lots
    if fund < needed:
        lots = down(lots * fund, needed)
    if lots:
        filled, received = meet_book(twin, standing, lots, worst)
        missing = standing.bankruptcy(filled) - received
        fund_pays(twin, leg.account, standing.asset, standing.market.row, missing)


def deficit_to_backstop(twin, standing):
    def needed(lots):
        return standing.bankruptcy(lots) - standing.cash_at(standing.mark, lots)

    fund, lots = fund_holds(twin, standing.asset), standing.lots
    if fund < needed(lots):
        lots = down(lots * fund, needed(lots))
    taken = offer_to_backstop(twin, standing, lots, lambda d: standing.cash_at(standing.mark, d))
    if taken:
        fund_pays(twin, standing.leg.account, standing.asset, standing.market.row, needed(taken))


# --- Auto-deleveraging ------------------------------------------------------------------------------------------------


def score_of(twin, standing, account):
    """How well a counterparty stands; 0 if it has no profit or no equity."""
    leg, legs = twin.leg(account, standing.market.thing), twin.legs_of(account)
    notional = leg.quantity * standing.mark * standing.a
    profit, worth = notional - leg.cost, equity(twin, legs)
    if profit <= 0 or worth <= 0:
        return 0
    gain = clamp(down(profit * PPM, max(1, abs(leg.cost))), 0, FACTOR_MAX)
    leverage = clamp(down(value(abs(notional), standing.price) * PPM, max(1, worth)), 0, FACTOR_MAX)
    return gain * leverage


def deleverage(twin, standing):
    market, thing = standing.market, standing.market.thing
    total, other_side = standing.lots, -standing.sign
    missing = standing.bankruptcy(total) - standing.cash_at(standing.mark, total)
    from_fund = min(fund_holds(twin, standing.asset), missing)
    cash = standing.bankruptcy(total) - from_fund
    candidates = [
        (score_of(twin, standing, row), row)
        for row, account in twin.accounts.items()
        if not account.queued and twin.quantity(row, thing) * other_side > 0
    ]
    ranked = sorted((each for each in candidates if each[0]), key=lambda each: (-each[0], each[1]))
    done = 0
    for rank, (score, row) in enumerate(ranked[:CANDIDATES_MAX], 1):
        taken = min(abs(twin.quantity(row, thing)), total - done)
        paid = down(cash * (done + taken), total) - down(cash * done, total)
        beside = down(from_fund * (done + taken), total) - down(from_fund * done, total)
        if not may_be_deleveraged(twin, standing, row, taken, paid):
            continue
        trade(twin, standing.leg.account, market, -standing.sign * taken, -paid)
        before, closed, _ = trade(twin, row, market, standing.sign * taken, paid)
        money.book(twin, INSURANCE, standing.asset, -beside)
        money.book(twin, standing.leg.account, standing.asset, beside)
        twin.emit(
            events.DELEVERAGED,
            account=standing.leg.account,
            other=row,
            market=market.row,
            side=-standing.sign,
            lots=taken,
            amount=paid,
            fee=beside,
            extra=score,
            extra2=rank,
        )
        done += taken
        shrink_reduce_only(twin, row, market)
        isolated.return_after_fill(twin, row, market, before, closed)
        if done == total:
            return


def may_be_deleveraged(twin, standing, row, lots, cash):
    """It loses no more than its profit, and stays healthy."""
    legs = copied(twin.legs_of(row))
    realised = trade_on_copy(twin, legs, standing.market, standing.sign * lots, cash)
    return realised >= 0 and is_healthy(twin, legs)
