"""Stories: what is told, that every number follows from the events, and that a forged one does not pass."""

import dataclasses

import pytest

from steelyard import Venue, verify_story
from steelyard.model import events as E
from steelyard.venue.statement import Mismatch
from steelyard.venue.verify import Unverifiable


def through_the_book(make_exchange) -> Venue:
    venue = make_exchange()
    venue.deposit("insurance", 50)
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    venue.order("alice", "BTC-PERP", "sell", "0.1", 53_000)
    venue.order("carol", "BTC-PERP", "buy", "0.2", 48_300)
    venue.set_price("BTC-PERP", 48_360)
    return venue


def to_the_bitter_end(make_exchange) -> Venue:
    """Fund, backstop and a counterparty all have to help."""
    venue = make_exchange()
    venue.deposit("insurance", 20)
    venue.deposit("backstop", 120)
    venue.order("bob", "BTC-PERP", "sell", "0.5", 50_000)
    venue.order("alice", "BTC-PERP", "buy", "0.5")
    venue.order("carol", "BTC-PERP", "buy", "0.01", 47_800)
    venue.set_price("BTC-PERP", 47_900)
    return venue


THROUGH_THE_BOOK = """\
2026-01-01 00:00:00  alice is found unhealthy; 1 order cancelled.
2026-01-01 00:00:00  alice goes into liquidation: equity 167.50 is below the maintenance requirement 191.80. The aim \
is 230.16; below 127.866539 the backstop may take over.
2026-01-01 00:00:00  Order to sell 0.130 BTC-PERP, down to 48025 (mark 48360). With equity 167.50, its share is used \
up if it brings 6,231.897029.
2026-01-01 00:00:00  Filled: sell 0.130 at 48300, a loss of 221.00 USD; the position is 0.370 now.
2026-01-01 00:00:00  A fee of 12.558 goes to the insurance fund.
2026-01-01 00:00:00  It ends: equity 147.142 covers the requirement 128.932 again.
2026-01-01 00:00:00  In sum, against the mark: equity went from 167.50 to 147.142 USD, the book cost 7.80 USD, fees \
took 12.558 USD."""


def test_a_liquidation_through_the_book_is_told(make_exchange):
    assert str(through_the_book(make_exchange).story("alice")) == THROUGH_THE_BOOK


def test_every_payer_is_named(make_exchange):
    venue = to_the_bitter_end(make_exchange)
    text = str(venue.story("alice"))
    # Equity was 62.50 below zero and the book cost 0.70: others paid 63.20.
    assert text.endswith(
        "equity went from -62.50 to 0.00 USD, the book cost 0.70 USD, the insurance fund paid 20.00 USD, "
        "counterparties gave up 43.20 USD."
    )
    assert "The backstop takes over" in text
    assert "The insurance fund pays" in text
    assert "bob (rank 1) is deleveraged by" in text
    assert {each.way for each in venue.liquidations("alice")} == {"book", "takeover", "deleveraging"}
    venue.check()


@pytest.mark.parametrize("scene", [through_the_book, to_the_bitter_end])
def test_every_number_follows_from_the_events(make_exchange, scene):
    venue = scene(make_exchange)
    verdict = venue.verify("alice")
    assert verdict.liquidations == 1
    assert verdict.numbers >= 15
    assert venue.verify("bob").numbers == 0


NUMBERS = {
    E.LIQUIDATION_STARTED: ("amount", "fee", "extra", "extra2"),
    E.LIQUIDATION_ORDER: ("side", "price", "lots", "other", "amount", "fee", "extra", "extra2"),
    E.LIQUIDATION_FEE: ("amount",),
    E.FUND_PAID: ("amount",),
    E.TAKEN_OVER: ("amount",),
    E.DELEVERAGED: ("amount", "fee"),
    E.LIQUIDATION_ENDED: ("amount", "fee"),
    E.FILL: ("price", "lots", "amount", "fee", "extra"),
}


@pytest.mark.parametrize("scene", [through_the_book, to_the_bitter_end])
def test_a_forged_number_is_found(make_exchange, scene):
    venue = scene(make_exchange)
    story = venue.story("alice")
    alice = story.accounts[0]
    forged = 0
    for place, row in enumerate(story.evidence):
        for column in NUMBERS.get(row.kind, ()) if row.account == alice else ():
            evidence = list(story.evidence)
            evidence[place] = row._replace(**{column: getattr(row, column) + 1})
            with pytest.raises(Mismatch):
                verify_story(dataclasses.replace(story, evidence=tuple(evidence)))
            forged += 1
    assert forged >= 15


def test_a_missing_payment_is_found(make_exchange):
    story = through_the_book(make_exchange).story("alice")
    kept = tuple(row for row in story.evidence if row.kind != E.LIQUIDATION_FEE)
    with pytest.raises(Mismatch, match="liquidation fee that was not taken is 0, but 12558000 follows"):
        verify_story(dataclasses.replace(story, evidence=kept))


def test_a_mismatch_after_a_change_of_rules_says_so(make_exchange):
    venue = through_the_book(make_exchange)
    venue.set_market("BTC-PERP", restore="1.3")
    with pytest.raises(Mismatch, match=r"M\(restore\) is .* \(parameters were changed later, by command"):
        venue.verify("alice")


def test_a_story_without_its_beginning_cannot_be_verified(make_exchange):
    venue = through_the_book(make_exchange)
    restored = Venue.restore(venue.snapshot())
    with pytest.raises(Unverifiable):
        restored.verify("alice")


def test_the_liquidation_of_a_loan_is_told_and_verified(exchange):
    exchange.set_asset("USD", loan_cap=1_000_000, interest_base="0.05")
    exchange.set_asset("BTC", convert_haircut="0.01")
    exchange.deposit("lender", 1_000_000)
    exchange.deposit("converter", 1_000_000)
    exchange.withdraw("alice", 1_000)
    exchange.deposit("alice", 2, "BTC")
    exchange.withdraw("alice", 62_000, borrow=True)
    exchange.advance("1d")
    exchange.set_price("BTC", 39_000)
    (episode,) = exchange.story("alice").episodes
    assert [sentence for _, sentence in episode.lines] == [
        "alice goes into liquidation: equity 15,991.506291 is below the maintenance requirement 17,550.00.",
        "1.6060216 BTC are converted into 62,008.493709 USD to pay debt.",
        "It ends: equity 15,365.1576 covers the requirement 768.25788 again.",
        "In sum, against the mark: equity went from 15,991.506291 to 15,365.1576 USD, converting cost 626.348691 USD.",
    ]
    assert exchange.verify("alice").liquidations == 1


def test_who_was_never_liquidated(exchange):
    assert str(exchange.story("alice")) == "alice was never liquidated."


def test_an_isolated_position_s_liquidation_belongs_to_its_parent_s_story(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.1", 50_000)
    exchange.set_price("BTC-PERP", exchange.liquidation_price("alice", "BTC-PERP").low)
    (episode,) = exchange.story("alice").episodes
    assert (episode.account, episode.is_over) == ("alice/BTC-PERP", False)
    assert exchange.verify("alice").liquidations == 1
    assert exchange.account("alice").healthy


def test_liquidations_have_ccxt_s_shape(make_exchange):
    (liquidation,) = through_the_book(make_exchange).liquidations("alice")
    shape = liquidation.to_ccxt()
    assert {name: shape[name] for name in ("symbol", "side", "contracts", "price", "baseValue", "quoteValue")} == {
        "symbol": "BTC-PERP",
        "side": "sell",
        "contracts": 0.13,
        "price": 48_300.0,
        "baseValue": 0.13,
        "quoteValue": 6_279.0,
    }
