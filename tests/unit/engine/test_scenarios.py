"""Requirements by scenarios. Rules: docs/concepts/requirements.md."""

import pytest
from tests.golden.stories import ANN, BOB, CAT, DAN, open_venue
from tests.reference.health import requirement

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import MARKET, OWNER, RISK_ARRAY, RISK_TIER
from steelyard.model.keys import SECOND
from steelyard.model.orders import (
    BACKSTOP,
    BY_POSITION,
    BY_SCENARIO,
    FOR_MAINTAIN,
    FOR_OPEN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    HALTED,
    INSURANCE,
    OPEN,
    PRODUCT_PERPETUAL,
    REDUCE_ONLY,
)
from steelyard.num.limits import PPM

MILLION = PPM
WIDE = 1_000_000
GROUP = {key.M_GROUP: 7}
# A lot of 10,000 atoms at 1,000 ticks, moved by up to a tenth in either direction.
MOVES = (-1_000, -800, -600, -400, -300, -200, -100, 0, 0, 100, 200, 300, 400, 600, 800, 1_000)


def array(gains=MOVES, **others):
    named = {getattr(key, f"S_{name.upper()}"): number for name, number in others.items()}
    return {key.S_VALUE + i: gain * MILLION for i, gain in enumerate(gains)} | named


def begin(floor, *arrays, people=4, purse=1_000_000, settings=GROUP):
    """Ann is margined by scenarios; markets of one group at the same price."""
    free = {key.M_TAKER_PPM: 0, key.M_MAKER_PPM: 0, key.M_LIQUIDATION_FEE_PPM: 0}
    open_venue(floor, *(settings | free for _ in arrays), people=people, purse=purse)
    for market, each in enumerate(arrays, start=1):
        floor.configure(RISK_ARRAY, each, row=market)
    floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=2)
    assert floor.happened(events.CONFIGURED)


def needs(floor, question=FOR_MAINTAIN):
    return requirement(floor.twin, floor.twin.legs_of(ANN), question)


def test_the_worst_of_the_sums_counts_not_the_sum_of_the_worst(floor):
    begin(floor, array(), array([gain // 2 for gain in MOVES]))
    floor.trade(ANN, BOB, 1, 10, 1_000)
    assert needs(floor) == 10_000
    floor.trade(BOB, ANN, 2, 10, 1_000)
    assert needs(floor) == 5_000  # a short of half the gains offsets half
    floor.trade(BOB, ANN, 2, 30, 1_000)
    assert needs(floor) == 10_000  # 10 long against 20 halves: now a rise is the worst
    assert needs(floor, FOR_OPEN) == 15_000
    assert needs(floor, FOR_RESTORE) == 12_000
    assert needs(floor, FOR_TAKEOVER) == 6_667


def test_markets_of_other_groups_do_not_offset(floor):
    begin(floor, array(), array(), settings={})
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.trade(BOB, ANN, 2, 10, 1_000)
    assert needs(floor) == 20_000


def test_a_market_with_scenarios_stays_in_its_group(floor):
    begin(floor, array(), array())
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.trade(BOB, ANN, 2, 10, 1_000)
    told = floor.configure(MARKET, {key.M_GROUP: 8}, row=2)
    assert (told[0]["reason"], told[0]["order"]) == (reject.PARAMETERS_DISAGREE, key.M_GROUP)
    assert needs(floor) == 0


def test_what_offsets_pays_for_its_basis_and_shorts_pay_beside(floor):
    begin(floor, array(basis=30 * MILLION), array(basis=20 * MILLION, short=7 * MILLION + 1))
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.trade(BOB, ANN, 2, 9, 1_000)
    # The worst scenario costs one lot; 180 of the short side offset 300; nine shorts, up.
    assert needs(floor) == 1_000 + 180 + 64
    floor.configure(RISK_ARRAY, array(basis=-20 * MILLION), row=2)  # long of the second is short of the first
    assert needs(floor) == 1_000 + 64


def test_an_option_like_array_is_not_a_straight_line(floor):
    """What gains a little in every scenario but one: short, it is the sum of gains that is lost at worst."""
    gains = [0] * 12 + [50, 200, 500, 900]
    begin(floor, array(gains, short=100 * MILLION))
    floor.trade(ANN, BOB, 1, 10, 1_000)
    assert needs(floor) == 0  # nothing can be lost
    floor.trade(BOB, ANN, 1, 15, 1_000)
    assert needs(floor) == 5 * 900 + 5 * 100


def test_orders_count_at_their_worse_ends(floor):
    begin(floor, array(), array())
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.order(ANN, 2, -4, 1_000)
    assert needs(floor, FOR_OPEN) == 15_000  # the hedge is not filled yet
    floor.order(ANN, 2, 20, 1_000 - 1)
    assert needs(floor, FOR_OPEN) == 45_000
    assert needs(floor) == 10_000


def test_an_order_passes_up_to_the_last_atom(floor):
    begin(floor, array(), purse=15_000)
    floor.deposit(BOB, 1, 10**7)
    floor.order(BOB, 1, -11, 1_000)
    (refused,) = floor.order(ANN, 1, 11, 1_000)
    assert refused["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.order(ANN, 1, 10, 1_000)
    assert floor.lots(ANN) == 10
    assert floor.spare_to_open(ANN) == 0
    # What hedges lowers the scan: an account with nothing left may still do it.
    floor.order(BOB, 1, 5, 1_000)
    floor.order(ANN, 1, -5, 1_000, options=REDUCE_ONLY)
    assert needs(floor) == 5_000


def test_a_new_array_judges_who_holds(floor):
    begin(floor, array(), purse=20_000)
    floor.deposit(BOB, 1, 10**7)
    floor.trade(ANN, BOB, 1, 12, 1_000)
    floor.configure(RISK_ARRAY, array([2 * gain for gain in MOVES]), row=1)
    (started,) = floor.happened(events.LIQUIDATION_STARTED)
    assert (started["account"], started["amount"], started["fee"]) == (ANN, 20_000, 24_000)


def test_a_portfolio_is_reduced_in_proportion(floor):
    """Ten long against twenty halves: both lose the same part, so the hedge stays one."""
    begin(floor, array(), array([gain // 2 for gain in MOVES]), people=3, purse=100_000)
    for account in (BOB, CAT):
        floor.deposit(account, 1, 10**8)
    floor.trade(ANN, BOB, 1, 64, 1_000)
    floor.trade(BOB, ANN, 2, 64, 1_000)
    assert needs(floor) == 32_000
    for market in (1, 2):
        floor.order(CAT, market, 100, 990)
        floor.order(CAT, market, -100, 1_010)
    told = floor.configure(RISK_ARRAY, array([3 * gain for gain in MOVES]), row=1)
    # 64 x (3,000 - 500) = 160,000 is above 100,000; 1.2 times 33 of 64 parts of it is not.
    orders = [each for each in told if each["kind"] == events.LIQUIDATION_ORDER]
    assert [(each["market"], each["side"], each["lots"]) for each in orders[:2]] == [(1, -1, 31), (2, 1, 31)]
    assert floor.happened(events.LIQUIDATION_STARTED)[0]["fee"] == 160_000


def test_the_backstop_takes_no_more_than_its_part(floor):
    begin(floor, array(), array([gain // 2 for gain in MOVES]), people=3, purse=100_000)
    for account in (BOB, BACKSTOP):
        floor.deposit(account, 1, 10**8)
    floor.trade(ANN, BOB, 1, 64, 1_000)
    floor.trade(BOB, ANN, 2, 64, 1_000)
    told = floor.configure(RISK_ARRAY, array([3 * gain for gain in MOVES]), row=1)
    taken = [(each["market"], each["lots"]) for each in told if each["kind"] == events.TAKEN_OVER]
    assert taken == [(1, 31)]  # not all 64: what is left is healthy beside the shorts


def test_nothing_is_sold_that_offsets_what_cannot_be(floor):
    begin(floor, array(), array())
    floor.trade(ANN, BOB, 1, 64, 1_000)
    floor.trade(BOB, ANN, 2, 64, 1_000)
    floor.withdraw(ANN, 1, 988_000)
    floor.configure(MARKET, {key.M_STATE: HALTED}, row=2)
    for market in (1, 2):
        told = floor.configure(RISK_ARRAY, array(basis=200 * MILLION), row=market)
    assert floor.happened(events.LIQUIDATION_STARTED)[0]["fee"] == 12_800
    assert not [each for each in told if each["kind"] == events.LIQUIDATION_ORDER]
    assert floor.lots(ANN, 1) == 64
    floor.configure(MARKET, {key.M_STATE: OPEN}, row=2)
    floor.order(BOB, 1, 100, 998)
    floor.order(BOB, 2, -100, 1_002)
    floor.wait(SECOND * 10).clock()
    assert abs(floor.lots(ANN, 1)) == abs(floor.lots(ANN, 2)) < 64


def test_a_hedge_in_a_new_market_leaves_nobody_weaker(floor):
    begin(floor, array(), array(), purse=100_000)
    floor.deposit(BOB, 1, 10**8)
    floor.trade(ANN, BOB, 1, 64, 1_000)
    floor.price({1: 990})  # E 93,600 is below 96,000, which opening takes
    assert floor.order(ANN, 2, 1, 1_000)[0]["reason"] == reject.OPENING_MARGIN_EXCEEDED
    assert floor.order(ANN, 2, -10, 1_000)[0]["kind"] == events.ORDER_ACCEPTED


def test_a_tier_without_scenarios_lets_nobody_add(floor):
    begin(floor, array())
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.configure(RISK_TIER, {key.T_PRODUCTS: PRODUCT_PERPETUAL}, row=1)
    assert floor.order(ANN, 1, 1, 1_000)[0]["reason"] == reject.TIER_FORBIDS_PRODUCT
    assert floor.order(ANN, 1, -1, 1_000, options=REDUCE_ONLY)[0]["kind"] == events.ORDER_ACCEPTED


def test_a_slice_is_the_same_of_every_leg(floor):
    begin(floor, array(), array(), purse=120_000, settings=GROUP | {key.M_SLICE_NOTIONAL: 0, key.M_SLICE_PPM: 250_000})
    floor.deposit(BOB, 1, 10**8)
    floor.trade(ANN, BOB, 1, 64, 1_000)
    floor.trade(ANN, BOB, 2, 10, 1_000)
    told = floor.configure(RISK_ARRAY, array([2 * gain for gain in MOVES]), row=1)
    assert [each["lots"] for each in told if each["kind"] == events.LIQUIDATION_ORDER] == [16, 3]


def test_who_is_bankrupt_ends(floor):
    begin(floor, array(), array(), purse=20_000, settings=GROUP | {key.M_COOLDOWN_NS: SECOND})
    for account in (BOB, CAT, DAN):
        floor.deposit(account, 1, 10**8)
    floor.trade(ANN, BOB, 1, 10, 1_000)
    floor.trade(CAT, ANN, 2, 2, 1_000)
    floor.deposit(INSURANCE, 1, 30_000)  # her two shorts owe a sixth of what is lost
    floor.order(DAN, 2, -5, 1_000)
    floor.price({1: 600, 2: 1_000})
    for _ in range(4):
        floor.wait(SECOND).clock()
    assert (floor.lots(ANN, 1), floor.lots(ANN, 2)) == (0, 0)
    assert floor.cash(ANN) >= 0


def test_scenarios_must_be_chosen_with_room_to_open(floor):
    begin(floor, array(), purse=100_000)
    floor.configure(OWNER, {key.O_MARGIN: BY_POSITION}, row=2)
    floor.trade(ANN, BOB, 1, 100, 1_000)
    told = floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=2)
    assert told[0]["reason"] == reject.OPENING_MARGIN_EXCEEDED
    floor.deposit(ANN, 1, 50_000)
    assert floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=2)[0]["kind"] == events.CONFIGURED
    assert (needs(floor), floor.spare_to_open(ANN)) == (100_000, 0)
    floor.configure(OWNER, {key.O_MARGIN: BY_POSITION}, row=2)
    assert needs(floor) == 5_000


def test_every_market_needs_an_array(floor):
    begin(floor, array(), {key.S_BASIS: 1})
    assert floor.order(ANN, 2, 1, 1_000)[0]["reason"] == reject.RISK_ARRAY_MISSING
    floor.trade(BOB, CAT, 2, 1, 1_000)
    told = floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=3)
    assert told[0]["reason"] == reject.RISK_ARRAY_MISSING
    careful = floor.configure(RISK_TIER, {key.T_PRODUCTS: PRODUCT_PERPETUAL})[0]["market"]
    told = floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO, key.O_RISK_TIER: careful}, row=5)
    assert told[0]["reason"] == reject.TIER_FORBIDS_PRODUCT
    assert floor.configure(OWNER, {key.O_MARGIN: BY_SCENARIO}, row=1)[0]["reason"] == reject.TIER_FORBIDS_PRODUCT


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        ({key.S_VALUE + i: 0 for i in range(15)}, key.S_VALUE + 15),
        ({key.S_BASIS: 5}, key.S_VALUE),
        (array(open_ppm=1_199_999), key.S_OPEN_PPM),
        (array(open_ppm=1_200_000), None),
        (array() | {key.S_VALUE + 3: (1 << 53) * MILLION // WIDE}, None),
        (array() | {key.S_VALUE + 3: -((1 << 53) * MILLION // WIDE) - 1}, key.S_VALUE + 3),
        (array() | {key.S_SHORT: (1 << 53) * MILLION // WIDE + 1}, key.S_SHORT),
    ],
)
def test_an_array_is_whole_and_within_widths(floor, settings, wrong):
    open_venue(floor, {key.M_POSITION_LOTS_MAX: WIDE}, people=1)
    told = floor.configure(RISK_ARRAY, settings, row=1)[0]
    if wrong is None:
        assert (told["kind"], told["account"], told["market"]) == (events.CONFIGURED, RISK_ARRAY, 1)
    else:
        assert (told["reason"], told["order"]) == (reject.PARAMETERS_DISAGREE, wrong)


def test_an_array_belongs_to_a_market(floor):
    open_venue(floor, {}, people=1)
    for row in (0, 2):
        assert floor.configure(RISK_ARRAY, array(), row=row)[0]["reason"] == reject.MARKET_UNKNOWN
    floor.configure(RISK_ARRAY, array(open_ppm=1_300_000), row=1)
    told = floor.configure(MARKET, {key.M_RESTORE_PPM: 1_300_001}, row=1)
    assert (told[0]["reason"], told[0]["order"]) == (reject.PARAMETERS_DISAGREE, key.M_RESTORE_PPM)
    # Keys that a set does not name keep what they are.
    floor.configure(RISK_ARRAY, array(), row=1)
    assert floor.facts()["array_rule"][1][key.S_OPEN_PPM] == 1_300_000
