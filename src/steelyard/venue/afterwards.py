"""What an order would ask of its account: equity and opening requirement as they would be afterwards.

Only refusals need this, to say by how much an account fell short; the machine has decided by then.
"""

from dataclasses import dataclass

from steelyard.model.orders import FOR_LEAVING, FOR_OPEN, FOR_REDUCE, TO_WITHDRAW
from steelyard.venue import excess
from steelyard.venue import formulas as F
from steelyard.venue.reading import Reader


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it would rest. `freed_*` is what it gives up, if it replaces itself."""

    account: int  # whose order it is: the parent of an isolated position
    market: int
    side: int
    lots: int
    price: int
    is_post_only: bool
    is_reduce_only: bool
    freed_lots: int = 0
    freed_reserve: int = 0


@dataclass(frozen=True, slots=True)
class Afterwards:
    """In value. `holder` is the account judged; 0 for an isolated position that is not open yet."""

    holder: int
    equity: int
    requirement: int


def afterwards(reader: Reader, wish: Wish) -> Afterwards:
    """As the machine judges it: resting, or filled whole at its price if it only reduces."""
    market, table = wish.market, reader.state.leg_open
    holder = reader.acting(wish.account, market)
    if holder == wish.account and reader.is_isolated(wish.account, market):
        holder = 0
    equity = reader.equity(holder) if holder else 0
    question = FOR_REDUCE if wish.is_reduce_only else FOR_OPEN
    requirement = reader.requirement(holder, question) if holder else 0
    leg = reader.market_leg(holder, market) if holder else 0
    if leg:
        requirement -= reader.leg_requirement(leg, question)
    rule, mark, owner = reader.market_rule(market), reader.mark(market), reader.owner(wish.account)
    price = reader.asset_price(rule.settle)
    quantity = reader.quantity(leg) if leg else 0
    bids, asks = int(table.bid_lots[leg]), int(table.ask_lots[leg])
    bid_reserve, ask_reserve = int(table.bid_reserve[leg]), int(table.ask_reserve[leg])
    taker = reader.taker_rate(owner, market)
    if wish.is_reduce_only:
        signed = wish.side * wish.lots
        cost = rule.worth(signed, wish.price)
        gained = rule.gained(quantity, signed, cost, mark)
        equity += F.value(gained - F.ppm_up(abs(cost), taker), price)
        quantity += signed
    else:
        rate = max(0, reader.maker_rate(owner, market)) if wish.is_post_only else taker
        reserve = wish.lots * rule.reserve_per_lot(wish.side, wish.price, mark, rate) - wish.freed_reserve
        lots = wish.lots - wish.freed_lots
        if wish.side > 0:
            bids, bid_reserve = bids + lots, bid_reserve + reserve
        else:
            asks, ask_reserve = asks + lots, ask_reserve + reserve
    leverage, scaling = reader.leverage(holder or wish.account, market), int(reader.state.market.oi_scale_ppm[market])
    is_wide = not wish.is_reduce_only
    index, gap = reader.index(market), reader.index_gap(market) if is_wide else F.CERTAIN
    low, high = quantity - asks, quantity + bids
    if reader.scans(wish.account):
        lost = max(F.lost_at_worse_end(rule, lots, index, gap) for lots in (low, high))
        needed = max(bid_reserve, ask_reserve) + lost
        requirement += reader.scan(holder, question, market, low, high) - reader.scan(holder, question)
    else:
        upper = F.opening_lots(rule, high, mark, leverage, scaling, index, gap) + bid_reserve
        needed = max(upper, F.opening_lots(rule, low, mark, leverage, scaling, index, gap) + ask_reserve)
    requirement += sum(part.asked for part in excess.of_positions(reader, holder, market, low, high))
    requirement -= sum(part.asked for part in excess.of_positions(reader, holder))
    gap = reader.asset_gap(rule.settle) if is_wide else F.CERTAIN
    atoms = reader.equity_atoms(leg) if leg else 0
    return Afterwards(holder, equity, requirement + F.charge_opening(needed, atoms, price, gap))


def with_leverage(reader: Reader, account: int, market: int, leverage: int) -> Afterwards:
    """With another leverage setting."""
    holder = reader.acting(account, market)
    equity, requirement = reader.equity(holder), reader.requirement(holder, FOR_OPEN)
    leg, table = reader.market_leg(holder, market), reader.state.leg_open
    if leg and not reader.scans(holder):  # scenarios know no leverage
        rule, mark = reader.market_rule(market), reader.mark(market)
        index, gap = reader.index(market), reader.index_gap(market)
        scaling, quantity = int(reader.state.market.oi_scale_ppm[market]), reader.quantity(leg)
        sides = (
            (quantity + int(table.bid_lots[leg]), int(table.bid_reserve[leg])),
            (quantity - int(table.ask_lots[leg]), int(table.ask_reserve[leg])),
        )
        most = max(F.opening_lots(rule, size, mark, leverage, scaling, index, gap) + kept for size, kept in sides)
        price, gap = reader.asset_price(rule.settle), reader.asset_gap(rule.settle)
        requirement += F.charge_opening(most, reader.equity_atoms(leg), price, gap)
        requirement -= reader.leg_requirement(leg, FOR_OPEN)
    return Afterwards(holder, equity, requirement)


def with_less_cash(reader: Reader, account: int, asset: int, amount: int) -> Afterwards:
    """With this much of an asset gone."""
    price, rule, cash = reader.asset_price(asset), reader.asset_rule(asset), reader.cash(account, asset)
    equity = reader.equity(account) + F.value(cash - amount, price) - F.value(cash, price)
    requirement = reader.requirement(account, FOR_LEAVING)
    good, gap = reader.is_good(reader.feed_of_asset(asset), TO_WITHDRAW), reader.asset_gap(asset)
    requirement += F.cash_needed(asset, rule, cash - amount, price, FOR_LEAVING, good, gap)
    requirement -= F.cash_needed(asset, rule, cash, price, FOR_LEAVING, good, gap)
    requirement += sum(part.asked for part in excess.of_cash(reader, account, FOR_LEAVING, asset, cash - amount))
    requirement -= sum(part.asked for part in excess.of_cash(reader, account, FOR_LEAVING))
    return Afterwards(account, equity, requirement)
