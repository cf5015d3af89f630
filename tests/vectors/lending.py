"""Examples of borrowing: what collateral lends, how healthy a debt is, and what it costs."""

from fractions import Fraction

from steelyard.engine import queries
from steelyard.model import keys as key
from steelyard.model.commands import ASSET
from steelyard.model.events import INTEREST_PAID, INTEREST_SET, REJECTED, WITHDRAWAL_RESERVED
from steelyard.model.keys import SECOND
from steelyard.model.orders import FOR_MAINTAIN, LENDER, POWER
from steelyard.model.reject import LOANS_LIMIT, OUTFLOW_LIMIT
from steelyard.num.limits import AMOUNT_MAX, PPM
from tests.vectors.scene import COIN, DEEP, USD, Scene, Unsupported, whole

DEBT = COIN + 1
MONTH = 30 * 24 * 3600 * SECOND
LENT = 10**10  # atoms that are lent, or may be
PART = 25  # a 25th of a year is a whole number of seconds, and shorter than a month


def ppm_down(rate):
    return rate * PPM // 1


def pledged(scene, price, weight):
    """A coin that counts this much, for opening and for keeping."""
    tier = {key.A_TIER_OPEN_PPM: int(ppm_down(weight)), key.A_TIER_MAINTAIN_PPM: int(ppm_down(weight))}
    scene.coin(price, tier | {key.A_SUPPLY_MAX: 1 << 48})


def max_borrow(inputs):
    """The most that one may borrow: one atom more is refused."""
    scene = Scene()
    pledged(scene, 1, 1 / inputs["mcr"])
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX}, row=USD)
    scene.teller.deposit(LENDER, USD, DEEP)
    account = scene.account()
    held = scene.atoms(inputs["collateral_value"])
    scene.teller.deposit(account, COIN, held)

    def lends(atoms):
        try:
            scene.teller.borrow(account, USD, atoms)
        except RuntimeError:
            return False
        assert len(scene.happened(WITHDRAWAL_RESERVED)) == 1
        scene.teller.deposit(account, USD, atoms)
        return True

    least, too_many = 0, held + 1
    while too_many - least > 1:
        middle = (least + too_many) // 2
        least, too_many = (middle, too_many) if lends(middle) else (least, middle)
    return {"max_debt": scene.usd(least)}


def health(inputs):
    """What the collateral counts for, by the debt: both are assets with a price."""
    scene = Scene()
    pledged(scene, inputs["collateral_price"], inputs["ltv"])
    scene.coin(inputs["debt_price"], {key.A_LOAN_CAP: AMOUNT_MAX, key.A_SUPPLY_MAX: 1 << 48})
    scene.teller.deposit(LENDER, DEBT, 1 << 40)
    account = scene.account()
    scene.teller.deposit(account, COIN, scene.atoms(inputs["collateral"]))
    scene.teller.deposit(account, USD, DEEP // 2)  # to borrow what the collateral alone would not lend
    scene.teller.borrow(account, DEBT, scene.atoms(inputs["debt"]))
    cash = DEEP // 2
    handle = scene.state.handle
    equity, requirement = queries.equity(handle, account) - cash, queries.requirement(handle, account, FOR_MAINTAIN)
    owed = -queries.leg_equity(handle, queries.find_leg(handle, account, DEBT))
    return {"health": scene.usd(equity + owed - requirement) / scene.usd(owed)}


def kink(inputs):
    """The rates at a utilisation: what a loan costs for a while, and what that brings to all that could be lent."""
    if "supply" in inputs:
        raise Unsupported("a curve of its own for what lenders earn; here it is their part of what is paid")
    scene = Scene()
    rates = {
        key.A_RESERVE_PPM: whole(inputs["reserve_factor"] * PPM),
        key.A_RATE_BASE_PPM: whole(inputs["base"] * PPM),
        key.A_RATE_SLOPE_PPM: whole(inputs["slope1"] * PPM),
        key.A_RATE_STEEP_PPM: whole(inputs["slope2"] * PPM),
        key.A_RATE_KINK_PPM: whole(inputs["optimal"] * PPM),
        key.A_INTEREST_INTERVAL_NS: MONTH,
        key.A_LOAN_CAP: AMOUNT_MAX,
    }
    scene.teller.configure(ASSET, rates, row=USD)
    pledged(scene, 1, 1)
    scene.teller.wait(MONTH - scene.teller.now % MONTH).clock()
    lent = 10**12
    scene.teller.deposit(LENDER, USD, lent)
    account = scene.account()
    scene.teller.deposit(account, COIN, 4 * lent)
    scene.teller.borrow(account, USD, whole(lent * inputs["utilisation"]))
    scene.teller.wait(365 * 24 * 3600 * SECOND // PART)
    scene.teller.deposit(account, USD, 1)
    (told,), (paid,) = scene.happened(INTEREST_SET), scene.happened(INTEREST_PAID)
    return {
        "borrow_rate": scene.usd(told["amount"]) * scene.atoms_per_usd / PPM,
        "supply_rate": scene.usd(paid["amount"] - paid["fee"]) * PART / scene.usd(lent),
    }


def expanding_limit(inputs):
    """What may be owed altogether, some time after a loan: what flowed out counts less and less."""
    scene = Scene()
    pledged(scene, 1, 1)
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX}, row=USD)
    scene.teller.deposit(LENDER, USD, DEEP)
    account = scene.account()
    scene.teller.deposit(account, COIN, 1 << 48)
    room = inputs["borrow_after"] * inputs["expand_pct"]  # what the limit grows by in its whole time
    late = inputs["borrow_after"] + room - inputs["previous_limit"]  # of the loan, what is not forgotten yet
    if not 0 < late <= room or inputs["borrow_after"] < inputs["base_limit"]:
        raise Unsupported("a limit that does not follow from what was borrowed lately")
    scene.teller.borrow(account, USD, scene.atoms(inputs["borrow_after"] - late))
    limits = {
        key.A_OUTFLOW_MAX: scene.atoms(room),
        key.A_OUTFLOW_WINDOW_NS: whole(inputs["expand_duration_s"]) * SECOND,
        key.A_LOANS_MAX: scene.atoms(inputs["max_limit"]),
    }
    scene.teller.configure(ASSET, limits, row=USD)
    scene.teller.borrow(account, USD, scene.atoms(late))
    scene.teller.wait(whole(inputs["elapsed_s"]) * SECOND)
    for step in range(scene.atoms(inputs["max_limit"]).bit_length(), -1, -1):  # all that still passes
        try:
            scene.teller.borrow(account, USD, 1 << step)
        except RuntimeError:
            assert scene.happened(REJECTED)["reason"][0] in (OUTFLOW_LIMIT, LOANS_LIMIT)
    return {"limit": scene.usd(int(scene.state.asset.loans[USD]))}


def absorbed(inputs):
    """The operator's own money is all that was lent, and the collateral comes to nothing: it bears the loss."""
    (debtor,) = inputs["accounts"]
    lent = inputs["total_borrow"]
    if (inputs["total_supply"], inputs["cash"], debtor["collateral_value"], debtor["debt"]) != (0, 0, 0, lent):
        raise Unsupported("a loss that the operator bears only in part")
    scene = Scene()
    pledged(scene, 2, 1)
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX, key.A_LENDER_BEARS: 1}, row=USD)
    scene.teller.deposit(LENDER, USD, scene.atoms(lent))
    account = scene.account()
    scene.teller.deposit(account, COIN, scene.atoms(lent))
    scene.teller.borrow(account, USD, scene.atoms(lent))
    before = scene.cash(LENDER)
    scene.teller.price({scene.feeds: 1})  # the least there is: its atoms are worth less than one
    return {
        "reserves_before": before,
        "reserves_after": scene.cash(LENDER),
        "total_borrow_after": scene.usd(int(scene.state.asset.loans[USD])),
    }


def lending(rates):
    """All that is lent is the operator's; somebody with coins enough borrows."""
    scene = Scene()
    pledged(scene, 1, 1)
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX} | rates, row=USD)
    scene.teller.deposit(LENDER, USD, LENT)
    account = scene.account()
    scene.teller.deposit(account, COIN, 2 * LENT)
    return scene, account


def rate_ppm(scene):
    return int(queries.borrow_rate(scene.state.handle, USD))


def by_power(inputs):
    """The rate when so much of the pool is left, from all to nothing."""
    rates = {
        key.A_RATE_KIND: POWER,
        key.A_RATE_BASE_PPM: whole(inputs["coefficient_bps"] * 100),
        key.A_RATE_POWER: whole(inputs["power"]),
        key.A_RATE_MAX_PPM: 5 * PPM,  # the source's highest rate
    }
    scene, account = lending(rates)
    found, borrowed = [], 0
    for ratio in inputs["liquid_ratio_bps"]:
        wanted = whole(LENT * (1 - ratio / 10_000)) - borrowed
        if wanted:
            scene.teller.borrow(account, USD, wanted)
        borrowed += wanted
        found.append(Fraction(rate_ppm(scene), 100))
    return {"rate_bps": found}


def near_ceiling(inputs):
    """How many times the rate is what it is without a ceiling."""
    scene, account = lending({key.A_RATE_BASE_PPM: PPM, key.A_LOANS_MAX: LENT})
    scene.teller.borrow(account, USD, whole(LENT * inputs["debt_over_ceiling"]))
    plain = rate_ppm(scene)
    scene.teller.configure(ASSET, {key.A_CEILING_PPM: whole(inputs["target_remainder"] * PPM)}, row=USD)
    return {"multiplier": Fraction(rate_ppm(scene), plain)}
