"""Parameters: their names, their natural units, and what is said when they contradict one another."""

from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.model import keys as K
from steelyard.venue import disagreements
from steelyard.venue import parameters as P
from steelyard.venue.amounts import SECOND, Step
from steelyard.venue.parameters import Grid

GRID = Grid(lot=Step.of("0.001"), tick=Step.of("0.1"), atom=Step.atoms(6))
TABLES = (
    (P.MARKET_PARAMETERS, K.MARKET_KEYS),
    (P.ASSET_PARAMETERS, K.ASSET_KEYS),
    (P.FEED_PARAMETERS, K.FEED_KEYS),
    (P.TIER_PARAMETERS, K.TIER_KEYS),
    (P.OWNER_PARAMETERS, K.OWNER_KEYS),
)
SET_OTHERWISE = {  # decimals, steps, feeds, tiers, brackets and fees have arguments of their own
    *(K.A_DECIMALS, K.A_FEED, K.A_TIERS, K.A_TIER_UPPER, K.A_TIER_OPEN_PPM, K.A_TIER_MAINTAIN_PPM, K.A_POOL_OF),
    *(K.A_POOL_KIND, K.A_POOL_GAINS, K.A_PAYER, K.A_ISSUES),
}
MARKET_SET_OTHERWISE = {
    *(K.M_SETTLE, K.M_ATOMS_PER_TICK_LOT, K.M_FEED, K.M_BRACKETS, K.M_BRACKET_UPPER, K.M_BRACKET_MAINTAIN_PPM),
    *(K.M_BRACKET_OPEN_PPM, K.M_FEE_TIERS, K.M_MAKER_PPM, K.M_TAKER_PPM, K.M_BASE, K.M_LOT_ATOMS),
    K.M_PAYER,
}


@pytest.mark.parametrize(
    ("name", "value", "key", "inside"),
    [
        ("price_band", "0.1", K.M_PRICE_BAND_PPM, 100_000),
        ("order_max", "2.5", K.M_ORDER_LOTS_MAX, 2_500),
        ("price_max", 100_000, K.M_TICKS_MAX, 1_000_000),
        ("impact_notional", "1000.5", K.M_IMPACT_NOTIONAL, 1_000_500_000),
        ("funding_interval", "8h", K.M_FUNDING_INTERVAL_NS, 8 * 3600 * SECOND),
        ("cooldown", Decimal("0.25"), K.M_COOLDOWN_NS, SECOND // 4),
        ("interest", "0.0001", K.M_INTEREST_PPB, 100_000),
        ("restore", "1.2", K.M_RESTORE_PPM, 1_200_000),
        ("leverage", 20, K.M_LEVERAGE_DEFAULT, 20),
        ("mark", "index", K.M_MARK_POLICY, 1),
        ("state", "halted", K.M_STATE, 4),
    ],
)
def test_a_parameter_in_natural_units_is_an_integer_inside(name, value, key, inside):
    assert P.chosen(P.MARKET_PARAMETERS, {name: value}, GRID) == {key: inside}


@pytest.mark.parametrize(("table", "ranges"), TABLES)
def test_every_default_returns_as_the_number_it_was(table, ranges):
    for name, parameter in table.items():
        default = ranges[parameter.key, 1][2]
        assert P.chosen(table, {name: GRID.back(parameter, default)}, GRID) == {parameter.key: default}


def test_every_key_has_a_name():
    for table, ranges in TABLES[:2]:
        named = {parameter.key for parameter in table.values()}
        others = SET_OTHERWISE if table is P.ASSET_PARAMETERS else MARKET_SET_OTHERWISE
        assert {key for key, _ in ranges} - others == named


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"order_lots_max": 5}, TypeError, "there is no parameter order_lots_max; did you mean order_max"),
        ({"cooldwn": 5}, TypeError, "there is no parameter cooldwn; did you mean cooldown (time between slices)?"),
        ({"zzz": 5}, TypeError, "there is no parameter zzz"),
        ({"slice": 0.5}, TypeError, "slice 0.5 is a float"),
        ({"slice": "0.0000005"}, ValueError, "slice 0.0000005 is not a whole number of millionths of 0.000001"),
        ({"mark": "mid"}, ValueError, "mark 'mid' is not one of median, index"),
        ({"order_max": "0.0005"}, ValueError, "order_max 0.0005 is not a whole number of lots of 0.001"),
    ],
)
def test_what_is_no_parameter_is_refused(given, error, message):
    with pytest.raises(error) as refusal:
        P.chosen(P.MARKET_PARAMETERS, given, GRID)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("tick", "lot", "decimals", "atoms"),
    [("0.1", "0.001", 6, 100), ("1", "1", 0, 1), ("0.25", "4", 0, 1), ("0.01", "0.01", 4, 1), ("5", "0.001", 6, 5_000)],
)
def test_a_tick_times_a_lot_is_a_whole_number_of_atoms(tick, lot, decimals, atoms):
    assert P.atoms_per_tick_lot(Step.of(tick), Step.of(lot), Step.atoms(decimals)) == atoms


@pytest.mark.parametrize(("tick", "lot", "decimals"), [("0.1", "0.001", 3), ("0.25", "1", 1), ("0.01", "0.01", 3)])
def test_or_the_market_is_refused(tick, lot, decimals):
    with pytest.raises(ValueError) as refusal:
        P.atoms_per_tick_lot(Step.of(tick), Step.of(lot), Step.atoms(decimals))
    assert "not a whole number of atoms" in str(refusal.value)


def test_lists_have_their_limits():
    with pytest.raises(ValueError, match="1 to 12 brackets, not 0"):
        P.brackets([], GRID.atom)
    with pytest.raises(ValueError, match="only the last bracket"):
        P.brackets([(None, "0.01", "0.02"), (5, "0.02", "0.04")], GRID.atom)
    with pytest.raises(ValueError, match="either maker and taker, or fee_tiers"):
        P.fees("0.1", None, [("0", "0")])
    with pytest.raises(ValueError, match="1 to 8 sources, not 9"):
        P.source_weights(9)
    assert P.source_weights([3, 1]) == dict(enumerate([3, 1, 0, 0, 0, 0, 0, 0], K.F_WEIGHT))


# --- What the machine refuses

DISAGREE = [
    ({"position_max": 10**9}, "position_max may be at most 9,007,199.254 at this price_max"),
    ({"order_max": 20, "position_max": 10}, "order_max 20 is above position_max 10"),
    ({"restore": 3}, "restore 3 x maintenance rate 0.005 is above the opening rate 0.01 of bracket 1"),
    ({"liquidation_fee": "0.006"}, "liquidation_fee 0.006 must be below what closing frees: the maintenance rate of "),
    ({"oi_lower": 5, "oi_upper": 5}, "oi_upper 5 must be above oi_lower 5, or 0 to switch the rise off"),
    (
        {"funding_interval": "8h", "sample_interval": "7m"},
        "funding_interval 8h must be a multiple of sample_interval 7m",
    ),
    ({"maker": "-0.0006", "taker": "0.0005"}, "a maker's rebate of 0.0006 is above the lowest taker fee 0.0005"),
    (
        {"size_base": "0.01", "size_base_open": "0.011"},
        "size_base_open 0.011 must be at least restore 1.2 times size_base 0.01",
    ),
    ({"size_slope": "0.0001"}, "size_slope_open 0 must be at least restore 1.2 times size_slope 0.0001"),
    ({"size_root": "0.002", "size_root_open": "0.002"}, "size_root_open 0.002 must be at least restore 1.2 times"),
    (
        {"size_slope": "0.0001", "size_slope_open": "0.0002", "position_max": 10_000, "order_max": 1},
        "the maintenance rate by size is 1 at position_max 10,000; restored 1.2 times it must not be above 1",
    ),
    (
        {"brackets": [(10, "0.01", "0.02"), (10, "0.02", "0.04")]},
        "the upper end of bracket 2 must lie above that of the",
    ),
    ({"brackets": [(10, "0.02", "0.04"), (20, "0.01", "0.04")]}, "the maintenance rate of bracket 2 must not be below"),
    (
        {"brackets": [(1000, "0.01", "0.012"), (2000, "0.05", "0.05"), (None, "0.05", "0.07")]},
        "restore 1.2 x maintenance rate 0.05 is above the opening rate 0.05 of bracket 2",
    ),
]


@pytest.mark.parametrize(("given", "message"), DISAGREE, ids=[message[:24] for _, message in DISAGREE])
def test_parameters_that_disagree_are_named_and_explained(exchange, given, message):
    with pytest.raises(Rejected) as refusal:
        exchange.add_market("NEW", tick="0.1", lot="0.001", price=100, price_max=1_000, **given)
    assert refusal.value.reason == Reject.PARAMETERS_DISAGREE
    assert refusal.value.message.startswith("market NEW: ")
    assert message in refusal.value.message


@pytest.mark.parametrize(
    ("given", "reason", "message"),
    [
        ({"slice": 0}, "PARAMETER_OUT_OF_RANGE", "market BTC-PERP: slice 0 is not within 0.05 to 1"),
        ({"cooldown": "2h"}, "PARAMETER_OUT_OF_RANGE", "market BTC-PERP: cooldown 2h is not within 1ms to 1h"),
        ({"price_max": 7}, "PARAMETER_OUT_OF_RANGE", "market BTC-PERP: price_max 7 is not within 64 to 16,777,216"),
        ({"price_max": 700}, "PARAMETER_IS_FIXED", "market BTC-PERP: price_max is 100,000 and cannot change once it"),
        ({"taker": "0.2"}, "PARAMETER_OUT_OF_RANGE", "market BTC-PERP: taker fee of tier 1 0.2 is not within 0 to 0.1"),
    ],
)
def test_parameters_out_of_range_or_fixed(exchange, given, reason, message):
    with pytest.raises(Rejected) as refusal:
        exchange.set_market("BTC-PERP", **given)
    assert refusal.value.reason.name == reason
    assert refusal.value.message.startswith(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"collateral": [(5, "0.9", "0.9"), (4, "0.5", "0.5")]}, "upper end of collateral tier 2 must lie above"),
        ({"collateral": [(5, "0.9", "0.8")]}, "opening weight of collateral tier 1 must be above neither"),
        ({"collateral": [(5, "0.5", "0.9"), (9, "0.5", "0.95")]}, "maintenance weight of collateral tier 2 must not"),
        ({"quorum": 2}, "quorum 2 asks for more sources than the feed listens to"),
    ],
)
def test_assets_and_their_prices_disagree_too(exchange, given, message):
    with pytest.raises(Rejected) as refusal:
        exchange.add_asset("NEW", 6, **given)
    assert refusal.value.reason == Reject.PARAMETERS_DISAGREE
    assert message in refusal.value.message


def test_parameters_are_read_in_the_units_they_were_set_in(exchange):
    exchange.set_market("BTC-PERP", slice="0.25", cooldown="2s", staleness="30s", order_max="12.5")
    read = exchange.parameters("BTC-PERP")
    assert read["slice"] == Decimal("0.25")
    assert (read["cooldown"], read["staleness"], read["order_max"]) == ("2s", "30s", Decimal("12.5"))
    assert read["mark"] == "index"
    assert exchange.parameters("EUR")["loan_cap"] == 100


def test_rates_by_size_are_said_for_a_unit_of_size(make_exchange):
    sizes = {"size_base": "0.01", "size_slope": "0.00005", "size_root": "0.002"}
    opening = {f"{name}_open": Decimal(value) * 2 for name, value in sizes.items()}
    exchange = make_exchange(**sizes, **opening, position_max=1_000)
    read = exchange.parameters("BTC-PERP")
    assert {name: str(read[name].normalize()) for name in sizes} == {**sizes, "size_slope": "0.00005"}
    assert {name: read[name] for name in opening} == opening
    row = exchange.machine.state.market_rule[1]
    assert row[K.M_SIZE_MAINTAIN_SLOPE] == 50_000  # of a lot of 0.001, in 10**-12
    assert row[K.M_SIZE_MAINTAIN_ROOT] == 4 * 10**9  # 0.002 ** 2 / 1000, in 10**-18
    with pytest.raises(ValueError, match=r"size_slope .*: it, for a lot of .*, is not a whole number"):
        exchange.set_market("BTC-PERP", size_slope="0.0000000000001")
    with pytest.raises(ValueError, match=r"size_root .*: its square, for a lot of .*, is not a whole number"):
        exchange.set_market("BTC-PERP", size_root="0.00000000001")
    exchange.set_market("BTC-PERP", size_slope="0.00006")
    assert exchange.ramp("BTC-PERP").ways == {"size_slope": (Decimal("0.00005"), Decimal("0.00006"))}


def test_every_key_can_be_named_in_a_message():
    for table, ranges in disagreements.RANGES:
        for (key, count), (low, _, _, _) in ranges.items():
            for place in range(count):
                told = disagreements.explain_refusal(
                    "x", table, GRID, Reject(31), key + place, {key + place: low}, disagreements.defaults(ranges)
                )
                assert "is not within" in told
