"""Records of markets, books, funds and the liquidation queue."""

from decimal import Decimal

from steelyard.venue.amounts import duration_text, grouped, iso8601, milliseconds, trimmed
from steelyard.venue.records import Numeric, Record, Shape


class FundingRate(Record, frozen=True, kw_only=True):
    """Rates are per interval. `next_rate` is what the samples so far would give."""

    symbol: str
    mark_price: Decimal
    index_price: Decimal
    interest_rate: Decimal
    rate: Decimal  # of the last interval
    next_rate: Decimal
    next_ns: int
    interval_ns: int
    at_ns: int

    def to_ccxt(self, number: Numeric = float) -> Shape:
        """ccxt's `fundingRate` is the one that will be paid next."""
        return {
            "symbol": self.symbol,
            "markPrice": number(self.mark_price),
            "indexPrice": number(self.index_price),
            "interestRate": number(self.interest_rate),
            "estimatedSettlePrice": None,
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "fundingRate": number(self.next_rate),
            "fundingTimestamp": milliseconds(self.next_ns),
            "fundingDatetime": iso8601(self.next_ns),
            "nextFundingRate": None,
            "nextFundingTimestamp": None,
            "nextFundingDatetime": None,
            "previousFundingRate": number(self.rate),
            "previousFundingTimestamp": milliseconds(self.next_ns - self.interval_ns),
            "previousFundingDatetime": iso8601(self.next_ns - self.interval_ns),
            "interval": duration_text(self.interval_ns),
            "info": self._info(),
        }


class LeverageTier(Record, frozen=True, kw_only=True):
    """A bracket. `deduction` makes M(maintain) = notional x rate - deduction continuous from one to the next."""

    tier: int
    symbol: str
    currency: str
    min_notional: Decimal
    max_notional: Decimal
    maintenance_margin_rate: Decimal
    initial_margin_rate: Decimal
    max_leverage: int
    deduction: Decimal

    def to_ccxt(self, number: Numeric = float) -> Shape:
        return {
            "tier": self.tier,
            "symbol": self.symbol,
            "currency": self.currency,
            "minNotional": number(self.min_notional),
            "maxNotional": number(self.max_notional),
            "maintenanceMarginRate": number(self.maintenance_margin_rate),
            "maxLeverage": number(Decimal(self.max_leverage)),
            "info": {**self._info(), "cum": str(self.deduction)},
        }


class MarketView(Record, frozen=True, kw_only=True):
    """Prices are None until there is one."""

    symbol: str
    settle: str
    base: str | None  # of a spot pair
    state: str
    tick: Decimal
    lot: Decimal
    mark: Decimal | None
    index: Decimal | None
    index_is_fresh: bool
    last: Decimal | None
    bid: Decimal | None
    ask: Decimal | None
    open_interest: Decimal
    opening_scale: Decimal  # how far open interest has moved the opening requirement towards the whole notional
    funding: FundingRate | None
    expiry_ns: int | None = None
    expires_in_ns: int | None = None  # 0: it has expired
    basis: Decimal | None = None  # mark less index
    basis_annualised: Decimal | None = None  # as a share of the index, over the time to expiry, a year
    rate: Decimal | None = None  # of a loan for a fixed term: what buying at the mark earns until then, a year
    at_ns: int


class Basis(Record, frozen=True, kw_only=True):
    """What one price is above another one, and what that is a year until the dates meet."""

    symbol: str
    against: str  # a market, or "index"
    price: Decimal
    against_price: Decimal
    basis: Decimal
    over_ns: int | None  # between the two dates, or from now to the only one
    annualised: Decimal | None  # basis as a share of the other price, a year; rounded down
    at_ns: int


class PoolView(Record, frozen=True, kw_only=True):
    """What is lent of an asset, at its last accrual. Rates are a year; amounts are in the asset lent."""

    asset: str
    share: str
    assets: Decimal  # what belongs to its lenders
    loans: Decimal  # with the interest on them
    available: Decimal
    utilisation: Decimal
    borrow_rate: Decimal
    rate_at_target: Decimal | None  # where the rate is adaptive
    supply_rate: Decimal
    shares: Decimal
    share_value: Decimal  # coins for one share, rounded down
    share_price: Decimal  # in the unit of account
    at_ns: int

    def __str__(self) -> str:
        lent, all_of_it = grouped(self.loans), grouped(self.assets)
        used, paid, earned = (f"{100 * each:.2f} %" for each in (self.utilisation, self.borrow_rate, self.supply_rate))
        return (
            f"pool of {self.asset}: {lent} of {all_of_it} lent ({used}); borrowers pay {paid} a year, lenders earn "
            f"{earned}; one {self.share} is worth {trimmed(self.share_value)} {self.asset}"
        )


class Level(Record, frozen=True, kw_only=True):
    price: Decimal
    amount: Decimal
    orders: int


class Book(Record, frozen=True, kw_only=True):
    """Resting orders by price, best first."""

    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    at_ns: int

    def to_ccxt(self, number: Numeric = float) -> Shape:
        return {
            "symbol": self.symbol,
            "bids": [[number(level.price), number(level.amount)] for level in self.bids],
            "asks": [[number(level.price), number(level.amount)] for level in self.asks],
            "timestamp": milliseconds(self.at_ns),
            "datetime": iso8601(self.at_ns),
            "nonce": None,
        }


class Fund(Record, frozen=True, kw_only=True):
    """What one system account holds, by asset, and its equity in the unit of account."""

    name: str
    balances: dict[str, Decimal]
    equity: Decimal


class Funds(Record, frozen=True, kw_only=True):
    insurance: Fund
    fees: Fund
    backstop: Fund
    lender: Fund
    converter: Fund
    dust: Fund


class QueueEntry(Record, frozen=True, kw_only=True):
    """An account in liquidation; those that wait for their turn come first, the least healthy first."""

    account: str
    health: Decimal  # E / M(maintain) when it was queued, rounded down
    state: str  # "waiting", "cooling down", "owing" or "spared"
    due_ns: int | None  # end of the cool-down
