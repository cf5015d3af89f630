"""Checks a story: every number of a liquidation is computed again from the events before it.

The account's books and the insurance fund's are kept a second time (`statement.py`); sizes, limits, bankruptcy cash,
fees and payments follow docs/concepts/liquidation.md in plain integers. Scores of deleveraging depend on accounts the
story does not follow; only their order is checked.
"""

from dataclasses import dataclass
from typing import Any

from steelyard.engine.liquidation import PARTS
from steelyard.model import events as E
from steelyard.model.orders import (
    AS_ASKED,
    FOR_MAINTAIN,
    FOR_RESTORE,
    FOR_TAKEOVER,
    FROM_FUND,
    INSURANCE,
    OF_COVER,
    OF_HEALTH,
    OF_LTV,
    TAKE_WHOLE,
    TO_RESTORE,
)
from steelyard.num.limits import AMOUNT_MAX, PPM
from steelyard.rules.requirement import HEALTH_LIMIT
from steelyard.venue import formulas as F
from steelyard.venue.event_rows import Row
from steelyard.venue.statement import Margins, Mismatch, Prices, Statement, agree
from steelyard.venue.story import Story


class Unverifiable(LookupError):
    """The story's beginning is no longer known, so its numbers cannot be recomputed."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How many numbers were recomputed; all of them agreed."""

    numbers: int
    liquidations: int


@dataclass
class Step:
    """What one closing is measured by: the position and the account as they were before it."""

    market: int
    quantity: int
    equity: int
    requirement: int
    positions: int
    purses: list[tuple[int, int]]  # who pays, and what it may
    kind: int
    filled: int = 0
    cash: int = 0  # of the fills, signed: a long receives
    fee: int = 0  # due for the fills so far; prices may have moved when it is missed
    payment: int = 0
    done: int = 0  # lots deleveraged
    rank: int = 0
    score: int = 0
    parts: list[tuple[int, int]] | None = None  # payments not seen yet

    @property
    def fund(self) -> int:
        return sum(purse for _, purse in self.purses)

    def shared(self, amount: int) -> list[tuple[int, int]]:
        """What each payer gives of an amount, in order."""
        parts = []
        for who, purse in self.purses:
            part = min(amount, purse)
            amount -= part
            parts.append((who, part))
        return parts


def verify_story(story: Story) -> Verdict:
    """Raises `Mismatch` with the first number that does not follow, `Unverifiable` if the beginning is missing."""
    if not story.is_whole:
        raise Unverifiable(f"the first events of {story.account} are no longer kept")
    markets, assets = dict(story.rules.markets), dict(story.rules.assets)
    prices = Prices(dict(story.rules.asset_of_feed))
    margins = Margins()
    fund = _Fund(INSURANCE, prices, markets, assets, margins)
    curves = dict(story.rules.curves)
    books = [Statement(account, prices, markets, assets, margins) for account in story.accounts]
    checkers = [_Checker(each, fund, curves) for each in books]
    for row in story.evidence:
        prices.apply(row)
        margins.apply(row)
        for checker in checkers:
            try:
                checker.before(row)
                checker.statement.apply(row)
                checker.after(row)
            except Mismatch as mismatch:
                raise Mismatch(f"{mismatch}{_excuse(story, row)}") from None
        fund.apply(row)
        if row.kind == E.LIQUIDATION_FEE:
            fund.receive(row, row.amount)
        elif row.kind == E.FUND_PAID:
            fund.pay(row.other, row.amount)
        elif row.kind == E.DELEVERAGED:
            fund.pay(markets[row.market].settle, row.fee)
        elif row.kind == E.FUND_DAY:
            fund.paid[row.market] = 0
        elif row.kind in (E.POOL_SUPPLIED, E.POOL_REDEEMED) and row.extra:
            fund.stake(row.other, row.amount if row.kind == E.POOL_SUPPLIED else -row.amount)
        elif row.kind == E.STAKES_PAID:
            fund.stake(row.other, -row.amount)
            if row.reason:
                fund.pay(row.options, -row.amount)  # the deleveraging told it as the fund's
        elif row.kind == E.STAKES_EARNED:
            fund.stake(row.other, row.amount)
            fund.receive(row, -row.amount)
        elif row.kind in (E.BID_FILLED, E.ABSORBED, E.DEBT_SPREAD):
            fund.receive_asset(row.market, row.fee)
    for checker in checkers:
        checker.close(None)
    return Verdict(sum(each.numbers for each in checkers), sum(each.liquidations for each in checkers))


def _excuse(story: Story, row: Row) -> str:
    configured = (each for each in story.evidence if each.kind == E.CONFIGURED and each.seq > row.seq)
    changed = [each.seq for each in configured if not each.extra]
    return f" (parameters were changed later, by command {changed[0]})" if changed else ""


class _Fund(Statement):
    """The insurance fund's books, what it has paid in the day, and what stake pools have."""

    def __init__(self, *of: Any) -> None:
        super().__init__(*of)
        self.paid: dict[int, int] = {}
        self.staked: dict[int, int] = {}  # by share

    def stake(self, share: int, amount: int) -> None:
        self.staked[share] = self.staked.get(share, 0) + amount

    def purses(self, market: int) -> list[tuple[int, int]]:
        """(who pays, what it may pay), in order."""
        rule = self.markets[market]
        payers = rule.payers or self.assets[rule.settle].payers
        return [(who, self.purse(rule.settle) if who == FROM_FUND else self.staked.get(who, 0)) for who in payers]

    def pay(self, asset: int, amount: int) -> None:
        self.receive_asset(asset, -amount)
        self.paid[asset] = self.paid.get(asset, 0) + amount

    def purse(self, asset: int) -> int:
        rule, purse = self.assets[asset], max(0, self.cash.get(asset, 0))
        purse = min(purse, rule.fund_step)
        return purse if rule.fund_day == AMOUNT_MAX else min(purse, max(0, rule.fund_day - self.paid.get(asset, 0)))


class _Checker:
    """Follows one account."""

    def __init__(self, statement: Statement, fund: _Fund, curves: dict[int, F.CurveRule]) -> None:
        self.statement = statement
        self.fund = fund
        self.curves = curves
        self._bids: dict[int, Row] = {}  # by the command that placed it
        self.numbers = 0
        self.liquidations = 0
        self._step: Step | None = None
        self._turn = (0, 0)  # of a portfolio: the command, and the market closed last
        self._parts_of_turn: set[int] = set()

    def before(self, row: Row) -> None:
        """Checks what an event says about the moment before it takes effect."""
        if row.kind == E.BID_PLACED and row.other == self.statement.account:
            self._bids[row.seq] = row
        if row.account != self.statement.account:
            return
        if row.kind == E.LIQUIDATION_STARTED:
            self.liquidations += 1
            self._health(row, row.amount, row.fee)
            self._agree(row, "M(restore)", row.extra, self.statement.requirement(FOR_RESTORE))
            self._agree(row, "M(takeover)", row.extra2, self.statement.requirement(FOR_TAKEOVER))
            self._holds(row, "equity below M(maintain)", row.amount < row.fee)
        elif row.kind == E.LIQUIDATION_WAITS:
            self.close(row)
            self._holds(row, "a reason to wait", row.amount < row.fee and row.extra >= row.extra2)
        elif row.kind == E.LIQUIDATION_ORDER:
            self.close(row)
            self._order(row)
        elif row.kind == E.COLLATERAL_ORDER:
            self.close(row)
            self._sale(row)
        elif row.kind == E.OFFERS_RESTARTED:
            self.close(row)
            self._health(row, row.extra, row.fee)
            owed = -self.statement.cash[row.options]
            self._agree(row, "value of the debt", row.extra2, F.value(owed, self.statement.prices.assets[row.options]))
        elif row.kind == E.LIQUIDATION_FEE:
            self._fee(row)
        elif row.kind == E.FUND_PAID and row.market:
            self._paid(row, FROM_FUND)
        elif row.kind == E.STAKES_PAID and row.market and not row.reason:
            self._paid(row, row.other)
        elif row.kind == E.TAKEN_OVER:
            self.close(row)
            self._taken(row)
        elif row.kind == E.DELEVERAGED:
            self._deleveraged(row)
        elif row.kind == E.BID_FILLED:
            self.close(row)
            self._bid(row)
        elif row.kind == E.CLAIMS_ISSUED:
            self.close(row)
            self._claims(row)
        elif row.kind in (E.ABSORBED, E.DEBT_SPREAD):
            self.close(row)
            self._absorbed(row)
        elif row.kind == E.DUST_TAKEN:
            self._holds(row, "equity below zero", self.statement.equity() < 0)
        elif row.kind == E.LIQUIDATION_ENDED:
            self.close(row)
            self._health(row, row.amount, row.fee)
            self._holds(row, "the reason it ended", (row.reason != E.ENDED_HEALTHY) or row.amount >= row.fee)

    def after(self, row: Row) -> None:
        step = self._step
        if step and row.account == self.statement.account and row.kind == E.FILL and row.options & E.FILL_LIQUIDATION:
            if row.order == -row.account:
                step.filled += row.lots
                step.cash -= self.statement.markets[row.market].worth(row.side * row.lots, row.price)
                step.fee, step.payment = self._due_fee(step), self._due_payment(step)

    # --- counting

    def _agree(self, row: Row, what: str, said: int, follows: int) -> None:
        self.numbers += 1
        agree(row, what, said, follows)

    def _holds(self, row: Row, what: str, holds: bool) -> None:
        self._agree(row, what, 1, int(holds))

    def _health(self, row: Row, equity: int, maintain: int) -> None:
        self._agree(row, "equity", equity, self.statement.equity())
        self._agree(row, "M(maintain)", maintain, self.statement.requirement(FOR_MAINTAIN))

    # --- formulas of docs/concepts/liquidation.md

    def _step_of(self, market: int, kind: int) -> Step:
        statement = self.statement
        positions = statement.claims()
        return Step(
            market=market,
            quantity=statement.legs[market].quantity,
            equity=statement.equity(),
            requirement=statement.requirement() - statement.position_requirement() + positions,
            positions=positions,
            purses=self.fund.purses(market),
            kind=kind,
        )

    def _worth(self, step: Step, lots: int) -> int:
        """V(d): what these lots bring at the mark."""
        rule = self.statement.markets[step.market]
        return rule.worth(lots if step.quantity > 0 else -lots, self.statement.prices.marks[step.market])

    def _bankruptcy(self, step: Step, lots: int) -> int:
        statement, held = self.statement, abs(step.quantity)
        worth, price = self._worth(step, lots), statement.price_of(step.market)
        rule = statement.markets[step.market]
        if step.equity < 0 and step.quantity > 0 and rule.is_paid:
            return rule.worth(lots, rule.worst_price(step.quantity, statement.prices.marks[step.market]))
        sign = 1 if step.quantity > 0 else -1
        share = statement.claim(step.market, step.quantity) - statement.claim(step.market, sign * (held - lots))
        used = step.equity * share // step.positions
        if step.equity >= 0:
            free = max(0, step.equity - (step.requirement - step.positions))
            fee = F.charge(F.ppm_up(abs(worth), statement.markets[step.market].liquidation_fee), price)
            used = max(free * share // step.positions, min(used, fee))
        return worth - max(-AMOUNT_MAX, min(F.atoms_down(used, price), AMOUNT_MAX))

    def _restoring_lots(self, step: Step) -> int:
        """The fewest lots whose closing at the mark restores the account, or all."""
        statement, rule, held = self.statement, self.statement.markets[step.market], abs(step.quantity)
        price, mark, sign = statement.price_of(step.market), statement.prices.marks[step.market], step.quantity // held
        others = statement.requirement(FOR_RESTORE) - statement.requirement_of(step.market, step.quantity, FOR_RESTORE)

        def is_enough(lots: int) -> bool:
            left = step.equity - F.charge(F.ppm_up(rule.notional(lots, mark), rule.liquidation_fee), price)
            return left >= others + statement.requirement_of(step.market, sign * (held - lots), FOR_RESTORE)

        if not is_enough(held):
            return held
        low, high = 0, held
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle) else (middle, high)
        return high

    def _order(self, row: Row) -> None:
        step = self._step = self._step_of(row.market, row.kind)
        rule, mark = self.statement.rule(row.market), self.statement.prices.marks[row.market]
        held, side = abs(step.quantity), -1 if step.quantity > 0 else 1
        self._agree(row, "equity", row.extra, step.equity)
        self._agree(row, "M(maintain)", row.fee, step.requirement)
        self._agree(row, "M(maintain) of positions", row.extra2, step.positions)
        self._agree(row, "mark", row.other, mark)
        self._agree(row, "side", row.side, side)
        if step.equity >= 0:
            lots = self._part(row, held) if self.statement.scans else self._restoring_lots(step)
            if rule.notional(held, mark) > rule.slice_notional and not self.statement.scans:
                lots = min(lots, max(1, F.ppm_down(held, rule.slice)))
            bankrupt = rule.bankruptcy_price(step.quantity, self._bankruptcy(step, held))
            away = max(0, (bankrupt - mark) * side)
            if rule.spread:
                share = min(PPM, rule.urgency * (step.requirement - step.equity) // max(1, step.requirement))
                atoms = F.position_atoms(rule, step.quantity, rule.notional(held, mark), FOR_MAINTAIN)
                given = F.ppm_down(F.ppm_down(atoms, rule.spread), share)
                spread = rule.bankruptcy_price(step.quantity, self._worth(step, held) - given)
                away = min(away, max(0, (spread - mark) * side))
            else:
                away = F.ppm_down(away, rule.reach)
            limit = mark + side * min(away, F.ppm_down(mark, rule.slip))
        else:
            limit = rule.within(mark + side * F.ppm_down(mark, rule.slip))
            needed = self._bankruptcy(step, held) - rule.worth(step.quantity, limit)
            lots = held * step.fund // needed if step.fund < needed else held
        self._agree(row, "size in lots", row.lots, lots)
        self._agree(row, "limit in ticks", row.price, limit)
        self._agree(row, "bankruptcy cash", row.amount, self._bankruptcy(step, row.lots))

    def _part(self, row: Row, held: int) -> int:
        """The same of PARTS of every position in a turn. How many follows from what can be closed: taken as said."""
        goes_on = self._turn[0] == row.seq and row.market > self._turn[1]
        fitting = {part for part in range(1, PARTS + 1) if F.div_up(held * part, PARTS) == row.lots}
        self._parts_of_turn = fitting & self._parts_of_turn if goes_on else fitting
        self._turn = (row.seq, row.market)
        return row.lots if self._parts_of_turn else held

    def _due_fee(self, step: Step) -> int:
        rule = self.statement.markets[step.market]
        if step.kind == E.COLLATERAL_ORDER:
            spare = self._spare(rule.settle, step.quantity < 0)
            return min(F.ppm_up(abs(step.cash), rule.liquidation_fee), spare)
        spare = max(0, step.cash - self._bankruptcy(step, step.filled))
        if step.equity < 0 and spare:
            owned = F.atoms_down(self.statement.equity(), self.statement.price_of(step.market))
            spare = min(spare, max(0, owned))
        return min(F.ppm_up(abs(step.cash), rule.liquidation_fee), spare)

    def _due_payment(self, step: Step) -> int:
        """What the fund owes for the fills of a bankrupt account, as far as it has it."""
        if step.equity >= 0 or step.kind == E.COLLATERAL_ORDER:
            return 0
        return min(step.fund, max(0, self._bankruptcy(step, step.filled) - step.cash))

    def close(self, row: Row | None) -> None:
        """The step is over: what was due and not seen is missing."""
        step, self._step = self._step, None
        if step and step.kind in (E.LIQUIDATION_ORDER, E.COLLATERAL_ORDER) and row is not None:
            self._agree(row, "liquidation fee that was not taken", 0, step.fee)
            left = step.payment if step.parts is None else sum(part for _, part in step.parts)
            self._agree(row, "payment of the fund that was not made", 0, left)

    def _fee(self, row: Row) -> None:
        step, self._step = self._step, None
        self._agree(row, "liquidation fee", row.amount, step.fee if step else 0)

    def _paid(self, row: Row, who: int) -> None:
        step = self._step
        if step is None:
            self._agree(row, "payment of the fund", row.amount, 0)
            return
        if step.parts is None:
            due = step.payment
            if step.kind == E.TAKEN_OVER:
                due = min(step.fund, self._bankruptcy(step, step.filled) - self._worth(step, step.filled))
            step.parts = [each for each in step.shared(due) if each[1]]
        named, part = step.parts.pop(0) if step.parts else (0, 0)
        self._agree(row, "who pays", who, named)
        self._agree(row, "payment of the fund", row.amount, part)
        if not step.parts:
            self._step = None

    def _taken(self, row: Row) -> None:
        step = self._step = self._step_of(row.market, row.kind)
        step.filled = row.lots
        if step.equity >= 0:
            self._step = None
            self._holds(row, "equity below M(takeover)", step.equity < self.statement.requirement(FOR_TAKEOVER))
            self._agree(row, "cash of the takeover", row.amount, self._bankruptcy(step, row.lots))
        else:
            self._agree(row, "cash of the takeover", row.amount, self._worth(step, row.lots))

    def _bid(self, row: Row) -> None:
        """See docs/concepts/offers.md. How far a curve of time has come is not in events: it is taken as said."""
        statement, rule, placed = self.statement, self.curves[row.reason], self._bids.pop(row.order)
        par = self._par(row)
        net, fee = self._gives(row, par, statement.cash[row.market])
        self._holds(row, "the least that was asked", net * placed.lots >= placed.amount * row.lots)
        if placed.side & AS_ASKED:
            net = placed.amount * row.lots // placed.lots
            fee = F.ppm_up(max(0, net - par), rule.fee)
        self._holds(
            row,
            "a debt repaid within what was owed and bid",
            row.lots <= min(placed.lots, -statement.cash[row.options]),
        )
        self._agree(row, "collateral received", row.amount, net)
        self._given(row, net, fee)

    def _claims(self, row: Row) -> None:
        """See docs/concepts/sharing.md. How many there was room for is not in events: taken as said."""
        statement, placed = self.statement, self._bids.pop(row.order)
        par = self._par(row)
        most = min(-statement.cash[row.options], F.atoms_up(-row.extra, statement.prices.assets[row.options]))
        self._holds(row, "equity below zero", row.extra < 0)
        self._holds(row, "a debt repaid within what was owed and bid", 0 < row.lots <= min(placed.lots, most))
        gross = self.curves[row.reason].gross(row.price, par)
        self._holds(row, "no more claims than the curve gives", row.amount <= gross)
        if placed.side & AS_ASKED:
            self._agree(row, "claims that were asked", row.amount, placed.amount * row.lots // placed.lots)
        else:
            self._holds(row, "the least that was asked", row.amount * placed.lots >= placed.amount * row.lots)
        self._agree(row, "fee", row.fee, 0)

    def _absorbed(self, row: Row) -> None:
        """See docs/concepts/sharing.md. How much the pool had is not in these events: taken as said."""
        held, owed = self.statement.cash[row.market], -self.statement.cash[row.options]
        self._holds(row, "a debt repaid within what was owed", 0 < row.lots <= owed)
        if row.kind == E.DEBT_SPREAD:
            self._agree(row, "debt that others take over", row.lots, owed)
        if self.curves[row.reason].size == TAKE_WHOLE:
            held = held * row.lots // owed
        net, fee = self._gives(row, self._par(row), held)
        self._agree(row, "collateral received", row.amount, net)
        self._given(row, net, fee)

    def _par(self, row: Row) -> int:
        """The collateral that what is repaid is worth; E and the curve are checked beside it."""
        self._offered(row, row.price)
        return row.lots * self.statement.prices.assets[row.options] // self.statement.prices.assets[row.market]

    def _offered(self, row: Row, y: int) -> None:
        """E, and the value of the curve."""
        statement, rule = self.statement, self.curves[row.reason]
        equity, maintain = statement.equity(), statement.requirement()
        self._agree(row, "equity", row.extra, equity)
        self._holds(row, "equity below M(maintain)", equity < maintain)
        if rule.of in (OF_HEALTH, OF_COVER, OF_LTV):
            there = rule.at(self._variable(rule.of, equity, maintain))
            self._agree(row, "value of the curve", y, rule.within(there, equity, self._owed()))
        self._agree(row, "value within the equity", y, rule.within(y, equity, self._owed()))

    def _sale(self, row: Row) -> None:
        """See docs/concepts/offers.md, "Through a book"."""
        statement, rule, curve = self.statement, self.statement.markets[row.market], self.curves[row.reason]
        sells, lot, tick = row.side < 0, rule.lot_atoms, rule.scale
        collateral, debt = (rule.base, rule.settle) if sells else (rule.settle, rule.base)
        held, owed = statement.cash[collateral], -statement.cash[debt]
        price_held, price_owed = statement.prices.assets[collateral], statement.prices.assets[debt]
        self._offered(row, row.amount)
        self._agree(row, "M(maintain)", row.fee, statement.requirement())
        self._agree(row, "mark", row.other, statement.prices.marks[row.market])
        there = held // lot if sells else F.div_up(owed, lot)
        if sells:
            least = F.div_up(curve.par_for(row.amount, there * lot) * price_held, price_owed)
            limit = F.div_up(least, there * tick)
            most = min(there, F.div_up(owed, limit * tick))
        else:
            par = min(AMOUNT_MAX, there * lot * price_owed // price_held)
            limit = min(rule.ticks_max, curve.gross(row.amount, par) // (there * tick))
            most = min(there, held // (limit * tick))
        self._agree(row, "limit in ticks", row.price, limit)
        self._agree(row, "the most lots", row.extra2, most)
        lots = self._restoring_sale(rule, sells, limit, most) if curve.size == TO_RESTORE else most
        if most * limit * tick > rule.slice_notional:
            lots = min(lots, max(1, F.ppm_down(most, rule.slice)))
        self._agree(row, "size in lots", row.lots, lots)
        sold = -row.side * row.lots
        self._step = Step(row.market, sold, statement.equity(), statement.requirement(), 0, [], row.kind)

    def _restoring_sale(self, rule: F.MarketRule, sells: bool, limit: int, most: int) -> int:
        """The fewest lots that restore at the limit, or the most."""
        statement, cash = self.statement, self.statement.cash

        def is_enough(lots: int) -> bool:
            statement.cash = dict(cash)
            base, quote = lots * rule.lot_atoms, lots * limit * rule.scale
            statement.cash[rule.base] += -base if sells else base
            statement.cash[rule.settle] += quote if sells else -quote
            fee = min(F.ppm_up(quote, rule.liquidation_fee), self._spare(rule.settle, not sells))
            statement.cash[rule.settle] -= fee
            enough = statement.equity() >= statement.requirement(FOR_RESTORE)
            statement.cash = cash
            return enough

        if not is_enough(most):
            return most
        low, high = 0, most
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle) else (middle, high)
        return high

    def _spare(self, quote: int, buys: bool) -> int:
        """What a fee in the quote may take at most: the equity that is left, of a buyer the cash."""
        left = max(0, F.atoms_down(self.statement.equity(), self.statement.prices.assets[quote]))
        return min(left, self.statement.cash[quote]) if buys else left

    def _gives(self, row: Row, par: int, held: int) -> tuple[int, int]:
        """(net, fee) at the curve."""
        rule = self.curves[row.reason]
        gross = min(held, rule.gross(row.price, par))
        fee = F.ppm_up(max(0, gross - par), rule.fee)
        return gross - fee, fee

    def _given(self, row: Row, net: int, fee: int) -> None:
        """The fee goes as far as the equity then reaches; the cost follows."""
        statement = self.statement
        price_held, price_owed = statement.prices.assets[row.market], statement.prices.assets[row.options]
        equity, held = statement.equity(), statement.cash[row.market]
        left = equity - F.value(held, price_held) + F.value(held - net, price_held)
        owed = statement.cash[row.options]
        left += F.value(owed + row.lots, price_owed) - F.value(owed, price_owed)
        self._agree(row, "fee", row.fee, min(fee, F.atoms_down(max(0, left), price_held)))
        self._agree(row, "cost", row.extra2, F.value(net + row.fee, price_held) - F.value(row.lots, price_owed))

    def _variable(self, of: int, equity: int, maintain: int) -> int:
        """What the curve is a curve of."""
        if of == OF_HEALTH:
            if maintain == 0:
                return -HEALTH_LIMIT if equity < 0 else HEALTH_LIMIT
            return max(-HEALTH_LIMIT, min(equity * PPM // maintain, HEALTH_LIMIT))
        cash = self._worths()
        owed, held = self._owed(), sum(each for each in cash if each > 0)
        if of == OF_COVER:
            return (equity - maintain + owed) * PPM // max(1, owed)
        return F.div_up(owed * PPM, held) if held else HEALTH_LIMIT

    def _worths(self) -> list[int]:
        """Of all cash."""
        return [
            F.value(held, self.statement.prices.assets[asset]) for asset, held in self.statement.cash.items() if held
        ]

    def _owed(self) -> int:
        """The value of all debts."""
        return -sum(each for each in self._worths() if each < 0)

    def _deleveraged(self, row: Row) -> None:
        step = self._step
        goes_on = step is not None and step.kind == E.DELEVERAGED and step.rank < row.extra2
        if step is None or not goes_on or (row.amount, row.fee) != self._parts(step, row.lots):
            self.close(row)
            step = self._step = self._step_of(row.market, row.kind)
        cash, fund = self._parts(step, row.lots)
        self._agree(row, "cash of the deleveraging", row.amount, cash)
        self._agree(row, "the fund's part", row.fee, fund)
        is_sorted = row.extra2 > step.rank and (step.rank == 0 or row.extra <= step.score)
        self._holds(row, "the order of ranks and scores", is_sorted)
        step.done, step.rank, step.score = step.done + row.lots, row.extra2, row.extra

    def _parts(self, step: Step, lots: int) -> tuple[int, int]:
        """(cash of the counterparty, part of the fund) for the next lots of a deleveraging."""
        held = abs(step.quantity)
        due = self._bankruptcy(step, held)
        shared = [part for _, part in step.shared(max(0, due - self._worth(step, held)))]
        paid, end = due - sum(shared), step.done + lots
        helped = sum(part * end // held - part * step.done // held for part in shared)
        return paid * end // held - paid * step.done // held, helped
