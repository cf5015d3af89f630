"""Reads the machine's tables: plain integers, no names and no decimals. Never writes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from steelyard.engine import queries
from steelyard.model import keys as K
from steelyard.model.orders import ADAPTIVE, CHILD, FOR_MAINTAIN, FOR_OPEN, LENDER, RESTING, SYSTEM_ACCOUNTS
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, VALUE_MAX
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.labels import Words
from steelyard.venue.machine import Machine

Prices = Sequence[tuple[int, int]]  # (thing, asset price or mark), each thing once


class Columns:
    """A state whose tables give their columns as plain arrays: several times quicker than through a recarray."""

    def __init__(self, state: Any) -> None:
        self.of = state
        self.handle = state.handle
        for name, table in vars(state).items():
            if isinstance(table, np.recarray):
                plain = np.asarray(table)
                setattr(self, name, SimpleNamespace(**{column: plain[column] for column in plain.dtype.names or ()}))
            elif isinstance(table, np.ndarray):
                setattr(self, name, table)


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool in atoms and millionths, at its last accrual."""

    asset: int
    share: int
    assets: int
    shares: int
    loans: int  # with the interest on them
    available: int
    utilisation: int
    borrow_rate: int
    rate_at_target: int | None
    supply_rate: int


class Offer(NamedTuple):
    reason: int  # why there is none
    curve: int
    y: int
    repaid: int
    net: int  # collateral to the bidder
    fee: int


class Reader:
    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._columns = Columns(machine.state)

    @property
    def state(self) -> Any:
        if self._columns.of is not self.machine.state:
            self._columns = Columns(self.machine.state)
        return self._columns

    @property
    def now_ns(self) -> int:
        return int(self.state.machine.now_ns[0])

    @property
    def seq(self) -> int:
        return int(self.state.machine.seq[0])

    @property
    def accounts(self) -> int:
        """The highest account row."""
        return int(self.state.machine.accounts[0])

    @property
    def assets(self) -> int:
        """The highest asset row."""
        return int(self.state.machine.assets[0])

    @property
    def markets(self) -> int:
        """The highest market row."""
        return int(self.state.machine.markets[0])

    # --- rules and prices

    def market_rule(self, market: int) -> F.MarketRule:
        return F.market_rule(self.state.market_rule, market, self.state.array_rule)

    def asset_rule(self, asset: int) -> F.AssetRule:
        return F.asset_rule(self.state.asset_rule, asset)

    def asset_price(self, asset: int) -> int:
        return int(self.state.asset.price[asset])

    def is_price_fresh(self, asset: int) -> bool:
        """Whether an asset's price is good for opening."""
        return self.now_ns <= int(self.state.asset.fresh_until_ns[asset])

    def is_good(self, feed: int, action: int) -> bool:
        """Whether a feed's price is good for an action; feed 0 is the unit of account."""
        return feed == 0 or bool(queries.is_good(self.state.handle, feed, action))

    def feed_of_asset(self, asset: int) -> int:
        """Of a share, the feed of what is lent."""
        lent = int(self.state.asset_rule[asset, K.A_POOL_OF])
        return int(self.state.asset_rule[lent or asset, K.A_FEED])

    def feed_of_market(self, market: int) -> int:
        """Of a pair, the feed of its base."""
        rule = self.state.market_rule[market]
        return int(rule[K.M_FEED]) or self.feed_of_asset(int(rule[K.M_BASE]))

    def asset_gap(self, asset: int) -> F.Gap:
        return int(self.state.asset.below[asset]), int(self.state.asset.above[asset])

    def index_gap(self, market: int) -> F.Gap:
        return int(self.state.market.below[market]), int(self.state.market.above[market])

    def index(self, market: int) -> int:
        return int(self.state.market.index[market])

    def mark(self, market: int) -> int:
        return int(self.state.market.mark[market])

    def price(self, thing: int) -> int:
        """Of an asset, or the mark of a market."""
        return self.asset_price(thing) if thing < MARKET_0 else self.mark(thing - MARKET_0)

    def lowest_price(self, thing: int) -> int:
        """The lowest price that a report may name."""
        return int(self.state.market_rule[thing - MARKET_0, K.M_TICKS_MIN]) if thing >= MARKET_0 else 1

    def highest_price(self, thing: int) -> int:
        """The highest price that a report may name."""
        if thing >= MARKET_0:
            return int(self.state.market_rule[thing - MARKET_0, K.M_TICKS_MAX])
        rules = self.state.market_rule[1 : int(self.state.machine.markets[0]) + 1]
        if self.lent_by(thing):
            return VALUE_MAX
        widest = int(self.state.asset_rule[thing, K.A_SUPPLY_MAX])
        for rule in rules[rules[:, K.M_SETTLE] == thing]:
            widest = max(widest, F.largest_position(rule))
        return min(VALUE_MAX, ((VALUE_MAX + 1) * ASSET_PRICE_SCALE - 1) // widest)

    def share_of(self, thing: int) -> int:
        """The shares in the pool that lends an asset; 0 without one."""
        return int(self.state.asset.pool[thing]) if thing < MARKET_0 and not self.lent_by(thing) else 0

    def shares_of(self, thing: int) -> list[int]:
        """Of all pools that lend an asset, or in which it is staked."""
        if thing >= MARKET_0:
            return []
        rules = self.state.asset_rule[: self.assets + 1, K.A_POOL_OF].tolist()
        table, last = self.state.asset, int(self.state.asset.pool[thing])
        return [row for row, of in enumerate(rules) if row and of == thing and (table.keeper[row] or row == last)]

    def pool_assets(self, share: int) -> int:
        """What belongs to the holders of shares, at the last accrual."""
        keeper, of = int(self.state.asset.keeper[share]), self.lent_by(share)
        return self.cash(keeper, of) if keeper else self.pool(of).assets

    def lent_by(self, thing: int) -> int:
        """What the pool lends of which this is a share; 0 if it is none."""
        return int(self.state.asset_rule[thing, K.A_POOL_OF]) if thing < MARKET_0 else 0

    def pool(self, asset: int) -> Pool:
        """Of the asset that a pool lends, or of its share."""
        lent = int(self.state.asset_rule[asset, K.A_POOL_OF]) or asset
        table = self.state.asset
        owed, loans, share = int(table.owed[lent]), int(table.loans[lent]), int(table.pool[lent])
        leg = self.find(LENDER, lent)
        cash = max(0, self.settled(leg)) if leg else 0
        whole = cash + owed - loans
        used = min(PPM, owed * PPM // whole) if whole > 0 else PPM
        adaptive = int(self.state.asset_rule[lent, K.A_RATE_KIND]) == ADAPTIVE
        rate = int(queries.borrow_rate(self.state.handle, lent))
        return Pool(
            asset=lent,
            share=share,
            assets=cash + owed - loans - int(table.reserve[lent]),
            shares=int(table.deposited[share]),
            loans=owed,
            available=max(0, cash - loans),
            utilisation=used,
            borrow_rate=rate,
            rate_at_target=int(table.rate_held[lent]) if adaptive else None,
            supply_rate=rate * used * (PPM - int(self.state.asset_rule[lent, K.A_RESERVE_PPM])) // PPM**2,
        )

    def taker_rate(self, owner: int, market: int) -> int:
        return self._fee(K.M_TAKER_PPM, owner, market)

    def maker_rate(self, owner: int, market: int) -> int:
        return self._fee(K.M_MAKER_PPM, owner, market)

    def _fee(self, key: int, owner: int, market: int) -> int:
        rule = self.state.market_rule[market]
        tier = min(int(self.state.owner_rule[owner, K.O_FEE_TIER]), int(rule[K.M_FEE_TIERS]) - 1)
        return int(rule[key + tier])

    # --- accounts and legs

    def exists(self, account: int) -> bool:
        return 0 < account <= self.accounts

    def owner(self, account: int) -> int:
        return int(self.state.account.owner[account])

    def parent(self, account: int) -> int:
        return int(self.state.account.parent[account])

    def is_child(self, account: int) -> bool:
        return int(self.state.account.role[account]) == CHILD

    def legs(self, account: int) -> Iterator[int]:
        """Rows of an account's legs, in order of thing."""
        leg = self.state.leg
        rows = []
        row = int(self.state.account.first_leg[account])
        while row:
            rows.append(row)
            row = int(leg.next_of_account[row])
        return iter(sorted(rows, key=lambda each: int(leg.thing[each])))

    def thing(self, leg: int) -> int:
        return int(self.state.leg.thing[leg])

    def settled(self, leg: int) -> int:
        """Atoms of cash in the books, without the interest that a debt will pay when it is next settled."""
        return int(self.state.leg.quantity[leg])

    def quantity(self, leg: int) -> int:
        """Lots or atoms; a debt with the interest that has accrued on it."""
        quantity = int(self.state.leg.quantity[leg])
        if quantity < 0 and self.thing(leg) < MARKET_0:
            index = int(self.state.asset.borrow_index[self.thing(leg)])
            return -F.div_up(-quantity * index, int(self.state.leg.index_at_touch[leg]))
        return quantity

    def find(self, account: int, thing: int) -> int:
        return int(queries.find_leg(self.state.handle, account, thing))

    def market_leg(self, account: int, market: int) -> int:
        return self.find(account, MARKET_0 + market)

    def cash(self, account: int, asset: int) -> int:
        leg = self.find(account, asset)
        return self.quantity(leg) if leg else 0

    def is_isolated(self, account: int, market: int) -> bool:
        word = int(self.state.owner_rule[self.owner(account), K.O_ISOLATED + market // 64])
        return bool(word >> (market % 64) & 1)

    def acting(self, account: int, market: int) -> int:
        """The account that holds this market for `account`: its isolated child if there is one, or itself."""
        if not self.is_isolated(account, market):
            return account
        leg = self.market_leg(account, market)
        return (int(self.state.leg.child[leg]) or account) if leg else account

    def leverage(self, account: int, market: int) -> int:
        """In force: the setting or the market's default, capped by the owner's risk tier."""
        state = self.state
        leg = self.market_leg(account, market)
        chosen = int(state.leg_open.leverage[leg]) if leg else 0
        tier = int(state.owner_rule[self.owner(account), K.O_RISK_TIER])
        default = int(state.market_rule[market, K.M_LEVERAGE_DEFAULT])
        return min(chosen or default, int(state.tier_rule[tier, K.T_LEVERAGE_MAX]))

    def children(self, account: int) -> list[int]:
        return [child for child in (int(self.state.leg.child[leg]) for leg in self.legs(account)) if child]

    # --- health

    def equity(self, account: int) -> int:
        return int(queries.equity(self.state.handle, account))

    def requirement(self, account: int, question: int) -> int:
        return int(queries.requirement(self.state.handle, account, question))

    def leg_equity(self, leg: int) -> int:
        return int(queries.leg_equity(self.state.handle, leg))

    def equity_atoms(self, leg: int) -> int:
        """E of a market leg in atoms of what it settles in."""
        market, quantity = self.thing(leg) - MARKET_0, self.quantity(leg)
        rule, table = self.market_rule(market), self.state.leg
        now, then = int(self.state.market.funding_index[market]), int(table.index_at_touch[leg])
        return rule.worth(quantity, self.mark(market)) - int(table.cost[leg]) - rule.accrued_up(quantity, now, then)

    def leg_requirement(self, leg: int, question: int) -> int:
        return int(queries.leg_requirement(self.state.handle, leg, question))

    def scans(self, account: int) -> bool:
        """Whether it is margined by scenarios."""
        return bool(self.state.owner_rule[self.owner(account), K.O_MARGIN])

    def scan(self, account: int, question: int, market: int = 0, low: int = 0, high: int = 0) -> int:
        """The position part by scenarios; in one market with lots between these, if one is named."""
        return int(queries.scan(self.state.handle, account, question, market, low, high))

    def slack_at(self, account: int, prices: Prices) -> int:
        """E - M(maintain) if these asset prices and marks stood."""
        self._list(prices)
        return int(queries.slack_at(self.state.handle, account, len(prices)))

    @contextmanager
    def at_prices(self, prices: Prices) -> Iterator[None]:
        """Inside the block every question is answered at these asset prices and marks."""
        self._list(prices)
        count = int(queries.exchange_prices(self.state.handle, len(prices)))
        kept = self.state.scratch[: 2 * count].copy()
        try:
            yield
        finally:
            self.state.scratch[: 2 * count] = kept
            queries.exchange_prices(self.state.handle, count)

    def _list(self, prices: Prices) -> None:
        scratch = self.state.scratch
        for place, (thing, price) in enumerate(prices):
            scratch[2 * place] = thing
            scratch[2 * place + 1] = price

    def slack(self, account: int) -> int:
        """E - M(maintain)."""
        return self.equity(account) - self.requirement(account, FOR_MAINTAIN)

    def free(self, account: int) -> int:
        return max(0, self.equity(account) - self.requirement(account, FOR_OPEN))

    def offer(self, account: int, collateral: int, debt: int) -> Offer:
        """What a bid for everything that an account offers would repay and receive now."""
        reason = int(queries.offer(self.state.handle, account, collateral, debt))
        bid = self.machine.state.bid[0]
        if reason:
            return Offer(reason, 0, 0, 0, 0, 0)
        return Offer(0, int(bid.curve), int(bid.value), int(bid.repaid), int(bid.net), int(bid.fee))

    def curve_rules(self) -> dict[int, F.CurveRule]:
        table = self.state.curve_rule
        return {row: F.curve_rule(table, row) for row in range(1, int(self.state.machine.curves[0]) + 1)}

    # --- orders

    def orders_of(self, leg: int) -> Iterator[int]:
        """Rows of a leg's open orders, oldest first."""
        order = self.state.order
        row = int(self.state.leg_open.first_order[leg])
        while row:
            yield row
            row = int(order.next_of_leg[row])

    def market_of_order(self, row: int) -> int:
        state = self.state
        return int(state.leg.thing[int(state.order.leg[row])]) - MARKET_0

    def open_orders(self, account: int) -> Iterator[int]:
        """Rows of the open orders of an account and its children, leg by leg in order of thing, oldest first."""
        for leg in self.legs(account):
            if self.thing(leg) < MARKET_0:
                continue
            yield from self.orders_of(leg)
            child = int(self.state.leg.child[leg])
            if child:
                yield from self.orders_of(self.find(child, self.thing(leg)))

    def words(self, row: int) -> Words:
        note = self.state.note
        return (
            int(note.client0[row]),
            int(note.client1[row]),
            int(note.client2[row]),
            int(note.client3[row]),
            int(note.client4[row]),
        )

    def find_order(self, account: int, order_id: int, words: Words) -> int:
        """The row of an open order of the account or its children, by id or by client id; 0 if there is none."""
        if not self.exists(account):
            return 0
        for row in self.open_orders(account):
            if self.words(row) == words if order_id == 0 else int(self.state.order.id[row]) == order_id:
                return row
        return 0

    def levels(self, market: int, side: int) -> list[tuple[int, int, int]]:
        """Resting orders of one side as (ticks, lots, orders), best first."""
        order, leg = self.state.order, self.state.leg
        rows = np.flatnonzero((order.state == RESTING) & (order.side == side))
        rows = rows[leg.thing[order.leg[rows]] == MARKET_0 + market]
        found: dict[int, tuple[int, int]] = {}
        for ticks, lots in zip(order.price[rows].tolist(), order.remaining[rows].tolist(), strict=True):
            total, count = found.get(ticks, (0, 0))
            found[ticks] = total + lots, count + 1
        return [(ticks, *found[ticks]) for ticks in sorted(found, reverse=side > 0)]

    # --- all accounts

    def queued(self) -> list[int]:
        return [int(row) for row in np.flatnonzero(self.state.account.queued[: self.accounts + 1])]

    def is_system(self, account: int) -> bool:
        return 0 < account <= SYSTEM_ACCOUNTS
