"""Offers through the Python face: curves as functions, ladders, bids, views, stories, refusals with their numbers."""

from decimal import Decimal
from fractions import Fraction

import pytest

from steelyard import Rejected
from steelyard.model import keys as K
from steelyard.venue import ladders as L
from steelyard.venue.happened import BidClosed, BidFilled, BidPlaced, DustTaken


@pytest.fixture
def bank(exchange):
    """Dora owes 15,900 dollars on ten ETH at 2,000, which count for 80 % and 85 %."""
    exchange.add_asset("ETH", 8, price=2_000, collateral=[(None, "0.8", "0.85")])
    exchange.set_asset("USD", loan_cap=1_000_000)
    exchange.deposit("lender", 1_000_000)
    exchange.open_account(name="dora")
    exchange.deposit("dora", 10, "ETH")
    exchange.withdraw("dora", 15_900, borrow=True)
    return exchange


def filled(result):
    return [event for event in result.events if isinstance(event, BidFilled)]


def test_a_ladder_from_offer_to_fill(bank):
    bank.set_asset("USD", target="1.05")
    auction = L.falling_auction("1.2", "0.5", "1h", lasts="2h")
    bank.set_offers("ETH", [L.bonus_by_cover("0.05", "0.1", "0.9", lasts="10m", fee="0.1"), auction])
    assert bank.offers("dora")[0].reason.name == "NOT_IN_LIQUIDATION"
    bank.set_price("ETH", 1_850)
    (offer,) = bank.offers("dora")
    assert (offer.gives, offer.debt_asset, offer.collateral_asset) == ("bonus", "USD", "ETH")
    # Cover 15,725 / 15,900 = 0.988993: a bonus of 0.05 + 0.05 x (1 - 0.988993) / 0.1.
    assert Decimal("0.055502") <= offer.rate <= Decimal("0.055504")
    assert str(offer).startswith("dora: ETH for USD: repay up to 6,347.")
    placed = bank.liquidate("bob", "dora", 20_000, "ETH", least="11.2")
    assert [type(event) for event in placed.events] == [BidPlaced]
    (fill,) = filled(bank.advance("1s"))
    assert (fill.repaid, fill.received, fill.fee) == (offer.repay, offer.receive, offer.fee)
    # v = (M(restore) - E) / (1.05 - 1.0555 x 0.85) = (2,775 + 795 - 2,600) / 0.152823, the bonus being 0.0555025
    assert abs(fill.repaid - Decimal("6347.2")) < 1
    assert fill.cost == pytest.approx(fill.repaid * Decimal("0.0555025"), abs=Decimal("0.01"))
    view = bank.account("dora")
    assert view.queued is None and view.equity >= view.requirements.restore
    told = str(bank.story("dora"))
    assert "bob repays 6,347." in told and "go to the insurance fund" in told and "bids cost" in told
    assert bank.verify("dora").liquidations == 1


def test_rivals_and_what_each_hears(bank):
    bank.set_offers("ETH", [L.fixed_bonus("0.05", size="all", beyond_equity=True)])
    bank.set_price("ETH", 1_600)
    bank.liquidate("bob", "dora", 10_000, "ETH")
    bank.liquidate("carol", "dora", 10_000, "ETH", least="6.3", as_asked=True)
    result = bank.advance("1ns")
    assert [(each.bidder, each.repaid, each.received) for each in filled(result)] == [
        ("carol", Decimal(10_000), Decimal("6.3")),
        ("bob", Decimal("5638.095248"), Decimal("3.7")),
    ]
    assert not [event for event in result.events if isinstance(event, BidClosed)]
    assert bank.verify("dora")


def test_a_story_with_dust(bank):
    bank.deposit("insurance", 50_000)
    bank.set_asset("ETH", dust=100)
    bank.set_offers("ETH", [L.fixed_bonus("0.05", lasts="1m")])
    taken = [event for event in bank.set_price("ETH", "9.5").events if isinstance(event, DustTaken)]
    assert [(each.asset, each.taker) for each in taken] == [("ETH", "insurance")]
    assert "too little to sell" in str(bank.story("dora"))
    assert bank.verify("dora").liquidations == 1


def test_volatility_is_told_as_a_parameter(bank):
    calm_to_wild = L.offer(lambda v: v / 10, of="volatility", over=(0, 1))
    bank.set_offers("ETH", [calm_to_wild])
    bank.set_asset("ETH", volatility="0.8")
    bank.set_price("ETH", 1_850)
    assert bank.offers("dora")[0].rate == Decimal("0.08")


def test_ladders_for_some_debts(bank):
    bank.set_offers("ETH", [L.fixed_bonus("0.03")], debts={"EUR": [L.fixed_bonus("0.07")]})
    bank.set_price("ETH", 1_850)
    assert bank.offers("dora")[0].rate == Decimal("0.03")
    assert bank.parameters("ETH")["offer"] == 2
    bank.set_offers("ETH")
    assert bank.parameters("ETH")["offer"] == 0
    assert bank.offers("dora")[0].reason.name == "NO_OFFER"


@pytest.mark.parametrize(
    ("step", "points"),
    [
        (L.fixed_bonus("0.05"), [50_000] * 33),
        (L.offer(lambda h: 0.1 * (1 - h)), None),
        (L.discount_by_cover("0.15"), [850_000 + -(-150_000 * i // 32) for i in range(33)]),
        (L.rising_auction("0.32", "32s"), [10_000 * i for i in range(33)]),
        (L.falling_auction(2, 1, "1h"), [-(-(64 - i) * 10**6 // 32) for i in range(33)]),
    ],
)
def test_functions_become_points(step, points):
    """A bonus is rounded down, a price up."""
    expected = points or [int(Fraction(0.1 * (1 - Fraction(i, 32))) * 10**6 // 1) for i in range(33)]
    assert list(step.points) == expected
    assert step.values()[K.C_POINT + 32] == step.points[32]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: L.offer(lambda h: h, of="hope"), "of 'hope' is not one of health, cover, ltv, time, volatility"),
        (lambda: L.offer(lambda h: -h), "the bonus at health 0.03125 is -0.03125, not within 0 to 20"),
        (lambda: L.offer(lambda h: float("nan")), "a curve answers with a number; this one says nan at 0"),
        (lambda: L.offer(lambda h: "0.1"), "a curve answers with a number"),
        (lambda: L.offer("0.1", again=True), "must say how long it lasts"),
        (lambda: L.offer("0.1", size="half"), "size 'half' is not one of restore, all"),
        (lambda: L.offer("0.1", over=(0, "0.0000001")), "finer than the machine counts"),
        (lambda: L.fixed_bonus(0.05), "is a float"),
    ],
)
def test_what_is_no_curve(make, told):
    with pytest.raises((ValueError, TypeError), match=told.replace("(", r"\(")):
        make()


@pytest.mark.parametrize(
    ("ladder", "told"),
    [
        (
            [L.fixed_bonus("0.25")],
            r"curve 1 gives a bonus of up to 0.25, and \(1 \+ bonus\) x weight 0.85 = 1.0625 is not below 1",
        ),
        ([L.discount_by_cover("0.2")], "goes down to a price of 0.8 which is not above the weight 0.85"),
        (
            [L.offer(lambda h: h / 10)],
            "its bonus rises from 0 at health 0 to 0.003125 at 0.03125; a bonus by health may not rise",
        ),
        (
            [L.offer(lambda t: 1 - t / 64, of="ltv")],
            "its bonus falls from 1 at ltv 0 to 0.999511 at 0.03125; a bonus by ltv may not fall",
        ),
    ],
)
def test_ladders_that_are_refused_with_their_numbers(bank, ladder, told):
    with pytest.raises(Rejected, match=told):
        bank.set_offers("ETH", ladder)
    assert bank.parameters("ETH")["offer"] == 0


def test_only_the_last_step_stands_for_ever(bank):
    with pytest.raises(ValueError, match="offer 1 of ETH stands for ever"):
        bank.set_offers("ETH", [L.fixed_bonus("0.05"), L.fixed_bonus("0.06")])


def test_refused_bids_tell_the_offer(bank):
    bank.set_offers("ETH", [L.fixed_bonus("0.05")])
    with pytest.raises(Rejected, match=r"not in liquidation \(equity 4,100.00, maintenance requirement 3,000.00 USD\)"):
        bank.liquidate("bob", "dora", 100, "ETH")
    bank.set_price("ETH", 1_850)
    with pytest.raises(Rejected, match=r"less collateral than the bid asks for \(the offer: repay up to "):
        bank.liquidate("bob", "dora", 100, "ETH", least=1)
    bank.set_asset("ETH", frozen="yes")
    with pytest.raises(Rejected, match="one of the assets is frozen"):
        bank.liquidate("bob", "dora", 100, "ETH")
    with pytest.raises(Rejected, match="x: curve 7 can follow only if"):
        bank.add_curve(L.fixed_bonus("0.1"), then=7, label="x")
    with pytest.raises(Rejected, match="there is no curve 9"):
        bank.set_asset("ETH", offer=9)


def test_a_copy_fills_the_same_bids(bank):
    bank.set_offers("ETH", [L.fixed_bonus("0.05")])
    bank.set_price("ETH", 1_850)
    bank.liquidate("bob", "dora", 1_000, "ETH")
    copy = bank.copy()
    assert len(filled(bank.advance("1s"))) == len(filled(copy.advance("1s"))) == 1
    assert bank.hash() == copy.hash()
