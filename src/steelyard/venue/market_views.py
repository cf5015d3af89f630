"""Builds the records of markets, books, funds and the queue from the machine's tables."""

from decimal import Decimal
from fractions import Fraction
from math import floor

from steelyard.model import keys as K
from steelyard.model.orders import SYSTEM_ACCOUNTS
from steelyard.num.limits import PPM, VIRTUAL_ATOMS, VIRTUAL_SHARES, YEAR_NS
from steelyard.state.tables import MARKET_0
from steelyard.venue.amounts import PPB_STEP, PPM_STEP, RATE_STEP
from steelyard.venue.instruments import SYSTEM_NAMES, Names
from steelyard.venue.market_records import (
    Basis,
    Book,
    Fund,
    FundingRate,
    Funds,
    Level,
    LeverageTier,
    MarketView,
    PoolView,
    QueueEntry,
)
from steelyard.venue.parameters import STATES, rate
from steelyard.venue.reading import Reader
from steelyard.venue.views import QUEUED


class MarketViews:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names

    def market(self, row: int) -> MarketView:
        market, table = self.names.market_at(row), self.reader.state.market
        rule = self.reader.state.market_rule[row]
        own = self.reader.state.feed.fresh_until_ns[market.feed] if market.feed else table.fresh_until_ns[row]
        fresh_until = int(own)

        def price(ticks: int) -> Decimal | None:
            return market.tick.back(ticks) if ticks else None

        expiry, now = int(rule[K.M_EXPIRY_NS]), self.reader.now_ns
        mark, index = int(table.mark[row]), int(table.index[row])
        left = max(0, expiry - now) if expiry else None
        annual = (mark - index) * YEAR_NS * PPM // (index * left) if index and left else None
        unit = int(rule[K.M_SETTLE_PRICE])
        earned = (unit - mark) * YEAR_NS * PPM // (mark * left) if unit and mark and left else None
        return MarketView(
            symbol=market.name,
            settle=market.settle.name,
            base=market.base.name if market.base else None,
            state=STATES[int(rule[K.M_STATE])],
            tick=market.tick.size,
            lot=market.lot.size,
            mark=price(int(table.mark[row])),
            index=price(int(table.index[row])),
            index_is_fresh=bool(table.index[row]) and self.reader.now_ns <= fresh_until,
            last=price(int(table.last[row])),
            bid=price(int(table.best_bid[row])),
            ask=price(int(table.best_ask[row])),
            open_interest=market.lot.back(int(table.open_interest[row])),
            opening_scale=PPM_STEP.back(int(table.oi_scale_ppm[row])),
            funding=self.funding(row),
            expiry_ns=expiry or None,
            expires_in_ns=left,
            basis=market.tick.back(mark - index) if mark and index else None,
            basis_annualised=None if annual is None or not mark else PPM_STEP.back(annual),
            rate=None if earned is None else PPM_STEP.back(earned),
            at_ns=self.reader.now_ns,
        )

    def basis(self, row: int, against: int | None) -> Basis | None:
        """A market's mark against its own index, or against another market's mark; None without both."""
        market, table = self.names.market_at(row), self.reader.state.market
        other = self.names.market_at(row if against is None else against)
        near = int(table.index[row] if against is None else table.mark[against])
        if not int(table.mark[row]) or not near:
            return None
        price, below = market.tick.back(int(table.mark[row])), other.tick.back(near)
        over = self._apart(row, against)
        ratio = Fraction(price - below) / Fraction(below)
        return Basis(
            symbol=market.name,
            against="index" if against is None else other.name,
            price=price,
            against_price=below,
            basis=price - below,
            over_ns=over,
            annualised=PPM_STEP.back(floor(ratio * YEAR_NS * PPM / over)) if over else None,
            at_ns=self.reader.now_ns,
        )

    def _apart(self, row: int, against: int | None) -> int | None:
        """From the earlier date to the later one; the date of what has none is now."""
        rule, now = self.reader.state.market_rule, self.reader.now_ns
        dates = [int(rule[each, K.M_EXPIRY_NS]) if each is not None else 0 for each in (row, against)]
        if not any(dates):
            return None
        first, second = (max(now, date) for date in dates)
        return abs(first - second)

    def funding(self, row: int) -> FundingRate | None:
        """None for a market without funding, or without a price yet."""
        market, table = self.names.market_at(row), self.reader.state.market
        interval = int(self.reader.state.market_rule[row, K.M_FUNDING_INTERVAL_NS])
        if not int(table.next_funding_ns[row]) or not int(table.mark[row]):
            return None
        return FundingRate(
            symbol=market.name,
            mark_price=market.tick.back(int(table.mark[row])),
            index_price=market.tick.back(int(table.index[row])),
            interest_rate=PPB_STEP.back(int(self.reader.state.market_rule[row, K.M_INTEREST_PPB])),
            rate=PPB_STEP.back(int(table.funding_rate[row])),
            next_rate=PPB_STEP.back(self._next_rate(row)),
            next_ns=int(table.next_funding_ns[row]),
            interval_ns=interval,
            at_ns=self.reader.now_ns,
        )

    def _next_rate(self, row: int) -> int:
        """The rate that the samples so far would give, in billionths. See docs/concepts/funding.md."""
        rule = self.reader.state.market_rule[row]
        interval, sample, interest, pull, cap, divisor = (
            int(rule[key])
            for key in (
                K.M_FUNDING_INTERVAL_NS,
                K.M_SAMPLE_INTERVAL_NS,
                K.M_INTEREST_PPB,
                K.M_FUNDING_CLAMP_PPB,
                K.M_FUNDING_CAP_PPB,
                K.M_PREMIUM_DIVISOR,
            )
        )
        premium = int(self.reader.state.market.premium_sum[row]) // (max(1, interval // sample) * divisor)
        wanted = premium + max(-pull, min(interest - premium, pull))
        return max(-cap, min(wanted, cap))

    def pool(self, name: str) -> PoolView:
        """By the asset that it lends."""
        share, asset = self.names.share_of(name), self.names.asset(name)
        pool, back = self.reader.pool(asset.row), asset.atom.back
        coins = 10**share.decimals * (pool.assets + VIRTUAL_ATOMS) // (pool.shares + VIRTUAL_SHARES)
        return PoolView(
            asset=asset.name,
            share=share.name,
            assets=back(pool.assets),
            loans=back(pool.loans),
            available=back(pool.available),
            utilisation=PPM_STEP.back(pool.utilisation),
            borrow_rate=PPM_STEP.back(pool.borrow_rate),
            rate_at_target=None if pool.rate_at_target is None else RATE_STEP.back(pool.rate_at_target),
            supply_rate=PPM_STEP.back(pool.supply_rate),
            shares=share.atom.back(pool.shares),
            share_value=back(coins),
            share_price=share.price_step.back(self.reader.asset_price(share.row)),
            at_ns=self.reader.now_ns,
        )

    def leverage_tiers(self, row: int) -> tuple[LeverageTier, ...]:
        market, rule = self.names.market_at(row), self.reader.market_rule(row)
        money = market.settle.atom
        tiers, below = [], 0
        for place, bracket in enumerate(rule.brackets):
            tiers.append(
                LeverageTier(
                    tier=place + 1,
                    symbol=market.name,
                    currency=market.settle.name,
                    min_notional=money.back(below),
                    max_notional=money.back(bracket.upper),
                    maintenance_margin_rate=rate(bracket.maintain),
                    initial_margin_rate=rate(bracket.open),
                    max_leverage=PPM // bracket.open,
                    deduction=money.back(bracket.deduct_maintain),
                )
            )
            below = bracket.upper
        return tuple(tiers)

    def book(self, row: int, depth: int) -> Book:
        market = self.names.market_at(row)
        sides = []
        for side in (1, -1):
            levels = self.reader.levels(row, side)[:depth]
            sides.append(
                tuple(
                    Level(price=market.tick.back(ticks), amount=market.lot.back(lots), orders=orders)
                    for ticks, lots, orders in levels
                )
            )
        bids, asks = sides
        return Book(symbol=market.name, bids=bids, asks=asks, at_ns=self.reader.now_ns)

    def funds(self) -> Funds:
        reader, unit = self.reader, self.names.asset_at(1).atom
        found = {}
        for account, name in zip(range(1, SYSTEM_ACCOUNTS + 1), SYSTEM_NAMES, strict=True):
            balances = {}
            for leg in reader.legs(account):
                if reader.thing(leg) < MARKET_0:
                    asset = self.names.asset_at(reader.thing(leg))
                    balances[asset.name] = asset.atom.back(reader.quantity(leg))
            found[name] = Fund(name=name, balances=balances, equity=unit.back(reader.equity(account)))
        return Funds(**found)

    def queue(self) -> tuple[QueueEntry, ...]:
        """Waiting accounts in the order of their turns, then those that cool down by the end of it."""
        table = self.reader.state.account
        entries = []
        for account in self.reader.queued():
            state, health, due = (int(column[account]) for column in (table.queued, table.health, table.due_ns))
            entry = QueueEntry(
                account=self.names.account_name(account),
                health=PPM_STEP.back(health),
                state=QUEUED[state] or "",
                due_ns=due or None,
            )
            entries.append(((state, due or health, account), entry))
        return tuple(entry for _, entry in sorted(entries, key=lambda each: each[0]))
