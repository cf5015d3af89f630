"""What makes a price stale, and when."""

import pytest
from tests.golden.stories import ANN, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import FEED
from steelyard.model.keys import SECOND


def is_fresh(floor):
    """Whether the market takes an order that opens something."""
    floor.order(ANN, 1, 1, 900)
    refused = floor.happened(events.REJECTED)
    assert [each["reason"] for each in refused] in ([], [reject.PRICE_STALE])
    return not refused


@pytest.fixture
def two_sources(floor):
    """One says 1,000, the other 1,010; the median is the lower."""
    open_venue(floor, {}, people=2)
    floor.price({1: 1_010}, sources=(1,))
    assert floor.twin.markets[1].mark == 1_000
    return floor


def test_the_upper_of_two_middle_prices(two_sources):
    two_sources.configure(FEED, {key.F_UPPER: 1}, row=1)
    assert [event["price"] for event in two_sources.happened(events.INDEX_SET)] == [1_010]
    two_sources.price({1: 1_030}, sources=(2,))  # of three there is one in the middle
    assert two_sources.twin.markets[1].mark == 1_010


def test_a_feed_whose_sources_are_removed_is_stale_at_once(two_sources):
    assert is_fresh(two_sources)
    two_sources.configure(FEED, {key.F_WEIGHT: 0, key.F_WEIGHT + 1: 0}, row=1)  # six others have said nothing yet
    assert not is_fresh(two_sources)
    assert two_sources.twin.markets[1].mark == 1_000
    two_sources.price({1: 1_020}, sources=(2,))
    assert is_fresh(two_sources)


def test_a_removed_source_moves_index_and_mark_at_once(two_sources):
    told = two_sources.configure(FEED, {key.F_WEIGHT: 0}, row=1)
    assert [event["kind"] for event in told] == [events.CONFIGURED, events.INDEX_SET, events.MARK_SET]
    assert [event["price"] for event in told[1:]] == [1_010, 1_010]


def test_a_shorter_staleness_counts_at_once_and_a_longer_one_too(two_sources):
    two_sources.wait(10 * SECOND)
    two_sources.configure(FEED, {key.F_STALENESS_NS: 10 * SECOND - 1}, row=1)
    assert not is_fresh(two_sources)
    two_sources.configure(FEED, {key.F_STALENESS_NS: 10 * SECOND}, row=1)
    assert is_fresh(two_sources)
    assert not is_fresh(two_sources.wait(1))


def test_a_higher_quorum_counts_at_once(two_sources):
    two_sources.configure(FEED, {key.F_QUORUM: 3}, row=1)
    assert not is_fresh(two_sources)


def test_a_vague_report_in_place_of_the_only_good_one_makes_the_price_stale(floor):
    open_venue(floor, {}, people=2)
    floor.configure(FEED, {key.F_CONFIDENCE_MAX_PPM: 1_000}, row=1)
    floor.price({1: 1_000}, spread=1)
    assert is_fresh(floor)
    floor.price({1: 1_005}, spread=2)
    assert not is_fresh(floor)
    assert floor.twin.markets[1].index == 1_000
