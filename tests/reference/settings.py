"""What an account's holder may set: accounts, margin, leverage, margin mode and the timer.

See docs/concepts/money.md (isolated margin) and legs-and-health.md (isolated positions).
"""

from steelyard.model import events, reject
from steelyard.model.keys import M_SETTLE, T_LEVERAGE_MAX
from steelyard.model.orders import CROSS, ISOLATED, SYSTEM_OWNER, TO_OPEN, TO_WITHDRAW, USER
from steelyard.num.limits import AMOUNT_MAX, TIME_NS_MAX
from tests.reference import isolated, money, pairs
from tests.reference.health import leverage_of, may_leave, may_open
from tests.reference.orders import check_trader
from tests.reference.rows import Account, copied


def open_account(twin, c):
    owner = c.account
    twin.require(owner in twin.owners and owner != SYSTEM_OWNER, reject.OWNER_UNKNOWN)
    twin.require(len(twin.accounts) < twin.limits.accounts, reject.ACCOUNTS_FULL)
    row = twin.open_account(Account(row=len(twin.accounts) + 1, owner=owner))
    twin.emit(events.ACCOUNT_OPENED, account=row, other=owner)


def check_user_and_market(twin, c):
    twin.require(c.account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(twin.accounts[c.account].role == USER, reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(c.market in twin.markets, reject.MARKET_UNKNOWN)
    return twin.markets[c.market]


def move_margin(twin, c):
    market = check_user_and_market(twin, c)
    twin.require(c.lots != 0, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(abs(c.lots) <= AMOUNT_MAX, reject.AMOUNT_EXCEEDS_LIMIT)
    stub = twin.leg_or_none(c.account, market.thing)
    child = stub.child if stub else 0
    twin.require(child and twin.quantity(child, market.thing), reject.MARKET_IS_NOT_ISOLATED)
    giver, asset, amount = (c.account if c.lots > 0 else child), market.rule[M_SETTLE], abs(c.lots)
    twin.require(not twin.accounts[giver].queued, reject.ACCOUNT_IN_LIQUIDATION)
    twin.require_good(money.held_markets(twin, giver), TO_WITHDRAW)
    twin.require(pairs.free(twin, giver, asset) >= amount, reject.BALANCE_TOO_LOW)
    legs = copied(twin, twin.legs_of(giver))
    twin.require(not money.below_cap(twin, twin.legs_of(giver)), reject.LOAN_CAP_EXCEEDED)
    legs[asset].quantity -= amount
    reason = reject.PARENT_MARGIN_EXCEEDED if c.lots > 0 else reject.OPENING_MARGIN_EXCEEDED
    twin.require(may_leave(twin, legs), reason)
    isolated.move_margin(twin, child, c.lots)


def set_leverage(twin, c):
    twin.require(c.lots >= 1, reject.FIELD_OUT_OF_RANGE)
    market = check_user_and_market(twin, c)
    twin.require(not pairs.is_pair(market), reject.PAIR_HAS_NO_LEVERAGE)
    tier = twin.tiers[twin.risk_tier_of(c.account)]
    twin.require(c.lots <= tier[T_LEVERAGE_MAX], reject.LEVERAGE_EXCEEDS_LIMIT)
    acting = isolated.acting_account(twin, c.account, market) or c.account
    twin.require(twin.has_room_for_legs(c.account, twin.things_of(market)), reject.LEGS_FULL)
    legs = copied(twin, twin.legs_of(acting))
    if market.thing in legs:
        twin.require(not twin.accounts[acting].queued, reject.ACCOUNT_IN_LIQUIDATION)
        leg = legs[market.thing]
        before, leg.leverage = leverage_of(twin, market, leg), c.lots
        if leverage_of(twin, market, leg) < before:
            twin.require_good([market], TO_OPEN)
            twin.require(may_open(twin, legs), reject.OPENING_MARGIN_EXCEEDED)
    stub = twin.make_market_leg(c.account, market)
    stub.leverage = c.lots
    if stub.child:
        twin.leg(stub.child, market.thing).leverage = c.lots
    twin.emit(events.LEVERAGE_SET, account=c.account, market=market.row, amount=c.lots)


def set_margin_mode(twin, c):
    twin.require(c.lots in (CROSS, ISOLATED), reject.FIELD_OUT_OF_RANGE)
    market = check_user_and_market(twin, c)
    owner = twin.accounts[c.account].owner
    twin.require(c.lots == CROSS or not pairs.spends_cash(market), reject.MARKET_IS_NOT_ISOLATED)
    twin.require(isolated.mode_of(twin, owner, market.row) != c.lots, reject.NOTHING_CHANGES)
    for account in twin.accounts_of(owner):
        in_use = twin.quantity(account, market.thing) or twin.open_orders(account, market.row)
        twin.require(not in_use, reject.MARGIN_MODE_IN_USE)
    isolated.set_mode(twin, owner, market.row, c.lots)
    twin.emit(events.MARGIN_MODE_SET, account=c.account, other=owner, market=market.row, amount=c.lots)


def cancel_after(twin, c):
    check_trader(twin, c.account)
    twin.require(0 <= c.lots <= TIME_NS_MAX - twin.now, reject.FIELD_OUT_OF_RANGE)
    at_ns = twin.now + c.lots if c.lots else 0
    twin.accounts[c.account].cancel_at_ns = at_ns
    twin.emit(events.CANCEL_AFTER_SET, account=c.account, amount=at_ns)
