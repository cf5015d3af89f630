"""Events as records: what the machine says happened, with names and decimals. The past tense of `model/events.py`.

Amounts are in the settlement asset of the market unless the record names an asset. `at_ns` is the time of the command
during which the event was written; clock work that was due earlier is written just before that command.
"""

from decimal import Decimal
from typing import Any

import msgspec

from steelyard.model.reject import Reject
from steelyard.venue.amounts import iso8601, milliseconds


class Happened(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="event"):
    """(seq, nth) names an event for ever: the nth of the command with that sequence number, from 0."""

    seq: int
    nth: int
    at_ns: int


class Refused(Happened, frozen=True, kw_only=True):
    reason: Reject
    command: str
    account: str | None
    symbol: str | None
    detail: int  # what the reason names: an order id or a parameter's key


class Configured(Happened, frozen=True, kw_only=True):
    table: str
    row: int
    is_new: bool
    is_step: bool = False  # of a ramp
    margin: str | None = None  # of an owner: what its positions are required by


class RiskArraySet(Happened, frozen=True, kw_only=True):
    """Some of an array's values, by their names, for one unit of the market's size."""

    symbol: str
    values: dict[str, Decimal]


class AccountOpened(Happened, frozen=True, kw_only=True):
    account: str
    owner: int
    role: str
    parent: str | None
    symbol: str | None


class Deposited(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal


class WithdrawalReserved(Deposited, frozen=True, kw_only=True):
    pass


class WithdrawalConfirmed(Deposited, frozen=True, kw_only=True):
    pass


class WithdrawalReturned(Deposited, frozen=True, kw_only=True):
    pass


class Transferred(Happened, frozen=True, kw_only=True):
    giver: str
    taker: str
    asset: str
    amount: Decimal


class MarginMoved(Happened, frozen=True, kw_only=True):
    account: str
    child: str
    symbol: str
    amount: Decimal  # positive to the child


class LeverageSet(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    leverage: int


class MarginModeSet(Happened, frozen=True, kw_only=True):
    account: str
    owner: int
    symbol: str
    mode: str


class IndexSet(Happened, frozen=True, kw_only=True):
    name: str  # a market, or an asset
    price: Decimal


class FeedJudged(Happened, frozen=True, kw_only=True):
    name: str
    price: Decimal
    low: Decimal
    high: Decimal
    now: Decimal
    average: Decimal
    pending: Decimal | None
    good_for: tuple[str, ...]


class MarkSet(Happened, frozen=True, kw_only=True):
    symbol: str
    mark: Decimal
    index: Decimal
    funding_rate: Decimal
    bid: Decimal | None
    ask: Decimal | None


class OrderAccepted(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    order: int
    side: str
    type: str
    time_in_force: str
    price: Decimal | None
    amount: Decimal
    trigger_price: Decimal | None
    margin: Decimal  # moved to the isolated position


class OrderAmended(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    order: int
    side: str
    price: Decimal
    remaining: Decimal
    kept_its_place: bool


class OrderTriggered(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    order: int
    side: str
    price: Decimal


class OrderClosed(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    order: int
    side: str
    because: str
    dropped: Decimal
    reason: Reject  # why a triggered order was refused


class Fill(Happened, frozen=True, kw_only=True):
    """One side of a trade. `realized` is profit taken on what was closed, before the fee."""

    account: str
    symbol: str
    order: int
    other_order: int
    side: str
    price: Decimal
    amount: Decimal
    cost: Decimal
    realized: Decimal
    fee: Decimal  # negative is a rebate
    fee_asset: str
    is_maker: bool
    is_liquidation: bool
    position: Decimal  # after it, signed
    remaining: Decimal  # of the order
    is_inverse: bool = False  # its contracts are amounts of the quote currency
    is_spot: bool = False  # `position` is what is held of the base

    @property
    def id(self) -> str:
        return f"{self.seq}-{self.nth}"

    def to_ccxt(self, number: Any = float) -> dict[str, Any]:
        """ccxt's trade."""
        return {
            "id": self.id,
            "order": str(self.order),
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "symbol": self.symbol,
            "type": None,
            "side": self.side,
            "takerOrMaker": "maker" if self.is_maker else "taker",
            "price": number(self.price),
            "amount": number(self.amount),
            "cost": number(self.cost),
            "fee": {"currency": self.fee_asset, "cost": number(self.fee)},
            "fees": [{"currency": self.fee_asset, "cost": number(self.fee)}],
            "info": msgspec.to_builtins(self),
        }


class FundingSet(Happened, frozen=True, kw_only=True):
    symbol: str
    index: Decimal
    rate: Decimal
    funding_index: Decimal  # in price units per contract, since the market began
    due_ns: int


class FundingPaid(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    amount: Decimal  # negative was received


class DustSwept(Happened, frozen=True, kw_only=True):
    symbol: str
    amount: Decimal
    of: str  # whose roundings left it: "funding" or "settlement"


class MarketSettled(Happened, frozen=True, kw_only=True):
    symbol: str
    price: Decimal
    source: str  # "average", "index" (the first after the expiry) or "mark" (none for a day), "agreed"
    averaged: Decimal  # seconds of the window in which the index was good for settling
    index: Decimal | None


class PositionSettled(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    side: str  # of the closing
    price: Decimal
    amount: Decimal
    realized: Decimal


class InterestPaid(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal
    reserve: Decimal  # what the insurance fund gets of it; the rest is the lender's
    index: Decimal  # what a debt of 1 has grown to since the asset began


class InterestSet(Happened, frozen=True, kw_only=True):
    asset: str
    rate: Decimal  # a year
    index: Decimal
    loans: Decimal


class PoolSupplied(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal
    share: str
    shares: Decimal


class PoolRedeemed(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal
    share: str
    shares: Decimal


class DebtWrittenOff(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal
    share: str | None  # whose holders bear it; None: the operator's lender does


class SharePriceSet(Happened, frozen=True, kw_only=True):
    share: str
    price: Decimal  # in the unit of account
    assets: Decimal  # of the pool, in the asset that it lends
    shares: Decimal


class RateSet(Happened, frozen=True, kw_only=True):
    asset: str
    rate: Decimal  # a year: at the target utilisation, or by the peg


class CancelAfterSet(Happened, frozen=True, kw_only=True):
    account: str
    due_ns: int | None


class Converted(Happened, frozen=True, kw_only=True):
    account: str
    sold_asset: str
    sold: Decimal
    bought_asset: str
    bought: Decimal


class LiquidationStarted(Happened, frozen=True, kw_only=True):
    """All in the unit of account."""

    account: str
    equity: Decimal
    maintain: Decimal
    restore: Decimal
    takeover: Decimal


class LiquidationWaits(Happened, frozen=True, kw_only=True):
    """For prices that are good for liquidating: at the last ones that were, the account would be healthy."""

    account: str
    equity: Decimal
    maintain: Decimal
    good_equity: Decimal
    good_maintain: Decimal


class LiquidationOrder(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    side: str
    limit: Decimal
    amount: Decimal
    mark: Decimal
    bankruptcy: Decimal  # what closing that amount must bring to cost the account all that it may
    equity: Decimal
    requirement: Decimal  # M(maintain)
    maintain: Decimal  # its position part


class LiquidationFee(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str
    amount: Decimal


class FundPaid(Happened, frozen=True, kw_only=True):
    account: str
    symbol: str | None
    asset: str
    amount: Decimal


class FundDay(Happened, frozen=True, kw_only=True):
    """A new day: what the insurance fund pays counts from nothing again."""

    asset: str
    paid: Decimal  # on the last day that counted


class TakenOver(Happened, frozen=True, kw_only=True):
    account: str
    backstop: str
    symbol: str
    side: str
    amount: Decimal
    cash: Decimal  # negative: the account paid


class Deleveraged(Happened, frozen=True, kw_only=True):
    account: str
    counterparty: str
    symbol: str
    side: str
    amount: Decimal
    cash: Decimal  # negative: the account paid
    fund: Decimal
    score: int
    rank: int


class BidPlaced(Happened, frozen=True, kw_only=True):
    """It is filled, or closed, once the clock has moved past its instant."""

    bidder: str
    account: str  # in liquidation
    debt_asset: str
    most: Decimal  # of the debt
    collateral_asset: str
    least: Decimal | None  # collateral for all of it
    as_asked: bool
    borrows: bool


class BidClosed(Happened, frozen=True, kw_only=True):
    bidder: str
    account: str
    debt_asset: str
    collateral_asset: str
    bid: int  # the command that placed it
    reason: Reject


class BidFilled(Happened, frozen=True, kw_only=True):
    """`rate` is the value of its curve then: a bonus, or the price of a coin in parts of its index."""

    account: str
    bidder: str
    bid: int  # the command that placed it
    curve: int
    rate: Decimal
    debt_asset: str
    repaid: Decimal
    collateral_asset: str
    received: Decimal
    fee: Decimal  # of the collateral, to the insurance fund
    equity: Decimal  # before it
    cost: Decimal  # what it cost the account, in the unit of account


class ClaimsIssued(BidFilled, frozen=True, kw_only=True):
    """A debt that nobody paid was paid by a bidder for claims that the house issued: there are so many more now."""


class Absorbed(Happened, frozen=True, kw_only=True):
    """A stake pool took over a debt of an account in liquidation; `rate` is the value of its curve then."""

    account: str
    share: str  # of the pool
    curve: int
    rate: Decimal
    debt_asset: str
    repaid: Decimal
    collateral_asset: str
    received: Decimal  # by the pool, for its shares
    fee: Decimal  # of the collateral, to the insurance fund
    equity: Decimal  # before it
    cost: Decimal  # what it cost the account, in the unit of account


class CollateralOrder(Happened, frozen=True, kw_only=True):
    """An account in liquidation sells through a spot book; `rate` is the value of its curve, which sets the limit."""

    account: str
    symbol: str
    side: str
    limit: Decimal
    amount: Decimal
    most: Decimal  # what could be exchanged at the limit
    mark: Decimal
    curve: int
    rate: Decimal
    equity: Decimal
    maintain: Decimal


class OffersRestarted(Happened, frozen=True, kw_only=True):
    """All offers of an account in liquidation had ended; a keeper began them again."""

    account: str
    keeper: str
    collateral_asset: str
    debt_asset: str
    curve: int  # the first of the ladder that says what is paid
    paid: Decimal  # by the insurance fund to the keeper, in the unit of account
    debt: Decimal  # its value
    equity: Decimal
    maintain: Decimal


class DebtSpread(Happened, frozen=True, kw_only=True):
    """Others who owe an asset took a debt over, and get collateral; `rate` is the value of the curve then."""

    account: str
    curve: int
    rate: Decimal
    debt_asset: str
    repaid: Decimal
    collateral_asset: str
    received: Decimal  # by those who owe the asset now, by their debts
    fee: Decimal  # of the collateral, to the insurance fund
    equity: Decimal  # before it
    cost: Decimal  # what it cost the account, in the unit of account
    growth: Decimal  # of a debt of 1 since the asset began, this included


class StakesPaid(Happened, frozen=True, kw_only=True):
    """The holders of a backing pool's shares paid what an account could not."""

    account: str
    symbol: str | None  # of the position; None: of a debt
    asset: str
    amount: Decimal
    share: str
    beside: bool  # part of what the deleveraging before it tells as the fund's


class StakesEarned(Happened, frozen=True, kw_only=True):
    """A part of a liquidation fee."""

    account: str
    symbol: str
    amount: Decimal
    share: str


class LeavingSet(Happened, frozen=True, kw_only=True):
    account: str
    share: str
    shares: Decimal
    from_ns: int | None  # when they may be redeemed


class GainPaid(Happened, frozen=True, kw_only=True):
    account: str
    asset: str
    amount: Decimal
    share: str
    shares: Decimal


class DustTaken(Happened, frozen=True, kw_only=True):
    account: str
    taker: str
    asset: str
    amount: Decimal


class LiquidationEnded(Happened, frozen=True, kw_only=True):
    account: str
    because: str  # "healthy" or "closed"
    equity: Decimal
    maintain: Decimal
