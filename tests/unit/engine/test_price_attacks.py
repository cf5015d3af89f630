"""Attacks and accidents that a weaker price policy lets through and a stronger one does not, side by side.

Every scene runs twice: `weak` shows the damage (an account liquidated that should not be, or a debt that nobody pays),
`strong` the same commands under a policy that prevents it. Machine and twin agree on each of them.
"""

import pytest
from tests.golden.stories import ANN, BOB, CAT, DAN, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED, MARKET, PRICE
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import (
    BELIEVE_AVERAGE,
    BELIEVE_STEADY,
    CONVERTER,
    DEMAND_NARROW,
    DEMAND_QUORUM,
    DEMAND_STEADY,
    DEMAND_WHOLE,
    HALTED,
    LENDER,
    OPEN,
    REDUCE_ONLY,
    SPARED,
    TO_LIQUIDATE,
    TO_OPEN,
    TO_WITHDRAW,
    WAITS,
    WIDEN_AVERAGE,
    WIDEN_CONFIDENCE,
)
from steelyard.num.limits import ASSET_PRICE_SCALE

USD, COIN, COIN_FEED = 1, 2, 2
MINUTE = 60 * SECOND
WEAK = {}


def demands(action, bits):
    return {key.F_DEMANDS + action: bits}


def only_sources(*weights):
    return {key.F_WEIGHT + i: weight for i, weight in enumerate((*weights, *[0] * (8 - len(weights))))}


@pytest.fixture
def trade(floor):
    """Ann is long 100 lots at 1,000 with a tenth of their worth: unhealthy from about 904. Cat bids below."""

    def begin(policy, *weights, **settings):
        open_venue(floor, settings.get("market", {}), people=4, purse=100_000)
        weights = weights or (1,)
        floor.configure(FEED, only_sources(*weights), row=1)
        floor.price({1: 1_000}, sources=range(len(weights)))
        floor.configure(FEED, policy, row=1) if policy else None
        floor.deposit(BOB, USD, 10_000_000)
        floor.deposit(CAT, USD, 10_000_000)
        floor.trade(ANN, BOB, 1, 100, 1_000)
        assert floor.lots(ANN) == 100
        return floor

    return begin


def say(floor, *prices):
    """What each source reports now; None: it is silent."""
    told = [(source, price) for source, price in enumerate(prices) if price is not None]
    lines = [{"market": 1, "account": source, "price": price, "trigger": floor.now} for source, price in told]
    floor.say(PRICE, *lines)


def bid(floor, price):
    floor.order(CAT, 1, 100, price)


def was_liquidated(floor):
    return floor.lots(ANN) < 100


def refused(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


# --- One source lies --------------------------------------------------------------------------------------------------

OUTLIERS_OUT = {key.F_QUORUM: 2, key.F_DEVIATION_MAX_PPM: 50_000}


@pytest.mark.parametrize(("policy", "liquidated"), [(WEAK, True), (OUTLIERS_OUT, False)])
def test_one_of_two_sources_lies(trade, policy, liquidated):
    """The weighted median of two is the lower one: whoever owns a source owns every long position."""
    floor = trade(policy, 1, 1)
    say(floor, 1_000, 1_000)
    bid(floor, 650)
    say(floor, 1_000, 700)
    assert was_liquidated(floor) == liquidated


STRICT = {key.F_STRICT_QUORUM: 2} | demands(TO_LIQUIDATE, DEMAND_QUORUM)


@pytest.mark.parametrize(("policy", "liquidated"), [(WEAK, True), (STRICT, False)])
def test_the_last_source_that_still_speaks_lies(trade, policy, liquidated):
    """One source may suffice to trade, and yet not to liquidate."""
    floor = trade(policy | {key.F_STALENESS_NS: MINUTE}, 1, 1, 1)
    say(floor, 1_000, 1_000, 1_000)
    bid(floor, 650)
    floor.wait(2 * MINUTE)
    say(floor, 700)
    assert was_liquidated(floor) == liquidated
    floor.order(DAN, 1, 1, 650)
    assert refused(floor) == []


# --- A source stands still --------------------------------------------------------------------------------------------

QUICK_TO_DOUBT = {key.F_SOURCE_STALENESS_NS: 30 * SECOND}


@pytest.mark.parametrize(("policy", "bad_debt"), [(WEAK, True), (QUICK_TO_DOUBT, False)])
def test_a_frozen_source_of_great_weight_hides_a_fall(trade, policy, bad_debt):
    """Under the feed's one hour of staleness the frozen price counts on; its own half minute lets it go."""
    floor = trade(policy, 3, 1, 1)
    say(floor, 1_000, 1_000, 1_000)
    started = []
    for price in (960, 930, 903, 880, 850):
        floor.wait(MINUTE)
        bid(floor, price - 1)
        say(floor, None, price, price)
        started += floor.happened(events.LIQUIDATION_STARTED)
        floor.cancel_all(CAT)
    say(floor, 850)  # it thaws
    started += floor.happened(events.LIQUIDATION_STARTED)
    assert [event["account"] for event in started] == [ANN]
    assert (started[0]["amount"] < 0) == bad_debt  # her equity when somebody looked


# --- A spike of one block ---------------------------------------------------------------------------------------------

WAIT_FOR_THE_AVERAGE = {key.F_WINDOW_NS: 5 * MINUTE, key.F_DIVERGENCE_MAX_PPM: 50_000}
STEADY = WAIT_FOR_THE_AVERAGE | demands(TO_LIQUIDATE, DEMAND_STEADY)
AVERAGE = {key.F_WINDOW_NS: 5 * MINUTE, key.F_BELIEVES: BELIEVE_AVERAGE}
FALL_BACK = WAIT_FOR_THE_AVERAGE | {key.F_BELIEVES: BELIEVE_STEADY}
STEPS = {key.F_STEP_PPM: 20_000, key.F_STEP_NS: MINUTE}
WHOLE = {key.F_STEP_PPM: 60_000, key.F_STEP_NS: MINUTE} | demands(TO_LIQUIDATE, DEMAND_WHOLE)


@pytest.mark.parametrize(
    ("policy", "liquidated"),
    [(WEAK, True), (STEADY, False), (AVERAGE, False), (FALL_BACK, False), (STEPS, False), (WHOLE, False)],
)
def test_a_spike_of_one_block(trade, policy, liquidated):
    floor = trade(policy)
    for _ in range(10):
        floor.wait(MINUTE)
        say(floor, 1_000)
    bid(floor, 650)
    floor.wait(MINUTE)
    say(floor, 700)
    say(floor, 1_000)
    floor.wait(MINUTE)
    say(floor, 1_000)
    assert was_liquidated(floor) == liquidated
    assert floor.twin.accounts[ANN].queued == 0 or liquidated


def test_who_waits_keeps_orders_and_may_reduce_and_a_price_that_stays_is_believed(trade):
    floor = trade(STEADY)
    for _ in range(10):
        floor.wait(MINUTE)
        say(floor, 1_000)
    floor.order(ANN, 1, 1, 500)
    floor.wait(MINUTE)
    say(floor, 880)
    assert [event["account"] for event in floor.happened(events.LIQUIDATION_WAITS)] == [ANN]
    assert floor.twin.accounts[ANN].queued == SPARED
    assert floor.orders(ANN) == [(1, 500)]
    bid(floor, 880)
    floor.order(ANN, 1, 1, 510)
    assert refused(floor) == [reject.ACCOUNT_IN_LIQUIDATION]
    floor.order(ANN, 1, -10, 880, options=REDUCE_ONLY)
    assert refused(floor) == []
    assert floor.lots(ANN) == 90
    floor.deposit(ANN, USD, 1)
    assert refused(floor) == []
    for _ in range(8):
        floor.wait(MINUTE)
        say(floor, 880)
    assert floor.lots(ANN) < 90  # it stayed: the average came down to it
    assert floor.twin.accounts[ANN].started or floor.lots(ANN) == 0


def test_who_is_healthy_at_its_turn_waits_for_nothing(make_floor):
    """Ann and Dan fall in one command that has room for one turn; before Dan's comes, money does."""
    floor = make_floor(liquidations_per_command=1)
    open_venue(floor, {}, people=4, purse=100_000)
    floor.configure(FEED, only_sources(1), row=1)
    floor.price({1: 1_000})
    floor.configure(FEED, STEADY, row=1)
    floor.deposit(BOB, USD, 10_000_000)
    for person in (ANN, DAN):
        floor.trade(person, BOB, 1, 100, 1_000)
    for _ in range(10):
        floor.wait(MINUTE)
        say(floor, 1_000)
    floor.wait(MINUTE)
    say(floor, 880)
    assert [event["account"] for event in floor.happened(events.LIQUIDATION_WAITS)] == [ANN]
    assert floor.twin.accounts[DAN].queued == WAITS
    floor.deposit(DAN, USD, 100_000)
    assert not floor.happened(events.LIQUIDATION_WAITS)
    assert floor.twin.accounts[DAN].queued == 0 and floor.lots(DAN) == 100


# --- A thin venue is pumped -------------------------------------------------------------------------------------------


@pytest.fixture
def bank(floor):
    """Ann holds 483 million coins at 0.0382 as collateral; the house lends dollars, and Bob's coins are its own."""

    def begin(policy, price=38_200_000_000, *, weights=(1,), coins=483_000_000, weight=800_000):
        open_venue(floor, {}, people=2, purse=1_000)
        floor.configure(FEED, {key.F_STALENESS_NS: HOUR} | only_sources(*weights) | policy)
        floor.configure(
            ASSET,
            {
                key.A_FEED: COIN_FEED,
                key.A_SUPPLY_MAX: 1 << 50,
                key.A_TIER_OPEN_PPM: weight,
                key.A_TIER_MAINTAIN_PPM: weight + 100_000,
            },
        )
        floor.configure(ASSET, {key.A_LOAN_CAP: 1 << 50}, row=USD)
        floor.deposit(LENDER, USD, 1_000_000_000)
        floor.deposit(CONVERTER, USD, 1_000_000_000)
        floor.price({COIN_FEED: price}, sources=range(len(weights)))
        floor.deposit(ANN, COIN, coins)
        return floor

    return begin


def coin_price(floor, price, *sources):
    floor.price({COIN_FEED: price}, sources=sources or (0,))


def equity_of_ann(floor):
    legs = floor.twin.legs_of(ANN)
    return floor.spare(ANN, 1) if legs else 0


LOW_IS_THE_AVERAGE = {key.F_WINDOW_NS: HOUR, key.F_WIDENS: WIDEN_AVERAGE}
NOT_WHILE_IT_RUNS = (
    {key.F_WINDOW_NS: HOUR, key.F_DIVERGENCE_MAX_PPM: 100_000}
    | demands(TO_OPEN, DEMAND_STEADY)
    | demands(TO_WITHDRAW, DEMAND_STEADY)
)
SMALL_STEPS = {key.F_STEP_PPM: 100_000, key.F_STEP_NS: MINUTE}


@pytest.mark.parametrize(
    ("policy", "answer"),
    [
        (WEAK, []),
        (LOW_IS_THE_AVERAGE, [reject.OPENING_MARGIN_EXCEEDED]),
        (NOT_WHILE_IT_RUNS, [reject.OPENING_MARGIN_EXCEEDED]),
        (SMALL_STEPS, [reject.OPENING_MARGIN_EXCEEDED]),
    ],
)
def test_collateral_is_pumped_and_its_paper_worth_is_borrowed(bank, policy, answer):
    """Mango, October 2022: from 0.0382 to 0.91 on thin venues, and some 110 million taken out against it."""
    floor = bank(policy)
    for _ in range(6):
        floor.wait(10 * MINUTE)
        coin_price(floor, 38_200_000_000)
    for price in (100_000_000_000, 400_000_000_000, 910_000_000_000):
        floor.wait(MINUTE)
        coin_price(floor, price)
    floor.borrow(ANN, USD, 110_000_000)
    assert refused(floor) == answer
    for _ in range(40):  # with small steps the way back is long too
        floor.wait(MINUTE)
        coin_price(floor, 38_200_000_000)
    taken = answer == []
    assert (equity_of_ann(floor) < -80_000_000) == taken  # a debt that nobody pays


# --- One venue loses the peg ------------------------------------------------------------------------------------------

OWN_BOOK, OTHERS = (5, 1, 1, 1), (0, 1, 1, 1)
WITNESS = {key.F_WITNESSES: 1}


@pytest.mark.parametrize(("weights", "policy", "liquidated"), [(OWN_BOOK, WEAK, True), (OTHERS, WITNESS, False)])
def test_a_stable_coin_falls_on_one_venue_alone(bank, weights, policy, liquidated):
    """USDe, 10 October 2025: 0.65 on the venue that liquidated by its own book, near 1 everywhere else."""
    floor = bank(policy, ASSET_PRICE_SCALE, weights=OWN_BOOK, coins=1_000_000)
    floor.configure(FEED, only_sources(*weights), row=COIN_FEED)
    floor.price({COIN_FEED: ASSET_PRICE_SCALE}, sources=(0, 1, 2, 3))
    floor.borrow(ANN, USD, 600_000)
    assert refused(floor) == []
    coin_price(floor, 998_000_000_000, 1, 2, 3)
    coin_price(floor, 650_000_000_000, 0)
    assert (floor.cash(ANN, COIN) < 1_000_000) == liquidated
    if not liquidated:
        # Nobody is liquidated by one book, and nobody borrows more than that book would bring.
        floor.borrow(ANN, USD, 50_000)
        assert refused(floor) == [reject.OPENING_MARGIN_EXCEEDED]
        coin_price(floor, 998_000_000_000, 0)
        floor.borrow(ANN, USD, 50_000)
        assert refused(floor) == []


# --- A ratio runs away ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("capped", [False, True])
def test_a_yield_bearing_ratio_runs_away(bank, capped):
    """A staked coin at 1.2 grows by at most a tenth a year, whatever its contract says."""
    start = 1_200_000_000_000
    floor = bank(WEAK, start, coins=1_000_000)
    if capped:
        cap = {key.F_GROWTH_PPM: 100_000, key.F_GROWTH_REF: start, key.F_GROWTH_AT_NS: floor.now}
        floor.configure(FEED, cap, row=COIN_FEED)
    floor.wait(HOUR)
    coin_price(floor, 10 * start)
    floor.borrow(ANN, USD, 9_000_000)
    assert refused(floor) == ([reject.OPENING_MARGIN_EXCEEDED] if capped else [])
    floor.wait(MINUTE)
    coin_price(floor, start)
    assert (equity_of_ann(floor) < -7_000_000) != capped


# --- The chain stands still -------------------------------------------------------------------------------------------

GRACE = {key.F_OUTAGE_NS: 5 * MINUTE, key.F_GRACE_NS: 30 * MINUTE}


@pytest.mark.parametrize(("policy", "liquidated"), [(WEAK, True), (GRACE, False)])
def test_prices_come_back_with_a_gap_after_an_outage(trade, policy, liquidated):
    """While the sequencer stood still nobody could add margin: the owner gets half an hour, and uses it."""
    floor = trade(policy | {key.F_STALENESS_NS: MINUTE})
    say(floor, 1_000)
    floor.wait(2 * HOUR)
    bid(floor, 890)
    say(floor, 900)
    floor.wait(MINUTE // 2)
    floor.deposit(ANN, USD, 50_000)
    floor.wait(SECOND)
    say(floor, 900)
    assert was_liquidated(floor) == liquidated


def test_grace_ends(trade):
    floor = trade(GRACE | {key.F_STALENESS_NS: MINUTE})
    say(floor, 1_000)
    floor.wait(2 * HOUR)
    say(floor, 900)
    bid(floor, 890)
    for passed in range(30):
        assert not was_liquidated(floor), f"after {passed} minutes"
        floor.wait(MINUTE)
        say(floor, 900)
    assert was_liquidated(floor)


@pytest.mark.parametrize(("grace", "liquidated"), [(0, True), (10 * MINUTE, False)])
def test_a_halted_market_opens_again_with_a_gap(trade, grace, liquidated):
    floor = trade(WEAK, market={key.M_GRACE_NS: grace})
    bid(floor, 890)
    floor.configure(MARKET, {key.M_STATE: HALTED}, row=1)
    floor.wait(HOUR // 2)
    say(floor, 900)
    floor.configure(MARKET, {key.M_STATE: OPEN}, row=1)
    floor.wait(2 * SECOND).clock()
    assert was_liquidated(floor) == liquidated
    floor.wait(11 * MINUTE)
    say(floor, 900)
    floor.wait(2 * SECOND).clock()
    assert was_liquidated(floor)


# --- A wrong price is published ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "liquidated"), [(WEAK, True), ({key.F_DELAY_NS: HOUR // 2}, False)])
def test_a_price_is_looked_at_before_it_takes_effect(trade, policy, liquidated):
    """100 instead of 1,000: with a delay there is time to halt the feed, which drops what was pending."""
    floor = trade(policy)
    say(floor, 1_000)
    bid(floor, 650)
    floor.wait(MINUTE)
    say(floor, 100)
    floor.wait(10 * MINUTE)
    floor.configure(FEED, {key.F_HALTED: 1}, row=1)
    floor.wait(MINUTE)
    say(floor, 1_000)
    floor.configure(FEED, {key.F_HALTED: 0}, row=1)
    floor.wait(HOUR).clock()
    assert was_liquidated(floor) == liquidated


def test_a_delayed_price_takes_effect_on_its_own(trade):
    floor = trade({key.F_DELAY_NS: HOUR // 2})
    say(floor, 990)
    assert floor.twin.markets[1].index == 1_000
    floor.wait(HOUR // 2 - 1).order(DAN, 1, 1, 800)
    assert floor.twin.markets[1].index == 1_000
    floor.wait(1).order(DAN, 1, 1, 801)
    assert floor.twin.markets[1].index == 990


# --- Nobody knows -----------------------------------------------------------------------------------------------------

NARROW = {key.F_WIDENS: WIDEN_CONFIDENCE, key.F_WIDTH_MAX_PPM: 20_000}
MARGIN_FOR_DOUBT = NARROW | demands(TO_WITHDRAW, DEMAND_NARROW)


@pytest.mark.parametrize(("policy", "answer"), [(WEAK, []), (MARGIN_FOR_DOUBT, [reject.OPENING_MARGIN_EXCEEDED])])
def test_a_price_that_may_be_wrong_by_a_tenth_asks_for_as_much_more_margin(trade, policy, answer):
    floor = trade(policy)
    floor.price({1: 1_000}, spread=100)
    floor.order(DAN, 1, 100, 1_000)  # a twentieth is asked for, Dan has a tenth
    assert refused(floor) == answer
    floor.cancel_all(DAN)
    floor.withdraw(ANN, USD, 1_000)
    assert refused(floor) == ([reject.PRICE_UNCERTAIN] if answer else [])
    floor.price({1: 1_000}, spread=1)
    floor.order(DAN, 1, 100, 1_000)
    assert refused(floor) == []
