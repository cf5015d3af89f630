"""Builds the records of orders: those that are open, and those that one command placed and ended."""

from decimal import Decimal

from steelyard.model import events as E
from steelyard.model import orders as O
from steelyard.model import reject as no
from steelyard.model.reject import Reject
from steelyard.venue.amounts import PPM_STEP, Number, decimal
from steelyard.venue.decode import Decoder
from steelyard.venue.event_rows import CLOSED, SIDES, TIFS, TYPES, plain_rows
from steelyard.venue.happened import Fill
from steelyard.venue.instruments import Market, Names
from steelyard.venue.labels import label_text
from steelyard.venue.reading import Reader
from steelyard.venue.reasons import TRIGGERS_ON, Asked
from steelyard.venue.records import ZERO, Order
from steelyard.venue.refusals import Rejected

TRIGGERS = (None, "stop", "take_profit", "trailing")
_EXPIRED = {E.CLOSED_IMMEDIATE, E.CLOSED_EXPIRED, E.CLOSED_WORK_LIMIT}


class OrderViews:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names

    def open(self, account: int, market: int = 0) -> tuple[Order, ...]:
        reader = self.reader
        rows = reader.open_orders(account)
        return tuple(self.one(account, row) for row in rows if market in (0, reader.market_of_order(row)))

    def one(self, account: int, row: int, fills: tuple[Fill, ...] = ()) -> Order:
        """An order that rests or waits."""
        reader, order, note = self.reader, self.reader.state.order, self.reader.state.note
        market = self.names.market_at(reader.market_of_order(row))
        options, kind = int(order.options[row]), int(note.trigger_kind[row])
        remaining, filled = int(order.remaining[row]), int(order.filled[row])
        price, trigger, callback = int(order.price[row]), int(note.trigger[row]), int(note.callback[row])
        return Order(
            id=int(order.id[row]),
            client_id=label_text(reader.words(row)),
            account=self.names.account_name(account),
            symbol=market.name,
            type=TYPES[int(order.order_type[row])],
            side=SIDES[int(order.side[row])],
            price=market.tick.back(price) if int(order.order_type[row]) == O.LIMIT else None,
            amount=market.lot.back(filled + remaining),
            filled=market.lot.back(filled),
            remaining=market.lot.back(remaining),
            status="open" if int(order.state[row]) == O.RESTING else "waiting",
            time_in_force=TIFS[int(order.tif[row])],
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

    def after(self, account: int, order: int, asked: Order, result_rows: object, decoder: Decoder) -> Order:
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
            return self.one(account, open_row, tuple(fills))
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
