"""Deposits, withdrawals, transfers and isolated margin through the face."""

from decimal import Decimal

import pytest

from steelyard import Reject, Rejected
from steelyard.venue.happened import Deposited, Transferred, WithdrawalConfirmed, WithdrawalReserved


def cash(venue, account, asset="USD"):
    return next((each.total for each in venue.account(account).balances if each.asset == asset), Decimal(0))


def test_a_deposit_arrives_and_is_told(exchange):
    result = exchange.deposit("alice", "0.5", "BTC", reference="tx-1")
    (event,) = result.events
    assert isinstance(event, Deposited)
    assert (event.account, event.asset, event.amount) == ("alice", "BTC", Decimal("0.5"))
    assert exchange.events == result.events
    assert cash(exchange, "alice", "BTC") == Decimal("0.5")


def test_a_withdrawal_is_reserved_then_confirmed_or_returned(exchange):
    first = exchange.withdraw("alice", 100)
    assert isinstance(exchange.events[0], WithdrawalReserved)
    second = exchange.withdraw("alice", 50, reference="mine")
    assert second == "mine" != first
    assert cash(exchange, "alice") == 850
    exchange.confirm_withdrawal(first)
    assert isinstance(exchange.events[0], WithdrawalConfirmed)
    exchange.return_withdrawal(second)
    assert cash(exchange, "alice") == 900
    exchange.check()


def test_a_transfer_between_accounts(exchange):
    exchange.transfer("alice", "bob", 250)
    (event,) = exchange.events
    assert isinstance(event, Transferred)
    assert (event.giver, event.taker, event.amount) == ("alice", "bob", 250)
    assert cash(exchange, "alice") == 750


@pytest.mark.parametrize(
    ("ask", "reason", "message"),
    [
        (
            lambda v: v.withdraw("alice", 5_000),
            "BALANCE_TOO_LOW",
            "withdraw 5,000.00 USD from alice: the cash is not there (alice holds 1,000.00 USD)",
        ),
        (
            lambda v: v.transfer("alice", "alice", 5),
            "SAME_ACCOUNT",
            "transfer 5.00 USD from alice to alice: giver and taker are the same account",
        ),
        (
            lambda v: v.deposit("alice", 0),
            "AMOUNT_MUST_BE_POSITIVE",
            "deposit 0.00 USD to alice: the amount must be above zero",
        ),
        (
            lambda v: v.deposit("alice", 10**10),
            "AMOUNT_EXCEEDS_LIMIT",
            "deposit 10,000,000,000.00 USD to alice: the amount is more than this asset may ever hold inside the venue "
            "(201,000.00 inside, at most 9,007,199,254.740992)",
        ),
        (
            lambda v: [v.deposit("alice", 1, reference="x") for _ in range(2)],
            "REFERENCE_REPEATED",
            "deposit 1.00 USD to alice: this reference was used before, and each acts once",
        ),
        (
            lambda v: v.confirm_withdrawal("nothing"),
            "REFERENCE_UNKNOWN",
            "confirm withdrawal nothing: no withdrawal has this reference",
        ),
        (
            lambda v: v.add_margin("alice", "BTC-PERP", 5),
            "MARKET_IS_NOT_ISOLATED",
            "move margin of alice in BTC-PERP: this account has no isolated position in this market",
        ),
        (
            lambda v: v.add_margin("alice", "BTC-PERP", -5),
            "AMOUNT_MUST_BE_POSITIVE",
            "an amount of margin must be above zero, not -5",
        ),
    ],
)
def test_refusals_say_what_was_asked_and_why(exchange, ask, reason, message):
    with pytest.raises(Rejected) as refusal:
        ask(exchange)
    assert (refusal.value.reason.name, refusal.value.message) == (reason, message)


def test_margin_in_use_cannot_be_withdrawn(long_alice):
    with pytest.raises(Rejected) as refusal:
        long_alice.withdraw("alice", 500)
    assert refusal.value.reason == Reject.OPENING_MARGIN_EXCEEDED
    # Equity 1000 - 12.50 fee - 500; requirement 25,000 x 3 % - 100.
    assert "equity 487.50, requirement 650.00 afterwards, short by 162.50 USD" in refusal.value.message
    assert long_alice.account("alice").free == Decimal("337.5")
    long_alice.withdraw("alice", "337.5")


def test_a_result_tells_instead_of_raising(exchange):
    result = exchange.withdraw("alice", 5_000, check=False)
    assert result.reason == Reject.BALANCE_TOO_LOW
    assert not result.is_done
    assert "the cash is not there" in result.message
    assert exchange.deposit("nobody", 5, check=False).reason == Reject.ACCOUNT_UNKNOWN
    assert exchange.deposit("alice", 5, check=False).is_done


def test_isolated_margin_moves_in_and_out(exchange):
    exchange.set_margin_mode("alice", "BTC-PERP", "isolated")
    exchange.order("bob", "BTC-PERP", "sell", "0.1", 50_000)
    exchange.order("alice", "BTC-PERP", "buy", "0.1", 50_000)
    child = "alice/BTC-PERP"
    assert exchange.account("alice").children == (child,)
    before = exchange.position("alice", "BTC-PERP").collateral
    exchange.add_margin("alice", "BTC-PERP", 100)
    assert exchange.position("alice", "BTC-PERP").collateral == before + 100
    exchange.remove_margin("alice", "BTC-PERP", 60)
    assert exchange.account(child).equity == before + 40
    with pytest.raises(Rejected) as refusal:
        exchange.remove_margin("alice", "BTC-PERP", 100)
    assert refusal.value.reason == Reject.OPENING_MARGIN_EXCEEDED
    assert "short by" in refusal.value.message


def test_other_assets_count_as_collateral_with_their_haircut(exchange):
    exchange.deposit("alice", 1, "BTC")
    view = exchange.account("alice")
    assert view.equity == 51_000
    assert view.requirements.open == 5_000
    assert view.requirements.maintain == 2_500
    btc = next(each for each in view.balances if each.asset == "BTC")
    assert (btc.price, btc.value, btc.free) == (50_000, 50_000, Decimal("0.92"))
    assert view.to_ccxt()["total"] == {"USD": 1_000.0, "BTC": 1.0}
