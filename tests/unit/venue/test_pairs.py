"""Spot pairs: cash for cash, margin trading with loans, and what a trader reads about them."""

from decimal import Decimal as D

import pytest

from steelyard import Rejected, Venue
from steelyard.model.reject import Reject
from steelyard.venue.happened import Converted, Fill, OrderClosed


@pytest.fixture
def venue():
    venue = Venue(unit="USDC")
    venue.set_asset("USDC", loan_cap=100_000)
    venue.add_asset("BTC", 8, price=50_000, collateral=[(None, "0.8", "0.9")], loan_cap=2, borrow_weight="1.1")
    venue.add_pair("BTC/USDC", base="BTC", tick="0.1", lot="0.001", maker=0, taker="0.001")
    venue.deposit("lender", 200_000, "USDC")
    venue.deposit("lender", 3, "BTC")
    venue.deposit("converter", 500_000, "USDC")
    venue.deposit("converter", 10, "BTC")
    return venue


def trader(venue, name, usdc=0, btc=0):
    account = venue.open_account(name=name)
    if usdc:
        venue.deposit(account, usdc, "USDC")
    if btc:
        venue.deposit(account, btc, "BTC")
    return account


def total(venue, account, asset):
    return next((each.total for each in venue.account(account).balances if each.asset == asset), D(0))


def refusal(venue, *order, **options):
    with pytest.raises(Rejected) as refused:
        venue.order(*order, **options)
    return refused.value


def test_a_purchase_for_cash_moves_base_and_quote_and_the_fee_is_in_the_quote(venue):
    buyer, seller = trader(venue, "buyer", usdc=60_000), trader(venue, "seller", btc=1)
    venue.order(seller, "BTC/USDC", "sell", "0.5", 50_000)
    done = venue.order(buyer, "BTC/USDC", "buy", "0.5", 50_000)
    assert done.filled == D("0.5")
    assert (total(venue, buyer, "BTC"), total(venue, buyer, "USDC")) == (D("0.5"), 60_000 - 25_000 - 25)
    assert (total(venue, seller, "BTC"), total(venue, seller, "USDC")) == (D("0.5"), 25_000)
    (fill,) = done.fills
    assert (fill.cost, fill.fee, fill.fee_asset, fill.realized, fill.position) == (25_000, 25, "USDC", 0, D("0.5"))
    assert not venue.account(buyer).positions
    venue.check()


def test_the_price_of_a_pair_follows_both_of_its_assets(venue):
    venue.add_asset("EUR", 6, price="1.25", collateral=[(None, 1, 1)])
    venue.add_pair("BTC/EUR", base="BTC", quote="EUR", tick="0.1", lot="0.001")
    assert venue.market("BTC/EUR").mark == 40_000
    venue.set_prices({"BTC": 45_000, "EUR": "1.5"})
    assert venue.market("BTC/EUR").mark == 30_000
    assert venue.market("BTC/USDC").mark == 45_000
    with pytest.raises(Rejected, match="follows from those of BTC and EUR"):
        venue.set_price("BTC/EUR", 31_000)


def test_without_borrow_an_order_spends_what_is_held_and_not_twice(venue):
    buyer = trader(venue, "buyer", usdc=10_000)
    # 0.1 at 50,000 spends 5,000 and a fee of 5; a second one of 0.1 would need 10 more than there is.
    venue.order(buyer, "BTC/USDC", "buy", "0.1", 50_000)
    refused = refusal(venue, buyer, "BTC/USDC", "buy", "0.1", 50_000)
    assert refused.reason == Reject.BALANCE_TOO_LOW
    assert "it spends 5,005.00 USDC; buyer holds 10,000.00 USDC, 5,005.00 of it for orders" in str(refused)
    venue.order(buyer, "BTC/USDC", "buy", "0.099", 50_000)
    with pytest.raises(Rejected) as left:
        venue.withdraw(buyer, 100)
    assert left.value.reason == Reject.BALANCE_TOO_LOW  # 10,000 - 5,005 - 4,954.95 = 40.05
    assert venue.withdraw(buyer, "40.05")


def test_buying_with_borrowed_money_stops_where_the_weights_say(venue):
    buyer, maker = trader(venue, "buyer", usdc=10_000), trader(venue, "maker", btc=3)
    venue.order(maker, "BTC/USDC", "sell", 2, 50_000)
    # Opening weight 0.8: x BTC bought for 50,000 x plus a fee of 50 x leave E - M = 10,000 - 50 x - 0.2 x 50,000 x.
    # That is 10,000 - 10,050 x, so 0.995 may be bought and 0.996 may not.
    assert refusal(venue, buyer, "BTC/USDC", "buy", "0.996", 50_000).reason == Reject.BALANCE_TOO_LOW
    refused = refusal(venue, buyer, "BTC/USDC", "buy", "0.996", 50_000, borrow=True)
    assert refused.reason == Reject.OPENING_MARGIN_EXCEEDED
    venue.order(buyer, "BTC/USDC", "buy", "0.995", 50_000, borrow=True)
    assert total(venue, buyer, "BTC") == D("0.995")
    assert total(venue, buyer, "USDC") == 10_000 - 49_750 - D("49.75")
    venue.check()


def test_a_short_sale_borrows_the_base_and_buying_back_repays_it(venue):
    short, maker = trader(venue, "short", usdc=20_000), trader(venue, "maker", usdc=100_000, btc=1)
    venue.order(maker, "BTC/USDC", "buy", "0.5", 50_000)
    # Sells 0.5 BTC it has not: debt 25,000, surcharge 10 % of it, proceeds 25,000 less a fee of 25.
    sold = venue.order(short, "BTC/USDC", "sell", "0.5", 50_000, borrow=True)
    assert sold.filled == D("0.5")
    assert total(venue, short, "BTC") == D("-0.5")
    health = venue.account(short)
    assert health.equity == 20_000 - 25
    assert health.requirements.maintain == 2_500
    venue.order(maker, "BTC/USDC", "sell", "0.5", 49_000)
    venue.set_price("BTC", 49_000)
    venue.order(short, "BTC/USDC", "buy", "0.5", 49_000)
    assert total(venue, short, "BTC") == 0
    assert total(venue, short, "USDC") == 20_000 + 500 - 25 - D("24.5")
    venue.check()


def test_loans_end_at_the_cap_of_the_asset_and_at_what_the_lender_has(venue):
    whale = trader(venue, "whale", usdc=1_000_000)
    refused = refusal(venue, whale, "BTC/USDC", "sell", "2.001", 50_000, borrow=True)
    assert refused.reason == Reject.LOAN_CAP_EXCEEDED
    assert "may owe 2" in str(refused)
    venue.set_asset("BTC", loan_cap=5)
    refused = refusal(venue, whale, "BTC/USDC", "sell", "3.001", 50_000, borrow=True)
    assert refused.reason == Reject.NOTHING_TO_LEND
    assert "3.00 are left to lend" in str(refused)
    venue.order(whale, "BTC/USDC", "sell", 3, 50_000, borrow=True)


def test_a_resting_order_whose_money_is_gone_is_closed_when_it_is_met(venue):
    venue.add_market("BTC-PERP", tick="0.1", lot="0.001", price=50_000, maker=0, taker=0)
    maker, other = trader(venue, "maker", usdc=10_000), trader(venue, "other", usdc=100_000, btc=1)
    venue.order(maker, "BTC-PERP", "buy", "0.2", 50_000)
    venue.order(other, "BTC-PERP", "sell", "0.2", 50_000)
    enough = venue.order(maker, "BTC/USDC", "buy", "0.1", 48_000)
    gone = venue.order(maker, "BTC/USDC", "buy", "0.1", 47_900)
    venue.set_price("BTC-PERP", 30_000)
    venue.order(other, "BTC-PERP", "buy", "0.2", 30_000)
    venue.order(maker, "BTC-PERP", "sell", "0.2", 30_000)  # a loss of 4,000: 6,000 are left
    asked = venue.order(other, "BTC/USDC", "sell", "0.2", 47_900)
    assert asked.filled == D("0.1")
    assert {each.id for each in venue.orders(maker)} == set()
    closed = {each.order: each.because for each in venue.events if isinstance(each, OrderClosed)}
    assert enough.id not in closed
    assert closed[gone.id] == "maintenance"
    assert total(venue, maker, "USDC") == 6_000 - 4_800
    venue.check()


def test_a_leveraged_purchase_is_liquidated_by_selling_what_was_bought(venue):
    buyer, maker = trader(venue, "buyer", usdc=12_000), trader(venue, "maker", btc=3)
    venue.order(maker, "BTC/USDC", "sell", 1, 50_000)
    venue.order(buyer, "BTC/USDC", "buy", 1, 50_000, borrow=True)
    # E = 12,000 - 50 - 50,000 + p, M = 0.1 p: unhealthy once 0.9 p < 38,050, that is below 42,277.78.
    venue.set_price("BTC", "42277.8")
    assert not venue.liquidations(buyer)
    venue.set_price("BTC", "42277.7")
    (converted,) = [each for each in venue.events if isinstance(each, Converted)]
    assert converted.account == "buyer"
    assert total(venue, buyer, "USDC") == 0
    # 38,050 / 42,277.7 of a coin, rounded up, pay the debt.
    assert total(venue, buyer, "BTC") == 1 - D("0.90000166")
    venue.verify(buyer)
    venue.check()


def test_explain_tells_what_orders_in_pairs_ask_for(venue):
    buyer = trader(venue, "buyer", usdc=10_000)
    venue.order(buyer, "BTC/USDC", "buy", "0.5", 50_000, borrow=True)
    said = str(venue.explain(buyer))
    assert "the bids spend 25,025.00 USDC and bring 0.50 BTC" in said
    assert "by the opening weights is 5,025.00 (up)" in said
    # E 10,000; 25,025 go and 0.8 x 25,000 come.
    assert venue.account(buyer).requirements.open == 5_025


def test_a_pair_has_neither_leverage_nor_isolated_positions(venue):
    someone = trader(venue, "someone", usdc=1_000)
    with pytest.raises(Rejected) as refused:
        venue.set_leverage(someone, "BTC/USDC", 5)
    assert refused.value.reason == Reject.PAIR_HAS_NO_LEVERAGE
    with pytest.raises(Rejected) as refused:
        venue.set_margin_mode(someone, "BTC/USDC", "isolated")
    assert refused.value.reason == Reject.MARKET_IS_NOT_ISOLATED


def test_a_risk_tier_may_keep_its_owners_out_of_pairs(venue):
    tier = venue.add_risk_tier(10, products=["perpetuals"])
    account = venue.open_account(owner=venue.open_owner(risk_tier=tier), name="kept")
    venue.deposit(account, 1_000)
    assert refusal(venue, account, "BTC/USDC", "buy", "0.01", 50_000).reason == Reject.TIER_FORBIDS_PRODUCT


def test_fills_of_a_pair_are_told_with_what_the_account_holds_then(venue):
    buyer, seller = trader(venue, "buyer", usdc=60_000), trader(venue, "seller", usdc=60_000)
    venue.order(seller, "BTC/USDC", "sell", "0.25", 50_000, borrow=True)
    venue.order(buyer, "BTC/USDC", "buy", "0.25", 50_000)
    told = {each.account: each.position for each in venue.events if isinstance(each, Fill)}
    assert told == {"buyer": D("0.25"), "seller": D("-0.25")}
