"""The words of an order and of an account."""

BUY, SELL = 1, -1

# order_type
LIMIT, MARKET = 0, 1
# tif
GTC, IOC, FOK, GTT = 0, 1, 2, 3
# flags
POST_ONLY, POST_ONLY_SLIDE, REDUCE_ONLY, CLOSE_POSITION, BORROW = 1, 2, 4, 8, 16
FLAGS_ALL = 31
# stp: 0 takes the owner's setting
STP_OWNER, STP_NONE, STP_TAKER, STP_MAKER, STP_BOTH = 0, 1, 2, 3, 4
# trigger_kind
NO_TRIGGER, STOP, TAKE_PROFIT, TRAILING = 0, 1, 2, 3
# trigger_on
ON_MARK, ON_INDEX, ON_LAST = 0, 1, 2

# state of an order row
FREE, RESTING, WAITING, TRIGGERED, INCOMING = 0, 1, 2, 3, 4

# market state
OPEN, POST_ONLY_MARKET, REDUCE_ONLY_MARKET, CANCEL_ONLY, HALTED = 0, 1, 2, 3, 4
SETTLED = 5  # set by the machine alone, and for ever

# kind of a market: what a lot is worth
LINEAR, INVERSE, SPOT = 0, 1, 2

# what the rate of loans follows
KINK, ADAPTIVE, PEG, POWER = 0, 1, 2, 3

# what a settlement price is
BY_AVERAGE, BY_INDEX, BY_MARK, BY_RULE = 0, 1, 2, 3

# mark policy
MEDIAN_OF_THREE, INDEX_ONLY = 0, 1

# options of a withdrawal or a transfer
MAY_BORROW = 1  # what the account does not hold is lent to it
# option of a redemption
AT_MOST = 1  # what the account holds, if that is less
# ... and of a bid
AS_ASKED = 2  # the bidder gets what it asks, not what the offer gives
RESTART = 4  # no bid: the offers of an account whose ladders have ended begin again

# who is deleveraged first
BY_PROFIT_AND_LEVERAGE, BY_PROFIT, BY_SIZE, PRO_RATA, HEDGES_LAST = 0, 1, 2, 3, 4

# margin mode
CROSS, ISOLATED = 0, 1

# role of an account
USER, CHILD, SYSTEM, KEEPER = 0, 1, 2, 3  # a keeper holds what belongs to the shares of a stake pool

# an account in liquidation
WAITS, COOLS, OWES = 1, 2, 3  # for its turn; for the next slice; for money, with nothing left to close
KEEPER_PAID = 2  # in place of 1 where a liquidation has started: a keeper was paid for it
SPARED = 4  # for prices that are good for liquidating; it may reduce meanwhile

# rows of the system accounts
INSURANCE, FEES, BACKSTOP, LENDER, CONVERTER, DUST = 1, 2, 3, 4, 5, 6
SYSTEM_ACCOUNTS = 6
SYSTEM_OWNER = 1

# kinds of clock work, in their order at one instant
TIMER_COOLDOWN, TIMER_CANCEL_AFTER, TIMER_EXPIRY, TIMER_SAMPLE, TIMER_FUNDING, TIMER_INTEREST = 1, 2, 3, 4, 5, 6
TIMER_SETTLEMENT = 7
TIMER_BIDS = 17

# the variable of an offer curve, what it gives, and how much may be repaid
OF_HEALTH, OF_COVER, OF_LTV, OF_TIME, OF_VOLATILITY = 0, 1, 2, 3, 4
GIVES_BONUS, GIVES_PRICE = 0, 1
TO_RESTORE, TAKE_ALL, TAKE_WHOLE = 0, 1, 2  # whole: all of the debt, though the collateral be worth less
# who takes what a step of a ladder offers
FOR_BIDDERS, FOR_POOL, FOR_BOOK, FOR_BORROWERS = 0, 1, 2, 3
# what a pool does with what it is given
LENDS, ABSORBS, BACKS = 0, 1, 2
# who pays: the insurance fund; any other number is the share of a pool that backs
FROM_FUND = 1
TIMER_RAMP_ASSET, TIMER_RAMP_MARKET = 20, 21
TIMER_PRICE = 10  # a delayed price takes effect

# the question asked of a requirement
FOR_OPEN, FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER = 0, 1, 2, 3
FOR_REDUCE = 4  # open, with every price counted at mid, stale ones too: what reduces raises no risk
FOR_LEAVING = 5  # open, with collateral counted if its price is good for withdrawing

# what a price can be good for: the actions of a feed
TO_OPEN, TO_WITHDRAW, TO_LIQUIDATE, TO_TRIGGER, TO_FUND, TO_SETTLE = 0, 1, 2, 3, 4, 5
ACTIONS = 6
# what an action may demand of it besides being fresh
DEMAND_QUORUM, DEMAND_NARROW, DEMAND_STEADY, DEMAND_WHOLE = 1, 2, 4, 8
DEMANDS_ALL = 15
# what a feed believes
BELIEVE_NOW, BELIEVE_AVERAGE, BELIEVE_STEADY = 0, 1, 2
# what its interval covers
WIDEN_CONFIDENCE, WIDEN_AVERAGE, WIDEN_NOW = 1, 2, 4
WIDENS_ALL = 7

# products a risk tier may hold
PRODUCT_PERPETUAL, PRODUCT_BORROWING, PRODUCT_DATED, PRODUCT_SPOT = 1, 2, 4, 8
PRODUCT_PORTFOLIO = 16  # requirements by scenario
PRODUCTS_ALL = 31

# what positions of an owner are required by
BY_POSITION, BY_SCENARIO = 0, 1

# state of an external reference
USED, RESERVED, CONFIRMED, RETURNED = 1, 2, 3, 4
