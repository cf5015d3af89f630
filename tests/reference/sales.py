"""Collateral sold through spot books. See docs/concepts/offers.md, "Through a book"."""

from steelyard.model import events
from steelyard.model.keys import (
    C_TAKER,
    M_ATOMS_PER_TICK_LOT,
    M_BASE,
    M_COOLDOWN_NS,
    M_LIQUIDATION_FEE_PPM,
    M_LOT_ATOMS,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
    M_TICKS_MAX,
)
from steelyard.model.orders import BUY, FOR_RESTORE, SELL
from tests.reference import ladders, liquidation, money, offers, pairs, stakes
from tests.reference.health import equity, is_healthy, requirement
from tests.reference.ladders import ALL, BOOK
from tests.reference.numbers import atoms_worth_down, down, part_down, part_up, up
from tests.reference.rows import Refused
from tests.reference.standing import take_fee, take_from_book

EVENTS_PER_ORDER_MAX = 8_192


def sell_collateral(twin, account):
    """Pools first, then books, pair by pair. How long the account then rests, or None if no order was sent."""
    begun, rest = len(twin.events), None
    for debt in sorted(twin.assets):
        for collateral in sorted(twin.assets):
            if not is_wanted(twin, account, collateral, debt):
                continue
            stakes.absorb_pair(twin, account, collateral, debt)
            if is_wanted(twin, account, collateral, debt):
                stakes.spread_pair(twin, account, collateral, debt)
            if is_wanted(twin, account, collateral, debt) and len(twin.events) - begun <= EVENTS_PER_ORDER_MAX:
                sale = sale_of(twin, account, collateral, debt)
                if sale:
                    sale.send()
                    rest = sale.rule[M_COOLDOWN_NS]
    return rest


def is_wanted(twin, account, collateral, debt):
    return (collateral, debt) in ladders.pairs(twin, account) and not is_healthy(twin, twin.legs_of(account))


def sale_of(twin, account, collateral, debt):
    """What there is to sell, or None."""
    standing = ladders.standing_offer(twin, account, collateral, debt)
    if not standing or twin.curves[standing[0]][C_TAKER] != BOOK:
        return None
    try:
        offer = offers.Offer(twin, account, collateral, debt, taker=BOOK)
    except Refused:
        return None
    for _, market in sorted(twin.markets.items()):
        both = pairs.is_pair(market) and set(pairs.assets_of(market)) == {collateral, debt}
        if both and liquidation.can_be_closed(twin, market):
            sale = Sale(offer, market)
            fits = twin.has_room_for_legs(account, (market.thing,))
            return sale if sale.lots and fits else None
    return None


class Sale:
    """One order for a book: `sells` the collateral, or buys what is owed."""

    def __init__(self, offer, market):
        self.twin, self.offer, self.market, self.rule = offer.twin, offer, market, market.rule
        self.sells = self.rule[M_BASE] == offer.collateral
        self.lot, self.tick = self.rule[M_LOT_ATOMS], self.rule[M_ATOMS_PER_TICK_LOT]
        there = down(offer.held, self.lot) if self.sells else up(offer.owed, self.lot)
        self.lots = self.most = 0
        self.limit = self.limit_for(there) if there else 0
        if self.limit:
            one = self.limit * self.tick
            self.most = min(there, up(offer.owed, one) if self.sells else down(offer.held, one))
            self.lots = self.size() if self.most else 0

    def limit_for(self, lots):
        """Where all of it brings, or costs, what the curve says; 0 if no order could say that."""
        highest, a = self.rule[M_TICKS_MAX], lots * self.tick
        if self.sells:
            ticks = up(self.offer.debt_for(lots * self.lot), a)
            return ticks if ticks <= highest else 0
        return min(highest, down(self.offer.gross(self.offer.par(lots * self.lot)), a))

    def size(self):
        lots = self.most
        if self.offer.rule[offers.C_SIZE] != ALL and self.restores(lots):
            too_few = 0
            while lots - too_few > 1:
                middle = (too_few + lots) // 2
                if self.restores(middle):
                    lots = middle
                else:
                    too_few = middle
        if self.most * self.limit * self.tick > self.rule[M_SLICE_NOTIONAL]:
            lots = min(lots, max(1, part_down(self.most, self.rule[M_SLICE_PPM])))
        return lots

    def restores(self, lots):
        base, quote = lots * self.lot, lots * self.limit * self.tick
        repaid, given = (quote, base) if self.sells else (base, quote)
        own = equity(self.twin, self.offer.afterwards(repaid, given))
        fee = part_up(quote, self.rule[M_LIQUIDATION_FEE_PPM])
        if self.sells:
            repaid -= min(fee, atoms_worth_down(max(0, own), self.offer.price_owed))
        else:
            given += min(fee, self.offer.held - given, atoms_worth_down(max(0, own), self.offer.price_held))
        legs = self.offer.afterwards(repaid, given)
        return equity(self.twin, legs) >= requirement(self.twin, legs, FOR_RESTORE)

    def send(self):
        twin, offer, account, market = self.twin, self.offer, self.offer.row, self.market
        twin.make_market_leg(account, market)
        side = SELL if self.sells else BUY
        twin.emit(
            events.COLLATERAL_ORDER,
            account=account,
            market=market.row,
            side=side,
            reason=offer.curve,
            price=self.limit,
            lots=self.lots,
            other=market.mark,
            amount=offer.y,
            fee=offer.maintain,
            extra=offer.equity,
            extra2=self.most,
        )
        _, received = take_from_book(twin, market, account, side, self.lots, self.limit)
        quote = twin.settle(market)
        own = atoms_worth_down(max(0, equity(twin, twin.legs_of(account))), twin.assets[quote].price)
        spare = own if self.sells else min(own, money.cash(twin, account, quote))
        fee = min(part_up(abs(received), self.rule[M_LIQUIDATION_FEE_PPM]), spare)
        if fee > 0:
            take_fee(twin, account, quote, market.row, fee)
            twin.emit(events.LIQUIDATION_FEE, account=account, market=market.row, amount=fee)
