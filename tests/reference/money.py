"""Cash in, out and across, and debts that other collateral pays. See docs/concepts/money.md."""

from contextlib import nullcontext

from steelyard.model import events, reject
from steelyard.model.keys import (
    A_CONVERT_HAIRCUT_PPM,
    A_LOAN_CAP,
    A_LOANS_MAX,
    A_OUTFLOW_MAX,
    A_OUTFLOW_WINDOW_NS,
    A_POOL_KIND,
    A_POOL_OF,
    A_SUPPLY_MAX,
    A_UTILISATION_MAX_PPM,
    T_PRODUCTS,
)
from steelyard.model.orders import (
    CONFIRMED,
    CONVERTER,
    LENDER,
    LENDS,
    MAY_BORROW,
    OWES,
    PRODUCT_BORROWING,
    RESERVED,
    RESTING,
    RETURNED,
    TO_OPEN,
    TO_SETTLE,
    TO_WITHDRAW,
    USED,
    USER,
    WAITS,
)
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0
from tests.reference import interest, ladders, pairs
from tests.reference.health import may_leave
from tests.reference.numbers import atoms_worth_up, charge, down, up, value
from tests.reference.rows import Leg, Reference, copied

NO_CLIENT = (0, 0, 0, 0, 0)
LAST = 1 << 60  # a health that nobody has who is worked on


def cash(twin, account, asset):
    return twin.quantity(account, asset)


def book(twin, account, asset, amount):
    """The one place where cash changes."""
    if not amount:
        return
    leg = twin.make_leg(account, asset)
    if leg.quantity < 0 or leg.quantity + amount < 0 or account == LENDER:
        interest.touch(twin, leg)
    if asset != 1 and twin.assets[asset].rule[A_POOL_KIND]:
        twin.touch_stake(leg, amount)
    interest.change(twin, leg, amount)
    if amount < 0 and leg.quantity < -twin.assets[asset].rule[A_LOAN_CAP] and account not in twin.converting:
        twin.converting.append(account)


def welcome(twin, row):
    """Money came: what waited for it goes on."""
    wake(twin, row)
    if row == CONVERTER:
        retry_conversions(twin)
    elif below_cap(twin, twin.legs_of(row)) and row not in twin.converting:
        twin.converting.append(row)


def retry_conversions(twin):
    """All accounts are looked at again, if anybody owes beyond a cap."""
    if any(below_cap(twin, {leg.thing: leg}) for leg in twin.legs.values()):
        twin.capping = 1


def wake(twin, row):
    """An account that waits for money has a turn again, after all the others."""
    account = twin.accounts[row]
    if account.queued == OWES:
        account.queued, account.due_ns, account.health = WAITS, 0, LAST


def loans(twin, asset):
    return sum(-leg.quantity for leg in twin.legs.values() if leg.thing == asset and leg.quantity < 0)


def below_cap(twin, legs):
    """Some cash is owed beyond what one account may owe."""
    return any(
        leg.quantity < -twin.assets[thing].rule[A_LOAN_CAP]
        for thing, leg in legs.items()
        if thing < MARKET_0 and leg.quantity < 0
    )


def held_markets(twin, account):
    """The markets in which the account has a position or a resting order."""
    found = []
    for thing, leg in twin.legs_of(account).items():
        if thing > MARKET_0:
            market = twin.markets[thing - MARKET_0]
            if leg.quantity or any(order.state == RESTING for order in twin.open_orders(account, market.row)):
                found.append(market)
    return found


# --- Commands ---------------------------------------------------------------------------------------------------------


def deposit(twin, c):
    account, asset, amount, client = c.account, c.market, c.lots, c.client
    twin.require(client != NO_CLIENT and not c.options, reject.FIELD_OUT_OF_RANGE)
    twin.require(account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(not twin.is_kept(account), reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(asset in twin.assets, reject.ASSET_UNKNOWN)
    twin.require(amount > 0, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(client not in twin.references, reject.REFERENCE_REPEATED)
    row = twin.assets[asset]
    twin.require(account != LENDER or not has_pool(twin, asset), reject.ONLY_BY_SUPPLY_OR_REDEEM)
    twin.require(not row.rule[A_POOL_OF], reject.ONLY_BY_SUPPLY_OR_REDEEM)
    twin.require(row.deposited - row.withdrawn + amount <= row.rule[A_SUPPLY_MAX], reject.AMOUNT_EXCEEDS_LIMIT)
    twin.require(twin.row_for_reference(), reject.REFERENCES_FULL)
    twin.require(twin.has_room_for_legs(account, (asset,)), reject.LEGS_FULL)
    twin.add_reference(Reference(client, amount, account, asset, USED))
    row.deposited += amount
    book(twin, account, asset, amount)
    welcome(twin, account)
    twin.emit(events.DEPOSITED, account=account, market=asset, amount=amount)


def share_of(twin, asset):
    """The shares of the pool that lends an asset, the last ones made, or 0."""
    lending = [row for row, each in twin.assets.items() if each.rule[A_POOL_KIND] == LENDS]
    return max((row for row in lending if twin.assets[row].rule[A_POOL_OF] == asset), default=0)


def has_pool(twin, asset):
    return any(each.rule[A_POOL_OF] == asset and each.rule[A_POOL_KIND] == 0 for each in twin.assets.values())


def check_leaving(twin, c, taker):
    """The checks of withdraw (taker 0) and transfer, up to the last ones."""
    giver, asset, amount = c.account, c.market, c.lots
    twin.require(c.client != NO_CLIENT and c.options in (0, MAY_BORROW), reject.FIELD_OUT_OF_RANGE)
    for account in (giver, taker) if taker is not None else (giver,):
        twin.require(account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    for account in (giver, taker) if taker is not None else (giver,):
        twin.require(not twin.is_kept(account), reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(giver != taker, reject.SAME_ACCOUNT)
    twin.require(asset in twin.assets, reject.ASSET_UNKNOWN)
    twin.require(amount > 0, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(c.client not in twin.references, reject.REFERENCE_REPEATED)
    twin.require(LENDER not in (giver, taker) or not has_pool(twin, asset), reject.ONLY_BY_SUPPLY_OR_REDEEM)
    leaves_as_share = taker is None and twin.assets[asset].rule[A_POOL_OF]
    twin.require(not leaves_as_share, reject.ONLY_BY_SUPPLY_OR_REDEEM)
    twin.require(not twin.accounts[giver].queued, reject.ACCOUNT_IN_LIQUIDATION)
    twin.require_good(held_markets(twin, giver), TO_WITHDRAW)
    twin.require(twin.row_for_reference(), reject.REFERENCES_FULL)
    if taker is not None:
        own = len(twin.missing(giver, (asset,))) if c.options == MAY_BORROW else 0
        twin.require(
            not twin.missing(taker, (asset,)) or twin.has_room_for_legs(taker, (asset,), own), reject.LEGS_FULL
        )
    free = pairs.free(twin, giver, asset)
    spent = cash(twin, giver, asset) - free
    free -= loans(twin, asset) if giver == LENDER else 0
    if free < amount:
        twin.require(c.options == MAY_BORROW and twin.accounts[giver].role == USER, reject.BALANCE_TOO_LOW)
        check_borrowing(twin, giver, asset, amount + spent)


def check_borrowing(twin, account, asset, amount):
    """What the account does not hold is lent to it."""
    held = cash(twin, account, asset)
    allowed = twin.tiers[twin.risk_tier_of(account)][T_PRODUCTS] & PRODUCT_BORROWING
    twin.require(allowed, reject.TIER_FORBIDS_PRODUCT)
    twin.require(twin.is_fresh(twin.assets[asset]), reject.PRICE_STALE)
    twin.require(twin.is_good(twin.assets[asset], TO_OPEN), reject.PRICE_UNCERTAIN)
    twin.require(twin.has_room_for_legs(account, (asset,)), reject.LEGS_FULL)
    leg = twin.leg_or_none(account, asset)
    owed = amount - (interest.cash_now(twin, leg) if leg else 0)
    twin.require(owed <= twin.assets[asset].rule[A_LOAN_CAP], reject.LOAN_CAP_EXCEEDED)
    refused = loan_refusal(twin, account, asset, amount - max(0, held))
    twin.require(not refused, refused)


def backs_itself(twin, account, asset, debt, more=0):
    """A debt to a pool, and beside it more than dust of that pool's shares."""
    share = share_of(twin, asset)
    if not share or debt <= 0:
        return False
    shares = value(cash(twin, account, share) + more, twin.assets[share].price)
    return shares > down(value(debt, twin.assets[asset].price), 1_000)


def check_receiving(twin, account, asset, amount, paid=None):
    """Not shares of a pool to which the account owes; `paid` is what it gives for them of other assets."""
    lent = twin.assets[asset].rule[A_POOL_OF]
    if lent and share_of(twin, lent) == asset:
        leg = twin.leg_or_none(account, lent)
        debt = (paid or {}).get(lent, 0) - (interest.cash_now(twin, leg) if leg else 0)
        twin.require(not backs_itself(twin, account, lent, debt, amount), reject.SHARES_OF_SAME_POOL)


def loan_refusal(twin, account, asset, amount):
    """Why no more is lent on purpose, or None."""
    row, lent, owed_now = twin.assets[asset], max(0, cash(twin, LENDER, asset)), loans(twin, asset)
    if amount > lent - owed_now:
        return reject.NOTHING_TO_LEND
    if owed_now + amount > row.rule[A_LOANS_MAX]:
        return reject.LOANS_LIMIT
    whole = lent + row.owed - owed_now
    used = min(PPM, down((row.owed + amount) * PPM, whole)) if whole > 0 else PPM
    if used > row.rule[A_UTILISATION_MAX_PPM]:
        return reject.UTILISATION_LIMIT
    if not may_flow_out(twin, asset, amount):
        return reject.OUTFLOW_LIMIT
    leg = twin.leg_or_none(account, asset)
    debt = amount - min(0, interest.cash_now(twin, leg) if leg else 0)
    return reject.SHARES_OF_SAME_POOL if backs_itself(twin, account, asset, debt) else None


def may_flow_out(twin, asset, amount):
    row = twin.assets[asset]
    most, window = row.rule[A_OUTFLOW_MAX], row.rule[A_OUTFLOW_WINDOW_NS]
    return not most or max(0, row.outflow_until_ns - twin.now) + up(amount * window, most) <= window


def check_margin_after_leaving(twin, account, asset, amount):
    legs = copied(twin, twin.legs_of(account))
    twin.require(not below_cap(twin, twin.legs_of(account)), reject.LOAN_CAP_EXCEEDED)
    legs.setdefault(asset, Leg(0, account, asset)).quantity -= amount
    twin.require(may_leave(twin, legs), reject.OPENING_MARGIN_EXCEEDED)


def judged_now(twin, c):
    """A loan is judged with the interest of the debt there is."""
    borrows = c.options == MAY_BORROW and c.market in twin.assets
    return interest.as_if_accrued(twin, c.market) if borrows else nullcontext()


def withdraw(twin, c):
    with judged_now(twin, c):
        check_leaving(twin, c, None)
        account, asset, amount, row = c.account, c.market, c.lots, twin.assets[c.market]
        unfunded = max(0, loans(twin, asset) - max(0, cash(twin, LENDER, asset)))
        twin.require(amount <= row.deposited - row.withdrawn - row.reserved - unfunded, reject.COINS_NOT_PRESENT)
        check_margin_after_leaving(twin, account, asset, amount)
    twin.add_reference(Reference(c.client, amount, account, asset, RESERVED))
    book(twin, account, asset, -amount)
    row.reserved += amount
    twin.emit(events.WITHDRAWAL_RESERVED, account=account, market=asset, amount=amount)


def transfer(twin, c):
    giver, taker, asset, amount = c.account, c.order, c.market, c.lots
    with judged_now(twin, c):
        check_leaving(twin, c, taker)
        check_margin_after_leaving(twin, giver, asset, amount)
    check_receiving(twin, taker, asset, amount)
    twin.add_reference(Reference(c.client, amount, giver, asset, USED))
    book(twin, giver, asset, -amount)
    book(twin, taker, asset, amount)
    welcome(twin, taker)
    twin.emit(events.TRANSFERRED, account=giver, other=taker, market=asset, amount=amount)


def pending(twin, client):
    twin.require(client != NO_CLIENT, reject.FIELD_OUT_OF_RANGE)
    twin.require(client in twin.references, reject.REFERENCE_UNKNOWN)
    reference = twin.references[client]
    twin.require(reference.state == RESERVED, reject.REFERENCE_NOT_PENDING)
    return reference


def confirm_withdrawal(twin, c):
    reference = pending(twin, c.client)
    reference.state = CONFIRMED
    row = twin.assets[reference.asset]
    row.reserved -= reference.amount
    row.withdrawn += reference.amount
    twin.emit(events.WITHDRAWAL_CONFIRMED, account=reference.account, market=reference.asset, amount=reference.amount)


def return_withdrawal(twin, c):
    reference = pending(twin, c.client)
    reference.state = RETURNED
    twin.assets[reference.asset].reserved -= reference.amount
    book(twin, reference.account, reference.asset, reference.amount)
    welcome(twin, reference.account)
    twin.emit(events.WITHDRAWAL_RETURNED, account=reference.account, market=reference.asset, amount=reference.amount)
    if reference.account == LENDER:
        twin.show_share(reference.asset)


# --- Conversion -------------------------------------------------------------------------------------------------------


def convert(twin, account, beyond_cap_only):
    """Debts, by asset, are paid by selling other cash, by asset, to the converter."""
    if account == CONVERTER:
        return False
    sold_any = False
    for debt_asset in sorted(twin.assets):
        cap = twin.assets[debt_asset].rule[A_LOAN_CAP] if beyond_cap_only else 0
        if cash(twin, account, debt_asset) >= -cap:
            continue
        if not can_convert(twin, account, debt_asset, beyond_cap_only):
            continue
        interest.touch(twin, twin.leg(account, debt_asset))
        for asset in sorted(twin.assets):
            debt = -cash(twin, account, debt_asset)
            if (
                debt > 0
                and asset != debt_asset
                and cash(twin, account, asset) > 0
                and may_sell(twin, account, asset, debt_asset, beyond_cap_only)
            ):
                sold_any |= convert_pair(twin, account, asset, debt_asset, debt)
    return sold_any


def can_convert(twin, account, debt_asset, beyond_cap_only):
    """The converter has some of what is owed, and there is something to sell, at good prices."""
    for_sale = [each for each in twin.assets if each != debt_asset and cash(twin, account, each) > 0]
    return cash(twin, CONVERTER, debt_asset) > 0 and any(
        may_sell(twin, account, each, debt_asset, beyond_cap_only) for each in for_sale
    )


def may_sell(twin, account, asset, debt_asset, beyond_cap_only):
    """At good prices of what is not frozen; of an account in liquidation, once no offer stands any more."""
    if any(ladders.is_frozen(twin, each) for each in (asset, debt_asset)):
        return False
    waits = not beyond_cap_only and ladders.standing_offer(twin, account, asset, debt_asset)
    return both_good(twin, asset, debt_asset) and not waits


def enforce_lowered_caps(twin, has_room):
    """Accounts above a cap that was lowered convert, by row, as long as there is room for what they say."""
    while twin.capping and has_room():
        if not twin.accounts[twin.capping].queued:
            convert(twin, twin.capping, beyond_cap_only=True)
        twin.capping = twin.capping + 1 if twin.capping < len(twin.accounts) else 0


def both_good(twin, *assets):
    return all(twin.is_good(twin.assets[asset], TO_SETTLE) for asset in assets)


def convert_pair(twin, account, asset, debt_asset, debt):
    held, rule = cash(twin, account, asset), twin.assets[asset].rule
    unit = down(twin.assets[asset].price * (PPM - rule[A_CONVERT_HAIRCUT_PPM]), PPM)
    debt_price = twin.assets[debt_asset].price
    if unit <= 0 or debt_price <= 0:
        return False
    quantity = min(held, atoms_worth_up(charge(debt, debt_price), unit))
    paid = min(debt, down(quantity * unit, debt_price))
    present = max(0, cash(twin, CONVERTER, debt_asset))
    if paid > present:
        paid = present
        quantity = min(quantity, up(paid * debt_price, unit))
    if paid <= 0:
        return False
    book(twin, account, asset, -quantity)
    book(twin, CONVERTER, asset, quantity)
    book(twin, CONVERTER, debt_asset, -paid)
    book(twin, account, debt_asset, paid)
    twin.emit(events.CONVERTED, account=account, market=asset, lots=quantity, other=debt_asset, amount=paid)
    return True
