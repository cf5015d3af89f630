"""Stake pools: keepers, gains per share, debts that a pool takes over. See docs/concepts/sharing.md."""

from steelyard.model import events, reject
from steelyard.model.keys import A_PAYER, A_POOL_COOL_NS, A_POOL_FEE_PPM, A_POOL_GAINS, A_POOL_KIND, A_POOL_OF
from steelyard.model.orders import ABSORBS, BACKS, FROM_FUND, INSURANCE, KEEPER, SPARED, SYSTEM_OWNER
from steelyard.num.limits import PAYERS_MAX
from steelyard.state.tables import MARKET_0
from tests.reference import ladders, money, offers, pool
from tests.reference.health import equity
from tests.reference.numbers import down, up, value
from tests.reference.rows import Account, Refused
from tests.reference.standing import payers

ATOM = 2**48  # of sums per share
LARGEST_STEP, LARGEST_SUM = 2**13, 2**62
DEAREST = 10_000  # shares for an atom


def check_gains(twin, rule, row):
    """The key that disagrees about what a pool gains, or None."""
    staked, gained = rule[A_POOL_OF], rule[A_POOL_GAINS]
    if (rule[A_POOL_KIND] == ABSORBS) != (gained > 0):
        return A_POOL_GAINS
    if gained:
        if gained not in twin.assets or gained in (staked, row) or twin.assets[gained].rule[A_POOL_GAINS]:
            return A_POOL_GAINS
        earlier = pool_for(twin, staked, gained)
        if row not in twin.assets and earlier and not is_spent(twin, earlier):
            return A_POOL_OF
    for key in (A_POOL_COOL_NS, A_POOL_FEE_PPM):
        if rule[A_POOL_KIND] != BACKS and rule[key]:
            return key
    return check_payers(twin, rule, A_PAYER, row)


def check_payers(twin, rule, first, asset):
    """The key of a payer that cannot pay this asset, or not at its place."""
    named = rule[first : first + PAYERS_MAX]
    for place, who in enumerate(named):
        share = twin.assets.get(who)
        backs = share is not None and (share.rule[A_POOL_KIND], share.rule[A_POOL_OF]) == (BACKS, asset)
        if who and (0 in named[:place] or who in named[:place] or not (backs or who == FROM_FUND)):
            return first + place
    return None


def pool_for(twin, staked, gained):
    """The newest pool that takes debts in one asset for collateral in another."""
    wanted = (ABSORBS, staked, gained)
    keys = (A_POOL_KIND, A_POOL_OF, A_POOL_GAINS)
    return max((row for row, each in twin.assets.items() if tuple(each.rule[key] for key in keys) == wanted), default=0)


def is_spent(twin, row):
    share = twin.assets[row]
    if not share.keeper or not share.deposited:
        return False
    return DEAREST * (pool.assets_behind(twin, row) + 1) < share.deposited + 100


def begin(twin, row):
    share = twin.assets[row]
    keeper = twin.open_account(Account(row=len(twin.accounts) + 1, owner=SYSTEM_OWNER, role=KEEPER))
    twin.emit(events.ACCOUNT_OPENED, account=keeper, other=SYSTEM_OWNER, extra=KEEPER)
    share.keeper = keeper
    for asset in (share.rule[A_POOL_OF], share.rule[A_POOL_GAINS]):
        if asset:
            twin.make_leg(keeper, asset)
    pool.show_price(twin, row)


# --- Gains ------------------------------------------------------------------------------------------------------------


def claimable(twin, leg):
    if leg.thing > MARKET_0 or not twin.assets[leg.thing].rule[A_POOL_GAINS]:
        return 0
    return down(leg.quantity * (twin.assets[leg.thing].gained - leg.index_at_touch), ATOM)


def touch(twin, leg):
    """The leg is brought up to the sum per share."""
    share, amount = twin.assets[leg.thing], claimable(twin, leg)
    leg.index_at_touch = share.gained
    if amount:
        asset = share.rule[A_POOL_GAINS]
        money.book(twin, share.keeper, asset, -amount)
        money.book(twin, leg.account, asset, amount)
        told = {
            "amount": amount,
            "other": leg.thing,
            "lots": leg.quantity,
            "extra": share.gained,
            "order": share.keeper,
        }
        twin.emit(events.GAIN_PAID, account=leg.account, market=asset, **told)


def move(twin, leg, amount):
    """Before shares move: gains are paid; nobody says that more is to be redeemed than there will be."""
    if twin.assets[leg.thing].rule[A_POOL_GAINS]:
        touch(twin, leg)
    elif leg.cost > leg.quantity + amount:
        means_to_leave(leg, leg.quantity + amount, leg.index_at_touch)


def means_to_leave(leg, shares, since):
    leg.cost, leg.index_at_touch = shares, since if shares else 0


def leave(twin, c):
    twin.require(c.options == 0 and c.lots >= 0, reject.FIELD_OUT_OF_RANGE)
    twin.require(c.account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(not twin.is_kept(c.account), reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(c.market in twin.assets, reject.ASSET_UNKNOWN)
    wait = twin.assets[c.market].rule[A_POOL_COOL_NS]
    twin.require(wait, reject.POOL_UNKNOWN)
    twin.require(c.lots <= twin.quantity(c.account, c.market), reject.BALANCE_TOO_LOW)
    leg = twin.leg_or_none(c.account, c.market)
    if leg:
        means_to_leave(leg, c.lots, twin.now)
    until = twin.now + wait if c.lots else 0
    twin.emit(events.LEAVING_SET, account=c.account, market=c.market, lots=c.lots, amount=until)


def check_leaving(twin, leg, shares):
    wait = twin.assets[leg.thing].rule[A_POOL_COOL_NS]
    twin.require(not wait or (shares <= leg.cost and twin.now >= leg.index_at_touch + wait), reject.COOLING_DOWN)


def have_left(leg, said, shares):
    """They were among those that were said."""
    if said:
        means_to_leave(leg, said - shares, leg.index_at_touch)


def is_backed_loss_pending(twin, row):
    """Somebody in liquidation with E < 0 has a position for which this pool pays."""
    share = twin.assets[row]
    if share.rule[A_POOL_KIND] != BACKS:
        return False
    for market in twin.markets.values():
        asset = twin.settle(market)
        if asset == share.rule[A_POOL_OF] and row in payers(twin, asset, market.row):
            for account in twin.accounts.values():
                if account.queued not in (0, SPARED) and twin.quantity(account.row, market.thing):
                    if equity(twin, twin.legs_of(account.row)) < 0:
                        return True
    return False


def claim(twin, c):
    twin.require(c.options == 0, reject.FIELD_OUT_OF_RANGE)
    twin.require(c.account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(not twin.is_kept(c.account), reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(c.market in twin.assets, reject.ASSET_UNKNOWN)
    twin.require(twin.assets[c.market].rule[A_POOL_GAINS], reject.POOL_UNKNOWN)
    leg = twin.leg_or_none(c.account, c.market)
    twin.require(leg and claimable(twin, leg), reject.NOTHING_CHANGES)
    touch(twin, leg)
    money.welcome(twin, c.account)


def divided(share, amount):
    """(step of the sum, atoms left over) of a gain."""
    whole = amount + share.undivided
    step = down(whole * ATOM, share.deposited)
    return step, whole - up(step * share.deposited, ATOM)


# --- Absorbing --------------------------------------------------------------------------------------------------------


def absorb_pair(twin, account, collateral, debt):
    step, row = ladders.step_for_pool(twin, account, collateral, debt), pool_for(twin, debt, collateral)
    if not step or not row:
        return
    try:
        offer = offers.Offer(twin, account, collateral, debt, step)
    except Refused:
        return
    share = twin.assets[row]
    repaid = min(offer.most, money.cash(twin, share.keeper, debt))
    net, fee = offer.gives(repaid)
    if repaid <= 0 or net <= 0 or not share.deposited:
        return
    if down(net + share.undivided, share.deposited) >= LARGEST_STEP:
        return
    step_of_sum, left = divided(share, net)
    if share.gained + step_of_sum > LARGEST_SUM:
        return
    fee = offer.fee_paid(repaid, net, fee)
    for giver, taker, asset, amount in (
        (share.keeper, account, debt, repaid),
        (account, share.keeper, collateral, net),
        (account, INSURANCE, collateral, fee),
    ):
        money.book(twin, giver, asset, -amount)
        money.book(twin, taker, asset, amount)
    share.gained, share.undivided = share.gained + step_of_sum, left
    twin.emit(
        events.ABSORBED,
        account=account,
        other=row,
        market=collateral,
        options=debt,
        reason=offer.curve,
        order=share.keeper,
        price=offer.y,
        lots=repaid,
        amount=net,
        fee=fee,
        extra=offer.equity,
        extra2=value(net + fee, offer.price_held) - value(repaid, offer.price_owed),
    )
    pool.show_price(twin, row)
