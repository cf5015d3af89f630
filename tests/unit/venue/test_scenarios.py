"""Requirements by scenarios, with names and decimals."""

from dataclasses import replace
from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.model import events as E
from steelyard.model.commands import OWNER
from steelyard.venue.line import UnknownLine
from steelyard.venue.statement import Mismatch
from steelyard.venue.verify import verify_story

MOVES = [step * 500 for step in (-10, -8, -6, -4, -3, -2, -1, 0, 0, 1, 2, 3, 4, 6, 8, 10)]  # of one coin at 50,000


@pytest.fixture
def venue(make_exchange):
    venue = make_exchange(group=1)
    venue.deposit("alice", 19_000)
    venue.set_risk_array("BTC-PERP", MOVES, basis=100, open="1.4")
    venue.set_risk_array("ETH-EUR", [Decimal(move) / 20 for move in MOVES], short=5)
    venue.set_owner(venue.account("alice").owner, margin="scenarios")
    venue.order("bob", "BTC-PERP", "sell", 2, 50_000)
    venue.order("alice", "BTC-PERP", "buy", 2)
    return venue


def test_an_array_is_read_back(venue):
    found = venue.risk_array("BTC-PERP")
    assert list(found["values"]) == MOVES
    assert (found["basis"], found["short"], found["open"]) == (100, 0, Decimal("1.4"))
    assert venue.machine.state.array_rule[1, 0] == -5_000 * 10**6 * 10**6 // 1_000  # of a lot, in millionths of an atom
    with pytest.raises(ValueError, match="16 values, not 3"):
        venue.set_risk_array("BTC-PERP", [1, 2, 3])
    with pytest.raises(ValueError, match=r"basis .* is not a whole number of"):
        venue.set_risk_array("BTC-PERP", MOVES, basis="0.0000000000001")


def test_the_worst_scenario_is_explained(venue):
    told = venue.explain("alice")
    line = told.lines[-1]
    assert line.leg == "scenarios"
    assert (line.requirements.maintain, line.requirements.open) == (10_000, 14_000)
    assert line.working[0] == (
        "scenario 1 is the worst: BTC-PERP -10,000.00 (down); that costs 10,000.00, offsets 0.00 (up), shorts 0.00 (up)"
    )
    assert "M(open) = 1.4 x the scan with orders, M(restore) = 1.2 x" in line.working[1]
    assert told.requirements.maintain == venue.account("alice").requirements.maintain == 10_000


def test_a_hedge_in_another_asset_is_counted_at_its_price(venue):
    venue.order("bob", "ETH-EUR", "buy", 10, 2_500)
    venue.order("alice", "ETH-EUR", "sell", 10, 2_500)
    line = venue.explain("alice").lines[-1]
    # In the worst scenario ten short gain 10 x 250 x 1.1; they pay 50 x 1.1 beside.
    assert line.requirements.maintain == 10_000 - 2_750 + 55


def test_refusals_tell_what_is_missing(venue):
    with pytest.raises(Rejected) as refusal:
        venue.order("alice", "BTC-PERP", "buy", 2, 50_000)
    assert refusal.value.reason == Reject.OPENING_MARGIN_EXCEEDED
    assert "28,0" in refusal.value.message  # 4 coins x 5,000 x 1.4, and a fee
    with pytest.raises(Rejected) as refusal:
        venue.set_risk_array("BTC-PERP", MOVES, open="1.1")
    assert "open 1.1 must be at least restore of its market" in refusal.value.message


def test_a_market_without_an_array_is_refused(make_exchange):
    venue = make_exchange()
    owner = venue.account("alice").owner
    venue.set_owner(owner, margin="scenarios")
    with pytest.raises(Rejected) as refusal:
        venue.order("alice", "BTC-PERP", "buy", 1, 40_000)
    assert refusal.value.reason == Reject.RISK_ARRAY_MISSING
    venue.set_owner(owner, risk_tier=venue.add_risk_tier(10, ["perpetuals"]))
    venue.set_owner(owner, margin="positions")
    with pytest.raises(Rejected) as refusal:
        venue.set_owner(owner, margin="scenarios")
    assert refusal.value.reason == Reject.TIER_FORBIDS_PRODUCT


def test_liquidation_prices_along_a_mark_are_exact_and_others_are_not_given(venue):
    """19,950 of equity (a fee of 50 was paid) less 10,000: at 5,000 a coin of two, she may lose 9,950."""
    price = venue.liquidation_price("alice", "BTC-PERP")
    assert price.slack == Decimal(9_950)
    assert price.low == 50_000 - 9_950 // 2 - 1
    venue.order("bob", "ETH-EUR", "buy", 10, 2_500)
    venue.order("alice", "ETH-EUR", "sell", 10, 2_500)
    with pytest.raises(UnknownLine):
        venue.liquidation_price("alice", "EUR")


def test_a_liquidation_takes_a_part_of_everything_and_is_told(venue):
    venue.order("carol", "BTC-PERP", "buy", 3, 44_900)
    venue.set_price("BTC-PERP", 45_000)
    closed = venue.liquidations("alice")
    assert closed
    assert "BTC-PERP" in str(venue.story("alice"))


def portfolio(venue):
    """Alice is short the second market against her coins; the array changes on the way down."""
    venue.order("bob", "ETH-EUR", "buy", 10, 2_500)
    venue.order("alice", "ETH-EUR", "sell", 10, 2_500)
    venue.order("carol", "BTC-PERP", "buy", 3, 44_500)
    venue.order("carol", "ETH-EUR", "sell", 30, 2_510)
    venue.set_price("BTC-PERP", 46_000)
    venue.set_risk_array("BTC-PERP", [Decimal(move) * 3 / 2 for move in MOVES], basis=300, open="1.4")
    venue.set_price("BTC-PERP", 44_700)
    venue.advance("10s")
    venue.set_price("BTC-PERP", 44_000)
    return venue


def test_a_liquidation_by_scenarios_is_recomputed_from_events(venue):
    portfolio(venue)
    closed = venue.liquidations("alice")
    assert {each.symbol for each in closed} == {"BTC-PERP", "ETH-EUR"}
    verdict = venue.verify("alice")
    assert verdict.liquidations >= 1
    assert verdict.numbers > 40


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        (E.RISK_ARRAY_SET, "lots"),
        (E.LIQUIDATION_STARTED, "fee"),
        (E.LIQUIDATION_ORDER, "extra2"),
        (E.LIQUIDATION_ORDER, "lots"),
        (E.LIQUIDATION_ORDER, "amount"),
        (E.LIQUIDATION_FEE, "amount"),
    ],
)
def test_a_number_that_does_not_follow_is_found(venue, kind, column):
    portfolio(venue)
    story = venue.story("alice")
    places = [place for place, row in enumerate(story.evidence) if row.kind == kind]
    place = places[-4] if kind == E.RISK_ARRAY_SET else places[0]  # the worst of the array in force
    row = story.evidence[place]
    told = list(story.evidence)
    told[place] = row._replace(**{column: getattr(row, column) + 10**9})
    with pytest.raises(Mismatch):
        verify_story(replace(story, evidence=tuple(told)))


def test_who_was_never_margined_by_scenarios_is_not_taken_for_it(venue):
    """How an owner is margined is told too: without it nothing follows."""
    portfolio(venue)
    story = venue.story("alice")
    told = tuple(
        row._replace(amount=0) if row.kind == E.CONFIGURED and row.account == OWNER else row for row in story.evidence
    )
    with pytest.raises(Mismatch):
        verify_story(replace(story, evidence=told))


def test_every_scenario_is_listed(venue):
    venue.order("bob", "ETH-EUR", "buy", 10, 2_500)
    venue.order("alice", "ETH-EUR", "sell", 10, 2_500)
    told = venue.explain("alice")
    (group,) = told.scenarios
    assert group.markets == ("BTC-PERP", "ETH-EUR")
    assert group.worst == 1
    assert [row[0] for row in group.changes] == [-10_000, 2_750]
    assert group.changes[0] == tuple(2 * move for move in MOVES)
    assert group.sums == tuple(a + b for a, b in zip(*group.changes, strict=True))
    assert (group.offsets, group.shorts, group.required) == (0, 55, 7_305)
    assert venue.explain("bob").scenarios == ()


def test_positions_show_their_part_by_weight(venue):
    venue.order("bob", "ETH-EUR", "buy", 10, 2_500)
    venue.order("alice", "ETH-EUR", "sell", 10, 2_500)
    coin, ether = (venue.position("alice", name) for name in ("BTC-PERP", "ETH-EUR"))
    # 10,000 and 2,750 + 55 by themselves, of the 7,305 together.
    assert coin.maintenance_margin == Decimal("5704.802812")
    assert ether.maintenance_margin == Decimal("1600.197189")
    assert coin.initial_margin == Decimal("8557.204218")  # 1.5 times the scan
    assert venue.position("bob", "BTC-PERP").maintenance_margin > 0


def test_an_option_is_a_paid_up_market_that_its_array_decides(make_exchange):
    venue = make_exchange()
    common = {"tick": 1, "lot": "0.01", "price": 100, "price_max": 10_000, "mark": "index", "funding_interval": 0}
    with pytest.raises(Rejected) as refusal:
        venue.add_market("CALL", **common, by_array="yes")
    assert "by_array is for paid-up markets" in refusal.value.message
    venue.add_market("CALL", **common, paid="yes", by_array="yes", maker=0, taker=0)
    gains = [-100] * 8 + [0, 50, 100, 200, 300, 400, 500, 600]
    venue.set_risk_array("CALL", gains, short=10)
    venue.order("bob", "CALL", "sell", 2, 100)
    venue.order("alice", "CALL", "buy", 2, 100)
    (line,) = (line for line in venue.explain("bob").lines if line.leg == "CALL")
    assert (line.equity, line.requirements.maintain, line.requirements.open) == (-200, 1_220, 1_830)
    assert line.working[1] == "M(maintain) = 1,220.00 USD (up): the worst scenario of its risk array alone"
    assert "1.5 x what its risk array asks for" in line.working[2]
    price = venue.liquidation_price("bob", "CALL")
    assert price.high is None or price.high > 10_000 // 2


def test_the_liquidation_of_a_written_option_is_recomputed(make_exchange):
    venue = make_exchange()
    common = {"tick": 1, "lot": "0.01", "price": 100, "price_max": 10_000, "mark": "index", "funding_interval": 0}
    venue.add_market("CALL", **common, paid="yes", by_array="yes", maker=0, taker=0, slip="0.2")
    gains = [-100] * 8 + [0, 20, 40, 60, 80, 100, 150, 200]
    venue.set_risk_array("CALL", gains, short=10)
    venue.order("alice", "CALL", "sell", 3, 100)
    venue.order("bob", "CALL", "buy", 3, 100)
    venue.order("carol", "CALL", "sell", 3, 330)
    venue.set_risk_array("CALL", [2 * gain for gain in gains], short=20)
    venue.set_price("CALL", 320)
    venue.advance("10s")
    assert venue.liquidations("alice")
    assert venue.verify("alice").numbers > 10
