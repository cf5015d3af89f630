"""Lending pools: what shares are worth, supply and redeem. See docs/concepts/pools.md."""

from dataclasses import dataclass

from steelyard.model import events, reject
from steelyard.model.keys import A_LENDER_BEARS, A_POOL_KIND, A_POOL_MAX, A_POOL_OF, A_SUPPLY_MAX
from steelyard.model.orders import AT_MOST, LENDER, LENDS, SPARED, TO_WITHDRAW, USED
from steelyard.state.tables import MARKET_0
from tests.reference import interest, money, pairs, stakes
from tests.reference.health import equity, leg_equity, may_open
from tests.reference.numbers import atoms_worth_up, down
from tests.reference.rows import Asset, Reference

NOBODYS_SHARES, NOBODYS_ATOMS = 100, 1
PRICE_MAX = 2**56
DUST = 1_000  # of what is owed: so little beside it does not matter


@dataclass
class Share(Asset):
    """An asset whose price is that of its part in the pool."""

    twin: object = None
    row: int = 0
    told: int = 0  # the price last told

    @property
    def counts(self):
        return self.keeper > 0 or self.twin.assets.get(share_of(self.twin, self.rule[A_POOL_OF])) is self

    @property
    def price(self):
        return self.at(self.twin.assets[self.rule[A_POOL_OF]].price)

    @price.setter
    def price(self, _):
        """It has none of its own."""

    def at(self, price):
        """What a share would cost if its asset cost this; nothing, once others took the place of an emptied pool's."""
        if not self.counts:
            return 0
        worth = price * (assets_behind(self.twin, self.row) + NOBODYS_ATOMS)
        return min(PRICE_MAX, down(worth, self.deposited + NOBODYS_SHARES))

    @property
    def below(self):
        lent = self.twin.assets[self.rule[A_POOL_OF]]
        return self.price - self.at(lent.price - lent.below)

    @below.setter
    def below(self, _):
        """It follows what is lent."""

    @property
    def above(self):
        lent = self.twin.assets[self.rule[A_POOL_OF]]
        return self.at(lent.price + lent.above) - self.price

    @above.setter
    def above(self, _):
        """And this."""

    @property
    def fresh_until_ns(self):
        return self.twin.assets[self.rule[A_POOL_OF]].fresh_until_ns if self.counts else 0

    @fresh_until_ns.setter
    def fresh_until_ns(self, _):
        """Nor this."""


def share_of(twin, asset):
    """The row of the shares in this asset's pool, the last ones made, or 0."""
    return money.share_of(twin, asset)


def is_emptied(twin, asset):
    """Its lenders lost everything."""
    return twin.assets[share_of(twin, asset)].deposited > 0 and assets_of(twin, asset) <= 0


def assets_behind(twin, share):
    """What belongs to the holders of these shares."""
    row = twin.assets[share]
    asset = row.rule[A_POOL_OF]
    return money.cash(twin, row.keeper, asset) if row.keeper else assets_of(twin, asset)


def assets_of(twin, asset):
    row = twin.assets[asset]
    return max(0, money.cash(twin, LENDER, asset)) + row.owed - interest.loans_of(twin, asset) - row.reserve


def show(twin, asset):
    """Something changed that the price of shares in what is lent depends on."""
    row = share_of(twin, asset)
    if row:
        show_price(twin, row)


def show_all(twin, asset):
    """The price of the asset may have changed."""
    show(twin, asset)
    for row in sorted(twin.assets):
        if twin.assets[row].keeper and twin.assets[row].rule[A_POOL_OF] == asset:
            show_price(twin, row)


def show_price(twin, row):
    share = twin.assets[row]
    if share.price != share.told:
        share.told = share.price
        amount, shares = assets_behind(twin, row), share.deposited
        twin.emit(events.SHARE_PRICE_SET, market=row, price=share.price, amount=amount, lots=shares)


def begin(twin, row):
    """What the lender has buys the first shares."""
    asset, share = twin.assets[row].rule[A_POOL_OF], twin.assets[row]
    if share.rule[A_POOL_KIND] != LENDS or not asset:
        stakes.begin(twin, row)
        return
    amount = assets_of(twin, asset)
    for old, each in twin.assets.items():
        if old != row and each.rule[A_POOL_OF] == asset and not each.keeper and each.told:
            each.told = 0
            twin.emit(events.SHARE_PRICE_SET, market=old, price=0, amount=0, lots=each.deposited)
    if amount:
        shares = first_shares(amount)
        money.book(twin, LENDER, row, shares)
        share.deposited = shares
        twin.emit(events.POOL_SUPPLIED, account=LENDER, market=asset, amount=amount, other=row, lots=shares)
    show(twin, asset)


def first_shares(amount):
    return amount * NOBODYS_SHARES // NOBODYS_ATOMS


def is_loss_pending(twin, asset):
    """Somebody in liquidation owes this, and more than there is."""
    owing = {leg.account for leg in interest.debts(twin, asset)}
    return any(twin.accounts[each].queued not in (0, SPARED) and equity(twin, twin.legs_of(each)) < 0 for each in owing)


def write_off(twin, account, asset):
    """A debt that nobody pays: the lender's loss, as far as its cash goes."""
    row, legs = twin.assets[asset], twin.legs_of(account)
    share = share_of(twin, asset)
    worth, debt = equity(twin, legs), -money.cash(twin, account, asset)
    cash = [leg_equity(twin, leg) for thing, leg in legs.items() if thing < MARKET_0]
    held, owed = sum(max(0, each) for each in cash), sum(max(0, -each) for each in cash)
    if worth >= 0 or debt <= 0 or not (share or row.rule[A_LENDER_BEARS]) or held > down(owed, DUST):
        return
    amount = min(debt, atoms_worth_up(-worth, row.price), max(0, money.cash(twin, LENDER, asset)))
    if amount:
        money.book(twin, LENDER, asset, -amount)
        money.book(twin, account, asset, amount)
        twin.emit(events.DEBT_WRITTEN_OFF, account=account, market=asset, amount=amount, other=share)
        show(twin, asset)


# --- Commands ---------------------------------------------------------------------------------------------------------


def check_named(twin, c, options):
    twin.require(c.client != money.NO_CLIENT and c.options in options, reject.FIELD_OUT_OF_RANGE)
    twin.require(c.account in twin.accounts, reject.ACCOUNT_UNKNOWN)
    twin.require(not twin.is_kept(c.account), reject.ACCOUNT_IS_NOT_TRADABLE)
    twin.require(c.account != LENDER, reject.SAME_ACCOUNT)
    twin.require(c.market in twin.assets, reject.ASSET_UNKNOWN)
    twin.require(c.lots > 0, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(c.client not in twin.references, reject.REFERENCE_REPEATED)


def check_state(twin, c):
    twin.require(not twin.accounts[c.account].queued, reject.ACCOUNT_IN_LIQUIDATION)
    twin.require_good(money.held_markets(twin, c.account), TO_WITHDRAW)
    twin.require(twin.row_for_reference(), reject.REFERENCES_FULL)


def check_margin(twin, account, changes):
    """With so many coins and shares more, {asset: change}; the coins come first."""
    legs = twin.legs_of(account)
    over_cap = money.below_cap(twin, legs)
    with interest.as_if_accrued(twin, next(iter(changes))):
        if may_open(twin, pairs.exchanged(twin, legs, changes)) and not over_cap:
            return
        if pairs.leaves_no_weaker(twin, legs, changes):
            return
    twin.require(not over_cap, reject.LOAN_CAP_EXCEEDED)
    twin.require(False, reject.OPENING_MARGIN_EXCEEDED)


def supply(twin, c):
    check_named(twin, c, (0,))
    asset, amount = c.market, c.lots
    row = c.order or share_of(twin, asset)
    is_its = row in twin.assets and twin.assets[row].rule[A_POOL_OF] == asset
    twin.require(is_its and twin.assets[row].counts, reject.POOL_UNKNOWN)
    check_state(twin, c)
    twin.require(twin.has_room_for_legs(c.account, (row,)), reject.LEGS_FULL)
    share, assets = twin.assets[row], interest.after_accruing(twin, asset, lambda: assets_behind(twin, row))
    shares = down(amount * (share.deposited + NOBODYS_SHARES), assets + NOBODYS_ATOMS)
    twin.require(shares, reject.AMOUNT_MUST_BE_POSITIVE)
    twin.require(not stakes.is_spent(twin, row), reject.POOL_SPENT)
    twin.require(share.keeper or not is_loss_pending(twin, asset), reject.LOSS_PENDING)
    limits = share if share.keeper else twin.assets[asset]
    twin.require(assets + amount <= limits.rule[A_POOL_MAX], reject.POOL_CAP_EXCEEDED)
    twin.require(share.deposited + shares <= share.rule[A_SUPPLY_MAX], reject.AMOUNT_EXCEEDS_LIMIT)
    twin.require(pairs.free(twin, c.account, asset) >= amount, reject.BALANCE_TOO_LOW)
    check_margin(twin, c.account, {asset: -amount, row: shares})
    twin.add_reference(Reference(c.client, amount, c.account, asset, USED))
    interest.accrue(twin, asset)
    money.book(twin, c.account, asset, -amount)
    money.book(twin, c.account, row, shares)
    share.deposited += shares
    money.book(twin, share.keeper or LENDER, asset, amount)
    if not share.keeper:
        interest.note_outflow(twin, asset, -amount)
    told = {"other": row, "lots": shares, "extra": share.keeper}
    twin.emit(events.POOL_SUPPLIED, account=c.account, market=asset, amount=amount, **told)
    show_price(twin, row)


def redeem(twin, c):
    check_named(twin, c, (0, AT_MOST))
    row, share = c.market, twin.assets[c.market]
    asset = share.rule[A_POOL_OF]
    twin.require(asset and share.counts, reject.POOL_UNKNOWN)
    check_state(twin, c)
    twin.require(twin.has_room_for_legs(c.account, (asset,)), reject.LEGS_FULL)
    held = money.cash(twin, c.account, row)
    shares = min(c.lots, held) if c.options == AT_MOST else c.lots
    twin.require(0 < shares <= held, reject.BALANCE_TOO_LOW)
    assets = interest.after_accruing(twin, asset, lambda: assets_behind(twin, row))
    coins = down(shares * (assets + NOBODYS_ATOMS), share.deposited + NOBODYS_SHARES)
    twin.require(coins, reject.AMOUNT_MUST_BE_POSITIVE)
    leg = twin.leg(c.account, row)
    stakes.check_leaving(twin, leg, shares)
    pending = is_loss_pending(twin, asset) or stakes.is_backed_loss_pending(twin, row)
    twin.require(not pending, reject.LOSS_PENDING)
    if not share.keeper:
        left = max(0, money.cash(twin, LENDER, asset)) - money.loans(twin, asset)
        twin.require(coins <= left, reject.COINS_ARE_LENT)
        twin.require(money.may_flow_out(twin, asset, coins), reject.OUTFLOW_LIMIT)
    check_margin(twin, c.account, {asset: coins, row: -shares})
    twin.add_reference(Reference(c.client, c.lots, c.account, row, USED))
    interest.accrue(twin, asset)
    said = leg.cost
    money.book(twin, c.account, row, -shares)
    stakes.have_left(leg, said, shares)
    share.deposited -= shares
    money.book(twin, share.keeper or LENDER, asset, -coins)
    money.book(twin, c.account, asset, coins)
    if not share.keeper:
        interest.note_outflow(twin, asset, coins)
    told = {"other": row, "lots": shares, "extra": share.keeper}
    twin.emit(events.POOL_REDEEMED, account=c.account, market=asset, amount=coins, **told)
    show_price(twin, row)
    money.welcome(twin, c.account)
