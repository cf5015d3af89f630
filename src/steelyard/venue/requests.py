"""Commands from names and decimals: each method gives the rows of one command and sends nothing."""

from collections.abc import Mapping
from typing import Any, TypedDict

from steelyard.model import orders as O
from steelyard.model import reject as no
from steelyard.num.limits import AMOUNT_MAX
from steelyard.venue import builders
from steelyard.venue.amounts import PPM_STEP, Duration, Instant, Number, Step, duration_ns, instant_ns
from steelyard.venue.builders import Rows
from steelyard.venue.instruments import Market, Names
from steelyard.venue.labels import NO_WORDS, Words, client_words, reference_words
from steelyard.venue.parameters import SELF_TRADE
from steelyard.venue.reading import Reader
from steelyard.venue.records import Account
from steelyard.venue.refusals import Rejected

Who = Account | str | int
Price = Number | Mapping[str, Number]

SIDES = {"buy": O.BUY, "sell": O.SELL}
TIFS = {"GTC": O.GTC, "IOC": O.IOC, "FOK": O.FOK, "GTT": O.GTT}
TRIGGER_ON = {"mark": O.ON_MARK, "index": O.ON_INDEX, "last": O.ON_LAST}
MODES = {"cross": O.CROSS, "isolated": O.ISOLATED}
STP_OF = dict(zip(SELF_TRADE, (O.STP_OWNER, O.STP_NONE, O.STP_TAKER, O.STP_MAKER, O.STP_BOTH), strict=True))


class OrderOptions(TypedDict, total=False):
    """What an order may say beside account, market, side, amount and price."""

    time_in_force: str
    post_only: bool | str
    reduce_only: bool
    close_position: bool
    borrow: bool
    stop: Number | None
    take_profit: Number | None
    trailing: Number | None
    activation: Number | None
    trigger_on: str
    expires: Instant | None
    client_id: str | None
    self_trade: str | None


def chosen(what: str, value: Any, words: Mapping[str, int]) -> int:
    if value not in words:
        raise ValueError(f"{what} {value!r} is not one of {', '.join(words)}")
    return words[value]


class Requests:
    def __init__(self, reader: Reader, names: Names) -> None:
        self._reader = reader
        self._names = names

    @property
    def _now(self) -> int:
        return self._reader.now_ns

    # --- time and prices

    def clock(self, at: Instant) -> Rows:
        return builders.clock(instant_ns(at, self._now))

    def prices(
        self, prices: Mapping[str, Number], source: int = 0, confidence: Number = 0, observed: Instant | None = None
    ) -> Rows:
        """Reports of one instant. Each name is a market (its index) or an asset."""
        seen = self._now if observed is None else instant_ns(observed, self._now, "observed")
        reports = []
        for name, price in prices.items():
            fed = self._names.feed(name)
            step, unit = (fed.tick, "ticks") if isinstance(fed, Market) else (fed.price_step, "price steps")
            ticks = step.count(price, f"price of {name}", unit)
            reports.append((fed.feed, source, ticks, step.count(confidence, "confidence", unit), seen))
        if not reports:
            raise ValueError("no price was given")
        return builders.prices(self._now, reports)

    # --- accounts and money

    def open_account(self, owner: int) -> Rows:
        return builders.open_account(self._now, owner)

    def deposit(self, account: Who, amount: Number, asset: str, reference: str | bytes) -> Rows:
        row, atoms = self._amount(asset, amount)
        return builders.deposit(self._now, self._names.account(account), row, atoms, reference_words(reference))

    def withdraw(self, account: Who, amount: Number, asset: str, reference: str | bytes, borrow: bool = False) -> Rows:
        row, atoms = self._amount(asset, amount)
        words, options = reference_words(reference), O.MAY_BORROW if borrow else 0
        return builders.withdraw(self._now, self._names.account(account), row, atoms, words, options)

    def confirm_withdrawal(self, reference: str | bytes) -> Rows:
        return builders.confirm_withdrawal(self._now, reference_words(reference))

    def return_withdrawal(self, reference: str | bytes) -> Rows:
        return builders.return_withdrawal(self._now, reference_words(reference))

    def transfer(
        self, giver: Who, taker: Who, amount: Number, asset: str, reference: str | bytes, borrow: bool = False
    ) -> Rows:
        row, atoms = self._amount(asset, amount)
        giving, taking = self._names.account(giver), self._names.account(taker)
        words, options = reference_words(reference), O.MAY_BORROW if borrow else 0
        return builders.transfer(self._now, giving, taking, row, atoms, words, options)

    def supply(self, account: Who, amount: Number, asset: str, reference: str | bytes) -> Rows:
        row, atoms = self._amount(asset, amount)
        return builders.supply(self._now, self._names.account(account), row, atoms, reference_words(reference))

    def stake(self, account: Who, amount: Number, share: str, reference: str | bytes) -> Rows:
        """Into the stake pool of a share."""
        found = self._names.asset(share)
        row, atoms = self._amount(found.pool_of or share, amount)
        who = self._names.account(account)
        return builders.supply(self._now, who, row, atoms, reference_words(reference), found.row)

    def leave(self, account: Who, shares: Number, share: str) -> Rows:
        found = self._names.asset(share)
        return builders.leave(
            self._now, self._names.account(account), found.row, found.atom.count(shares, f"shares of {share}", "atoms")
        )

    def claim(self, account: Who, share: str) -> Rows:
        return builders.claim(self._now, self._names.account(account), self._names.asset(share).row)

    def redeem(self, account: Who, shares: Number | None, asset: str, reference: str | bytes) -> Rows:
        """Shares, by their name or by the asset that is lent; None for all that the account holds."""
        share = self._names.share_of(asset)
        atoms = AMOUNT_MAX if shares is None else share.atom.count(shares, f"shares of {share.name}", "atoms")
        who, words = self._names.account(account), reference_words(reference)
        return builders.redeem(self._now, who, share.row, atoms, words, O.AT_MOST if shares is None else 0)

    def liquidate(
        self,
        bidder: Who,
        account: Who,
        repay: Number,
        asset: str,
        collateral: str,
        least: Number | None = None,
        as_asked: bool = False,
        borrow: bool = False,
    ) -> Rows:
        debt, atoms = self._amount(asset, repay)
        given, asked = self._amount(collateral, 0 if least is None else least)
        options = (O.AS_ASKED if as_asked else 0) | (O.MAY_BORROW if borrow else 0)
        who = self._names.account(bidder), self._names.account(account)
        return builders.liquidate(self._now, *who, given, debt, atoms, asked, options)

    def restart_offers(self, keeper: Who, account: Who, asset: str, collateral: str) -> Rows:
        who = self._names.account(keeper), self._names.account(account)
        given, debt = self._names.asset(collateral).row, self._names.asset(asset).row
        return builders.liquidate(self._now, *who, given, debt, 0, 0, O.RESTART)

    def move_margin(self, account: Who, market: str, amount: Number, out: bool = False) -> Rows:
        """Into the isolated position, or out of it."""
        found = self._names.market(market)
        atoms = found.settle.atom.count(amount, "amount", "atoms")
        if atoms <= 0:
            raise Rejected(no.AMOUNT_MUST_BE_POSITIVE, f"an amount of margin must be above zero, not {amount}")
        return builders.move_margin(self._now, self._names.account(account), found.row, -atoms if out else atoms)

    def _amount(self, asset: str, amount: Number) -> tuple[int, int]:
        found = self._names.asset(asset)
        return found.row, found.atom.count(amount, f"amount of {asset}", "atoms")

    # --- settings

    def set_leverage(self, account: Who, market: str, leverage: int) -> Rows:
        times = Step(1, 0).count(leverage, "leverage", "units")
        return builders.set_leverage(self._now, self._names.account(account), self._names.market(market).row, times)

    def set_margin_mode(self, account: Who, market: str, mode: str) -> Rows:
        row = self._names.market(market).row
        return builders.set_margin_mode(self._now, self._names.account(account), row, chosen("mode", mode, MODES))

    # --- orders

    def order(
        self,
        account: Who,
        market: str,
        side: str,
        amount: Number = 0,
        price: Number | None = None,
        *,
        time_in_force: str = "GTC",
        post_only: bool | str = False,
        reduce_only: bool = False,
        close_position: bool = False,
        borrow: bool = False,
        stop: Number | None = None,
        take_profit: Number | None = None,
        trailing: Number | None = None,
        activation: Number | None = None,
        trigger_on: str = "mark",
        expires: Instant | None = None,
        client_id: str | None = None,
        self_trade: str | None = None,
    ) -> Rows:
        """No price makes a market order; an expiry makes it good till then; `activation` arms a trailing stop later."""
        found = self._names.market(market)
        kinds = {O.STOP: stop, O.TAKE_PROFIT: take_profit, O.TRAILING: trailing}
        given = [kind for kind, value in kinds.items() if value is not None]
        if len(given) > 1:
            raise ValueError("an order waits for one thing: a stop, a take-profit or a trailing stop")
        kind = given[0] if given else O.NO_TRIGGER
        if activation is not None and kind != O.TRAILING:
            raise ValueError("only a trailing stop has an activation price")
        if post_only not in (False, True, "slide"):
            raise ValueError(f"post_only {post_only!r} is not one of False, True, 'slide'")
        at = activation if kind == O.TRAILING else kinds.get(kind)
        tif = chosen("time_in_force", time_in_force, TIFS)
        options = O.POST_ONLY if post_only is True else O.POST_ONLY_SLIDE if post_only else 0
        options |= (O.REDUCE_ONLY if reduce_only else 0) | (O.CLOSE_POSITION if close_position else 0)
        options |= O.BORROW if borrow else 0
        return builders.place_order(
            self._now,
            self._names.account(account),
            found.row,
            chosen("side", side, SIDES),
            found.lot.count(amount, "amount", "lots"),
            0 if price is None else self._ticks(found, price, "price"),
            order_type=O.MARKET if price is None else O.LIMIT,
            tif=O.GTT if expires is not None and tif == O.GTC else tif,
            stp=O.STP_OWNER if self_trade is None else chosen("self_trade", self_trade, STP_OF),
            options=options,
            trigger_kind=kind,
            trigger_on=chosen("trigger_on", trigger_on, TRIGGER_ON),
            trigger=0 if at is None else self._ticks(found, at, "trigger"),
            callback=0 if trailing is None else PPM_STEP.count(trailing, "trailing", "millionths"),
            expires_ns=0 if expires is None else instant_ns(expires, self._now, "expires"),
            client=client_words(client_id),
        )

    def amend(
        self,
        account: Who,
        id: int | None = None,
        price: Number | None = None,
        amount: Number | None = None,
        client_id: str | None = None,
    ) -> Rows:
        """`amount` is the new total, what is filled already included."""
        order, words = _named(id, client_id)
        who = self._names.account(account)
        row = self.find(account, id, client_id)
        ticks = lots = 0
        if row:  # otherwise the machine says that there is no such order
            market = self._names.market_at(self._reader.market_of_order(row))
            ticks = 0 if price is None else self._ticks(market, price, "price")
            lots = 0 if amount is None else self._lots(market, amount)
        return builders.amend_order(self._now, who, order, ticks, lots, words)

    def find(self, account: Who, id: int | None = None, client_id: str | None = None) -> int:
        """The row of an open order, or 0."""
        order, words = _named(id, client_id)
        return self._reader.find_order(self._names.account(account), order, words)

    def cancel(self, account: Who, id: int | None = None, client_id: str | None = None) -> Rows:
        order, words = _named(id, client_id)
        return builders.cancel_order(self._now, self._names.account(account), order, words)

    def cancel_all(self, account: Who, market: str | None = None) -> Rows:
        row = 0 if market is None else self._names.market(market).row
        return builders.cancel_all(self._now, self._names.account(account), row)

    def cancel_after(self, account: Who, delay: Duration) -> Rows:
        return builders.cancel_after(self._now, self._names.account(account), duration_ns(delay))

    @staticmethod
    def _ticks(market: Market, price: Number, what: str) -> int:
        """Zero would mean "none" inside, so it is refused here."""
        ticks = market.tick.count(price, what, "ticks")
        if ticks <= 0:
            raise Rejected(no.PRICE_MUST_BE_POSITIVE, f"{what} {price} of {market.name} must be above zero")
        return ticks

    @staticmethod
    def _lots(market: Market, amount: Number) -> int:
        lots = market.lot.count(amount, "amount", "lots")
        if lots <= 0:
            raise Rejected(no.SIZE_MUST_BE_POSITIVE, f"amount {amount} of {market.name} must be above zero")
        return lots


def _named(order: int | None, client_id: str | None) -> tuple[int, Words]:
    if (order is None) == (client_id is None):
        raise ValueError("name the order by its id or by its client_id")
    if order is None:
        return 0, client_words(client_id)
    if order <= 0:
        raise Rejected(no.ORDER_UNKNOWN, f"there is no order {order}")
    return order, NO_WORDS
