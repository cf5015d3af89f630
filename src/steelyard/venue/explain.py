"""An account's health, line by line: what each leg adds to E and to each M, by which rule, rounded which way.

Promises
- The lines add up to what the machine says, to the atom; a difference is an error of ours and stops here.
- Every line's numbers are computed a second time, in plain integers, from the quantities it prints.
"""

from collections.abc import Sequence
from decimal import Decimal

from steelyard.model import keys as K
from steelyard.model.orders import FOR_MAINTAIN, FOR_OPEN, FOR_RESTORE, FOR_TAKEOVER
from steelyard.num.limits import ASSET_PRICE_SCALE, PPM, SCENARIOS, SIZE_SCALE
from steelyard.state.tables import MARKET_0
from steelyard.venue import excess, scenarios
from steelyard.venue import formulas as F
from steelyard.venue.amounts import grouped, ratio_down, trimmed
from steelyard.venue.instruments import Asset, Market, Names
from steelyard.venue.pairs import sides
from steelyard.venue.parameters import rate
from steelyard.venue.reading import Reader
from steelyard.venue.records import Record, Requirements

QUESTIONS = (FOR_OPEN, FOR_MAINTAIN, FOR_RESTORE, FOR_TAKEOVER)
COLUMNS = ("equity", "open", "maintain", "restore", "takeover")
Numbers = tuple[int, int, int, int, int]  # in the order of COLUMNS, atoms of the unit of account


class Line(Record, frozen=True, kw_only=True):
    """One leg. `working` says in words and numbers how the columns came about."""

    leg: str
    equity: Decimal
    requirements: Requirements
    working: tuple[str, ...]


class Scanned(Record, frozen=True, kw_only=True):
    """A group of markets in all scenarios: `changes` of each market with a position, rounded down, and their `sums`.

    What is required of it is the worst of the sums, what offsets each other pays, and what shorts pay beside.
    """

    markets: tuple[str, ...]
    changes: tuple[tuple[Decimal, ...], ...]
    sums: tuple[Decimal, ...]
    worst: int  # the number of the scenario, from 1
    offsets: Decimal
    shorts: Decimal
    required: Decimal


class Explanation(Record, frozen=True, kw_only=True):
    account: str
    unit: str
    lines: tuple[Line, ...]
    scenarios: tuple[Scanned, ...]  # of an account margined by them
    equity: Decimal
    requirements: Requirements
    verdict: str

    def __str__(self) -> str:
        rows = [(line.leg, _cells(line.equity, line.requirements)) for line in self.lines]
        rows.append(("total", _cells(self.equity, self.requirements)))
        texts = [trimmed(amount, 2).partition(".")[2] for _, amounts in rows for amount in amounts]
        places = max(map(len, texts))
        head = [f"{self.account}, in {self.unit}", "E", *(f"M({name})" for name in COLUMNS[1:])]
        body = [[leg, *(trimmed(amount, places) for amount in amounts)] for leg, amounts in rows]
        widths = [max(len(row[place]) for row in [head, *body]) for place in range(len(head))]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        *legs, total = (_row(row, widths) for row in body)
        notes = [f"{line.leg}: {note}" for line in self.lines for note in line.working]
        return "\n".join([_row(head, widths), rule, *legs, rule, total, self.verdict, "", *notes]).rstrip()


def _cells(equity: Decimal, m: Requirements) -> list[Decimal]:
    return [equity, m.open, m.maintain, m.restore, m.takeover]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (
        cell.rjust(width) if place else cell.ljust(width)
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "  ".join([first, *rest]).rstrip()


class Explainer:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names
        self.unit = names.asset_at(1)

    def explain(self, account: int) -> Explanation:
        lines, totals = [], [0, 0, 0, 0, 0]
        for leg in self.reader.legs(account):
            label, numbers, working = self._leg(account, leg)
            said = (self.reader.leg_equity(leg), *(self.reader.leg_requirement(leg, each) for each in QUESTIONS))
            assert numbers == said, f"Invariant: {label} is {said} to the machine and {numbers} by its formulas"
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
            if any(numbers) or working:
                equity, *rest = numbers
                lines.append(
                    Line(
                        leg=label,
                        equity=self._money(equity),
                        requirements=self._requirements(rest),
                        working=tuple(working),
                    )
                )
        if self.reader.scans(account):
            numbers, working = self._scenarios(account)
            totals = [a + b for a, b in zip(totals, numbers, strict=True)]
            lines.append(
                Line(
                    leg="scenarios",
                    equity=self._money(0),
                    requirements=self._requirements(numbers[1:]),
                    working=tuple(working),
                )
            )
        numbers, working = self._excess(account)
        totals = [a + b for a, b in zip(totals, numbers, strict=True)]
        if working:
            lines.append(
                Line(
                    leg="too much of one thing",
                    equity=self._money(0),
                    requirements=self._requirements(numbers[1:]),
                    working=tuple(working),
                )
            )
        whole = [self.reader.equity(account), *(self.reader.requirement(account, each) for each in QUESTIONS)]
        assert whole == totals, f"Invariant: the legs add up to {totals}, the machine says {whole}"
        return Explanation(
            account=self.names.account_name(account),
            unit=self.unit.name,
            lines=tuple(lines),
            scenarios=self._scanned(account),
            equity=self._money(totals[0]),
            requirements=self._requirements(totals[1:]),
            verdict=self._verdict(totals[0], totals[1], totals[2]),
        )

    def _money(self, amount: int) -> Decimal:
        return self.unit.atom.back(amount)

    def _requirements(self, amounts: Sequence[int]) -> Requirements:
        opening, maintain, restore, takeover = (self._money(amount) for amount in amounts)
        return Requirements(open=opening, maintain=maintain, restore=restore, takeover=takeover)

    def _verdict(self, equity: int, opening: int, maintain: int) -> str:
        spare = grouped(self._money(abs(equity - maintain)))
        if equity < maintain:
            share = ratio_down(equity, maintain)
            return f"unhealthy: {spare} short of M(maintain), E / M = {share if share is not None else 'below zero'}"
        free = grouped(self._money(max(0, equity - opening)))
        return f"healthy: {spare} above M(maintain), {free} free for new risk"

    def _leg(self, account: int, leg: int) -> tuple[str, Numbers, list[str]]:
        thing = self.reader.thing(leg)
        if thing < MARKET_0:
            return self._cash(self.names.asset_at(thing), leg)
        market = self.names.market_at(thing - MARKET_0)
        return self._pair(account, market, leg) if market.base else self._position(account, market, leg)

    # --- cash

    def _cash(self, asset: Asset, leg: int) -> tuple[str, Numbers, list[str]]:
        quantity, price = self.reader.quantity(leg), self.reader.asset_price(asset.row)
        rule, fresh = self.reader.asset_rule(asset.row), self.reader.is_price_fresh(asset.row)
        gap = self.reader.asset_gap(asset.row)
        opening, maintain = (
            F.cash_needed(asset.row, rule, quantity, price, question, fresh, gap)
            for question in (FOR_OPEN, FOR_MAINTAIN)
        )
        worth = F.value(quantity, price)
        working = []
        end = price + gap[1] if quantity < 0 else price - gap[0]
        if quantity and (asset.row != 1 or quantity < 0):
            amount = f"{grouped(asset.atom.back(quantity))} {asset.name}"
            exact = "" if price == ASSET_PRICE_SCALE else f" x {trimmed(asset.price_step.back(price))}"
            working.append(f"E = {amount}{exact} = {grouped(self._money(worth))} (down)")
            if quantity < 0:
                settled = asset.atom.back(-self.reader.settled(leg))
                interest = -asset.atom.back(quantity) - settled
                if interest:
                    working.append(f"debt = {grouped(settled)} + {grouped(interest)} of interest not yet paid (up)")
                weight, total = trimmed(rate(rule.borrow_weight)), grouped(self._money(maintain))
                working.append(f"M = |debt| x (borrow weight {weight} - 1) = {total} (up)")
                working.append(self._cap(asset, settled))
                if end != price:
                    working.append(f"M(open) counts the debt at the high price {trimmed(asset.price_step.back(end))}")
            else:
                working += self._tiers(asset, rule, quantity)
                if not fresh:
                    feed = self.reader.feed_of_asset(asset.row)
                    old = self.reader.now_ns > int(self.reader.state.feed.fresh_until_ns[feed])
                    why = "stale" if old else "not good for opening"
                    working.append(f"M(open): {amount} count nothing for new risk: their price is {why}")
                if end != price:
                    working.append(f"M(open) counts them at the low price {trimmed(asset.price_step.back(end))}")
        return asset.name, (worth, opening, maintain, maintain, maintain), working

    def _cap(self, asset: Asset, settled: Decimal) -> str:
        """Caps are compared with what is in the books; the interest that is not yet paid comes on top."""
        cap = asset.atom.back(int(self.reader.state.asset_rule[asset.row, K.A_LOAN_CAP]))
        told = f"loan: at most {grouped(cap)} {asset.name} for one account"
        return told if settled <= cap else f"{told}; {grouped(settled - cap)} above, so other assets convert into it"

    def _tiers(self, asset: Asset, rule: F.AssetRule, quantity: int) -> list[str]:
        notes, below = [], 0
        for upper, opening, maintain in rule.tiers:
            end = min(quantity, upper)
            if end > below:
                part = grouped(asset.atom.back(end - below))
                weights = f"{trimmed(rate(maintain))} ({trimmed(rate(opening))} to open)"
                notes.append(f"M: {part} {asset.name} weigh {weights}; the rest of their value is required (up)")
                below = end
        if quantity > below:
            notes.append(f"M: {grouped(asset.atom.back(quantity - below))} {asset.name} beyond the tiers weigh nothing")
        return notes

    # --- orders in pairs

    def _pair(self, account: int, market: Market, leg: int) -> tuple[str, Numbers, list[str]]:
        found = sides(self.reader, account, leg)
        opening, working = max(side.requirement for side in found), []
        for side in found:
            if side.spent:
                paid, got = self.names.asset_at(side.paid), self.names.asset_at(side.got)
                working.append(
                    f"M(open): the {side.name} spend {grouped(paid.atom.back(side.spent))} {paid.name} and bring "
                    f"{grouped(got.atom.back(side.brought))} {got.name}; what goes beyond what comes by the opening "
                    f"weights is {grouped(self._money(side.requirement))} (up); the worse side is required"
                )
        return market.name, (0, opening, 0, 0, 0), working

    # --- positions

    def _position(self, account: int, market: Market, leg: int) -> tuple[str, Numbers, list[str]]:
        reader, state = self.reader, self.reader.state
        rule, mark = reader.market_rule(market.row), reader.mark(market.row)
        price = reader.asset_price(market.settle.row)
        quantity, cost = reader.quantity(leg), int(state.leg.cost[leg])
        value = rule.worth(quantity, mark)
        now, then = int(state.market.funding_index[market.row]), int(state.leg.index_at_touch[leg])
        funding = rule.accrued_up(quantity, now, then)
        notional = abs(value)
        scanned = reader.scans(account)
        answers = [
            F.charge(F.position_atoms(rule, quantity, notional, question), price) if quantity and not scanned else 0
            for question in QUESTIONS[1:]
        ]
        opening, side, size, reserve = self._opening(account, rule, leg, mark, price)
        money = market.settle.atom
        working = []
        if quantity:
            worth, paid, owed, left = (
                grouped(money.back(atoms)) for atoms in (value, cost, funding, value - cost - funding)
            )
            working.append(
                f"E = value {worth} - cost {paid} - funding {owed} (up) = {left} {market.settle.name}, "
                f"with {market.lot.text(quantity)} at mark {market.tick.text(mark)}"
            )
        if quantity and rule.array is not None and not scanned:
            kept = grouped(money.back(F.array_atoms(rule.array, quantity)))
            working.append(
                f"M(maintain) = {kept} {market.settle.name} (up): the worst scenario of its risk array alone"
            )
        elif quantity and not scanned:
            working.append(self._bracket(market, rule, notional))
            working += self._size(market, rule, quantity, notional)
            above, below = trimmed(rate(rule.restore)), trimmed(rate(rule.takeover))
            working.append(f"M(restore) = {above} x and M(takeover) = {below} x M(maintain) (up)")
        if opening and scanned:
            working.append(
                "M(open): what its orders reserve, and what prices may be wrong by; scenarios ask for the rest"
            )
        elif opening:
            leverage = reader.leverage(account, market.row)
            grown = ", the rate of its size" if any(rule.size_open) else ""
            asked = f"the larger of its opening bracket{grown} and 1/{leverage} of its notional"
            if rule.array is not None:
                asked = f"{trimmed(rate(rule.array[K.S_OPEN_PPM]))} x what its risk array asks for"
            working.append(
                f"M(open): the worse of all bids or all asks filled is {side}, {market.lot.text(size)}: {asked}, plus "
                f"{grouped(money.back(reserve))} reserved for orders (up)"
            )
            if any(reader.index_gap(market.row)):
                below, above = (market.tick.text(ticks) for ticks in reader.index_gap(market.row))
                working.append(f"M(open) adds what the index may be wrong by: {below} below, {above} above")
        equity = F.value(value - cost - funding, price)
        maintain, restore, takeover = answers
        return market.name, (equity, opening, maintain, restore, takeover), working

    # --- scenarios

    def _scenarios(self, account: int) -> tuple[Numbers, list[str]]:
        reader, working = self.reader, []
        opening, maintain, restore, takeover = (scenarios.scanned(reader, account, each) for each in QUESTIONS)
        for group in scenarios.groups(reader, account, FOR_MAINTAIN):
            held = [each for each in group.held if each.low]
            if not held:
                continue
            scenario, cost = group.worst
            parts = ", ".join(
                f"{self.names.market_at(each.market).name} {grouped(self._money(each.change(scenario)))} (down)"
                for each in held
            )
            working.append(
                f"scenario {scenario + 1} is the worst: {parts}; that costs {grouped(self._money(cost))}, offsets "
                f"{grouped(self._money(group.basis))} (up), shorts {grouped(self._money(group.shorts))} (up)"
            )
        factors = (scenarios.factor(reader, account, each) for each in (FOR_OPEN, FOR_RESTORE, FOR_TAKEOVER))
        opens, restores, takes = (trimmed(rate(each)) for each in factors)
        working.append(
            f"M(open) = {opens} x the scan with orders, M(restore) = {restores} x, M(takeover) = {takes} x (up)"
        )
        return (0, opening, maintain, restore, takeover), working

    def _scanned(self, account: int) -> tuple[Scanned, ...]:
        if not self.reader.scans(account):
            return ()
        found = []
        for group in scenarios.groups(self.reader, account, FOR_MAINTAIN):
            held = [each for each in group.held if each.low]
            if held:
                changes = [[each.change(scenario) for scenario in range(SCENARIOS)] for each in held]
                sums = [sum(column) for column in zip(*changes, strict=True)]
                found.append(
                    Scanned(
                        markets=tuple(self.names.market_at(each.market).name for each in held),
                        changes=tuple(tuple(map(self._money, row)) for row in changes),
                        sums=tuple(map(self._money, sums)),
                        worst=group.worst[0] + 1,
                        offsets=self._money(group.basis),
                        shorts=self._money(group.shorts),
                        required=self._money(group.scan),
                    )
                )
        return tuple(found)

    # --- too much of one thing

    def _excess(self, account: int) -> tuple[Numbers, list[str]]:
        found = [*excess.of_positions(self.reader, account), *excess.of_cash(self.reader, account, FOR_OPEN)]
        working = []
        for each in found:
            if each.asked:
                names, row = self.names, each.thing
                name = names.asset_at(row).name if row < MARKET_0 else names.market_at(row - MARKET_0).name
                part, total, limit, asked = (
                    grouped(self._money(value)) for value in (each.part, each.total, each.limit, each.asked)
                )
                working.append(
                    f"M(open): {name} is {part} of the {total} of its group; of what is above {limit}, {asked} (up) is "
                    f"its part at {trimmed(rate(each.rate))}"
                )
        return (0, sum(each.asked for each in found), 0, 0, 0), working

    def _bracket(self, market: Market, rule: F.MarketRule, notional: int) -> str:
        place = rule.bracket(notional)
        bracket, money = rule.brackets[place], market.settle.atom
        less = f" - {grouped(money.back(bracket.deduct_maintain))}" if bracket.deduct_maintain else ""
        return (
            f"M(maintain) = notional {grouped(money.back(notional))} x {trimmed(rate(bracket.maintain))}{less} = "
            f"{grouped(money.back(F.maintain_atoms(rule, notional)))} {market.settle.name} (up), "
            f"bracket {place + 1} of {len(rule.brackets)}"
        )

    def _size(self, market: Market, rule: F.MarketRule, quantity: int, notional: int) -> list[str]:
        if not any(rule.size_maintain):
            return []
        by_size, money = F.size_atoms(rule.size_maintain, quantity, notional), market.settle.atom
        share = trimmed(Decimal(F.size_rate(rule.size_maintain, quantity)) / SIZE_SCALE)
        binds = by_size > F.maintain_atoms(rule, notional)
        which = "its size asks for more than its bracket, and binds" if binds else "its bracket asks for no less"
        size = market.lot.text(abs(quantity))
        return [f"{size} have a rate of {share} by size: {grouped(money.back(by_size))} (up); {which}"]

    def _opening(self, account: int, rule: F.MarketRule, leg: int, mark: int, price: int) -> tuple[int, str, int, int]:
        """(M(open) in value, worse side, its size in lots, its reserve in atoms)."""
        reader, orders = self.reader, self.reader.state.leg_open
        quantity, leverage = reader.quantity(leg), reader.leverage(account, rule.row)
        scaling = int(reader.state.market.oi_scale_ppm[rule.row])
        index, gap = reader.index(rule.row), reader.index_gap(rule.row)
        if reader.scans(account):
            sizes = quantity - int(orders.ask_lots[leg]), quantity + int(orders.bid_lots[leg])
            reserve = max(int(orders.bid_reserve[leg]), int(orders.ask_reserve[leg]))
            needed = reserve + max(F.lost_at_worse_end(rule, size, index, gap) for size in sizes)
            return (
                F.charge_opening(needed, reader.equity_atoms(leg), price, reader.asset_gap(rule.settle)),
                "",
                0,
                reserve,
            )
        sides = []
        for side, size, reserve in (
            ("bids", quantity + int(orders.bid_lots[leg]), int(orders.bid_reserve[leg])),
            ("asks", quantity - int(orders.ask_lots[leg]), int(orders.ask_reserve[leg])),
        ):
            needed = F.opening_lots(rule, size, mark, leverage, scaling, index, gap)
            sides.append((needed + reserve, side, size, reserve))
        worst, side, size, reserve = max(sides, key=lambda each: each[0])
        charged = F.charge_opening(worst, reader.equity_atoms(leg), price, reader.asset_gap(rule.settle))
        return charged, side, size, reserve


assert PPM == 10**6, "rates are printed with six decimals"
