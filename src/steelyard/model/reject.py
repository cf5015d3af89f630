"""Why a command was refused. The first failing line answers: checks are made in the order of these numbers.

A refused command changes nothing but the sequence number (and the clock work that was due before it).
Compiled code wants plain integers and takes them from this module: `reject.PRICE_STALE`.
"""

from enum import IntEnum


class Reject(IntEnum):
    """The reasons, as Python code sees them."""

    NONE = 0
    # the row itself
    UNKNOWN_COMMAND = 1
    INCOMPLETE_COMMAND = 2  # rows of another kind arrived before the last row, or too many rows
    TIME_WENT_BACK = 3
    TIME_JUMPS_TOO_FAR = 4
    FIELD_OUT_OF_RANGE = 5
    # what it names
    OWNER_UNKNOWN = 10
    ACCOUNT_UNKNOWN = 11
    # Children are reached through their parent; of the system accounts only the backstop trades, and only reduces.
    ACCOUNT_IS_NOT_TRADABLE = 12
    MARKET_UNKNOWN = 13
    ASSET_UNKNOWN = 14
    FEED_UNKNOWN = 15
    SOURCE_UNKNOWN = 16
    ORDER_UNKNOWN = 17
    REFERENCE_UNKNOWN = 18
    REFERENCE_REPEATED = 19
    REFERENCE_NOT_PENDING = 20
    CLIENT_ID_REPEATED = 21  # `order` of the event names the first one
    SAME_ACCOUNT = 22
    # configuration
    KEY_UNKNOWN = 30
    PARAMETER_OUT_OF_RANGE = 31  # `order` of the event names the key
    PARAMETER_IS_FIXED = 32
    PARAMETERS_DISAGREE = 33  # `order` of the event names the key that disagrees with another
    # amounts
    AMOUNT_MUST_BE_POSITIVE = 40
    AMOUNT_EXCEEDS_LIMIT = 41
    PRICE_EXCEEDS_LIMIT = 42
    PRICE_MUST_BE_POSITIVE = 43
    SIZE_MUST_BE_POSITIVE = 44
    SIZE_EXCEEDS_LIMIT = 45
    # what the market, tier and account allow
    MARKET_HALTED = 50
    MARKET_CANCEL_ONLY = 51
    MARKET_POST_ONLY = 52
    MARKET_REDUCE_ONLY = 53
    TIER_FORBIDS_PRODUCT = 54
    LEVERAGE_EXCEEDS_LIMIT = 55
    MARGIN_MODE_IN_USE = 56  # a position or an order exists; close it first
    MARKET_IS_NOT_ISOLATED = 57
    ACCOUNT_IN_LIQUIDATION = 58
    PRICE_STALE = 59
    PRICE_OUTSIDE_BAND = 60
    EXPIRY_NOT_IN_FUTURE = 61
    NO_LIQUIDITY = 62
    POST_ONLY_WOULD_CROSS = 63
    NOTHING_TO_REDUCE = 64
    TRIGGER_WOULD_FIRE_AT_ONCE = 65
    NOTHING_CHANGES = 66
    # room
    ACCOUNTS_FULL = 70
    LEGS_FULL = 71
    ORDERS_FULL = 72
    REFERENCES_FULL = 73
    ROWS_FULL = 74
    LADDER_FULL = 75
    # exposure and money
    POSITION_LIMIT = 80
    OPEN_INTEREST_LIMIT = 81
    LOAN_CAP_EXCEEDED = 82
    OPENING_MARGIN_EXCEEDED = 83
    PARENT_MARGIN_EXCEEDED = 84
    BALANCE_TOO_LOW = 85  # the cash is not present
    COINS_NOT_PRESENT = 86  # other people's coins would leave: loans of this asset are not funded
    FILL_OR_KILL_CANNOT_FILL = 87
    # later additions
    TRAILING_STOPS_FULL = 88
    NOTHING_TO_LEND = 89  # the lender has less than is to be borrowed
    # contracts
    PRICE_BELOW_LIMIT = 100  # of the market's ladder
    MARKET_SETTLED = 101  # it has expired
    # pairs
    PAIR_HAS_NO_LEVERAGE = 108  # the weights of its assets decide what may be borrowed
    # pools
    ONLY_BY_SUPPLY_OR_REDEEM = 114  # shares, and the lender's cash in an asset that has a pool
    POOL_UNKNOWN = 115
    POOL_CAP_EXCEEDED = 116
    LOSS_PENDING = 117  # somebody in liquidation owes more than there is: its lenders wait for what is lost
    COINS_ARE_LENT = 118  # the pool has less left than is to be redeemed
    LOANS_LIMIT = 119  # all loans of the asset together
    UTILISATION_LIMIT = 120
    OUTFLOW_LIMIT = 121  # too much is redeemed and borrowed in a short time
    # prices
    PRICE_UNCERTAIN = 122  # checked with PRICE_STALE: fresh, but less than the feed demands for this
    # bids
    NOT_IN_LIQUIDATION = 128
    ASSET_FROZEN = 129
    NO_OFFER = 130
    BID_TOO_SMALL = 131
    BID_LIMIT_NOT_MET = 132
    BID_LEAVES_DUST = 133
    BIDS_FULL = 134
    CURVE_UNKNOWN = 135
    COOLING_DOWN = 161  # shares of a pool that backs are redeemed some time after one said so
    POOL_SPENT = 160  # its shares are worth next to nothing: a new row is a new epoch
    STEPS_CANNOT_RAMP = 140  # other brackets or tiers that ask for more somewhere: change them first, then the rates
    SHARES_OF_SAME_POOL = 141  # a loan of a pool, and more than dust of its own shares, in one account
    BID_REPEATED = 142  # one bid of an account for the same pair in an instant
    TOO_MANY_BIDS = 143  # of one account in an instant
    OFFER_STANDS = 151  # offers begin again when none is left
    RISK_ARRAY_MISSING = 150  # of a market in which an account margined by scenarios would hold something


def __getattr__(name: str) -> int:
    """A reason as a plain integer: an enumeration's member would be a type of its own in compiled code."""
    if name in Reject.__members__:
        return Reject[name].value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
