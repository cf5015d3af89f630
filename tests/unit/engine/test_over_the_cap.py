"""While a loan above its cap waits for somebody who converts collateral, the account's risk may not rise."""

from tests.golden.stories import ANN, BOB, COIN, USD, open_venue

from steelyard.model import events, reject
from steelyard.model import keys as key
from steelyard.model.commands import ASSET, FEED
from steelyard.model.keys import HOUR, SECOND
from steelyard.model.orders import CONVERTER
from steelyard.num.limits import ASSET_PRICE_SCALE


def owing(floor):
    """ANN owes a fee, nobody can convert her coins, and a bid of hers rests."""
    open_venue(floor, {}, people=2, purse=1)
    floor.configure(FEED, {key.F_STALENESS_NS: HOUR})
    floor.configure(ASSET, {key.A_FEED: 2, key.A_SUPPLY_MAX: 1 << 40})
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    floor.deposit(BOB, USD, 1_000_000)
    floor.deposit(ANN, COIN, 60_000)
    floor.order(ANN, 1, 50, 990)
    floor.order(BOB, 1, -1, 1_000)
    floor.order(ANN, 1, 1, 1_000)
    assert floor.cash(ANN) < 0
    assert floor.happened(events.CONVERTED) == []
    return floor


def test_a_resting_order_that_would_raise_the_risk_is_withdrawn(floor):
    owing(floor).order(BOB, 1, -50, 990)
    assert [event["reason"] for event in floor.happened(events.ORDER_CLOSED)] == [events.CLOSED_MAINTENANCE]
    assert floor.lots(ANN) == 1


def test_collateral_that_waits_does_not_leave(floor):
    owing(floor).withdraw(ANN, COIN, 10_000)
    assert [event["reason"] for event in floor.happened(events.REJECTED)] == [reject.LOAN_CAP_EXCEEDED]
    floor.transfer(ANN, BOB, COIN, 10_000)
    assert [event["reason"] for event in floor.happened(events.REJECTED)] == [reject.LOAN_CAP_EXCEEDED]


def test_closing_and_repaying_go_on(floor):
    owing(floor).order(BOB, 1, 1, 1_000)
    floor.order(ANN, 1, -1, 1_000)
    assert floor.lots(ANN) == 0
    floor.deposit(ANN, USD, 1_000)
    floor.withdraw(ANN, COIN, 10_000)
    assert floor.happened(events.WITHDRAWAL_RESERVED)


def bought(floor):
    return [(event["account"], event["market"]) for event in floor.happened(events.CONVERTED)]


def test_waiting_collateral_converts_when_the_converter_is_funded(floor):
    owing(floor).deposit(CONVERTER, USD, 1_000)
    assert bought(floor) == [(ANN, COIN)]
    assert floor.cash(ANN) == 0


def test_waiting_collateral_converts_when_its_price_is_known_again(floor):
    owing(floor).wait(HOUR + SECOND)
    floor.deposit(CONVERTER, USD, 1_000)
    assert bought(floor) == []
    floor.price({2: 12 * ASSET_PRICE_SCALE})
    assert bought(floor) == [(ANN, COIN)]


def test_collateral_that_arrives_converts(floor):
    """Her coins have no fresh price; what she deposits has."""
    owing(floor)
    floor.configure(FEED, {key.F_STALENESS_NS: 10 * HOUR})
    floor.configure(ASSET, {key.A_FEED: 3, key.A_SUPPLY_MAX: 1 << 40})
    floor.price({3: 5 * ASSET_PRICE_SCALE})
    floor.wait(HOUR + SECOND)
    floor.deposit(CONVERTER, USD, 1_000)
    floor.price({3: 5 * ASSET_PRICE_SCALE})
    assert bought(floor) == []
    floor.deposit(ANN, COIN + 1, 100)
    assert bought(floor) == [(ANN, COIN + 1)]
