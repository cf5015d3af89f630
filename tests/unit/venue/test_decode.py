"""Events as records: every kind decodes, with names and decimals in place of rows and integers."""

from decimal import Decimal

import pytest

from steelyard import Reject
from steelyard.model import events as E
from steelyard.model.orders import BUY, SELL
from steelyard.venue import happened as H
from steelyard.venue.amounts import Step
from steelyard.venue.decode import Decoder
from steelyard.venue.event_rows import Row
from steelyard.venue.instruments import Asset, Market, Names


@pytest.fixture
def decoder():
    names = Names()
    usd = names.add_asset(Asset(row=1, name="USD", decimals=2, feed=0, price_places=12))
    names.add_asset(Asset(row=2, name="BTC", decimals=8, feed=1, price_places=6))
    names.add_asset(Asset(row=3, name="pBTC", decimals=8, feed=0, price_places=6, pool_of="BTC"))
    tick, lot = Step.of("0.5"), Step.of("0.1")
    names.add_market(Market(row=1, name="X-PERP", settle=usd, tick=tick, lot=lot, atoms_per_tick_lot=5, feed=2))
    names.add_account("alice", 7)
    names.add_account("bob", 8)
    return Decoder(names)


CASES = [
    (E.REJECTED, {"reason": 44, "extra": 13, "account": 7}, {"reason": Reject(44), "command": "place_order"}),
    (E.CONFIGURED, {"account": 3, "market": 1, "extra": 1}, {"table": "market", "row": 1, "is_new": True}),
    (E.CONFIGURED, {"account": 5, "market": 2, "amount": 1}, {"table": "owner", "margin": "scenarios"}),
    (
        E.RISK_ARRAY_SET,
        {"market": 1, "order": 15, "lots": -2 * 10**6, "amount": 10**6, "fee": 0, "extra": 1_500_000, "extra2": 1},
        {"values": {"scenario 16": Decimal("-0.2"), "basis": Decimal("0.1"), "short": 0, "open": Decimal("1.5")}},
    ),
    (E.ACCOUNT_OPENED, {"other": 2, "extra": 1, "order": 8, "market": 1}, {"role": "child", "parent": "bob"}),
    (E.DEPOSITED, {"market": 2, "amount": 5}, {"asset": "BTC", "amount": Decimal("5E-8")}),
    (E.WITHDRAWAL_RESERVED, {"market": 1, "amount": 5}, {"asset": "USD", "amount": Decimal("0.05")}),
    (E.WITHDRAWAL_CONFIRMED, {"market": 1, "amount": 5}, {"amount": Decimal("0.05")}),
    (E.WITHDRAWAL_RETURNED, {"market": 1, "amount": 5}, {"amount": Decimal("0.05")}),
    (E.TRANSFERRED, {"other": 8, "market": 1, "amount": 5}, {"giver": "alice", "taker": "bob"}),
    (E.MARGIN_MOVED, {"other": 8, "market": 1, "amount": -5}, {"child": "bob", "amount": Decimal("-0.05")}),
    (E.LEVERAGE_SET, {"market": 1, "amount": 5}, {"leverage": 5, "symbol": "X-PERP"}),
    (E.MARGIN_MODE_SET, {"market": 1, "other": 2, "amount": 1}, {"mode": "isolated", "owner": 2}),
    (E.INDEX_SET, {"market": 2, "price": 3}, {"name": "X-PERP", "price": Decimal("1.5")}),
    (E.INDEX_SET, {"market": 1, "price": 3}, {"name": "BTC", "price": Decimal("0.000003")}),
    (E.MARK_SET, {"market": 1, "price": 3, "other": 4, "extra2": 5}, {"mark": Decimal("1.5"), "bid": None}),
    (E.ORDER_ACCEPTED, {"market": 1, "side": BUY, "options": 1 + 2 * 1}, {"type": "market", "time_in_force": "IOC"}),
    (E.ORDER_AMENDED, {"market": 1, "side": SELL, "lots": 3, "extra": 1}, {"kept_its_place": True, "side": "sell"}),
    (E.ORDER_TRIGGERED, {"market": 1, "side": BUY, "price": 3}, {"price": Decimal("1.5")}),
    (E.ORDER_CLOSED, {"market": 1, "side": BUY, "reason": 5, "lots": 1}, {"because": "reduce_only"}),
    (
        E.FILL,
        {"market": 1, "side": SELL, "options": 3, "price": 3, "lots": 4, "amount": -7, "fee": -1, "extra": -2},
        {"cost": Decimal("0.60"), "realized": Decimal("-0.07"), "is_maker": True, "position": Decimal("-0.2")},
    ),
    (E.FUNDING_SET, {"market": 1, "amount": 5, "extra": 1 << 20}, {"funding_index": Decimal("0.5")}),
    (E.FUNDING_PAID, {"market": 1, "amount": -5}, {"amount": Decimal("-0.05")}),
    (E.DUST_SWEPT, {"market": 1, "amount": 5}, {"amount": Decimal("0.05"), "of": "funding"}),
    (E.DUST_SWEPT, {"market": 1, "amount": 5, "reason": 1}, {"of": "settlement"}),
    (
        E.MARKET_SETTLED,
        {"market": 1, "price": 3, "reason": 2, "amount": 1_500_000},
        {"price": Decimal("1.5"), "source": "mark", "averaged": Decimal("1.5"), "index": None},
    ),
    (
        E.POSITION_SETTLED,
        {"market": 1, "side": SELL, "price": 3, "lots": 4, "amount": -7},
        {"side": "sell", "amount": Decimal("0.4"), "realized": Decimal("-0.07")},
    ),
    (E.INTEREST_PAID, {"market": 2, "amount": 5, "other": 10**12 + 10**9}, {"index": Decimal("1.001"), "asset": "BTC"}),
    (E.INTEREST_PAID, {"market": 2, "amount": 5, "fee": 2, "other": 10**12}, {"reserve": Decimal("0.00000002")}),
    (E.POOL_SUPPLIED, {"market": 2, "amount": 5, "other": 3, "lots": 500}, {"shares": Decimal("0.00000500")}),
    (E.POOL_REDEEMED, {"market": 2, "amount": 5, "other": 3, "lots": 500}, {"share": "pBTC", "asset": "BTC"}),
    (E.DEBT_WRITTEN_OFF, {"market": 2, "amount": 5, "other": 3}, {"share": "pBTC", "amount": Decimal("0.00000005")}),
    (E.DEBT_WRITTEN_OFF, {"market": 2, "amount": 5}, {"share": None}),
    (E.SHARE_PRICE_SET, {"market": 3, "price": 7, "amount": 5, "lots": 500}, {"assets": Decimal("0.00000005")}),
    (E.RATE_SET, {"market": 2, "amount": 40_000_000_001}, {"asset": "BTC", "rate": Decimal("0.040000000001")}),
    (E.INTEREST_SET, {"market": 1, "amount": 50_000, "extra": 10**12, "extra2": 7}, {"rate": Decimal("0.05")}),
    (E.CANCEL_AFTER_SET, {"amount": 0}, {"due_ns": None}),
    (E.CONVERTED, {"market": 2, "other": 1, "lots": 5, "amount": 6}, {"sold_asset": "BTC", "bought": Decimal("0.06")}),
    (E.LIQUIDATION_STARTED, {"amount": -5, "fee": 6}, {"equity": Decimal("-0.05"), "maintain": Decimal("0.06")}),
    (E.LIQUIDATION_ORDER, {"market": 1, "side": BUY, "amount": -5}, {"bankruptcy": Decimal("-0.05")}),
    (E.LIQUIDATION_FEE, {"market": 1, "amount": 5}, {"amount": Decimal("0.05")}),
    (E.FUND_DAY, {"market": 2, "amount": 150_000_000}, {"asset": "BTC", "paid": Decimal("1.5")}),
    (E.FUND_PAID, {"market": 0, "other": 2, "amount": 5}, {"symbol": None, "asset": "BTC"}),
    (E.TAKEN_OVER, {"market": 1, "other": 3, "side": SELL}, {"backstop": "backstop"}),
    (
        E.DELEVERAGED,
        {"market": 1, "other": 8, "side": SELL, "fee": 5},
        {"counterparty": "bob", "fund": Decimal("0.05")},
    ),
    (
        E.BID_PLACED,
        {"market": 2, "options": 1, "other": 8, "lots": 5, "amount": 6, "side": 2},
        {"bidder": "alice", "account": "bob", "most": Decimal("0.05"), "least": Decimal("6E-8"), "as_asked": True},
    ),
    (
        E.BID_CLOSED,
        {"market": 2, "options": 1, "other": 8, "order": 4, "extra": 130},
        {"bid": 4, "reason": Reject(130)},
    ),
    (
        E.BID_FILLED,
        {"market": 2, "options": 1, "other": 8, "reason": 3, "price": 50_000, "lots": 5, "amount": 6, "extra2": 7},
        {"account": "alice", "curve": 3, "rate": Decimal("0.05"), "received": Decimal("6E-8"), "cost": Decimal("0.07")},
    ),
    (
        E.OFFERS_RESTARTED,
        {"market": 2, "options": 1, "other": 8, "reason": 3, "amount": 5, "fee": 7, "extra": 6, "extra2": 9},
        {"keeper": "bob", "collateral_asset": "BTC", "debt_asset": "USD", "curve": 3, "paid": Decimal("0.05")},
    ),
    (
        E.COLLATERAL_ORDER,
        {"market": 1, "side": SELL, "reason": 3, "price": 3, "lots": 4, "amount": 50_000, "fee": 6, "extra": 5},
        {"side": "sell", "limit": Decimal("1.5"), "curve": 3, "rate": Decimal("0.05"), "equity": Decimal("0.05")},
    ),
    (
        E.CLAIMS_ISSUED,
        {"market": 2, "options": 1, "other": 8, "reason": 3, "price": 50_000, "lots": 5, "amount": 6, "extra2": 7},
        {"account": "alice", "bidder": "bob", "repaid": Decimal("0.05"), "received": Decimal("6E-8")},
    ),
    (
        E.ABSORBED,
        {"market": 2, "options": 1, "other": 3, "reason": 3, "price": 50_000, "lots": 5, "amount": 6, "extra2": 7},
        {"account": "alice", "share": "pBTC", "repaid": Decimal("0.05"), "received": Decimal("6E-8")},
    ),
    (
        E.DEBT_SPREAD,
        {"market": 2, "options": 1, "other": 1_475 * 10**9, "reason": 3, "price": 50_000, "lots": 5, "amount": 6},
        {"account": "alice", "repaid": Decimal("0.05"), "received": Decimal("6E-8"), "growth": Decimal("1.475")},
    ),
    (
        E.STAKES_PAID,
        {"market": 1, "options": 2, "other": 3, "amount": 5, "reason": 1},
        {"symbol": "X-PERP", "asset": "BTC", "amount": Decimal("5E-8"), "share": "pBTC", "beside": True},
    ),
    (E.STAKES_PAID, {"options": 2, "other": 3, "amount": 5}, {"symbol": None, "beside": False}),
    (E.STAKES_EARNED, {"market": 1, "other": 3, "amount": 5}, {"share": "pBTC", "amount": Decimal("0.05")}),
    (E.LEAVING_SET, {"market": 3, "lots": 500, "amount": 7}, {"shares": Decimal("0.00000500"), "from_ns": 7}),
    (E.LEAVING_SET, {"market": 3}, {"from_ns": None}),
    (E.GAIN_PAID, {"market": 2, "other": 3, "lots": 500, "amount": 5}, {"asset": "BTC", "share": "pBTC"}),
    (E.DUST_TAKEN, {"market": 2, "other": 1, "amount": 5}, {"asset": "BTC", "taker": "insurance"}),
    (
        E.FEED_JUDGED,
        {"market": 2, "price": 20, "amount": 2, "fee": 4, "other": 22, "lots": 18, "extra": 5, "extra2": 6},
        {"low": Decimal(9), "high": Decimal(12), "pending": Decimal(3), "good_for": ("open", "liquidate")},
    ),
    (E.LIQUIDATION_WAITS, {"amount": 5, "extra": 7}, {"equity": Decimal("0.05"), "good_equity": Decimal("0.07")}),
    (E.LIQUIDATION_ENDED, {"reason": 2, "amount": 5}, {"because": "closed", "equity": Decimal("0.05")}),
]


@pytest.mark.parametrize(
    ("kind", "columns", "expected"), CASES, ids=[E.Event(kind).name.lower() for kind, _, _ in CASES]
)
def test_an_event_decodes(decoder, kind, columns, expected):
    row = Row(**{**dict.fromkeys(Row._fields, 0), "seq": 5, "kind": kind, "account": 7, **columns})
    record = decoder.one(row, 2, 1_000)
    assert (record.seq, record.nth, record.at_ns) == (5, 2, 1_000)
    assert {name: getattr(record, name) for name in expected} == expected
    assert type(record).__name__ == {"Rejected": "Refused"}.get(_camel(kind), _camel(kind))


def _camel(kind: int) -> str:
    return "".join(word.capitalize() for word in E.Event(kind).name.split("_"))


def test_every_kind_has_its_case():
    assert {kind for kind, _, _ in CASES} == set(E.Event)


def test_records_are_values(decoder):
    row = Row(**{**dict.fromkeys(Row._fields, 0), "kind": E.DUST_SWEPT, "market": 1, "amount": 5})
    first, second = (decoder.one(row, 0, 0) for _ in range(2))
    assert first == second
    with pytest.raises(AttributeError):
        first.amount = Decimal(1)
    assert isinstance(first, H.DustSwept)
