"""The widths of everything, chosen first, so that sums of products provably fit 64 bits.

Compiled integers wrap without a word. What exceeds a limit is refused with a reason, long before that.
"""

INT64_MAX = (1 << 63) - 1
PPM = 1_000_000
PPB = 1_000_000_000

NOTIONAL_MAX = 1 << 53  # atoms of one position at any price of its ladder (9 billion at 6 decimals)
AMOUNT_MAX = 1 << 56  # atoms of one asset that may ever be inside
VALUE_MAX = 1 << 56  # value of one leg in atoms of the unit of account
LOT_WORTH_MAX = 1 << 36  # atoms of one lot of an inverse market at its lowest price
LEGS_PER_ACCOUNT_MAX = 100  # stubs, cash and positions together
ORDER_ID_SHIFT = 24  # an order's id is its number x 2^24 + its row
MARKETS_MAX = 255  # an owner's isolated markets are bits of four words, of which bit 0 stands for no market
ROWS_MAX = 1 << 30  # rows are named by 32-bit integers
PRICE_TICKS_MAX = 1 << 24
NOTICE_NS = 86_400 * 10**9  # an expiry is set at least so long before, except of a new market
SETTLEMENT_WAIT_NS = 86_400 * 10**9  # for a fresh index; then the last mark is taken
INDEX_SCALE_BITS = 20  # funding indices are kept in 2**-20 of a tick
INDEX_SCALE = 1 << INDEX_SCALE_BITS
FUNDING_INDEX_MAX = 1 << 61
BORROW_SCALE = 10**12  # a borrow index is kept in 10**-12
BORROW_INDEX_MAX = 1000 * BORROW_SCALE
DEBT_MAX = 1 << 56  # atoms of one asset that all debts together may grow to
BORROW_STEP = 1_000  # an index moves by at least this, so that what rounding loses is below a thousandth
VIRTUAL_SHARES = 100  # of a pool, nobody's: making shares dear costs this many times what it can rob
VIRTUAL_ATOMS = 1  # one, so that rounding down keeps all shares together within what there is
BIDS_SHARE = 8  # one account may place this part of the bids of an instant
DUST_SHARE = 1_000  # of what is owed: what is worth so little beside it does not count
REST_SCALE = 10**12  # parts of an atom in which sums of debts, and the reserve, keep what rounding leaves
SPENT_SHARES = 10_000  # for an atom: a pool whose shares are worth so little takes no more supplies
GAIN_SCALE = 1 << 48  # sums per share are kept in 2**-48 of an atom
GAIN_STEP_MAX = 1 << 13  # atoms per share in one gain
GAIN_SUM_MAX = 1 << 62
RATE_SCALE = 10**12  # a rate that is held from accrual to accrual, and exponents
RATE_FINE = RATE_SCALE // PPM
LOAN_RATE_MAX = 10**9  # ppm a year, whatever the ceiling makes of a rate
POWER_MAX = 20 * RATE_SCALE  # e to this is more than the highest rate over the lowest
POWER_ONE = 10**18  # in which an exponential is worked out
POWER_FINE = 10**5  # parts of a power's unit in which it is cut into doublings
LN2 = 69_314_718_055_994_531  # in those
YEAR_NS = 365 * 86_400 * 10**9
ASSET_PRICE_SCALE = 10**12  # an asset's price: atoms of the unit of account per atom, times this
LEVERAGE_MAX = 1000
STEP_NS_MAX = 30 * 86_400 * 10**9  # the clock moves at most thirty days at once
TIME_NS_MAX = 1 << 62

SOURCES_MAX = 8  # price sources of one feed
BRACKETS_MAX = 12
SCENARIOS = 16
ARRAY_MAX = 1 << 60  # millionths of an atom that a lot may gain or lose in a scenario
SIZE_SCALE = 10**12  # rates that grow with the size of a position
SIZE_ROOT_MAX = 10**18  # the square of a rate of one, whose root is taken in billionths
FEE_TIERS_MAX = 8
PAYERS_MAX = 3
COLLATERAL_TIERS_MAX = 4
CURVE_POINTS = 33
CURVE_TO_MAX = 1 << 56  # of its variable; times the points it fits
CURVE_VALUE_MAX = 1000 * PPM
BONUS_MAX = 20 * PPM  # AMOUNT_MAX times one and this fits
CLIENT_WORDS = 5  # a client order id: 40 bytes

assert 2 * LEGS_PER_ACCOUNT_MAX * (VALUE_MAX // 2 + NOTIONAL_MAX) <= INT64_MAX, (
    "equity and requirement of an account fit"
)
assert PRICE_TICKS_MAX << INDEX_SCALE_BITS <= 1 << 44, "a price in index units leaves room for its funding index"
assert (LOT_WORTH_MAX << INDEX_SCALE_BITS) + 2 * FUNDING_INDEX_MAX <= INT64_MAX, "so does the worth of a lot"
assert 86_400 * 10**6 * PRICE_TICKS_MAX < 1 << 61, "a day of prices, by the microsecond, fits"
assert NOTIONAL_MAX << 9 < INT64_MAX
