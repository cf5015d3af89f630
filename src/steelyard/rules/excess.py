"""What opening asks for where too much of an account is one thing, or one group. See docs/concepts/requirements.md.

Promises
- Each position, and each asset held, answers for its part of what its group has too much, at its own limit and rate.
- What positions ask for is not raised by filling a counted order.
- An asset that comes makes others ask for no more than it counts for.
"""

from steelyard.model.keys import A_EXCESS_FROM, A_EXCESS_PPM, A_EXCESS_SHARE_PPM, A_GROUP, M_EXCESS_FROM, M_EXCESS_PPM
from steelyard.num import far, kernel, leaf
from steelyard.num.rounding import mul_div_up, ppm_down, ppm_up
from steelyard.rules.cash import charge
from steelyard.rules.interest import cash_now
from steelyard.rules.pairs import counted, is_pair
from steelyard.rules.scan import group_of, lots_of, next_of_group, settle_price
from steelyard.rules.worth import notional_of
from steelyard.state.tables import ACCOUNT, ASSET_RULE, LEG, MARKET_0, MARKET_RULE


@leaf
def part_of_excess(part, total, limit, rate_ppm):
    """What a part of a total answers for of what that has above a limit, at a rate; up."""
    return ppm_up(mul_div_up(part, total - limit, total), rate_ppm) if part > 0 and total > limit else 0


@kernel
def size_of(s, market, low, high):
    """N of the larger of the positions between these, in value."""
    return charge(max(notional_of(s, market, low), notional_of(s, market, high)), settle_price(s, market))


@kernel
def size_of_leg(s, row, market, low, high):
    """The same of a leg with its orders; lots of one market may be others."""
    least, most = lots_of(s, row, True, market, low, high)
    return size_of(s, LEG(s).thing[row] - MARKET_0, least, most)


@kernel
def size_of_group(s, account, group, market, low, high):
    """What all positions of a group come to."""
    leg, total, met = LEG(s), 0, 0
    row = next_of_group(s, ACCOUNT(s).first_leg[account], group)
    while row:
        total += size_of_leg(s, row, market, low, high)
        met += int(leg.thing[row] - MARKET_0 == market)
        row = next_of_group(s, leg.next_of_account[row], group)
    if market and met == 0 and group_of(s, market) == group:
        total += size_of(s, market, low, high)
    return total


@kernel
def excess_of(s, account, held, size, market, low, high):
    """What the position in one market answers for."""
    rule = MARKET_RULE(s)
    if rule[held, M_EXCESS_PPM] == 0 or size == 0:
        return 0
    total = size_of_group(s, account, group_of(s, held), market, low, high)
    return part_of_excess(size, total, rule[held, M_EXCESS_FROM], rule[held, M_EXCESS_PPM])


@far
def excess_of_positions(s, account, market, low, high):
    """The positions' part of it, with their orders; in `market` (0: none) are lots between these instead."""
    leg, asked, met = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        held = leg.thing[row] - MARKET_0
        if held > 0 and not is_pair(s, held):
            asked += excess_of(s, account, held, size_of_leg(s, row, market, low, high), market, low, high)
            met += int(held == market)
        row = leg.next_of_account[row]
    if market and met == 0:
        asked += excess_of(s, account, market, size_of(s, market, low, high), market, low, high)
    return asked


@leaf
def group_of_asset(s, asset):
    """Assets of no group are groups of their own."""
    group = ASSET_RULE(s)[asset, A_GROUP]
    return group if group else -asset


@kernel
def counts_for(s, asset, quantity, question):
    """What cash counts for as collateral."""
    return max(0, counted(s, asset, quantity, question)) if quantity > 0 else 0


@kernel
def counts_for_leg(s, row, question, asset, held):
    """The same of a leg; of one asset there may be so much instead."""
    thing = LEG(s).thing[row]
    return counts_for(s, thing, held if thing == asset else cash_now(s, row), question)


@far
def collateral(s, account, group, question, asset, held):
    """What all cash of a group (0: all) counts for; of `asset` (0: none) there is so much instead."""
    leg, total, met = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing < MARKET_0:
            if group == 0 or group_of_asset(s, thing) == group:
                total += counts_for_leg(s, row, question, asset, held)
            met += int(thing == asset)
        row = leg.next_of_account[row]
    if asset and met == 0 and (group == 0 or group_of_asset(s, asset) == group):
        total += counts_for(s, asset, held, question)
    return total


@kernel
def excess_of_asset(s, account, question, thing, worth, asset, held):
    """What one asset, which counts for so much, answers for."""
    rule = ASSET_RULE(s)
    if rule[thing, A_EXCESS_PPM] == 0 or worth == 0:
        return 0
    share = ppm_down(collateral(s, account, 0, question, asset, held), rule[thing, A_EXCESS_SHARE_PPM])
    total = collateral(s, account, group_of_asset(s, thing), question, asset, held)
    return part_of_excess(worth, total, min(share, rule[thing, A_EXCESS_FROM]), rule[thing, A_EXCESS_PPM])


@far
def excess_of_cash(s, account, question, asset, held):
    """The collateral's part of it; of `asset` (0: none) there is so much instead."""
    leg, asked, met = LEG(s), 0, 0
    row = ACCOUNT(s).first_leg[account]
    while row:
        thing = leg.thing[row]
        if thing < MARKET_0:
            worth = counts_for_leg(s, row, question, asset, held)
            asked += excess_of_asset(s, account, question, thing, worth, asset, held)
            met += int(thing == asset)
        row = leg.next_of_account[row]
    if asset and met == 0:
        worth = counts_for(s, asset, held, question)
        asked += excess_of_asset(s, account, question, asset, worth, asset, held)
    return asked
