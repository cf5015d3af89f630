"""Too much of one thing, with names and decimals."""

import pytest

from steelyard import Reject, Rejected


@pytest.fixture
def venue(make_exchange):
    venue = make_exchange(group=1, excess_from=20_000, excess="0.2")
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.deposit("alice", 4_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    return venue


def test_it_is_explained_line_by_line(venue):
    told = venue.explain("alice")
    line = told.lines[-1]
    assert line.leg == "too much of one thing"
    assert (line.requirements.open, line.requirements.maintain, line.equity) == (1_000, 0, 0)
    assert line.working == (
        "M(open): BTC-PERP is 25,000.00 of the 25,000.00 of its group; of what is above 20,000.00, 1,000.00 (up) is "
        "its part at 0.2",
    )
    venue.set_asset("BTC", excess_share="0.5", excess=1)
    venue.deposit("alice", 1, "BTC")
    # It counts for 45,000 to open; with 4,987.5 beside, half of it all is 24,993.75.
    assert venue.explain("alice").lines[-1].requirements.open == 1_000 + 45_000 - 24_993.75


def test_refusals_count_it(venue):
    with pytest.raises(Rejected) as refusal:
        venue.order("alice", "BTC-PERP", "buy", "0.3", 50_000)
    assert refusal.value.reason == Reject.OPENING_MARGIN_EXCEEDED
    assert "5,107.50 afterwards" in refusal.value.message  # 1,100 by their bracket, 4,000 beside, and a fee
    venue.set_asset("BTC", excess_share=0, excess=1)
    venue.deposit("alice", "0.1", "BTC")
    with pytest.raises(Rejected) as refusal:
        venue.withdraw("alice", 4_000)
    assert refusal.value.reason == Reject.OPENING_MARGIN_EXCEEDED


def test_what_cannot_be_too_much(venue):
    with pytest.raises(Rejected, match="the unit of account is never too much"):
        venue.set_asset("USD", excess="0.1")
    venue.add_pair("BTC/USD", base="BTC", tick=10, lot="0.001", price_max=100_000)
    with pytest.raises(Rejected, match="leave no position that could be too much"):
        venue.set_market("BTC/USD", excess="0.1")
