"""Isolated positions: children, the margin that follows their orders, and the closing of any order.

See docs/concepts/legs-and-health.md (isolated positions).
"""

from contextlib import contextmanager

from steelyard.model import events
from steelyard.model.keys import M_SETTLE, O_ISOLATED
from steelyard.model.orders import CHILD, FOR_OPEN
from steelyard.num.limits import INT64_MAX
from tests.reference import money
from tests.reference.health import equity, requirement
from tests.reference.numbers import atoms_worth_down, down
from tests.reference.rows import Account, Leg


def mode_of(twin, owner, market):
    word, bit = divmod(market, 64)
    return (twin.owners[owner][O_ISOLATED + word] >> bit) & 1


def set_mode(twin, owner, market, mode):
    word, bit = divmod(market, 64)
    bits = twin.owners[owner][O_ISOLATED + word] & ((1 << 64) - 1)
    bits = bits & ~(1 << bit) | mode << bit
    twin.owners[owner][O_ISOLATED + word] = bits if bits <= INT64_MAX else bits - (1 << 64)


def acting_account(twin, account, market):
    """Whose leg an order of this account works on: its own, its child's, or 0 if that child is still to be made."""
    if not mode_of(twin, twin.accounts[account].owner, market.row):
        return account
    stub = twin.leg_or_none(account, market.thing)
    return stub.child if stub else 0


def acting_legs(twin, home, acting, market):
    """The legs the order would find, the market's leg and its cash made up where they do not exist yet."""
    legs = dict(twin.legs_of(acting)) if acting else {}
    stub = twin.leg_or_none(home, market.thing)
    for thing in (market.rule[M_SETTLE], market.thing):
        if thing not in legs:
            legs[thing] = Leg(0, acting or home, thing)
            if thing == market.thing and stub and not acting:
                legs[thing].leverage = stub.leverage
    return legs


def make_child(twin, parent, market):
    """Opens the account of an isolated position, and its legs."""
    stub = twin.make_market_leg(parent, market)
    row = twin.open_account(
        Account(
            row=len(twin.accounts) + 1, owner=twin.accounts[parent].owner, role=CHILD, parent=parent, market=market.row
        )
    )
    stub.child = row
    twin.emit(
        events.ACCOUNT_OPENED,
        account=row,
        other=twin.accounts[row].owner,
        extra=CHILD,
        order=parent,
        market=market.row,
    )
    twin.make_market_leg(row, market).leverage = stub.leverage
    return row


def move_margin(twin, child, amount):
    """Cash between a child and its parent; positive to the child."""
    if not amount:
        return
    account = twin.accounts[child]
    asset = twin.markets[account.market].rule[M_SETTLE]
    money.book(twin, account.parent, asset, -amount)
    money.book(twin, child, asset, amount)
    twin.emit(events.MARGIN_MOVED, account=account.parent, other=child, market=account.market, amount=amount)


def give_back(twin, child, wanted):
    """Returns at most this much: what is free, present and wanted."""
    asset = twin.markets[twin.accounts[child].market].rule[M_SETTLE]
    legs = twin.legs_of(child)
    spare = max(0, equity(twin, legs) - requirement(twin, legs, FOR_OPEN))
    price = twin.assets[asset].price
    free = atoms_worth_down(spare, price) if price else 0
    move_margin(twin, child, -max(0, min(wanted, free, money.cash(twin, child, asset))))


def returns_margin(twin, account):
    return twin.accounts[account].role == CHILD and not twin.accounts[account].queued


def share_of_closed(twin, account, market, before):
    """The part of the cash that stood behind closed lots, of a position that got smaller."""
    now = twin.quantity(account, market.thing)
    closed = abs(before) - abs(now)
    if closed <= 0 or now * before <= 0:
        return 0
    return down(money.cash(twin, account, market.rule[M_SETTLE]) * closed, abs(before))


def return_after_fill(twin, account, market, before):
    """A closed part brings home its part of the cash; an empty child brings home everything."""
    if account not in twin.held_back:
        return_margin(twin, account, share_of_closed(twin, account, market, before))


def return_margin(twin, account, margin):
    """This much goes home, as far as it may; from an empty child everything."""
    if not returns_margin(twin, account):
        return
    if account in twin.held_back:
        twin.held_back[account] += margin
    elif is_empty(twin, account):
        return_everything(twin, account)
    else:
        give_back(twin, account, margin)


@contextmanager
def one_return(twin, account, market):
    """While an order of a child meets the book nothing goes home; afterwards all of it at once."""
    before = twin.quantity(account, market.thing)
    twin.held_back[account] = 0
    yield
    released = twin.held_back.pop(account)
    return_margin(twin, account, released + share_of_closed(twin, account, market, before))


def shrink_margin(order, lots_before):
    """The margin an order brought stays in proportion to what is left of it."""
    order.margin = down(order.margin * order.remaining, lots_before)


def is_empty(twin, child):
    """No position, and no order; an incoming one counts until its matching is over."""
    thing = twin.markets[twin.accounts[child].market].thing
    return not twin.quantity(child, thing) and not twin.open_orders(child)


def return_everything(twin, child):
    asset = twin.markets[twin.accounts[child].market].rule[M_SETTLE]
    move_margin(twin, child, -max(0, money.cash(twin, child, asset)))
