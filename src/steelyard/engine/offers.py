"""Bids for what accounts in liquidation offer. See docs/concepts/offers.md."""

from steelyard.engine.absorbing import price_step
from steelyard.engine.events import say
from steelyard.engine.funds import give, purse_of_fund
from steelyard.engine.interest import index_soon
from steelyard.engine.judge import enqueue
from steelyard.engine.ledger import far_post, find_leg, has_leg_room, legs_wanted, transfer
from steelyard.engine.liquidation import begin_offers, end_if_healthy, settle_account
from steelyard.engine.money import check_giving, check_markets, may_receive
from steelyard.engine.placing import why_not_good_assets
from steelyard.engine.supposing import spare_with
from steelyard.engine.timers import push_timer
from steelyard.model import reject as no
from steelyard.model.events import BID_CLOSED, BID_FILLED, BID_PLACED, CLAIMS_ISSUED, OFFERS_RESTARTED
from steelyard.model.keys import A_POOL_GAINS, C_LASTS_NS, C_TAKER, C_THEN, UNIT
from steelyard.model.orders import (
    AS_ASKED,
    COOLS,
    FOR_BIDDERS,
    FOR_MAINTAIN,
    FOR_OPEN,
    FROM_FUND,
    INSURANCE,
    KEEPER_PAID,
    LENDER,
    MAY_BORROW,
    OWES,
    RESTART,
    SPARED,
    TIMER_BIDS,
    TO_LIQUIDATE,
    USER,
)
from steelyard.num import far, kernel
from steelyard.num.limits import AMOUNT_MAX, BIDS_SHARE
from steelyard.num.rounding import mul_div_down
from steelyard.num.wide import product_is_less
from steelyard.rules.cash import value
from steelyard.rules.consent import is_over_loan_cap
from steelyard.rules.interest import cash_now
from steelyard.rules.offers import (
    comes_first,
    cost_of_bid,
    fee_as_asked,
    fee_paid,
    first_step,
    holds_nothing_else,
    is_frozen,
    is_issued,
    leaves_dust,
    net_and_fee,
    offered_of,
    pay_of_keeper,
    shortest_wait,
    size_of_issue,
    size_of_offer,
    standing_offer,
    variable,
)
from steelyard.rules.price import is_asset_good
from steelyard.rules.requirement import account_risk, health_of
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, BID, COMMAND, CURVE_RULE, L_BIDS, LAYOUT, LEG, MACHINE


@kernel
def check_names(s, row):
    """What a bid names."""
    bid, table, machine = BID(s), ACCOUNT(s), MACHINE(s)
    bidder, target = bid.bidder[row], bid.target[row]
    collateral, debt, options = bid.collateral[row], bid.debt[row], bid.options[row]
    if options < 0 or options > MAY_BORROW + AS_ASKED or bid.least[row] < 0 or debt == collateral:
        return no.FIELD_OUT_OF_RANGE
    if options >= AS_ASKED and bid.least[row] == 0:
        return no.FIELD_OUT_OF_RANGE
    if bidder <= 0 or bidder > machine.accounts[0] or target <= 0 or target > machine.accounts[0]:
        return no.ACCOUNT_UNKNOWN
    if table.role[bidder] != USER:
        return no.ACCOUNT_IS_NOT_TRADABLE
    if bidder == target:
        return no.SAME_ACCOUNT
    if min(collateral, debt) <= 0 or max(collateral, debt) > machine.assets[0]:
        return no.ASSET_UNKNOWN
    if bid.lots[row] <= 0:
        return no.AMOUNT_MUST_BE_POSITIVE
    if max(bid.lots[row], bid.least[row]) > AMOUNT_MAX:
        return no.AMOUNT_EXCEEDS_LIMIT
    return no.ACCOUNT_IN_LIQUIDATION if table.queued[bidder] else no.NONE


@kernel
def check_target(s, row):
    """Whether a bid names somebody in liquidation, and a pair of his that may be sold: (reason, E, M, both legs)."""
    bid, leg = BID(s), LEG(s)
    target, collateral, debt = bid.target[row], bid.collateral[row], bid.debt[row]
    given, owed = find_leg(s, target, collateral), find_leg(s, target, debt)
    if ACCOUNT(s).started[target] == 0 or ACCOUNT(s).queued[target] == SPARED:
        return no.NOT_IN_LIQUIDATION, 0, 0, 0, 0
    equity, requirement, _ = account_risk(s, target, FOR_MAINTAIN)
    reason = no.NONE
    if equity >= requirement:
        reason = no.NOT_IN_LIQUIDATION
    elif not (is_asset_good(s, collateral, TO_LIQUIDATE) and is_asset_good(s, debt, TO_LIQUIDATE)):
        reason = why_not_good_assets(s, collateral, debt)
    elif is_frozen(s, collateral) or is_frozen(s, debt):
        reason = no.ASSET_FROZEN
    elif ASSET(s).price[collateral] <= 0 or ASSET(s).price[debt] <= 0:
        reason = no.NO_OFFER  # a share of nothing
    elif offered_of(s, given, owed) <= 0 or leg.quantity[owed] >= 0:
        reason = no.NO_OFFER
    return reason, equity, requirement, given, owed


@far
def price_offer(s, row):
    """The offer that stands for what a bid names: its curve, its value now, and how much may be repaid. A reason."""
    bid, target, collateral = BID(s), BID(s).target[row], BID(s).collateral[row]
    bid.curve[row] = 0
    reason, equity, requirement, given, owed = check_target(s, row)
    if reason:
        return reason
    held, issued = offered_of(s, given, owed), is_issued(s, given, owed)
    if issued and (equity >= 0 or not holds_nothing_else(s, target, 0)):
        return no.NO_OFFER
    curve, elapsed = standing_offer(s, given, owed)
    if curve == 0 or CURVE_RULE(s)[curve, C_TAKER] != FOR_BIDDERS:
        return no.NO_OFFER
    x = variable(s, target, curve, collateral, elapsed, equity, requirement)
    if not price_step(s, row, curve, x, equity):
        return no.NO_OFFER
    amount = -cash_now(s, owed)
    bid.most[row] = size_of_issue(s, row, held, amount) if issued else size_of_offer(s, row, held, amount, x)
    return no.NONE


@kernel
def size_bid(s, row):
    """What a bid would repay and receive. A reason."""
    bid, target, lots, least = BID(s), BID(s).target[row], BID(s).lots[row], BID(s).least[row]
    given_row, owed_row = find_leg(s, target, bid.collateral[row]), find_leg(s, target, bid.debt[row])
    held, issued, owed = offered_of(s, given_row, owed_row), is_issued(s, given_row, owed_row), -cash_now(s, owed_row)
    repaid = min(lots, bid.most[row])
    net, fee = net_and_fee(s, row, repaid, held)
    if issued:
        net, fee = net + fee, 0
    if repaid <= 0 or net <= 0:
        return no.BID_TOO_SMALL
    if product_is_less(net, lots, least, repaid):
        return no.BID_LIMIT_NOT_MET
    if repaid < bid.most[row] and not issued and leaves_dust(s, row, repaid, held, owed):
        return no.BID_LEAVES_DUST
    if bid.options[row] >= AS_ASKED:
        net = mul_div_down(least, repaid, lots)
        if net == 0:
            return no.BID_TOO_SMALL
        fee = 0 if issued else fee_as_asked(s, row, repaid, net)
    bid.repaid[row] = repaid
    bid.net[row] = net
    bid.fee[row] = fee_paid(s, row, fee, repaid, net, held, owed)
    return no.NONE


@kernel
def check_bidder(s, row):
    """Whether the bidder can pay. A reason."""
    bid = BID(s)
    bidder, collateral, debt, repaid = bid.bidder[row], bid.collateral[row], bid.debt[row], bid.repaid[row]
    borrows = bid.options[row] & MAY_BORROW
    reason = check_markets(s, bidder)
    if reason:
        return reason
    wanted = legs_wanted(s, bidder, collateral) + (legs_wanted(s, bidder, debt) if borrows else 0)
    if borrows and ASSET_RULE(s)[collateral, A_POOL_GAINS] == debt and find_leg(s, bidder, debt) == 0:
        wanted -= legs_wanted(s, bidder, collateral) - 1  # it was counted twice
    if borrows and ASSET_RULE(s)[debt, A_POOL_GAINS] == collateral and find_leg(s, bidder, debt) == 0:
        wanted -= legs_wanted(s, bidder, debt) - 1
    if wanted and not has_leg_room(s, bidder, wanted):
        return no.LEGS_FULL
    reason = check_giving(s, bidder, debt, repaid, borrows)
    if reason:
        return reason
    if not may_receive(s, bidder, collateral, bid.net[row], debt, repaid):
        return no.SHARES_OF_SAME_POOL
    if is_over_loan_cap(s, bidder):
        return no.LOAN_CAP_EXCEEDED
    spare = spare_with(s, bidder, FOR_OPEN, debt, repaid, collateral, bid.net[row])
    return no.NONE if spare >= 0 else no.OPENING_MARGIN_EXCEEDED


@far
def check_bid(s, row):
    """Everything that may stand against a bid, judged at the index that its debt has now."""
    bid, asset = BID(s), ASSET(s)
    reason = check_names(s, row)
    if reason:
        return reason
    debt = bid.debt[row]
    index = asset.borrow_index[debt]
    asset.borrow_index[debt] = index_soon(s, debt, find_leg(s, LENDER, debt))
    reason = price_offer(s, row)
    if reason == no.NONE:
        reason = size_bid(s, row)
    if reason == no.NONE:
        reason = check_bidder(s, row)
    asset.borrow_index[debt] = index
    return reason


@kernel
def check_others(s, row):
    """Beside the bids of this instant: one of an account for a pair, and an eighth of all there is room for."""
    bid, own = BID(s), 1
    for other in range(1, row):
        if bid.bidder[other] == bid.bidder[row]:
            own += 1
            same = bid.target[other] == bid.target[row] and bid.debt[other] == bid.debt[row]
            if same and bid.collateral[other] == bid.collateral[row]:
                return no.BID_REPEATED
    return no.TOO_MANY_BIDS if own > -(-LAYOUT(s)[L_BIDS] // BIDS_SHARE) else no.NONE


@kernel
def takes_time(s, curve):
    """Whether a ladder from this row on has a step that stands for a time; those for pools do not."""
    while curve and CURVE_RULE(s)[curve, C_LASTS_NS] == 0:
        curve = CURVE_RULE(s)[curve, C_THEN]
    return curve != 0


@far
def restart_offers(s, i):
    """All ladders of an account in liquidation have ended: they begin anew, and who says so may be paid for it."""
    c, bid = COMMAND(s), BID(s)
    keeper, target, collateral, debt = c.account[i], c.order[i], c.market[i], c.trigger[i]
    if c.lots[i] != 0 or c.price[i] != 0:
        return no.FIELD_OUT_OF_RANGE
    bid.bidder[0] = keeper
    bid.target[0] = target
    bid.collateral[0] = collateral
    bid.debt[0] = debt
    bid.options[0] = 0
    bid.lots[0] = 1
    bid.least[0] = 0
    reason = check_names(s, 0)
    if reason:
        return reason
    reason, equity, requirement, given, owed = check_target(s, 0)
    if reason:
        return reason
    curve = first_step(s, collateral, debt)
    if not takes_time(s, curve) or LEG(s).quantity[given] <= 0:
        return no.NO_OFFER
    # Only a turn after the end of the ladders finds out that nobody else pays: then it owes.
    if shortest_wait(s, target, 1) >= 0 or ACCOUNT(s).queued[target] != OWES:
        return no.OFFER_STANDS
    if equity < 0:
        return no.LOSS_PENDING
    settle_account(s, target)
    equity, requirement, _ = account_risk(s, target, FOR_MAINTAIN)
    held, due = LEG(s).quantity[given], -cash_now(s, owed)
    paid = min(purse_of_fund(s, UNIT), pay_of_keeper(s, keeper, target, curve, collateral, held, debt, due))
    worth = value(due, ASSET(s).price[debt])
    begin_offers(s, target, 1)
    say(s, OFFERS_RESTARTED, target, collateral, 0, 0, keeper, 0, 0, paid, requirement, equity, worth, curve, debt)
    if paid:
        ACCOUNT(s).started[target] = KEEPER_PAID
        give(s, FROM_FUND, keeper, 0, UNIT, paid, 0)
    if ACCOUNT(s).queued[target] >= COOLS:
        enqueue(s, target, health_of(equity, requirement))
    return no.NONE


@far
def liquidate(s, i):
    """LIQUIDATE: a bid that waits for the end of its instant."""
    c, bid, machine = COMMAND(s), BID(s), MACHINE(s)
    if c.options[i] == RESTART:
        return restart_offers(s, i)
    row = machine.bids[0] + 1
    if row > LAYOUT(s)[L_BIDS]:
        row = 0  # where bids are only looked at
    bid.bidder[row] = c.account[i]
    bid.target[row] = c.order[i]
    bid.collateral[row] = c.market[i]
    bid.debt[row] = c.trigger[i]
    bid.options[row] = c.options[i]
    bid.lots[row] = c.lots[i]
    bid.least[row] = c.price[i]
    bid.seq[row] = machine.seq[0]
    reason = check_bid(s, row)
    if reason:
        return reason
    if row == 0:
        return no.BIDS_FULL
    reason = check_others(s, row)
    if reason:
        return reason
    machine.bids[0] = row
    if row == 1:
        machine.bids_due_ns[0] = machine.now_ns[0] + 1
        push_timer(s, machine.bids_due_ns[0], TIMER_BIDS << 32)
    lots, least, debt, flags = c.lots[i], c.price[i], c.trigger[i], c.options[i]
    say(s, BID_PLACED, c.account[i], c.market[i], flags, 0, c.order[i], 0, lots, least, 0, 0, 0, 0, debt)
    return no.NONE


@far
def fill_bid(s, row):
    """The instant of a bid is over: it is filled, or closed with what stands against it."""
    bid, account = BID(s), ACCOUNT(s)
    bidder, target, collateral, debt = bid.bidder[row], bid.target[row], bid.collateral[row], bid.debt[row]
    if account.started[target]:
        settle_account(s, target)
    reason = check_bid(s, row)
    if reason:
        say(s, BID_CLOSED, bidder, collateral, 0, bid.seq[row], target, 0, 0, 0, 0, reason, 0, 0, debt)
        return 0
    repaid, net, fee = bid.repaid[row], bid.net[row], bid.fee[row]
    cost, y, curve = cost_of_bid(s, row, repaid, net + fee), bid.value[row], bid.curve[row]
    issued = is_issued(s, find_leg(s, target, collateral), find_leg(s, target, debt))
    transfer(s, bidder, target, debt, repaid)
    if issued:
        ASSET(s).deposited[collateral] += net
        far_post(s, bidder, collateral, net)
    else:
        transfer(s, target, bidder, collateral, net)
        transfer(s, target, INSURANCE, collateral, fee)
    equity, placed, kind = bid.equity[row], bid.seq[row], CLAIMS_ISSUED if issued else BID_FILLED
    say(s, kind, target, collateral, 0, placed, bidder, y, repaid, net, fee, equity, cost, curve, debt)
    if end_if_healthy(s, target) == 0 and not issued and account.queued[target] >= COOLS:
        equity, requirement, _ = account_risk(s, target, FOR_MAINTAIN)
        enqueue(s, target, health_of(equity, requirement))
    return 1


@far
def fill_bids(s):
    """All bids of the instant that is over, each in its place."""
    bid, machine = BID(s), MACHINE(s)
    count = machine.bids[0]
    for _ in range(count):
        best = 0
        for row in range(1, count + 1):
            if bid.bidder[row] and (best == 0 or comes_first(s, row, best)):
                best = row
        fill_bid(s, best)
        bid.bidder[best] = 0
    machine.bids[0] = 0
    machine.bids_due_ns[0] = 0
    return 0


@far
def look_at_offer(s, target, collateral, debt):
    """What a bid for all that is offered would repay and receive, in row 0 of the bids; a reason if there is none."""
    bid, asset = BID(s), ASSET(s)
    bid.target[0] = target
    bid.collateral[0] = collateral
    bid.debt[0] = debt
    bid.options[0] = 0
    bid.least[0] = 0
    index = asset.borrow_index[debt]
    asset.borrow_index[debt] = index_soon(s, debt, find_leg(s, LENDER, debt))
    reason = price_offer(s, 0)
    if reason == no.NONE:
        bid.lots[0] = bid.most[0]
        reason = size_bid(s, 0)
    asset.borrow_index[debt] = index
    return reason
