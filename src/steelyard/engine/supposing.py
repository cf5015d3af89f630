"""What an account would have to spare if its cash were different."""

from steelyard.engine.ledger import find_leg
from steelyard.num import far, kernel
from steelyard.rules.cash import cash_needed, value
from steelyard.rules.excess import excess_of_cash
from steelyard.rules.interest import cash_now
from steelyard.rules.requirement import account_risk
from steelyard.state.tables import ASSET, LEG, MACHINE


@kernel
def put_cash(s, row, quantity, index):
    """For a while: what a cash leg would be. Row 0 stays as it is."""
    if row:
        LEG(s).quantity[row] = quantity
        LEG(s).index_at_touch[row] = index
    return 0


@kernel
def counted_anew(s, account, asset, amount, question):
    """What cash in an asset of which the account has no leg adds to E - M."""
    spare = value(amount, ASSET(s).price[asset]) - cash_needed(s, asset, amount, question)
    if amount > 0 and MACHINE(s).excess[0]:
        spare -= excess_of_cash(s, account, question, asset, amount) - excess_of_cash(s, account, question, 0, 0)
    return spare


@far
def spare_with(s, account, question, paid_asset, paid, received_asset, received):
    """E - M after an account pays so much of one asset and receives so much of another; at most one is a new one."""
    leg, asset = LEG(s), ASSET(s)
    payer, taker = find_leg(s, account, paid_asset), find_leg(s, account, received_asset)
    held, held_at = leg.quantity[payer], leg.index_at_touch[payer]
    other, other_at = leg.quantity[taker], leg.index_at_touch[taker]
    put_cash(s, payer, cash_now(s, payer) - paid, asset.borrow_index[paid_asset])
    put_cash(s, taker, cash_now(s, taker) + received, asset.borrow_index[received_asset])
    equity, requirement, _ = account_risk(s, account, question)
    spare = equity - requirement
    if payer == 0:
        spare += counted_anew(s, account, paid_asset, -paid, question)
    if taker == 0:
        spare += counted_anew(s, account, received_asset, received, question)
    put_cash(s, payer, held, held_at)
    put_cash(s, taker, other, other_at)
    return spare
