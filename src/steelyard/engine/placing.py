"""Placing, amending and triggering orders: the checks in their documented order, then the writes."""

from steelyard.engine.accounts import add_account
from steelyard.engine.alarms import (
    DRIVER_MARK,
    HIGH,
    LOW,
    alarm_insert,
    market_driver,
    order_node,
)
from steelyard.engine.book import (
    best_against,
    crosses,
    leg_list_add,
    leg_list_remove,
    level_add,
    price_of_lots,
)
from steelyard.engine.events import say
from steelyard.engine.interest import index_soon
from steelyard.engine.ledger import (
    find_leg,
    free_cash,
    has_leg_room,
    legs_wanted,
    open_leg,
    seek_leg,
    transfer,
)
from steelyard.engine.matching import UNFINISHED, can_fill_whole, match
from steelyard.engine.opening import has_slack, open_terms, rate_of_leg, restate, take_slack
from steelyard.engine.orders import (
    add_margin,
    client_entry,
    client_insert,
    closing_share,
    commander,
    count_in,
    far_leave,
    give_back,
    is_post_only,
    is_reduce_only,
    lowest_free_order,
    order_row,
    reserve_per_lot,
    retire,
    say_amended,
    shrink_margin,
    take_order_row,
    taker_rate_ppm,
    trailing_add,
    wipe_order,
)
from steelyard.engine.timers import push_timer
from steelyard.model import orders as word
from steelyard.model import reject as no
from steelyard.model.events import (
    CLOSED_IMMEDIATE,
    CLOSED_REDUCE_ONLY,
    CLOSED_REFUSED,
    MARGIN_MOVED,
    ORDER_ACCEPTED,
    ORDER_TRIGGERED,
)
from steelyard.model.keys import (
    A_LOAN_CAP,
    A_POOL_GAINS,
    M_BASE,
    M_BRACKET_UPPER,
    M_BRACKETS,
    M_BY_ARRAY,
    M_DATED,
    M_EXPIRY_NS,
    M_HAS_SIZE,
    M_LOT_ATOMS,
    M_OPEN_INTEREST_LOTS_MAX,
    M_ORDER_LOTS_MAX,
    M_POSITION_LOTS_MAX,
    M_PRICE_BAND_PPM,
    M_SETTLE,
    M_STATE,
    M_TICKS_MAX,
    M_TICKS_MIN,
    O_ISOLATED,
    REQUIRES_ARRAY,
    S_IS_SET,
    T_PRODUCTS,
    UNIT,
)
from steelyard.model.orders import FOR_OPEN, FOR_REDUCE
from steelyard.num import far, kernel, leaf, unlikely
from steelyard.num.limits import ORDER_ID_SHIFT, PPM
from steelyard.num.rounding import ppm_down, ppm_up
from steelyard.rules.cash import atoms_up, cash_needed, value
from steelyard.rules.consent import exchange_is_no_weaker, is_no_weaker, is_over_loan_cap
from steelyard.rules.excess import excess_of_cash, excess_of_positions
from steelyard.rules.interest import cash_now, cash_of, loan_refusal
from steelyard.rules.pairs import flows, is_pair, pair_sums, pairs_part
from steelyard.rules.price import asset_feed, index_feed, is_stale
from steelyard.rules.requirement import (
    account_risk,
    charge_opening,
    leg_requirement,
    leverage_in_force,
    opening_atoms,
)
from steelyard.rules.scan import scan_part
from steelyard.rules.worth import gained, is_paid, notional_of, worth
from steelyard.state.tables import (
    ACCOUNT,
    ARRAY_RULE,
    ASSET,
    ASSET_RULE,
    COMMAND,
    L_ACCOUNTS,
    L_ORDERS_PER_ACCOUNT,
    L_TRAILING,
    LAYOUT,
    LEG,
    LEG_OPEN,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    NOTE,
    ORDER,
    OWNER,
    OWNER_RULE,
    TIER_RULE,
)

UNPAID, PAID, COUNTED = 0, 1, 2


@leaf
def is_isolated(s, owner, market):
    """Whether this owner holds this market in isolated mode."""
    return (OWNER_RULE(s)[owner, O_ISOLATED + (market >> 6)] >> (market & 63)) & 1


@leaf
def is_fresh(s, market):
    """Index and settlement price are both good for opening, and there is a mark."""
    now, table = MACHINE(s).now_ns[0], MARKET(s)
    settle = MARKET_RULE(s)[market, M_SETTLE]
    return table.mark[market] > 0 and now <= table.fresh_until_ns[market] and now <= ASSET(s).fresh_until_ns[settle]


@far
def why_not_good(s, market):
    """Index or settlement price are not good for what is asked: stale, or less than their feeds demand."""
    stale = is_stale(s, index_feed(s, market)) or is_stale(s, asset_feed(s, MARKET_RULE(s)[market, M_SETTLE]))
    stale = stale or MARKET(s).mark[market] == 0 or MARKET(s).index[market] == 0  # of a pair worth less than a tick
    return no.PRICE_STALE if stale else no.PRICE_UNCERTAIN


@far
def why_not_good_assets(s, one, other):
    """The same of the prices of two assets."""
    stale = is_stale(s, asset_feed(s, one)) or is_stale(s, asset_feed(s, other))
    return no.PRICE_STALE if stale else no.PRICE_UNCERTAIN


@leaf
def acting_account(s, account, market):
    """The account that holds this market for a parent: itself, or its isolated child (0 if not opened yet)."""
    if unlikely(ACCOUNT(s).isolates[account]) and is_isolated(s, ACCOUNT(s).owner[account], market):
        stub = find_leg(s, account, MARKET_0 + market)
        return LEG(s).child[stub] if stub else 0
    return account


@far
def check_condition(s, i):
    """Are the fields of a trigger or an expiry well formed, and do they fit the order?"""
    c = COMMAND(s)
    kind, tif, trigger = c.order_type[i], c.tif[i], c.trigger_kind[i]
    if trigger < 0 or trigger > word.TRAILING or c.trigger_on[i] < 0 or c.trigger_on[i] > word.ON_LAST:
        return no.FIELD_OUT_OF_RANGE
    if c.trigger[i] < 0 or c.expires_ns[i] < 0:
        return no.FIELD_OUT_OF_RANGE
    if trigger == word.NO_TRIGGER and c.trigger[i] != 0:
        return no.FIELD_OUT_OF_RANGE
    if trigger == word.TRAILING:
        if c.callback[i] < 1 or c.callback[i] > PPM - 1 or kind == word.LIMIT:
            return no.FIELD_OUT_OF_RANGE
    elif c.callback[i] != 0:
        return no.FIELD_OUT_OF_RANGE
    return no.NONE if (tif == word.GTT) == (c.expires_ns[i] > 0) else no.FIELD_OUT_OF_RANGE


@far
def check_flags(s, i):
    """Are the flags known, and do they fit the order?"""
    c = COMMAND(s)
    flags, trigger = c.options[i], c.trigger_kind[i]
    if flags < 0 or flags > word.FLAGS_ALL:
        return no.FIELD_OUT_OF_RANGE
    if is_post_only(flags):
        if flags & word.POST_ONLY and flags & word.POST_ONLY_SLIDE:
            return no.FIELD_OUT_OF_RANGE
        if c.order_type[i] == word.MARKET or c.tif[i] == word.IOC or c.tif[i] == word.FOK:
            return no.FIELD_OUT_OF_RANGE
    if flags & word.CLOSE_POSITION and ((trigger != word.STOP and trigger != word.TAKE_PROFIT) or c.lots[i] != 0):
        return no.FIELD_OUT_OF_RANGE
    return no.NONE


@leaf
def is_conditional(s, i):
    """Whether any field of a trigger or an expiry says something."""
    c = COMMAND(s)
    return c.trigger_kind[i] | c.trigger_on[i] | c.trigger[i] | c.callback[i] | c.expires_ns[i]


@leaf
def check_fields(s, i):
    """Is the row of a new order well formed?"""
    c = COMMAND(s)
    side, kind, tif = c.side[i], c.order_type[i], c.tif[i]
    beyond = (side != word.BUY) & (side != word.SELL) | (kind < 0) | (kind > word.MARKET) | (tif < 0) | (tif > word.GTT)
    if unlikely(beyond | (c.stp[i] < 0) | (c.stp[i] > word.STP_BOTH) | (c.price[i] < 0) | (c.lots[i] < 0)):
        return no.FIELD_OUT_OF_RANGE
    if unlikely((kind == word.MARKET) & ((c.price[i] != 0) | (tif == word.GTT))):
        return no.FIELD_OUT_OF_RANGE
    if unlikely(c.options[i]) and check_flags(s, i):
        return no.FIELD_OUT_OF_RANGE
    if unlikely((is_conditional(s, i) != 0) | (tif == word.GTT)):
        return check_condition(s, i)
    return no.NONE


@far
def write_note(s, row, i):
    c, note = COMMAND(s), NOTE(s)
    ORDER(s).noted[row] = 1
    note.trigger_kind[row] = c.trigger_kind[i]
    note.trigger_on[row] = c.trigger_on[i]
    note.trigger[row] = c.trigger[i]
    note.callback[row] = c.callback[i]
    note.expires_ns[row] = c.expires_ns[i]
    note.client0[row] = c.client0[i]
    note.client1[row] = c.client1[i]
    note.client2[row] = c.client2[i]
    note.client3[row] = c.client3[i]
    note.client4[row] = c.client4[i]
    return 0


@leaf
def write_draft(s, row, i, noted):
    """The order as asked for, in the row it will have."""
    c, order = COMMAND(s), ORDER(s)
    order.state[row] = word.INCOMING
    order.side[row] = c.side[i]
    order.order_type[row] = c.order_type[i]
    order.options[row] = c.options[i]
    order.price[row] = c.price[i]
    order.remaining[row] = c.lots[i]
    order.tif[row] = word.IOC if c.order_type[i] == word.MARKET and c.tif[i] == word.GTC else c.tif[i]
    order.stp[row] = c.stp[i]
    if unlikely(noted):
        write_note(s, row, i)
    return 0


@leaf
def stop_price(s, market, trigger_on):
    table = MARKET(s)
    if trigger_on == word.ON_MARK:
        return table.mark[market]
    return table.index[market] if trigger_on == word.ON_INDEX else table.last[market]


@leaf
def fires_at_or_above(side, kind):
    """A buy stop and a selling take-profit wait for a rise."""
    return (side > 0) == (kind == word.STOP)


@leaf
def would_fire(price, trigger, side, kind):
    return price >= trigger if fires_at_or_above(side, kind) else price <= trigger


@far
def check_expiry(s, market, flags):
    """A market that has expired is closed for ever; one that was given an expiry later is left, not entered."""
    rule = MARKET_RULE(s)
    if MACHINE(s).now_ns[0] >= rule[market, M_EXPIRY_NS]:
        return no.MARKET_SETTLED
    return no.NONE if rule[market, M_DATED] or is_reduce_only(flags) else no.MARKET_REDUCE_ONLY


@leaf
def check_permission(s, row, account, acting, market):
    """What the market, the tier and the account allow."""
    order, state = ORDER(s), MARKET_RULE(s)[market, M_STATE]
    flags = order.options[row]
    if unlikely(MARKET_RULE(s)[market, M_EXPIRY_NS]):
        reason = check_expiry(s, market, flags)
        if reason:
            return reason
    if state == word.HALTED:
        return no.MARKET_HALTED
    if state == word.CANCEL_ONLY:
        return no.MARKET_CANCEL_ONLY
    if state == word.POST_ONLY_MARKET and not is_post_only(flags):
        return no.MARKET_POST_ONLY
    if state == word.REDUCE_ONLY_MARKET and not is_reduce_only(flags):
        return no.MARKET_REDUCE_ONLY
    if not is_reduce_only(flags):
        product = word.PRODUCT_DATED if MARKET_RULE(s)[market, M_DATED] else word.PRODUCT_PERPETUAL
        product = word.PRODUCT_SPOT if is_pair(s, market) else product
        if ACCOUNT(s).scans[account]:
            product |= word.PRODUCT_PORTFOLIO
        if TIER_RULE(s)[ACCOUNT(s).risk_tier[account], T_PRODUCTS] & product != product:
            return no.TIER_FORBIDS_PRODUCT
    if unlikely(ACCOUNT(s).scans[account] | MARKET_RULE(s)[market, M_BY_ARRAY]):
        if ARRAY_RULE(s)[market, S_IS_SET] == 0 and not is_reduce_only(flags) and not is_pair(s, market):
            return no.RISK_ARRAY_MISSING
    if (
        acting
        and unlikely(ACCOUNT(s).queued[acting])
        and (ACCOUNT(s).queued[acting] != word.SPARED or not is_reduce_only(flags))
    ):
        return no.ACCOUNT_IN_LIQUIDATION
    if unlikely(is_reduce_only(flags)):
        return no.PRICE_STALE if MARKET(s).mark[market] == 0 else no.NONE
    if unlikely(not is_fresh(s, market)):
        return why_not_good(s, market)
    return no.NONE


@leaf
def side_lots(s, leg, side, lots):
    """The most lots a leg can come to hold with these added to one side, even if its position closes first."""
    quantity, orders = LEG(s).quantity[leg], LEG_OPEN(s)
    bids = orders.bid_lots[leg] + (lots if side > 0 else 0)
    asks = orders.ask_lots[leg] + (lots if side < 0 else 0)
    return max(max(0, quantity) + bids, max(0, -quantity) + asks)


@far
def lots_elsewhere(s, owner, acting_leg, market):
    """The larger sides of the owner's other legs in this market."""
    total = 0
    account = OWNER(s).first_account[owner]
    while account:
        leg = find_leg(s, account, MARKET_0 + market)
        if leg and leg != acting_leg:
            total += side_lots(s, leg, 1, 0)
        account = ACCOUNT(s).next_of_owner[account]
    return total


@leaf
def owner_lots(s, owner, acting, acting_leg, market, side, lots):
    """The larger sides of all the owner's legs in this market, the new order included."""
    total = side_lots(s, acting_leg, side, lots)
    if acting and ACCOUNT(s).alone[acting]:
        return total
    return total + lots_elsewhere(s, owner, acting_leg, market)


@leaf
def check_exposure(s, row, acting, leg, market, owner):
    """Limits of position and open interest. Leg 0 means an empty one."""
    order, rule, table = ORDER(s), MARKET_RULE(s), MARKET(s)
    side, lots = order.side[row], order.remaining[row]
    if unlikely(owner_lots(s, owner, acting, leg, market, side, lots) > rule[market, M_POSITION_LOTS_MAX]):
        return no.POSITION_LIMIT
    largest = rule[market, M_BRACKET_UPPER + rule[market, M_BRACKETS] - 1]
    if unlikely(notional_of(s, market, side_lots(s, leg, side, lots)) > largest):
        return no.POSITION_LIMIT
    if unlikely(table.open_interest[market] + lots > rule[market, M_OPEN_INTEREST_LOTS_MAX]):
        quantity, orders = LEG(s).quantity[leg], LEG_OPEN(s)
        resting = (orders.bid_lots[leg] if side > 0 else orders.ask_lots[leg]) + orders.reduce_lots[leg]
        if quantity * side >= 0 or lots + resting > abs(quantity):
            return no.OPEN_INTEREST_LIMIT
    return no.NONE


@leaf
def leverage_for(s, account, market, leg, stub):
    """Leverage an order would have, also when its leg is not open yet."""
    return leverage_in_force(s, account, market, LEG_OPEN(s).leverage[leg if leg else stub])


@kernel
def shortfall_after(s, row, account, acting, leg, market, leverage):
    """M(open) - E of the acting account with this order resting (a reduce-only one: filled whole); zero is enough."""
    order, orders, rule = ORDER(s), LEG_OPEN(s), MARKET_RULE(s)
    side, lots = order.side[row], order.remaining[row]
    price, quantity = ASSET(s).price[rule[market, M_SETTLE]], LEG(s).quantity[leg]
    equity, requirement = 0, 0
    question = FOR_REDUCE if is_reduce_only(order.options[row]) else FOR_OPEN
    if acting:
        equity, requirement, _ = account_risk(s, acting, question)
    if leg:
        requirement -= leg_requirement(s, leg, question)
    bids, bid_reserve = orders.bid_lots[leg], orders.bid_reserve[leg]
    asks, ask_reserve = orders.ask_lots[leg], orders.ask_reserve[leg]
    if is_reduce_only(order.options[row]):
        cost = worth(s, market, side * lots, order.price[row])
        fee = ppm_up(abs(cost), taker_rate_ppm(s, market, account))
        equity += value(gained(s, market, quantity, side * lots, cost) - fee, price)
        quantity += side * lots
    elif side > 0:
        bids += lots
        bid_reserve += lots * order.reserve[row]
    else:
        asks += lots
        ask_reserve += lots * order.reserve[row]
    low, high = quantity - asks, quantity + bids
    needed = opening_atoms(s, account, market, low, high, bid_reserve, ask_reserve, leverage, question)
    if ACCOUNT(s).scans[account]:
        requirement += scan_part(s, acting, question, market, low, high) - scan_part(s, acting, question, 0, 0, 0)
    if MACHINE(s).excess[0]:
        requirement += excess_of_positions(s, acting, market, low, high) - excess_of_positions(s, acting, 0, 0, 0)
    return requirement + charge_opening(s, leg, market, needed, 0, question) - equity


@kernel
def order_is_no_weaker(s, row, acting, leg, market):
    """The weak-account rule for this order, filled whole at its price with the resting orders of its side."""
    order, orders, rule = ORDER(s), LEG_OPEN(s), MARKET_RULE(s)
    side, lots = order.side[row], order.remaining[row]
    resting = orders.bid_lots[leg] if side > 0 else orders.ask_lots[leg]
    after = LEG(s).quantity[leg] + side * (lots + resting)
    if is_reduce_only(order.options[row]):
        after = LEG(s).quantity[leg] + side * lots
    cost = worth(s, market, side * lots, order.price[row])
    gain = gained(s, market, LEG(s).quantity[leg], side * lots, cost)
    return is_no_weaker(s, acting, leg, market, after, value(gain, ASSET(s).price[rule[market, M_SETTLE]]))


@leaf
def pay_from_slack(s, row, acting, leg, market):
    """Does the slack alone show that E >= M(open) with this order? If so it counts the order from now on.

    A leg that is not open yet cannot remember that.
    """
    order, orders = ORDER(s), LEG_OPEN(s)
    if unlikely((acting == 0) | (MARKET_RULE(s)[market, M_HAS_SIZE] == REQUIRES_ARRAY)):
        return UNPAID
    if unlikely(not has_slack(s, acting)):
        return UNPAID
    lots, reserve = order.remaining[row], order.remaining[row] * order.reserve[row]
    buys = order.side[row] > 0
    rate_ppm = rate_of_leg(s, acting, market, orders.leverage[leg])
    term, reach = open_terms(
        s,
        leg,
        market,
        rate_ppm,
        orders.bid_lots[leg] + (lots if buys else 0),
        orders.ask_lots[leg] + (0 if buys else lots),
        orders.bid_reserve[leg] + (reserve if buys else 0),
        orders.ask_reserve[leg] + (0 if buys else reserve),
    )
    if unlikely(not take_slack(s, acting, leg, term, reach)):
        return UNPAID
    return COUNTED if leg else PAID


@kernel
def pairs_after(s, account, row, quantity):
    """What orders in pairs would require if this cash leg were so."""
    leg = LEG(s)
    before, index = leg.quantity[row], leg.index_at_touch[row]
    leg.quantity[row] = quantity
    leg.index_at_touch[row] = ASSET(s).borrow_index[leg.thing[row]]
    part = pairs_part(s, account, 0, 0)
    leg.quantity[row] = before
    leg.index_at_touch[row] = index
    return part


@kernel
def spare_after(s, account, asset, amount, spare, question):
    """E less M of question open or leaving of an account that has `spare`, once it parted with cash."""
    row = find_leg(s, account, asset)
    price = ASSET(s).price[asset]
    before = cash_now(s, row)
    spare += value(before - amount, price) - value(before, price)
    spare -= cash_needed(s, asset, before - amount, question)
    spare += cash_needed(s, asset, before, question)
    if MACHINE(s).excess[0]:
        spare -= excess_of_cash(s, account, question, asset, before - amount)
        spare += excess_of_cash(s, account, question, 0, 0)
    if row and ACCOUNT(s).pairs[account]:
        spare -= pairs_after(s, account, row, before - amount) - pairs_part(s, account, 0, 0)
    return spare


@kernel
def may_give(s, account, asset, amount, equity, requirement, question):
    """May this account part with cash it holds and keep E >= M of question open or leaving?"""
    return spare_after(s, account, asset, amount, equity - requirement, question) >= 0


@kernel
def margin_wanted(s, parent, child, asset, shortfall):
    """The fewest atoms with which the child has what it is short of; 0 if all that the parent holds are too few.

    Collateral that counts for less than it is worth must be sent for more than the shortfall.
    """
    least, held = atoms_up(shortfall, ASSET(s).price[asset]), free_cash(s, parent, asset)
    if least > held:
        return 0
    # Giving a negative amount is receiving it.
    if may_give(s, child, asset, -least, 0, shortfall, FOR_OPEN):
        return least
    if not may_give(s, child, asset, -held, 0, shortfall, FOR_OPEN):
        return 0
    too_few, enough = least, held
    while enough - too_few > 1:
        middle = (too_few + enough) >> 1
        if may_give(s, child, asset, -middle, 0, shortfall, FOR_OPEN):
            enough = middle
        else:
            too_few = middle
    return enough


@kernel
def check_margin_exactly(s, row, account, acting, leg, market):
    """(reason, atoms the parent must send): may this order be paid for?"""
    order, rule = ORDER(s), MARKET_RULE(s)
    reduce_only = is_reduce_only(order.options[row])
    stub = find_leg(s, account, MARKET_0 + market)
    shortfall = shortfall_after(s, row, account, acting, leg, market, leverage_for(s, account, market, leg, stub))
    over_cap = is_over_loan_cap(s, acting)
    if shortfall <= 0 and not over_cap:
        return no.NONE, 0
    if order_is_no_weaker(s, row, acting, leg, market):
        return no.NONE, 0
    if over_cap:
        return no.LOAN_CAP_EXCEEDED, 0
    if reduce_only or acting == account:
        return no.OPENING_MARGIN_EXCEEDED, 0
    if is_over_loan_cap(s, account):
        return no.LOAN_CAP_EXCEEDED, 0
    asset = rule[market, M_SETTLE]
    wanted = margin_wanted(s, account, acting, asset, shortfall)
    if wanted == 0:
        return no.BALANCE_TOO_LOW, 0
    equity, requirement, _ = account_risk(s, account, FOR_OPEN)
    if not may_give(s, account, asset, wanted, equity, requirement, FOR_OPEN):
        return no.PARENT_MARGIN_EXCEEDED, 0
    return no.NONE, wanted


@kernel
def check_spending(s, row, account, asset, market):
    """Does an account hold what its orders in pairs spend of an asset, with this one, or may it borrow the rest?"""
    spent, _ = flows(s, account, asset, market, row)
    held = cash_of(s, account, asset)
    if spent <= max(0, held):
        return no.NONE
    if ORDER(s).options[row] & word.BORROW == 0:
        return no.BALANCE_TOO_LOW
    if TIER_RULE(s)[ACCOUNT(s).risk_tier[account], T_PRODUCTS] & word.PRODUCT_BORROWING == 0:
        return no.TIER_FORBIDS_PRODUCT
    if spent - held > ASSET_RULE(s)[asset, A_LOAN_CAP]:
        return no.LOAN_CAP_EXCEEDED
    return loan_refusal(s, account, asset, spent - max(0, held))


@kernel
def check_pair_margin(s, row, account, leg, market):
    """E >= M(open) with this order in a pair resting, or the account is no weaker with all orders of its side."""
    equity, requirement, _ = account_risk(s, account, FOR_OPEN)
    requirement += pairs_part(s, account, market, row) - pairs_part(s, account, 0, 0)
    over_cap = is_over_loan_cap(s, account)
    if equity >= requirement and not over_cap:
        return no.NONE
    rule = MARKET_RULE(s)
    bids, asks, spent, brought = pair_sums(s, leg, market, market, row)
    base_change, quote_change = bids * rule[market, M_LOT_ATOMS], -spent
    if ORDER(s).side[row] < 0:
        base_change, quote_change = -asks * rule[market, M_LOT_ATOMS], brought
    if exchange_is_no_weaker(s, account, rule[market, M_BASE], base_change, rule[market, M_SETTLE], quote_change):
        return no.NONE
    return no.LOAN_CAP_EXCEEDED if over_cap else no.OPENING_MARGIN_EXCEEDED


@far
def check_exchange(s, row, account, leg, market):
    """May this order in a pair be paid for? Loans are judged with all their interest."""
    rule, table = MARKET_RULE(s), ASSET(s)
    asset = rule[market, M_SETTLE] if ORDER(s).side[row] > 0 else rule[market, M_BASE]
    index = table.borrow_index[asset]
    table.borrow_index[asset] = index_soon(s, asset, find_leg(s, word.LENDER, asset))
    reason = check_spending(s, row, account, asset, market)
    if reason == no.NONE:
        reason = check_pair_margin(s, row, account, leg, market)
    table.borrow_index[asset] = index
    return reason


@far
def holds_price(s, row, account, market):
    """Does an account hold what its orders spend of the asset that this paid-up market takes, with this one?"""
    asset = MARKET_RULE(s)[market, M_SETTLE]
    spent, _ = flows(s, account, asset, market, row)
    return 1 if spent <= cash_of(s, account, asset) else 0


@leaf
def check_margin(s, row, account, acting, leg, market):
    """(reason, atoms the parent must send, whether the slack counts the order already): may this order be paid for?"""
    if unlikely(is_pair(s, market)):
        return check_exchange(s, row, account, leg, market), 0, False
    if not unlikely(is_reduce_only(ORDER(s).options[row])):
        if unlikely(is_paid(s, market)) and ORDER(s).side[row] > 0 and not holds_price(s, row, account, market):
            return no.BALANCE_TOO_LOW, 0, False
        paid = pay_from_slack(s, row, acting, leg, market)
        if not unlikely(paid == UNPAID):
            return no.NONE, 0, paid == COUNTED
    reason, wanted = check_margin_exactly(s, row, account, acting, leg, market)
    return reason, wanted, False


@far
def look_ahead(s, market, acting, owner, side, limit, lots, stp):
    """`can_fill_whole` at the borrow indices that fills will see: they may accrue what the market moves."""
    rule, assets = MARKET_RULE(s), ASSET(s)
    settle, base = rule[market, M_SETTLE], rule[market, M_BASE]
    settle_index, base_index = assets.borrow_index[settle], assets.borrow_index[base]
    assets.borrow_index[settle] = index_soon(s, settle, find_leg(s, word.LENDER, settle))
    if base:
        assets.borrow_index[base] = index_soon(s, base, find_leg(s, word.LENDER, base))
    can = can_fill_whole(s, market, acting, owner, side, limit, lots, stp)
    assets.borrow_index[settle] = settle_index
    assets.borrow_index[base] = base_index
    return can


@leaf
def check_order(s, row, account, acting, leg, market, owner):
    """Checks 12 to 18 of the list, pricing and cutting the order on the way.

    (reason, atoms from the parent, whether the slack counts the order already)
    """
    order, rule, table = ORDER(s), MARKET_RULE(s), MARKET(s)
    side, flags = order.side[row], order.options[row]
    if unlikely(order.order_type[row] == word.MARKET):
        price = price_of_lots(s, market, side, order.remaining[row])
        if unlikely(price == 0):
            return no.NO_LIQUIDITY, 0, False
        order.price[row] = price
    else:
        band = ppm_down(table.mark[market], rule[market, M_PRICE_BAND_PPM])
        if unlikely((order.price[row] - table.mark[market]) * side > band):
            return no.PRICE_OUTSIDE_BAND, 0, False
    best = best_against(s, market, side)
    crossing = crosses(order.price[row], best, side)
    if unlikely(is_post_only(flags)) and crossing:
        if flags & word.POST_ONLY:
            return no.POST_ONLY_WOULD_CROSS, 0, False
        order.price[row] = best - side
        if order.price[row] < rule[market, M_TICKS_MIN] or order.price[row] > rule[market, M_TICKS_MAX]:
            return no.POST_ONLY_WOULD_CROSS, 0, False
        crossing = False
    if unlikely(is_reduce_only(flags)):
        quantity = LEG(s).quantity[leg]
        if quantity * side >= 0:
            return no.NOTHING_TO_REDUCE, 0, False
        room = abs(quantity)
        if not crossing:
            room -= LEG_OPEN(s).reduce_lots[leg]
        if room <= 0:
            return no.NOTHING_TO_REDUCE, 0, False
        order.remaining[row] = min(order.remaining[row], room)
    else:
        reason = check_exposure(s, row, acting, leg, market, owner)
        if unlikely(reason):
            return reason, 0, False
    order.reserve[row] = 0
    if not unlikely(is_reduce_only(flags)):
        order.reserve[row] = reserve_per_lot(s, market, account, side, order.price[row], is_post_only(flags))
    reason, wanted, counted = check_margin(s, row, account, acting, leg, market)
    if unlikely(reason):
        return reason, 0, False
    if unlikely(order.tif[row] == word.FOK):
        stp = order.stp[row] if order.stp[row] else ACCOUNT(s).stp[account]
        if not look_ahead(s, market, acting, owner, side, order.price[row], order.remaining[row], stp):
            if counted:
                restate(s, leg)
            return no.FILL_OR_KILL_CANNOT_FILL, 0, False
    return no.NONE, wanted, counted


@kernel
def check_order_again(s, row, account, acting, leg, market, owner):
    """The same checks for an order that has been in the book or has waited: (reason, atoms from the parent)."""
    reason, wanted, _ = check_order(s, row, account, acting, leg, market, owner)
    return reason, wanted


@far
def open_child(s, parent, market):
    """A new isolated account, named by the parent's leg of that market."""
    table, machine, leg = ACCOUNT(s), MACHINE(s), LEG(s)
    stub = find_leg(s, parent, MARKET_0 + market)
    if stub == 0:
        stub = open_leg(s, parent, MARKET_0 + market)
    child = machine.accounts[0] + 1
    add_account(s, child, table.owner[parent], word.CHILD, parent, market)
    leg.child[stub] = child
    row = open_leg(s, child, MARKET_0 + market)
    LEG_OPEN(s).leverage[row] = LEG_OPEN(s).leverage[stub]
    return child


@leaf
def check_room(s, row, account, acting, leg, market):
    """Rows for the order, its leg, and a child if one is needed."""
    layout, table = LAYOUT(s), ACCOUNT(s)
    if unlikely(row == 0):
        return no.ORDERS_FULL
    if acting and unlikely(table.orders[acting] >= layout[L_ORDERS_PER_ACCOUNT]):
        return no.ORDERS_FULL
    if leg:
        return no.NONE
    wanted = legs_wanted(s, account, MARKET_0 + market)
    if acting == account:
        return no.NONE if has_leg_room(s, account, wanted) else no.LEGS_FULL
    if acting == 0:
        settle = MARKET_RULE(s)[market, M_SETTLE]  # a child has its leg of the unit of account already
        own = 1 + int(settle != UNIT) + int(ASSET_RULE(s)[settle, A_POOL_GAINS] > UNIT)
        if not has_leg_room(s, account, wanted + own):
            return no.LEGS_FULL
        if MACHINE(s).accounts[0] >= layout[L_ACCOUNTS]:
            return no.ACCOUNTS_FULL
    return no.NONE


@leaf
def match_and_rest(s, row, counted):
    """Match an accepted order, then let the rest rest, or close it. The slack may have counted it in already."""
    order, leg = ORDER(s), ORDER(s).leg[row]
    account, market = LEG(s).account[leg], LEG(s).thing[leg] - MARKET_0
    side, lots = order.side[row], order.remaining[row]
    reduce_only = is_reduce_only(order.options[row])
    started = MACHINE(s).events[0]
    left, reason = lots, UNFINISHED
    if crosses(order.price[row], best_against(s, market, side), side):
        stp = order.stp[row] if order.stp[row] else ACCOUNT(s).stp[account]
        left, _, reason = match(s, leg, order.id[row], side, order.price[row], lots, stp, reduce_only, False, counted)
        shrink_margin(s, row, left, lots)
        order.remaining[row] = left
        order.filled[row] += lots - left
        if left == 0:
            retire(s, row)
            return 0
    if not unlikely(reason != UNFINISHED):
        if order.tif[row] == word.IOC or order.tif[row] == word.FOK:
            reason = CLOSED_IMMEDIATE
        elif unlikely(reduce_only):
            quantity = LEG(s).quantity[leg]
            room = abs(quantity) - LEG_OPEN(s).reduce_lots[leg] if quantity * side < 0 else 0
            if room <= 0:
                reason = CLOSED_REDUCE_ONLY
            elif room < left:
                order.remaining[row] = room
                shrink_margin(s, row, room, left)
                say_amended(s, row, 1)
    if reason != UNFINISHED:
        far_leave(s, row, reason, 0)
        return 0
    order.state[row] = word.RESTING
    count_in(s, row, order.remaining[row])
    level_add(s, market, row)
    if not counted or MACHINE(s).events[0] != started:
        restate(s, leg)
    return 0


@leaf
def enter(s, row, counted):
    """An accepted order meets the book; from an isolated position margin returns once, when that is over."""
    machine, leg = MACHINE(s), ORDER(s).leg[row]
    account, before = LEG(s).account[leg], LEG(s).quantity[leg]
    isolated = ACCOUNT(s).role[account] == word.CHILD
    if unlikely(isolated):
        machine.matching[0] = account
        machine.released[0] = 0
    match_and_rest(s, row, counted)
    if unlikely(isolated):
        machine.matching[0] = 0
        give_back(s, leg, machine.released[0] + closing_share(s, leg, before))
    return 0


@far
def far_enter(s, row):
    return enter(s, row, False)


@leaf
def send_margin(s, parent, child, market, amount):
    if unlikely(amount > 0):
        transfer(s, parent, child, MARKET_RULE(s)[market, M_SETTLE], amount)
        say(s, MARGIN_MOVED, parent, market, 0, 0, child, 0, 0, amount, 0, 0, 0, 0, 0)
    return 0


@leaf
def move_to_the_end(s, row):
    """An order that has an id already is the newest now."""
    machine = MACHINE(s)
    machine.order_number[0] += 1
    ORDER(s).noted[row] = 1
    NOTE(s).priority[row] = machine.order_number[0]


@leaf
def say_accepted(s, row, account, market, margin):
    order = ORDER(s)
    flags = order.order_type[row] + 2 * order.tif[row]
    say(
        s,
        ORDER_ACCEPTED,
        account,
        market,
        order.side[row],
        order.id[row],
        NOTE(s).trigger[row] if unlikely(order.noted[row]) else 0,
        order.price[row],
        order.remaining[row],
        margin,
        0,
        0,
        0,
        0,
        flags,
    )
    return 0


@far
def refuse_draft(s, row, reason):
    """Undo the draft: its row is free and must be all zero."""
    wipe_order(s, row)
    return reason


@far
def start_waiting(s, row, market):
    """Set the alarm of a conditional order."""
    order, note = ORDER(s), NOTE(s)
    order.state[row] = word.WAITING
    if note.trigger_kind[row] == word.TRAILING:
        note.best[row] = stop_price(s, market, note.trigger_on[row]) if note.trigger[row] == 0 else 0
        trailing_add(s, market, row)
        return 0
    driver = market_driver(market, DRIVER_MARK + note.trigger_on[row])
    side = HIGH if fires_at_or_above(order.side[row], note.trigger_kind[row]) else LOW
    alarm_insert(s, driver, side, order_node(s, row))
    return 0


@far
def place_order(s, i):
    """PLACE_ORDER: returns a reason, having changed nothing, or 0."""
    c, order, note, table, machine = COMMAND(s), ORDER(s), NOTE(s), ACCOUNT(s), MACHINE(s)
    account, market = c.account[i], c.market[i]
    reason = check_fields(s, i)
    if unlikely(reason):
        return reason
    if unlikely((account <= 0) | (account > machine.accounts[0])):
        return no.ACCOUNT_UNKNOWN
    if unlikely(table.role[account] != word.USER) and not (account == word.BACKSTOP and is_reduce_only(c.options[i])):
        return no.ACCOUNT_IS_NOT_TRADABLE
    if unlikely((market <= 0) | (market > machine.markets[0])):
        return no.MARKET_UNKNOWN
    named = c.client0[i] | c.client1[i] | c.client2[i] | c.client3[i] | c.client4[i]
    if unlikely(named != 0) and client_entry(
        s, account, c.client0[i], c.client1[i], c.client2[i], c.client3[i], c.client4[i]
    ):
        return no.CLIENT_ID_REPEATED
    rule = MARKET_RULE(s)
    closes = c.options[i] & word.CLOSE_POSITION != 0
    if unlikely(c.lots[i] == 0) and not closes:
        return no.SIZE_MUST_BE_POSITIVE
    if unlikely(c.lots[i] > rule[market, M_ORDER_LOTS_MAX]):
        return no.SIZE_EXCEEDS_LIMIT
    waits = c.trigger_kind[i] != word.NO_TRIGGER
    if unlikely((c.order_type[i] == word.LIMIT) & (c.price[i] == 0)):
        return no.PRICE_MUST_BE_POSITIVE
    if unlikely(waits) and c.trigger_kind[i] != word.TRAILING and c.trigger[i] == 0:
        return no.PRICE_MUST_BE_POSITIVE
    if unlikely((c.price[i] > rule[market, M_TICKS_MAX]) | (c.trigger[i] > rule[market, M_TICKS_MAX])):
        return no.PRICE_EXCEEDS_LIMIT
    least = rule[market, M_TICKS_MIN]
    if unlikely((c.price[i] < least) & (c.price[i] > 0) | (c.trigger[i] < least) & (c.trigger[i] > 0)):
        return no.PRICE_BELOW_LIMIT
    # From here on the order is looked at in the row it will have; a full table is told at its own place.
    row = lowest_free_order(s)
    owner = table.owner[account]
    acting = acting_account(s, account, market)
    leg = seek_leg(s, acting, MARKET_0 + market) if acting else 0
    write_draft(s, row, i, named | is_conditional(s, i))
    reason = check_permission(s, row, account, acting, market)
    if unlikely(reason):
        return refuse_draft(s, row, reason)
    if unlikely(order.tif[row] == word.GTT) and note.expires_ns[row] <= machine.now_ns[0]:
        return refuse_draft(s, row, no.EXPIRY_NOT_IN_FUTURE)
    reason = check_room(s, row, account, acting, leg, market)
    if unlikely(reason):
        return refuse_draft(s, row, reason)
    wanted, counted = 0, False
    if unlikely(waits):
        price = stop_price(s, market, note.trigger_on[row])
        if price == 0:
            return refuse_draft(s, row, no.PRICE_STALE)
        if note.trigger_kind[row] == word.TRAILING:
            if MARKET(s).trailing_orders[market] >= LAYOUT(s)[L_TRAILING]:
                return refuse_draft(s, row, no.TRAILING_STOPS_FULL)
        elif would_fire(price, note.trigger[row], order.side[row], note.trigger_kind[row]):
            return refuse_draft(s, row, no.TRIGGER_WOULD_FIRE_AT_ONCE)
    else:
        reason, wanted, counted = check_order(s, row, account, acting, leg, market, owner)
        if unlikely(reason):
            return refuse_draft(s, row, reason)
    # Nothing below can fail.
    if unlikely(acting == 0):
        acting = open_child(s, account, market)
        leg = find_leg(s, acting, MARKET_0 + market)
    if unlikely(leg == 0):
        leg = open_leg(s, acting, MARKET_0 + market)
    take_order_row(s, row)
    machine.order_number[0] += 1
    order.id[row] = (machine.order_number[0] << ORDER_ID_SHIFT) + row
    order.leg[row] = leg
    add_margin(s, row, wanted)
    table.orders[acting] += 1
    leg_list_add(s, row)
    if unlikely(named != 0):
        client_insert(s, row)
    if unlikely(order.tif[row] == word.GTT):
        push_timer(s, note.expires_ns[row], (word.TIMER_EXPIRY << 32) + row)
    send_margin(s, account, acting, market, wanted)
    say_accepted(s, row, acting, market, wanted)
    if unlikely(waits):
        start_waiting(s, row, market)
        return no.NONE
    enter(s, row, counted)
    return no.NONE


@far
def run_triggered(s, row):
    """A triggered order's turn: the checks of a new order, then the book."""
    order, note, table = ORDER(s), NOTE(s), ACCOUNT(s)
    leg = order.leg[row]
    acting = LEG(s).account[leg]
    account, market, owner = commander(s, acting), LEG(s).thing[leg] - MARKET_0, table.owner[acting]
    price = stop_price(s, market, note.trigger_on[row])
    say(s, ORDER_TRIGGERED, acting, market, order.side[row], order.id[row], 0, price, 0, 0, 0, 0, 0, 0, 0)
    order.state[row] = word.INCOMING
    if order.options[row] & word.CLOSE_POSITION:
        order.remaining[row] = abs(LEG(s).quantity[leg])
    lots = order.remaining[row]
    reason = check_permission(s, row, account, acting, market)
    wanted = 0
    if reason == no.NONE:
        if order.options[row] & word.CLOSE_POSITION and order.remaining[row] == 0:
            reason = no.NOTHING_TO_REDUCE
        else:
            reason, wanted = check_order_again(s, row, account, acting, leg, market, owner)
    if reason:
        order.remaining[row] = lots
        far_leave(s, row, CLOSED_REFUSED, reason)
        return 0
    leg_list_remove(s, row)
    move_to_the_end(s, row)
    leg_list_add(s, row)
    note.margin[row] = wanted
    send_margin(s, account, acting, market, wanted)
    far_enter(s, row)
    return 0


@leaf
def ordered_by(s, row, account):
    """Whether this order belongs to the account or one of its children."""
    return commander(s, LEG(s).account[ORDER(s).leg[row]]) == account


@kernel
def named_order(s, i):
    """The open order that a command names by id or client id, or 0."""
    c = COMMAND(s)
    account = c.account[i]
    if c.order[i] != 0:
        row = order_row(s, c.order[i])
        return row if row and ordered_by(s, row, account) else 0
    if c.client0[i] | c.client1[i] | c.client2[i] | c.client3[i] | c.client4[i] == 0:
        return 0
    return max(0, client_entry(s, account, c.client0[i], c.client1[i], c.client2[i], c.client3[i], c.client4[i]))
