"""Refusals told in full: what was asked, which limit stood in the way, and the numbers on both sides of it."""

from typing import Any

from steelyard.model import commands as C
from steelyard.model import keys as K
from steelyard.model import reject as no
from steelyard.model.orders import CLOSE_POSITION, FOR_OPEN, POST_ONLY, POST_ONLY_SLIDE, REDUCE_ONLY
from steelyard.model.orders import MARKET as MARKET_ORDER
from steelyard.model.reject import Reject
from steelyard.num.limits import ASSET_PRICE_SCALE, VALUE_MAX
from steelyard.venue import formulas as F
from steelyard.venue.amounts import Step, clock_text, duration_text, grouped, ratio_down, trimmed
from steelyard.venue.event_rows import SIDES
from steelyard.venue.instruments import Market, Names
from steelyard.venue.labels import Words, label_text
from steelyard.venue.reading import Reader
from steelyard.venue.refusals import SENTENCES


class Asked:
    """The first row of a refused command, as plain integers by column."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows
        self._columns = dict(zip(rows.dtype.names, rows[0].item(), strict=True))

    def __getattr__(self, name: str) -> int:
        return int(self._columns[name])

    @property
    def words(self) -> Words:
        return (self.client0, self.client1, self.client2, self.client3, self.client4)


class Reasons:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names

    def tell(self, reason: Reject, detail: int, rows: Any) -> str:
        """`detail` is what the event names beside its reason: an order's id or a parameter's key."""
        asked = Asked(rows)
        if asked.kind == C.CONFIGURE:
            return f"configure: {SENTENCES[reason]} (key {detail})"
        numbers = self._numbers(reason, detail, asked)
        return f"{self._asked(asked)}: {SENTENCES[reason]}{f' ({numbers})' if numbers else ''}"

    # --- what was asked

    def _asked(self, asked: Asked) -> str:
        who = self.names.account_name(asked.account) if asked.account else ""
        words = {
            C.CLOCK: lambda: f"advance to {clock_text(asked.at_ns)}",
            C.PRICE: lambda: f"set {len(asked.rows)} price{'s' if len(asked.rows) > 1 else ''}",
            C.OPEN_ACCOUNT: lambda: f"open an account for owner {asked.account}",
            C.DEPOSIT: lambda: f"deposit {self._cash(asked)} to {who}",
            C.WITHDRAW: lambda: f"withdraw {self._cash(asked)} from {who}",
            C.CONFIRM_WITHDRAWAL: lambda: f"confirm withdrawal {label_text(asked.words)}",
            C.RETURN_WITHDRAWAL: lambda: f"return withdrawal {label_text(asked.words)}",
            C.TRANSFER: lambda: f"transfer {self._cash(asked)} from {who} to {self.names.account_name(asked.order)}",
            C.MOVE_MARGIN: lambda: f"move margin of {who} in {self.names.symbol(asked.market)}",
            C.SET_LEVERAGE: lambda: f"set leverage of {who} in {self.names.symbol(asked.market)} to {asked.lots}",
            C.SET_MARGIN_MODE: lambda: f"change the margin mode of {who} in {self.names.symbol(asked.market)}",
            C.PLACE_ORDER: lambda: f"{who}: {self._order(asked)}",
            C.AMEND_ORDER: lambda: f"{who}: amend order {asked.order or label_text(asked.words)}",
            C.CANCEL_ORDER: lambda: f"{who}: cancel order {asked.order or label_text(asked.words)}",
            C.CANCEL_ALL: lambda: f"{who}: cancel all orders",
            C.CANCEL_AFTER: lambda: f"{who}: cancel all orders after {duration_text(asked.lots)}",
        }
        tell = words.get(asked.kind)
        return tell() if tell else f"command {asked.kind}"

    def _cash(self, asked: Asked) -> str:
        asset = self.names.asset_at(asked.market)
        return f"{grouped(asset.atom.back(asked.lots))} {asset.name}"

    def _order(self, asked: Asked) -> str:
        market = self.names.market_at(asked.market)
        reduces = "reduce-only " if asked.options & (REDUCE_ONLY | CLOSE_POSITION) else ""
        size = market.lot.text(asked.lots)
        where = "at market" if asked.order_type == MARKET_ORDER else f"at {market.tick.text(asked.price)}"
        return f"{reduces}{SIDES.get(asked.side, '?')} {size} {market.name} {where}"

    # --- the numbers

    def _numbers(self, reason: Reject, detail: int, asked: Asked) -> str:
        reader = self.reader
        if reason == no.OPENING_MARGIN_EXCEEDED or reason == no.PARENT_MARGIN_EXCEEDED:
            return self._margin(asked)
        if reason == no.BALANCE_TOO_LOW:
            return self._balance(asked)
        if reason == no.COINS_NOT_PRESENT:
            asset, row = self.names.asset_at(asked.market), reader.state.asset
            inside = int(row.deposited[asset.row]) - int(row.withdrawn[asset.row]) - int(row.reserved[asset.row])
            loans = max(0, int(row.loans[asset.row]) - max(0, reader.cash(4, asset.row)))
            return f"{asset.atom.text(inside)} inside, {asset.atom.text(loans)} of it lent out"
        if asked.kind == C.PRICE:
            return "; ".join(filter(None, (self._price_limit(reason, row) for row in asked.rows)))
        if reason == no.CLIENT_ID_REPEATED:
            return f"order {detail}"
        if reason == no.TIME_WENT_BACK or reason == no.EXPIRY_NOT_IN_FUTURE:
            return f"the clock is at {clock_text(reader.now_ns)}"
        if reason == no.ACCOUNT_IN_LIQUIDATION:
            return self._health(asked)
        if asked.market and reader.state.market_rule is not None and asked.kind in (C.PLACE_ORDER, C.AMEND_ORDER):
            return self._order_numbers(reason, asked, self.names.market_at(asked.market or 0))
        return ""

    def _order_numbers(self, reason: Reject, asked: Asked, market: Market) -> str:
        table, rule = self.reader.state.market, self.reader.state.market_rule[market.row]
        mark = int(table.mark[market.row])
        if reason == no.SIZE_EXCEEDS_LIMIT:
            return f"at most {market.lot.text(rule[K.M_ORDER_LOTS_MAX])}"
        if reason == no.PRICE_EXCEEDS_LIMIT:
            return f"at most {market.tick.text(rule[K.M_TICKS_MAX])}"
        if reason == no.PRICE_OUTSIDE_BAND:
            band = F.ppm_down(mark, int(rule[K.M_PRICE_BAND_PPM]))
            word, limit = ("at most", mark + band) if asked.side > 0 else ("at least", mark - band)
            return f"{word} {market.tick.text(limit)}; mark {market.tick.text(mark)}"
        if reason == no.POST_ONLY_WOULD_CROSS:
            best = int(table.best_ask[market.row] if asked.side > 0 else table.best_bid[market.row])
            return f"best {'ask' if asked.side > 0 else 'bid'} {market.tick.text(best)}"
        if reason == no.POSITION_LIMIT:
            lots, notional = rule[K.M_POSITION_LOTS_MAX], self.reader.market_rule(market.row).brackets[-1].upper
            return (
                f"at most {market.lot.text(lots)} per owner, and a notional of at most "
                f"{market.settle.atom.text(notional)} {market.settle.name}"
            )
        if reason == no.OPEN_INTEREST_LIMIT:
            now, most = int(table.open_interest[market.row]), rule[K.M_OPEN_INTEREST_LOTS_MAX]
            return f"{market.lot.text(now)} now, at most {market.lot.text(most)}"
        if reason == no.TRIGGER_WOULD_FIRE_AT_ONCE:
            return f"trigger {market.tick.text(asked.trigger)}, mark {market.tick.text(mark)}"
        if reason == no.PRICE_STALE:
            return "no mark price yet" if mark == 0 else f"index of {market.name} last fresh {self._fresh(market.row)}"
        if reason == no.NOTHING_TO_REDUCE:
            leg = self.reader.market_leg(self.reader.acting(asked.account, market.row), market.row)
            return f"position {market.lot.text(self.reader.quantity(leg) if leg else 0)}"
        return ""

    def _price_limit(self, reason: int, row: Any) -> str:
        """The highest price of a report's feed, if the report is above it."""
        fed, price = self.names.feed_at(int(row["market"])), int(row["price"])
        if reason != no.PRICE_EXCEEDS_LIMIT:
            return ""
        if isinstance(fed, Market):
            step, most = fed.tick, int(self.reader.state.market_rule[fed.row, K.M_TICKS_MAX])
            return f"{fed.name} {step.text(price)}, at most {step.text(most)}" if price > most else ""
        supply = int(self.reader.state.asset_rule[fed.row, K.A_SUPPLY_MAX])
        most = min(VALUE_MAX, VALUE_MAX * ASSET_PRICE_SCALE // supply)
        text = f"{fed.name} {trimmed(fed.price_step.back(price))}, at most {trimmed(fed.price_step.back(most))}"
        return f"{text} with a supply_max of {grouped(fed.atom.back(supply))}" if price > most else ""

    def _fresh(self, market: int) -> str:
        return f"until {clock_text(int(self.reader.state.market.fresh_until_ns[market]))}"

    def _unit(self) -> tuple[Step, str]:
        unit = self.names.asset_at(1)
        return unit.atom, unit.name

    def _health(self, asked: Asked) -> str:
        account = asked.account
        if asked.kind == C.PLACE_ORDER:
            account = self.reader.acting(account, asked.market)
        health = int(self.reader.state.account.health[account])
        share = ratio_down(health, 10**6)
        return f"equity was {share} of the maintenance requirement when it was queued"

    def _balance(self, asked: Asked) -> str:
        account = asked.account
        if asked.kind in (C.PLACE_ORDER, C.AMEND_ORDER):
            return self._margin(asked)
        if asked.kind == C.MOVE_MARGIN:
            market = self.names.market_at(asked.market)
            if asked.lots < 0:
                account = self.reader.acting(account, market.row)
            asset = market.settle
        else:
            asset = self.names.asset_at(asked.market)
        cash = self.reader.cash(account, asset.row)
        return f"{self.names.account_name(account)} holds {grouped(asset.atom.back(cash))} {asset.name}"

    def _margin(self, asked: Asked) -> str:
        """Equity, the opening requirement with what was asked, and what is missing."""
        reader = self.reader
        atom, unit = self._unit()
        if asked.kind == C.PLACE_ORDER:
            account = reader.acting(asked.account, asked.market)
            isolated = reader.is_isolated(asked.account, asked.market)
            fresh_child = isolated and account == asked.account
            equity = 0 if fresh_child else reader.equity(account)
            before = 0 if fresh_child else reader.requirement(account, FOR_OPEN)
            needed = before + self._order_requirement(asked, account, fresh_child)
            if isolated:
                parent = asked.account
                held = reader.cash(parent, self.names.market_at(asked.market).settle.row)
                spare = reader.equity(parent) - reader.requirement(parent, FOR_OPEN)
                settle = self.names.market_at(asked.market).settle
                return (
                    f"the isolated position needs {grouped(atom.back(max(0, needed - equity)))} {unit} more; "
                    f"{self.names.account_name(parent)} holds {grouped(settle.atom.back(held))} {settle.name} "
                    f"and has {grouped(atom.back(spare))} {unit} above its own requirement"
                )
        else:
            account = asked.account
            equity, needed = reader.equity(account), reader.requirement(account, FOR_OPEN)
            if asked.kind in (C.WITHDRAW, C.TRANSFER):
                asset = asked.market
                price, rule, cash = reader.asset_price(asset), reader.asset_rule(asset), reader.cash(account, asset)
                left = cash - asked.lots
                equity += F.value(left, price) - F.value(cash, price)
                needed += F.cash_requirement(asset, rule, left, price, FOR_OPEN)
                needed -= F.cash_requirement(asset, rule, cash, price, FOR_OPEN)
            elif asked.kind == C.SET_LEVERAGE:
                needed += self._leverage_requirement(asked, account)
        short = needed - equity
        text = f"equity {grouped(atom.back(equity))}, requirement {grouped(atom.back(needed))} afterwards"
        return f"{text}, short by {grouped(atom.back(short))} {unit}" if short > 0 else f"{text} {unit}"

    def _order_requirement(self, asked: Asked, account: int, fresh_child: bool) -> int:
        """By how much M(open) of the acting account would rise with this order."""
        reader, market = self.reader, asked.market
        rule, mark = reader.market_rule(market), reader.mark(market)
        leg = 0 if fresh_child else reader.market_leg(account, market)
        table = reader.state.leg_open
        quantity = reader.quantity(leg) if leg else 0
        bids, asks = int(table.bid_lots[leg]), int(table.ask_lots[leg])
        bid_reserve, ask_reserve = int(table.bid_reserve[leg]), int(table.ask_reserve[leg])
        owner = reader.owner(asked.account)
        price = asked.price if asked.order_type != MARKET_ORDER else self._worst_price(asked)
        if asked.options & (POST_ONLY | POST_ONLY_SLIDE):
            rate = max(0, reader.maker_rate(owner, market))
        else:
            rate = reader.taker_rate(owner, market)
        reserve = max(0, (price - mark) * asked.side) * rule.scale + F.ppm_up(price * rule.scale, rate)
        if asked.side > 0:
            bids, bid_reserve = bids + asked.lots, bid_reserve + asked.lots * reserve
        else:
            asks, ask_reserve = asks + asked.lots, ask_reserve + asked.lots * reserve
        scaling, leverage = int(reader.state.market.oi_scale_ppm[market]), reader.leverage(asked.account, market)
        unit = mark * rule.scale
        upper = F.opening_side(rule, abs(quantity + bids) * unit, leverage, scaling) + bid_reserve
        lower = F.opening_side(rule, abs(quantity - asks) * unit, leverage, scaling) + ask_reserve
        after = F.charge(max(upper, lower), reader.asset_price(rule.settle))
        return after - (reader.leg_requirement(leg, FOR_OPEN) if leg else 0)

    def _leverage_requirement(self, asked: Asked, account: int) -> int:
        reader, market = self.reader, asked.market
        leg = reader.market_leg(account, market)
        if not leg:
            return 0
        rule, table = reader.market_rule(market), reader.state.leg_open
        unit, quantity = reader.mark(market) * rule.scale, reader.quantity(leg)
        scaling = int(reader.state.market.oi_scale_ppm[market])
        sides = (
            (quantity + int(table.bid_lots[leg]), int(table.bid_reserve[leg])),
            (quantity - int(table.ask_lots[leg]), int(table.ask_reserve[leg])),
        )
        most = max(F.opening_side(rule, abs(q) * unit, max(1, asked.lots), scaling) + r for q, r in sides)
        return F.charge(most, reader.asset_price(rule.settle)) - reader.leg_requirement(leg, FOR_OPEN)

    def _worst_price(self, asked: Asked) -> int:
        """The price a market order is taken at: the worst level it needs."""
        left, price = asked.lots, self.reader.mark(asked.market)
        for ticks, lots, _ in self.reader.levels(asked.market, -asked.side):
            price = ticks
            left -= lots
            if left <= 0:
                break
        return price
