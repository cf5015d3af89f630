"""Refusals told in full: what was asked, which limit stood in the way, and the numbers on both sides of it."""

from typing import Any

from steelyard.model import commands as C
from steelyard.model import keys as K
from steelyard.model import reject as no
from steelyard.model.orders import (
    AT_MOST,
    CLOSE_POSITION,
    FOR_MAINTAIN,
    FOR_OPEN,
    LENDER,
    POST_ONLY,
    POST_ONLY_SLIDE,
    REDUCE_ONLY,
    RESTART,
    TO_OPEN,
)
from steelyard.model.orders import MARKET as MARKET_ORDER
from steelyard.model.reject import Reject
from steelyard.num.limits import AMOUNT_MAX, TIME_NS_MAX
from steelyard.rules.requirement import HEALTH_LIMIT
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.afterwards import Afterwards, Wish, afterwards, with_less_cash, with_leverage
from steelyard.venue.amounts import Step, clock_text, duration_text, grouped, ratio_down, trimmed
from steelyard.venue.event_rows import SIDES
from steelyard.venue.instruments import Asset, Market, Names, price_step_of, thing_of
from steelyard.venue.labels import Words, label_text
from steelyard.venue.pairs import is_pair, least_spent, spends_cash, spent_on_orders
from steelyard.venue.parameters import rate
from steelyard.venue.price_views import PriceViews
from steelyard.venue.reading import Reader
from steelyard.venue.refusals import SENTENCES

ABOUT_MEANS = (no.BALANCE_TOO_LOW, no.LOAN_CAP_EXCEEDED, no.NOTHING_TO_LEND, no.OPENING_MARGIN_EXCEEDED)
TRIGGERS_ON = ("mark", "index", "last")


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
            C.SUPPLY: lambda: f"supply {self._cash(asked)} of {who}",
            C.CLAIM: lambda: f"claim gains of {self.names.asset_at(asked.market).name} for {who}",
            C.LEAVE: lambda: f"{who}: leave with {self._shares(asked)}",
            C.REDEEM: lambda: f"redeem {self._shares(asked)} of {who}",
            C.MOVE_MARGIN: lambda: f"move margin of {who} in {self.names.symbol(asked.market)}",
            C.LIQUIDATE: lambda: self._bid(asked, who),
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

    def _shares(self, asked: Asked) -> str:
        if asked.options == AT_MOST and asked.lots == AMOUNT_MAX:
            return f"all {self.names.asset_at(asked.market).name}"
        return self._cash(asked)

    def _bid(self, asked: Asked, who: str) -> str:
        target = self.names.account_name(asked.order)
        assets = self.reader.state.machine.assets[0]
        if not (0 < asked.market <= assets and 0 < asked.trigger <= assets):
            return f"{who}: bid for {target}"
        if asked.options == RESTART:
            return f"{who}: begin the offers of {target} again"
        debt, given = self.names.asset_at(asked.trigger), self.names.asset_at(asked.market)
        least = f" at least {grouped(given.atom.back(asked.price))}" if asked.price else ""
        return f"{who}: repay {grouped(debt.atom.back(asked.lots))} {debt.name} of {target} for{least} {given.name}"

    def _order(self, asked: Asked) -> str:
        market = self.names.market_at(asked.market)
        reduces = "reduce-only " if asked.options & (REDUCE_ONLY | CLOSE_POSITION) else ""
        size = market.lot.text(asked.lots)
        where = "at market" if asked.order_type == MARKET_ORDER else f"at {market.tick.text(asked.price)}"
        if asked.trigger:
            where += f" once {TRIGGERS_ON[asked.trigger_on]} reaches {market.tick.text(asked.trigger)}"
        return f"{reduces}{SIDES.get(asked.side, '?')} {size} {market.name} {where}"

    # --- the numbers

    def _numbers(self, reason: Reject, detail: int, asked: Asked) -> str:
        reader = self.reader
        if asked.kind == C.LIQUIDATE:
            return self._bid_numbers(reason, asked)
        is_order = asked.kind in (C.PLACE_ORDER, C.AMEND_ORDER)
        if is_order and reason in (
            no.BALANCE_TOO_LOW,
            no.LOAN_CAP_EXCEEDED,
            no.NOTHING_TO_LEND,
            no.OPENING_MARGIN_EXCEEDED,
        ):
            wish = self._wish(asked)
            is_spending = wish and spends_cash(reader, wish.market) and reason == no.BALANCE_TOO_LOW
            if wish and (is_spending or is_pair(reader, wish.market)):
                return self._spending(wish)
        if reason in (no.OPENING_MARGIN_EXCEEDED, no.PARENT_MARGIN_EXCEEDED) or (
            is_order and reason == no.BALANCE_TOO_LOW
        ):
            return self._margin(reason, asked)
        if reason in (no.LOANS_LIMIT, no.UTILISATION_LIMIT, no.OUTFLOW_LIMIT) and not is_order:
            return self._lending(reason, asked)
        if reason == no.SHARES_OF_SAME_POOL:
            return "dust is what is worth a thousandth of the debt"
        if reason in (no.POOL_CAP_EXCEEDED, no.COINS_ARE_LENT):
            return self._pool(reason, asked)
        if reason == no.BALANCE_TOO_LOW:
            return self._balance(asked)
        if reason in (no.COINS_NOT_PRESENT, no.AMOUNT_EXCEEDS_LIMIT):
            bought = asked.kind == C.SUPPLY  # more shares than there may be
            asset = self.names.asset_at(asked.market)
            return self._coins(reason, self.names.share_of(asset.name) if bought else asset)
        if asked.kind == C.PRICE:
            return "; ".join(filter(None, (self._price_limit(reason, row) for row in asked.rows)))
        if reason == no.CLIENT_ID_REPEATED:
            return f"order {detail}"
        if reason in (no.TIME_WENT_BACK, no.EXPIRY_NOT_IN_FUTURE):
            return f"the clock is at {clock_text(reader.now_ns)}"
        if reason == no.ACCOUNT_IN_LIQUIDATION:
            return self._health(asked)
        if reason == no.LEVERAGE_EXCEEDS_LIMIT:
            tier = int(reader.state.owner_rule[reader.owner(asked.account), K.O_RISK_TIER])
            return f"at most {int(reader.state.tier_rule[tier, K.T_LEVERAGE_MAX])}"
        if reason == no.PRICE_STALE:
            return self._stale(asked)
        if reason == no.PRICE_UNCERTAIN:
            return self._uncertain(asked)
        if reason == no.LOAN_CAP_EXCEEDED:
            return self._debts(reader.acting(asked.account, asked.market) if asked.market else asked.account)
        if is_order:
            wish = self._wish(asked)
            return self._order_numbers(reason, asked, wish) if wish else ""
        return ""

    def _bid_numbers(self, reason: Reject, asked: Asked) -> str:
        """What the offer is, where the bid does not fit it."""
        if reason == no.NOT_IN_LIQUIDATION:
            return self._equity(asked.order)
        if reason == no.ACCOUNT_IN_LIQUIDATION:
            return self._health(asked)
        if reason in (no.BID_TOO_SMALL, no.BID_LIMIT_NOT_MET, no.BID_LEAVES_DUST, no.BALANCE_TOO_LOW):
            offer = self.reader.offer(asked.order, asked.market, asked.trigger)
            debt, given = self.names.asset_at(asked.trigger), self.names.asset_at(asked.market)
            most, gets = grouped(debt.atom.back(offer.repaid)), grouped(given.atom.back(offer.net))
            told = f"the offer: repay up to {most} {debt.name} for {gets} {given.name}"
            if reason == no.BALANCE_TOO_LOW:
                held = grouped(debt.atom.back(self.reader.cash(asked.account, debt.row)))
                told += f"; {self.names.account_name(asked.account)} holds {held} {debt.name}"
            return told
        return ""

    def _equity(self, account: int) -> str:
        atom, unit = self._unit()
        equity, maintain = self.reader.equity(account), self.reader.requirement(account, FOR_MAINTAIN)
        return f"equity {grouped(atom.back(equity))}, maintenance requirement {grouped(atom.back(maintain))} {unit}"

    def _order_numbers(self, reason: Reject, asked: Asked, wish: Wish) -> str:
        market = self.names.market_at(wish.market)
        table, rule = self.reader.state.market, self.reader.state.market_rule[market.row]
        mark, tick, lot = int(table.mark[market.row]), market.tick, market.lot
        if reason == no.SIZE_EXCEEDS_LIMIT:
            return f"at most {lot.text(rule[K.M_ORDER_LOTS_MAX])}"
        if reason == no.PRICE_EXCEEDS_LIMIT:
            return f"at most {tick.text(rule[K.M_TICKS_MAX])}"
        if reason == no.PRICE_BELOW_LIMIT:
            return f"at least {tick.text(rule[K.M_TICKS_MIN])}"
        if reason == no.PRICE_OUTSIDE_BAND:
            band = F.ppm_down(mark, int(rule[K.M_PRICE_BAND_PPM]))
            word, limit = ("at most", mark + band) if wish.side > 0 else ("at least", mark - band)
            return f"{word} {tick.text(limit)}; mark {tick.text(mark)}"
        if reason == no.POST_ONLY_WOULD_CROSS:
            best = int(table.best_ask[market.row] if wish.side > 0 else table.best_bid[market.row])
            return f"best {'ask' if wish.side > 0 else 'bid'} {tick.text(best)}"
        if reason == no.POSITION_LIMIT:
            lots, notional = rule[K.M_POSITION_LOTS_MAX], self.reader.market_rule(market.row).brackets[-1].upper
            return (
                f"at most {lot.text(lots)} per owner, and a notional of at most "
                f"{grouped(market.settle.atom.back(notional))} {market.settle.name}"
            )
        if reason == no.OPEN_INTEREST_LIMIT:
            now, most = int(table.open_interest[market.row]), rule[K.M_OPEN_INTEREST_LOTS_MAX]
            return f"{lot.text(now)} now, at most {lot.text(most)}"
        if reason == no.TRIGGER_WOULD_FIRE_AT_ONCE:
            watched = (("mark", mark), ("index", int(table.index[market.row])), ("last", int(table.last[market.row])))
            name, price = watched[asked.trigger_on]
            return f"{name} price {tick.text(price)}"
        if reason == no.NOTHING_TO_REDUCE:
            leg = self.reader.market_leg(self.reader.acting(wish.account, market.row), market.row)
            return f"position {lot.text(self.reader.quantity(leg) if leg else 0)}"
        return ""

    def _uncertain(self, asked: Asked) -> str:
        """Which prices are not good for what was asked, and why."""
        leaves = asked.kind in (C.WITHDRAW, C.TRANSFER, C.MOVE_MARGIN)
        feeds = {self.names.market_at(row).name: self.reader.feed_of_market(row) for row in self._markets_of(asked)}
        for row in {self.names.market_at(row).settle.row for row in self._markets_of(asked)}:
            feeds[self.names.asset_at(row).name] = self.reader.feed_of_asset(row)
        views = PriceViews(self.reader)
        found = [f"{name}: {why}" for name, row in feeds.items() if (why := views.why_not(row, int(leaves)))]
        if leaves and asked.kind != C.MOVE_MARGIN and asked.options and not found:
            asset = self.names.asset_at(asked.market)
            found = [f"{asset.name}: {views.why_not(asset.feed, TO_OPEN)}"]
        return "; ".join(found)

    def _markets_of(self, asked: Asked) -> list[int]:
        """Those of the order, or those of the giver's positions and orders."""
        reader = self.reader
        markets: set[int] = set()
        if asked.kind in (C.PLACE_ORDER, C.AMEND_ORDER):
            wish = self._wish(asked)
            markets |= {wish.market} if wish else set()
        else:
            held = [leg for leg in reader.legs(asked.account) if reader.thing(leg) >= MARKET_0]
            markets |= {
                reader.thing(leg) - MARKET_0 for leg in held if reader.quantity(leg) or any(reader.orders_of(leg))
            }
        return sorted(markets)

    def _stale(self, asked: Asked) -> str:
        """Which prices are missing or too old."""
        reader = self.reader
        markets = self._markets_of(asked)
        assets = {self.names.market_at(row).settle.row for row in markets}
        ends = {self.names.market_at(row).name: self._fresh_until(reader.feed_of_market(row)) for row in markets}
        ends |= {self.names.asset_at(row).name: self._fresh_until(reader.feed_of_asset(row)) for row in sorted(assets)}
        old = [f"{name} was fresh until {clock_text(end)}" for name, end in ends.items() if 0 < end < reader.now_ns]
        old += [f"{self.names.market_at(row).name} has no mark yet" for row in markets if not reader.mark(row)]
        old += [f"{name} has no price yet" for name, end in ends.items() if end <= 0]
        return "; ".join(old)

    def _fresh_until(self, feed: int) -> int:
        return int(self.reader.state.feed.fresh_until_ns[feed]) if feed else TIME_NS_MAX

    def _debts(self, account: int) -> str:
        """Debts beyond their cap."""
        found = []
        for leg in self.reader.legs(account):
            row, quantity = self.reader.thing(leg), self.reader.quantity(leg)
            if row < MARKET_0 and quantity < -int(self.reader.state.asset_rule[row, K.A_LOAN_CAP]):
                asset, cap = self.names.asset_at(row), int(self.reader.state.asset_rule[row, K.A_LOAN_CAP])
                found.append(f"{grouped(asset.atom.back(-quantity))} {asset.name}, cap {grouped(asset.atom.back(cap))}")
        return "; ".join(found)

    def _coins(self, reason: Reject, asset: Asset) -> str:
        table, row = self.reader.state.asset, asset.row
        inside = int(table.deposited[row]) - int(table.withdrawn[row])
        if reason == no.AMOUNT_EXCEEDS_LIMIT:
            most = int(self.reader.state.asset_rule[row, K.A_SUPPLY_MAX])
            return f"{grouped(asset.atom.back(inside))} inside, at most {grouped(asset.atom.back(most))}"
        inside -= int(table.reserved[row])
        lent = max(0, int(table.loans[row]) - max(0, self.reader.cash(LENDER, row)))
        return f"{grouped(asset.atom.back(inside))} inside, {grouped(asset.atom.back(lent))} of it lent out"

    def _lending(self, reason: Reject, asked: Asked) -> str:
        """What may be lent, or may flow out, of an asset."""
        pool = self.reader.pool(asked.market)
        asset, rule = self.names.asset_at(pool.asset), self.reader.state.asset_rule[pool.asset]
        back = asset.atom.back
        if reason == no.LOANS_LIMIT:
            return f"{grouped(back(pool.loans))} {asset.name} are lent, at most {grouped(back(rule[K.A_LOANS_MAX]))}"
        if reason == no.UTILISATION_LIMIT:
            return f"{rate(pool.utilisation)} now, at most {rate(int(rule[K.A_UTILISATION_MAX_PPM]))}"
        most, window = back(rule[K.A_OUTFLOW_MAX]), duration_text(int(rule[K.A_OUTFLOW_WINDOW_NS]))
        until = int(self.reader.state.asset.outflow_until_ns[pool.asset])
        return f"at most {grouped(most)} {asset.name} in {window}; all of it again at {clock_text(until)}"

    def _pool(self, reason: Reject, asked: Asked) -> str:
        """What the pool has, or has left."""
        if asked.kind == C.SUPPLY and asked.order:
            staked, back = self.names.asset_at(asked.market), self.names.asset_at(asked.market).atom.back
            rule, inside = self.reader.state.asset_rule[asked.order], self.reader.pool_assets(asked.order)
            cap = int(rule[K.A_POOL_MAX])
            return f"{grouped(back(inside))} {staked.name} in it, at most {grouped(back(cap))}"
        pool = self.reader.pool(asked.market)
        asset, back = self.names.asset_at(pool.asset), self.names.asset_at(pool.asset).atom.back
        if reason == no.POOL_CAP_EXCEEDED:
            most = int(self.reader.state.asset_rule[pool.asset, K.A_POOL_MAX])
            return f"{grouped(back(pool.assets))} {asset.name} in it, at most {grouped(back(most))}"
        return f"{grouped(back(pool.available))} {asset.name} are not lent, of {grouped(back(pool.assets))}"

    def _price_limit(self, reason: int, row: Any) -> str:
        """The highest or lowest price of a report's feed, if the report is beyond it."""
        fed, price = self.names.feed_at(int(row["market"])), int(row["price"])
        if reason == no.PRICE_BELOW_LIMIT and isinstance(fed, Market):
            least = int(self.reader.state.market_rule[fed.row, K.M_TICKS_MIN])
            below = f"{fed.name} {fed.tick.text(price)}, at least {fed.tick.text(least)}"
            return below if price < least else ""
        if reason != no.PRICE_EXCEEDS_LIMIT:
            return ""
        most, step = self.reader.highest_price(thing_of(fed)), price_step_of(fed)
        if price <= most:
            return ""
        text = f"{fed.name} {trimmed(step.back(price))}, at most {trimmed(step.back(most))}"
        if isinstance(fed, Market):
            return text
        supply = int(self.reader.state.asset_rule[fed.row, K.A_SUPPLY_MAX])
        return f"{text} with a supply_max of {grouped(fed.atom.back(supply))} and the markets settled in it"

    def _unit(self) -> tuple[Step, str]:
        unit = self.names.asset_at(1)
        return unit.atom, unit.name

    def _health(self, asked: Asked) -> str:
        account = asked.account
        if asked.kind == C.PLACE_ORDER:
            account = self.reader.acting(account, asked.market)
        health = int(self.reader.state.account.health[account])
        if abs(health) == HEALTH_LIMIT:
            return "it has nothing to close, and owes"
        share = ratio_down(health, 10**6)
        return f"equity was {share} of the maintenance requirement when it was queued"

    def _balance(self, asked: Asked) -> str:
        account = asked.account
        if asked.kind == C.MOVE_MARGIN:
            market = self.names.market_at(asked.market)
            if asked.lots < 0:
                account = self.reader.acting(account, market.row)
            asset = market.settle
        else:
            asset = self.names.asset_at(asked.market)
        return f"{self.names.account_name(account)} {self._holding(account, asset)}"

    def _holding(self, account: int, asset: Asset) -> str:
        held, spent = self.reader.cash(account, asset.row), spent_on_orders(self.reader, account, asset.row)
        what = f"holds {grouped(asset.atom.back(held))}" if held >= 0 else f"owes {grouped(asset.atom.back(-held))}"
        orders = f", {grouped(asset.atom.back(spent))} of it for orders" if spent else ""
        return f"{what} {asset.name}{orders}"

    def _spending(self, wish: Wish) -> str:
        """What an order in a pair would spend, what there is, and what may be lent."""
        reader, market, owner = self.reader, self.names.market_at(wish.market), self.reader.owner(wish.account)
        asset = market.settle if wish.side > 0 or market.base is None else market.base
        atom, unit = self._unit()
        spent = least_spent(reader, wish.market, owner, wish.side, wish.lots, wish.price, wish.is_post_only)
        cap, table = int(reader.state.asset_rule[asset.row, K.A_LOAN_CAP]), reader.state.asset
        left = max(0, reader.cash(LENDER, asset.row)) - int(table.loans[asset.row])
        if market.base is None:
            what = f"it pays {grouped(asset.atom.back(spent))} {asset.name}; {self.names.account_name(wish.account)} "
            return what + self._holding(wish.account, asset)
        cap_text, left_text = (grouped(asset.atom.back(atoms)) for atoms in (cap, max(0, left)))
        return (
            f"it spends {grouped(asset.atom.back(spent))} {asset.name}; {self.names.account_name(wish.account)} "
            f"{self._holding(wish.account, asset)}, may owe {cap_text}; {left_text} are left to lend; "
            f"equity {grouped(atom.back(reader.equity(wish.account)))}, "
            f"requirement before it {grouped(atom.back(reader.requirement(wish.account, FOR_OPEN)))} {unit}"
        )

    def _margin(self, reason: Reject, asked: Asked) -> str:
        """Equity, the opening requirement with what was asked, and what is missing."""
        reader, (atom, unit) = self.reader, self._unit()
        if asked.kind in (C.PLACE_ORDER, C.AMEND_ORDER):
            wish = self._wish(asked)
            if wish is None:
                return ""
            after = afterwards(reader, wish)
            if reason != no.OPENING_MARGIN_EXCEEDED:
                return self._parent(wish.account, self.names.market_at(wish.market), after)
        elif asked.kind == C.SET_LEVERAGE:
            after = with_leverage(reader, asked.account, asked.market, asked.lots)
        elif asked.kind == C.MOVE_MARGIN:
            giver = asked.account if asked.lots > 0 else reader.acting(asked.account, asked.market)
            settle = self.names.market_at(asked.market).settle.row
            after = with_less_cash(reader, giver, settle, abs(asked.lots))
        elif asked.kind in (C.SUPPLY, C.REDEEM):
            return ""
        else:
            after = with_less_cash(reader, asked.account, asked.market, asked.lots)
        short = after.requirement - after.equity
        equity, requirement = grouped(atom.back(after.equity)), grouped(atom.back(after.requirement))
        missing = f", short by {grouped(atom.back(short))} {unit}" if short > 0 else f" {unit}"
        return f"equity {equity}, requirement {requirement} afterwards{missing}"

    def _parent(self, parent: int, market: Market, after: Afterwards) -> str:
        """What an isolated position needs, and what its parent has."""
        reader, (atom, unit) = self.reader, self._unit()
        settle = market.settle
        need = grouped(atom.back(max(0, after.requirement - after.equity)))
        held = grouped(settle.atom.back(reader.cash(parent, settle.row)))
        spare = grouped(atom.back(reader.equity(parent) - reader.requirement(parent, FOR_OPEN)))
        return (
            f"the isolated position needs {need} {unit} more; {self.names.account_name(parent)} holds {held} "
            f"{settle.name} and has {spare} {unit} above its own requirement"
        )

    def _wish(self, asked: Asked) -> Wish | None:
        """The order as it would rest; an amended one gives up what it holds now."""
        reader = self.reader
        if asked.kind == C.PLACE_ORDER:
            return Wish(
                account=asked.account,
                market=asked.market,
                side=asked.side,
                lots=asked.lots,
                price=self._worst_price(asked) if asked.order_type == MARKET_ORDER else asked.price,
                is_post_only=bool(asked.options & (POST_ONLY | POST_ONLY_SLIDE)),
                is_reduce_only=bool(asked.options & (REDUCE_ONLY | CLOSE_POSITION)),
            )
        row = reader.find_order(asked.account, asked.order, asked.words)
        if row == 0:
            return None
        order = reader.state.order
        remaining, options = int(order.remaining[row]), int(order.options[row])
        return Wish(
            account=asked.account,
            market=reader.market_of_order(row),
            side=int(order.side[row]),
            lots=asked.lots - int(order.filled[row]) if asked.lots else remaining,
            price=asked.price or int(order.price[row]),
            is_post_only=bool(options & (POST_ONLY | POST_ONLY_SLIDE)),
            is_reduce_only=bool(options & (REDUCE_ONLY | CLOSE_POSITION)),
            freed_lots=remaining,
            freed_reserve=remaining * int(order.reserve[row]),
        )

    def _worst_price(self, asked: Asked) -> int:
        """The price a market order is taken at: the worst level it needs."""
        left, price = asked.lots, self.reader.mark(asked.market)
        for ticks, lots, _ in self.reader.levels(asked.market, -asked.side):
            price = ticks
            left -= lots
            if left <= 0:
                break
        return price
