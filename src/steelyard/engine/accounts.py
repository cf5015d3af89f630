"""Account rows."""

from steelyard.engine.alarms import mark_dirty
from steelyard.engine.events import say
from steelyard.engine.ledger import link_leg
from steelyard.engine.opening import STALE
from steelyard.model.events import ACCOUNT_OPENED
from steelyard.model.keys import ISOLATED_WORDS, O_FEE_TIER, O_ISOLATED, O_MARGIN, O_RISK_TIER, O_STP, UNIT
from steelyard.num import kernel
from steelyard.state.tables import ACCOUNT, LEG, MACHINE, OWNER, OWNER_RULE


@kernel
def join_owner(s, account):
    """Link an account to its owner's others."""
    table, owners = ACCOUNT(s), OWNER(s)
    owner = table.owner[account]
    first = owners.first_account[owner]
    table.next_of_owner[account] = first
    table.alone[account] = 0 if first else 1
    table.alone[first] = 0
    owners.first_account[owner] = account
    return 0


@kernel
def take_settings(s, account):
    """What an order needs to know of its account's owner, where the order looks anyway."""
    table, rule = ACCOUNT(s), OWNER_RULE(s)
    owner = table.owner[account]
    table.risk_tier[account] = rule[owner, O_RISK_TIER]
    table.fee_tier[account] = rule[owner, O_FEE_TIER]
    table.stp[account] = rule[owner, O_STP]
    if table.scans[account] != rule[owner, O_MARGIN]:
        table.scans[account] = rule[owner, O_MARGIN]
        table.open_epoch[account] = STALE
        mark_dirty(s, account)
    table.isolates[account] = 0
    for word in range(ISOLATED_WORDS):
        if rule[owner, O_ISOLATED + word] != 0:
            table.isolates[account] = 1
    return 0


@kernel
def take_settings_of(s, owner):
    """An owner's settings changed: all its accounts take them."""
    account = OWNER(s).first_account[owner]
    while account:
        take_settings(s, account)
        account = ACCOUNT(s).next_of_owner[account]
    return 0


@kernel
def add_account(s, account, owner, role, parent, market):
    """Fill the next account row; its cash in the unit of account is the leg row of the same number."""
    table, machine, leg = ACCOUNT(s), MACHINE(s), LEG(s)
    machine.accounts[0] = account
    table.owner[account] = owner
    table.role[account] = role
    table.parent[account] = parent
    table.market[account] = market
    table.legs[account] = 1
    table.open_epoch[account] = machine.open_epoch[0]  # it owns nothing and needs nothing
    join_owner(s, account)
    take_settings(s, account)
    leg.account[account] = account
    leg.thing[account] = UNIT
    link_leg(s, account)
    mark_dirty(s, account)
    say(s, ACCOUNT_OPENED, account, market, 0, parent, owner, 0, 0, 0, 0, role, 0, 0, 0)
    return account
