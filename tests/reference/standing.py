"""An account and the leg that is worked on, its bankruptcy cash, and the offers made for it.

See docs/concepts/liquidation.md (one leg). Cash is signed: what the account receives for closing lots is positive for a
long, negative for a short.
"""

from dataclasses import dataclass

from steelyard.model import events
from steelyard.model.keys import (
    A_FUND_DAY_MAX,
    A_FUND_STEP_MAX,
    A_PAYER,
    A_POOL_FEE_PPM,
    HOUR,
    M_ATOMS_PER_TICK_LOT,
    M_BACKSTOP_LOTS_MAX,
    M_LIQUIDATION_FEE_PPM,
    M_PAID,
    M_PAYER,
    M_POSITION_LOTS_MAX,
    M_SLIP_PPM,
    M_SPREAD_PPM,
    M_TICKS_MAX,
    M_TICKS_MIN,
    M_URGENCY_PPM,
)
from steelyard.model.orders import (
    BACKSTOP,
    FOR_MAINTAIN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    FROM_FUND,
    INSURANCE,
    IOC,
    LIMIT,
    STP_MAKER,
)
from steelyard.num.limits import AMOUNT_MAX, LEGS_PER_ACCOUNT_MAX, PAYERS_MAX, PPM
from steelyard.state.tables import MARKET_0
from tests.reference import isolated, money, scenarios
from tests.reference.closing import shrink_reduce_only
from tests.reference.health import equity, kept_atoms, kept_requirement, may_open, position_requirement, requirement
from tests.reference.matching import match
from tests.reference.numbers import atoms_worth_down, charge, clamp, down, is_inverse, part_down, part_up, up, worth
from tests.reference.positions import trade, trade_on_copy
from tests.reference.rows import Leg, Order, copied

HALVINGS = 6
DAY = 24 * HOUR


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
        self.maintain = requirement(self.twin, legs, FOR_MAINTAIN)
        self.restore = requirement(self.twin, legs, FOR_RESTORE)
        self.takeover = requirement(self.twin, legs, FOR_TAKEOVER)
        self.positions = position_requirement(self.twin, legs)
        self.scans = scenarios.scans(self.twin, self.leg.account)
        if self.scans:
            self.maintain -= self.positions
            self.positions = sum(
                scenarios.alone(self.twin, self.twin.markets[thing - MARKET_0], leg.quantity)
                for thing, leg in legs.items()
                if thing > MARKET_0
            )
            self.maintain += self.positions
        self.quantity = self.leg.quantity
        self.sign = 1 if self.quantity > 0 else -1
        self.lots = abs(self.quantity)
        self.mark = self.market.mark

    def cash_at(self, price, lots):
        return worth(self.market.rule, self.sign * lots, price)

    def notional(self, lots):
        return abs(self.cash_at(self.mark, lots))

    def kept(self, lots_fewer, question=FOR_MAINTAIN):
        left = self.lots - lots_fewer
        if self.scans and question == FOR_MAINTAIN:
            return scenarios.alone(self.twin, self.market, self.sign * left)
        return kept_requirement(self.twin, self.market, self.sign * left, question) if left else 0

    def share(self, lots):
        return self.kept(0) - self.kept(lots)

    def bankruptcy(self, lots):
        """The cash that closing these lots must bring to cost the account all that it may."""
        if self.equity < 0 and self.sign > 0 and self.market.rule[M_PAID]:
            return self.cash_at(self.worst_price(), lots)  # a claim owes nothing
        atoms = atoms_worth_down(self.used_up(lots), self.price)
        return self.cash_at(self.mark, lots) - clamp(atoms, -AMOUNT_MAX, AMOUNT_MAX)

    def worst_price(self):
        """Where a bankrupt account may still close."""
        rule, slip = self.market.rule, part_down(self.mark, self.market.rule[M_SLIP_PPM])
        return clamp(self.mark - self.sign * slip, rule[M_TICKS_MIN], rule[M_TICKS_MAX])

    def used_up(self, lots):
        """The equity that closing these lots may cost, in value; below zero: their part of the deficit."""

        def part_of(equity):
            return down(equity * self.share(lots), self.positions)

        if self.equity < 0:
            return part_of(self.equity)
        required_anyway = self.maintain - self.positions
        fee = charge(part_up(self.notional(lots), self.market.rule[M_LIQUIDATION_FEE_PPM]), self.price)
        return max(part_of(max(0, self.equity - required_anyway)), min(part_of(self.equity), fee))

    def spread_price(self):
        """Where closing everything costs the part of what it is required that the account's health allows."""
        rule = self.market.rule
        share = min(PPM, down(rule[M_URGENCY_PPM] * (self.maintain - self.equity), max(1, self.maintain)))
        atoms = kept_atoms(self.twin, self.market, self.quantity)
        given = part_down(part_down(atoms, rule[M_SPREAD_PPM]), share)
        return self.price_bringing(self.cash_at(self.mark, self.lots) - given)

    def bankruptcy_price(self):
        return self.price_bringing(self.bankruptcy(self.lots))

    def price_bringing(self, cash):
        """Where closing everything brings this cash, rounded towards the mark."""
        rule = self.market.rule
        numer, denom = cash, self.quantity * rule[M_ATOMS_PER_TICK_LOT]
        if is_inverse(rule):
            numer, denom = -self.quantity * rule[M_ATOMS_PER_TICK_LOT], cash
            if self.sign * cash >= 0:  # no price is too high
                return rule[M_TICKS_MAX]
        price = up(numer, denom) if self.sign > 0 else down(numer, denom)
        return clamp(price, rule[M_TICKS_MIN], rule[M_TICKS_MAX])


def payers(twin, asset, market=0):
    """Who pays, in order: FROM_FUND, or shares whose pools back."""
    rule = twin.assets[asset].rule
    lists = [twin.markets[market].rule[M_PAYER : M_PAYER + PAYERS_MAX]] if market else []
    lists += [rule[A_PAYER : A_PAYER + PAYERS_MAX], [FROM_FUND]]
    return [who for who in next(each for each in lists if each[0]) if who]


def purse_of(twin, who, asset):
    """What a payer may pay now: the fund within its caps, a pool all it has."""
    if who != FROM_FUND:
        return money.cash(twin, twin.assets[who].keeper, asset)
    held = twin.assets[asset]
    purse = min(max(0, money.cash(twin, INSURANCE, asset)), held.rule[A_FUND_STEP_MAX])
    if not is_counted(held):
        return purse
    today = down(twin.now, DAY)
    if today != held.fund_day:
        twin.emit(events.FUND_DAY, market=asset, amount=held.fund_paid)
        held.fund_day, held.fund_paid = today, 0
    return min(purse, max(0, held.rule[A_FUND_DAY_MAX] - held.fund_paid))


def fund_holds(twin, asset, market):
    return sum(purse_of(twin, who, asset) for who in payers(twin, asset, market))


def is_counted(asset):
    return asset.rule[A_FUND_DAY_MAX] < AMOUNT_MAX


def give(twin, who, account, asset, market, amount, beside=0):
    if not amount:
        return
    keeper = INSURANCE if who == FROM_FUND else twin.assets[who].keeper
    money.book(twin, keeper, asset, -amount)
    money.book(twin, account, asset, amount)
    if who != FROM_FUND:
        told = {"other": who, "extra": keeper, "reason": beside, "options": asset}
        twin.emit(events.STAKES_PAID, account=account, market=market, amount=amount, **told)
        twin.show_price(who)
        return
    if is_counted(twin.assets[asset]):
        twin.assets[asset].fund_paid += amount
    if not beside:
        twin.emit(events.FUND_PAID, account=account, market=market, amount=amount, other=asset)


def fund_pays(twin, account, asset, market, wanted):
    for who in payers(twin, asset, market):
        if wanted > 0:
            part = min(wanted, purse_of(twin, who, asset))
            give(twin, who, account, asset, market, part)
            wanted -= part


def fund_pays_debt(twin, account, asset, wanted):
    """True if a payer goes on after its step, so that nobody behind it is asked yet."""
    for who in payers(twin, asset):
        part = min(wanted, purse_of(twin, who, asset))
        give(twin, who, account, asset, 0, part)
        wanted -= part
        if wanted and purse_of(twin, who, asset):
            return True
    return False


def take_fee(twin, account, asset, market, fee):
    """Pools among the payers earn their parts, the fund the rest."""
    left = fee
    for who in payers(twin, asset, market):
        if who != FROM_FUND and twin.assets[who].deposited:
            part = min(left, part_down(fee, twin.assets[who].rule[A_POOL_FEE_PPM]))
            if part:
                keeper = twin.assets[who].keeper
                money.book(twin, account, asset, -part)
                money.book(twin, keeper, asset, part)
                told = {"other": who, "extra": keeper}
                twin.emit(events.STAKES_EARNED, account=account, market=market, amount=part, **told)
                twin.show_price(who)
                left -= part
    money.book(twin, account, asset, -left)
    money.book(twin, INSURANCE, asset, left)


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
        fee=standing.maintain,
        extra=standing.equity,
        extra2=standing.positions,
    )
    return take_from_book(twin, market, account, -standing.sign, lots, limit)


def take_from_book(twin, market, account, side, lots, limit):
    order = Order(
        row=0,
        account=account,
        home=account,
        market=market.row,
        side=side,
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


def take_penalty(twin, standing, received, spare):
    """Of what fills brought, as far as there is anything to spare."""
    fee = min(part_up(abs(received), standing.market.rule[M_LIQUIDATION_FEE_PPM]), spare)
    if fee > 0:
        take_fee(twin, standing.leg.account, standing.asset, standing.market.row, fee)
        twin.emit(events.LIQUIDATION_FEE, account=standing.leg.account, market=standing.market.row, amount=fee)


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
    if len({*twin.legs_of(BACKSTOP), *twin.things_of(market)}) > LEGS_PER_ACCOUNT_MAX:
        return False
    legs = copied(twin, isolated.acting_legs(twin, BACKSTOP, BACKSTOP, market))
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
    shrink_reduce_only(twin, BACKSTOP, market)
