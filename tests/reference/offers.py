"""Ladders of offers and the bids for them. See docs/concepts/offers.md."""

from dataclasses import dataclass
from fractions import Fraction

from steelyard.model import events, reject
from steelyard.model.keys import (
    A_VOLATILITY_PPM,
    C_BEYOND,
    C_CHIP_PPM,
    C_FEE_PPM,
    C_GIVES,
    C_LASTS_NS,
    C_OF,
    C_PART,
    C_SIZE,
    C_TAKER,
    C_TIP,
    UNIT,
)
from steelyard.model.orders import (
    AS_ASKED,
    FOR_MAINTAIN,
    FOR_OPEN,
    FOR_RESTORE,
    FROM_FUND,
    INSURANCE,
    MAY_BORROW,
    OWES,
    RESTART,
    SPARED,
    TO_LIQUIDATE,
    TO_WITHDRAW,
    USER,
    WAITS,
)
from steelyard.num.limits import AMOUNT_MAX, PPM
from steelyard.state.tables import MARKET_0
from tests.reference import interest, ladders, liquidation, money, stakes
from tests.reference import pairs as pairs_of
from tests.reference.health import equity, health_of, is_healthy, requirement
from tests.reference.ladders import (
    ALL,
    BIDDERS,
    BONUS,
    COVER,
    HEALTH,
    TIME,
    VOLATILITY,
    WHOLE,
    curve_at,
    is_dust,
    is_frozen,
    pairs,
    standing_offer,
)
from tests.reference.numbers import atoms_worth_down, atoms_worth_up, down, part_down, part_up, up, value
from tests.reference.rows import Bid, Leg, Refused, copied
from tests.reference.standing import give, purse_of

FAR = 1 << 60
PAID = 2  # of a liquidation that has started: a keeper was paid


# --- One offer --------------------------------------------------------------------------------------------------------


def check_target(twin, row, collateral, debt):
    legs = twin.legs_of(row)
    in_liquidation = twin.accounts[row].started and twin.accounts[row].queued != SPARED
    twin.require(in_liquidation and not is_healthy(twin, legs), reject.NOT_IN_LIQUIDATION)
    both = (twin.assets[collateral], twin.assets[debt])
    twin.require(all(twin.is_fresh(asset) for asset in both), reject.PRICE_STALE)
    twin.require(all(twin.is_good(asset, TO_LIQUIDATE) for asset in both), reject.PRICE_UNCERTAIN)
    frozen = any(is_frozen(twin, asset) for asset in (collateral, debt))
    twin.require(not frozen, reject.ASSET_FROZEN)
    twin.require(all(asset.price > 0 for asset in both), reject.NO_OFFER)
    issued = ladders.are_issued(twin, row, collateral, debt) and ladders.room_to_issue(twin, collateral) > 0
    owes = twin.quantity(row, debt) < 0
    twin.require((collateral, debt) in pairs(twin, row) or (issued and owes), reject.NO_OFFER)


@dataclass
class Offer:
    """What an account gives for a debt, as things are now."""

    twin: object
    row: int
    collateral: int
    debt: int
    step: int = 0  # of a pool; 0: the one that stands
    taker: int = BIDDERS

    def __post_init__(self):
        twin, legs = self.twin, self.twin.legs_of(self.row)
        self.equity, self.maintain = equity(twin, legs), requirement(twin, legs, FOR_MAINTAIN)
        check_target(twin, self.row, self.collateral, self.debt)
        both = (twin.assets[self.collateral], twin.assets[self.debt])
        self.issued = ladders.are_issued(twin, self.row, self.collateral, self.debt)
        bare = self.equity < 0 and not stakes.holds_more(twin, self.row, collateral=0)
        twin.require(bare or not self.issued, reject.NO_OFFER)
        found = (self.step, 0) if self.step else standing_offer(twin, self.row, self.collateral, self.debt)
        twin.require(found, reject.NO_OFFER)
        self.curve, self.time = found
        self.rule = twin.curves[self.curve]
        twin.require(self.step or self.rule[C_TAKER] == self.taker, reject.NO_OFFER)
        x = self.variable()
        self.y = curve_at(self.rule, x)
        twin.require(self.y or self.rule[C_GIVES] == BONUS, reject.NO_OFFER)
        if not self.rule[C_BEYOND]:
            self.keep_to_equity()
        self.price_held, self.price_owed = (asset.price for asset in both)
        self.held, self.owed = legs[self.collateral].quantity, -interest.cash_now(twin, legs[self.debt])
        if self.issued:
            self.held = ladders.room_to_issue(twin, self.collateral)
        self.part = curve_at(twin.curves[self.rule[C_PART]], x) if self.rule[C_PART] else None
        self.most = self.size() if self.taker == BIDDERS else 0

    def variable(self):
        twin, of = self.twin, self.rule[C_OF]
        if of == TIME:
            return self.time
        if of == VOLATILITY:
            return twin.assets[self.collateral].rule[A_VOLATILITY_PPM]
        if of == HEALTH:
            return health_of(twin, self.row)
        worth = self.worths()
        owed, held = -sum(each for each in worth if each < 0), sum(each for each in worth if each > 0)
        if of == COVER:
            return down((self.equity - self.maintain + owed) * PPM, max(1, owed))
        return up(owed * PPM, held) if held else FAR

    def keep_to_equity(self):
        """A bonus is at most the owner's part of each unit owed; a price at least what that bonus would be."""
        owed = max(1, -sum(min(0, each) for each in self.worths()))
        bonus = min(FAR, down(max(0, self.equity) * PPM, owed))
        self.y = min(self.y, bonus) if self.rule[C_GIVES] == BONUS else max(self.y, up(PPM * PPM, PPM + bonus))

    def worths(self):
        """Of all cash."""
        return [
            value(interest.cash_now(self.twin, leg), self.twin.assets[thing].price)
            for thing, leg in self.twin.legs_of(self.row).items()
            if thing < MARKET_0
        ]

    def gives(self, repaid):
        """(to the bidder, to the insurance fund), at the curve; of a part of a debt taken whole, at most that part."""
        there = down(self.held * repaid, self.owed) if self.rule[C_SIZE] == WHOLE else self.held
        gross = min(there, self.gross(self.par(repaid)))
        fee = self.fee(gross, repaid)
        return gross - fee, fee

    def par(self, repaid):
        return min(AMOUNT_MAX, down(repaid * self.price_owed, self.price_held))

    def gross(self, par):
        return par + part_down(par, self.y) if self.rule[C_GIVES] == BONUS else down(par * PPM, self.y)

    def fee(self, given, repaid):
        return 0 if self.issued else part_up(max(0, given - self.par(repaid)), self.rule[C_FEE_PPM])

    def debt_for(self, gross):
        """The fewest atoms for which so much collateral is given."""
        if self.rule[C_GIVES] == BONUS:
            par = up(gross * PPM, PPM + self.y)
        else:
            par = up(gross * self.y, PPM)
        return up(par * self.price_held, self.price_owed)

    def afterwards(self, repaid, given):
        """The account's legs with so much less of both."""
        legs = copied(self.twin, self.twin.legs_of(self.row))
        legs[self.debt].quantity += repaid
        legs[self.collateral].quantity -= given
        return legs

    def fee_paid(self, repaid, net, fee):
        """The fee, as far as the equity reaches that is left."""
        left = max(0, equity(self.twin, self.afterwards(repaid, net)))
        return min(fee, atoms_worth_down(left, self.price_held))

    def given(self, repaid):
        net, fee = self.gives(repaid)
        return net + self.fee_paid(repaid, net, fee)

    def restores(self, repaid):
        legs = self.afterwards(repaid, self.given(repaid))
        return equity(self.twin, legs) >= requirement(self.twin, legs, FOR_RESTORE)

    def size(self):
        if self.rule[C_SIZE] == WHOLE:
            return self.owed
        everything = min(self.owed, self.debt_for(self.held))
        if self.issued:
            return min(everything, atoms_worth_up(-self.equity, self.price_owed))
        most = everything if self.part is None else min(everything, part_up(self.owed, self.part))
        if self.rule[C_SIZE] != ALL and self.restores(most):
            too_few = 0
            while most - too_few > 1:
                middle = (too_few + most) // 2
                if self.restores(middle):
                    most = middle
                else:
                    too_few = middle
        return everything if most < everything and self.leaves_dust(most) else most

    def leaves_dust(self, repaid):
        rests = ((self.debt, self.owed - repaid), (self.collateral, self.held - self.given(repaid)))
        return any(is_dust(self.twin, asset, rest) for asset, rest in rests)


# --- Bids -------------------------------------------------------------------------------------------------------------


def check(twin, bid):
    """What the bid would do: (offer, repaid, to the bidder, fee)."""
    with interest.as_if_accrued(twin, bid.debt):
        offer = Offer(twin, bid.target, bid.collateral, bid.debt)
        repaid = min(bid.lots, offer.most)
        net, fee = offer.gives(repaid)
        twin.require(repaid > 0 and net > 0, reject.BID_TOO_SMALL)
        twin.require(net * bid.lots >= bid.least * repaid, reject.BID_LIMIT_NOT_MET)
        twin.require(repaid == offer.most or offer.issued or not offer.leaves_dust(repaid), reject.BID_LEAVES_DUST)
        if bid.options & AS_ASKED:
            net = down(bid.least * repaid, bid.lots)
            twin.require(net, reject.BID_TOO_SMALL)
            fee = offer.fee(net, repaid)
        check_bidder(twin, bid, repaid, net)
        return offer, repaid, net, offer.fee_paid(repaid, net, fee)


def check_names(twin, bid):
    fits = bid.options in (0, 1, 2, 3) and bid.least >= 0 and bid.debt != bid.collateral
    twin.require(fits and (bid.least or not bid.options & AS_ASKED), reject.FIELD_OUT_OF_RANGE)
    twin.require(bid.bidder in twin.accounts and bid.target in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(twin.accounts[bid.bidder].role == USER, reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(bid.bidder != bid.target, reject.SAME_ACCOUNT)
    twin.require(bid.collateral in twin.assets and bid.debt in twin.assets, reject.ASSET_UNKNOWN)
    twin.require(bid.lots > 0, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(bid.lots <= AMOUNT_MAX and bid.least <= AMOUNT_MAX, reject.AMOUNT_EXCEEDS_LIMIT)
    twin.require(not twin.accounts[bid.bidder].queued, reject.ACCOUNT_IN_LIQUIDATION)


def check_bidder(twin, bid, repaid, net):
    bidder, borrows = bid.bidder, bid.options & MAY_BORROW
    twin.require_good(money.held_markets(twin, bidder), TO_WITHDRAW)
    things = (bid.collateral, bid.debt) if borrows else (bid.collateral,)
    twin.require(twin.has_room_for_legs(bidder, things), reject.LEGS_FULL)
    free = pairs_of.free(twin, bidder, bid.debt)
    if free < repaid:
        twin.require(borrows, reject.BALANCE_TOO_LOW)
        money.check_borrowing(twin, bidder, bid.debt, repaid + money.cash(twin, bidder, bid.debt) - free)
    money.check_receiving(twin, bidder, bid.collateral, net, {bid.debt: repaid})
    legs = copied(twin, twin.legs_of(bidder))
    twin.require(not money.below_cap(twin, twin.legs_of(bidder)), reject.LOAN_CAP_EXCEEDED)
    for asset, amount in ((bid.debt, -repaid), (bid.collateral, net)):
        legs.setdefault(asset, Leg(0, bidder, asset)).quantity += amount
    enough = equity(twin, legs) >= requirement(twin, legs, FOR_OPEN)
    twin.require(enough, reject.OPENING_MARGIN_EXCEEDED)


def restart(twin, c):
    """The offers of an account begin again, now that none is left."""
    keeper, target, collateral, debt = c.account, c.order, c.market, c.trigger
    twin.require(c.lots == 0 and c.price == 0, reject.FIELD_OUT_OF_RANGE)
    check_names(twin, Bid(keeper, target, collateral, debt, 0, 1, 0, twin.seq))
    check_target(twin, target, collateral, debt)
    first = ladders.beginning(twin, collateral, debt)
    lasts = any(twin.curves[step][C_LASTS_NS] for step in ladders.ladder(twin, first)) if first else False
    twin.require(lasts and (collateral, debt) in pairs(twin, target), reject.NO_OFFER)
    twin.require(ladders.wait(twin, target) is None, reject.OFFER_STANDS)
    twin.require(twin.accounts[target].queued == OWES, reject.OFFER_STANDS)
    twin.require(equity(twin, twin.legs_of(target)) >= 0, reject.LOSS_PENDING)
    liquidation.settle(twin, target)
    account, legs, assets = twin.accounts[target], twin.legs_of(target), twin.assets
    owed = -interest.cash_now(twin, legs[debt])
    worth = value(owed, assets[debt].price)
    dust = is_dust(twin, debt, owed) or is_dust(twin, collateral, legs[collateral].quantity)
    rule, purse = twin.curves[first], purse_of(twin, FROM_FUND, UNIT)
    paid = min(purse, rule[C_TIP] + part_down(worth, rule[C_CHIP_PPM]))
    if dust or account.started == PAID or account.owner == twin.accounts[keeper].owner:
        paid = 0
    ladders.begin(twin, target)
    twin.emit(
        events.OFFERS_RESTARTED,
        account=target,
        other=keeper,
        market=collateral,
        options=debt,
        reason=first,
        amount=paid,
        fee=requirement(twin, legs, FOR_MAINTAIN),
        extra=equity(twin, legs),
        extra2=worth,
    )
    if paid:
        account.started = PAID
        give(twin, FROM_FUND, keeper, UNIT, 0, paid)
    if account.queued != WAITS:
        account.queued, account.due_ns, account.health = WAITS, 0, health_of(twin, target)


def liquidate(twin, c):
    if c.options == RESTART:
        restart(twin, c)
        return
    bid = Bid(c.account, c.order, c.market, c.trigger, c.options, c.lots, c.price, twin.seq)
    check_names(twin, bid)
    check(twin, bid)
    twin.require(len(twin.bids) < twin.limits.bids, reject.BIDS_FULL)
    own = [each for each in twin.bids if each.bidder == bid.bidder]
    places = {(each.target, each.debt, each.collateral) for each in own}
    twin.require((bid.target, bid.debt, bid.collateral) not in places, reject.BID_REPEATED)
    twin.require(len(own) < up(twin.limits.bids, 8), reject.TOO_MANY_BIDS)
    if not twin.bids:
        twin.bids_due_ns = twin.now + 1
    twin.bids.append(bid)
    twin.emit(
        events.BID_PLACED,
        account=bid.bidder,
        other=bid.target,
        market=bid.collateral,
        options=bid.debt,
        lots=bid.lots,
        amount=bid.least,
        side=bid.options,
    )


def place_in_line(bid):
    asked = Fraction(bid.least, bid.lots) if bid.options & AS_ASKED else FAR
    return bid.target, bid.debt, bid.collateral, asked, bid.seq


def fill_all(twin):
    for bid in sorted(twin.bids, key=place_in_line):
        fill(twin, bid)
    twin.bids, twin.bids_due_ns = [], 0


def tell(twin, kind, offer, repaid, net, fee, **names):
    twin.emit(
        kind,
        account=offer.row,
        market=offer.collateral,
        options=offer.debt,
        reason=offer.curve,
        price=offer.y,
        lots=repaid,
        amount=net,
        fee=fee,
        extra=offer.equity,
        extra2=value(net + fee, offer.price_held) - value(repaid, offer.price_owed),
        **names,
    )


def fill(twin, bid):
    target = twin.accounts[bid.target]
    if target.started:
        liquidation.settle(twin, bid.target)
    try:
        check_names(twin, bid)
        offer, repaid, net, fee = check(twin, bid)
    except Refused as refused:
        told = {"market": bid.collateral, "options": bid.debt, "order": bid.seq}
        twin.emit(events.BID_CLOSED, account=bid.bidder, other=bid.target, extra=refused.reason, **told)
        return
    for giver, taker, asset, amount in (
        (bid.bidder, bid.target, bid.debt, repaid),
        (0 if offer.issued else bid.target, bid.bidder, bid.collateral, net),
        (bid.target, INSURANCE, bid.collateral, fee),
    ):
        if giver:
            money.book(twin, giver, asset, -amount)
        else:
            twin.assets[asset].deposited += amount
        money.book(twin, taker, asset, amount)
    kind = events.CLAIMS_ISSUED if offer.issued else events.BID_FILLED
    tell(twin, kind, offer, repaid, net, fee, other=bid.bidder, order=bid.seq)
    if is_healthy(twin, twin.legs_of(bid.target)):
        liquidation.leave(twin, target, events.ENDED_HEALTHY)
    elif target.queued != WAITS and not offer.issued:
        target.queued, target.due_ns, target.health = WAITS, 0, health_of(twin, bid.target)
