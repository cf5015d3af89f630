"""Parameters by name and in natural units, and the integer keys of `model/keys.py` they stand for.

A parameter has the name of its key in lower case, less the words that only say the unit inside: M_ORDER_LOTS_MAX is
`order_max`, a size; M_COOLDOWN_NS is `cooldown`, a duration; M_SLICE_PPM is `slice`, a share of one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from steelyard.model import keys as K
from steelyard.model.orders import PRODUCT_BORROWING, PRODUCT_DATED, PRODUCT_PERPETUAL, PRODUCT_PORTFOLIO, PRODUCT_SPOT
from steelyard.num.limits import (
    AMOUNT_MAX,
    BRACKETS_MAX,
    COLLATERAL_TIERS_MAX,
    CURVE_POINTS,
    FEE_TIERS_MAX,
    NOTIONAL_MAX,
    PAYERS_MAX,
    PPM,
    SCENARIOS,
    SIZE_ROOT_MAX,
    SIZE_SCALE,
    SOURCES_MAX,
)
from steelyard.venue.amounts import (
    NS_STEP,
    PPB_STEP,
    PPM_STEP,
    Step,
    decimal,
    duration_ns,
    duration_text,
    instant_ns,
    plain,
)

RANKINGS = ("profit_and_leverage", "profit", "size", "pro_rata", "hedges_last")
STATES = ("open", "post_only", "reduce_only", "cancel_only", "halted", "settled")
MARKS = ("median", "index")
NO_YES = ("no", "yes")
RATES = ("kink", "adaptive", "peg", "power")
MIDDLES = ("lower", "upper")
CONTRACTS = ("linear", "inverse", "spot")
FEED_STATES = ("running", "halted")
BELIEFS = ("now", "average", "steady")
FEED_ACTIONS = ("open", "withdraw", "liquidate", "trigger", "fund", "settle")  # in the order of their numbers
FEED_DEMANDS = ("quorum", "narrow", "steady", "whole")  # in the order of their bits
FEED_WIDENS = ("confidence", "average", "now")
SELF_TRADE = ("owner", "none", "expire_taker", "expire_maker", "expire_both")

# What a number stands for: a share of one in millionths or billionths, a size in lots, a price in ticks, money in
# atoms, value in atoms of the unit of account, a time in nanoseconds, a plain count, or one of a list of words. A slope
# is a rate for each unit of size, a root the rate of one unit where rates grow like the root of the size, a gain the
# money that a unit of size gains.
RATE, RATE_PPB, SIZE, PRICE, MONEY, DURATION, COUNT = "rate", "fine rate", "size", "price", "money", "duration", "count"
VALUE = "value"
INSTANT = "instant"
VALUE, SLOPE, ROOT, GAIN = "value", "slope", "root", "gain"


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    key: int
    kind: str
    meaning: str
    words: tuple[str, ...] = ()


def _named(*rows: tuple[str, int, str, str] | tuple[str, int, str, str, tuple[str, ...]]) -> dict[str, Parameter]:
    return {row[0]: Parameter(*row) for row in rows}


MARKET_PARAMETERS = _named(
    ("state", K.M_STATE, "words", "what the market lets in", STATES),
    ("contract", K.M_KIND, "words", "what a lot is worth", CONTRACTS),
    ("price_max", K.M_TICKS_MAX, PRICE, "highest price there can be"),
    ("price_min", K.M_TICKS_MIN, PRICE, "lowest price there can be"),
    ("price_band", K.M_PRICE_BAND_PPM, RATE, "how far beyond the mark a limit price may lie on the crossing side"),
    ("order_max", K.M_ORDER_LOTS_MAX, SIZE, "largest order"),
    ("position_max", K.M_POSITION_LOTS_MAX, SIZE, "largest position of one owner, orders included"),
    ("open_interest_max", K.M_OPEN_INTEREST_LOTS_MAX, SIZE, "largest open interest"),
    ("oi_lower", K.M_OI_LOWER_LOTS, SIZE, "open interest from which the opening requirement rises"),
    ("oi_upper", K.M_OI_UPPER_LOTS, SIZE, "open interest at which it is the whole notional; 0 switches this off"),
    ("leverage", K.M_LEVERAGE_DEFAULT, COUNT, "leverage of an account that has set none"),
    ("mark", K.M_MARK_POLICY, "words", "how the mark price is made", MARKS),
    ("mark_band", K.M_MARK_BAND_PPM, RATE, "how far the mark may lie from the index"),
    ("basis_clamp", K.M_BASIS_CLAMP_PPM, RATE, "how much of the average basis counts"),
    ("basis_tau", K.M_BASIS_TAU_NS, DURATION, "time constant of the average basis"),
    ("funding_interval", K.M_FUNDING_INTERVAL_NS, DURATION, "time between fundings; 0 for none"),
    ("sample_interval", K.M_SAMPLE_INTERVAL_NS, DURATION, "time between samples of the premium"),
    ("interest", K.M_INTEREST_PPB, RATE_PPB, "interest part of the funding rate, per interval"),
    ("funding_clamp", K.M_FUNDING_CLAMP_PPB, RATE_PPB, "how far interest may pull the rate from the premium"),
    ("funding_cap", K.M_FUNDING_CAP_PPB, RATE_PPB, "largest funding rate"),
    ("impact_notional", K.M_IMPACT_NOTIONAL, MONEY, "notional at which the premium is sampled"),
    ("restore", K.M_RESTORE_PPM, RATE, "a liquidation aims for this many times the maintenance requirement"),
    ("takeover", K.M_TAKEOVER_PPM, RATE, "below this many times the maintenance requirement the backstop takes over"),
    ("liquidation_fee", K.M_LIQUIDATION_FEE_PPM, RATE, "of what a liquidation closes on the book"),
    ("reach", K.M_REACH_PPM, RATE, "how far from the mark to the bankruptcy price a liquidation order may go"),
    ("slice", K.M_SLICE_PPM, RATE, "largest part of a position that one slice closes"),
    ("slice_notional", K.M_SLICE_NOTIONAL, MONEY, "a position of at most this notional is not sliced"),
    ("cooldown", K.M_COOLDOWN_NS, DURATION, "time between slices"),
    ("ranking", K.M_RANKING, "words", "who is deleveraged first", RANKINGS),
    ("group", K.M_GROUP, COUNT, "markets and assets of one group hedge each other when counterparties are ranked"),
    (
        "spread",
        K.M_SPREAD_PPM,
        RATE,
        "or this part of its requirement, by how unhealthy it is; 0 for reach",
    ),
    ("urgency", K.M_URGENCY_PPM, RATE, "how fast the spread is reached: 1 where equity is gone, 2 halfway there"),
    ("closing", K.M_CLOSING_PPM, RATE, "fee of closing at the bankruptcy price, a part of the opening requirement"),
    ("premium_divisor", K.M_PREMIUM_DIVISOR, COUNT, "funding intervals over which a premium is paid"),
    ("slip", K.M_SLIP_PPM, RATE, "how far from the mark a liquidation may close on the book"),
    ("backstop_max", K.M_BACKSTOP_LOTS_MAX, SIZE, "largest position the backstop may hold"),
    ("expiry", K.M_EXPIRY_NS, INSTANT, "when trading ends and positions are closed; None for never"),
    ("settle_price", K.M_SETTLE_PRICE, PRICE, "agreed beforehand, in place of an average index: fixed-term loans"),
    ("paid", K.M_PAID, "words", "whether a fill pays its whole price at once", NO_YES),
    ("settle_window", K.M_SETTLE_WINDOW_NS, DURATION, "the settlement price is the average index over so long before"),
    ("excess_from", K.M_EXCESS_FROM, VALUE, "what the positions of its group may come to before opening asks for more"),
    ("excess", K.M_EXCESS_PPM, RATE, "what opening asks for its part of what is above that; 0 for nothing"),
    ("by_array", K.M_BY_ARRAY, "words", "whether its risk array alone says what positions require", NO_YES),
    ("size_base", K.M_SIZE_MAINTAIN_PPM, RATE, "maintenance rate by size: of no size"),
    ("size_slope", K.M_SIZE_MAINTAIN_SLOPE, SLOPE, "what each unit of size adds to it"),
    ("size_root", K.M_SIZE_MAINTAIN_ROOT, ROOT, "or, if larger, this times the root of the size"),
    ("size_base_open", K.M_SIZE_OPEN_PPM, RATE, "the same of the opening rate by size"),
    ("size_slope_open", K.M_SIZE_OPEN_SLOPE, SLOPE, "what each unit of size adds to it"),
    ("size_root_open", K.M_SIZE_OPEN_ROOT, ROOT, "or, if larger, this times the root of the size"),
    ("ramp", K.M_RAMP_NS, DURATION, "maintenance rates that rise do so over so long"),
    ("halt_grace", K.M_GRACE_NS, DURATION, "liquidation waits so long once the market is no longer halted"),
)
BY_KEY = {each.key: each for each in MARKET_PARAMETERS.values()}
ASSET_PARAMETERS = _named(
    ("supply_max", K.A_SUPPLY_MAX, MONEY, "most that may ever be inside"),
    ("loan_cap", K.A_LOAN_CAP, MONEY, "how far one account's cash may be below zero before other collateral converts"),
    ("convert_haircut", K.A_CONVERT_HAIRCUT_PPM, RATE, "the converter buys this asset at its price less this"),
    ("borrow_weight", K.A_BORROW_WEIGHT_PPM, RATE, "a debt counts as this many times its value"),
    ("interest_base", K.A_RATE_BASE_PPM, RATE, "interest on loans a year, when none is lent"),
    ("interest_slope", K.A_RATE_SLOPE_PPM, RATE, "what it rises to the kink"),
    ("interest_steep", K.A_RATE_STEEP_PPM, RATE, "what it rises from the kink until all is lent"),
    ("interest_kink", K.A_RATE_KINK_PPM, RATE, "the share lent from which interest rises steeply, or that it aims for"),
    ("interest_kind", K.A_RATE_KIND, "words", "what interest on loans follows", RATES),
    ("interest_speed", K.A_RATE_SPEED_PPM, RATE, "power of e a year by which an adaptive rate moves at full or no use"),
    ("interest_curve", K.A_RATE_CURVE_PPM, RATE, "an adaptive rate at full use, over that at the target"),
    ("interest_min", K.A_RATE_MIN_PPM, RATE, "lowest adaptive rate at the target, lowest rate by the peg"),
    ("interest_max", K.A_RATE_MAX_PPM, RATE, "highest of these"),
    ("peg", K.A_PEG, PRICE, "price in the unit of account at which interest by the peg is interest_base"),
    ("peg_sigma", K.A_PEG_SIGMA_PPM, RATE, "so far below its peg, as a share of it, interest is e times the base"),
    ("interest_power", K.A_RATE_POWER, COUNT, "a rate by a power of all there is over what is not lent"),
    (
        "interest_ceiling",
        K.A_CEILING_PPM,
        RATE,
        "the last part of loans_max, where interest rises without end",
    ),
    ("interest_interval", K.A_INTEREST_INTERVAL_NS, DURATION, "interest accrues at least so often"),
    ("reserve", K.A_RESERVE_PPM, RATE, "the part of interest that goes to the insurance fund"),
    ("loans_max", K.A_LOANS_MAX, MONEY, "what a loan may bring all loans to"),
    ("utilisation_max", K.A_UTILISATION_MAX_PPM, RATE, "the share lent that a loan may leave"),
    ("outflow_max", K.A_OUTFLOW_MAX, MONEY, "what may be redeemed and borrowed in a window; 0 for no limit"),
    ("outflow_window", K.A_OUTFLOW_WINDOW_NS, DURATION, "the time in which that much may go anew"),
    ("lender_bears", K.A_LENDER_BEARS, COUNT, "1: what nobody pays of a debt is the lender's loss, pool or not"),
    ("pool_max", K.A_POOL_MAX, MONEY, "what a supply may bring the assets of the pool to"),
    ("offer", K.A_OFFER, COUNT, "the curve that begins the ladder of offers for this collateral; 0 for none"),
    ("dust", K.A_DUST, VALUE, "what is worth less, in the unit of account, is not left over by a liquidation"),
    ("target", K.A_TARGET_PPM, RATE, "a liquidation aims for debts that count as this many times their value"),
    ("volatility", K.A_VOLATILITY_PPM, RATE, "a forecast, for curves of volatility"),
    ("frozen", K.A_FROZEN, "words", "whether liquidations leave it alone", NO_YES),
    ("fund_step_max", K.A_FUND_STEP_MAX, MONEY, "what the insurance fund pays at most at a time"),
    ("fund_day_max", K.A_FUND_DAY_MAX, MONEY, "what the insurance fund pays at most in a day (UTC)"),
    ("pool_cooldown", K.A_POOL_COOL_NS, DURATION, "of a share that backs: from saying that one leaves until one may"),
    ("pool_fee", K.A_POOL_FEE_PPM, RATE, "of a share that backs: its part of liquidation fees"),
    ("excess_share", K.A_EXCESS_SHARE_PPM, RATE, "the part of all collateral that it, or its group, may be"),
    ("excess_from", K.A_EXCESS_FROM, VALUE, "or what it may come to, in the unit of account"),
    ("excess", K.A_EXCESS_PPM, RATE, "what more than that counts less for opening; 0 for nothing"),
    ("group", K.A_GROUP, COUNT, "as of a market: what it hedges when counterparties are ranked; 0 for none"),
    ("ramp", K.A_RAMP_NS, DURATION, "what asks for more comes over so long"),
)
FEED_PARAMETERS = _named(
    ("median", K.F_UPPER, "words", "which of two middle prices counts", MIDDLES),
    ("quorum", K.F_QUORUM, COUNT, "fresh sources needed"),
    ("staleness", K.F_STALENESS_NS, DURATION, "age from which a report is not fresh"),
    ("confidence_max", K.F_CONFIDENCE_MAX_PPM, RATE, "a report wider than this share of its price is not fresh"),
    ("deviation", K.F_DEVIATION_MAX_PPM, RATE, "a report farther from the median is left out; 0: none is"),
    ("strict_quorum", K.F_STRICT_QUORUM, COUNT, "fresh sources that the demand quorum asks for"),
    ("width", K.F_WIDTH_MAX_PPM, RATE, "how wide the interval may be for the demand narrow"),
    ("divergence", K.F_DIVERGENCE_MAX_PPM, RATE, "how far the sources may be from the average for the demand steady"),
    ("window", K.F_WINDOW_NS, DURATION, "the average is over this; 0: there is none"),
    ("believes", K.F_BELIEVES, "words", "the sources now, their average, or it while they are not steady", BELIEFS),
    ("step", K.F_STEP_PPM, RATE, "the price moves at most so far per step_interval; 0: as far as it likes"),
    ("step_interval", K.F_STEP_NS, DURATION, "see step"),
    ("delay", K.F_DELAY_NS, DURATION, "a price takes effect so much later"),
    ("growth", K.F_GROWTH_PPM, RATE, "the price grows at most so much a year, from growth_price on"),
    ("growth_price", K.F_GROWTH_REF, PRICE, "what it was at growth_since; 0: it grows as it likes"),
    ("growth_since", K.F_GROWTH_AT_NS, DURATION, "a time of the venue's clock, in seconds"),
    ("price_state", K.F_HALTED, "words", "halted: the price stays, and is good for nothing", FEED_STATES),
    ("outage", K.F_OUTAGE_NS, DURATION, "not good for liquidating for longer than this ..."),
    ("grace", K.F_GRACE_NS, DURATION, "... makes liquidation wait so long"),
)
VARIABLES = ("health", "cover", "ltv", "time", "volatility")
GIVES = ("bonus", "price")
SIZES = ("restore", "all", "whole")
TAKERS = ("bidders", "pool", "book", "borrowers")
CURVE_PARAMETERS = _named(
    ("of", K.C_OF, "words", "what the curve is a function of", VARIABLES),
    ("gives", K.C_GIVES, "words", "whether it is a bonus or a price", GIVES),
    ("from", K.C_FROM, COUNT, "where the curve begins, in millionths or nanoseconds"),
    ("to", K.C_TO, COUNT, "where it ends"),
    ("size", K.C_SIZE, "words", "how much may be repaid", SIZES),
    ("taker", K.C_TAKER, "words", "who takes it", TAKERS),
    ("fee", K.C_FEE_PPM, RATE, "the part of the bonus that goes to the insurance fund"),
    ("lasts", K.C_LASTS_NS, DURATION, "active time that the offer stands; 0 for ever"),
    ("beyond_equity", K.C_BEYOND, "words", "whether what is given may exceed what the owner has", NO_YES),
    ("part", K.C_PART, COUNT, "the curve of how much of a debt one bid may repay; 0: all"),
    ("tip", K.C_TIP, VALUE, "paid for beginning the offers again, in the unit of account"),
    ("chip", K.C_CHIP_PPM, RATE, "the part of the debt that is paid for it beside"),
    ("then", K.C_THEN, COUNT, "the curve that follows"),
    ("debt", K.C_DEBT, COUNT, "the asset of the debts it is for; 0 for any"),
    ("else", K.C_ELSE, COUNT, "the curve for other debts"),
)
MARGINS = ("positions", "scenarios")
PRODUCTS = {
    "perpetuals": PRODUCT_PERPETUAL,
    "borrowing": PRODUCT_BORROWING,
    "pairs": PRODUCT_SPOT,
    "dated": PRODUCT_DATED,
    "portfolio": PRODUCT_PORTFOLIO,
}
TIER_PARAMETERS = _named(("max_leverage", K.T_LEVERAGE_MAX, COUNT, "highest leverage"))
OWNER_PARAMETERS = _named(
    ("risk_tier", K.O_RISK_TIER, COUNT, "what this owner may hold, and how leveraged"),
    ("fee_tier", K.O_FEE_TIER, COUNT, "which of a market's fees this owner pays"),
    ("margin", K.O_MARGIN, "words", "what its positions are required by", MARGINS),
    ("self_trade", K.O_STP, "words", "what happens when orders of this owner meet", SELF_TRADE),
)


_ONE = Step(1, 0)


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps that sizes, prices and money of one instrument are counted in."""

    lot: Step = _ONE
    tick: Step = _ONE
    atom: Step = _ONE
    value: Step = _ONE
    now_ns: int = 0  # from which a duration that names an instant counts

    def count(self, parameter: Parameter, value: Any) -> int:
        name = parameter.name
        if parameter.words:
            if value not in parameter.words:
                raise ValueError(f"{name} {value!r} is not one of {', '.join(parameter.words)}")
            return parameter.words.index(value)
        if parameter.kind == DURATION:
            return duration_ns(value, name)
        if parameter.kind == INSTANT:
            return 0 if value is None else instant_ns(value, self.now_ns, name)
        if parameter.kind in (SLOPE, ROOT, GAIN):
            return self._count_of_size(parameter, value)
        step, unit = self._step(parameter.kind)
        return step.count(value, name, unit)

    def back(self, parameter: Parameter, value: int) -> Decimal | int | str | None:
        if parameter.words:
            return parameter.words[value]
        if parameter.kind == DURATION:
            return duration_text(value)
        if parameter.kind == INSTANT:
            return NS_STEP.back(value) if value else None
        if parameter.kind == COUNT:
            return int(value)
        if parameter.kind == SLOPE:
            return Decimal(value) / SIZE_SCALE / self.lot.size
        if parameter.kind == GAIN:
            return Decimal(value) * self.atom.size / PPM / self.lot.size
        if parameter.kind == ROOT:
            return (Decimal(value) / SIZE_ROOT_MAX / self.lot.size).sqrt()
        return self._step(parameter.kind)[0].back(value)

    def _count_of_size(self, parameter: Parameter, value: Any) -> int:
        """A rate of a unit of size, as one of a lot; of a root its square."""
        given = decimal(value, parameter.name)
        per_lot, scale = Fraction(given) * Fraction(self.lot.size), SIZE_SCALE
        if parameter.kind == GAIN:
            scale = int(PPM / Fraction(self.atom.size))
        if parameter.kind == ROOT:
            per_lot, scale = per_lot * Fraction(given), SIZE_ROOT_MAX
        count = per_lot * scale
        if count.denominator != 1 or (count < 0 and parameter.kind != GAIN):
            word = "its square" if parameter.kind == ROOT else "it"
            raise ValueError(
                f"{parameter.name} {plain(given)}: {word}, for a lot of {plain(self.lot.size)}, is not a whole "
                f"number of {plain(Decimal(1) / scale)}"
            )
        return int(count)

    def _step(self, kind: str) -> tuple[Step, str]:
        if kind == SIZE:
            return self.lot, "lots"
        if kind == PRICE:
            return self.tick, "ticks"
        if kind == MONEY:
            return self.atom, "atoms"
        if kind == VALUE:
            return self.value, "atoms of the unit of account"
        return {RATE: (PPM_STEP, "millionths"), RATE_PPB: (PPB_STEP, "billionths")}.get(kind, (_ONE, "units"))


_UNIT_WORDS = {"ppm", "ppb", "ns", "lots", "ticks"}


def chosen(table: Mapping[str, Parameter], given: Mapping[str, Any], grid: Grid) -> dict[int, int]:
    """Keys and values of the parameters that were named."""
    values = {}
    for name, value in given.items():
        parameter = table.get(name)
        if parameter is None:
            bare = "_".join(word for word in name.split("_") if word not in _UNIT_WORDS)
            close = [bare] if bare in table else get_close_matches(name, table, 1, 0.5)
            hint = f"; did you mean {close[0]} ({table[close[0]].meaning})?" if close else ""
            raise TypeError(f"there is no parameter {name}{hint}")
        values[parameter.key] = grid.count(parameter, value)
    return values


def brackets(rows: Sequence[tuple[Any, Any, Any]], money: Step) -> dict[int, int]:
    """(notional up to which it reaches, maintenance rate, opening rate); None in the last row means no end."""
    if not 1 <= len(rows) <= BRACKETS_MAX:
        raise ValueError(f"a market has 1 to {BRACKETS_MAX} brackets, not {len(rows)}")
    values = {K.M_BRACKETS: len(rows)}
    for place, (upper, maintain, opening) in enumerate(rows):
        if upper is None and place < len(rows) - 1:
            raise ValueError("only the last bracket may have no end")
        end = NOTIONAL_MAX if upper is None else money.count(upper, f"upper end of bracket {place + 1}", "atoms")
        values[K.M_BRACKET_UPPER + place] = end
        values[K.M_BRACKET_MAINTAIN_PPM + place] = PPM_STEP.count(maintain, "maintenance rate", "millionths")
        values[K.M_BRACKET_OPEN_PPM + place] = PPM_STEP.count(opening, "opening rate", "millionths")
    return values


def fees(maker: Any, taker: Any, tiers: Sequence[tuple[Any, Any]] | None) -> dict[int, int]:
    """One fee tier from `maker` and `taker`, or several as (maker, taker)."""
    if tiers is None:
        values = {} if maker is None else {K.M_MAKER_PPM: PPM_STEP.count(maker, "maker fee", "millionths")}
        if taker is not None:
            values[K.M_TAKER_PPM] = PPM_STEP.count(taker, "taker fee", "millionths")
        return values
    if maker is not None or taker is not None:
        raise ValueError("give either maker and taker, or fee_tiers")
    if not 1 <= len(tiers) <= FEE_TIERS_MAX:
        raise ValueError(f"a market has 1 to {FEE_TIERS_MAX} fee tiers, not {len(tiers)}")
    values = {K.M_FEE_TIERS: len(tiers)}
    for place, (make, take) in enumerate(tiers):
        values[K.M_MAKER_PPM + place] = PPM_STEP.count(make, "maker fee", "millionths")
        values[K.M_TAKER_PPM + place] = PPM_STEP.count(take, "taker fee", "millionths")
    return values


def collateral(rows: Sequence[tuple[Any, Any, Any]], atom: Step) -> dict[int, int]:
    """(amount up to which it reaches, opening weight, maintenance weight); what lies beyond the last counts nothing."""
    if not 1 <= len(rows) <= COLLATERAL_TIERS_MAX:
        raise ValueError(f"an asset has 1 to {COLLATERAL_TIERS_MAX} collateral tiers, not {len(rows)}")
    values = {K.A_TIERS: len(rows)}
    for place, (upper, opening, maintain) in enumerate(rows):
        end = AMOUNT_MAX if upper is None else atom.count(upper, f"upper end of collateral tier {place + 1}", "atoms")
        values[K.A_TIER_UPPER + place] = end
        values[K.A_TIER_OPEN_PPM + place] = PPM_STEP.count(opening, "opening weight", "millionths")
        values[K.A_TIER_MAINTAIN_PPM + place] = PPM_STEP.count(maintain, "maintenance weight", "millionths")
    return values


def source_weights(sources: int | Sequence[int]) -> dict[int, int]:
    """`3` listens to sources 0, 1 and 2 alike; a list gives each source its weight."""
    weights = [1] * sources if isinstance(sources, int) else list(sources)
    if not 1 <= len(weights) <= SOURCES_MAX:
        raise ValueError(f"a feed has 1 to {SOURCES_MAX} sources, not {len(weights)}")
    weights += [0] * (SOURCES_MAX - len(weights))
    return {K.F_WEIGHT + place: int(weight) for place, weight in enumerate(weights)}


def _bits(given: Sequence[str], words: Sequence[str], what: str) -> int:
    bits = 0
    for word in (given,) if isinstance(given, str) else given:
        if word not in words:
            raise ValueError(f"{what} {word!r} is not one of {', '.join(words)}")
        bits |= 1 << words.index(word)
    return bits


def _source(number: Any, what: str) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < SOURCES_MAX:
        raise ValueError(f"{what} {number!r} is not a source: 0 to {SOURCES_MAX - 1}")
    return number


def feed_values(given: Mapping[str, Any], grid: Grid) -> dict[int, int]:
    """Keys and values of what was said about a price.

    `widens` lists what its interval covers, `witnesses` the numbers of sources that it covers; `source_staleness` maps
    the number of a source to its staleness, `demands` an action to what it demands.
    """
    values, plain_ones = {}, dict(given)
    if "widens" in plain_ones:
        values[K.F_WIDENS] = _bits(plain_ones.pop("widens"), FEED_WIDENS, "widens")
    if "witnesses" in plain_ones:
        numbers = {_source(number, "witness") for number in plain_ones.pop("witnesses")}
        values[K.F_WITNESSES] = sum(1 << number for number in numbers)
    for number, staleness in plain_ones.pop("source_staleness", {}).items():
        key = K.F_SOURCE_STALENESS_NS + _source(number, "source_staleness")
        values[key] = duration_ns(staleness, f"staleness of source {number}")
    for action, words in plain_ones.pop("demands", {}).items():
        if action not in FEED_ACTIONS:
            raise ValueError(f"demands {action!r} is not one of {', '.join(FEED_ACTIONS)}")
        values[K.F_DEMANDS + FEED_ACTIONS.index(action)] = _bits(words, FEED_DEMANDS, f"what {action} demands,")
    return values | chosen(FEED_PARAMETERS, plain_ones, grid)


def feed_lists(rule: Sequence[int]) -> dict[str, Any]:
    """The other way, for what is more than a number."""

    def named(bits: int, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(word for place, word in enumerate(words) if bits >> place & 1)

    ages = {number: int(rule[K.F_SOURCE_STALENESS_NS + number]) for number in range(SOURCES_MAX)}
    return {
        "widens": named(int(rule[K.F_WIDENS]), FEED_WIDENS),
        "witnesses": tuple(number for number in range(SOURCES_MAX) if int(rule[K.F_WITNESSES]) >> number & 1),
        "source_staleness": {number: duration_text(age) for number, age in ages.items() if age},
        "demands": {
            action: named(int(rule[K.F_DEMANDS + place]), FEED_DEMANDS)
            for place, action in enumerate(FEED_ACTIONS)
            if rule[K.F_DEMANDS + place]
        },
    }


FEED_NAMES = (*FEED_PARAMETERS, "widens", "witnesses", "source_staleness", "demands")


def atoms_per_tick_lot(tick: Step, lot: Step, settle: Step) -> int:
    """A trade is exact only if a tick times a lot is a whole number of atoms."""
    scale = settle.places - tick.places - lot.places
    numerator = tick.coefficient * lot.coefficient * int(10 ** max(scale, 0))
    atoms, rest = divmod(numerator, int(10 ** max(-scale, 0)))
    if rest or atoms == 0:
        worth = Step(tick.coefficient * lot.coefficient, tick.places + lot.places)
        raise ValueError(
            f"tick {plain(tick.size)} x lot {plain(lot.size)} is {plain(worth.size)}, which is not a whole number of "
            f"atoms of {plain(settle.size)}; choose a larger tick or lot, or an asset with more decimals"
        )
    return atoms


def atom_ticks_per_lot(tick: Step, lot: Step, settle: Step) -> int:
    """Of an inverse market: a lot is so much of the quote currency, so it is worth this, over the price in ticks."""
    scale = settle.places + tick.places - lot.places
    numerator, denominator = lot.coefficient * int(10 ** max(scale, 0)), tick.coefficient * int(10 ** max(-scale, 0))
    atoms, rest = divmod(numerator, denominator)
    if rest or atoms == 0:
        raise ValueError(
            f"lot {plain(lot.size)} / tick {plain(tick.size)} is not a whole number of atoms of {plain(settle.size)}; "
            f"choose a larger lot, a tick that divides it, or an asset with more decimals"
        )
    return atoms


RAMPED_MARKET = (
    *range(K.M_BRACKET_MAINTAIN_PPM, K.M_BRACKET_MAINTAIN_PPM + BRACKETS_MAX),
    *range(K.M_SIZE_MAINTAIN_PPM, K.M_SIZE_MAINTAIN_PPM + K.SIZE_RATES),
)
RAMPED_ASSET = (
    *range(K.A_TIER_MAINTAIN_PPM, K.A_TIER_MAINTAIN_PPM + COLLATERAL_TIERS_MAX),
    K.A_BORROW_WEIGHT_PPM,
    K.A_LOAN_CAP,
)
_FIXED_KEYS = {K.M_SETTLE: "settle", K.M_FEED: "feed", K.M_KIND: "kind", K.M_BASE: "base", K.M_LOT_ATOMS: "lot"}


def key_name(table: Mapping[str, Parameter], key: int) -> str:
    """The name of the parameter that a key belongs to, for messages."""
    for parameter in table.values():
        if parameter.key == key:
            return parameter.name
    lists = (
        (K.M_BRACKET_UPPER, BRACKETS_MAX, "upper end of bracket"),
        (K.M_BRACKET_MAINTAIN_PPM, BRACKETS_MAX, "maintenance rate of bracket"),
        (K.M_BRACKET_OPEN_PPM, BRACKETS_MAX, "opening rate of bracket"),
        (K.M_MAKER_PPM, FEE_TIERS_MAX, "maker fee of tier"),
        (K.M_TAKER_PPM, FEE_TIERS_MAX, "taker fee of tier"),
    )
    if table is ASSET_PARAMETERS:
        if key == K.A_POOL_OF:
            return "pool_of"
        if K.A_PAYER <= key < K.A_PAYER + PAYERS_MAX:
            return f"payer {key - K.A_PAYER + 1}"
        if key == K.A_ISSUES:
            return "issues"
        if key in (K.A_POOL_KIND, K.A_POOL_GAINS):
            return "pool_kind" if key == K.A_POOL_KIND else "pool_gains"
        lists = (
            (K.A_TIER_UPPER, COLLATERAL_TIERS_MAX, "upper end of collateral tier"),
            (K.A_TIER_OPEN_PPM, COLLATERAL_TIERS_MAX, "opening weight of collateral tier"),
            (K.A_TIER_MAINTAIN_PPM, COLLATERAL_TIERS_MAX, "maintenance weight of collateral tier"),
        )  # type: ignore[assignment]
    if table is CURVE_PARAMETERS:
        lists = ((K.C_POINT, CURVE_POINTS, "point"),)  # type: ignore[assignment]
    if table is FEED_PARAMETERS:
        if K.F_DEMANDS <= key < K.F_DEMANDS + len(FEED_ACTIONS):
            return f"what {FEED_ACTIONS[key - K.F_DEMANDS]} demands"
        for first, count, words in (
            (K.F_SOURCE_STALENESS_NS, SOURCES_MAX, "staleness of source"),
            (K.F_WEIGHT, SOURCES_MAX, "weight of source"),
        ):
            if first <= key < first + count:
                return f"{words} {key - first}"
    if table is MARKET_PARAMETERS and K.M_PAYER <= key < K.M_PAYER + PAYERS_MAX:
        return f"payer {key - K.M_PAYER + 1}"
    for first, count, words in lists:
        if first <= key < first + count:
            return f"{words} {key - first + 1}"
    return _FIXED_KEYS.get(key, f"key {key}") if table is MARKET_PARAMETERS else f"key {key}"


def products(names: Sequence[str]) -> dict[int, int]:
    """The bits of what a risk tier may hold."""
    bits = 0
    for name in (names,) if isinstance(names, str) else names:
        if name not in PRODUCTS:
            raise ValueError(f"product {name!r} is not one of {', '.join(PRODUCTS)}")
        bits |= PRODUCTS[name]
    return {K.T_PRODUCTS: bits}


ARRAY_PARAMETERS = _named(
    *((f"scenario {i + 1}", K.S_VALUE + i, GAIN, "what a unit held long gains in it") for i in range(SCENARIOS)),
    (
        "basis",
        K.S_BASIS,
        GAIN,
        "what a unit pays for being offset in its group; below 0: long of it is short",
    ),
    ("short", K.S_SHORT, GAIN, "what a unit held short pays beside"),
    ("open", K.S_OPEN_PPM, RATE, "opening takes so many times the scan"),
)


def rate(value: int) -> Decimal:
    return PPM_STEP.back(value)


def ppm(value: Any, what: str) -> int:
    return PPM_STEP.count(decimal(value, what), what, "millionths")


assert PPM == PPM_STEP.count(1)
