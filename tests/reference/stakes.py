"""Stake pools: keepers, gains per share, debts that a pool takes over. See docs/concepts/sharing.md."""

from steelyard.model import events, reject
from steelyard.model.keys import A_POOL_GAINS, A_POOL_KIND, A_POOL_OF
from steelyard.model.orders import ABSORBS, INSURANCE, KEEPER, SYSTEM_OWNER
from steelyard.state.tables import MARKET_0
from tests.reference import ladders, money, offers, pool
from tests.reference.health import is_healthy
from tests.reference.numbers import down, up, value
from tests.reference.rows import Account, Refused

ATOM = 2**48  # of sums per share
LARGEST_STEP, LARGEST_SUM = 2**13, 2**62
DEAREST = 10_000  # shares for an atom


def check_gains(twin, rule, row):
    """The key that disagrees about what a pool gains, or None."""
    staked, gained = rule[A_POOL_OF], rule[A_POOL_GAINS]
    if (rule[A_POOL_KIND] == ABSORBS) != (gained > 0):
        return A_POOL_GAINS
    if not gained:
        return None
    if gained not in twin.assets or gained in (staked, row) or twin.assets[gained].rule[A_POOL_GAINS]:
        return A_POOL_GAINS
    earlier = pool_for(twin, staked, gained)
    return A_POOL_OF if row not in twin.assets and earlier and not is_spent(twin, earlier) else None


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


def absorb(twin, account):
    for debt in sorted(twin.assets):
        for collateral in sorted(twin.assets):
            if (collateral, debt) in ladders.pairs(twin, account) and not is_healthy(twin, twin.legs_of(account)):
                absorb_pair(twin, account, collateral, debt)


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
