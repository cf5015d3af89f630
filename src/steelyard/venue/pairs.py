"""What resting orders in spot pairs spend, bring and require, in plain integers. See docs/concepts/pairs.md."""

from dataclasses import dataclass

from steelyard.model.orders import CLOSE_POSITION, FOR_OPEN, POST_ONLY, POST_ONLY_SLIDE, REDUCE_ONLY, RESTING
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.reading import Reader


@dataclass(frozen=True, slots=True)
class Side:
    """All bids or all asks of one account in one pair, in atoms."""

    name: str
    paid: int  # asset
    spent: int
    got: int  # asset
    brought: int
    requirement: int = 0  # in value


def spent_on_orders(reader: Reader, account: int, asset: int) -> int:
    """What an account's orders in pairs and paid-up markets are going to spend of an asset."""
    spending = (each for leg in reader.legs(account) for each in _spending(reader, account, leg))
    return sum(spent for paid, spent in spending if paid == asset)


def _spending(reader: Reader, account: int, leg: int) -> list[tuple[int, int]]:
    """(asset, what the orders of a leg spend of it)."""
    market = reader.thing(leg) - MARKET_0
    if market <= 0:
        return []
    if is_pair(reader, market):
        return [(side.paid, side.spent) for side in flows(reader, leg)]
    rule = reader.market_rule(market)
    if not rule.is_paid:
        return []
    order, owner, total = reader.state.order, reader.owner(account), 0
    for row in reader.orders_of(leg):
        flags = int(order.options[row])
        if int(order.side[row]) > 0 and int(order.state[row]) == RESTING and not flags & (REDUCE_ONLY | CLOSE_POSITION):
            post_only = flags & (POST_ONLY | POST_ONLY_SLIDE) != 0
            lots, price = int(order.remaining[row]), int(order.price[row])
            total += least_spent(reader, market, owner, 1, lots, price, post_only)
    return [(rule.settle, total)]


def spends_cash(reader: Reader, market: int) -> bool:
    """Whether who buys must hold what he pays."""
    return is_pair(reader, market) or reader.market_rule(market).is_paid


def pair_legs(reader: Reader, account: int) -> list[int]:
    things = ((leg, reader.thing(leg) - MARKET_0) for leg in reader.legs(account))
    return [leg for leg, market in things if market > 0 and is_pair(reader, market)]


def is_pair(reader: Reader, market: int) -> bool:
    return reader.market_rule(market).base != 0


def flows(reader: Reader, leg: int) -> tuple[Side, Side]:
    """What the orders of one pair's leg spend and bring."""
    rule, orders = reader.market_rule(reader.thing(leg) - MARKET_0), reader.state.leg_open
    bids, asks = (int(column[leg]) * rule.lot_atoms for column in (orders.bid_lots, orders.ask_lots))
    paid, brought = int(orders.bid_reserve[leg]), int(orders.ask_reserve[leg])
    return (
        Side("bids", rule.settle, paid, rule.base, bids),
        Side("asks", rule.base, asks, rule.settle, brought),
    )


def sides(reader: Reader, account: int, leg: int) -> tuple[Side, ...]:
    """The sides of one pair with what their orders ask for: shares of what all the account's orders lose and gain."""
    everything = [side for each in pair_legs(reader, account) for side in flows(reader, each)]
    order, lot = reader.state.order, reader.market_rule(reader.thing(leg) - MARKET_0).lot_atoms
    found = []
    for sign, side in zip((1, -1), flows(reader, leg), strict=True):
        all_spent = sum(each.spent for each in everything if each.paid == side.paid)
        all_brought = sum(each.brought for each in everything if each.got == side.got)
        has, gets = reader.cash(account, side.paid), reader.cash(account, side.got)
        loss = max(0, _counted(reader, side.paid, has) - _counted(reader, side.paid, has - all_spent))
        gain = max(0, _counted(reader, side.got, gets + all_brought) - _counted(reader, side.got, gets))
        required = 0
        for row in reader.orders_of(leg):
            if int(order.side[row]) == sign and int(order.state[row]) == RESTING:
                base, quote = int(order.remaining[row]) * lot, int(order.remaining[row]) * int(order.reserve[row])
                spent, brought = (quote, base) if sign > 0 else (base, quote)
                cost = F.div_up(loss * spent, all_spent) if spent else 0
                required += max(0, cost - (gain * brought // all_brought if brought else 0))
        found.append(Side(side.name, side.paid, side.spent, side.got, side.brought, required))
    return tuple(found)


def _counted(reader: Reader, asset: int, quantity: int) -> int:
    """What cash adds to E - M(open)."""
    price, fresh = reader.asset_price(asset), reader.is_price_fresh(asset)
    rule, gap = reader.asset_rule(asset), reader.asset_gap(asset)
    return F.value(quantity, price) - F.cash_needed(asset, rule, quantity, price, FOR_OPEN, fresh, gap)


def least_spent(reader: Reader, market: int, owner: int, side: int, lots: int, price: int, post_only: bool) -> int:
    """What an order that pays in cash would spend, of the quote (a buy, fees included) or of a pair's base."""
    rule = reader.market_rule(market)
    if side < 0:
        return lots * rule.lot_atoms
    rate = max(0, reader.maker_rate(owner, market)) if post_only else reader.taker_rate(owner, market)
    return lots * (price * rule.scale + F.ppm_up(price * rule.scale, rate))
