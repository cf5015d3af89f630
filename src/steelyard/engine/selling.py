"""What accounts in liquidation sell through books, and before that what pools take. See docs/concepts/offers.md."""

from steelyard.engine.absorbing import absorb_pair, draw_up, may_be_sold, spread_pair
from steelyard.engine.events import say, say_money
from steelyard.engine.funds import earn
from steelyard.engine.ledger import cash, find_leg, first_in_order, has_leg_room, open_leg
from steelyard.engine.matching import EVENTS_PER_ORDER_MAX, match
from steelyard.model.events import COLLATERAL_ORDER, LIQUIDATION_FEE
from steelyard.model.keys import A_POOL_GAINS, C_TAKER, M_BASE, M_LIQUIDATION_FEE_PPM, M_SETTLE
from steelyard.model.orders import FOR_BOOK, FOR_MAINTAIN, STP_MAKER
from steelyard.num import far, kernel
from steelyard.num.rounding import ppm_up
from steelyard.rules.cash import atoms_down
from steelyard.rules.interest import cash_now
from steelyard.rules.offers import standing_offer, variable
from steelyard.rules.requirement import account_risk
from steelyard.rules.sales import market_between, size_of_sale
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    BID,
    CURVE_RULE,
    LEG,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    SCRATCH,
)

RECEIVED = 0  # where in the scratch an order's signed cash is left


@far
def take_from_book(s, row, side, limit, lots):
    """An immediate-or-cancel order of the house, for a leg in liquidation. Returns lots filled."""
    left, traded, _ = match(s, row, -LEG(s).account[row], side, limit, lots, STP_MAKER, 0, 1, 0)
    SCRATCH(s)[RECEIVED] = -traded
    return lots - left


@far
def take_penalty(s, account, market, received, spare):
    """The penalty of fills goes to the insurance fund, out of what is to spare."""
    rule = MARKET_RULE(s)
    fee = min(ppm_up(abs(received), rule[market, M_LIQUIDATION_FEE_PPM]), spare)
    if fee > 0:
        earn(s, account, market, rule[market, M_SETTLE], fee)
        say_money(s, LIQUIDATION_FEE, account, market, fee, 0)
    return 0


@kernel
def pay_for_sale(s, account, market, sells, received):
    """The fee of what was sold: at most what the account then owns, and when it buys what it has of the quote."""
    quote = MARKET_RULE(s)[market, M_SETTLE]
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    spare = max(0, atoms_down(equity, ASSET(s).price[quote]))
    if not sells:
        spare = min(spare, cash(s, account, quote))
    return take_penalty(s, account, market, received, spare)


@kernel
def sell_pair(s, account, given, owed):
    """What the standing step says of a collateral and a debt goes to the book. The market of the order, or 0."""
    leg = LEG(s)
    curve, elapsed = standing_offer(s, given, owed)
    if curve == 0 or CURVE_RULE(s)[curve, C_TAKER] != FOR_BOOK or leg.quantity[given] <= 0 or leg.quantity[owed] >= 0:
        return 0
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    if equity >= requirement:
        return 0
    collateral, debt = leg.thing[given], leg.thing[owed]
    market = market_between(s, collateral, debt) if may_be_sold(s, collateral, debt) else 0
    if market == 0:
        return 0
    x = variable(s, account, curve, collateral, elapsed, equity, requirement)
    if not draw_up(s, account, collateral, debt, curve, x, equity):
        return 0
    sells = MARKET_RULE(s)[market, M_BASE] == collateral
    lots, limit, most = size_of_sale(s, 0, market, sells, leg.quantity[given], -cash_now(s, owed))
    row = find_leg(s, account, MARKET_0 + market)
    if lots == 0 or (row == 0 and not has_leg_room(s, account, 1)):
        return 0
    row = row if row else open_leg(s, account, MARKET_0 + market)
    y, side, mark = BID(s).value[0], -1 if sells else 1, MARKET(s).mark[market]
    say(s, COLLATERAL_ORDER, account, market, side, 0, mark, limit, lots, y, requirement, equity, most, curve, 0)
    if take_from_book(s, row, side, limit, lots):
        pay_for_sale(s, account, market, sells, SCRATCH(s)[RECEIVED])
    return market


@far
def sell_collateral(s, account):
    """What pools and books take of an account in liquidation: debt by debt, for each collateral, while it is unhealthy.

    The market of the last order that was sent; 0: none.
    """
    leg, machine, sold_in = LEG(s), MACHINE(s), 0
    if ACCOUNT(s).debts[account] == 0:
        return 0
    started = machine.events[0]
    owed = first_in_order(s, account)
    while owed and leg.thing[owed] < MARKET_0:
        given = first_in_order(s, account)
        while given and leg.thing[given] < MARKET_0:
            if leg.quantity[owed] < 0 and leg.quantity[given] > 0:
                equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
                if equity >= requirement:
                    return sold_in
                absorb_pair(s, account, given, owed, equity, requirement)
                if ASSET_RULE(s)[leg.thing[owed], A_POOL_GAINS] == leg.thing[given]:
                    spread_pair(s, account, given, owed)
                if machine.events[0] - started <= EVENTS_PER_ORDER_MAX:
                    market = sell_pair(s, account, given, owed)
                    sold_in = market if market else sold_in
            given = leg.next_of_account[given]
        owed = leg.next_of_account[owed]
    return sold_in
