"""Liquidation of linear perpetuals: prices, sizes, who pays, who is first, who is deleveraged."""

from fractions import Fraction
from math import lcm

from steelyard.engine import queries
from steelyard.model import keys as key
from steelyard.model.commands import MARKET
from steelyard.model.events import (
    DELEVERAGED,
    FILL,
    FUND_PAID,
    LIQUIDATION_FEE,
    LIQUIDATION_ORDER,
    LIQUIDATION_STARTED,
)
from steelyard.model.orders import INSURANCE
from steelyard.num.limits import PPM, PRICE_TICKS_MAX
from tests.vectors.comparing import Between
from tests.vectors.margin import ppm
from tests.vectors.scene import COIN, DEEP, Scene, Unsupported, step_of, whole


def liquidation_price(inputs):
    """Margin of its own in an isolated position; the tick after which E < M(maintain)."""
    if "size" not in inputs:
        raise Unsupported("maintenance measured on the entry value; here it follows the mark")
    side = 1 if inputs["side"] == "long" else -1
    entry, size, leverage = inputs["entry_price"], inputs["size"], inputs["leverage"]
    tick = entry / (PRICE_TICKS_MAX // 2 if side > 0 else PRICE_TICKS_MAX // 4)
    rate = inputs["mmr"] + inputs.get("taker_fee_rate", 0)  # here the fee of closing is part of what must be kept
    first = 2 * inputs.get("maintenance_amount", 0) / rate  # half the rate below this notional deducts that above it
    lots, unit = 1_000, tick * size / 1_000
    scale = 1_000 * lcm(*((usd / unit).denominator for usd in (inputs["isolated_margin"], first)))
    scene = Scene(atoms_per_usd=scale / unit)
    rates = [(None, ppm(rate), ppm(rate))]
    if first:
        rates.insert(0, (scene.atoms(first), ppm(rate / 2), ppm(rate / 2)))
    market = scene.market(tick, size / lots, PRICE_TICKS_MAX, rates, position_lots_max=lots, order_lots_max=lots)
    ticks = market.ticks(entry)
    scene.price([(market, entry)])
    margin = scene.atoms(inputs["isolated_margin"])
    account = scene.account(2 * margin)
    scene.teller.isolate(account, market.row)
    scene.teller.leverage(account, market.row, whole(leverage))
    scene.take(account, market, side * lots, ticks)
    child = int(scene.state.leg.account[scene.leg(account, market)])
    missing = margin - whole(scene.cash(child) * scene.atoms_per_usd)
    if missing < 0:
        scene.teller.leverage(account, market.row, 1_000)
    if missing:
        scene.teller.move_margin(account, market.row, missing)
    healthy = scene.last_healthy(child, market)
    return {"liquidation_price": Between(*sorted((healthy * tick, (healthy - side) * tick)))}


def positions_of(inputs):
    if "positions" in inputs:
        return {each["market"]: each for each in inputs["positions"]}
    one = {"size": inputs["position_size"], "oracle_price": inputs["oracle_price"]}
    return {"": one | {"maintenance_margin_fraction": inputs["maintenance_margin_fraction"]}}


def closing(inputs, part, **settings):
    """An account with these positions when it falls below maintenance; `part` of the position in question is closed."""
    scene = Scene()
    scene.teller.deposit(INSURANCE, 1, DEEP >> 4)
    named, sizes, prices = {}, {}, {}
    for name, each in positions_of(inputs).items():
        rate = ppm(each["maintenance_margin_fraction"])
        tick, lot = step_of(each["oracle_price"] / 2, *settings.get("prices", ())), step_of(each["size"] * part)
        # No account below maintenance can pay twice its requirement as a penalty, so the whole slice is closed.
        common = {"restore_ppm": 3 * PPM, "liquidation_fee_ppm": min(2 * rate, PPM // 5)}
        common |= {"slice_notional": 0, "slice_ppm": ppm(part)}
        top = whole(2 * each["oracle_price"], tick)
        market = scene.market(tick, lot, top, [(None, rate, 3 * rate)], **(common | settings.get("market", {})))
        named[name], sizes[market], prices[market] = market, each["size"], each["oracle_price"]
        scene.price([(market, each["oracle_price"] / 2)])
    return scene, named, sizes, prices


def bankruptcy(inputs):
    part = Fraction(inputs["close_size_delta"]) / abs(positions_of(inputs)[inputs["close_market"]]["size"])
    scene, named, sizes, prices = closing(inputs, part)
    scene.hold([(inputs["quote_balance_usdc"], sizes)], prices)
    market = named[inputs["close_market"]]
    for order in scene.happened(LIQUIDATION_ORDER):
        if order["market"] == market.row and order["lots"] == market.lots(inputs["close_size_delta"]):
            return {"bankruptcy_quote_delta_usdc": scene.usd(order["amount"])}
    if not len(scene.happened(LIQUIDATION_ORDER)):
        raise Unsupported("a healthy account is not closed")
    raise Unsupported("the machine would close another part first")


def insurance_fund(inputs):
    if "fill_price" not in inputs:
        raise Unsupported("a penalty that follows from how far the account is from bankruptcy; here its rate is fixed")
    part = Fraction(inputs["fill_size"]) / abs(inputs["position_size"])
    fee = ppm(inputs["max_liquidation_fee_fraction"])
    fill = {"prices": (inputs["fill_price"],), "market": {"liquidation_fee_ppm": fee, "slip_ppm": PPM // 2}}
    scene, named, sizes, prices = closing(inputs, part, **fill)
    market = named[""]
    lots = -market.lots(inputs["position_size"] * part)
    dealer = scene.account(DEEP >> 4)  # it stands ready at the price of the fill
    scene.teller.order(dealer, market.row, -lots, market.ticks(inputs["fill_price"]))
    scene.hold([(inputs["quote_balance_usdc"], sizes)], prices)
    fills = scene.happened(FILL)
    if not len(fills):
        raise Unsupported("not closed at this price: the account is healthy, or its equity would not cover it")
    if fills[0]["lots"] != abs(lots):
        raise Unsupported("the machine would close another part")
    paid = sum(int(event["amount"]) for event in scene.happened(FUND_PAID))
    taken = sum(int(event["amount"]) for event in scene.happened(LIQUIDATION_FEE))
    return {"insurance_fund_delta_usdc": scene.usd(taken - paid)}


def order_price(inputs):
    """The limit of the liquidation order: a spread on what the position is required."""
    spread, urgency = (ppm(inputs[each]) for each in ("spread_to_maintenance_margin_ratio", "bankruptcy_adjustment"))
    market = {"spread_ppm": spread, "urgency_ppm": urgency, "slip_ppm": PPM // 2}
    scene, named, sizes, prices = closing(inputs, Fraction(1), market=market)
    scene.hold([(inputs["quote_balance_usdc"], sizes)], prices)
    wanted = named[inputs["liquidated_market"]]
    for order in scene.happened(LIQUIDATION_ORDER):
        if order["extra"] <= 0:
            raise Unsupported("without equity the order stops at the mark, or where the fund can pay the difference")
        if order["market"] == wanted.row:
            return {"fillable_price": int(order["price"]) * wanted.tick}
    raise Unsupported("the machine would close another position first, or none")


def partial(inputs):
    """Lots of the liquidation order that makes up a shortage of margin."""
    if "maintenance_margin_ratio" not in inputs:
        raise Unsupported("debts convert whole, at index less a haircut; they are not sized to a shortage")
    if inputs["liquidator_fee"]:
        raise Unsupported("liquidations meet the book; no liquidator buys at a discount")
    price, rate = inputs["oracle_price"], inputs["maintenance_margin_ratio"]
    size = 10 * inputs["margin_shortage_usd"] / rate / price  # ten times the shortage is required
    scene = Scene(atoms_per_usd=10**12)
    scene.coin(inputs["quote_oracle_price"])
    fee = ppm(inputs["insurance_fund_fee"])
    market = scene.market(
        step_of(price), Fraction(1, 10**12), 2 * whole(price, step_of(price)), [(None, ppm(rate), ppm(rate))],
        settle=COIN, liquidation_fee_ppm=fee,
    )  # fmt: skip
    early = 3 * price / 2
    scene.price([(market, early)])
    required = scene.atoms(size * price * inputs["quote_oracle_price"] * rate)
    lost = scene.atoms(size * (early - price) * inputs["quote_oracle_price"])
    account = scene.account(required - scene.atoms(inputs["margin_shortage_usd"]) + lost)
    scene.teller.deposit(scene.maker, COIN, DEEP)
    scene.take(account, market, market.lots(size), market.ticks(early))
    scene.price([(market, price)])
    (order,) = scene.happened(LIQUIDATION_ORDER)
    return {"base_to_liquidate": int(order["lots"]) * market.lot}


def risk_order(inputs):
    """Which of two accounts the machine liquidates first."""
    pair = [inputs["first"], inputs["second"]]
    if not all(each["maintenance_margin"] for each in pair):
        raise Unsupported("an account without positions is not liquidated")
    ratios = [each["net_collateral"] / each["maintenance_margin"] for each in pair]
    if ratios[0] == ratios[1]:
        raise Unsupported("equal ratios: ties go to the lower account, not to the larger requirement")
    if min(ratios) >= 1:
        raise Unsupported("two healthy accounts are not compared")
    scene = Scene()
    sizes = [each["maintenance_margin"] / 10 for each in pair]
    market = scene.market(1, step_of(*sizes), 200, [(None, PPM // 10, PPM // 10)])
    holdings = []
    for each, size in zip(pair, sizes, strict=True):
        holdings.append((each["net_collateral"] - 100 * size, {market: size}))
    accounts = scene.hold(holdings, {market: Fraction(100)})
    started = [int(event["account"]) for event in scene.happened(LIQUIDATION_STARTED)]
    first = accounts.index(started[0])
    return {"first_vs_second": 1 if first == 0 else -1}


def deleveraging(inputs):
    return by_queue(inputs) if "queue" in inputs else between_two(inputs)


def by_queue(inputs):
    """A bankrupt account, an empty fund, nobody in the book: counterparties close, the highest score first."""
    side = 1 if inputs["bankrupt_side"] == "long" else -1
    price, size = inputs["bankruptcy_price"], inputs["bankrupt_size"]
    beyond, entry = price - side * price / 50, price + side * price / 10
    tick, lot = step_of(price, beyond, entry), step_of(size, *(each["size"] for each in inputs["queue"]))
    scene = Scene()
    market = scene.market(tick, lot, whole(3 * price, tick), [(None, PPM // 100, PPM // 100)], backstop_lots_max=0)
    scene.price([(market, entry)])
    bankrupt = scene.account(scene.atoms(size * abs(entry - price)))
    scene.take(bankrupt, market, side * market.lots(size), market.ticks(entry))
    accounts = []
    for rank, each in enumerate(inputs["queue"], start=1):  # a deeper purse, a lower score
        accounts.append(scene.account(scene.atoms(rank * each["size"] * entry)))
        scene.take(accounts[-1], market, -side * market.lots(each["size"]), market.ticks(entry))
    scene.price([(market, beyond)])
    fills = scene.happened(DELEVERAGED)
    ranked = [accounts.index(int(event["other"])) for event in fills]
    if scene.maker in fills["other"] or ranked != sorted(ranked):
        raise Unsupported("the machine ranks these accounts differently")
    paid = {abs(scene.usd(event["amount"])) / (int(event["lots"]) * lot) for event in fills}
    answer = {"fills": [int(event["lots"]) * lot for event in fills], "price": paid.pop() if len(paid) == 1 else None}
    for each, account in zip(inputs["queue"], accounts, strict=True):
        answer[f"remaining_account_{whole(each['account'])}"] = abs(scene.size(account, market))
    return answer


def between_two(inputs):
    if inputs["price_rule"] == "oracle":
        raise Unsupported("nobody is deleveraged at the index price")
    price, rate = inputs["oracle_price"], ppm(inputs["maintenance_margin_fraction"])
    closed, other = inputs["closed_account"], inputs["offsetting_account"]
    size = abs(closed["size_btc"])
    if closed["size_btc"] != -other["size_btc"] or size != inputs["size_closed_btc"]:
        raise Unsupported("positions of different sizes")
    side = 1 if closed["size_btc"] > 0 else -1
    # Opened where both own as much, or halfway up, while next to nothing is required.
    even = side * (other["quote_usdc"] - closed["quote_usdc"]) / (2 * size)
    early = min(max(even, price / 2), 3 * price / 2)
    tick, lot = step_of(price, early), step_of(size)
    scene = Scene()
    market = scene.market(tick, lot, whole(2 * price, tick), [(None, 1, 1)], backstop_lots_max=0)
    scene.price([(market, early)])
    accounts = []
    for each in (closed, other):
        accounts.append(scene.account(scene.atoms(each["quote_usdc"] + each["size_btc"] * early)))
        scene.take(accounts[-1], market, market.lots(each["size_btc"]), market.ticks(early))
    required = {key.M_BRACKET_MAINTAIN_PPM: rate, key.M_BRACKET_OPEN_PPM: rate}
    scene.teller.configure(MARKET, required, market.row)
    scene.price([(market, price)])
    if not len(scene.happened(DELEVERAGED)):
        if queries.equity(scene.state.handle, accounts[0]) >= 0:
            raise Unsupported("an account is deleveraged only when its equity is below zero")
        if scene.state.account.queued[accounts[1]]:
            raise Unsupported("a counterparty below maintenance is itself liquidated, not made to close")
    return {
        "allowed": len(scene.happened(DELEVERAGED)) > 0,
        "closed_account_quote_after": balance(scene, accounts[0], market),
        "offsetting_account_quote_after": balance(scene, accounts[1], market),
    }


def balance(scene, account, market):
    """Cash with the proceeds of the position included."""
    return scene.cash(account) - scene.usd(scene.state.leg.cost[scene.leg(account, market)])
