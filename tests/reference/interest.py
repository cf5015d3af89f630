"""Interest on loans. See docs/concepts/borrowing.md."""

from contextlib import contextmanager

from steelyard.model import events
from steelyard.model.keys import (
    A_CEILING_PPM,
    A_INTEREST_INTERVAL_NS,
    A_LOAN_CAP,
    A_LOANS_MAX,
    A_OUTFLOW_MAX,
    A_OUTFLOW_WINDOW_NS,
    A_PEG,
    A_PEG_SIGMA_PPM,
    A_POOL_GAINS,
    A_POOL_OF,
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
    A_RESERVE_PPM,
)
from steelyard.model.orders import ADAPTIVE, INSURANCE, LENDER, PEG, POWER
from steelyard.num.limits import PPM
from tests.reference.numbers import down, up

SCALE = 10**12
PARTS = 10**12  # of an atom
LN2 = 69_314_718_055_994_531  # 10^-17
YEAR = 365 * 24 * 3600 * 10**9
TOGETHER_MAX = 2**56
LEAST = 1000  # that an index moves by


def power_of_e(power):
    """e to a power given in 10^-12: how often it doubles, and the rest in 10^-18."""
    doublings, rest = divmod(10**5 * power, LN2)
    terms = [10**18]
    for n in range(1, 18):
        terms.append(down(terms[-1] * rest, n * 10**17))
    return doublings, sum(terms)


def moved(rate, power, rule):
    """A rate in 10^-12 that moves by e to a power, never more than that, and stays within its bounds."""
    power = max(-20 * SCALE, min(20 * SCALE, power))
    doublings, rest = power_of_e(power)
    over = rate * rest * 2 ** max(0, doublings)
    under = 10**18 * 2 ** max(0, -doublings)
    rate = down(over, under) if power >= 0 else up(over, under)
    return max(rule[A_RATE_MIN_PPM] * 10**6, min(rule[A_RATE_MAX_PPM] * 10**6, rate))


def off_target(asset, used):
    target = asset.rule[A_RATE_KINK_PPM]
    if used > target:
        return down((used - target) * PPM, PPM - target)
    return -down((target - used) * PPM, target)


def to_zero(over, under):
    return down(over, under) if over >= 0 else up(over, under)


def target_rates(asset, used, elapsed):
    """The adaptive rate at the target at the start, the middle and the end of a stretch of time."""
    off = off_target(asset, used) if asset.owed else -PPM
    whole = to_zero(off * asset.rule[A_RATE_SPEED_PPM] * elapsed, YEAR)
    whole = max(-20 * SCALE, min(20 * SCALE, whole))
    first = asset.rate_held
    return first, moved(first, to_zero(whole, 2), asset.rule), moved(first, whole, asset.rule)


def rate_by_peg(asset):
    rule = asset.rule
    peg = rule[A_PEG]
    power = to_zero(to_zero((peg - asset.price) * SCALE, peg) * PPM, rule[A_PEG_SIGMA_PPM])
    return moved(rule[A_RATE_BASE_PPM] * 10**6, power, rule)


def hold(twin, row, rate):
    if twin.assets[row].rate_held != rate:
        twin.assets[row].rate_held = rate
        twin.emit(events.RATE_SET, market=row, amount=rate)


def begin_rate(twin, row, before):
    """After parameters changed from a kind of rate that was there before."""
    asset = twin.assets[row]
    rule = asset.rule
    rate = 0
    if rule[A_RATE_KIND] == ADAPTIVE:
        rate = asset.rate_held if before == ADAPTIVE else rule[A_RATE_BASE_PPM] * 10**6
        rate = max(rule[A_RATE_MIN_PPM] * 10**6, min(rule[A_RATE_MAX_PPM] * 10**6, rate))
    if rule[A_RATE_KIND] == PEG:
        rate = rate_by_peg(asset)
    hold(twin, row, rate)


def rate_ppm(asset, used, elapsed):
    """Of a year, through a stretch of time at this utilisation in ppm; more where debts come near their ceiling."""
    rate, last = plain_rate_ppm(asset, used, elapsed), asset.rule[A_CEILING_PPM]
    if not last:
        return rate
    near = min(PPM - 1, down(asset.owed * PPM, max(1, asset.rule[A_LOANS_MAX])))
    return min(10**9, down(rate * (PPM - last + down(last * PPM, PPM - near)), PPM))


def plain_rate_ppm(asset, used, elapsed):
    rule = asset.rule
    if rule[A_RATE_KIND] == POWER:
        if used == PPM:
            return rule[A_RATE_MAX_PPM]
        times = PPM
        for _ in range(rule[A_RATE_POWER]):
            times = min(10**12, down(times * PPM, PPM - used))
        return min(rule[A_RATE_MAX_PPM], down(rule[A_RATE_BASE_PPM] * (times - PPM), PPM))
    if rule[A_RATE_KIND] == PEG:
        return down(asset.rate_held, 10**6)
    if rule[A_RATE_KIND] == ADAPTIVE:
        start, middle, end = target_rates(asset, used, elapsed)
        off, steep = off_target(asset, used), rule[A_RATE_CURVE_PPM]
        if off >= 0:
            times = PPM + down((steep - PPM) * off, PPM)
        else:
            times = PPM - down((PPM - down(PPM * PPM, steep)) * -off, PPM)
        return down(down(start + 2 * middle + end, 4) * times, SCALE)
    kink = rule[A_RATE_KINK_PPM]
    rate = rule[A_RATE_BASE_PPM] + down(rule[A_RATE_SLOPE_PPM] * min(used, kink), kink)
    return rate + (down(rule[A_RATE_STEEP_PPM] * (used - kink), PPM - kink) if used > kink else 0)


def used_of(twin, row):
    asset = twin.assets[row]
    whole = max(0, twin.quantity(LENDER, row)) + asset.owed - loans_of(twin, row)
    return min(PPM, down(asset.owed * PPM, whole)) if whole > 0 else PPM


def rate_of_loans(twin, row):
    asset = twin.assets[row]
    return rate_ppm(asset, used_of(twin, row), twin.now - asset.accrued_ns)


def index_soon(twin, row):
    """The borrow index if the asset accrued now."""
    asset = twin.assets[row]
    elapsed, before, highest = twin.now - asset.accrued_ns, asset.borrow_index, 1000 * SCALE
    if not elapsed or not asset.owed:
        return before
    if asset.owed > TOGETHER_MAX // 1000:
        highest = min(highest, down(before * TOGETHER_MAX, asset.owed))
    grown = before + up(up(before * rate_of_loans(twin, row), PPM) * elapsed, YEAR)
    after = max(before, min(highest, grown))
    return before if after - before < LEAST and after < 1000 * SCALE else after


@contextmanager
def as_if_accrued(twin, row):
    """Inside, the asset's index is what it would be."""
    asset = twin.assets[row]
    before, asset.borrow_index = asset.borrow_index, index_soon(twin, row)
    try:
        yield
    finally:
        asset.borrow_index = before


def after_accruing(twin, row, answer):
    """What would be answered if the asset accrued now."""
    asset = twin.assets[row]
    kept = asset.owed, asset.owed_rest, asset.reserve, asset.reserve_rest
    grow(twin, row, index_soon(twin, row))
    answered = answer()
    asset.owed, asset.owed_rest, asset.reserve, asset.reserve_rest = kept
    return answered


def grow(twin, row, index):
    """Debts up to this index, and what of their growth the house keeps: what no lender funds, and its share."""
    asset, before = twin.assets[row], twin.assets[row].owed
    of_lenders = max(0, max(0, twin.quantity(LENDER, row)) + before - loans_of(twin, row) - asset.reserve)
    fine = down((before * PARTS + asset.owed_rest) * index, asset.borrow_index)
    asset.owed, asset.owed_rest = divmod(fine, PARTS)
    funded = PPM
    if any(each.rule[A_POOL_OF] == row and not each.keeper for each in twin.assets.values()) and of_lenders < before:
        funded = down(of_lenders * PPM, before)
    of_house = PARTS - funded * (PPM - asset.rule[A_RESERVE_PPM])
    fine = asset.reserve * PARTS + asset.reserve_rest + (asset.owed - before) * of_house
    asset.reserve, asset.reserve_rest = divmod(fine, PARTS)


def owe(twin, row, owed):
    """All debts come to this, but to no less than the loans there are."""
    asset, loans = twin.assets[row], loans_of(twin, row)
    if not loans or owed < loans:
        owed, asset.owed_rest = loans, 0
    asset.owed = owed


def note_outflow(twin, row, amount):
    """Redeemed or lent; negative: supplied or repaid."""
    asset = twin.assets[row]
    most, window = asset.rule[A_OUTFLOW_MAX], asset.rule[A_OUTFLOW_WINDOW_NS]
    if not most or not amount:
        return
    until = max(twin.now, asset.outflow_until_ns)
    if amount > 0:
        asset.outflow_until_ns = min(twin.now + window, until + up(amount * window, most))
    else:
        asset.outflow_until_ns = max(twin.now, until - down(-amount * window, most))


def accrue(twin, row):
    """The borrow index of an asset up to now."""
    asset, after = twin.assets[row], index_soon(twin, row)
    rate, before = rate_of_loans(twin, row) if asset.owed else 0, asset.borrow_index
    if after == before and rate and after < 1000 * SCALE:
        return  # the time is left to the next accrual
    if asset.rule[A_RATE_KIND] == ADAPTIVE:
        hold(twin, row, target_rates(asset, used_of(twin, row), twin.now - asset.accrued_ns)[2])
    if asset.rule[A_RATE_KIND] == PEG:
        hold(twin, row, rate_by_peg(asset))
    if after != before:
        grow(twin, row, after)
    asset.borrow_index, asset.accrued_ns = after, twin.now
    if after != before:
        twin.emit(events.INTEREST_SET, market=row, amount=rate, extra=after, extra2=loans_of(twin, row))
        twin.show_share(row)


def loans_of(twin, row):
    return sum(-leg.quantity for leg in debts(twin, row))


def debts(twin, row):
    return [leg for leg in twin.legs.values() if leg.thing == row and leg.quantity < 0]


def cash_now(twin, leg):
    """A debt with its interest; a leg that is no debt, or no longer one of the books (a copy), is what it is."""
    if leg.quantity >= 0 or not leg.index_at_touch:
        return leg.quantity
    return -up(-leg.quantity * twin.assets[leg.thing].borrow_index, leg.index_at_touch)


def up_to_date(twin, leg):
    """Of a copy: from here on its quantity is what it owes."""
    leg.quantity, leg.index_at_touch = cash_now(twin, leg), 0


def touch(twin, leg):
    """Before a change: interest up to now is paid, what the house keeps of it first."""
    accrue(twin, leg.thing)
    if leg.quantity >= 0:
        return
    if twin.assets[leg.thing].rule[A_POOL_GAINS]:
        twin.pay_gain(leg)
    interest, index = leg.quantity - cash_now(twin, leg), twin.assets[leg.thing].borrow_index
    leg.index_at_touch = index
    if interest:
        leg.quantity -= interest
        asset = twin.assets[leg.thing]
        kept = min(interest, asset.reserve)
        twin.make_leg(LENDER, leg.thing).quantity += interest - kept
        if kept:
            twin.make_leg(INSURANCE, leg.thing).quantity += kept
        asset.reserve -= kept
        owe(twin, leg.thing, asset.owed)
        paid = {"market": leg.thing, "amount": interest, "fee": kept, "other": index}
        twin.emit(events.INTEREST_PAID, account=leg.account, **paid)
        twin.show_share(leg.thing)
        if leg.quantity < -asset.rule[A_LOAN_CAP] and leg.account not in twin.converting:
            twin.converting.append(leg.account)


def change(twin, leg, amount):
    """A leg that was touched, if it owes."""
    asset, before = twin.assets[leg.thing], max(0, -leg.quantity)
    leg.quantity += amount
    after = max(0, -leg.quantity)
    if before or after:
        owe(twin, leg.thing, asset.owed + after - before)
        note_outflow(twin, leg.thing, after - before)
        if not asset.next_interest_ns:
            schedule(twin, asset)
        leg.index_at_touch = asset.borrow_index if after else 0
        if asset.rule[A_POOL_GAINS]:
            leg.cost = asset.gained if after else 0


def on_time(twin, row):
    accrue(twin, row)
    schedule(twin, twin.assets[row])


def schedule(twin, asset):
    interval = asset.rule[A_INTEREST_INTERVAL_NS]
    asset.next_interest_ns = (twin.now // interval + 1) * interval if asset.owed else 0
