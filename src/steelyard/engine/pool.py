"""Supply and redeem: coins are brought to a pool and taken back; gains are claimed.

See docs/concepts/pools.md and docs/concepts/sharing.md.
"""

from steelyard.engine.accounts import add_account
from steelyard.engine.events import say
from steelyard.engine.funds import payer
from steelyard.engine.interest import accrue, index_soon, note_outflow, owed_after, reserve_after
from steelyard.engine.ledger import (
    cash,
    far_post,
    find_leg,
    free_cash,
    has_leg_room,
    legs_wanted,
    open_leg,
    pay_gain,
)
from steelyard.engine.money import add_reference, check_named, check_party, check_state_of_giver, welcome
from steelyard.engine.supposing import spare_with
from steelyard.engine.worth import lent, link_stake, set_gap, set_price, show_share, show_stake
from steelyard.model import reject as no
from steelyard.model.events import LEAVING_SET, POOL_REDEEMED, POOL_SUPPLIED, SHARE_PRICE_SET
from steelyard.model.keys import (
    A_POOL_COOL_NS,
    A_POOL_GAINS,
    A_POOL_KIND,
    A_POOL_MAX,
    A_POOL_OF,
    A_SUPPLY_MAX,
    M_SETTLE,
)
from steelyard.model.orders import AT_MOST, BACKS, FOR_MAINTAIN, FOR_OPEN, KEEPER, LENDER, SPARED, SYSTEM_OWNER, USED
from steelyard.num import far, kernel
from steelyard.num.limits import PAYERS_MAX
from steelyard.rules.consent import exchange_is_no_weaker, is_over_loan_cap
from steelyard.rules.interest import may_flow_out
from steelyard.rules.pool import assets_of, coins_down, gain_of, is_spent, shares_down, unsettled
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, COMMAND, HOLDER, LEG, MACHINE, MARKET, MARKET_RULE


@far
def assets_soon(s, share, lender_row):
    """What belongs to the holders of shares, if the asset of their pool accrued now."""
    table, asset = ASSET(s), ASSET_RULE(s)[share, A_POOL_OF]
    if table.keeper[share]:
        return assets_of(s, share)
    owed = table.owed[asset]
    later, _ = owed_after(s, asset, index_soon(s, asset, lender_row))
    reserve, _ = reserve_after(s, asset, owed, later - owed, lender_row)
    return lent(s, lender_row) + later - table.loans[asset] - reserve


@far
def check_margin_after(s, account, asset, coins, share, shares):
    """May coins become shares (both negative: the other way)? E >= M(open) afterwards, or the account is no weaker."""
    table = ASSET(s)
    over_cap = is_over_loan_cap(s, account)
    index = table.borrow_index[asset]
    table.borrow_index[asset] = index_soon(s, asset, find_leg(s, LENDER, asset))
    spare = spare_with(s, account, FOR_OPEN, asset, coins, share, shares)
    passes = (spare >= 0 and not over_cap) or exchange_is_no_weaker(s, account, asset, -coins, share, shares)
    table.borrow_index[asset] = index
    if passes:
        return no.NONE
    return no.LOAN_CAP_EXCEEDED if over_cap else no.OPENING_MARGIN_EXCEEDED


@far
def exchange(s, account, asset, coins, share, shares):
    """Coins become shares (both negative: the other way)."""
    table = ASSET(s)
    keeper = table.keeper[share]
    holder = keeper if keeper else LENDER
    accrue(s, asset, find_leg(s, LENDER, asset))
    if coins > 0:
        far_post(s, account, asset, -coins)
    far_post(s, account, share, shares)
    table.deposited[share] += shares
    far_post(s, holder, asset, coins)
    if coins < 0:
        far_post(s, account, asset, -coins)
    kind = POOL_SUPPLIED if coins > 0 else POOL_REDEEMED
    if keeper == 0:
        note_outflow(s, asset, -coins)
    say(s, kind, account, asset, 0, 0, share, 0, abs(shares), abs(coins), 0, keeper, 0, 0, 0)
    if keeper:
        return show_stake(s, share)
    return show_share(s, asset, find_leg(s, LENDER, asset))


@kernel
def is_anybody_short(s, row):
    """Whether somebody in this list of legs whose liquidation goes on has E < 0; who is spared may be healthy."""
    table, leg, holder = ACCOUNT(s), LEG(s), HOLDER(s)
    while row:
        queued = table.queued[leg.account[row]]
        if leg.quantity[row] != 0 and queued and queued != SPARED:
            equity, _, _ = account_risk(s, leg.account[row], FOR_MAINTAIN)
            if equity < 0:
                return True
        row = holder.next[row]
    return False


@far
def is_loss_pending(s, asset, share):
    """Whether a loss that the holders of shares may bear is not known yet: of debts, of positions that they back."""
    if MACHINE(s).queued[0] == 0:
        return 0
    if is_anybody_short(s, ASSET(s).debtors[asset]):
        return 1
    if ASSET_RULE(s)[share, A_POOL_KIND] != BACKS:
        return 0
    for market in range(1, MACHINE(s).markets[0] + 1):
        if MARKET_RULE(s)[market, M_SETTLE] == asset and pays_for(s, share, market):
            if is_anybody_short(s, MARKET(s).holders[market]):
                return 1
    return 0


@kernel
def pays_for(s, share, market):
    """Whether a pool is among a market's payers."""
    asset = MARKET_RULE(s)[market, M_SETTLE]
    for place in range(PAYERS_MAX):
        if payer(s, market, asset, place) == share:
            return True
    return False


@far
def supply(s, i):
    """SUPPLY: coins of the account become the pool's."""
    c, table = COMMAND(s), ASSET(s)
    reason = no.FIELD_OUT_OF_RANGE if c.options[i] else check_named(s, i, LENDER)
    if reason:
        return reason
    account, asset, coins = c.account[i], c.market[i], c.lots[i]
    share = c.order[i] if c.order[i] else table.pool[asset]
    if share <= 0 or share > MACHINE(s).assets[0] or ASSET_RULE(s)[share, A_POOL_OF] != asset:
        return no.POOL_UNKNOWN
    if table.keeper[share] == 0 and table.pool[asset] != share:
        return no.POOL_UNKNOWN
    reason = check_state_of_giver(s, account)
    if reason:
        return reason
    wanted = legs_wanted(s, account, share)
    if wanted and not has_leg_room(s, account, wanted):
        return no.LEGS_FULL
    assets = assets_soon(s, share, find_leg(s, LENDER, asset))
    shares = shares_down(coins, assets, table.deposited[share])
    if shares == 0:
        return no.AMOUNT_MUST_BE_POSITIVE
    if table.keeper[share]:
        if is_spent(s, share):
            return no.POOL_SPENT
    elif is_loss_pending(s, asset, share):
        return no.LOSS_PENDING
    if coins > ASSET_RULE(s)[share if table.keeper[share] else asset, A_POOL_MAX] - assets:
        return no.POOL_CAP_EXCEEDED
    if shares > ASSET_RULE(s)[share, A_SUPPLY_MAX] - table.deposited[share]:
        return no.AMOUNT_EXCEEDS_LIMIT
    if free_cash(s, account, asset) < coins:
        return no.BALANCE_TOO_LOW
    reason = check_margin_after(s, account, asset, coins, share, shares)
    if reason:
        return reason
    add_reference(s, i, USED)
    exchange(s, account, asset, coins, share, shares)
    return no.NONE


@kernel
def is_cooling(s, row, shares):
    """Whether it was not said long enough ago that so many shares of a leg are to be redeemed."""
    leg = LEG(s)
    wait = ASSET_RULE(s)[leg.thing[row], A_POOL_COOL_NS]
    if wait == 0:
        return False
    return shares > leg.cost[row] or MACHINE(s).now_ns[0] < leg.index_at_touch[row] + wait


@kernel
def say_leaving(s, row, shares, since):
    """A leg keeps how many of its shares are to be redeemed, and since when that is said."""
    leg = LEG(s)
    leg.cost[row] = shares
    leg.index_at_touch[row] = since if shares else 0
    return 0


@kernel
def check_holder(s, account, share):
    """Who says something about shares, and of what: an account that may, and an asset."""
    reason = check_party(s, account)
    if reason:
        return reason
    return no.NONE if 0 < share <= MACHINE(s).assets[0] else no.ASSET_UNKNOWN


@far
def leave(s, i):
    """LEAVE: so many shares of a pool that backs are to be redeemed."""
    c = COMMAND(s)
    account, share, shares = c.account[i], c.market[i], c.lots[i]
    if c.options[i] or shares < 0:
        return no.FIELD_OUT_OF_RANGE
    reason = check_holder(s, account, share)
    if reason:
        return reason
    wait = ASSET_RULE(s)[share, A_POOL_COOL_NS]
    if wait == 0:
        return no.POOL_UNKNOWN
    if shares > cash(s, account, share):
        return no.BALANCE_TOO_LOW
    row, now = find_leg(s, account, share), MACHINE(s).now_ns[0]
    if row:
        say_leaving(s, row, shares, now)
    say(s, LEAVING_SET, account, share, 0, 0, 0, 0, shares, now + wait if shares else 0, 0, 0, 0, 0, 0)
    return no.NONE


@far
def redeem(s, i):
    """REDEEM: shares of the account become coins of the pool's asset."""
    c, table = COMMAND(s), ASSET(s)
    reason = check_named(s, i, LENDER)
    if reason:
        return reason
    account, share = c.account[i], c.market[i]
    asset = ASSET_RULE(s)[share, A_POOL_OF]
    if asset == 0 or (table.keeper[share] == 0 and table.pool[asset] != share):
        return no.POOL_UNKNOWN
    reason = check_state_of_giver(s, account)
    if reason:
        return reason
    wanted = legs_wanted(s, account, asset)
    if wanted and not has_leg_room(s, account, wanted):
        return no.LEGS_FULL
    held, shares = cash(s, account, share), c.lots[i]
    if c.options[i] == AT_MOST:
        shares = min(shares, held)
    if shares > held or held == 0:
        return no.BALANCE_TOO_LOW
    lender_row = find_leg(s, LENDER, asset)
    coins = coins_down(shares, assets_soon(s, share, lender_row), table.deposited[share])
    if coins == 0:
        return no.AMOUNT_MUST_BE_POSITIVE
    if is_cooling(s, find_leg(s, account, share), shares):
        return no.COOLING_DOWN
    if is_loss_pending(s, asset, share):
        return no.LOSS_PENDING
    if table.keeper[share] == 0:
        if coins > lent(s, lender_row) - table.loans[asset]:
            return no.COINS_ARE_LENT
        if not may_flow_out(s, asset, coins):
            return no.OUTFLOW_LIMIT
    reason = check_margin_after(s, account, asset, -coins, share, -shares)
    if reason:
        return reason
    add_reference(s, i, USED)
    row = find_leg(s, account, share)
    said = LEG(s).cost[row]
    exchange(s, account, asset, -coins, share, -shares)
    if said:
        say_leaving(s, row, said - shares, LEG(s).index_at_touch[row])
    welcome(s, account)
    return no.NONE


@far
def claim(s, i):
    """CLAIM: what a pool has gained for the shares that an account holds."""
    c = COMMAND(s)
    account, share = c.account[i], c.market[i]
    if c.options[i]:
        return no.FIELD_OUT_OF_RANGE
    reason = check_holder(s, account, share)
    if reason:
        return reason
    if ASSET_RULE(s)[share, A_POOL_GAINS] == 0:
        return no.POOL_UNKNOWN
    row = find_leg(s, account, share)
    if row == 0 or gain_of(s, row) == 0:
        return no.NOTHING_CHANGES
    pay_gain(s, row)
    welcome(s, account)
    return no.NONE


@far
def shares_at_start(s, asset):
    """What the lender's own money buys when its asset gets a pool."""
    return shares_down(lent(s, find_leg(s, LENDER, asset)) + unsettled(s, asset), 0, 0)


@kernel
def end_shares(s, share):
    """Shares of a pool that was emptied: others take their place, and these are worth nothing for good."""
    if ASSET(s).price[share]:
        set_price(s, share, 0)
        say(s, SHARE_PRICE_SET, 0, share, 0, 0, 0, 0, ASSET(s).deposited[share], 0, 0, 0, 0, 0, 0)
    set_gap(s, share, 0, 0)
    ASSET(s).fresh_until_ns[share] = 0
    return 0


@kernel
def begin_stakes(s, share, asset):
    """The row of a stake pool, or of an asset whose borrowers gain, was made: an account keeps what it has.

    With a leg for all that this may be.
    """
    keeper = add_account(s, MACHINE(s).accounts[0] + 1, SYSTEM_OWNER, KEEPER, 0, 0)
    ASSET(s).keeper[share] = keeper
    if asset and find_leg(s, keeper, asset) == 0:
        open_leg(s, keeper, asset)
    gained = ASSET_RULE(s)[share, A_POOL_GAINS]
    if gained and find_leg(s, keeper, gained) == 0:
        open_leg(s, keeper, gained)
    if asset == 0:
        return 0
    link_stake(s, share)
    return show_stake(s, share)


@far
def begin_pool(s, share):
    """A share's row was made: the asset has a pool, and what the lender has of it belongs to its first shares.

    Or that of an asset whose borrowers gain.
    """
    table, asset = ASSET(s), ASSET_RULE(s)[share, A_POOL_OF]
    if ASSET_RULE(s)[share, A_POOL_KIND] or asset == 0:
        return begin_stakes(s, share, asset)
    shares, before = shares_at_start(s, asset), table.pool[asset]
    if before:
        end_shares(s, before)
    table.pool[asset] = share
    if shares:
        far_post(s, LENDER, share, shares)
        table.deposited[share] = shares
        assets = lent(s, find_leg(s, LENDER, asset)) + unsettled(s, asset)
        say(s, POOL_SUPPLIED, LENDER, asset, 0, 0, share, 0, shares, assets, 0, 0, 0, 0, 0)
    return show_share(s, asset, find_leg(s, LENDER, asset))
