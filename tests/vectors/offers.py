"""Examples of liquidated debts: what a bidder gets, what it pays, and what is left."""

from fractions import Fraction

from steelyard.engine import queries
from steelyard.model import commands as do
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, CURVE
from steelyard.model.events import ABSORBED, BID_FILLED
from steelyard.model.keys import SECOND
from steelyard.model.orders import ABSORBS, LENDER
from steelyard.model.reject import Reject
from steelyard.num.limits import AMOUNT_MAX, ASSET_PRICE_SCALE, PPM
from steelyard.venue import ladders
from tests.vectors.scene import COIN, DEEP, USD, Scene, Unsupported, whole

MINUTE = 60


class Sale:
    """An account that owes dollars on coins, unhealthy since this instant, and the ladder of its offers."""

    def __init__(self, steps, held, owed, price, weight, dust=0):
        self.scene = scene = Scene()
        once = price * (owed // (held * price * weight) + 2)  # when it borrowed
        weight = int(weight * PPM)
        tiers = {key.A_TIER_OPEN_PPM: weight, key.A_TIER_MAINTAIN_PPM: weight, key.A_SUPPLY_MAX: 1 << 40}
        scene.coin(once, tiers | {key.A_DUST: scene.atoms(dust)})
        scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX, key.A_DUST: scene.atoms(dust)}, row=USD)
        row = rows = 0
        for step in reversed(steps):
            part = 0
            if step.part is not None:
                scene.teller.configure(CURVE, step.part.values())
                part, rows = rows + 1, rows + 1
            scene.teller.configure(CURVE, step.values() | {key.C_THEN: row, key.C_PART: part})
            row = rows = rows + 1
        scene.teller.configure(ASSET, {key.A_OFFER: row}, row=COIN)
        scene.teller.deposit(LENDER, USD, DEEP)
        self.account, self.bidder = scene.account(), scene.account(DEEP)
        scene.teller.deposit(self.account, COIN, scene.atoms(held))
        scene.teller.borrow(self.account, USD, scene.atoms(owed))
        scene.teller.price({1: whole(price * ASSET_PRICE_SCALE)})
        self.price = price

    def wait(self, seconds):
        self.scene.teller.wait(whole(seconds * SECOND)).clock()

    def quote(self):
        """What a bid for everything would do, or None."""
        reason = queries.offer(self.scene.state.handle, self.account, COIN, USD)
        assert reason in (Reject.NONE, Reject.NO_OFFER), Reject(reason)
        return None if reason else self.scene.state.bid[0]

    def rate(self):
        """The curve's value now; a price of nothing is no offer."""
        quote = self.quote()
        return Fraction(int(quote.value), PPM) if quote is not None else 0

    def bid(self, atoms):
        """Repay at most so much, at once: what happened."""
        line = {"account": self.bidder, "order": self.account, "market": COIN, "trigger": USD, "lots": atoms}
        self.scene.teller.say(do.LIQUIDATE, line)
        self.scene.teller.wait(1).clock()
        (filled,) = self.scene.happened(BID_FILLED)
        return filled

    def debt(self):
        return -self.scene.cash(self.account)

    def coins(self):
        return self.scene.cash(self.account, COIN)


def variable_bonus(inputs):
    most, worst = inputs["max_bonus_bps"] / 10_000 - 1, inputs["hf_for_max"]
    step = ladders.bonus_by_cover(
        text(most * inputs["bonus_factor_bps"] / 10_000), text(most), text(worst), beyond_equity=True
    )
    sale = Sale([step], held=10_000, owed=1_000 / inputs["hf"] * 8, price=Fraction(1), weight=Fraction(4, 5))
    return {"bonus_bps": 10_000 * (1 + sale.rate())}


def text(number):
    """A decimal, as people write it."""
    return str(float(number))


def protocol_fee(inputs):
    step = ladders.fixed_bonus(text(inputs["bonus"]), fee=text(inputs["liquidation_fee"]), size="all")
    sale = Sale([step], held=10_000, owed=9_000, price=Fraction(1), weight=Fraction(4, 5))
    filled = sale.bid(10**9)
    repaid = int(filled["lots"])
    return {
        "protocol_fee": Fraction(int(filled["fee"]), repaid),
        "liquidator_net": Fraction(int(filled["amount"]) - repaid, repaid),
    }


def close_factor(inputs):
    """A rest below the threshold is taken whole."""
    held, owed = inputs["collateral_value"], inputs["debt_value"]
    weight = inputs["hf"] * owed / held
    sale = Sale([ladders.fixed_bonus("0.05")], held, owed, Fraction(1), weight, dust=inputs["threshold"])
    return {"max_liquidatable_debt": sale.scene.usd(sale.quote().most)}


def storefront(inputs):
    discount = inputs["storefront_factor"] * (1 - inputs["liquidation_factor"])
    step = ladders.offer(text(1 - discount), gives="price", size="all")
    price = inputs["asset_price"]
    sale = Sale([step], held=10, owed=9 * price, price=Fraction(price), weight=Fraction(4, 5))
    filled = sale.bid(sale.scene.atoms(inputs["base_amount"]))
    return {"discount": 1 - Fraction(int(filled["price"]), PPM), "collateral": sale.scene.usd(filled["amount"])}


def linear(inputs):
    """The price of an auction at some instants."""
    top, span = inputs["top"], inputs["tau_s"]
    step = ladders.falling_auction(1, 0, int(span))
    sale = Sale([step], held=1, owed=top * 9 / 10, price=Fraction(top), weight=Fraction(4, 5))
    prices, elapsed = [], 0
    for at in inputs["elapsed_s"]:
        sale.wait(at - elapsed)
        sale.scene.teller.price({1: whole(top * ASSET_PRICE_SCALE)})
        prices.append(sale.rate() * top)
        elapsed = at
    return {"price": prices}


def piecewise(inputs):
    """Halving every 20 minutes for two hours, then every two hours up to the 14th, then every hour."""
    reference = inputs["reference_price"]

    def halving(start, every, minutes):
        """Asked at whole halvings and between them."""
        return ladders.offer(
            lambda time: start * Fraction(2 ** float(-time / MINUTE / every)),
            of="time", gives="price", size="all", over=(0, 8 * every * MINUTE), lasts=minutes * MINUTE,
            beyond_equity=True,
        )  # fmt: skip

    steps = [halving(256, 20, 120), halving(4, 120, 720), halving(Fraction(1, 16), 60, 480)]
    sale = Sale(steps, held=1, owed=reference * 9 / 10, price=Fraction(reference), weight=Fraction(4, 5))
    sale.wait(inputs["elapsed_minutes"] * MINUTE)
    return {"price": sale.rate() * reference}


def take(inputs):
    """Part of a lot, or a lot that does not bring what is owed, at the price of an auction."""
    if "top" in inputs:
        top, at, cut = inputs["top"], inputs["at_s"], inputs["cut"]
        step = ladders.offer(
            lambda time: float(cut) ** float(time),
            of="time", gives="price", size="all", over=(0, 2 * at), beyond_equity=True,
        )  # fmt: skip
        sale = Sale([step], inputs["lot"], inputs["tab"], Fraction(top), weight=Fraction(1, 2))
        sale.wait(at)
        paid = sale.scene.usd(sale.bid(sale.scene.atoms(inputs["tab"]))["lots"])
        return {"paid_approx": paid, "tab_unrecovered_approx": sale.debt()}
    price, dust = Fraction(inputs["price"]), inputs["chost"]
    step = ladders.offer(1, gives="price", size="all")
    sale = Sale([step], inputs["lot"], inputs["tab"], price, weight=Fraction(1, 2), dust=dust)
    wanted, most = sale.scene.atoms(inputs["amt"]), sale.scene.atoms(inputs["tab"])
    least, enough = 0, most
    while enough - least > 1:  # the fewest atoms of debt that bring the coins wanted
        middle = (least + enough) // 2
        least, enough = (least, middle) if would_receive(sale, middle) >= wanted else (middle, enough)
    filled = sale.bid(enough)
    return {
        "owe": sale.scene.usd(filled["lots"]),
        "slice": sale.scene.usd(filled["amount"]),
        "tab_left": sale.debt(),
        "lot_left": sale.coins(),
        "refund": sale.scene.cash(sale.bidder) + sale.scene.usd(filled["lots"]) - sale.scene.usd(DEEP),
    }


def would_receive(sale, atoms):
    """Tried on a copy."""
    machine = sale.scene.machine.copy()
    kept, sale.scene.machine = sale.scene.machine, machine
    try:
        return int(sale.bid(atoms)["amount"])
    finally:
        sale.scene.machine = kept


def room(inputs):
    """A pool has room for a part of a debt: it gets that part of the collateral, which is worth just what is owed."""
    wad, ray = 10**18, 10**27
    held, owed = Fraction(inputs["ink_wad"], wad), Fraction(inputs["art_wad"] * inputs["rate_ray"], wad * ray)
    there = inputs["room_rad"] / (wad * ray)
    if inputs["rate_ray"] != ray or inputs["chop_wad"] != wad:
        raise Unsupported("a penalty that is added to the debt")
    if not there < owed or 0 < owed - there < inputs["dust_rad"] / (wad * ray):
        raise Unsupported("room that counts what is left as dust")
    scene, price = Scene(), owed / held
    tiers = {key.A_TIER_OPEN_PPM: PPM // 2, key.A_TIER_MAINTAIN_PPM: PPM // 2, key.A_SUPPLY_MAX: 1 << 40}
    scene.coin(3 * price, tiers)
    scene.teller.configure(ASSET, {key.A_LOAN_CAP: AMOUNT_MAX}, row=USD)
    scene.teller.configure(ASSET, {key.A_POOL_OF: USD, key.A_POOL_KIND: ABSORBS, key.A_POOL_GAINS: COIN})
    scene.teller.configure(CURVE, ladders.absorbed(0).values())
    scene.teller.configure(ASSET, {key.A_OFFER: 1}, row=COIN)
    scene.teller.deposit(LENDER, USD, DEEP)
    account, staker = scene.account(), scene.account(scene.atoms(there))
    scene.teller.stake(staker, COIN + 1, USD, scene.atoms(there))
    scene.teller.deposit(account, COIN, scene.atoms(held))
    scene.teller.borrow(account, USD, scene.atoms(owed))
    scene.teller.price({1: whole(price * ASSET_PRICE_SCALE)})
    (told,) = scene.happened(ABSORBED)
    left = scene.usd(-int(scene.state.leg.quantity[queries.find_leg(scene.state.handle, account, USD)]))
    return {
        "dart": scene.usd(told["lots"]) * wad,
        "dink": scene.usd(told["amount"]) * wad,
        "tab_rad": scene.usd(told["lots"]) * wad * ray,
        "left_ink": scene.cash(account, COIN) * wad,
        "left_art": left * wad,
    }


def close_factor_curve(inputs):
    """Bonus and part both rise in a straight line between the loan-to-value of an offer and that of the liquidation."""
    low, high = inputs["pre_lltv"], inputs["lltv"]

    def between(ends, less=0):
        first, last = (end - less for end in ends)
        return lambda ltv: first + (last - first) * (ltv - low) / (high - low)

    step = ladders.offer(
        between(inputs["lif"], less=1), of="ltv", over=(low, high), size="all",
        part=between(inputs["lcf"]), beyond_equity=True,
    )  # fmt: skip
    sale = Sale([step], held=1_000_000, owed=inputs["ltv"] * 1_000_000, price=Fraction(1), weight=low)
    filled = sale.bid(sale.scene.atoms(1_000_000))
    owed = sale.scene.atoms(inputs["ltv"] * 1_000_000)
    return {"lif": 1 + Fraction(int(filled["price"]), PPM), "lcf": Fraction(int(filled["lots"]), owed)}
