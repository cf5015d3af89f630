"""Events become short sentences; the fills of one liquidation order become one."""

from decimal import Decimal

from steelyard.cli.words import Narrator
from steelyard.venue import happened as H

WHEN = {"seq": 9, "nth": 0, "at_ns": 10**9}


def order(side="sell"):
    return H.LiquidationOrder(
        account="ada",
        symbol="BTC-PERP",
        side=side,
        limit=Decimal("99.5"),
        amount=Decimal(3),
        mark=Decimal("100.0"),
        bankruptcy=Decimal(290),
        equity=Decimal(5),
        requirement=Decimal(7),
        maintain=Decimal(6),
        **WHEN,
    )


def fill(price, amount, account="ada", is_liquidation=True, seq=9):
    return H.Fill(
        account=account,
        symbol="BTC-PERP",
        order=1,
        other_order=2,
        side="sell",
        price=Decimal(price),
        amount=Decimal(amount),
        cost=Decimal(0),
        realized=Decimal(0),
        fee=Decimal(0),
        fee_asset="USD",
        is_maker=False,
        is_liquidation=is_liquidation,
        position=Decimal(0),
        remaining=Decimal(0),
        **{**WHEN, "seq": seq},
    )


def ended(because, maintain):
    return H.LiquidationEnded(account="ada", because=because, equity=Decimal(20), maintain=Decimal(maintain), **WHEN)


def told(*events):
    narrator = Narrator()
    return [note.text for event in events for note in narrator.tell(event)] + [note.text for note in narrator.rest()]


def test_the_fills_of_a_slice_are_one_sentence():
    made = told(order(), fill("100.0", 1), fill("100.0", 1, "maker", False), fill("99.5", 1), ended("healthy", 10))
    assert made == ["sold 2 BTC at 99.8", "healthy, E 20.00 ≥ M 10.00"]


def test_a_slice_that_finds_nobody_says_so():
    assert told(order(), ended("closed", 0)) == ["no bids down to 99.5", "closed out, 20.00 left"]
    assert told(order("buy"), order("buy")) == ["no asks up to 99.5"] * 2


def test_fills_of_others_are_not_part_of_it():
    assert told(order(), fill("100.0", 1), fill("90.0", 5, seq=10)) == ["sold 1 BTC at 100.0"]


def test_who_paid_is_named():
    paid = H.FundPaid(account="ada", symbol=None, asset="USD", amount=Decimal("1203.4"), **WHEN)
    taken = H.TakenOver(
        account="ada",
        backstop="backstop",
        symbol="BTC-PERP",
        side="sell",
        amount=Decimal("1.5"),
        cash=Decimal(1),
        **WHEN,
    )
    shared = H.Deleveraged(
        account="ada",
        counterparty="boris",
        symbol="BTC-PERP",
        side="sell",
        amount=Decimal("0.4"),
        cash=Decimal(1),
        fund=Decimal(0),
        score=1,
        rank=1,
        **WHEN,
    )
    assert told(paid, taken, shared) == [
        "insurance pays 1,203 USD",
        "backstop takes 1.5 BTC",
        "boris deleveraged by 0.4 BTC",
    ]
