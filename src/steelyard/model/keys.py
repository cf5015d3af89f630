"""Keys of parameters: columns of the rule tables, set by CONFIGURE rows (key, value), all or nothing.

A new row starts from the defaults below. `FIXED` keys cannot change once the row exists. Ranges are (low, high),
inclusive; relations between keys are checked in `rules/parameters.py`.
"""

from steelyard.model.orders import (
    ACTIONS,
    BACKS,
    BY_POSITION,
    BY_PROFIT_AND_LEVERAGE,
    BY_SCENARIO,
    DEMANDS_ALL,
    HEDGES_LAST,
    KINK,
    LENDS,
    LINEAR,
    POWER,
    PRODUCTS_ALL,
    SPOT,
    WIDENS_ALL,
)
from steelyard.num.limits import (
    AMOUNT_MAX,
    ARRAY_MAX,
    ASSET_PRICE_SCALE,
    BRACKETS_MAX,
    COLLATERAL_TIERS_MAX,
    CURVE_POINTS,
    CURVE_TO_MAX,
    CURVE_VALUE_MAX,
    FEE_TIERS_MAX,
    LEVERAGE_MAX,
    NOTIONAL_MAX,
    PAYERS_MAX,
    PPB,
    PPM,
    PRICE_TICKS_MAX,
    SCENARIOS,
    SIZE_ROOT_MAX,
    SIZE_SCALE,
    SOURCES_MAX,
    TIME_NS_MAX,
    VALUE_MAX,
)

SECOND = 1_000_000_000
HOUR = 3600 * SECOND
UNIT = 1  # the asset that is the unit of account

# asset -----------------------------------------------------------------------------------------------------------
A_DECIMALS = 0
A_FEED = 1  # 0: this asset is the unit of account, price 1
A_SUPPLY_MAX = 2  # atoms that may ever be inside
A_LOAN_CAP = 3  # atoms one account's cash may be below zero before other collateral converts
A_CONVERT_HAIRCUT_PPM = 4  # the converter buys this asset at index less this
A_BORROW_WEIGHT_PPM = 5  # a debt of x counts as x times this in the requirement
A_TIERS = 6  # number of collateral tiers
A_TIER_UPPER = 8  # + i: atoms up to which tier i reaches; what lies beyond the last counts nothing
A_TIER_OPEN_PPM = A_TIER_UPPER + COLLATERAL_TIERS_MAX
A_TIER_MAINTAIN_PPM = A_TIER_OPEN_PPM + COLLATERAL_TIERS_MAX
A_RATE_BASE_PPM = A_TIER_MAINTAIN_PPM + COLLATERAL_TIERS_MAX  # interest on loans, a year
A_RATE_SLOPE_PPM = A_RATE_BASE_PPM + 1  # what it rises up to the kink
A_RATE_STEEP_PPM = A_RATE_BASE_PPM + 2  # and from there to full utilisation
A_RATE_KINK_PPM = A_RATE_BASE_PPM + 3  # utilisation; the target of an adaptive rate
A_INTEREST_INTERVAL_NS = A_RATE_BASE_PPM + 4  # interest accrues at least so often
A_RAMP_NS = A_RATE_BASE_PPM + 5  # what tightens the requirement comes over so long
A_FUND_STEP_MAX = 26  # atoms the insurance fund pays at most at a time
A_FUND_DAY_MAX = 27  # and in a day; AMOUNT_MAX: no limit, and nothing is counted
A_GROUP = 28  # markets and assets of a group hedge each other when counterparties are ranked; 0: none
A_POOL_OF = 32  # this asset is a share in the pool that lends that one; 0: it is no share
A_RESERVE_PPM = 33  # of interest, for the insurance fund
A_POOL_MAX = 34  # atoms that a supply may bring the pool's assets to
A_LOANS_MAX = 35  # atoms of all loans together that a loan on purpose may bring them to
A_UTILISATION_MAX_PPM = 36  # that such a loan may leave
A_OUTFLOW_MAX = 37  # atoms that may be redeemed and borrowed in a window; 0: as many as there are
A_OUTFLOW_WINDOW_NS = 38
A_LENDER_BEARS = 39  # 1: a debt that nobody pays is the lender's loss, though the asset has no pool
A_RATE_KIND = 40  # what the rate follows: KINK, ADAPTIVE, PEG or POWER
A_RATE_SPEED_PPM = 41  # exponent a year by which an adaptive rate moves when all, or nothing, is lent
A_RATE_CURVE_PPM = 42  # an adaptive rate is so many times that at the target when all is lent
A_RATE_MIN_PPM = 43  # of the rate at the target, or of a rate by the peg
A_RATE_MAX_PPM = 44
A_PEG = 45  # price at which a rate by the peg is the base
A_PEG_SIGMA_PPM = 46  # so far below its peg it is e times the base
A_CEILING_PPM = 47  # the last part of A_LOANS_MAX, near which the rate rises; 0: nowhere
A_OFFER = 56  # the curve that begins the ladder of offers for this collateral; 0: the converter at once
A_DUST = 57  # value below which a rest is dust
A_RATE_POWER = 61  # of what is lent over what is left to lend, in a rate by a power
A_TARGET_PPM = 58  # a liquidation aims for debts that count as this many times their value
A_VOLATILITY_PPM = 59
A_FROZEN = 60  # 1: liquidations neither sell nor repay it
A_EXCESS_SHARE_PPM = 71  # of what all collateral counts for: what it, or its group, has above that ...
A_EXCESS_FROM = 72  # ... or above this value ...
A_EXCESS_PPM = 73  # ... counts for so much less when opening; 0: nothing is asked
A_POOL_KIND = 80  # of a share: its pool lends, or absorbs debts
A_POOL_GAINS = 81  # of a share: the asset that its pool gets for debts; else what who owes this gets for others' debts
A_POOL_COOL_NS = 82  # from saying that one leaves a pool that backs until one may
A_POOL_FEE_PPM = 83  # of liquidation fees, to a pool that backs
A_PAYER = 84  # + i: who pays debts in this asset: 0, FROM_FUND, or a share whose pool backs
A_ISSUES = 87  # the asset that is issued and sold for debts in this one which nobody pays; 0: none
ASSET_WIDTH = 96
assert A_RAMP_NS < A_FUND_STEP_MAX and A_GROUP < A_POOL_OF and A_FROZEN < ASSET_WIDTH

# feed ------------------------------------------------------------------------------------------------------------
F_QUORUM = 0  # fresh sources needed
F_STALENESS_NS = 1  # a report older than this is not fresh
F_CONFIDENCE_MAX_PPM = 2  # a report wider than this is not fresh
F_UPPER = 3  # 1: of two middle prices the upper
F_WEIGHT = 8  # + source: 0 means the source does not count
F_POLICIES = 16  # from here on policies; a feed whose keys are all 0 has none
F_SOURCE_STALENESS_NS = 16  # + source: instead of the feed's; 0: the feed's
F_WITNESSES = F_SOURCE_STALENESS_NS + SOURCES_MAX  # bits of sources that widen the interval
F_DEVIATION_MAX_PPM = 25  # a report farther from the median is left out
F_STRICT_QUORUM = 26
F_WIDTH_MAX_PPM = 27
F_DIVERGENCE_MAX_PPM = 28  # of the sources' price from the average
F_WINDOW_NS = 29  # of the average
F_BELIEVES = 30  # BELIEVE_*
F_WIDENS = 31  # bits WIDEN_*
F_STEP_PPM = 32  # the price moves at most so far ...
F_STEP_NS = 33  # ... per interval
F_DELAY_NS = 34  # a price takes effect so much later
F_GROWTH_PPM = 35  # a year
F_GROWTH_REF = 36  # from this price on
F_GROWTH_AT_NS = 37  # at this time
F_HALTED = 38  # 1: the price stays, and is good for nothing
F_DEMANDS = 39  # + action: bits DEMAND_*
F_OUTAGE_NS = F_DEMANDS + ACTIONS  # not good for liquidating for longer than this ...
F_GRACE_NS = F_OUTAGE_NS + 1  # ... makes liquidation wait so long
F_HAS_POLICY = 47  # computed: 1 if any key from F_POLICIES on is not 0
FEED_WIDTH = 64
assert F_GRACE_NS < F_HAS_POLICY < FEED_WIDTH

# risk tier -------------------------------------------------------------------------------------------------------
T_LEVERAGE_MAX = 0
T_PRODUCTS = 1  # bits PRODUCT_*
TIER_WIDTH = 8

# owner -----------------------------------------------------------------------------------------------------------
O_RISK_TIER = 0
O_FEE_TIER = 1
O_STP = 2
O_MARGIN = 3  # what its positions are required by: BY_POSITION or BY_SCENARIO
O_ISOLATED = 4  # + market // 64: bits of markets held in isolated mode (set by SET_MARGIN_MODE only)
ISOLATED_WORDS = 4
OWNER_WIDTH = O_ISOLATED + ISOLATED_WORDS

# market ----------------------------------------------------------------------------------------------------------
M_SETTLE = 0  # asset
M_ATOMS_PER_TICK_LOT = 1  # of an inverse market: atoms times ticks per lot
M_TICKS_MAX = 2  # highest price of the ladder
M_FEED = 3  # 0 for a spot pair, whose index follows from its assets
M_STATE = 4
M_PRICE_BAND_PPM = 5  # a limit price may be this far beyond the mark, on the crossing side
M_ORDER_LOTS_MAX = 6
M_POSITION_LOTS_MAX = 7  # per owner, positions and orders of all its accounts
M_OPEN_INTEREST_LOTS_MAX = 8
M_OI_LOWER_LOTS = 9  # from here the opening requirement rises ...
M_OI_UPPER_LOTS = 10  # ... to the whole notional here; 0 switches it off
M_LEVERAGE_DEFAULT = 11
M_MARK_POLICY = 12  # 0: median of three; 1: the index
M_MARK_BAND_PPM = 13
M_BASIS_CLAMP_PPM = 14
M_BASIS_TAU_NS = 15
M_FUNDING_INTERVAL_NS = 16  # 0: no funding
M_SAMPLE_INTERVAL_NS = 17
M_INTEREST_PPB = 18  # per interval
M_FUNDING_CLAMP_PPB = 19
M_FUNDING_CAP_PPB = 20
M_IMPACT_NOTIONAL = 21
M_RESTORE_PPM = 22  # M(restore) = M(maintain) x this
M_TAKEOVER_PPM = 23
M_LIQUIDATION_FEE_PPM = 24
M_REACH_PPM = 25  # the limit lies this far from the mark towards the bankruptcy price
M_SLICE_PPM = 26  # of the position, per slice
M_SLICE_NOTIONAL = 27  # a position of at most this notional is not sliced
M_COOLDOWN_NS = 28
M_SLIP_PPM = 29  # how far from the mark a liquidation may sell on the book
M_BACKSTOP_LOTS_MAX = 30
M_BRACKETS = 31  # number of brackets
M_BRACKET_UPPER = 32  # + i: notional up to which bracket i reaches; the last one is the largest position
M_BRACKET_MAINTAIN_PPM = M_BRACKET_UPPER + BRACKETS_MAX
M_BRACKET_OPEN_PPM = M_BRACKET_MAINTAIN_PPM + BRACKETS_MAX
M_DEDUCT_MAINTAIN = M_BRACKET_OPEN_PPM + BRACKETS_MAX  # + i: computed
M_DEDUCT_OPEN = M_DEDUCT_MAINTAIN + BRACKETS_MAX  # + i: computed
M_FEE_TIERS = M_DEDUCT_OPEN + BRACKETS_MAX
M_MAKER_PPM = M_FEE_TIERS + 1  # + fee tier; negative is a rebate
M_TAKER_PPM = M_MAKER_PPM + FEE_TIERS_MAX
M_RAMP_NS = M_TAKER_PPM + FEE_TIERS_MAX  # what tightens the requirement comes over so long
M_KIND = 112  # what a lot is worth: LINEAR, INVERSE or SPOT
M_TICKS_MIN = 113  # lowest price of the ladder
M_EXPIRY_NS = 114  # trading ends, positions are closed at the settlement price; 0: never
M_SETTLE_WINDOW_NS = 115  # that price is the average index over so long before
M_DATED = 116  # computed: 1 if the market began with an expiry
M_PAID = 117  # 1: a fill pays its price at once, nothing of it stays open
M_SETTLE_PRICE = 118  # agreed beforehand; 0: the average index
M_BASE = 128  # of a spot pair: the asset that is bought and sold
M_LOT_ATOMS = 129  # of a spot pair: atoms of the base in a lot
M_GRACE_NS = 136  # liquidation waits so long after a halt
M_RANKING = 150  # who is deleveraged first: BY_PROFIT_AND_LEVERAGE ...
M_GROUP = 151
# Rates that grow with the size of a position. Of each of the two: a base, what each lot adds, and a root's square.
M_SPREAD_PPM = 168  # of what a position is required: how far from the mark a liquidation may close; 0: M_REACH_PPM
M_URGENCY_PPM = 169  # how fast it goes so far as health falls
M_CLOSING_PPM = 170  # what closing at the bankruptcy price costs, as a part of the opening requirement
M_PREMIUM_DIVISOR = 171  # intervals over which a premium is paid
M_SIZE_MAINTAIN_PPM = 176
M_SIZE_MAINTAIN_SLOPE = 177  # in 10**-12 a lot
M_SIZE_MAINTAIN_ROOT = 178  # the square of the rate of one lot, in 10**-18; it grows like the root of the lots
M_SIZE_OPEN_PPM = 179
M_SIZE_OPEN_SLOPE = 180
M_SIZE_OPEN_ROOT = 181
M_HAS_SIZE = 182  # computed: 1 if any of the six is not 0, REQUIRES_ARRAY if its risk array decides
M_BY_ARRAY = 183  # 1: what a position requires is told by its risk array, in every account
REQUIRES_ARRAY = 2
SIZE_RATES = 3  # keys of each
M_EXCESS_FROM = 192  # what the positions of its group come to above this value ...
M_EXCESS_PPM = 193  # ... is asked for at this rate beside, to open; 0: nothing is asked
M_PAYER = 200  # + i: who pays what its positions cost beyond their accounts; as of assets
MARKET_WIDTH = 224
assert M_RAMP_NS < M_KIND < M_LOT_ATOMS < M_GRACE_NS < M_RANKING < M_SIZE_MAINTAIN_PPM < MARKET_WIDTH

# ramp, of an asset or a market: the way of its ramped keys to where they were set ----------------------------------
R_STARTED_NS = 0  # 0: no ramp
R_UNTIL_NS = 1
R_NEXT_NS = 2  # its next step
R_FROM = 4  # + place of the key among the ramped ones
RAMPED_MAX = BRACKETS_MAX + SIZE_RATES
R_TO = R_FROM + RAMPED_MAX
RAMP_WIDTH = R_TO + RAMPED_MAX
assert COLLATERAL_TIERS_MAX + 2 <= RAMPED_MAX

# curve -----------------------------------------------------------------------------------------------------------
C_OF = 0  # its variable
C_GIVES = 1  # a bonus, or a price
C_FROM = 2  # ppm, or nanoseconds
C_TO = 3
C_SIZE = 4  # how much may be repaid
C_FEE_PPM = 5  # of the bonus, to the insurance fund
C_LASTS_NS = 6  # active time that the offer stands; 0: for ever
C_THEN = 7  # the curve that follows; 0: the converter
C_DEBT = 8  # asset of the debts it is for; 0: any
C_ELSE = 9  # the curve for other debts
C_BEYOND = 10  # 1: what is given may exceed what the owner has; lenders and the insurance fund bear that
C_PART = 11  # the curve of how much of a debt one bid may repay; 0: all
C_TAKER = 12  # bidders, the pool of the pair, the book, or who else owes the same asset
C_TIP = 13  # value that a keeper gets for beginning its offers again ...
C_CHIP_PPM = 14  # ... and of the debt
C_POINT = 16  # + i
CURVE_WIDTH = C_POINT + CURVE_POINTS

# risk array, of a market ------------------------------------------------------------------------------------------
S_VALUE = 0  # + scenario: what a lot held long gains in it, in millionths of an atom
S_BASIS = SCENARIOS  # what a lot pays for being offset by others of its group; negative: long of it is short of them
S_SHORT = S_BASIS + 1  # what a lot held short pays beside
S_OPEN_PPM = S_BASIS + 2  # to open
S_IS_SET = S_BASIS + 3  # computed: 1
S_WORST_LONG = S_BASIS + 4  # computed: the least of the values
S_WORST_SHORT = S_BASIS + 5  # computed: the largest
ARRAY_WIDTH = 24
TOLD_AT_ONCE = 5  # values of an array in one event
ARRAY_VALUE_MISSING = -(1 << 62)  # an array is set as a whole
assert S_WORST_SHORT < ARRAY_WIDTH

# (key, count): (low, high, default, fixed)
_RATE = (0, PPM)
ASSET_KEYS = {
    (A_DECIMALS, 1): (0, 12, 6, True),
    (A_FEED, 1): (0, 1 << 20, 0, True),
    (A_SUPPLY_MAX, 1): (1, AMOUNT_MAX, 1 << 53, True),
    (A_LOAN_CAP, 1): (0, AMOUNT_MAX, 0, False),
    (A_CONVERT_HAIRCUT_PPM, 1): (0, PPM - 1, 0, False),
    (A_BORROW_WEIGHT_PPM, 1): (PPM, 4 * PPM, PPM, False),
    (A_TIERS, 1): (1, COLLATERAL_TIERS_MAX, 1, False),
    (A_TIER_UPPER, COLLATERAL_TIERS_MAX): (1, AMOUNT_MAX, AMOUNT_MAX, False),
    (A_TIER_OPEN_PPM, COLLATERAL_TIERS_MAX): (*_RATE, PPM, False),
    (A_TIER_MAINTAIN_PPM, COLLATERAL_TIERS_MAX): (*_RATE, PPM, False),
    (A_RATE_BASE_PPM, 1): (0, 10 * PPM, 0, False),
    (A_RATE_SLOPE_PPM, 1): (0, 10 * PPM, 0, False),
    (A_RATE_STEEP_PPM, 1): (0, 100 * PPM, 0, False),
    (A_RATE_KINK_PPM, 1): (1, PPM, 800_000, False),
    (A_INTEREST_INTERVAL_NS, 1): (60 * SECOND, 30 * 24 * HOUR, HOUR, False),
    (A_POOL_OF, 1): (0, 1 << 20, 0, True),
    (A_RESERVE_PPM, 1): (0, PPM, 0, False),
    (A_POOL_MAX, 1): (0, AMOUNT_MAX, AMOUNT_MAX, False),
    (A_LOANS_MAX, 1): (0, AMOUNT_MAX, AMOUNT_MAX, False),
    (A_UTILISATION_MAX_PPM, 1): (0, PPM, PPM, False),
    (A_OUTFLOW_MAX, 1): (0, AMOUNT_MAX, 0, False),
    (A_OUTFLOW_WINDOW_NS, 1): (SECOND, 30 * 24 * HOUR, 24 * HOUR, False),
    (A_LENDER_BEARS, 1): (0, 1, 0, False),
    (A_RATE_KIND, 1): (KINK, POWER, KINK, False),
    (A_RATE_SPEED_PPM, 1): (0, 1000 * PPM, 50 * PPM, False),
    (A_RATE_CURVE_PPM, 1): (PPM, 10 * PPM, 4 * PPM, False),
    (A_RATE_MIN_PPM, 1): (1, 10 * PPM, 1_000, False),
    (A_RATE_MAX_PPM, 1): (1, 10 * PPM, 2 * PPM, False),
    (A_PEG, 1): (1, VALUE_MAX, ASSET_PRICE_SCALE, False),
    (A_PEG_SIGMA_PPM, 1): (1, PPM, 20_000, False),
    (A_CEILING_PPM, 1): (0, PPM, 0, False),
    (A_RATE_POWER, 1): (1, 8, 2, False),
    (A_OFFER, 1): (0, 1 << 20, 0, False),
    (A_DUST, 1): (0, AMOUNT_MAX, 0, False),
    (A_TARGET_PPM, 1): (PPM, 4 * PPM, PPM, False),
    (A_VOLATILITY_PPM, 1): (0, 1000 * PPM, 0, False),
    (A_FROZEN, 1): (0, 1, 0, False),
    (A_POOL_KIND, 1): (LENDS, BACKS, LENDS, True),
    (A_POOL_GAINS, 1): (0, 1 << 20, 0, True),
    (A_POOL_COOL_NS, 1): (0, 365 * 24 * HOUR, 0, False),
    (A_POOL_FEE_PPM, 1): (0, PPM, 0, False),
    (A_PAYER, PAYERS_MAX): (0, 1 << 20, 0, False),
    (A_EXCESS_SHARE_PPM, 1): (0, PPM, PPM, False),
    (A_EXCESS_FROM, 1): (0, VALUE_MAX, VALUE_MAX, False),
    (A_EXCESS_PPM, 1): (0, PPM, 0, False),
    (A_ISSUES, 1): (0, 1 << 20, 0, False),
    (A_RAMP_NS, 1): (60 * SECOND, 365 * 24 * HOUR, HOUR, False),
    (A_FUND_STEP_MAX, 1): (0, AMOUNT_MAX, AMOUNT_MAX, False),
    (A_FUND_DAY_MAX, 1): (0, AMOUNT_MAX, AMOUNT_MAX, False),
    (A_GROUP, 1): (0, 1 << 20, 0, False),
}
FEED_KEYS = {
    (F_QUORUM, 1): (1, SOURCES_MAX, 1, False),
    (F_STALENESS_NS, 1): (1, TIME_NS_MAX, TIME_NS_MAX, False),
    (F_CONFIDENCE_MAX_PPM, 1): (0, PPM, PPM, False),
    (F_UPPER, 1): (0, 1, 0, False),
    (F_WEIGHT, SOURCES_MAX): (0, PPM, 1, False),
    (F_SOURCE_STALENESS_NS, SOURCES_MAX): (0, TIME_NS_MAX, 0, False),
    (F_WITNESSES, 1): (0, (1 << SOURCES_MAX) - 1, 0, False),
    (F_DEVIATION_MAX_PPM, 1): (0, PPM, 0, False),
    (F_STRICT_QUORUM, 1): (0, SOURCES_MAX, 0, False),
    (F_WIDTH_MAX_PPM, 1): (0, 2 * PPM, 0, False),
    (F_DIVERGENCE_MAX_PPM, 1): (0, PPM, 0, False),
    (F_WINDOW_NS, 1): (0, 30 * 24 * HOUR, 0, False),
    (F_BELIEVES, 1): (0, 2, 0, False),
    (F_WIDENS, 1): (0, WIDENS_ALL, 0, False),
    (F_STEP_PPM, 1): (0, PPM, 0, False),
    (F_STEP_NS, 1): (0, 30 * 24 * HOUR, 0, False),
    (F_DELAY_NS, 1): (0, 30 * 24 * HOUR, 0, False),
    (F_GROWTH_PPM, 1): (0, 10 * PPM, 0, False),
    (F_GROWTH_REF, 1): (0, VALUE_MAX, 0, False),
    (F_GROWTH_AT_NS, 1): (0, TIME_NS_MAX, 0, False),
    (F_HALTED, 1): (0, 1, 0, False),
    (F_DEMANDS, ACTIONS): (0, DEMANDS_ALL, 0, False),
    (F_OUTAGE_NS, 1): (0, 30 * 24 * HOUR, 0, False),
    (F_GRACE_NS, 1): (0, 30 * 24 * HOUR, 0, False),
}
TIER_KEYS = {
    (T_LEVERAGE_MAX, 1): (1, LEVERAGE_MAX, LEVERAGE_MAX, False),
    (T_PRODUCTS, 1): (0, PRODUCTS_ALL, PRODUCTS_ALL, False),
}
OWNER_KEYS = {
    (O_RISK_TIER, 1): (1, 1 << 20, 1, False),
    (O_FEE_TIER, 1): (0, FEE_TIERS_MAX - 1, 0, False),
    (O_STP, 1): (1, 4, 3, False),
    (O_MARGIN, 1): (BY_POSITION, BY_SCENARIO, BY_POSITION, False),
}
MARKET_KEYS = {
    (M_SETTLE, 1): (1, 1 << 20, 1, True),
    (M_ATOMS_PER_TICK_LOT, 1): (1, NOTIONAL_MAX, 1, True),
    (M_TICKS_MAX, 1): (64, PRICE_TICKS_MAX, 1 << 20, True),
    (M_FEED, 1): (0, 1 << 20, 1, True),
    (M_STATE, 1): (0, 4, 0, False),
    (M_PRICE_BAND_PPM, 1): (1, 100 * PPM, 100_000, False),
    (M_ORDER_LOTS_MAX, 1): (1, NOTIONAL_MAX, 1 << 20, False),
    (M_POSITION_LOTS_MAX, 1): (1, NOTIONAL_MAX, 1 << 24, True),
    (M_OPEN_INTEREST_LOTS_MAX, 1): (1, NOTIONAL_MAX, NOTIONAL_MAX, False),
    (M_OI_LOWER_LOTS, 1): (0, NOTIONAL_MAX, 0, False),
    (M_OI_UPPER_LOTS, 1): (0, NOTIONAL_MAX, 0, False),
    (M_LEVERAGE_DEFAULT, 1): (1, LEVERAGE_MAX, 20, False),
    (M_MARK_POLICY, 1): (0, 1, 0, False),
    (M_MARK_BAND_PPM, 1): (0, PPM - 1, 50_000, False),
    (M_BASIS_CLAMP_PPM, 1): (0, PPM - 1, 25_000, False),
    (M_BASIS_TAU_NS, 1): (1, 24 * HOUR, 150 * SECOND, False),
    (M_FUNDING_INTERVAL_NS, 1): (0, 30 * 24 * HOUR, 8 * HOUR, False),
    (M_SAMPLE_INTERVAL_NS, 1): (SECOND, 24 * HOUR, 60 * SECOND, False),
    (M_INTEREST_PPB, 1): (-PPB // 100, PPB // 100, 100_000, False),
    (M_FUNDING_CLAMP_PPB, 1): (0, PPB // 10, 500_000, False),
    (M_FUNDING_CAP_PPB, 1): (0, PPB // 10, 20_000_000, False),
    (M_IMPACT_NOTIONAL, 1): (1, NOTIONAL_MAX, 1_000_000_000, False),
    (M_RESTORE_PPM, 1): (PPM, 10 * PPM, 1_200_000, False),
    (M_TAKEOVER_PPM, 1): (0, PPM, 666_666, False),
    (M_LIQUIDATION_FEE_PPM, 1): (0, PPM // 5, 2_000, False),
    (M_REACH_PPM, 1): (0, PPM, PPM, False),
    (M_SLICE_PPM, 1): (50_000, PPM, 200_000, False),  # slices must come to an end
    (M_SLICE_NOTIONAL, 1): (0, NOTIONAL_MAX, 100_000_000_000, False),
    (M_COOLDOWN_NS, 1): (1_000_000, HOUR, 5 * SECOND, False),
    (M_SLIP_PPM, 1): (0, PPM - 1, 50_000, False),
    (M_BACKSTOP_LOTS_MAX, 1): (0, NOTIONAL_MAX, NOTIONAL_MAX, False),
    (M_BRACKETS, 1): (1, BRACKETS_MAX, 1, False),
    (M_BRACKET_UPPER, BRACKETS_MAX): (1, NOTIONAL_MAX, NOTIONAL_MAX, False),
    (M_BRACKET_MAINTAIN_PPM, BRACKETS_MAX): (1, PPM - 1, 5_000, False),
    (M_BRACKET_OPEN_PPM, BRACKETS_MAX): (1, PPM, 10_000, False),
    (M_FEE_TIERS, 1): (1, FEE_TIERS_MAX, 1, False),
    (M_MAKER_PPM, FEE_TIERS_MAX): (-10_000, 100_000, 200, False),
    (M_TAKER_PPM, FEE_TIERS_MAX): (0, 100_000, 500, False),
    (M_KIND, 1): (LINEAR, SPOT, LINEAR, True),
    (M_TICKS_MIN, 1): (1, PRICE_TICKS_MAX, 1, True),
    (M_EXPIRY_NS, 1): (0, TIME_NS_MAX - 24 * HOUR, 0, False),
    (M_PAID, 1): (0, 1, 0, True),
    (M_SETTLE_PRICE, 1): (0, PRICE_TICKS_MAX, 0, True),
    (M_SETTLE_WINDOW_NS, 1): (SECOND, 24 * HOUR, HOUR // 2, False),
    (M_BASE, 1): (0, 1 << 20, 0, True),
    (M_LOT_ATOMS, 1): (1, AMOUNT_MAX, 1, True),
    (M_PAYER, PAYERS_MAX): (0, 1 << 20, 0, False),
    (M_EXCESS_FROM, 1): (0, VALUE_MAX, VALUE_MAX, False),
    (M_EXCESS_PPM, 1): (0, PPM, 0, False),
    (M_RANKING, 1): (BY_PROFIT_AND_LEVERAGE, HEDGES_LAST, BY_PROFIT_AND_LEVERAGE, False),
    (M_GROUP, 1): (0, 1 << 20, 0, False),
    (M_SPREAD_PPM, 1): (0, PPM, 0, False),
    (M_URGENCY_PPM, 1): (0, 100 * PPM, PPM, False),
    (M_CLOSING_PPM, 1): (0, 100_000, 0, False),
    (M_PREMIUM_DIVISOR, 1): (1, 10_000, 1, False),
    (M_SIZE_MAINTAIN_PPM, 1): (0, PPM, 0, False),
    (M_SIZE_MAINTAIN_SLOPE, 1): (0, SIZE_SCALE, 0, False),
    (M_SIZE_MAINTAIN_ROOT, 1): (0, SIZE_ROOT_MAX, 0, False),
    (M_SIZE_OPEN_PPM, 1): (0, PPM, 0, False),
    (M_SIZE_OPEN_SLOPE, 1): (0, SIZE_SCALE, 0, False),
    (M_SIZE_OPEN_ROOT, 1): (0, SIZE_ROOT_MAX, 0, False),
    (M_BY_ARRAY, 1): (0, 1, 0, True),
    (M_RAMP_NS, 1): (60 * SECOND, 365 * 24 * HOUR, HOUR, False),
    (M_GRACE_NS, 1): (0, 30 * 24 * HOUR, 0, False),
}
ARRAY_KEYS = {
    (S_VALUE, SCENARIOS): (-ARRAY_MAX, ARRAY_MAX, ARRAY_VALUE_MISSING, False),
    (S_BASIS, 1): (-ARRAY_MAX, ARRAY_MAX, 0, False),
    (S_SHORT, 1): (0, ARRAY_MAX, 0, False),
    (S_OPEN_PPM, 1): (PPM, 10 * PPM, 1_500_000, False),
}
CURVE_KEYS = {
    (C_OF, 1): (0, 4, 0, True),
    (C_GIVES, 1): (0, 1, 0, True),
    (C_FROM, 1): (-CURVE_TO_MAX, CURVE_TO_MAX, 0, True),
    (C_TO, 1): (-CURVE_TO_MAX, CURVE_TO_MAX, PPM, True),
    (C_SIZE, 1): (0, 2, 0, True),
    (C_TAKER, 1): (0, 3, 0, True),
    (C_FEE_PPM, 1): (0, PPM, 0, True),
    (C_LASTS_NS, 1): (0, CURVE_TO_MAX, 0, True),
    (C_THEN, 1): (0, 1 << 14, 0, True),
    (C_DEBT, 1): (0, 1 << 20, 0, True),
    (C_ELSE, 1): (0, 1 << 14, 0, True),
    (C_BEYOND, 1): (0, 1, 0, True),
    (C_PART, 1): (0, 1 << 14, 0, True),
    (C_TIP, 1): (0, AMOUNT_MAX, 0, True),
    (C_CHIP_PPM, 1): (0, PPM, 0, True),
    (C_POINT, CURVE_POINTS): (0, CURVE_VALUE_MAX, 0, True),
}
