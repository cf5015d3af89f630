"""Turns of liquidation and the order of loss. See docs/concepts/liquidation.md.

This module decides nothing about amounts: sizes, prices and ranks come from rules/, cash moves through the ledger.
"""

from steelyard.engine.changing import cancel_orders
from steelyard.engine.events import say, say_money
from steelyard.engine.funds import fund_pays, fund_pays_debt, fund_purse, give_beside, payer, purse_of
from steelyard.engine.heap import TURNS, heap_key, heap_length, heap_pop, heap_target
from steelyard.engine.judge import enqueue, forget, wake
from steelyard.engine.ledger import (
    cash,
    find_leg,
    first_in_order,
    has_leg_room,
    legs_wanted,
    open_leg,
    pay_gain,
    touch_loan,
    transfer,
)
from steelyard.engine.matching import EVENTS_PER_ORDER_MAX, after_fill
from steelyard.engine.money import convert_debts
from steelyard.engine.orders import give_back, shrink_reduce_only
from steelyard.engine.placing import leverage_for
from steelyard.engine.positions import far_book_trade, realised_of, settle_funding
from steelyard.engine.selling import RECEIVED, sell_collateral, take_from_book, take_penalty
from steelyard.engine.timers import push_timer
from steelyard.engine.worth import show_share
from steelyard.model.events import (
    CLOSED_LIQUIDATION,
    DEBT_WRITTEN_OFF,
    DELEVERAGED,
    DUST_TAKEN,
    ENDED_CLOSED,
    ENDED_HEALTHY,
    LIQUIDATION_ENDED,
    LIQUIDATION_ORDER,
    LIQUIDATION_STARTED,
    LIQUIDATION_WAITS,
    TAKEN_OVER,
)
from steelyard.model.keys import (
    A_ISSUES,
    A_LENDER_BEARS,
    A_POOL_GAINS,
    A_POOL_OF,
    M_BACKSTOP_LOTS_MAX,
    M_COOLDOWN_NS,
    M_LIQUIDATION_FEE_PPM,
    M_POSITION_LOTS_MAX,
    M_RANKING,
    M_SETTLE,
    M_SLICE_NOTIONAL,
    M_SLICE_PPM,
)
from steelyard.model.orders import (
    BACKSTOP,
    CHILD,
    COOLS,
    FOR_MAINTAIN,
    FOR_OPEN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    INSURANCE,
    LENDER,
    OWES,
    PRO_RATA,
    SPARED,
    TIMER_COOLDOWN,
    TO_LIQUIDATE,
    WAITS,
)
from steelyard.num import far, kernel, leaf
from steelyard.num.limits import DUST_SHARE, LEGS_PER_ACCOUNT_MAX
from steelyard.num.rounding import mul_div_down, ppm_down, ppm_up
from steelyard.rules.cash import atoms_down, atoms_up, charge, value
from steelyard.rules.excess import excess_of_positions
from steelyard.rules.offers import active_time, is_dust, is_offered, room_to_issue, shortest_wait
from steelyard.rules.pool import assets_of, gain_of, share_price
from steelyard.rules.price import asset_feed, can_be_closed, is_asset_good, is_good, is_mark_good
from steelyard.rules.ranking import deleveraging_score
from steelyard.rules.requirement import (
    account_health,
    account_risk,
    charge_opening,
    health_of,
    leg_equity,
    leg_requirement,
    opening_lots,
    requirement_change,
)
from steelyard.rules.scan import scan_part
from steelyard.rules.sizing import (
    bankruptcy_cash,
    bankruptcy_price,
    claims_on,
    limit_price,
    lots_to_restore,
    value_of_lots,
    worst_price,
)
from steelyard.rules.sizing import weight as weight_of
from steelyard.rules.worth import gained, notional_of, worth
from steelyard.state.tables import (
    ACCOUNT,
    ASSET,
    ASSET_RULE,
    FEED,
    HOLDER,
    LEG,
    MACHINE,
    MARKET,
    MARKET_0,
    MARKET_RULE,
    SCORE,
    SCRATCH,
)

WAIT_NS = 1_000_000_000  # before an account that could not be worked on is tried again
LOOK_NS = 5_000_000_000  # how long an account whose offers stand is left alone
OWING_WAIT_NS = 60_000_000_000  # the same, of one that has nothing but debts: time does not change that
NOTHING_OWED, OWED, OWED_A_WHILE, OFFERED = 0, 1, 2, 3
HALVINGS = 7  # a takeover of all, a half, ... a 64th
DELEVERAGINGS_PER_TURN = 64
PARTS = 64  # of a position: what a turn of an account margined by scenarios closes is counted in them


@kernel
def cool_down(s, account, state, nanoseconds):
    table, machine = ACCOUNT(s), MACHINE(s)
    table.queued[account] = state
    table.due_ns[account] = machine.now_ns[0] + nanoseconds
    push_timer(s, table.due_ns[account], (TIMER_COOLDOWN << 32) + account)
    return 0


@kernel
def begin_offers(s, account, begun):
    """Each cash leg remembers the active time of its asset at which its offers began; 0 when they are over."""
    leg = LEG(s)
    row = ACCOUNT(s).first_leg[account]
    while row:
        asset = leg.thing[row]
        if asset < MARKET_0:
            leg.offered_from[row] = active_time(s, asset) if begun else 0
            if not begun and ASSET_RULE(s)[asset, A_POOL_OF] == 0 and ASSET_RULE(s)[asset, A_POOL_GAINS] == 0:
                leg.cost[row] = 0  # it was for claims
        row = leg.next_of_account[row]
    return 0


@far
def end_liquidation(s, account, reason, equity, requirement):
    """Leave the queue; an empty isolated position returns what is left to its parent."""
    table = ACCOUNT(s)
    if table.started[account]:
        say(s, LIQUIDATION_ENDED, account, 0, 0, 0, 0, 0, 0, equity, requirement, 0, 0, reason, 0)
        begin_offers(s, account, 0)
    forget(s, account)
    if table.role[account] == CHILD:
        give_back(s, find_leg(s, account, MARKET_0 + table.market[account]), 0)
    return 0


@far
def end_if_healthy(s, account):
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    if equity < requirement:
        return 0
    end_liquidation(s, account, ENDED_HEALTHY, equity, requirement)
    return 1


@far
def settle_account(s, account):
    """Interest, funding and gains of shares up to now."""
    leg = LEG(s)
    row = first_in_order(s, account)
    while row:
        if leg.thing[row] >= MARKET_0:
            settle_funding(s, row)
        elif leg.quantity[row] < 0:
            touch_loan(s, row)
        elif ASSET_RULE(s)[leg.thing[row], A_POOL_GAINS] and gain_of(s, row):
            pay_gain(s, row)
        row = leg.next_of_account[row]
    return 0


@kernel
def pay_gains_of_debts(s, account):
    """What the account gained for debts that it took over; whether that was anything."""
    leg, paid = LEG(s), 0
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        if leg.quantity[row] < 0 and ASSET_RULE(s)[leg.thing[row], A_POOL_GAINS] and gain_of(s, row):
            paid += pay_gain(s, row)
        row = leg.next_of_account[row]
    return paid


@kernel
def say_started(s, account):
    equity, maintain, _ = account_risk(s, account, FOR_MAINTAIN)
    _, restore, _ = account_risk(s, account, FOR_RESTORE)
    _, takeover, _ = account_risk(s, account, FOR_TAKEOVER)
    ACCOUNT(s).started[account] = 1
    begin_offers(s, account, 1)
    say(s, LIQUIDATION_STARTED, account, 0, 0, 0, 0, 0, 0, equity, maintain, restore, takeover, 0, 0)
    return 0


@kernel
def share_price_at(s, share, price):
    """What a share would cost if its asset cost this."""
    if ASSET(s).keeper[share] == 0 and ASSET(s).pool[ASSET_RULE(s)[share, A_POOL_OF]] != share:
        return 0  # of a pool that was emptied
    return share_price(price, assets_of(s, share), ASSET(s).deposited[share])


@kernel
def swap_bad_price(s, thing, back):
    """In place of a price that is not good for liquidating the last one that was, or back again; 1 if it is one."""
    market, asset, feed = MARKET(s), ASSET(s), FEED(s)
    if thing >= MARKET_0:
        row = thing - MARKET_0
        if is_mark_good(s, row) or market.good_mark[row] == 0:
            return 0
        mark = market.mark[row]
        market.mark[row] = market.good_mark[row]
        market.good_mark[row] = mark
        return 1
    row = asset_feed(s, thing)
    if is_good(s, row, TO_LIQUIDATE) or feed.good_price[row] == 0:
        return 0
    price = feed.price[row] if back else feed.good_price[row]
    asset.price[thing] = share_price_at(s, thing, price) if ASSET_RULE(s)[thing, A_POOL_OF] else price
    return 1


@kernel
def swap_bad_prices(s, account, back):
    """The same for all that an account holds and for what its positions settle in."""
    leg, swapped = LEG(s), 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        if leg.quantity[row] != 0 or leg.thing[row] < MARKET_0:
            swapped += swap_bad_price(s, leg.thing[row], back)
        row = leg.next_of_account[row]
    return swapped


@far
def is_spared(s, account):
    """Whether an unhealthy account would be healthy at the last prices good for liquidating; told when it begins."""
    table = ACCOUNT(s)
    equity, requirement = account_health(s, account)
    if equity >= requirement:
        return 0
    swapped = swap_bad_prices(s, account, 0)
    if swapped == 0:
        return 0
    good_equity, good_requirement = account_health(s, account)
    swap_bad_prices(s, account, 1)
    if good_equity < good_requirement:
        return 0
    if table.queued[account] != SPARED:
        say(
            s, LIQUIDATION_WAITS, account, 0, 0, 0, 0, 0, 0, equity, requirement, good_equity, good_requirement, 0, 0
        )  # fmt: skip
    return 1


@kernel
def heaviest_leg(s, account):
    """(positions held, the one with the largest requirement among those that can be closed now, or 0).

    Of equals the lower thing.
    """
    leg = LEG(s)
    held, best, weight = 0, 0, -1
    row = first_in_order(s, account)
    while row:
        if leg.thing[row] >= MARKET_0 and leg.quantity[row] != 0:
            held += 1
            scans = ACCOUNT(s).scans[account]
            requirement = weight_of(s, scans, leg.thing[row] - MARKET_0, leg.quantity[row])
            if requirement > weight and can_be_closed(s, leg.thing[row] - MARKET_0):
                best, weight = row, requirement
        row = leg.next_of_account[row]
    return held, best


@kernel
def has_cash(s, account):
    """Whether anything is left that could be sold for a debt."""
    leg = LEG(s)
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        if leg.quantity[row] > 0:
            return True
        row = leg.next_of_account[row]
    return False


@kernel
def take_dust(s, account):
    """What an insolvent account holds is not worth selling: it goes to the insurance fund, which takes the loss."""
    leg = LEG(s)
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    if equity >= 0:
        return 0
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        if leg.quantity[row] > 0 and not is_dust(s, leg.thing[row], leg.quantity[row]):
            return 0
        row = leg.next_of_account[row]
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        quantity = leg.quantity[row]
        if quantity > 0:
            transfer(s, account, INSURANCE, leg.thing[row], quantity)
            say_money(s, DUST_TAKEN, account, leg.thing[row], quantity, INSURANCE)
        row = leg.next_of_account[row]
    return 0


@kernel
def is_sold_out(s, account):
    """Whether an account without positions holds next to nothing beside what it owes: a thousandth at most."""
    leg = LEG(s)
    held, owed = 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        if leg.thing[row] < MARKET_0:
            counts = leg_equity(s, row)
            held += max(0, counts)
            owed += max(0, -counts)
        row = leg.next_of_account[row]
    return held <= owed // DUST_SHARE


@kernel
def write_off(s, account, row):
    """What nobody pays of a debt is lost by the lender, as far as its cash goes."""
    leg, asset = LEG(s), LEG(s).thing[row]
    share = ASSET(s).pool[asset]
    if share == 0 and ASSET_RULE(s)[asset, A_LENDER_BEARS] == 0:
        return 0
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    short = atoms_up(-equity, ASSET(s).price[asset])
    amount = min(min(-leg.quantity[row], short), cash(s, LENDER, asset))
    if amount > 0 and is_sold_out(s, account):
        transfer(s, LENDER, account, asset, amount)
        say_money(s, DEBT_WRITTEN_OFF, account, asset, amount, share)
        if share:
            show_share(s, asset, find_leg(s, LENDER, asset))
    return 0


@kernel
def is_short(s, account):
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    return equity < 0


@kernel
def offer_claims(s, account, owed):
    """Whether claims are offered for a debt; where the house issues some their auction begins, once."""
    leg, debt = LEG(s), LEG(s).thing[owed]
    claims = ASSET_RULE(s)[debt, A_ISSUES]
    if claims == 0 or ASSET(s).price[claims] == 0:
        return 0
    row = find_leg(s, account, claims)
    if row == 0 and has_leg_room(s, account, 1):
        row = open_leg(s, account, claims)
    if row == 0 or leg.quantity[row] != 0 or room_to_issue(s, claims) <= 0:
        return 0
    if leg.cost[row] < debt:
        leg.cost[row] = debt
        leg.offered_from[row] = active_time(s, claims)
    return is_offered(s, row, owed) if leg.cost[row] == debt else 0


@kernel
def pay_debts(s, account):
    """No position is left: payers, then the lenders pay debts as far as equity is short.

    What is left: NOTHING_OWED, OWED, OWED_A_WHILE, when a payer goes on after its step, or OFFERED: claims are.
    """
    leg, found = LEG(s), NOTHING_OWED
    row = first_in_order(s, account)
    while row and leg.thing[row] < MARKET_0:
        if leg.quantity[row] < 0 and is_asset_good(s, leg.thing[row], TO_LIQUIDATE):
            equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
            short = atoms_up(-equity, ASSET(s).price[leg.thing[row]])
            if short > 0:
                if fund_pays_debt(s, account, leg.thing[row], min(-leg.quantity[row], short)):
                    found = OWED_A_WHILE
                elif leg.quantity[row] < 0 and is_short(s, account) and offer_claims(s, account, row):
                    return OFFERED
                else:
                    write_off(s, account, row)
        if leg.quantity[row] < 0 and found == NOTHING_OWED:
            found = OWED
        row = leg.next_of_account[row]
    return found


@kernel
def meet_book(s, account, row, lots, limit, equity, requirement, positions):
    """A liquidation order: immediate or cancel. Returns (lots filled, signed cash of the fills)."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    side = -1 if quantity > 0 else 1
    due = bankruptcy_cash(s, account, market, quantity, lots, equity, requirement, positions)
    mark = MARKET(s).mark[market]
    say(s, LIQUIDATION_ORDER, account, market, side, 0, mark, limit, lots, due, requirement, equity, positions, 0, 0)
    filled = take_from_book(s, row, side, limit, lots)
    return filled, SCRATCH(s)[RECEIVED]


@kernel
def may_take_over(s, market, quantity, lots, price_of_all):
    """Would the backstop stay within its caps and above its own opening requirement?"""
    if ACCOUNT(s).queued[BACKSTOP]:
        return False
    leg, rule = LEG(s), MARKET_RULE(s)
    row = find_leg(s, BACKSTOP, MARKET_0 + market)
    if ACCOUNT(s).legs[BACKSTOP] + legs_wanted(s, BACKSTOP, MARKET_0 + market) > LEGS_PER_ACCOUNT_MAX:
        return False
    signed = lots if quantity > 0 else -lots
    after = leg.quantity[row] + signed
    if abs(after) > min(rule[market, M_BACKSTOP_LOTS_MAX], rule[market, M_POSITION_LOTS_MAX]):
        return False
    equity, requirement, _ = account_risk(s, BACKSTOP, FOR_OPEN)
    price = ASSET(s).price[rule[market, M_SETTLE]]
    won = gained(s, market, leg.quantity[row], signed, price_of_all)
    equity += value(won, price)
    if row:
        requirement -= leg_requirement(s, row, FOR_OPEN)
    needed = opening_lots(s, market, after, leverage_for(s, BACKSTOP, market, row, 0), FOR_OPEN)
    requirement += charge_opening(s, row, market, needed, won, FOR_OPEN)
    if MACHINE(s).excess[0]:
        requirement += excess_of_positions(s, BACKSTOP, market, after, after)
        requirement -= excess_of_positions(s, BACKSTOP, 0, 0, 0)
    return equity >= requirement


@far
def hand_over(s, giver_row, taker_row, lots, cash_paid):
    """Move lots of a position to another leg for a lump of cash (what the giver receives; negative: pays)."""
    leg = LEG(s)
    signed = lots if leg.quantity[giver_row] > 0 else -lots
    settle_funding(s, giver_row)
    far_book_trade(s, giver_row, -signed, -cash_paid, 0)
    settle_funding(s, taker_row)
    far_book_trade(s, taker_row, signed, cash_paid, 0)
    return 0


@far
def take_over(s, account, row, most, at_mark):
    """The backstop takes the position, or a half, a quarter ... of it, at its bankruptcy cash or at the mark."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    asset = MARKET_RULE(s)[market, M_SETTLE]
    side = -1 if quantity > 0 else 1
    equity, requirement, positions = claims_on(s, account)
    lots = most
    for _ in range(HALVINGS):
        if lots < 1:
            return 0
        due = bankruptcy_cash(s, account, market, quantity, lots, equity, requirement, positions)
        price_of_all = value_of_lots(s, market, quantity, lots) if at_mark else due
        if may_take_over(s, market, quantity, lots, price_of_all):
            taker = find_leg(s, BACKSTOP, MARKET_0 + market)
            if taker == 0:
                taker = open_leg(s, BACKSTOP, MARKET_0 + market)
            hand_over(s, row, taker, lots, price_of_all)
            say(s, TAKEN_OVER, account, market, side, 0, BACKSTOP, 0, lots, price_of_all, 0, 0, 0, 0, 0)
            shrink_reduce_only(s, taker)
            if at_mark:
                fund_pays(s, account, market, asset, due - price_of_all)
            return lots
        lots >>= 1
    return 0


@kernel
def lots_to_close(s, account, row):
    """What restores the account, or a slice of a large position."""
    leg, rule = LEG(s), MARKET_RULE(s)
    market, held = leg.thing[row] - MARKET_0, abs(leg.quantity[row])
    lots = lots_to_restore(s, account, row)
    if notional_of(s, market, held) > rule[market, M_SLICE_NOTIONAL]:
        lots = min(lots, max(1, ppm_down(held, rule[market, M_SLICE_PPM])))
    return lots


@leaf
def lots_of_part(quantity, part):
    """So many of PARTS of a position, rounded up."""
    return -(-abs(quantity) * part // PARTS)


@far
def reduce_solvent(s, account, row, lots):
    """E >= 0: so many lots through the book, then below M(takeover) the backstop. Returns lots closed."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    held = abs(quantity)
    equity, requirement, positions = claims_on(s, account)
    due_all = bankruptcy_cash(s, account, market, quantity, held, equity, requirement, positions)
    bankrupt = bankruptcy_price(s, market, quantity, due_all)
    limit = limit_price(s, market, quantity, bankrupt, equity, requirement)
    filled, received = meet_book(s, account, row, lots, limit, equity, requirement, positions)
    if filled:
        due = bankruptcy_cash(s, account, market, quantity, filled, equity, requirement, positions)
        take_penalty(s, account, market, received, received - due)
    left = abs(leg.quantity[row])
    equity, takeover, _ = account_risk(s, account, FOR_TAKEOVER)
    if ACCOUNT(s).scans[account]:
        left = min(left, lots - filled)  # its part, so that what offsets it stays offset
    if left and 0 <= equity < takeover:
        filled += take_over(s, account, row, left, 0)
    return filled


@far
def sell_bankrupt(s, account, row):
    """E < 0: the book, as far as the fund can pay the difference to the bankruptcy cash. Returns lots closed."""
    leg, rule = LEG(s), MARKET_RULE(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    held, side = abs(quantity), -1 if quantity > 0 else 1
    asset = rule[market, M_SETTLE]
    equity, requirement, positions = claims_on(s, account)
    worst = worst_price(s, market, side)
    needed = bankruptcy_cash(s, account, market, quantity, held, equity, requirement, positions)
    needed -= worth(s, market, quantity, worst)
    fund, lots = fund_purse(s, market, asset), held
    if fund < needed:
        lots = mul_div_down(held, fund, needed)
    if lots == 0:
        return 0
    filled, received = meet_book(s, account, row, lots, worst, equity, requirement, positions)
    if filled:
        due = bankruptcy_cash(s, account, market, quantity, filled, equity, requirement, positions)
        fund_pays(s, account, market, asset, due - received)
        if received > due:
            equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
            left = atoms_down(equity, ASSET(s).price[asset])
            take_penalty(s, account, market, received, min(received - due, left))
    return filled


@kernel
def back_bankrupt(s, account, row):
    """E < 0: the backstop at the mark, as far as the fund can pay the difference. Returns lots closed."""
    leg = LEG(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    lots = abs(quantity)
    equity, requirement, positions = claims_on(s, account)
    needed = bankruptcy_cash(s, account, market, quantity, lots, equity, requirement, positions) - value_of_lots(
        s, market, quantity, lots
    )
    fund = fund_purse(s, market, MARKET_RULE(s)[market, M_SETTLE])
    if fund < needed:
        lots = mul_div_down(lots, fund, needed)
    return take_over(s, account, row, lots, 1)


@kernel
def collect_candidates(s, account, row):
    """Profitable legs on the other side, with their scores, into the score table; how many."""
    leg, table, score, holder = LEG(s), ACCOUNT(s), SCORE(s), HOLDER(s)
    long = leg.quantity[row] > 0
    other = MARKET(s).holders[leg.thing[row] - MARKET_0]
    count = 0
    while other:
        quantity = leg.quantity[other]
        if quantity != 0 and (quantity > 0) != long and table.queued[leg.account[other]] == 0:
            points = deleveraging_score(s, other)
            if points > 0:
                score.score[count] = points
                score.account[count] = leg.account[other]
                score.leg[count] = other
                count += 1
        other = holder.next[other]
    return count


@leaf
def best_candidate(s, count):
    """The highest score not used yet, ties by account; -1 if none."""
    score = SCORE(s)
    best = -1
    for i in range(count):
        if score.score[i] > 0 and (
            best < 0
            or score.score[i] > score.score[best]
            or (score.score[i] == score.score[best] and score.account[i] < score.account[best])
        ):
            best = i
    return best


@kernel
def choose_candidates(s, count):
    """(how many may be deleveraged in this turn, their lots together): their places, best first, into the table."""
    score, leg = SCORE(s), LEG(s)
    chosen, together = 0, 0
    while chosen < DELEVERAGINGS_PER_TURN:
        best = best_candidate(s, count)
        if best < 0:
            break
        score.a[best] = score.score[best]
        score.score[best] = 0
        score.b[chosen] = best
        chosen += 1
        together += abs(leg.quantity[score.leg[best]])
    return chosen, together


@kernel
def can_be_deleveraged(s, row, signed, cash_paid):
    """The counterparty realises no loss and stays healthy."""
    leg = LEG(s)
    market = leg.thing[row] - MARKET_0
    if realised_of(s, market, leg.quantity[row], leg.cost[row], signed, cash_paid) < 0:
        return False
    equity, requirement, _ = account_risk(s, leg.account[row], FOR_MAINTAIN)
    gain = gained(s, market, leg.quantity[row], signed, cash_paid)
    equity += value(gain, ASSET(s).price[MARKET_RULE(s)[market, M_SETTLE]])
    return equity >= requirement + requirement_change(s, leg.account[row], row, market, leg.quantity[row] + signed)


@far
def deleverage(s, account, row):
    """E < 0 and nobody else is left: counterparties close, at a price that the fund moves towards the mark."""
    leg, score = LEG(s), SCORE(s)
    market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
    asset = MARKET_RULE(s)[market, M_SETTLE]
    lots, side = abs(quantity), -1 if quantity > 0 else 1
    equity, requirement, positions = claims_on(s, account)
    due = bankruptcy_cash(s, account, market, quantity, lots, equity, requirement, positions)
    missing = max(0, due - value_of_lots(s, market, quantity, lots))
    first = min(missing, purse_of(s, payer(s, market, asset, 0), asset))
    second = min(missing - first, purse_of(s, payer(s, market, asset, 1), asset))
    third = min(missing - first - second, purse_of(s, payer(s, market, asset, 2), asset))
    paid = due - first - second - third
    chosen, together = choose_candidates(s, collect_candidates(s, account, row))
    shares = MARKET_RULE(s)[market, M_RANKING] == PRO_RATA and together > lots
    done, passed = 0, 0
    for rank in range(1, chosen + 1):
        if done == lots:
            break
        best = score.b[rank - 1]
        points, other = score.a[best], score.leg[best]
        size = abs(leg.quantity[other])
        take = min(size, lots - done)
        if shares:
            take = mul_div_down(lots, passed + size, together) - mul_div_down(lots, passed, together)
            passed += size
            if take == 0:
                continue
        part = mul_div_down(paid, done + take, lots) - mul_div_down(paid, done, lots)
        if not can_be_deleveraged(s, other, -side * take, part):
            continue
        before = leg.quantity[other]
        hand_over(s, row, other, take, part)
        after = done + take
        fund_part = give_beside(s, account, market, asset, first, second, third, done, after, lots, 0)
        counterparty = leg.account[other]
        say(s, DELEVERAGED, account, market, side, 0, counterparty, 0, take, part, fund_part, points, rank, 0, 0)
        give_beside(s, account, market, asset, first, second, third, done, after, lots, 1)
        after_fill(s, other, before)
        done = after
    return done


@kernel
def reduce_bankrupt(s, account, row):
    """E < 0: book, backstop, counterparties, each only while it is needed. Returns lots closed."""
    leg = LEG(s)
    closed = sell_bankrupt(s, account, row)
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    if leg.quantity[row] == 0 or equity >= 0:
        return closed
    closed += back_bankrupt(s, account, row)
    equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
    if leg.quantity[row] == 0 or equity >= 0:
        return closed
    return closed + deleverage(s, account, row)


@kernel
def spare_after_part(s, account, part, spare):
    """`spare` less fees and less what scenarios require to restore, with so much of every position closed.

    Quantities are put aside for the question and put back.
    """
    leg, rule, kept, places = LEG(s), MARKET_RULE(s), SCRATCH(s), 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        market, quantity = leg.thing[row] - MARKET_0, leg.quantity[row]
        if market > 0 and quantity != 0 and can_be_closed(s, market):
            lots = lots_of_part(quantity, part)
            kept[2 * places] = row
            kept[2 * places + 1] = quantity
            places += 1
            leg.quantity[row] = quantity - lots if quantity > 0 else quantity + lots
            fee = ppm_up(notional_of(s, market, lots), rule[market, M_LIQUIDATION_FEE_PPM])
            spare -= charge(fee, ASSET(s).price[rule[market, M_SETTLE]])
        row = leg.next_of_account[row]
    spare -= scan_part(s, account, FOR_RESTORE, 0, 0, 0)
    for place in range(places):
        leg.quantity[kept[2 * place]] = kept[2 * place + 1]
    return spare


@kernel
def part_to_close(s, account):
    """The fewest of PARTS of every position whose closing restores E >= M(restore), all if none does; or a slice.

    None if closing all that can be closed would help nothing: it offsets what cannot.
    """
    leg, rule = LEG(s), MARKET_RULE(s)
    equity, requirement, positions = account_risk(s, account, FOR_RESTORE)
    spare = equity - requirement + positions
    if spare_after_part(s, account, PARTS, spare) <= equity - requirement:
        return 0
    too_few, enough = 0, PARTS
    while enough - too_few > 1:
        middle = (too_few + enough) >> 1
        if spare_after_part(s, account, middle, spare) >= 0:
            enough = middle
        else:
            too_few = middle
    row = ACCOUNT(s).first_leg[account]
    while row:
        market = leg.thing[row] - MARKET_0
        if market > 0 and notional_of(s, market, leg.quantity[row]) > rule[market, M_SLICE_NOTIONAL]:
            enough = min(enough, max(1, ppm_down(PARTS, rule[market, M_SLICE_PPM])))
        row = leg.next_of_account[row]
    return enough


@far
def reduce_portfolio(s, account):
    """E >= 0, by scenarios: the same part of every position, in order of thing. Returns lots closed."""
    leg, machine, closed = LEG(s), MACHINE(s), 0
    part, started = part_to_close(s, account), machine.events[0]
    row = first_in_order(s, account) if part else 0
    while row:
        market = leg.thing[row] - MARKET_0
        if market > 0 and leg.quantity[row] != 0 and can_be_closed(s, market):
            closed += reduce_solvent(s, account, row, lots_of_part(leg.quantity[row], part))
            equity, _, _ = account_risk(s, account, FOR_MAINTAIN)
            if equity < 0 or machine.events[0] - started > EVENTS_PER_ORDER_MAX:
                break
        row = leg.next_of_account[row]
    return closed


@far
def liquidation_turn(s, account):
    """One turn of one account."""
    if ACCOUNT(s).debts[account] and pay_gains_of_debts(s, account) and end_if_healthy(s, account):
        return 0
    if is_spared(s, account):
        return cool_down(s, account, SPARED, WAIT_NS)
    cancel_orders(s, account, 0, CLOSED_LIQUIDATION, 0)
    settle_account(s, account)
    if end_if_healthy(s, account):
        return 0
    if ACCOUNT(s).started[account] == 0:
        say_started(s, account)
    sold_in = sell_collateral(s, account)
    convert_debts(s, account, 1)
    if end_if_healthy(s, account):
        return 0
    held, row = heaviest_leg(s, account)
    pause = MARKET_RULE(s)[sold_in, M_COOLDOWN_NS] if sold_in else 0
    if held == 0:
        wait = shortest_wait(s, account, LOOK_NS)
        if wait >= 0:
            return cool_down(s, account, COOLS, pause if pause else max(wait, WAIT_NS))
        take_dust(s, account)
        left = pay_debts(s, account)
        if left == NOTHING_OWED:
            equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
            return end_liquidation(s, account, ENDED_CLOSED, equity, requirement)
        if left == OFFERED:
            return cool_down(s, account, OWES, LOOK_NS)
        soon = left == OWED_A_WHILE or has_cash(s, account)
        return cool_down(s, account, OWES, WAIT_NS if soon else OWING_WAIT_NS)
    if row == 0:
        return cool_down(s, account, COOLS, pause if pause else WAIT_NS)
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    if equity < 0:
        closed = reduce_bankrupt(s, account, row)
    elif ACCOUNT(s).scans[account]:
        closed = reduce_portfolio(s, account)
    else:
        closed = reduce_solvent(s, account, row, lots_to_close(s, account, row))
    if end_if_healthy(s, account):
        return 0
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    _, takeover, _ = account_risk(s, account, FOR_TAKEOVER)
    held, _ = heaviest_leg(s, account)
    if closed and (equity < 0 or equity < takeover or held == 0):
        return enqueue(s, account, health_of(equity, requirement))
    return cool_down(s, account, COOLS, MARKET_RULE(s)[LEG(s).thing[row] - MARKET_0, M_COOLDOWN_NS])


@far
def next_turn(s):
    """Give the least healthy waiting account its turn; 0 if nobody waits."""
    table = ACCOUNT(s)
    while heap_length(s, TURNS):
        health, account = heap_key(s, TURNS), heap_target(s, TURNS)
        heap_pop(s, TURNS)
        if table.queued[account] == WAITS and table.health[account] == health:
            liquidation_turn(s, account)
            return 1
    return 0


@far
def cooled_down(s, account):
    """A cool-down is over: judge anew, and wait for a turn if still unhealthy."""
    settle_account(s, account)
    if end_if_healthy(s, account):
        return 0
    if ACCOUNT(s).queued[account] == OWES:
        return wake(s, account)
    if ACCOUNT(s).queued[account] == SPARED and is_spared(s, account):
        return cool_down(s, account, SPARED, WAIT_NS)
    equity, requirement, _ = account_risk(s, account, FOR_MAINTAIN)
    return enqueue(s, account, health_of(equity, requirement))
