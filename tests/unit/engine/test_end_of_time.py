"""Prices at the last instants that the clock can show: what is fresh then stays so to the end."""

import pytest
from tests.golden.stories import ANN, open_venue

from steelyard.model import commands as do
from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import FEED
from steelyard.num.limits import STEP_NS_MAX, TIME_NS_MAX

END = TIME_NS_MAX
CASES = """
observed  staleness  fresh until
-9        3          -6
-9        8          -1
-9        9           0
-9        10          0
-9        end         0
-1        end         0
 0        1           0
 0        end         0
"""


def case(line):
    observed, staleness, until = line.split()
    return END + int(observed), END if staleness == "end" else int(staleness), END + int(until)


@pytest.fixture
def late(floor):
    """A venue opened so late that only nine nanoseconds are left."""
    floor.now = END - 9
    open_venue(floor, {}, people=1)
    return floor


def reasons(floor):
    return [event["reason"] for event in floor.happened(events.REJECTED)]


@pytest.mark.parametrize(("observed", "staleness", "until"), [case(line) for line in CASES.splitlines()[2:]])
def test_a_price_is_fresh_until_the_end_and_no_further(late, observed, staleness, until):
    late.now = observed
    late.configure(FEED, {key.F_STALENESS_NS: staleness}, row=1)
    late.price({1: 1_001})
    fresh_until = (late.both.machine.state.feed.fresh_until_ns[1], late.both.machine.state.market.fresh_until_ns[1])
    assert fresh_until == (until, until)
    late.now = until
    late.clock()
    late.order(ANN, 1, 1, 900)
    assert reasons(late) == []
    if until < END:
        late.wait(1).order(ANN, 1, 1, 900)
        assert reasons(late) == [reject.PRICE_STALE]


def test_the_quorum_th_latest_counts_there_too(late):
    """Reports that end three before, one before, and twice beyond the end; two are needed."""
    late.configure(FEED, {key.F_QUORUM: 2, key.F_STALENESS_NS: 6}, row=1)
    for source, until in ((1, -3), (2, -3), (3, -1), (4, 0)):
        late.price({1: 1_000}, sources=(source,))
        assert late.both.machine.state.feed.fresh_until_ns[1] == END + until
        late.wait(2)


def test_the_clock_goes_no_further(late):
    late.now = END
    late.clock()
    assert late.happened(events.MARK_SET)
    late.wait(1).clock()
    assert reasons(late) == [reject.TIME_JUMPS_TOO_FAR]


def test_no_observation_lies_beyond_the_end(late):
    late.now = END
    late.say(do.PRICE, {"market": 1, "price": 1_000, "trigger": END + 1})
    assert reasons(late) == [reject.FIELD_OUT_OF_RANGE]


def test_a_month_before_the_end_a_price_lasts_until_the_end(floor):
    floor.now = END - STEP_NS_MAX
    open_venue(floor, {}, people=1)
    floor.configure(FEED, {key.F_STALENESS_NS: END}, row=1)
    floor.price({1: 1_000})
    floor.wait(STEP_NS_MAX).order(ANN, 1, 1, 900)
    assert reasons(floor) == []
