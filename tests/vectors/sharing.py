"""Examples of debts that a pool, or other borrowers, take over, or that claims are issued for."""

from fractions import Fraction

from steelyard.engine import queries
from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE
from steelyard.model.events import ABSORBED, DEBT_SPREAD
from steelyard.model.keys import SECOND
from steelyard.model.orders import (
    ABSORBS,
    CONVERTER,
    FOR_BORROWERS,
    FOR_POOL,
    INSURANCE,
    LENDER,
    TAKE_ALL,
    TAKE_WHOLE,
)
from steelyard.model.reject import Reject
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, CURVE_POINTS, PPM
from tests.vectors.comparing import Between
from tests.vectors.scene import COIN, USD, Scene, Unsupported, whole

NOTE = CLAIM = 3
COVER = Fraction(5, 4)  # what the collateral of a debt that falls due is worth by it: a fifth of it is bonus
WEIGHT = 750_000  # at which such a debt is unhealthy, and one of half its size is not


def step_of(taker, gas):
    """All the collateral is given; the compensation for gas is a part of the bonus, and the insurance fund's."""
    bonus = {key.C_POINT + i: PPM for i in range(CURVE_POINTS)}
    share = whole(gas * PPM / (1 - 1 / COVER))
    return bonus | {key.C_TAKER: taker, key.C_SIZE: TAKE_WHOLE, key.C_BEYOND: 1, key.C_FEE_PPM: share}


def claims_for(scene, steps, price, supply):
    """A debt of 200 that nothing backs any more, and claims that the house may issue for it."""
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX, key.A_LENDER_BEARS: 1}, row=USD)
    for row, bonus in enumerate(reversed(steps), start=1):
        points = {key.C_POINT + i: whole(bonus * PPM) for i in range(CURVE_POINTS)}
        lasts = {key.C_LASTS_NS: 60 * SECOND, key.C_THEN: row - 1, key.C_BEYOND: 1, key.C_SIZE: TAKE_ALL}
        scene.teller.configure(CURVE, points | lasts)
    scene.coin(1, {key.A_TIER_OPEN_PPM: WEIGHT, key.A_TIER_MAINTAIN_PPM: WEIGHT})
    feed = scene.feed()
    wanted = {key.A_FEED: feed, key.A_SUPPLY_MAX: 1 << 52, key.A_OFFER: len(steps)}
    scene.teller.configure(ASSET, wanted)
    scene.teller.configure(ASSET, {key.A_ISSUES: CLAIM}, row=USD)
    scene.teller.price({feed: whole(price * ASSET_PRICE_SCALE)})
    if supply:
        scene.teller.deposit(scene.maker, CLAIM, scene.atoms(supply))
    scene.teller.deposit(LENDER, USD, 1 << 45)
    scene.teller.deposit(CONVERTER, USD, 1 << 45)


def ruined(scene, owed):
    """Somebody whose collateral becomes worth nothing."""
    account = scene.account()
    scene.teller.deposit(account, COIN, scene.atoms(2 * owed))
    scene.teller.borrow(account, USD, scene.atoms(owed))
    scene.teller.price({1: 1})
    return account


def offered(scene, account):
    """What a bid for everything would repay and receive."""
    reason = queries.offer(scene.state.handle, account, CLAIM, USD)
    assert reason == Reject.NONE, Reject(reason)
    return scene.usd(scene.state.bid.repaid[0]), scene.usd(scene.state.bid.net[0])


def dilution(inputs):
    """The fund pays what it has; claims are issued for the rest."""
    scene = Scene()
    claims_for(scene, [Fraction(0)], inputs["token_price"], inputs["token_supply"])
    scene.teller.deposit(INSURANCE, USD, scene.atoms(inputs["insurance_balance"]))
    account = ruined(scene, inputs["withdraw"])
    shortfall = -scene.cash(account)
    lots = scene.atoms(2 * shortfall)
    scene.teller.say(
        do.LIQUIDATE, {"account": scene.maker, "order": account, "market": CLAIM, "trigger": USD, "lots": lots}
    )
    scene.teller.wait(1).clock()
    assert scene.cash(account) == 0, "the debt is paid"
    table = scene.state.asset
    return {"shortfall": shortfall, "token_supply_after": scene.usd(table.deposited[CLAIM] - table.withdrawn[CLAIM])}


def token_auction(inputs):
    """A lot that nobody bids for grows: the next step of the ladder gives so many times as much for the same debt."""
    scene, lot = Scene(), inputs["lot"]
    claims_for(scene, [Fraction(0), inputs["pad"] - 1], 1, 0)
    account = ruined(scene, lot)
    (_, first), seconds = offered(scene, account), 61
    assert first == lot, f"the first lot is {first}"
    scene.teller.wait(seconds * SECOND).clock()
    return {"lot_after_tick": offered(scene, account)[1]}


def coins_of(scene, price):
    weights = {key.A_TIER_OPEN_PPM: WEIGHT, key.A_TIER_MAINTAIN_PPM: WEIGHT, key.A_OFFER: 1}
    scene.coin(price, weights)


def redistribution(inputs):
    """Who owes takes over by what he owes: here all owe alike for a coin, but for the one who cannot pay."""
    events = inputs["events"]
    if [each[0] for each in events] != ["open"] * (len(events) - 1) + ["liq"]:
        raise Unsupported("more than one debt that is redistributed")
    held, ruined = {name: coins for _, name, *coins in events[:-1]}, events[-1][1]
    scene, atoms = Scene(), 10**12
    scene.teller.configure(CURVE, step_of(FOR_BORROWERS, inputs["gas_comp"]))
    coins_of(scene, 2)
    feed = scene.feed()
    owed = {key.A_FEED: feed, key.A_SUPPLY_MAX: 1 << 48, key.A_LOAN_CAP: AMOUNT_MAX, key.A_POOL_GAINS: COIN}
    scene.teller.configure(ASSET, owed)
    note = 10**10  # atoms of it
    scene.teller.price({feed: atoms // note * ASSET_PRICE_SCALE})
    scene.teller.deposit(LENDER, NOTE, 1 << 47)
    accounts = {}
    for name, (coins,) in held.items():
        accounts[name] = scene.account()
        scene.teller.deposit(accounts[name], COIN, whole(coins * atoms))
        debt = coins / COVER if name == ruined else coins / COVER / 2
        scene.teller.borrow(accounts[name], NOTE, whole(debt * note))
    scene.teller.price({1: ASSET_PRICE_SCALE})
    if not len(scene.happened(DEBT_SPREAD)):
        raise AssertionError("nothing was taken over")
    answers = {}
    for name, account in accounts.items():
        if name != ruined:
            scene.teller.claim(account, NOTE)
            answers[name] = scene.cash(account, COIN) * scene.atoms_per_usd / atoms
    return answers


def stability_pool(inputs):
    """Deposits that absorb debts: what is left of each, in whole atoms, and what it gained."""
    if "deposits" not in inputs:
        raise Unsupported("compensation for gas that the price of the collateral does not make a part of the bonus")
    dollar, coin, falls = 10**7, 10**15, inputs["liquidations"]
    scene = Scene(atoms_per_usd=dollar)
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX}, row=USD)
    scene.teller.configure(CURVE, step_of(FOR_POOL, inputs["gas_comp"]))
    prices = {COVER * each["debt"] / each["coll"] for each in falls}
    if len(prices) > 1:
        raise Unsupported("debts that do not fall due at one price")
    price = ASSET_PRICE_SCALE * prices.pop() * dollar / coin
    coins_of(scene, Fraction(2 * price, ASSET_PRICE_SCALE))
    scene.teller.configure(ASSET, {key.A_POOL_OF: USD, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN})
    scene.teller.deposit(LENDER, USD, 1 << 50)
    stakers = []
    for amount in inputs["deposits"]:
        stakers.append(scene.account(scene.atoms(amount)))
        scene.teller.stake(stakers[-1], 3, USD, scene.atoms(amount))
    for each in falls:
        account = scene.account()
        scene.teller.deposit(account, COIN, whole(each["coll"] * coin))
        scene.teller.borrow(account, USD, scene.atoms(each["debt"]))
    scene.teller.price({1: whole(price)})
    if len(scene.happened(ABSORBED)) != len(falls):
        raise AssertionError("the pool did not take all debts")
    answers = {"deposits": [], "gains": []}
    for staker in stakers:
        scene.teller.redeem_all(staker, 3)
        left, two = scene.cash(staker), Fraction(2, dollar)  # what rounding leaves is of those who are still there
        answers["deposits"].append(Between(left - two, left + two))
        gained = scene.cash(staker, COIN) * scene.atoms_per_usd
        answers["gains"].append(gained / coin)
    return answers
