"""Questions that Python asks of a state between batches. Nothing here changes a fact."""

from steelyard.engine.interest import rate_of_loans
from steelyard.engine.ledger import find_leg as _find_leg
from steelyard.engine.offers import look_at_offer
from steelyard.engine.prefetch import fetch_accounts
from steelyard.model.orders import FOR_MAINTAIN, LENDER
from steelyard.num import entry, kernel
from steelyard.rules.price import is_good as _is_good
from steelyard.rules.requirement import account_health, account_risk
from steelyard.rules.requirement import leg_equity as _leg_equity
from steelyard.rules.requirement import leg_requirement as _leg_requirement
from steelyard.rules.requirement import leverage_of as _leverage_of
from steelyard.rules.scan import scan_part
from steelyard.state.tables import ACCOUNT, ASSET, MARKET, MARKET_0, SCRATCH, SWEEP_BLOCK


@entry
def find_leg(s, account, thing):
    return _find_leg(s, account, thing)


@entry
def is_good(s, feed, action):
    return 1 if _is_good(s, feed, action) else 0


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
def scan(s, account, question, market, low, high):
    """The position part by scenarios, with lots from low to high of one market (0: as they are)."""
    return scan_part(s, account, question, market, low, high)


@kernel
def _exchange(s, count):
    """Put in the prices that `scratch` lists as (thing, price), and list those that were there."""
    asset, market, scratch = ASSET(s), MARKET(s), SCRATCH(s)
    for i in range(0, 2 * count, 2):
        thing, price = scratch[i], scratch[i + 1]
        if thing < MARKET_0:
            scratch[i + 1] = asset.price[thing]
            asset.price[thing] = price
        else:
            scratch[i + 1] = market.mark[thing - MARKET_0]
            market.mark[thing - MARKET_0] = price
    return count


@entry
def offer(s, account, collateral, debt):
    """A reason, or 0: then row 0 of the bids holds what a bid for all that is offered would do."""
    return look_at_offer(s, account, collateral, debt)


@entry
def exchange_prices(s, count):
    """Asset prices and marks for a while: what asks for this asks again to undo it."""
    return _exchange(s, count)


@entry
def borrow_rate(s, asset):
    """What the loans of an asset cost now, in ppm a year."""
    return rate_of_loans(s, asset, _find_leg(s, LENDER, asset))


@entry
def slack_at(s, account, count):
    """E - M(maintain) at the asset prices and marks that `scratch` lists as (thing, price)."""
    _exchange(s, count)
    total, needed = account_health(s, account)
    _exchange(s, count)
    return total - needed


@entry
def sweep(s, first, end, lane):
    """Judge these accounts exactly, without alarms: lists the unhealthy in `scratch` from `first` on; how many.

    Several may run at once, each in a lane of its own.
    """
    table, scratch, count = ACCOUNT(s), SCRATCH(s), 0
    for block in range(first, end, SWEEP_BLOCK):
        last = min(end, block + SWEEP_BLOCK)
        fetch_accounts(s, block, last, lane)
        for account in range(block, last):
            total, needed = account_health(s, account)
            if total < needed and table.queued[account] == 0:
                scratch[first + count] = account
                count += 1
    return count
