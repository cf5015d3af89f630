"""Contracts that are not linear, or not settled in their quote currency.

Topics pnl and hedge.inverse_perp, and inverse ones of im and mm.

The unit of account of an inverse market's scene is the coin that it is settled in.
"""

from fractions import Fraction

from steelyard.engine import queries
from steelyard.model.orders import FOR_OPEN
from steelyard.num.limits import PPM
from tests.vectors.scene import COIN, DEEP, USD, Scene, Unsupported, step_of, whole

RATES = [(None, PPM // 200, PPM // 100)]
ATOMS = 10**8


def inverse_market(size_usd, prices, rates=RATES):
    """(scene, market): a contract of so many dollars."""
    scene, tick = Scene(atoms_per_usd=ATOMS), step_of(*prices)
    low, high = whole(min(prices) / 2, tick / 2) // 2, whole(2 * max(prices), tick)
    market = scene.market(tick, size_usd, high, rates, ticks_min=max(1, low))
    return scene, market


def held(scene, market, lots, price):
    """An account that has taken so many lots at this price."""
    scene.price([(market, price)])
    account = scene.account(DEEP >> 4)
    scene.take(account, market, lots, market.ticks(price))
    return account


def opening(inputs):
    """An order's margin is that of the position it makes."""
    if inputs["contract"] != "inverse 1 USD":
        raise Unsupported("a contract of another kind")
    scene, market = inverse_market(1, [inputs["order_price"]])
    scene.price([(market, inputs["order_price"])])
    account = scene.account(DEEP >> 4)
    scene.teller.leverage(account, market.row, whole(inputs["leverage"]))
    scene.take(account, market, whole(inputs["contracts"]), market.ticks(inputs["order_price"]))
    return {"initial_margin_btc": scene.leg_requirement(account, market, FOR_OPEN)}


def maintaining(inputs):
    if inputs["maintenance_amount_btc"]:
        raise Unsupported("a deduction without its brackets")
    rate = whole(Fraction(inputs["mmr"]) * PPM)
    price = inputs["mark_price"]
    scene, market = inverse_market(inputs["contract_size_usd"], [price], [(None, rate, 2 * rate)])
    account = held(scene, market, whole(inputs["contracts"]), price)
    cost = scene.usd(-scene.state.leg.cost[scene.leg(account, market)])
    return {"notional_btc": cost, "maintenance_margin_btc": scene.leg_requirement(account, market)}


def profit(inputs):
    """In at one price, out at another: what the settlement asset gained."""
    if inputs["contract"] == "quanto":
        return quanto(inputs)
    if inputs["contract"] != "inverse 1 USD":
        raise Unsupported("a contract of another kind")
    lots = whole(inputs["contracts"]) * (1 if inputs["side"] == "long" else -1)
    scene, market = inverse_market(1, [inputs["entry_price"], inputs["exit_price"]])
    account = held(scene, market, lots, inputs["entry_price"])
    before = scene.cash(account)
    scene.price([(market, inputs["exit_price"])])
    scene.take(account, market, -lots, market.ticks(inputs["exit_price"]))
    return {"pnl_base": scene.cash(account) - before}


def quanto(inputs):
    """A linear market settled in a third asset: its price does not matter."""
    entry, leave = inputs["entry_price"], inputs["exit_price"]
    size = inputs["margin"] * inputs["leverage"] / entry
    tick, lot = step_of(entry, leave), step_of(size)
    scene = Scene()
    scene.coin(Fraction(7, 10))
    market = scene.market(tick, lot, whole(2 * max(entry, leave), tick), RATES, settle=COIN)
    scene.price([(market, entry)])
    account = scene.account(1)
    for each in (account, scene.maker):
        scene.teller.deposit(each, COIN, 1 << 45)
    scene.teller.deposit(account, USD, DEEP >> 4)
    scene.take(account, market, market.lots(size), market.ticks(entry))
    before = scene.cash(account, COIN)
    scene.price([(market, leave)])
    scene.take(account, market, -market.lots(size), market.ticks(leave))
    return {"pnl_margin_currency": scene.cash(account, COIN) - before}


def hedged(inputs):
    """Coins, and short as many dollars of them: what is left in coins, and in dollars at their price by then."""
    start, end = inputs["price_from"], inputs["price_to"]
    scene, market = inverse_market(inputs["short_inverse_usd"], [start, end])
    scene.price([(market, start)])
    account = scene.account(scene.atoms(inputs["spot_eth"]))
    scene.take(account, market, -1, market.ticks(start))
    scene.price([(market, end)])
    equity = scene.usd(queries.equity(scene.state.handle, account))
    return {"perp_pnl_eth": scene.leg_equity(account, market), "equity_eth": equity, "equity_usd": equity * end}
