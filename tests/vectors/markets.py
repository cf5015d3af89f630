"""Funding, prices and collateral: topics funding, oracle and collateral_haircut."""

from fractions import Fraction

from steelyard.engine import queries
from steelyard.model import keys as key
from steelyard.model.events import CONVERTED, FUNDING_PAID, FUNDING_SET
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import CONVERTER, FOR_OPEN, WIDEN_CONFIDENCE
from steelyard.num.limits import INDEX_SCALE, PPB, PPM, PRICE_TICKS_MAX, SOURCES_MAX
from tests.vectors.margin import ppm
from tests.vectors.scene import COIN, DEEP, USD, Scene, Unsupported, step_of, whole

EIGHT_HOURS = 8 * 3600
RATE_MAX = Fraction(1, 10)  # of one interval
EXACT_TICKS = PPB // 64  # at this price a rate in billionths moves the index by a whole number of its units
RATES = [(None, PPM // 100, PPM // 50)]


def funding(inputs):
    if "max_hourly_rate" in inputs:
        return by_divisor(inputs)
    if "samples" in inputs:
        raise Unsupported("samples are averaged, none is trimmed")
    if "premium_sample_ppm" in inputs:
        return by_samples(inputs)
    if "position_base_q" in inputs:
        return settled(inputs)
    return by_rate(inputs, Fraction(inputs["funding_rate_8h_ppm"] * inputs["seconds_since_last"], PPM * EIGHT_HOURS))


def price_of(inputs):
    return inputs["price_value"] * Fraction(10) ** whole(inputs["price_exponent"])


def index_delta(scene, market, inputs):
    """Quote quanta per base quantum, in ppm: the source's unit."""
    moved = int(scene.happened(FUNDING_SET)[-1]["extra"]) * market.tick / INDEX_SCALE  # quote currency per coin
    quote = Fraction(10) ** -whole(inputs.get("quote_atomic_resolution_exponent", -6))
    return moved * quote * Fraction(10) ** whole(inputs["base_atomic_resolution_exponent"]) * PPM


def by_samples(inputs):
    """A book whose impact prices stand at the premium, sampled every minute; a quoted rate is of eight hours."""
    hours = Fraction(EIGHT_HOURS, inputs["elapsed_seconds"])
    spread = inputs["initial_margin_fraction"] - inputs["maintenance_margin_fraction"]
    cap = min(RATE_MAX, inputs["funding_clamp_factor"] * spread / hours)
    interval = whole(inputs["elapsed_seconds"] * SECOND)
    scene = Scene()
    scene.teller.now -= scene.teller.now % interval
    scene.teller.wait(interval).clock()
    opened = scene.teller.now
    settings = {"sample_interval_ns": whole(interval, inputs["samples_expected"]), "interest_ppb": 0}
    settings |= {"funding_clamp_ppb": 0, "funding_cap_ppb": whole(cap * PPB), "impact_notional": 1}
    price, premium = price_of(inputs), inputs["premium_sample_ppm"] / PPM / hours
    tick = step_of(price, price * premium)
    market = scene.market(tick, 1 / tick, whole(2 * price, tick), RATES, funding_interval_ns=interval, **settings)
    scene.price([(market, price)])
    ticks = market.ticks(price * (1 + premium))
    if premium > 0:
        scene.teller.order(scene.maker, market.row, 10, ticks)
        scene.teller.order(scene.maker, market.row, -10, ticks + 1)
    else:
        scene.teller.order(scene.maker, market.row, -10, ticks)
        scene.teller.order(scene.maker, market.row, 10, ticks - 1)
    taken = whole(settings["sample_interval_ns"] * inputs["samples_received"])
    if taken < interval:
        scene.teller.wait(taken).cancel_all(scene.maker)  # from here on every sample is missing
    scene.teller.now = opened + interval
    scene.teller.clock()
    (told,) = scene.happened(FUNDING_SET)
    rate = Fraction(int(told["amount"]), PPB)
    if abs(rate) == RATE_MAX:
        raise Unsupported("a funding rate above a tenth of the price in one interval")
    return {
        "funding_rate_8h_ppm": rate * hours * PPM,
        "funding_index_delta_ppm_q": index_delta(scene, market, inputs),
    }


def by_rate(inputs, rate):
    """Interest alone moves the index by the rate of the time, in as many intervals as a fixed rate needs."""
    elapsed, whole_rate = whole(inputs["seconds_since_last"] * SECOND), whole(rate * PPB)
    parts = max(1, -(-abs(whole_rate) // (PPB // 100)))
    while (elapsed % parts or whole_rate % parts) and parts < 1_000:
        parts += 1
    scene = Scene()
    interval = whole(elapsed, parts)
    settings = {
        "funding_interval_ns": interval,
        "sample_interval_ns": interval,
        "interest_ppb": whole(whole_rate, parts),
    }
    settings |= {"funding_clamp_ppb": PPB // 10, "funding_cap_ppb": PPB // 10}
    price = price_of(inputs)
    tick = price / EXACT_TICKS
    market = scene.market(tick, 1 / tick, PRICE_TICKS_MAX, RATES, **settings)
    for _ in range(parts):
        scene.price([(market, price)])
        scene.teller.wait(interval).clock()
    return {"funding_index_delta_ppm_q": index_delta(scene, market, inputs)}


def margin_ratio(inputs):
    """Equity by notional, with funding that has accrued and was not paid yet."""
    entry, mark = (inputs[each] / inputs["size"] for each in ("open_notional", "position_notional"))
    rate = inputs["premium_fraction"] / mark
    if entry != mark or abs(rate) > Fraction(1, 100):
        raise Unsupported("profit beside the funding, or a fixed rate above a hundredth of the price in one interval")
    scene = Scene(atoms_per_usd=1_024_000)
    settings = {"funding_interval_ns": HOUR, "sample_interval_ns": HOUR, "interest_ppb": whole(rate * PPB)}
    settings |= {"funding_clamp_ppb": PPB // 10, "funding_cap_ppb": PPB // 10}
    tick = mark / 1_024
    market = scene.market(tick, 1 / tick / 1_024, 4_096, RATES, **settings)
    scene.price([(market, mark)])
    account = scene.account(scene.atoms(inputs["margin"]))
    scene.take(account, market, market.lots(inputs["size"]), market.ticks(entry))
    scene.teller.wait(HOUR).clock()
    notional = scene.size(account, market) * int(scene.state.market.mark[market.row]) * market.tick
    return {"margin_ratio": scene.usd(queries.equity(scene.state.handle, account)) / notional}


def by_divisor(inputs):
    """A premium of the book, paid over so many hours; the rate with its cap, and without one."""
    index, perp, divisor = inputs["index"], inputs["perp_price"], whole(inputs["divisor"])
    if ((perp / index - 1) * 10**5).denominator != 1:
        raise Unsupported("a premium cut to thousandths of a percent before it is divided")
    told = []
    for cap in (whole(inputs["max_hourly_rate"] * PPB), PPB // 10):
        scene = Scene()
        scene.teller.now -= scene.teller.now % HOUR
        scene.teller.wait(HOUR).clock()
        settings = {"sample_interval_ns": HOUR, "interest_ppb": 0, "funding_clamp_ppb": 0, "funding_cap_ppb": cap}
        settings |= {"impact_notional": 1, "premium_divisor": divisor}
        tick = step_of(index, perp)
        market = scene.market(tick, 1 / tick, whole(2 * perp, tick), RATES, funding_interval_ns=HOUR, **settings)
        scene.price([(market, index)])
        ticks, side = market.ticks(perp), 1 if perp > index else -1
        scene.teller.order(scene.maker, market.row, side * 10, ticks)
        scene.teller.order(scene.maker, market.row, -side * 10, ticks + side)
        scene.teller.wait(HOUR).clock()
        told.append(Fraction(int(scene.happened(FUNDING_SET)[-1]["amount"]), PPB) * 100)
    return {"applied_hourly_percent": told[0], "uncapped_hourly_percent": told[1]}


def settled(inputs):
    """The index moves by the example's difference; what the position then pays is read. One atom is one quantum."""
    moved = Fraction(inputs["current_funding_index"] - inputs["position_funding_index"], PPM)  # quanta per base quantum
    ticks, size = 1_000, inputs["position_base_q"]
    lot = step_of(size) if abs(moved) >= 1 else min(abs(size), whole(1 / abs(moved))) if moved else 1
    rate = moved * lot / ticks
    if abs(rate) > Fraction(1, 100):
        raise Unsupported("an index that moves by more than a hundredth of the price")
    scene = Scene(atoms_per_usd=1 / Fraction(lot))
    settings = {"funding_interval_ns": HOUR, "sample_interval_ns": HOUR, "interest_ppb": whole(rate * PPB)}
    settings |= {"funding_clamp_ppb": PPB // 10, "funding_cap_ppb": PPB // 10}
    market = scene.market(1, lot, 4_000, RATES, **settings)
    scene.price([(market, ticks)])
    account = scene.account(whole(abs(size), lot) * ticks)
    scene.take(account, market, whole(size, lot), ticks)
    scene.teller.wait(HOUR).clock()
    scene.take(account, market, -whole(size, lot), ticks)
    paid = sum(int(event["amount"]) for event in scene.happened(FUNDING_PAID) if event["account"] == account)
    return {"net_settlement_ppm_q": -paid * PPM}


def oracle(inputs):
    """Is the price fresh, and if not, would it be without its delay? One slot is a second."""
    if "slots_before_stale_for_amm" not in inputs:
        raise Unsupported("a collateral weight that falls with the confidence of its price")
    price, spread = inputs["oracle_price"], inputs["oracle_confidence"]
    tick = step_of(price, spread)
    scene = Scene()
    feed = {
        key.F_STALENESS_NS: whole(inputs["slots_before_stale_for_amm"] * SECOND),
        key.F_CONFIDENCE_MAX_PPM: ppm(inputs["confidence_max_fraction"]),
    }
    fresh = []
    for delay in (inputs["delay_slots"], Fraction(0)):
        market = scene.market(tick, 1, whole(2 * price, tick), RATES, feed=feed)
        scene.teller.price({scene.feed_of(market): market.ticks(price)}, spread=market.ticks(spread))
        scene.teller.wait(whole(delay * SECOND)).clock()
        fresh.append(int(scene.state.market.fresh_until_ns[market.row]) >= scene.teller.now)
    return {"status": "valid" if fresh[0] else "stale" if fresh[1] else "uncertain"}


def median(inputs):
    """Each value is what a source of its own says; with an even number of them the feed takes the upper."""
    values = inputs["sorted_values"]
    scene, tick = Scene(), step_of(*values)
    weights = {key.F_WEIGHT + source: int(source < len(values)) for source in range(SOURCES_MAX)}
    feed = weights | {key.F_QUORUM: len(values), key.F_UPPER: 1}
    market = scene.market(tick, 1, whole(2 * max(values), tick), RATES, feed=feed)
    for source, value in enumerate(values):
        scene.teller.price({scene.feed_of(market): market.ticks(value)}, sources=(source,))
    return {"median": int(scene.state.market.index[market.row]) * tick}


def confidence(inputs):
    """A price and how far it may be wrong, both in steps of a power of ten: what positions are opened and judged at."""
    scene, tick = Scene(), Fraction(10) ** whole(inputs["expo"])
    price, spread = whole(inputs["price_int"]), whole(inputs["conf_int"])
    market = scene.market(tick, 1, min(2 * price, PRICE_TICKS_MAX), RATES, feed={key.F_WIDENS: WIDEN_CONFIDENCE})
    scene.teller.price({scene.feed_of(market): price}, spread=spread)
    row = scene.state.market[market.row]
    if row["below"] != row["above"]:
        raise Unsupported("an interval that is wider to one side")
    return {"price": int(row["index"]) * market.tick, "conf": int(row["below"]) * market.tick}


def collateral(inputs):
    if "collateral_rate" in inputs:
        return converted(inputs)
    if "btc_rate" in inputs:
        return weighed(inputs)
    raise Unsupported("a weight that depends on size by a curve, or on what everybody deposited")


def converted(inputs):
    """A debt beyond its cap: what of a coin at par is sold for it."""
    scene = Scene()
    haircut = ppm(1 - inputs["collateral_rate"])
    scene.coin(1, {key.A_CONVERT_HAIRCUT_PPM: haircut})
    scene.teller.deposit(CONVERTER, USD, DEEP)
    deficit = inputs["deficit"]
    tick = step_of(deficit)
    market = scene.market(tick, 1, whole(3 * deficit, tick), RATES)
    scene.price([(market, 2 * deficit)])
    account = scene.account()
    scene.teller.deposit(account, COIN, scene.atoms(2 * deficit))
    scene.take(account, market, 1, market.ticks(2 * deficit))
    scene.price([(market, deficit)])
    scene.take(account, market, -1, market.ticks(deficit))
    (sale,) = scene.happened(CONVERTED)
    return {"collateral_sold": scene.usd(sale["lots"])}


def weighed(inputs):
    """E less the haircuts."""
    scene = Scene()
    weight = ppm(inputs["btc_rate"])
    if inputs["usdt_rate"] != 1:
        raise Unsupported("the unit of account has no haircut")
    tier = {key.A_TIERS: 1, key.A_TIER_OPEN_PPM: weight, key.A_TIER_MAINTAIN_PPM: weight, key.A_SUPPLY_MAX: 1 << 40}
    scene.coin(inputs["btc_price"], tier)
    account = scene.account(scene.atoms(inputs["usdt"]))
    scene.teller.deposit(account, COIN, scene.atoms(inputs["btc"]))
    handle = scene.state.handle
    weighed_atoms = queries.equity(handle, account) - queries.requirement(handle, account, FOR_OPEN)
    return {"margin_value_usdt": scene.usd(weighed_atoms)}
