"""Interest on loans: the rate of an asset, and what a debt has grown to. See docs/concepts/borrowing.md.

Promises
- At one instant, no rate falls while utilisation rises.
- A debt never falls with time; settling it at one instant twice is settling it once.
"""

from steelyard.model import reject as no
from steelyard.model.keys import (
    A_CEILING_PPM,
    A_LOANS_MAX,
    A_OUTFLOW_MAX,
    A_OUTFLOW_WINDOW_NS,
    A_PEG,
    A_PEG_SIGMA_PPM,
    A_RATE_BASE_PPM,
    A_RATE_CURVE_PPM,
    A_RATE_KIND,
    A_RATE_KINK_PPM,
    A_RATE_MAX_PPM,
    A_RATE_MIN_PPM,
    A_RATE_POWER,
    A_RATE_SLOPE_PPM,
    A_RATE_SPEED_PPM,
    A_RATE_STEEP_PPM,
    A_UTILISATION_MAX_PPM,
)
from steelyard.model.orders import ADAPTIVE, LENDER, PEG, POWER
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import (
    BORROW_INDEX_MAX,
    BORROW_SCALE,
    DEBT_MAX,
    DUST_SHARE,
    LN2,
    LOAN_RATE_MAX,
    POWER_FINE,
    POWER_MAX,
    POWER_ONE,
    PPM,
    RATE_FINE,
    RATE_SCALE,
    YEAR_NS,
)
from steelyard.num.rounding import clamp, mul_div_down, mul_div_up
from steelyard.rules.cash import value
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, LEG, MACHINE

POWER_TERMS = 17  # of the exponential's series: the next is below 1 in 10**18
TIMES_MAX = 10**12  # of a power of utilisation, in ppm: beyond, every rate is the highest
BAND_SHARE_BITS = 8  # certificates count debts at an index that is this fraction of two higher


@kernel
def utilisation_ppm(owed, loans, lent):
    """The share of what the lender has that is lent, interest that was not settled yet on both sides."""
    whole = lent + owed - loans
    return min(PPM, mul_div_down(owed, PPM, whole)) if whole > 0 else PPM


@kernel
def grown_by(amount, power, low, high):
    """amount x e^power, power in 10**-12 and within POWER_MAX; rounded towards the amount, then kept within bounds."""
    doublings = power * POWER_FINE // LN2
    rest = power * POWER_FINE - doublings * LN2
    term, total = POWER_ONE, POWER_ONE
    for n in range(1, POWER_TERMS + 1):
        term = mul_div_down(term, rest, n * (RATE_SCALE * POWER_FINE))
        total += term
    if power < 0:
        return clamp(-(-mul_div_up(amount, total, POWER_ONE) >> -doublings), low, high)
    return clamp(mul_div_down(mul_div_down(amount, 1 << doublings, 1), total, POWER_ONE), low, high)


@kernel
def off_target_ppm(used_ppm, target):
    """How far utilisation is from its target: -10**6 when nothing is lent, 10**6 when all is."""
    if used_ppm <= target:
        return -mul_div_down(target - used_ppm, PPM, target)
    return mul_div_down(used_ppm - target, PPM, PPM - target)


@kernel
def signed(size, sign):
    return size if sign >= 0 else -size


@far
def held_after(s, asset, used_ppm, elapsed_ns, part):
    """The rate that is held, when it has moved for this long at this utilisation, or for a part of that.

    Adaptive: the rate at the target. By the peg: what the price now makes of it, whatever the time.
    """
    table, rule = ASSET(s), ASSET_RULE(s)
    low = rule[asset, A_RATE_MIN_PPM] * RATE_FINE
    high = rule[asset, A_RATE_MAX_PPM] * RATE_FINE
    if rule[asset, A_RATE_KIND] == ADAPTIVE:
        off = -PPM if table.owed[asset] == 0 else off_target_ppm(used_ppm, rule[asset, A_RATE_KINK_PPM])
        power = min(POWER_MAX, mul_div_down(abs(off) * rule[asset, A_RATE_SPEED_PPM], elapsed_ns, YEAR_NS)) // part
        return grown_by(table.rate_held[asset], signed(power, off), low, high)
    below = rule[asset, A_PEG] - table.price[asset]
    share = mul_div_down(abs(below), RATE_SCALE, rule[asset, A_PEG])
    power = min(POWER_MAX, mul_div_down(share, PPM, rule[asset, A_PEG_SIGMA_PPM]))
    return grown_by(rule[asset, A_RATE_BASE_PPM] * RATE_FINE, signed(power, below), low, high)


@far
def held_rate_ppm(s, asset, used_ppm, elapsed_ns):
    """The rate of a stretch of time, of a kind that holds one."""
    rule, first = ASSET_RULE(s), ASSET(s).rate_held[asset]
    if rule[asset, A_RATE_KIND] != ADAPTIVE:
        return first // RATE_FINE
    middle, last = held_after(s, asset, used_ppm, elapsed_ns, 2), held_after(s, asset, used_ppm, elapsed_ns, 1)
    off, steep = off_target_ppm(used_ppm, rule[asset, A_RATE_KINK_PPM]), rule[asset, A_RATE_CURVE_PPM]
    bend = steep - PPM if off >= 0 else PPM - PPM * PPM // steep
    times = PPM + signed(mul_div_down(bend, abs(off), PPM), off)
    return mul_div_down((first + 2 * middle + last) // 4, times, RATE_SCALE)


@leaf
def holds_rate(kind):
    """Whether a rate of this kind is held from accrual to accrual."""
    return kind == ADAPTIVE or kind == PEG


@kernel
def power_rate_ppm(s, asset, used_ppm):
    """The base times a power of all that there is over what is left of it, less the base; at most the highest rate."""
    rule, times = ASSET_RULE(s), PPM
    if used_ppm >= PPM:
        return rule[asset, A_RATE_MAX_PPM]
    for _ in range(rule[asset, A_RATE_POWER]):
        times = min(TIMES_MAX, mul_div_down(times, PPM, PPM - used_ppm))
    return min(rule[asset, A_RATE_MAX_PPM], mul_div_down(rule[asset, A_RATE_BASE_PPM], times - PPM, PPM))


@kernel
def near_ceiling(s, asset, rate):
    """A rate that grows without end where all debts come near the most that may be lent."""
    rule = ASSET_RULE(s)
    last = rule[asset, A_CEILING_PPM]
    if last == 0:
        return rate
    used = min(PPM - 1, mul_div_down(ASSET(s).owed[asset], PPM, max(1, rule[asset, A_LOANS_MAX])))
    return min(LOAN_RATE_MAX, mul_div_down(rate, PPM - last + mul_div_down(last, PPM, PPM - used), PPM))


@kernel
def borrow_rate_ppm(s, asset, used_ppm, elapsed_ns):
    """Interest a year of so long a stretch of time at this utilisation."""
    kind = ASSET_RULE(s)[asset, A_RATE_KIND]
    if holds_rate(kind):
        return near_ceiling(s, asset, held_rate_ppm(s, asset, used_ppm, elapsed_ns))
    if kind == POWER:
        return near_ceiling(s, asset, power_rate_ppm(s, asset, used_ppm))
    return near_ceiling(s, asset, kinked_rate_ppm(s, asset, used_ppm))


@kernel
def kinked_rate_ppm(s, asset, used_ppm):
    """Straight up to the kink, then steeper."""
    rule = ASSET_RULE(s)
    kink = rule[asset, A_RATE_KINK_PPM]
    rate = rule[asset, A_RATE_BASE_PPM] + mul_div_down(rule[asset, A_RATE_SLOPE_PPM], min(used_ppm, kink), kink)
    if used_ppm > kink:
        rate += mul_div_down(rule[asset, A_RATE_STEEP_PPM], used_ppm - kink, PPM - kink)
    return rate


@kernel
def borrow_index_after(index, owed, rate_ppm, elapsed_ns):
    """The index when interest at this rate has run so long, up; it stops where all debts together would not fit."""
    grown = mul_div_up(mul_div_up(index, rate_ppm, PPM), elapsed_ns, YEAR_NS)
    most = BORROW_INDEX_MAX
    if owed > DEBT_MAX // (BORROW_INDEX_MAX // BORROW_SCALE):
        most = min(most, mul_div_down(index, DEBT_MAX, owed))
    return max(index, min(most, index + grown))


@leaf
def debt_up(settled, index, index_then):
    """What a debt that was settled at one index is at another."""
    return settled if index == index_then else mul_div_up(settled, index, index_then)


@leaf
def debt_part(settled, index_then):
    """What a debt shares in what borrowers gain: what it was when the index began, rounded down."""
    return mul_div_down(settled, BORROW_SCALE, index_then)


@kernel
def index_with(index, owed, more):
    """The index at which so many debts come to so much more, up."""
    return mul_div_up(index, owed + more, owed)


@leaf
def cash_now(s, row):
    """Cash of a leg; a debt with the interest that has accrued since it was last settled."""
    leg = LEG(s)
    quantity = leg.quantity[row]
    if quantity >= 0:
        return quantity
    return -debt_up(-quantity, ASSET(s).borrow_index[leg.thing[row]], leg.index_at_touch[row])


@far
def cash_of(s, account, asset):
    """An account's cash in an asset; a debt with its interest."""
    leg = LEG(s)
    row = ACCOUNT(s).first_leg[account]
    while row and leg.thing[row] != asset:
        row = leg.next_of_account[row]
    return cash_now(s, row) if row else 0


@kernel
def lendable(s, asset):
    """What the lender has left to lend."""
    return max(0, cash_of(s, LENDER, asset)) - ASSET(s).loans[asset]


@kernel
def outflow_ns(s, asset, amount):
    """How long it takes until so much that left is forgotten; more than the window if it does not fit one."""
    rule = ASSET_RULE(s)
    window = rule[asset, A_OUTFLOW_WINDOW_NS]
    return min(window + 1, mul_div_up(amount, window, rule[asset, A_OUTFLOW_MAX]))


@kernel
def inflow_ns(s, asset, amount):
    """What of that time so much that came takes away."""
    rule = ASSET_RULE(s)
    window = rule[asset, A_OUTFLOW_WINDOW_NS]
    return min(window, mul_div_down(amount, window, rule[asset, A_OUTFLOW_MAX]))


@kernel
def may_flow_out(s, asset, amount):
    """May so much be redeemed or borrowed now?"""
    rule, now = ASSET_RULE(s), MACHINE(s).now_ns[0]
    if rule[asset, A_OUTFLOW_MAX] == 0:
        return True
    since = max(now, ASSET(s).outflow_until_ns[asset])
    return since - now + outflow_ns(s, asset, amount) <= rule[asset, A_OUTFLOW_WINDOW_NS]


@kernel
def backs_itself(s, asset, debt, shares):
    """Whether shares in the pool that lends an asset are more than dust beside a debt in it."""
    price = ASSET(s).price
    return value(shares, price[ASSET(s).pool[asset]]) > value(debt, price[asset]) // DUST_SHARE


@far
def may_hold_shares(s, account, asset, paid, more):
    """May an account that pays so much of an asset receive so many shares of the pool that lends it?"""
    debt = paid - cash_of(s, account, asset)
    return 0 if debt > 0 and backs_itself(s, asset, debt, cash_of(s, account, ASSET(s).pool[asset]) + more) else 1


@kernel
def loan_refusal(s, account, asset, amount):
    """Why the lender lends an account no more of an asset on purpose, or NONE."""
    table, rule = ASSET(s), ASSET_RULE(s)
    if amount > lendable(s, asset):
        return no.NOTHING_TO_LEND
    if amount > rule[asset, A_LOANS_MAX] - table.loans[asset]:
        return no.LOANS_LIMIT
    lent = max(0, cash_of(s, LENDER, asset))
    used = utilisation_ppm(table.owed[asset] + amount, table.loans[asset] + amount, lent)
    if used > rule[asset, A_UTILISATION_MAX_PPM]:
        return no.UTILISATION_LIMIT
    if not may_flow_out(s, asset, amount):
        return no.OUTFLOW_LIMIT
    if table.pool[asset]:
        debt = amount - min(0, cash_of(s, account, asset))
        if backs_itself(s, asset, debt, cash_of(s, account, table.pool[asset])):
            return no.SHARES_OF_SAME_POOL
    return no.NONE


@leaf
def highest_index(s, asset):
    """The borrow index up to which certificates hold."""
    reference = ASSET(s).borrow_ref[asset]
    return reference + (reference >> BAND_SHARE_BITS)
