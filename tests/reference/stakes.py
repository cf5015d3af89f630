"""Stake pools: keepers, gains per share, debts that a pool takes over. See docs/concepts/sharing.md."""

from steelyard.model import events, reject
from steelyard.model.keys import A_PAYER, A_POOL_COOL_NS, A_POOL_FEE_PPM, A_POOL_GAINS, A_POOL_KIND, A_POOL_OF
from steelyard.model.orders import ABSORBS, BACKS, FROM_FUND, INSURANCE, KEEPER, LENDER, SPARED, SYSTEM_OWNER
from steelyard.num.limits import PAYERS_MAX
from steelyard.state.tables import MARKET_0
from tests.reference import interest, ladders, money, offers, pool
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
    if staked and (rule[A_POOL_KIND] == ABSORBS) != (gained > 0):
        return A_POOL_GAINS
    if gained:
        if gained not in twin.assets or gained in (staked, row) or twin.assets[gained].rule[A_POOL_GAINS]:
            return A_POOL_GAINS
        earlier = pool_for(twin, staked, gained) if staked else 0
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
    if share.rule[A_POOL_OF]:
        pool.show_price(twin, row)


# --- Gains ------------------------------------------------------------------------------------------------------------


def claimable(twin, leg):
    if leg.thing > MARKET_0 or not twin.assets[leg.thing].rule[A_POOL_GAINS]:
        return 0
    remembered = leg.index_at_touch if is_share(twin, leg.thing) else leg.cost
    return down(part_of(twin, leg) * (twin.assets[leg.thing].gained - remembered), ATOM)


def is_share(twin, asset):
    return twin.assets[asset].rule[A_POOL_OF] > 0


def part_of(twin, leg):
    """Shares, or what was borrowed of an asset whose borrowers gain."""
    if is_share(twin, leg.thing):
        return leg.quantity
    return down(-leg.quantity * 10**12, leg.index_at_touch) if leg.quantity < 0 else 0


def pay_for_debts(twin, row):
    """Gains of debts that were taken over: whether there were any."""
    owing = [leg for thing, leg in sorted(twin.legs_of(row).items()) if leg.quantity < 0 and claimable(twin, leg)]
    for leg in owing:
        touch(twin, leg)
    return len(owing) > 0


def touch(twin, leg):
    """The leg is brought up to the sum per share."""
    share, amount = twin.assets[leg.thing], claimable(twin, leg)
    if is_share(twin, leg.thing):
        leg.index_at_touch = share.gained
    elif leg.quantity < 0:
        leg.cost = share.gained
    if amount:
        asset = share.rule[A_POOL_GAINS]
        money.book(twin, share.keeper, asset, -amount)
        money.book(twin, leg.account, asset, amount)
        told = {
            "amount": amount,
            "other": leg.thing,
            "lots": part_of(twin, leg),
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


def divided(share, amount, parts):
    """(sum per share, atoms left over) after a gain; None if it does not fit."""
    whole = amount + share.undivided
    if not parts or down(whole, parts) >= LARGEST_STEP:
        return None
    step = down(whole * ATOM, parts)
    if share.gained + step > LARGEST_SUM:
        return None
    return share.gained + step, whole - up(step * parts, ATOM)


# --- Absorbing --------------------------------------------------------------------------------------------------------


def spread_pair(twin, account, collateral, debt):
    """Others who owe the asset take the debt over, and get the collateral."""
    asset, step = twin.assets[debt], ladders.step_for(twin, ladders.BORROWERS, account, collateral, debt)
    if not step or asset.rule[A_POOL_GAINS] != collateral:
        return
    try:
        offer = offers.Offer(twin, account, collateral, debt, step)
    except Refused:
        return
    if offer.gross(offer.par(offer.owed)) > offer.held and holds_more(twin, account, collateral):
        return
    others = [leg for leg in interest.debts(twin, debt) if leg.account != account]
    parts, rest = sum(part_of(twin, leg) for leg in others), asset.owed - offer.owed
    if not parts or rest < offer.owed or money.cash(twin, LENDER, debt) < offer.owed:
        return
    net, fee = offer.gives(offer.owed)
    fee = offer.fee_paid(offer.owed, net, fee)
    after = divided(asset, net, parts)
    if up(asset.borrow_index * (rest + offer.owed), rest) > 1000 * 10**12 or net <= 0 or after is None:
        return
    until = asset.outflow_until_ns
    for giver, taker, thing, amount in (
        (LENDER, account, debt, offer.owed),
        (account, asset.keeper, collateral, net),
        (account, INSURANCE, collateral, fee),
    ):
        money.book(twin, giver, thing, -amount)
        money.book(twin, taker, thing, amount)
    asset.outflow_until_ns = until
    asset.borrow_index = up(asset.borrow_index * (asset.owed + offer.owed), asset.owed)
    asset.owed += offer.owed
    asset.gained, asset.undivided = after
    offers.tell(twin, events.DEBT_SPREAD, offer, offer.owed, net, fee, other=asset.borrow_index, order=asset.keeper)
    twin.show_share(debt)


def holds_more(twin, account, collateral):
    """A position, or other cash that is more than a thousandth of what it owes."""
    beside = owed = 0
    for thing, leg in twin.legs_of(account).items():
        if thing > MARKET_0:
            if leg.quantity:
                return True
            continue
        counts = value(interest.cash_now(twin, leg), twin.assets[thing].price)
        owed -= min(0, counts)
        beside += max(0, counts) if thing != collateral else 0
    return beside > down(owed, 1000)


def absorb_pair(twin, account, collateral, debt):
    step, row = ladders.step_for(twin, ladders.POOL, account, collateral, debt), pool_for(twin, debt, collateral)
    if not step or not row:
        return
    try:
        offer = offers.Offer(twin, account, collateral, debt, step)
    except Refused:
        return
    share = twin.assets[row]
    repaid = min(offer.most, money.cash(twin, share.keeper, debt))
    net, fee = offer.gives(repaid)
    after = divided(share, net, share.deposited)
    if repaid <= 0 or net <= 0 or after is None:
        return
    fee = offer.fee_paid(repaid, net, fee)
    for giver, taker, asset, amount in (
        (share.keeper, account, debt, repaid),
        (account, share.keeper, collateral, net),
        (account, INSURANCE, collateral, fee),
    ):
        money.book(twin, giver, asset, -amount)
        money.book(twin, taker, asset, amount)
    share.gained, share.undivided = after
    offers.tell(twin, events.ABSORBED, offer, repaid, net, fee, other=row, order=share.keeper)
    pool.show_price(twin, row)
