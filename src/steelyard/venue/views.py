"""Builds the records of accounts, positions and orders from the machine's tables."""

from decimal import Decimal

from steelyard.model import events as E
from steelyard.model import orders as O
from steelyard.model import reject as no
from steelyard.model.reject import Reject
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue.amounts import PPM_STEP, Number, average, decimal, ratio_up
from steelyard.venue.decode import CLOSED, MODES, ROLES, SIDES, TIFS, TYPES, Decoder, plain_rows
from steelyard.venue.happened import Fill
from steelyard.venue.instruments import Market, Names
from steelyard.venue.labels import label_text
from steelyard.venue.reading import Reader
from steelyard.venue.reasons import Asked
from steelyard.venue.records import ZERO, AccountView, Balance, Order, Position, Requirements
from steelyard.venue.refusals import Rejected
from steelyard.venue.solve import liquidation_ticks

QUEUED = (None, "waiting", "cooling down")
TRIGGERS = (None, "stop", "take_profit", "trailing")
TRIGGERS_ON = ("mark", "index", "last")
ENTRY_PLACES = 6  # decimals of an average entry price beyond those of the tick
_EXPIRED = {E.CLOSED_IMMEDIATE, E.CLOSED_EXPIRED, E.CLOSED_WORK_LIMIT}


class Views:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names

    def unit(self, amount: int) -> Decimal:
        return self.names.asset_at(1).atom.back(amount)

    # --- accounts

    def account(self, account: int) -> AccountView:
        reader, state = self.reader, self.reader.state
        equity = reader.equity(account)
        opening, maintain, restore, takeover = (
            reader.requirement(account, question)
            for question in (O.FOR_OPEN, O.FOR_MAINTAIN, O.FOR_RESTORE, O.FOR_TAKEOVER)
        )
        return AccountView(
            id=account,
            name=self.names.account_name(account),
            owner=reader.owner(account),
            role=ROLES[int(state.account.role[account])],
            equity=self.unit(equity),
            requirements=Requirements(
                open=self.unit(opening),
                maintain=self.unit(maintain),
                restore=self.unit(restore),
                takeover=self.unit(takeover),
            ),
            free=self.unit(max(0, equity - opening)),
            margin_ratio=ratio_up(maintain, equity),
            healthy=equity >= maintain,
            queued=QUEUED[int(state.account.queued[account])],
            balances=self.balances(account),
            positions=self.positions(account),
            orders=self.orders(account),
            children=tuple(self.names.account_name(child) for child in reader.children(account)),
            unit=self.names.asset_at(1).name,
            at_ns=reader.now_ns,
        )

    def balances(self, account: int) -> tuple[Balance, ...]:
        """Assets that are held or owed; the unit of account always.

        `free` counts what could leave without touching M(open), as if the asset had no haircut: never too much.
        """
        reader = self.reader
        spare = reader.free(account)
        found = []
        for leg in reader.legs(account):
            row = reader.thing(leg)
            quantity = reader.quantity(leg)
            if row >= MARKET_0 or (quantity == 0 and row != 1):
                continue
            asset, price = self.names.asset_at(row), reader.asset_price(row)
            free = min(max(0, quantity), F.atoms_down(spare, price) if price else 0)
            found.append(
                Balance(
                    asset=asset.name,
                    total=asset.atom.back(quantity),
                    free=asset.atom.back(free),
                    used=asset.atom.back(max(0, quantity) - free),
                    debt=asset.atom.back(max(0, -quantity)),
                    price=asset.price_step.back(price),
                    value=self.unit(F.value(quantity, price)),
                )
            )
        return tuple(found)

    # --- positions

    def positions(self, account: int) -> tuple[Position, ...]:
        """Markets in which the account or one of its children holds something."""
        reader = self.reader
        found = []
        for leg in reader.legs(account):
            market = reader.thing(leg) - MARKET_0
            if market <= 0:
                continue
            holder = int(reader.state.leg.child[leg]) or account
            held = leg if holder == account else reader.market_leg(holder, market)
            if held and reader.quantity(held):
                found.append(self._position(account, holder, held, market))
        return tuple(found)

    def position(self, account: int, market: int) -> Position:
        """Also where there is none: its size is zero then."""
        holder = self.reader.acting(account, market)
        return self._position(account, holder, self.reader.market_leg(holder, market), market)

    def _position(self, account: int, holder: int, leg: int, market_row: int) -> Position:
        reader, table = self.reader, self.reader.state.leg
        market = self.names.market_at(market_row)
        rule, mark = reader.market_rule(market_row), reader.mark(market_row)
        quantity, cost = (int(table.quantity[leg]), int(table.cost[leg])) if leg else (0, 0)
        funding = 0
        if quantity:
            index = int(reader.state.market.funding_index[market_row])
            funding = F.accrued_up(quantity, rule.scale, index, int(table.funding_at_touch[leg]))
        money = market.settle.atom
        entry = None
        if quantity:
            places = market.tick.places + ENTRY_PLACES
            entry = average(money.back(cost), market.lot.back(quantity), places)
        maintain = reader.requirement(holder, O.FOR_MAINTAIN)
        equity = reader.equity(holder)
        solved = liquidation_ticks(reader, holder, market_row) if quantity else None
        price = None
        if solved is not None:
            price = mark if solved.unhealthy_now else solved.low if quantity > 0 else solved.high
        isolated = reader.is_child(holder) or reader.is_isolated(account, market_row)
        return Position(
            account=self.names.account_name(account),
            symbol=market.name,
            side="long" if quantity > 0 else "short" if quantity < 0 else None,
            contracts=market.lot.back(abs(quantity)),
            entry_price=entry,
            mark_price=market.tick.back(mark),
            notional=money.back(abs(quantity) * mark * rule.scale),
            unrealized_pnl=money.back(quantity * mark * rule.scale - cost if quantity else 0),
            funding_owed=money.back(funding),
            leverage=reader.leverage(holder if leg else account, market_row),
            margin_mode=MODES[O.ISOLATED if isolated else O.CROSS],
            initial_margin=self.unit(reader.leg_requirement(leg, O.FOR_OPEN) if leg else 0),
            maintenance_margin=self.unit(reader.leg_requirement(leg, O.FOR_MAINTAIN) if leg else 0),
            collateral=self.unit(equity),
            margin_ratio=ratio_up(maintain, equity),
            liquidation_price=None if price is None else market.tick.back(price),
            at_ns=reader.now_ns,
        )

    # --- orders

    def orders(self, account: int, market: int = 0) -> tuple[Order, ...]:
        reader = self.reader
        rows = reader.open_orders(account)
        return tuple(self.open_order(account, row) for row in rows if market in (0, reader.market_of_order(row)))

    def open_order(self, account: int, row: int, fills: tuple[Fill, ...] = ()) -> Order:
        """An order that rests or waits."""
        reader, order, note = self.reader, self.reader.state.order, self.reader.state.note
        market = self.names.market_at(reader.market_of_order(row))
        options, kind = int(order.options[row]), int(note.trigger_kind[row])
        lots, filled = int(note.lots[row]), int(note.filled[row])
        price, trigger, callback = int(order.price[row]), int(note.trigger[row]), int(note.callback[row])
        return Order(
            id=int(order.id[row]),
            client_id=label_text(reader.words(row)),
            account=self.names.account_name(account),
            symbol=market.name,
            type=TYPES[int(order.order_type[row])],
            side=SIDES[int(order.side[row])],
            price=market.tick.back(price) if int(order.order_type[row]) == O.LIMIT else None,
            amount=market.lot.back(lots),
            filled=market.lot.back(filled),
            remaining=market.lot.back(int(order.remaining[row])),
            status="open" if int(order.state[row]) == O.RESTING else "waiting",
            time_in_force=TIFS[int(note.tif[row])],
            post_only=bool(options & (O.POST_ONLY | O.POST_ONLY_SLIDE)),
            reduce_only=bool(options & (O.REDUCE_ONLY | O.CLOSE_POSITION)),
            trigger=TRIGGERS[kind],
            trigger_on=TRIGGERS_ON[int(note.trigger_on[row])] if kind else None,
            trigger_price=market.tick.back(trigger) if trigger else None,
            callback_rate=PPM_STEP.back(callback) if callback else None,
            expires_ns=int(note.expires_ns[row]) or None,
            at_ns=reader.now_ns,
            fills=fills,
        )

    def order_after(self, account: int, order: int, asked: Order, result_rows: object, decoder: Decoder) -> Order:
        """An order as its command left it, told from the events of that command.

        `asked` holds what was asked for, which is what an order that is gone already can be described by.
        """
        at_ns = asked.at_ns
        fills: list[Fill] = []
        dropped = total = 0
        because = None
        nth = 0
        market = self.names.market(asked.symbol)
        price = asked.price
        for nth, row in enumerate(plain_rows(result_rows)):
            if row.order != order:
                continue
            if row.kind == E.ORDER_ACCEPTED:
                total = row.lots
                if asked.type == "limit":
                    price = market.tick.back(row.price)  # a sliding order may have moved
            elif row.kind == E.FILL:
                fill = decoder.one(row, nth, at_ns)
                assert isinstance(fill, Fill)
                fills.append(fill)
            elif row.kind == E.ORDER_CLOSED:
                because, dropped = row.reason, row.lots
        open_row = self.reader.find_order(account, order, (0, 0, 0, 0, 0))
        if open_row:
            return self.open_order(account, open_row, tuple(fills))
        filled = sum((fill.amount for fill in fills), Decimal(0))
        status = "closed" if because is None else "expired" if because in _EXPIRED else "canceled"
        if because == E.CLOSED_REFUSED:
            status = "rejected"
        return Order(
            id=order,
            client_id=asked.client_id,
            account=asked.account,
            symbol=asked.symbol,
            type=asked.type,
            side=asked.side,
            price=price,
            amount=market.lot.back(total) if total else asked.amount,
            filled=filled,
            remaining=market.lot.back(dropped),
            status=status,
            time_in_force=asked.time_in_force,
            post_only=asked.post_only,
            reduce_only=asked.reduce_only,
            at_ns=at_ns,
            fills=tuple(fills),
            closed_because=None if because is None else CLOSED[because],
        )


def describe(rows: object, names: Names, reason: int = no.NONE, message: str = "") -> Order:
    """The order that a PLACE_ORDER row asks for, as a record: not placed yet, or refused."""
    asked = Asked(rows)
    market: Market = names.market_at(asked.market)
    kind = asked.trigger_kind
    return Order(
        id=0,
        client_id=label_text(asked.words),
        account=names.account_name(asked.account),
        symbol=market.name,
        type=TYPES[asked.order_type],
        side=SIDES[asked.side],
        price=market.tick.back(asked.price) if asked.order_type == O.LIMIT else None,
        amount=market.lot.back(asked.lots),
        filled=market.lot.back(0),
        remaining=market.lot.back(asked.lots),
        status="rejected",
        time_in_force="IOC" if asked.order_type == O.MARKET and asked.tif == O.GTC else TIFS[asked.tif],
        post_only=bool(asked.options & (O.POST_ONLY | O.POST_ONLY_SLIDE)),
        reduce_only=bool(asked.options & (O.REDUCE_ONLY | O.CLOSE_POSITION)),
        trigger=TRIGGERS[kind],
        trigger_on=TRIGGERS_ON[asked.trigger_on] if kind else None,
        trigger_price=market.tick.back(asked.trigger) if asked.trigger else None,
        callback_rate=PPM_STEP.back(asked.callback) if asked.callback else None,
        expires_ns=asked.expires_ns or None,
        at_ns=asked.at_ns,
        reason=Reject(reason),
        message=message,
    )


def refused(
    refusal: Rejected,
    *,
    account: str,
    symbol: str = "",
    side: str = "",
    amount: Number = 0,
    id: int = 0,
    client_id: str | None = None,
) -> Order:
    """An order that never became a command, because something it names does not exist."""
    return Order(
        id=id,
        client_id=client_id,
        account=account,
        symbol=symbol,
        type="limit",
        side=side,
        price=None,
        amount=decimal(amount, "amount"),
        filled=ZERO,
        remaining=decimal(amount, "amount"),
        status="rejected",
        time_in_force="GTC",
        post_only=False,
        reduce_only=False,
        reason=refusal.reason,
        message=refusal.message,
    )
