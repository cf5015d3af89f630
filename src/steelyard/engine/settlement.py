"""The end of a market: its expiry, and the closing of its legs. See docs/concepts/contracts.md."""

from steelyard.engine.changing import cancel_leg
from steelyard.engine.events import say
from steelyard.engine.funding import sweep_dust
from steelyard.engine.ledger import far_post, first_in_order
from steelyard.engine.orders import give_back
from steelyard.engine.positions import far_book_trade, settle_funding
from steelyard.engine.prices import settle_market
from steelyard.engine.timers import push_timer
from steelyard.model.events import CLOSED_SETTLED, DUST_SWEPT, POSITION_SETTLED
from steelyard.model.keys import M_EXPIRY_NS, M_SETTLE, M_STATE
from steelyard.model.orders import DUST, SETTLED, TIMER_SETTLEMENT
from steelyard.num import far, kernel
from steelyard.num.limits import SETTLEMENT_WAIT_NS
from steelyard.rules.worth import closing_worth
from steelyard.state.tables import HOLDER, LEG, MACHINE, MARKET, MARKET_0, MARKET_RULE

LEGS_PER_COMMAND = 256


@far
def plan_settlement(s, market):
    """An expiry was set: its average begins anew."""
    table, expiry = MARKET(s), MARKET_RULE(s)[market, M_EXPIRY_NS]
    table.index_sum[market] = 0
    table.index_micros[market] = 0
    if expiry:
        push_timer(s, expiry, (TIMER_SETTLEMENT << 32) + market)
    return 0


@far
def expire(s, market, at_ns):
    """A market's expiry, or the end of its wait for an index."""
    expiry = MARKET_RULE(s)[market, M_EXPIRY_NS]
    if at_ns == expiry:
        settle_market(s, market, 0)
        if MARKET_RULE(s)[market, M_STATE] != SETTLED:
            push_timer(s, expiry + SETTLEMENT_WAIT_NS, (TIMER_SETTLEMENT << 32) + market)
    elif expiry and at_ns == expiry + SETTLEMENT_WAIT_NS:
        settle_market(s, market, 1)
    return 0


@kernel
def settle_leg(s, row, market):
    """Orders go, funding settles, the position closes at the settlement price."""
    leg, price = LEG(s), MARKET(s).mark[market]
    cancel_leg(s, row, CLOSED_SETTLED)
    account, quantity = leg.account[row], leg.quantity[row]
    if quantity == 0:
        return 0
    settle_funding(s, row)
    realised = far_book_trade(s, row, -quantity, closing_worth(s, market, quantity, price), 0)
    side = -1 if quantity > 0 else 1
    say(s, POSITION_SETTLED, account, market, side, 0, 0, price, abs(quantity), realised, 0, 0, 0, 0, 0)
    give_back(s, row, 0)
    return 0


@kernel
def settle_holder(s, account):
    """Close what an account holds in all settled markets, so that nobody is judged half settled."""
    row = first_in_order(s, account)
    while row:
        market = LEG(s).thing[row] - MARKET_0
        if market > 0 and MARKET(s).settling[market]:
            settle_leg(s, row, market)
        row = LEG(s).next_of_account[row]
    return 0


@kernel
def sweep_market(s, market):
    """Everybody is paid. What roundings left belongs to the dust account: clearing and funding end at zero."""
    table = MARKET(s)
    rest = table.clearing[market]
    if rest:
        table.clearing[market] = 0
        far_post(s, DUST, MARKET_RULE(s)[market, M_SETTLE], rest)
        say(s, DUST_SWEPT, 0, market, 0, 0, 0, 0, 0, rest, 0, 0, 0, 1, 0)
    sweep_dust(s, market)
    return 0


@far
def settle_positions(s, enough):
    """Close legs of expired markets, the newest first, as far as a command's work may go.

    With each leg go the others that its account holds in such markets.
    """
    table, machine = MARKET(s), MACHINE(s)
    left = LEGS_PER_COMMAND
    for market in range(1, machine.markets[0] + 1):
        while table.settling[market] and left > 0 and machine.events[0] < enough:
            row = table.settling[market]
            settle_holder(s, LEG(s).account[row])
            table.settling[market] = HOLDER(s).next[row]
            left -= 1
            if table.settling[market] == 0:
                machine.settling[0] -= 1
                sweep_market(s, market)
    return 0
