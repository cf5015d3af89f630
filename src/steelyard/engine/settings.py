"""Accounts, leverage, margin mode."""

from steelyard.engine.accounts import add_account, take_settings_of
from steelyard.engine.changing import check_user
from steelyard.engine.events import say, say_money
from steelyard.engine.ledger import find_leg, has_leg_room, legs_wanted, open_leg
from steelyard.engine.opening import STALE
from steelyard.engine.placing import acting_account, is_isolated, why_not_good
from steelyard.model import reject as no
from steelyard.model.events import LEVERAGE_SET, MARGIN_MODE_SET
from steelyard.model.keys import O_ISOLATED, O_RISK_TIER, T_LEVERAGE_MAX
from steelyard.model.orders import CROSS, FOR_OPEN, ISOLATED, TO_OPEN, USER
from steelyard.num import far, kernel
from steelyard.num.wide import shift_left
from steelyard.rules.pairs import is_pair, spends_cash
from steelyard.rules.price import is_market_good
from steelyard.rules.requirement import account_risk, leverage_of
from steelyard.state.tables import (
    ACCOUNT,
    COMMAND,
    L_ACCOUNTS,
    LAYOUT,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET_0,
    OWNER,
    OWNER_RULE,
    TIER_RULE,
)


@kernel
def open_account(s, i):
    owner, machine = COMMAND(s).account[i], MACHINE(s)
    if owner <= 1 or owner > machine.owners[0]:
        return no.OWNER_UNKNOWN
    if machine.accounts[0] >= LAYOUT(s)[L_ACCOUNTS]:
        return no.ACCOUNTS_FULL
    add_account(s, machine.accounts[0] + 1, owner, USER, 0, 0)
    return no.NONE


@far
def set_leverage(s, i):
    """SET_LEVERAGE: changes the opening requirement only; lowering it must still leave E >= M(open)."""
    c, orders = COMMAND(s), LEG_OPEN(s)
    account, market, chosen = c.account[i], c.market[i], c.lots[i]
    if chosen < 1:
        return no.FIELD_OUT_OF_RANGE
    reason = check_user(s, account)
    if reason:
        return reason
    if market <= 0 or market > MACHINE(s).markets[0]:
        return no.MARKET_UNKNOWN
    if is_pair(s, market):
        return no.PAIR_HAS_NO_LEVERAGE
    if chosen > TIER_RULE(s)[OWNER_RULE(s)[ACCOUNT(s).owner[account], O_RISK_TIER], T_LEVERAGE_MAX]:
        return no.LEVERAGE_EXCEEDS_LIMIT
    thing = MARKET_0 + market
    stub = find_leg(s, account, thing)
    child = LEG(s).child[stub] if stub else 0
    holder = acting_account(s, account, market)
    if holder == 0:
        holder = account
    leg = find_leg(s, holder, thing)
    if leg and ACCOUNT(s).queued[holder]:
        return no.ACCOUNT_IN_LIQUIDATION
    if leg and chosen < leverage_of(s, leg):
        if not is_market_good(s, market, TO_OPEN):
            return why_not_good(s, market)
        before = orders.leverage[leg]
        orders.leverage[leg] = chosen
        equity, requirement, _ = account_risk(s, holder, FOR_OPEN)
        orders.leverage[leg] = before
        if equity < requirement:
            return no.OPENING_MARGIN_EXCEEDED
    if stub == 0:
        if not has_leg_room(s, account, legs_wanted(s, account, thing)):
            return no.LEGS_FULL
        stub = open_leg(s, account, thing)
    orders.leverage[stub] = chosen
    ACCOUNT(s).open_epoch[account] = STALE  # its slack was made with the old one
    if child:
        orders.leverage[find_leg(s, child, thing)] = chosen
        ACCOUNT(s).open_epoch[child] = STALE
    say_money(s, LEVERAGE_SET, account, market, chosen, 0)
    return no.NONE


@kernel
def holds_market(s, account, market):
    """Whether an account has a position or an order in a market."""
    leg = find_leg(s, account, MARKET_0 + market)
    return leg != 0 and (LEG(s).quantity[leg] != 0 or LEG_OPEN(s).first_order[leg] != 0)


@far
def set_margin_mode(s, i):
    c, table = COMMAND(s), ACCOUNT(s)
    account, market, mode = c.account[i], c.market[i], c.lots[i]
    if mode != CROSS and mode != ISOLATED:
        return no.FIELD_OUT_OF_RANGE
    reason = check_user(s, account)
    if reason:
        return reason
    if market <= 0 or market > MACHINE(s).markets[0]:
        return no.MARKET_UNKNOWN
    if mode == ISOLATED and spends_cash(s, market):
        return no.MARKET_IS_NOT_ISOLATED
    owner = table.owner[account]
    if is_isolated(s, owner, market) == mode:
        return no.NOTHING_CHANGES
    each = OWNER(s).first_account[owner]
    while each:
        if holds_market(s, each, market):
            return no.MARGIN_MODE_IN_USE
        each = table.next_of_owner[each]
    OWNER_RULE(s)[owner, O_ISOLATED + (market >> 6)] ^= shift_left(1, market & 63)
    take_settings_of(s, owner)
    say(s, MARGIN_MODE_SET, account, market, 0, 0, owner, 0, 0, mode, 0, 0, 0, 0, 0)
    return no.NONE
