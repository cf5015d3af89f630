"""Commands of a running venue: time, prices, money, settings and orders.

A refusal raises `Rejected`. With `check=False` nothing is raised: the result says `reason` and `message` instead.
"""

from collections.abc import Mapping
from typing import Literal, Unpack, overload

import msgspec

from steelyard.model import events as E
from steelyard.venue import builders
from steelyard.venue.amounts import Duration, Instant, Number, duration_ns
from steelyard.venue.core import Result
from steelyard.venue.order_views import describe, refused
from steelyard.venue.records import Order, Roll
from steelyard.venue.refusals import Rejected
from steelyard.venue.requests import OrderOptions, Who
from steelyard.venue.setup import Setup
from steelyard.venue.views import Views


class Trading(Setup):
    views: Views

    # --- time and prices

    def advance(self, step: Duration, *, check: bool = True) -> Result:
        """Let time pass: funding, expiries and cool-downs fall due, and every mark is recomputed."""
        return self.advance_to_ns(self.reader.now_ns + duration_ns(step, "step"), check=check)

    def advance_to(self, at: Instant, *, check: bool = True) -> Result:
        return self.send(lambda: self.rows.clock(at), check)

    def advance_to_ns(self, at_ns: int, *, check: bool = True) -> Result:
        return self.send(lambda: builders.clock(at_ns), check)

    def set_price(
        self,
        name: str,
        price: Number,
        source: int = 0,
        confidence: Number = 0,
        *,
        observed: Instant | None = None,
        check: bool = True,
    ) -> Result:
        """A report on the index of a market, or the price of an asset."""
        return self.send(lambda: self.rows.prices({name: price}, source, confidence, observed), check)

    def set_prices(
        self,
        prices: Mapping[str, Number],
        source: int = 0,
        confidence: Number = 0,
        *,
        observed: Instant | None = None,
        check: bool = True,
    ) -> Result:
        """Reports of one instant, as one command: nobody is judged between them."""
        return self.send(lambda: self.rows.prices(prices, source, confidence, observed), check)

    # --- money

    @property
    def unit(self) -> str:
        """The unit of account."""
        return self.names.asset_at(1).name

    def deposit(
        self,
        account: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        check: bool = True,
    ) -> Result:
        name = reference if reference is not None else self.names.label()
        return self.send(lambda: self.rows.deposit(account, amount, asset or self.unit, name), check)

    @overload
    def withdraw(
        self,
        account: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        borrow: bool = False,
        check: Literal[True] = True,
    ) -> str | bytes: ...

    @overload
    def withdraw(
        self,
        account: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        borrow: bool = False,
        check: bool,
    ) -> str | bytes | Result: ...

    def withdraw(
        self,
        account: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        borrow: bool = False,
        check: bool = True,
    ) -> str | bytes | Result:
        """Reserves the amount and returns the reference by which it is confirmed or returned.

        With `borrow`, what the account does not hold is lent to it against its collateral; a deposit repays.
        """
        name = reference if reference is not None else self.names.label()
        result = self.send(lambda: self.rows.withdraw(account, amount, asset or self.unit, name, borrow), check)
        return name if check else result

    def confirm_withdrawal(self, reference: str | bytes, *, check: bool = True) -> Result:
        """The amount has left for good."""
        return self.send(lambda: self.rows.confirm_withdrawal(reference), check)

    def return_withdrawal(self, reference: str | bytes, *, check: bool = True) -> Result:
        """The amount comes back to the account."""
        return self.send(lambda: self.rows.return_withdrawal(reference), check)

    def transfer(
        self,
        giver: Who,
        taker: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        borrow: bool = False,
        check: bool = True,
    ) -> Result:
        """Moves cash between accounts; with `borrow`, what the giver does not hold is lent to it."""
        name = reference if reference is not None else self.names.label()
        return self.send(lambda: self.rows.transfer(giver, taker, amount, asset or self.unit, name, borrow), check)

    def supply(
        self,
        account: Who,
        amount: Number,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        check: bool = True,
    ) -> Result:
        """Lends coins through the pool of an asset: the account gets shares for them."""
        name = reference if reference is not None else self.names.label()
        return self.send(lambda: self.rows.supply(account, amount, asset or self.unit, name), check)

    def stake(
        self,
        account: Who,
        amount: Number,
        share: str,
        reference: str | bytes | None = None,
        *,
        check: bool = True,
    ) -> Result:
        """Puts coins into a stake pool, named by its shares: the account gets some of them."""
        name = reference if reference is not None else self.names.label()
        return self.send(lambda: self.rows.stake(account, amount, share, name), check)

    def leave(self, account: Who, shares: Number, share: str, *, check: bool = True) -> Result:
        """Says that so many shares of a pool that backs are to be redeemed, once its cool-down is over; 0: none."""
        return self.send(lambda: self.rows.leave(account, shares, share), check)

    def claim(self, account: Who, share: str, *, check: bool = True) -> Result:
        """Takes home what a stake pool has gained for shares, or what was gained for taking debts in an asset over."""
        return self.send(lambda: self.rows.claim(account, share), check)

    def redeem(
        self,
        account: Who,
        shares: Number | None = None,
        asset: str | None = None,
        reference: str | bytes | None = None,
        *,
        check: bool = True,
    ) -> Result:
        """Gives shares (by their name, or by the asset lent) back for coins; without a number all that there are."""
        name = reference if reference is not None else self.names.label()
        return self.send(lambda: self.rows.redeem(account, shares, asset or self.unit, name), check)

    def add_margin(self, account: Who, market: str, amount: Number, *, check: bool = True) -> Result:
        """Move cash from the account to its isolated position."""
        return self.send(lambda: self.rows.move_margin(account, market, amount), check)

    def remove_margin(self, account: Who, market: str, amount: Number, *, check: bool = True) -> Result:
        return self.send(lambda: self.rows.move_margin(account, market, amount, out=True), check)

    # --- liquidations

    def liquidate(
        self,
        bidder: Who,
        account: Who,
        repay: Number,
        collateral: str,
        asset: str | None = None,
        *,
        least: Number | None = None,
        as_asked: bool = False,
        borrow: bool = False,
        check: bool = True,
    ) -> Result:
        """A bid to repay at most so much of a debt (of the unit of account, unless `asset` says) for collateral.

        It is filled when the clock moves on: bids of one instant are one auction. `least` is the least collateral for
        all of `repay`, in proportion for less. With `as_asked` the bidder gets just that, which puts it before those
        who take what the curve gives. With `borrow`, what the bidder does not hold is lent to it.
        """
        owed = asset or self.unit
        return self.send(
            lambda: self.rows.liquidate(bidder, account, repay, owed, collateral, least, as_asked, borrow), check
        )

    def restart_offers(
        self, keeper: Who, account: Who, collateral: str, asset: str | None = None, *, check: bool = True
    ) -> Result:
        """The offers of an account in liquidation begin again, when all its ladders have ended.

        The ladder of this collateral for debts in `asset` (the unit of account, unless it says) tells what the keeper
        is paid; a liquidation pays one keeper at most.
        """
        owed = asset or self.unit
        return self.send(lambda: self.rows.restart_offers(keeper, account, owed, collateral), check)

    # --- settings

    def set_leverage(self, account: Who, market: str, leverage: int, *, check: bool = True) -> Result:
        return self.send(lambda: self.rows.set_leverage(account, market, leverage), check)

    def set_margin_mode(self, account: Who, market: str, mode: str, *, check: bool = True) -> Result:
        """ "cross" or "isolated", for all accounts of the owner."""
        return self.send(lambda: self.rows.set_margin_mode(account, market, mode), check)

    # --- orders

    def order(
        self,
        account: Who,
        market: str,
        side: str,
        amount: Number = 0,
        price: Number | None = None,
        *,
        check: bool = True,
        **options: Unpack[OrderOptions],
    ) -> Order:
        """Place an order; without a price it is a market order.

        Options: `time_in_force` ("GTC", "IOC", "FOK", "GTT"), `post_only` (True or "slide"), `reduce_only`,
        `close_position`, `borrow` (in a spot pair: what is missing is lent),
        `stop`, `take_profit`, `trailing` (a rate) with `activation`, `trigger_on` ("mark", "index",
        "last"), `expires`, `client_id`, `self_trade` ("none", "expire_taker", "expire_maker", "expire_both").
        """
        try:
            rows = self.rows.order(account, market, side, amount, price, **options)
        except Rejected as refusal:
            if check:
                raise
            return refused(refusal, account=str(account), symbol=market, side=side, amount=amount)
        result = self.send(lambda: rows, check)
        asked = describe(rows, self.names, result.reason, result.message)
        if result.reason:
            return asked
        events = result.rows
        accepted = events["order"][events["kind"] == E.ORDER_ACCEPTED]
        return self.views.orders.after(self.names.account(account), int(accepted[0]), asked, events, self._decoder)

    def roll(
        self,
        account: Who,
        near: str,
        far: str,
        amount: Number | None = None,
        *,
        close_at: Number | None = None,
        open_at: Number | None = None,
    ) -> Roll:
        """Close a position in `near` (all of it, or so much), and open as much of it in `far`.

        Two orders, each filled at once or not at all for what is missing: the first only reduces, the second is for
        what the first has filled. `close_at` and `open_at` are the worst prices. If the second is refused or not
        filled whole, the first stays done: `opened` tells.
        """
        held = self.views.position(self.names.account(account), self.names.market(near).row)
        if held.side is None:
            raise ValueError(f"{held.account} has no position in {near}")
        closing, opening = ("sell", "buy") if held.side == "long" else ("buy", "sell")
        size = held.contracts if amount is None else amount
        self.names.market(far).lot.count(size, "amount", f"lots of {far}")
        closed = self.order(account, near, closing, size, close_at, reduce_only=True, time_in_force="IOC")
        if not closed.filled:
            return Roll(closed=closed, opened=None)
        opened = self.order(account, far, opening, closed.filled, open_at, time_in_force="IOC", check=False)
        return Roll(closed=closed, opened=opened)

    def amend(
        self,
        account: Who,
        id: int | None = None,
        price: Number | None = None,
        amount: Number | None = None,
        *,
        client_id: str | None = None,
        check: bool = True,
    ) -> Order:
        """Change price or total amount of a resting limit order; the order as it is afterwards.

        `amount` is the new total, what is filled already included.
        """
        row = self.rows.find(account, id, client_id)
        before = self.views.orders.one(self.names.account(account), row) if row else None
        result = self.send(lambda: self.rows.amend(account, id, price, amount, client_id), check)
        if result.reason:
            told = Rejected(result.reason, result.message)
            if before is None:
                return refused(told, account=str(account), id=id or 0, client_id=client_id)
            return msgspec.structs.replace(before, reason=told.reason, message=told.message)
        assert before is not None, "what the machine amends was open"
        who = self.names.account(account)
        return self.views.orders.after(who, before.id, before, result.rows, self._decoder)

    def cancel(
        self, account: Who, id: int | None = None, *, client_id: str | None = None, check: bool = True
    ) -> Result:
        return self.send(lambda: self.rows.cancel(account, id, client_id), check)

    def cancel_all(self, account: Who, market: str | None = None, *, check: bool = True) -> Result:
        return self.send(lambda: self.rows.cancel_all(account, market), check)

    def cancel_after(self, account: Who, delay: Duration, *, check: bool = True) -> Result:
        """Cancel everything after this long, unless called again before; 0 switches it off."""
        return self.send(lambda: self.rows.cancel_after(account, delay), check)
