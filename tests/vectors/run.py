"""Read a file of examples, run each, count."""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from fractions import Fraction

from tests.vectors import contracts, lending, liquidation, margin, markets, offers, sharing
from tests.vectors.comparing import Between, agrees
from tests.vectors.scene import Unsupported

SCHEMA = "margin-vectors/1"
COLUMNS = {"id", "topic", "inputs", "expected", "tolerance"}  # the other format states these, and numbers as text


def beyond(reason):
    def adapter(inputs):
        raise Unsupported(reason)

    return adapter


ADAPTERS = {
    "im": margin.opening,
    "mm": margin.maintaining,
    "liq_price": liquidation.liquidation_price,
    "bankruptcy": liquidation.bankruptcy,
    "liq_order_price": liquidation.order_price,
    "insurance_fund": liquidation.insurance_fund,
    "partial_liquidation": liquidation.partial,
    "risk_compare": liquidation.risk_order,
    "adl": liquidation.deleveraging,
    "funding": markets.funding,
    "oracle": markets.oracle,
    "collateral_haircut": markets.collateral,
    "liq_fee": beyond("a penalty that grows with time; here its rate is fixed"),
    "options_margin": beyond("options"),
    "portfolio_margin": beyond("requirements by scenario"),
    "pnl": contracts.profit,
    "hedge.inverse_perp": contracts.hedged,
    "health.max_borrow": lending.max_borrow,
    "health.ratio": lending.health,
    "interest.kink": lending.kink,
    "interest.index": beyond("a rate a second, told in 27 digits; here it is told a year, in millionths"),
    "interest.continuous": beyond(
        "an index of 18 digits; here it has 12, and grows in a straight line between accruals"
    ),
    "liquidation.bonus.variable": offers.variable_bonus,
    "liquidation.protocol_fee": offers.protocol_fee,
    "liquidation.close_factor": offers.close_factor,
    "liquidation.storefront": offers.storefront,
    "liquidation.lif": beyond("a bonus finer than a millionth"),
    "liquidation.curve.ltv": offers.close_factor_curve,
    "liquidation.partial": offers.room,
    "liquidation.bond": beyond("a bond of whoever starts an auction; here nobody need start one"),
    "auction.curve.linear": offers.linear,
    "auction.curve.piecewise_exponential": offers.piecewise,
    "auction.curve.exponential": beyond("a price finer than a millionth of its index"),
    "auction.take": offers.take,
    "vamm.margin_ratio": markets.margin_ratio,
    "amm.concentrated.price": beyond("pools that make a price by a curve; here an order book makes it"),
    "amm.concentrated.swap": beyond("pools that make a price by a curve; here an order book makes it"),
    "amm.concentrated.tick": beyond("pools that make a price by a curve; here an order book makes it"),
    "amm.impermanent_loss": beyond("pools that make a price by a curve; here an order book makes it"),
    "vamm.swap": beyond("pools that make a price by a curve; here an order book makes it"),
    "bad_debt.token_auction": sharing.token_auction,
    "bad_debt.token_dilution": sharing.dilution,
    "credit.tranche": beyond("credit without collateral, and lenders limited by what others stake behind them"),
    "credit.utilisation_rate": lending.by_power,
    "fee.decay": beyond("a fee that decays with time; here fees are rates"),
    "redemption.fee": beyond("a fee that decays with time; here fees are rates"),
    "limits.rate": lending.expanding_limit,
    "bad_debt.reserves": lending.absorbed,
    "interest.spread": beyond("a part for the house that depends on what is lent; here it is a constant part"),
    "interest.ceiling": lending.near_ceiling,
    "price.bucket": beyond("lenders who name the price at which they lend; here all lend at one"),
    "soft_liquidation.bands": beyond("collateral that is converted back and forth along a curve"),
    "options.black_scholes": beyond("options"),
    "options.naked_margin": beyond("what an option may lose; here its risk array says that, which comes from outside"),
    "oracle.median": markets.median,
    "oracle.confidence": markets.confidence,
    "oracle.twap": beyond("sums of ticks and of seconds per liquidity; here an average is what it averages"),
    "liquidation.redistribution": sharing.redistribution,
    "liquidation.stability_pool": sharing.stability_pool,
}


@dataclass(frozen=True)
class Outcome:
    id: str
    topic: str
    verdict: str  # passed, failed or unsupported
    why: str = ""


class Inputs(dict):
    """What an example gives. Asking for more means that it is an example of something else."""

    def __missing__(self, name):
        raise Unsupported(f"an example that does not give {name}")


def exact(value):
    """Every number of an example as an exact fraction."""
    if isinstance(value, dict):
        return Inputs({name: exact(each) for name, each in value.items()})
    if isinstance(value, list):
        return [exact(each) for each in value]
    return Fraction(value) if isinstance(value, int) and not isinstance(value, bool) else value


def load(path):
    with open(path, encoding="utf-8") as file:
        found = json.load(file, parse_float=Fraction)
    schema, vectors = found["schema"], found["vectors"]
    if found["count"] != len(vectors) or not (schema == SCHEMA or set(schema) >= COLUMNS):
        raise ValueError(f"{path} is not a whole file of {SCHEMA}, nor of columns {', '.join(sorted(COLUMNS))}")
    return vectors if schema == SCHEMA else [of_columns(vector) for vector in vectors]


def of_columns(vector):
    """An example of the other format, as one of ours."""
    within = f"within {vector['tolerance']}"
    return vector | {"inputs": read(vector["inputs"]), "expected": read(vector["expected"]), "rounding": within}


def read(value):
    """Numbers that are written as text."""
    if isinstance(value, dict):
        return {name: read(each) for name, each in value.items()}
    if isinstance(value, list):
        return [read(each) for each in value]
    try:
        return Fraction(value) if isinstance(value, str) else value
    except ValueError:
        return value


def outcome(vector):
    topic = vector["topic"]
    adapter = ADAPTERS.get(topic, beyond("a topic the machine has no word for"))
    try:
        answers = adapter(exact(vector["inputs"]))
    except Unsupported as reason:
        return Outcome(vector["id"], topic, "unsupported", str(reason))
    except (ArithmeticError, AssertionError, LookupError, RuntimeError, ValueError) as error:
        return Outcome(vector["id"], topic, "failed", f"{type(error).__name__}: {error}")
    wrong = [
        f"{name}: the machine says {shown(answers.get(name))}, the source {shown(expected)}"
        for name, expected in vector["expected"].items()
        if name not in answers or not agrees(expected, answers[name], vector["rounding"])
    ]
    return Outcome(vector["id"], topic, "failed" if wrong else "passed", "; ".join(wrong))


def shown(value):
    if isinstance(value, Between):
        return f"between {shown(value.low)} and {shown(value.high)}"
    if isinstance(value, list):
        return "[" + ", ".join(map(shown, value)) + "]"
    return f"{float(value):.12g}" if isinstance(value, Fraction) else str(value)


def counted(outcomes):
    def of(some):
        found = Counter(each.verdict for each in some)
        return {verdict: found[verdict] for verdict in ("passed", "failed", "unsupported")}

    topics = defaultdict(list)
    for each in outcomes:
        topics[each.topic].append(each)
    return {
        "total": of(outcomes),
        "topics": {topic: of(some) for topic, some in sorted(topics.items())},
        "failures": [each.id for each in outcomes if each.verdict == "failed"],
    }
