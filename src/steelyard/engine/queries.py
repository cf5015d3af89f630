"""Questions that Python asks of a state between batches. Nothing here changes a fact."""

from steelyard.engine.ledger import find_leg as _find_leg
from steelyard.model.orders import FOR_MAINTAIN
from steelyard.num import entry
from steelyard.rules.requirement import account_risk
from steelyard.rules.requirement import leg_equity as _leg_equity
from steelyard.rules.requirement import leg_requirement as _leg_requirement
from steelyard.rules.requirement import leverage_of as _leverage_of
from steelyard.state.tables import ACCOUNT, MACHINE, MARKET, SCRATCH


@entry
def find_leg(s, account, thing):
    return _find_leg(s, account, thing)


@entry
def leg_equity(s, leg):
    return _leg_equity(s, leg)


@entry
def leg_requirement(s, leg, question):
    return _leg_requirement(s, leg, question)


@entry
def leverage_of(s, leg):
    return _leverage_of(s, leg)


@entry
def equity(s, account):
    total, _, _ = account_risk(s, account, FOR_MAINTAIN)
    return total


@entry
def requirement(s, account, question):
    _, total, _ = account_risk(s, account, question)
    return total


@entry
def position_requirement(s, account, question):
    _, _, positions = account_risk(s, account, question)
    return positions


@entry
def slack_at(s, account, market, mark):
    """E - M(maintain) if that market's mark were this."""
    table = MARKET(s)
    kept = table.mark[market]
    table.mark[market] = mark
    total, needed, _ = account_risk(s, account, FOR_MAINTAIN)
    table.mark[market] = kept
    return total - needed


@entry
def sweep(s):
    """Judge every account exactly, without alarms: lists the unhealthy in `scratch` and returns how many."""
    table, scratch, count = ACCOUNT(s), SCRATCH(s), 0
    for account in range(1, MACHINE(s).accounts[0] + 1):
        total, needed, _ = account_risk(s, account, FOR_MAINTAIN)
        if total < needed and table.queued[account] == 0:
            scratch[count] = account
            count += 1
    return count
