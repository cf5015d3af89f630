"""Why something was refused, in words a trader understands."""

from steelyard.model import reject as no
from steelyard.model.reject import Reject


class Rejected(Exception):
    """The venue refused.

    `reason` is one of a fixed list; `message` says what was asked, which limit stood in the way, and the numbers.
    """

    def __init__(self, reason: int, message: str) -> None:
        self.reason = Reject(reason)
        super().__init__(f"{self.reason.name}: {message}")
        self.message = message

    def __reduce__(self) -> tuple[type["Rejected"], tuple[int, str]]:
        return type(self), (self.reason, self.message)


SENTENCES: dict[int, str] = {
    no.UNKNOWN_COMMAND: "the machine does not know this command",
    no.INCOMPLETE_COMMAND: "the rows of this command do not belong together",
    no.TIME_WENT_BACK: "the clock cannot go back",
    no.TIME_JUMPS_TOO_FAR: "the clock moves at most 30 days at once; advance in several steps",
    no.FIELD_OUT_OF_RANGE: "these settings do not go together",
    no.OWNER_UNKNOWN: "there is no such owner",
    no.ACCOUNT_UNKNOWN: "there is no such account",
    no.ACCOUNT_IS_NOT_TRADABLE: (
        "this account cannot be used directly: isolated positions are reached through their parent, "
        "and of the system accounts only the backstop places orders, reduce-only ones"
    ),
    no.MARKET_UNKNOWN: "there is no such market",
    no.ASSET_UNKNOWN: "there is no such asset",
    no.FEED_UNKNOWN: "there is no such price feed",
    no.SOURCE_UNKNOWN: "this feed does not listen to that source",
    no.ORDER_UNKNOWN: "there is no such open order of this account",
    no.REFERENCE_UNKNOWN: "no withdrawal has this reference",
    no.REFERENCE_REPEATED: "this reference was used before, and each acts once",
    no.REFERENCE_NOT_PENDING: "this withdrawal has been confirmed or returned already",
    no.CLIENT_ID_REPEATED: "this client id is taken by an earlier order",
    no.SAME_ACCOUNT: "giver and taker are the same account",
    no.KEY_UNKNOWN: "there is no such parameter",
    no.PARAMETER_OUT_OF_RANGE: "a parameter is out of its range",
    no.PARAMETER_IS_FIXED: "this parameter cannot change once it has been set",
    no.PARAMETERS_DISAGREE: "these parameters contradict one another",
    no.AMOUNT_MUST_BE_POSITIVE: "the amount must be above zero",
    no.AMOUNT_EXCEEDS_LIMIT: "the amount is more than this asset may ever hold inside the venue",
    no.PRICE_EXCEEDS_LIMIT: "the price is above the highest there can be",
    no.PRICE_MUST_BE_POSITIVE: "the price must be above zero",
    no.PRICE_BELOW_LIMIT: "the price is below the lowest there can be",
    no.SIZE_MUST_BE_POSITIVE: "the size must be above zero, and above what is filled already",
    no.SIZE_EXCEEDS_LIMIT: "the size is above the largest order of this market",
    no.MARKET_SETTLED: "the market has expired",
    no.MARKET_HALTED: "the market is halted",
    no.MARKET_CANCEL_ONLY: "the market takes cancels only",
    no.MARKET_POST_ONLY: "the market takes post-only orders only",
    no.MARKET_REDUCE_ONLY: "the market takes reduce-only orders only",
    no.TIER_FORBIDS_PRODUCT: "the risk tier of this owner does not allow this",
    no.LEVERAGE_EXCEEDS_LIMIT: "the leverage is above what this owner or market allows",
    no.MARGIN_MODE_IN_USE: "the margin mode cannot change while a position or an order exists; close it first",
    no.MARKET_IS_NOT_ISOLATED: "this account has no isolated position in this market",
    no.ACCOUNT_IN_LIQUIDATION: "the account is in liquidation; it may cancel, deposit and receive",
    no.PRICE_STALE: "a price this needs is missing or too old",
    no.PRICE_UNCERTAIN: "a price this needs is fresh, but less certain than its feed demands for this",
    no.PRICE_OUTSIDE_BAND: "the limit price is too far beyond the mark",
    no.EXPIRY_NOT_IN_FUTURE: "the expiry is not after the venue's clock",
    no.NO_LIQUIDITY: "there is nobody on the other side of the book",
    no.POST_ONLY_WOULD_CROSS: "a post-only order must not trade at once, and this one would",
    no.NOTHING_TO_REDUCE: "there is no position for a reduce-only order to reduce",
    no.TRIGGER_WOULD_FIRE_AT_ONCE: "the trigger is reached already",
    no.NOTHING_CHANGES: "it is so already",
    no.ACCOUNTS_FULL: "the venue has no room for another account",
    no.LEGS_FULL: "the account or the venue has no room for another balance or position",
    no.ORDERS_FULL: "the account or the venue has no room for another order",
    no.REFERENCES_FULL: "the venue has no room for another reference",
    no.ROWS_FULL: "the venue has no room for another of these",
    no.LADDER_FULL: "the venue has no room for so many price levels",
    no.POSITION_LIMIT: "the position would be larger than this market allows one owner",
    no.OPEN_INTEREST_LIMIT: "open interest would exceed the cap of this market",
    no.LOAN_CAP_EXCEEDED: "a debt is, or would be, above its cap",
    no.OPENING_MARGIN_EXCEEDED: "equity would not cover the opening requirement",
    no.PARENT_MARGIN_EXCEEDED: "the parent account would not cover its own opening requirement afterwards",
    no.BALANCE_TOO_LOW: "the cash is not there",
    no.NOTHING_TO_LEND: "the lender has less left than is to be borrowed",
    no.ONLY_BY_SUPPLY_OR_REDEEM: (
        "shares of a pool, and the lender's cash in what a pool lends, move by supply and redeem alone"
    ),
    no.POOL_UNKNOWN: "there is no such pool",
    no.COOLING_DOWN: "who leaves a pool that backs says so first, and waits for its cool-down",
    no.POOL_SPENT: "the shares of this pool are worth next to nothing: add another pool for the same pair",
    no.POOL_CAP_EXCEEDED: "the pool would have more than it may",
    no.LOSS_PENDING: "somebody in liquidation owes more than there is; who bears the loss is not known yet",
    no.LOANS_LIMIT: "all loans of the asset together would be more than they may",
    no.UTILISATION_LIMIT: "more of the asset would be lent than may be",
    no.OUTFLOW_LIMIT: "so much may not be redeemed and borrowed in so short a time",
    no.COINS_ARE_LENT: "the pool has lent the coins that are to be redeemed",
    no.COINS_NOT_PRESENT: "the coins have been lent out, so they cannot leave the venue",
    no.RISK_ARRAY_MISSING: "a market has no risk array, which requirements by scenarios need",
    no.STEPS_CANNOT_RAMP: "other brackets or tiers may not ask for more: change them first, then the rates",
    no.PAIR_HAS_NO_LEVERAGE: "a spot pair has no leverage: the weights of its assets decide what may be borrowed",
    no.FILL_OR_KILL_CANNOT_FILL: "the order cannot be filled completely at once",
    no.NOT_IN_LIQUIDATION: "this account is not in liquidation",
    no.ASSET_FROZEN: "one of the assets is frozen",
    no.NO_OFFER: "no offer stands for this collateral and this debt",
    no.OFFER_STANDS: "offers begin again when none is left and nobody else paid; that is not so yet",
    no.BID_TOO_SMALL: "the bid would repay or receive nothing",
    no.BID_LIMIT_NOT_MET: "the offer gives less collateral than the bid asks for",
    no.BID_LEAVES_DUST: "the bid would leave a rest too small to be sold; repay more, or all",
    no.BIDS_FULL: "so many bids wait for the end of this instant that there is no room for another",
    no.BID_REPEATED: "the account has a bid for the same debt and collateral of that account in this instant",
    no.TOO_MANY_BIDS: "the account has as many bids in this instant as one account may have",
    no.SHARES_OF_SAME_POOL: "an account may not owe to a pool and hold more than dust of its shares",
    no.CURVE_UNKNOWN: "there is no such curve",
    no.TRAILING_STOPS_FULL: "this market follows as many trailing stops as it may",
}
assert set(SENTENCES) == {int(reason) for reason in Reject} - {no.NONE}, "every reason has its sentence"
