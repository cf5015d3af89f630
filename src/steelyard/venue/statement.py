"""One account's books, kept a second time from events alone.

It starts empty, listens to every event about the account and to prices, and then knows cash, positions, cost and
funding without ever looking at the machine. That is what makes a story of a liquidation checkable.
"""

from dataclasses import dataclass, field, replace

from steelyard.model import events as E
from steelyard.model.commands import OWNER
from steelyard.model.keys import ARRAY_WIDTH, TOLD_AT_ONCE
from steelyard.model.orders import (
    BY_POSITION,
    BY_SCENARIO,
    FOR_MAINTAIN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    INSURANCE,
    LENDER,
)
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM
from steelyard.venue import formulas as F
from steelyard.venue.event_rows import Row
from steelyard.venue.scenarios import Held, grouped, weight


@dataclass
class Leg:
    quantity: int = 0
    cost: int = 0
    funding_at: int = 0


@dataclass
class Prices:
    """What everybody sees: marks and funding indices by market, prices by asset."""

    asset_of_feed: dict[int, int]
    marks: dict[int, int] = field(default_factory=dict)
    funding: dict[int, int] = field(default_factory=dict)
    assets: dict[int, int] = field(default_factory=lambda: {1: ASSET_PRICE_SCALE})

    def apply(self, row: Row) -> None:
        if row.kind in (E.MARK_SET, E.MARKET_SETTLED):
            self.marks[row.market] = row.price
        elif row.kind == E.FUNDING_SET:
            self.funding[row.market] = row.extra
        elif row.kind == E.SHARE_PRICE_SET:
            self.assets[row.market] = row.price
        elif row.kind == E.INDEX_SET and row.market in self.asset_of_feed:
            self.assets[self.asset_of_feed[row.market]] = row.price


@dataclass
class Margins:
    """How owners are margined, and the risk arrays of markets."""

    owners: dict[int, int] = field(default_factory=dict)  # of accounts
    by_owner: dict[int, int] = field(default_factory=dict)
    arrays: dict[int, list[int]] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        if row.kind == E.ACCOUNT_OPENED:
            self.owners[row.account] = row.other
        elif row.kind == E.CONFIGURED and row.account == OWNER:
            self.by_owner[row.market] = row.amount
        elif row.kind == E.RISK_ARRAY_SET:
            array = self.arrays.setdefault(row.market, [0] * ARRAY_WIDTH)
            array[row.order : row.order + TOLD_AT_ONCE] = row.lots, row.amount, row.fee, row.extra, row.extra2

    def scans(self, account: int) -> bool:
        return self.by_owner.get(self.owners.get(account, 0), BY_POSITION) == BY_SCENARIO

    def array(self, market: int) -> tuple[int, ...]:
        return tuple(self.arrays[market])


class Mismatch(AssertionError):
    """A number in an event does not follow from the events before it."""


class Statement:
    def __init__(
        self,
        account: int,
        prices: Prices,
        markets: dict[int, F.MarketRule],
        assets: dict[int, F.AssetRule],
        margins: Margins,
    ) -> None:
        self.account = account
        self.margins = margins
        self.prices = prices
        self.markets = markets
        self.assets = assets
        self.cash: dict[int, int] = {}
        self.legs: dict[int, Leg] = {}

    # --- listening

    def apply(self, row: Row) -> None:
        """Prices must have heard the row first."""
        mine, theirs = row.account == self.account, row.other == self.account
        if row.kind in (E.DEPOSITED, E.WITHDRAWAL_RETURNED):
            if mine:
                self._pay(row.market, row.amount)
        elif row.kind == E.WITHDRAWAL_RESERVED:
            if mine:
                self._pay(row.market, -row.amount)
        elif row.kind == E.TRANSFERRED:
            if mine:
                self._pay(row.market, -row.amount)
            if theirs:
                self._pay(row.market, row.amount)
        elif row.kind == E.MARGIN_MOVED:
            if mine:
                self._pay(self._settle(row), -row.amount)
            if theirs:
                self._pay(self._settle(row), row.amount)
        elif row.kind == E.CONVERTED and mine:
            self._pay(row.market, -row.lots)
            self._pay(row.other, row.amount)
        elif row.kind == E.INTEREST_PAID:
            if mine:
                self._pay(row.market, -row.amount)
            if self.account == LENDER:
                self._pay(row.market, row.amount - row.fee)
            if self.account == INSURANCE:
                self._pay(row.market, row.fee)
        elif row.kind == E.DEBT_WRITTEN_OFF:
            if mine:
                self._pay(row.market, row.amount)
            if self.account == LENDER:
                self._pay(row.market, -row.amount)
        elif row.kind in (E.POOL_SUPPLIED, E.POOL_REDEEMED):
            sign = 1 if row.kind == E.POOL_SUPPLIED else -1
            if self.account == (row.extra or LENDER):
                self._pay(row.market, sign * row.amount)
            if mine:
                self._pay(row.market, -sign * row.amount)
                self._pay(row.other, sign * row.lots)
        elif row.kind == E.FUNDING_PAID and mine:
            self._touch(row.market)
            self._pay(self._settle(row), -row.amount)
        elif row.kind == E.FILL and mine:
            self._fill(row)
        elif row.kind == E.POSITION_SETTLED and mine:
            lots = row.side * row.lots
            agree(row, "settlement price", row.price, self.prices.marks[row.market])
            agree(row, "position closed", lots, -self._touch(row.market).quantity)
            cost = self.markets[row.market].closing_worth(-lots, row.price)
            agree(row, "realized profit", row.amount, self._trade(row.market, lots, cost))
        elif row.kind == E.LIQUIDATION_FEE and mine:
            self._pay(self._settle(row), -row.amount)
        elif row.kind == E.FUND_PAID and mine:
            self._pay(row.other, row.amount)
        elif row.kind == E.BID_FILLED:
            if mine:
                self._pay(row.options, row.lots)
                self._pay(row.market, -row.amount - row.fee)
            if theirs:
                self._pay(row.options, -row.lots)
                self._pay(row.market, row.amount)
        elif row.kind == E.CLAIMS_ISSUED:
            if mine:
                self._pay(row.options, row.lots)
            if theirs:
                self._pay(row.options, -row.lots)
                self._pay(row.market, row.amount)
        elif row.kind in (E.ABSORBED, E.DEBT_SPREAD):
            if mine:
                self._pay(row.options, row.lots)
                self._pay(row.market, -row.amount - row.fee)
            if row.order == self.account:  # the keeper, or of a debt that is spread the lender
                self._pay(row.market, row.amount)
                if row.kind == E.ABSORBED:
                    self._pay(row.options, -row.lots)
        elif row.kind == E.STAKES_PAID:
            if mine and not row.reason:  # else it is part of what the deleveraging says
                self._pay(row.options, row.amount)
            if row.extra == self.account:
                self._pay(row.options, -row.amount)
        elif row.kind == E.STAKES_EARNED:
            if row.extra == self.account:  # the account pays the whole fee by its own event
                self._pay(self._settle(row), row.amount)
        elif row.kind == E.GAIN_PAID:
            if mine:
                self._pay(row.market, row.amount)
            if row.order == self.account:
                self._pay(row.market, -row.amount)
        elif row.kind == E.DUST_TAKEN:
            if mine:
                self._pay(row.market, -row.amount)
            if theirs:
                self._pay(row.market, row.amount)
        elif row.kind in (E.TAKEN_OVER, E.DELEVERAGED):
            if mine:
                self._trade(row.market, row.side * row.lots, -row.amount)
                self._pay(self._settle(row), row.fee)  # the fund's part of a deleveraging; zero for a takeover
            if theirs:
                self._trade(row.market, -row.side * row.lots, row.amount)

    def receive(self, row: Row, amount: int) -> None:
        """Cash of the settlement asset of the event's market; for the fund, whose side events leave unsaid."""
        self._pay(self._settle(row), amount)

    def receive_asset(self, asset: int, amount: int) -> None:
        self._pay(asset, amount)

    def _settle(self, row: Row) -> int:
        return self.markets[row.market].settle

    def _pay(self, asset: int, amount: int) -> None:
        self.cash[asset] = self.cash.get(asset, 0) + amount

    def _touch(self, market: int) -> Leg:
        leg = self.legs.setdefault(market, Leg())
        leg.funding_at = self.prices.funding.get(market, 0)
        return leg

    def _fill(self, row: Row) -> None:
        rule, lots = self.markets[row.market], row.side * row.lots
        cost = rule.worth(lots, row.price)
        if rule.base:
            self._pay(rule.base, lots * rule.lot_atoms)
            self._pay(rule.settle, -cost - row.fee)
            return
        realized = self._trade(row.market, lots, cost)
        self._pay(self._settle(row), -row.fee)
        agree(row, "realized profit", row.amount, realized)
        agree(row, "position after", row.extra, self.legs[row.market].quantity)

    def _trade(self, market: int, lots: int, worth: int) -> int:
        """Signed lots for a signed worth; what closing realizes goes to cash, rounded down. See concepts/numbers."""
        leg = self._touch(market)
        realized = 0
        held = leg.quantity
        if self.markets[market].is_paid:
            realized = -worth
        elif held and (held > 0) != (lots > 0):
            if abs(lots) <= abs(held):
                realized = -worth - F.div_up(leg.cost * abs(lots), abs(held))
            else:
                realized = -F.div_up(worth * abs(held), abs(lots)) - leg.cost
        leg.quantity += lots
        leg.cost += worth + realized
        self._pay(self.markets[market].settle, realized)
        return realized

    # --- answering

    def price_of(self, market: int) -> int:
        """Of the settlement asset."""
        return self.prices.assets[self.markets[market].settle]

    def rule(self, market: int) -> F.MarketRule:
        """With the risk array of now, if it decides."""
        rule = self.markets[market]
        return replace(rule, array=self.margins.array(market)) if rule.by_array else rule

    def equity(self) -> int:
        total = sum(F.value(quantity, self.prices.assets[asset]) for asset, quantity in self.cash.items() if quantity)
        for market, leg in self.legs.items():
            if leg.quantity:
                rule, index = self.markets[market], self.prices.funding.get(market, 0)
                atoms = rule.worth(leg.quantity, self.prices.marks[market]) - leg.cost
                atoms -= rule.accrued_up(leg.quantity, index, leg.funding_at)
                total += F.value(atoms, self.price_of(market))
        return total

    @property
    def scans(self) -> bool:
        """Whether it is margined by scenarios."""
        return self.margins.scans(self.account)

    def position_requirement(self, question: int = FOR_MAINTAIN) -> int:
        if self.scans:
            return self._scan(question)
        return sum(self.requirement_of(market, leg.quantity, question) for market, leg in self.legs.items())

    def requirement(self, question: int = FOR_MAINTAIN) -> int:
        cash = sum(
            F.cash_requirement(asset, self.assets[asset], quantity, self.prices.assets[asset], question)
            for asset, quantity in self.cash.items()
            if quantity
        )
        return cash + self.position_requirement(question)

    def _held(self, market: int, quantity: int) -> Held:
        return Held(market, quantity, quantity, self.price_of(market), self.margins.array(market))

    def _scan(self, question: int) -> int:
        held = {market: leg.quantity for market, leg in sorted(self.legs.items()) if leg.quantity}
        groups = grouped((self.markets[market].group, self._held(market, lots)) for market, lots in held.items())
        rules, total = [self.markets[market] for market in held], sum(group.scan for group in groups)
        if question == FOR_RESTORE:
            return F.ppm_up(total, max([PPM, *(rule.restore for rule in rules)]))
        if question == FOR_TAKEOVER:
            return F.ppm_up(total, min([PPM, *(rule.takeover for rule in rules)]))
        return total

    def claim(self, market: int, quantity: int) -> int:
        """What a closing's share goes by: M(maintain) of so many lots, by scenarios of them alone."""
        if not self.scans:
            return self.requirement_of(market, quantity)
        return weight(self._held(market, quantity)) if quantity else 0

    def claims(self) -> int:
        """Of all positions."""
        return sum(self.claim(market, leg.quantity) for market, leg in self.legs.items())

    def requirement_of(self, market: int, quantity: int, question: int = FOR_MAINTAIN) -> int:
        """M of a position of this size, in value."""
        if quantity == 0:
            return 0
        rule = self.rule(market)
        atoms = F.position_atoms(rule, quantity, rule.notional(quantity, self.prices.marks[market]), question)
        return F.charge(atoms, self.price_of(market))


def agree(row: Row, what: str, said: int, follows: int) -> None:
    if said != follows:
        kind = E.Event(row.kind).name.lower().replace("_", " ")
        raise Mismatch(f"command {row.seq}, {kind}: {what} is {said}, but {follows} follows from the events before it")
