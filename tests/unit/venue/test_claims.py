"""Newly issued claims through the Python face."""

from decimal import Decimal

import pytest

from steelyard import Rejected
from steelyard.venue import ladders as L
from steelyard.venue.happened import ClaimsIssued


@pytest.fixture
def bank(exchange):
    """Dora owes 15,900 dollars on ten ETH; the house may issue 10,000 GOV at about 2 dollars."""
    exchange.add_asset("ETH", 8, price=2_000, collateral=[(None, "0.8", "0.85")])
    exchange.add_asset("GOV", 6, price=2, supply_max=10_000)
    exchange.set_asset("USD", loan_cap=1_000_000, lender_bears=1)
    exchange.set_offers("GOV", [L.rising_auction("1", over=60, lasts=60)])
    exchange.set_issued("USD", "GOV")
    exchange.deposit("lender", 1_000_000)
    exchange.deposit("converter", 20_000)
    exchange.open_account(name="dora")
    exchange.deposit("dora", 10, "ETH")
    exchange.withdraw("dora", 15_900, borrow=True)
    exchange.deposit("alice", 200_000)
    return exchange


def test_claims_are_sold_and_told(bank):
    bank.set_price("ETH", 1_500)
    bank.liquidate("alice", "dora", 5_000, "GOV")
    result = bank.advance("1ns")
    issued = [event for event in result.events if isinstance(event, ClaimsIssued)]
    assert [(each.bidder, each.repaid, each.received, each.fee) for each in issued] == [
        ("alice", Decimal(900), Decimal(450), Decimal(0))
    ]
    told = str(bank.story("dora"))
    assert "alice pays 900.00 USD of dora's debt for 450.00 newly issued GOV (curve 1 at 0)" in told
    assert "holders of claims bore new ones of 450.00 GOV" in told
    assert bank.verify("dora").liquidations == 1


def test_what_is_refused(bank):
    with pytest.raises(Rejected, match="neither the unit of account, nor this asset"):
        bank.set_issued("USD", "USD")
    bank.set_issued("USD", None)
