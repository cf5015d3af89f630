"""Supply and redeem: coins are brought to a pool and taken back; gains are claimed.

See docs/concepts/pools.md and docs/concepts/sharing.md.
"""

from steelyard.engine.accounts import add_account
from steelyard.engine.events import say
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
from steelyard.engine.placing import spare_after
from steelyard.engine.worth import lent, link_stake, set_gap, set_price, show_share, show_stake
from steelyard.model import reject as no
from steelyard.model.events import POOL_REDEEMED, POOL_SUPPLIED, SHARE_PRICE_SET
from steelyard.model.keys import A_POOL_GAINS, A_POOL_KIND, A_POOL_MAX, A_POOL_OF, A_SUPPLY_MAX
from steelyard.model.orders import AT_MOST, FOR_MAINTAIN, FOR_OPEN, KEEPER, LENDER, SPARED, SYSTEM_OWNER, USED
from steelyard.num import far, kernel
from steelyard.rules.consent import exchange_is_no_weaker, is_over_loan_cap
from steelyard.rules.interest import may_flow_out
from steelyard.rules.pool import assets_of, coins_down, gain_of, is_spent, shares_down, unsettled
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import ACCOUNT, ASSET, ASSET_RULE, COMMAND, HOLDER, LEG, MACHINE


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
    equity, requirement, _ = account_risk(s, account, FOR_OPEN)
    spare = spare_after(s, account, asset, coins, equity - requirement, FOR_OPEN)
    spare = spare_after(s, account, share, -shares, spare, FOR_OPEN)
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


@far
def is_loss_pending(s, asset):
    """Whether somebody whose liquidation goes on owes this asset and more than there is; who is spared may not."""
    table, leg, holder = ACCOUNT(s), LEG(s), HOLDER(s)
    row = ASSET(s).debtors[asset] if MACHINE(s).queued[0] else 0
    while row:
        if table.queued[leg.account[row]] and table.queued[leg.account[row]] != SPARED:
            equity, _, _ = account_risk(s, leg.account[row], FOR_MAINTAIN)
            if equity < 0:
                return 1
        row = holder.next[row]
    return 0


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
    elif is_loss_pending(s, asset):
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
    if is_loss_pending(s, asset):
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
    exchange(s, account, asset, -coins, share, -shares)
    welcome(s, account)
    return no.NONE


@far
def claim(s, i):
    """CLAIM: what a pool has gained for the shares that an account holds."""
    c = COMMAND(s)
    account, share = c.account[i], c.market[i]
    if c.options[i]:
        return no.FIELD_OUT_OF_RANGE
    reason = check_party(s, account)
    if reason:
        return reason
    if share <= 0 or share > MACHINE(s).assets[0]:
        return no.ASSET_UNKNOWN
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
    """A stake pool's row was made: an account that keeps what it has, with a leg for all that this may be."""
    keeper = add_account(s, MACHINE(s).accounts[0] + 1, SYSTEM_OWNER, KEEPER, 0, 0)
    ASSET(s).keeper[share] = keeper
    if find_leg(s, keeper, asset) == 0:
        open_leg(s, keeper, asset)
    gained = ASSET_RULE(s)[share, A_POOL_GAINS]
    if gained and find_leg(s, keeper, gained) == 0:
        open_leg(s, keeper, gained)
    link_stake(s, share)
    return show_stake(s, share)


@far
def begin_pool(s, share):
    """A share's row was made: the asset has a pool, and what the lender has of it belongs to its first shares."""
    table, asset = ASSET(s), ASSET_RULE(s)[share, A_POOL_OF]
    if ASSET_RULE(s)[share, A_POOL_KIND]:
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
