"""Turns of liquidation and the order of loss. See docs/concepts/liquidation.md.

Cash is signed: what the account receives for closing lots is positive for a long, negative for a short.
"""

from dataclasses import replace

from steelyard.model import events
from steelyard.model.keys import (
    A_POOL_OF,
    M_COOLDOWN_NS,
    M_LIQUIDATION_FEE_PPM,
    M_REACH_PPM,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_SLIP_PPM,
    M_SPREAD_PPM,
    M_STATE,
    SECOND,
)
from steelyard.model.orders import (
    CHILD,
    COOLS,
    FOR_MAINTAIN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    HALTED,
    INSURANCE,
    OWES,
    SETTLED,
    SPARED,
    TO_LIQUIDATE,
    WAITS,
)
from steelyard.state.tables import MARKET_0
from tests.reference import interest, isolated, ladders, money, pool, sales, scenarios, stakes
from tests.reference.closing import close_order
from tests.reference.health import equity, health_of, holds_nothing_risky, is_healthy, kept_requirement, requirement
from tests.reference.loss import resolve_deficit
from tests.reference.numbers import atoms_worth_up, charge, part_down, part_up, up, worth
from tests.reference.positions import settle_funding
from tests.reference.standing import Standing, fund_pays_debt, meet_book, offer_to_backstop, take_penalty

PARTS = 64
EVENTS_PER_ORDER_MAX = 8_192

# --- The queue --------------------------------------------------------------------------------------------------------


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


def cool_down(twin, account, duration, state=COOLS):
    account.queued, account.due_ns = state, twin.now + duration


def cooldown_over(twin, account):
    account.due_ns = 0
    settle(twin, account.row)
    if is_healthy(twin, twin.legs_of(account.row)):
        leave(twin, account, events.ENDED_HEALTHY)
    elif account.queued == OWES:
        money.wake(twin, account.row)
    elif account.queued == SPARED and is_spared(twin, account):
        cool_down(twin, account, SECOND, SPARED)
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
    ladders.forget(twin, account.row)
    account.queued = account.started = account.health = account.due_ns = 0
    if account.role == CHILD and isolated.is_empty(twin, account.row):
        isolated.return_everything(twin, account.row)


# --- A turn -----------------------------------------------------------------------------------------------------------


def turn(twin, account):
    row, legs = account.row, twin.legs_of(account.row)
    if stakes.pay_for_debts(twin, row) and is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    if is_spared(twin, account):
        cool_down(twin, account, SECOND, SPARED)
        return
    markets = [leg for thing, leg in sorted(legs.items()) if thing > MARKET_0]
    for leg in markets:
        for order in twin.open_orders(row, leg.thing - MARKET_0):
            close_order(twin, order, events.CLOSED_LIQUIDATION)
    settle(twin, row)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    if not account.started:
        start(twin, account)
    rest = sales.sell_collateral(twin, row)
    money.convert(twin, row, beyond_cap_only=False)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    if not any(leg.quantity for leg in markets):
        patience = ladders.wait(twin, row)
        if patience:
            cool_down(twin, account, rest or patience)
            return
        take_dust(twin, row)
        settle_debts(twin, account)
        return
    workable = [leg for leg in markets if leg.quantity and can_be_closed(twin, twin.markets[leg.thing - MARKET_0])]
    if not workable:
        cool_down(twin, account, rest or SECOND)
        return
    # max() takes the first of equals: the lower thing.
    worst = max(workable, key=lambda leg: charge_of(twin, leg))
    held = {leg.thing: leg.quantity for leg in workable}
    if scenarios.scans(twin, row) and equity(twin, legs) >= 0:
        reduce_portfolio(twin, account, workable)
    else:
        work_on(twin, worst)
    if is_healthy(twin, legs):
        leave(twin, account, events.ENDED_HEALTHY)
        return
    pressing = (
        equity(twin, legs) < 0
        or equity(twin, legs) < requirement(twin, legs, FOR_TAKEOVER)
        or not any(leg.quantity for leg in markets)
    )
    if pressing and any(leg.quantity != held[leg.thing] for leg in workable):
        account.health = health_of(twin, row)
    else:
        cool_down(twin, account, twin.markets[worst.thing - MARKET_0].rule[M_COOLDOWN_NS])


def settle(twin, row):
    """Interest and funding up to now."""
    for _, leg in sorted(twin.legs_of(row).items()):
        if leg.thing > MARKET_0:
            settle_funding(twin, leg)
        elif leg.quantity < 0:
            interest.touch(twin, leg)
        elif stakes.claimable(twin, leg):
            stakes.touch(twin, leg)


def is_spared(twin, account):
    """Unhealthy, but healthy at the last good prices of what has none now."""
    legs, bad = twin.legs_of(account.row), []
    now = equity(twin, legs), requirement(twin, legs, FOR_MAINTAIN)
    if now[0] >= now[1]:
        return False
    for thing, leg in legs.items():
        if thing < MARKET_0:
            asset = twin.assets[thing]
            asset = twin.assets[asset.rule[A_POOL_OF] or thing]  # a share is worth what its asset is
            feed = twin.feed_of(asset)
            known = any(priced is asset for priced, _, _ in bad)
            if feed and feed.good_price and not known and not twin.is_good(asset, TO_LIQUIDATE):
                bad.append((asset, "price", feed.good_price))
        elif leg.quantity:
            market = twin.markets[thing - MARKET_0]
            if market.good_mark and not twin.is_good(market, TO_LIQUIDATE):
                bad.append((market, "mark", market.good_mark))
    if not bad:
        return False
    kept = [getattr(priced, name) for priced, name, _ in bad]
    for priced, name, good in bad:
        setattr(priced, name, good)
    then = equity(twin, legs), requirement(twin, legs, FOR_MAINTAIN)
    for (priced, name, _), price in zip(bad, kept, strict=True):
        setattr(priced, name, price)
    if then[0] >= then[1] and account.queued != SPARED:
        columns = {"amount": now[0], "fee": now[1], "extra": then[0], "extra2": then[1]}
        twin.emit(events.LIQUIDATION_WAITS, account=account.row, **columns)
    return then[0] >= then[1]


def charge_of(twin, leg):
    """Its weight, if it is margined by scenarios."""
    if scenarios.scans(twin, leg.account):
        return scenarios.alone(twin, twin.markets[leg.thing - MARKET_0], leg.quantity)
    return kept_requirement(twin, twin.markets[leg.thing - MARKET_0], leg.quantity, FOR_MAINTAIN)


def start(twin, account):
    account.started = 1
    ladders.begin(twin, account.row)
    legs = twin.legs_of(account.row)
    twin.emit(
        events.LIQUIDATION_STARTED,
        account=account.row,
        amount=equity(twin, legs),
        fee=requirement(twin, legs, FOR_MAINTAIN),
        extra=requirement(twin, legs, FOR_RESTORE),
        extra2=requirement(twin, legs, FOR_TAKEOVER),
    )


def can_be_closed(twin, market):
    return market.rule[M_STATE] not in (HALTED, SETTLED) and twin.is_tradable(market, TO_LIQUIDATE)


def take_dust(twin, row):
    """What an insolvent account holds is worth next to nothing: it goes to who takes the loss."""
    if equity(twin, twin.legs_of(row)) >= 0:
        return
    held = {asset: money.cash(twin, row, asset) for asset in sorted(twin.assets) if money.cash(twin, row, asset) > 0}
    if all(ladders.is_dust(twin, asset, quantity) for asset, quantity in held.items()):
        for asset, quantity in held.items():
            money.book(twin, row, asset, -quantity)
            money.book(twin, INSURANCE, asset, quantity)
            twin.emit(events.DUST_TAKEN, account=row, market=asset, amount=quantity, other=INSURANCE)


def is_short_of(twin, row, asset):
    return money.cash(twin, row, asset) < 0 and equity(twin, twin.legs_of(row)) < 0


def settle_debts(twin, account):
    """Nothing is left but cash: the fund pays what is owed beyond the account's own means, as far as it can."""
    owing = soon = False
    for asset in sorted(twin.assets):
        debt = -money.cash(twin, account.row, asset)
        worth = equity(twin, twin.legs_of(account.row))
        if debt > 0 and worth < 0 and twin.is_good(twin.assets[asset], TO_LIQUIDATE):
            short = min(debt, atoms_worth_up(-worth, twin.assets[asset].price))
            if fund_pays_debt(twin, account.row, asset, short):
                soon = True
            elif is_short_of(twin, account.row, asset) and ladders.offer_claims(twin, account.row, asset):
                cool_down(twin, account, 5 * SECOND, OWES)
                return
            else:
                pool.write_off(twin, account.row, asset)
        if debt > 0:
            owing |= money.cash(twin, account.row, asset) < 0
    if owing:
        has_cash = any(money.cash(twin, account.row, asset) > 0 for asset in twin.assets)
        cool_down(twin, account, SECOND if soon or has_cash else 60 * SECOND, OWES)
    else:
        leave(twin, account, events.ENDED_CLOSED)


# --- One leg ----------------------------------------------------------------------------------------------------------


def work_on(twin, leg):
    standing = Standing(twin, leg)
    if standing.equity >= 0:
        sell_down(twin, standing, lots_to_close(standing))
    else:
        resolve_deficit(twin, leg)


def reduce_portfolio(twin, account, workable):
    """E >= 0, by scenarios: so many 64ths of every position."""
    legs = twin.legs_of(account.row)
    parts, said = parts_to_close(twin, legs, workable), len(twin.events)
    for leg in workable if parts else ():
        lots = up(abs(leg.quantity) * parts, PARTS)
        sell_down(twin, Standing(twin, leg), lots, lots)
        if equity(twin, legs) < 0 or len(twin.events) - said > EVENTS_PER_ORDER_MAX:
            return


def parts_to_close(twin, legs, workable):
    rest = requirement(twin, legs, FOR_RESTORE) - scenarios.part(twin, legs, FOR_RESTORE)

    def spare(parts):
        after, fees = dict(legs), 0
        for leg in workable:
            market = twin.markets[leg.thing - MARKET_0]
            lots = up(abs(leg.quantity) * parts, PARTS)
            left = abs(leg.quantity) - lots
            after[leg.thing] = replace(leg, quantity=left if leg.quantity > 0 else -left)
            fee = part_up(abs(worth(market.rule, lots, market.mark)), market.rule[M_LIQUIDATION_FEE_PPM])
            fees += charge(fee, twin.assets[twin.settle(market)].price)
        return equity(twin, legs) - fees - rest - scenarios.part(twin, after, FOR_RESTORE)

    if spare(PARTS) <= spare(0):
        return 0
    too_few, enough = 0, PARTS
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if spare(middle) >= 0:
            enough = middle
        else:
            too_few = middle
    for thing, leg in legs.items():
        if thing > MARKET_0:
            market = twin.markets[thing - MARKET_0]
            if abs(worth(market.rule, leg.quantity, market.mark)) > market.rule[M_SLICE_NOTIONAL]:
                enough = min(enough, max(1, part_down(PARTS, market.rule[M_SLICE_PPM])))
    return enough


def sell_down(twin, standing, lots, most=None):
    """E >= 0: the book first, then the backstop; of a portfolio both together at most its part."""
    rule, leg = standing.market.rule, standing.leg
    bankruptcy_price = standing.bankruptcy_price()
    limit = standing.mark
    if standing.sign * (standing.mark - bankruptcy_price) > 0:
        towards = abs(standing.mark - bankruptcy_price)
        if rule[M_SPREAD_PPM]:
            towards = min(towards, max(0, standing.sign * (standing.mark - standing.spread_price())))
        else:
            towards = part_down(towards, rule[M_REACH_PPM])
        limit -= standing.sign * min(towards, part_down(standing.mark, rule[M_SLIP_PPM]))
    filled, received = meet_book(twin, standing, lots, limit)
    take_penalty(twin, standing, received, received - standing.bankruptcy(filled))
    after = Standing(twin, leg)
    if leg.quantity and 0 <= after.equity < after.takeover:
        offer_to_backstop(twin, after, after.lots if most is None else min(after.lots, most - filled), after.bankruptcy)


def lots_to_close(standing):
    """The fewest lots that restore the buffer, or all; a slice of them if the position is large."""
    rule, lots = standing.market.rule, standing.lots
    others = standing.restore - standing.kept(0, FOR_RESTORE)
    too_few, needed = 0, lots
    while needed - too_few > 1:
        middle = (too_few + needed) // 2
        fee = part_up(standing.notional(middle), rule[M_LIQUIDATION_FEE_PPM])
        restore = others + standing.kept(middle, FOR_RESTORE)
        if standing.equity - charge(fee, standing.price) - restore >= 0:
            needed = middle
        else:
            too_few = middle
    if standing.notional(lots) > rule[M_SLICE_NOTIONAL]:
        needed = min(needed, max(1, part_down(lots, rule[M_SLICE_PPM])))
    return needed
