"""Requirements of linear perpetuals: topics im and mm."""

from fractions import Fraction

from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN
from steelyard.num.limits import PPM, SIZE_SCALE
from tests.vectors import contracts
from tests.vectors.scene import Scene, Unsupported, step_of, whole


def ppm(rate):
    return whole(Fraction(rate) * PPM)


def opening(inputs):
    if "contract" in inputs:
        return contracts.opening(inputs)
    if "base_initial_margin_ppm" in inputs:
        return with_open_interest(inputs)
    if "slope_per_unit" in inputs:
        return by_size(inputs, FOR_OPEN)
    if "taker_fee_rate" in inputs and "leverage" in inputs:
        return with_fees(inputs)
    if "margin_factor" in inputs:
        raise Unsupported("an order's margin is measured at the mark, not at its limit price")
    raise Unsupported("an opening requirement of another kind")


def with_fees(inputs):
    """The fee of closing where the margin is gone is part of the opening requirement: with it, and without."""
    side = 1 if inputs["side"] == "long" else -1
    price, size = inputs["entry_price" if "entry_price" in inputs else "order_price"], inputs["size"]
    rate, tick, lot = ppm(inputs["taker_fee_rate"]), step_of(price), step_of(size)
    totals = []
    for closing in (0, rate):
        scene = Scene()
        common = {"leverage_default": whole(inputs["leverage"]), "closing_ppm": closing, "taker_ppm": rate}
        market = scene.market(tick, lot, whole(2 * price, tick), [(None, 1, 1)], **common)
        scene.price([(market, price)])
        account, other = (scene.account(scene.atoms(size * price)) for _ in range(2))
        scene.teller.order(account, market.row, side * market.lots(size), market.ticks(price))
        ordered = scene.leg_requirement(account, market, FOR_OPEN)
        scene.teller.order(other, market.row, -side * market.lots(size), market.ticks(price))
        totals.append(scene.leg_requirement(account, market, FOR_OPEN))
    return {
        "order_cost": ordered,
        "initial_margin_total": totals[1],
        "initial_margin": totals[0],
        "fee_to_close": totals[1] - totals[0],
        "fee_to_open": ordered - totals[1],
        "bankruptcy_price": price - side * totals[0] / size,
    }


def with_open_interest(inputs):
    """One lot at one tick is one quantum of the quote currency, of as many atoms as there is room for."""
    held = whole(inputs["open_interest_notional_q"])
    position = whole(inputs.get("position_notional_q", held))
    lower, upper = whole(inputs["open_interest_lower_cap_q"]), whole(inputs["open_interest_upper_cap_q"])
    base = whole(inputs["base_initial_margin_ppm"])
    scene = Scene(atoms_per_usd=1_000_000 if max(held, position) < 10**7 else 1)
    caps = {"oi_lower_lots": lower, "oi_upper_lots": upper} if upper else {}
    market = scene.market(1, 1, 64, [(None, base, base)], **caps)
    scene.price([(market, 1)])
    account, others = scene.account(scene.atoms(2 * position)), scene.account(1 << 52)
    rest = max(0, held - position)
    scene.take(account, market, position, 1)
    if rest:
        scene.take(others, market, rest, 1)
    scene.price([(market, 1)])
    required = scene.leg_requirement(account, market, FOR_OPEN)
    return {"initial_margin_q": required, "effective_initial_margin_ppm": required * PPM / position}


def maintaining(inputs):
    if "contract_size_usd" in inputs:
        return contracts.maintaining(inputs)
    if "slope_per_unit" in inputs:
        return by_size(inputs, FOR_MAINTAIN)
    if "perp_price" in inputs:
        return net_of_profit(inputs)
    if "multiplier" in inputs:
        return of_contracts(inputs)
    if "tiers" in inputs:
        return of_tiers(inputs)
    raise Unsupported("a maintenance requirement of another kind")


def by_size(inputs, question):
    """A base and a slope; the brackets ask for next to nothing."""
    size, price = inputs["size"], inputs["index_price"]
    tick, lot = step_of(price), step_of(size)
    scene = Scene()
    base, slope = ppm(inputs["base_rate"]), whole(Fraction(inputs["slope_per_unit"]) * lot * SIZE_SCALE)
    rates = {"size_maintain_ppm": base, "size_maintain_slope": slope, "size_open_ppm": base, "size_open_slope": slope}
    rates |= {"position_lots_max": whole(size, lot), "order_lots_max": whole(size, lot)}
    market = scene.market(tick, lot, whole(2 * price, tick), [(None, 1, 1)], **rates)
    scene.price([(market, price)])
    account = scene.account(scene.atoms(size * price))
    scene.take(account, market, market.lots(size), market.ticks(price))
    return {"margin_usdc": scene.leg_requirement(account, market, question)}


def net_of_profit(inputs):
    size, entry, price = inputs["perp_size"], inputs["entry_price"], inputs["perp_price"]
    tick, lot = step_of(entry, price), step_of(size)
    scene = Scene()
    rates = [(None, ppm(inputs["mm_req"]), ppm(inputs["im_req"]))]
    market = scene.market(tick, lot, whole(4 * max(entry, price), tick), rates)
    scene.price([(market, entry)])
    account = scene.account(scene.atoms(10 * abs(size) * max(entry, price)))
    scene.take(account, market, market.lots(size), market.ticks(entry))
    scene.price([(market, price)])
    equity = scene.leg_equity(account, market)
    return {
        "maintenance_margin_net_usd": equity - scene.leg_requirement(account, market),
        "initial_margin_net_usd": equity - scene.leg_requirement(account, market, FOR_OPEN),
    }


def of_contracts(inputs):
    price, multiplier = inputs["mark_price"], inputs["multiplier"]
    tick, rate = step_of(price), ppm(inputs["mmr"])
    scene = Scene()
    market = scene.market(tick, multiplier, whole(2 * price, tick), [(None, rate, rate)])
    scene.price([(market, price)])
    account = scene.account(scene.atoms(inputs["contracts"] * multiplier * price))
    scene.take(account, market, whole(inputs["contracts"]), market.ticks(price))
    worth = scene.size(account, market) * int(scene.state.market.mark[market.row]) * market.tick
    return {"position_value": worth, "maintenance_margin": scene.leg_requirement(account, market)}


def of_tiers(inputs):
    """Maintenance is half of what a tier's highest leverage asks. Rates and deductions are read off requirements."""
    tiers = inputs["tiers"]
    scene = Scene(atoms_per_usd=1_000)
    uppers = [scene.atoms(tier["floor"]) for tier in tiers[1:]] + [None]
    halves = [Fraction(1, 2 * tier["max_leverage"]) for tier in tiers]
    rates = [(upper, ppm(half), ppm(2 * half)) for upper, half in zip(uppers, halves, strict=True)]
    market = scene.market(1, 1, 64, rates)
    scene.price([(market, 1)])
    slopes, deductions = [], []
    for tier in tiers:
        inside = [tier["floor"] + step for step in (1_000_000, 2_000_000)]
        required = []
        for notional in inside:
            account = scene.account(scene.atoms(notional))
            scene.take(account, market, whole(notional), 1)
            required.append(scene.leg_requirement(account, market))
        slopes.append((required[1] - required[0]) / (inside[1] - inside[0]))
        deductions.append(slopes[-1] * inside[0] - required[0])
    return {"mmr_by_tier": slopes, "deduction_by_tier": deductions}
