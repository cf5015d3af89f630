"""Setting up a venue, and the names that things have."""

from decimal import Decimal

import pytest

from steelyard import Limits, Reject, Rejected, Venue
from steelyard.venue.instruments import Names

TINY = Limits(accounts=16, owners=16, legs=256, orders=64, references=64, recent_client_ids=16, ladder_ticks=1 << 16)


def test_a_new_venue_has_its_unit_and_its_system_accounts():
    venue = Venue(TINY, unit="USDT", unit_decimals=2, at=1_000)
    assert (venue.unit, venue.now, venue.now_ns) == ("USDT", 1_000, 10**12)
    names = [each.name for each in (venue.insurance, venue.fees, venue.backstop, venue.lender, venue.converter)]
    assert names == ["insurance", "fees", "backstop", "lender", "converter"]
    venue.deposit("insurance", "12.34")
    assert venue.funds().insurance.balances == {"USDT": Decimal("12.34")}
    assert venue.funds().dust.equity == 0


def test_accounts_are_known_by_handle_name_and_id(exchange):
    alice = exchange.names.handle(7)
    assert (str(alice), alice.id) == ("alice", 7)
    assert exchange.account(alice) == exchange.account("alice") == exchange.account(7)


def test_an_account_without_a_name_is_called_after_its_id(exchange):
    nobody = exchange.open_account()
    assert nobody.name == f"#{nobody.id}"
    assert exchange.account(nobody.name).id == nobody.id


def test_accounts_of_one_owner(exchange):
    owner = exchange.open_owner(fee_tier=0, self_trade="none")
    first, second = exchange.open_account(owner, "first"), exchange.open_account(owner=owner)
    assert {exchange.account(each).owner for each in (first, second)} == {owner}
    exchange.set_owner(owner, self_trade="expire_both")
    with pytest.raises(Rejected) as refusal:
        exchange.set_owner(owner, risk_tier=9)
    assert str(refusal.value) == f"PARAMETERS_DISAGREE: owner {owner}: there is no risk tier 9"


@pytest.mark.parametrize(
    ("ask", "reason", "message"),
    [
        (lambda v: v.market("BTC-PREP"), "MARKET_UNKNOWN", "there is no market 'BTC-PREP'; did you mean BTC-PERP?"),
        (lambda v: v.deposit("alise", 5), "ACCOUNT_UNKNOWN", "there is no account 'alise'; did you mean alice?"),
        (lambda v: v.account(999), "ACCOUNT_UNKNOWN", "there is no account 999"),
        (lambda v: v.deposit("alice", 5, "XYZ"), "ASSET_UNKNOWN", "there is no asset 'XYZ'; there are USD, BTC, EUR"),
        (lambda v: v.set_price("USD", 1), "FEED_UNKNOWN", "USD is the unit of account; its price is 1"),
        (lambda v: v.open_account(owner=99), "OWNER_UNKNOWN", "open an account for owner 99: there is no such owner"),
    ],
)
def test_names_that_do_not_exist_are_told(exchange, ask, reason, message):
    with pytest.raises(Rejected) as refusal:
        ask(exchange)
    assert (refusal.value.reason.name, refusal.value.message) == (reason, message)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda v: v.add_asset("BTC", 8), "'BTC' exists already; assets and markets share their names"),
        (lambda v: v.add_market("EUR", tick=1, lot=1), "'EUR' exists already"),
        (lambda v: v.open_account(name="bob"), "there is an account 'bob' already"),
        (lambda v: v.add_asset(" x", 8), "must be printable text"),
        (lambda v: v.add_asset("x", 13), "decimals 13 of x must be a whole number from 0 to 12"),
        (lambda v: v.add_market("x", tick="0.0001", lot="0.001"), "tick 0.0001 x lot 0.001 is 0.0000001, which is not"),
        (
            lambda v: v.add_market("x", tick="0.1", lot=1, price="5.55"),
            "price 5.55 is not a whole number of ticks of 0.1",
        ),
        (lambda v: v.set_market("BTC-PERP"), None),
    ],
)
def test_what_cannot_be_made_is_refused_before_anything_is_done(exchange, ask, message):
    before = exchange.hash()
    if message is None:
        ask(exchange)
    else:
        with pytest.raises(ValueError) as refusal:
            ask(exchange)
        assert message in str(refusal.value)
    assert exchange.hash() == before


def test_a_full_venue_says_so():
    venue = Venue(
        Limits(accounts=8, owners=4, legs=256, orders=8, references=8, recent_client_ids=8, ladder_ticks=4096)
    )
    for _ in range(2):
        venue.open_account()
    with pytest.raises(Rejected) as refusal:
        venue.open_account(owner=2)
    assert refusal.value.reason == Reject.ACCOUNTS_FULL
    with pytest.raises(Rejected) as refusal:
        venue.add_market("X", tick=1, lot=1, price_max=5000)
    assert refusal.value.reason == Reject.LADDER_FULL


def test_prices_have_room_to_rise(exchange):
    with pytest.raises(Rejected) as refusal:
        exchange.set_price("BTC", 2_000_000)
    assert refusal.value.reason == Reject.PRICE_EXCEEDS_LIMIT
    assert "BTC 2,000,000, at most" in refusal.value.message
    exchange.set_price("BTC", 790_000)
    assert exchange.market("BTC-PERP").index == 50_000


def test_a_default_ladder_reaches_to_four_times_the_price():
    venue = Venue(TINY)
    venue.add_market("X", tick="0.5", lot=1, price=100)
    assert venue.parameters("X")["price_max"] == 400
    assert venue.market("X").mark == 100


def test_names_return_from_their_written_form(exchange):
    exchange.set_margin_mode("carol", "BTC-PERP", "isolated")
    exchange.order("carol", "BTC-PERP", "buy", "0.1", 49_000)
    names = Names.from_bytes(exchange.names.to_bytes())
    assert names.to_bytes() == exchange.names.to_bytes()
    assert names.market("ETH-EUR") == exchange.names.market("ETH-EUR")
    assert "carol/BTC-PERP" in names.accounts
