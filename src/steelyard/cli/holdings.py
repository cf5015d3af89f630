"""The lower half of the view: every position and every loan, those nearest to their liquidation first."""

from dataclasses import dataclass
from decimal import Decimal

from rich.text import Text

from steelyard.cli import drawing as D
from steelyard.cli.drawing import DOWN, FAINT, PLAIN, SOFT, UP, WARN
from steelyard.cli.source import Snapshot
from steelyard.venue.records import AccountView, LiquidationPrice, Position

TRIFLE = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Loan:
    """What an account owes altogether, and the collateral that is worth most. Values are in the unit of account."""

    coin: str
    coins: Decimal
    collateral: Decimal
    owed: Decimal


@dataclass(frozen=True, slots=True)
class Holding:
    """A position or a loan, with the account that backs it: the holder's own, or the isolated position's."""

    account: str  # whose it is
    backing: str  # who is liquidated
    what: Position | Loan
    equity: Decimal  # of the account that backs it
    margin_ratio: Decimal | None
    price: Decimal | None  # now, of what decides its liquidation
    liquidation_price: Decimal | None
    state: str | None  # "waiting", "cooling down" or "owing" while it is liquidated

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.what.symbol if isinstance(self.what, Position) else f"loan {self.what.coin}"

    @property
    def distance(self) -> Decimal | None:
        """From the price to the liquidation price, as a fraction; None if there is none."""
        if self.liquidation_price is None or not self.price:
            return None
        return abs(self.liquidation_price - self.price) / self.price

    @property
    def leverage(self) -> Decimal | None:
        """What is held, over equity."""
        held = self.what.notional if isinstance(self.what, Position) else self.what.collateral
        return held / self.equity if self.equity > 0 else None


Together = dict[tuple[str, str], LiquidationPrice]  # by account and by market or coin


def holdings(snap: Snapshot) -> list[Holding]:
    queued = {entry.account: entry.state for entry in snap.queue}
    together: Together = {}
    for each in snap.together:
        together |= {(each.account, name): each for name in (each.symbol, *each.together)}
    found: list[Holding] = []
    for account in snap.accounts:
        if account.role != "system":
            found += [_position(account, position, together, queued) for position in account.positions]
            found += _loan(account, together, queued)
    return sorted(found, key=_order)  # positions first


def _position(account: AccountView, position: Position, together: Together, queued: dict[str, str]) -> Holding:
    backing, price = account.name, position.liquidation_price
    if position.margin_mode == "isolated":
        backing = next((each for each in account.children if each.endswith(f"/{position.symbol}")), backing)
    moving = together.get((backing, position.symbol))
    if moving is not None:  # what it settles its losses with moves too
        price = _first(moving, position.side == "long")
    return Holding(
        account.name, backing, position, position.collateral, position.margin_ratio, position.mark_price, price,
        queued.get(backing),
    )  # fmt: skip


def _loan(account: AccountView, together: Together, queued: dict[str, str]) -> list[Holding]:
    """One for all that an account owes; a trifle beside its collateral is left out."""
    owed = -sum((each.value for each in account.balances if each.debt), Decimal(0))
    held = max((each for each in account.balances if each.total > 0), key=lambda each: each.value, default=None)
    if held is None or owed < held.value * TRIFLE:
        return []
    loan = Loan(held.asset, held.total, held.value, owed)
    moving = together.get((account.name, held.asset))
    price, liquidation = (None, None) if moving is None else (moving.price, _first(moving, True))
    state = queued.get(account.name)
    return [Holding(account.name, account.name, loan, account.equity, account.margin_ratio, price, liquidation, state)]


def _first(moving: LiquidationPrice, is_falling: bool) -> Decimal | None:
    if moving.unhealthy_now:
        return moving.price
    return moving.low if is_falling else moving.high


def _order(each: Holding) -> tuple[bool, bool, bool, Decimal, str]:
    far = Decimal("Infinity")
    return (
        isinstance(each.what, Loan),
        each.state is None,
        each.distance is None,
        far if each.distance is None else each.distance,
        each.account,
    )


def first_shown(chosen: int, count: int, rows: int) -> int:
    """The list scrolls just so far that the chosen row is in sight."""
    return max(0, min(chosen - rows // 2, count - rows))


@dataclass(frozen=True, slots=True)
class Columns:
    """What there is room for."""

    is_narrow: bool  # an isolated position is marked by a star then
    gauge: int
    has_profit: bool  # entry price and profit

    @staticmethod
    def for_width(width: int) -> "Columns":
        has_profit = width >= 124
        room = width - 88 - (26 if has_profit else 0)
        return Columns(width < 86, min(40, room) if room >= 6 else 0, has_profit)


def table(found: list[Holding], queued: int, chosen: int, symbol: str, width: int, height: int) -> list[Text]:
    """`queued` accounts are in liquidation; those that hold nothing but debts are among them."""
    columns = Columns.for_width(width)
    positions = sum(isinstance(each.what, Position) for each in found)
    loans = len(found) - positions
    note = f"{positions} positions" + (f", {loans} loans" if loans else "")
    note += f", {queued} accounts in liquidation" if queued else ""
    room = max(0, height - 2)
    below = min(loans, max(1, (room - 1) // 3)) if loans and room > 3 else 0
    rows = [D.title(width, "positions and loans", note), D.line(width, (_heads(columns), FAINT))]
    rows += _part(found[:positions], 0, chosen, symbol, columns, width, room - below - (1 if below else 0))
    if below:
        rows.append(D.line(width, (_loan_heads(columns), FAINT)))
        rows += _part(found[positions:], positions, chosen, symbol, columns, width, below)
    return D.filled(rows, width, height)


def _part(
    found: list[Holding], first: int, chosen: int, symbol: str, columns: Columns, width: int, room: int
) -> list[Text]:
    """As many rows as there is room for; `first` is the place of the first in the whole list."""
    start = first_shown(max(0, chosen - first), len(found), room)
    shown = enumerate(found[start : start + room], first + start)
    rows = [_row(each, place == chosen, _is_here(each.what, symbol), columns, width) for place, each in shown]
    return D.filled(rows, width, room)


def _heads(columns: Columns) -> str:
    market, side = ("", "side ") if columns.is_narrow else ("market", "side     ")
    heads = f"  {'account':<9} {market:<{4 if columns.is_narrow else 6}} {side} {'size':>9} "
    if columns.has_profit:
        heads += f"{'entry':>11} {'profit':>13} "
    return heads + _common_heads(columns)


def _loan_heads(columns: Columns) -> str:
    coin, pledged = ("", "") if columns.is_narrow else ("loan", "pledged")
    wide, room = (4, 5) if columns.is_narrow else (6, 9)
    heads = f"  {'account':<9} {coin:<{wide}} {pledged:>{room}} {'owed':>9} "
    if columns.has_profit:
        heads += f"{'worth':>25} "
    return heads + _common_heads(columns)


def _common_heads(columns: Columns) -> str:
    gauge = " " * (2 + columns.gauge) if columns.gauge else ""
    return f"{'lev':>6} {'equity':>12} {'M / E':>7}{gauge} {'liq. price':>11} {'away':>7}"


def _is_here(what: Position | Loan, symbol: str) -> bool:
    return what.symbol == symbol if isinstance(what, Position) else what.coin == D.coin(symbol)


def _row(each: Holding, is_chosen: bool, is_here: bool, columns: Columns, width: int) -> Text:
    ratio = each.margin_ratio
    heat = float(ratio) if ratio is not None else 1.0
    colour = DOWN if each.state or heat >= 0.6 else WARN if heat >= 0.3 else UP
    body = PLAIN if is_here or is_chosen else SOFT
    faint = SOFT if is_chosen else FAINT
    lever = "–" if each.leverage is None else f"{min(each.leverage, Decimal(9999)):.1f}x"
    cells = _position_cells if isinstance(each.what, Position) else _loan_cells
    pieces: list[D.Piece] = [
        ("▸ " if is_chosen else "  ", D.ACCENT),
        *cells(each, columns, f"bold {body}" if is_chosen else body, body, faint),
        (f"{D.right(lever, 6)} ", body),
        (f"{D.right(D.money(each.equity), 12)} ", body if each.equity >= 0 else DOWN),
        (f"{D.right(D.percent(ratio, 1), 7)}", colour),
    ]
    if columns.gauge:
        used = D.gauge(heat, columns.gauge)
        pieces += [("  ", ""), (used, colour), ("─" * (columns.gauge - len(used)), D.TRACK)]
    if each.state:
        word = "liquidating" if each.state == "waiting" else each.state
        pieces.append((f" {word:>19}", f"bold {DOWN}"))
    else:
        price = D.number(each.liquidation_price, 0 if each.price is None else D.decimals_of(each.price))
        pieces += [(f" {D.right(price, 11)}", body), (f" {D.right(D.percent(each.distance), 7)}", colour)]
    row = D.line(width, *pieces)
    if is_chosen:
        row.stylize(D.CHOSEN)
    return row


def _position_cells(each: Holding, columns: Columns, name: str, body: str, faint: str) -> list[D.Piece]:
    position = each.what
    assert isinstance(position, Position)
    is_isolated = position.margin_mode == "isolated"
    who = f"{each.account}*" if is_isolated and columns.is_narrow else each.account
    pieces: list[D.Piece] = [
        (f"{D.left(who, 9)} ", name),
        (f"{D.left(D.coin(position.symbol), 4 if columns.is_narrow else 6)} ", body),
        (f"{position.side or '':<5} ", UP if position.side == "long" else DOWN),
        ("" if columns.is_narrow else "iso " if is_isolated else "    ", faint),
        (f"{D.right(f'{position.contracts:,f}', 9)} ", body),
    ]
    if columns.has_profit:
        gain, decimals = position.unrealized_pnl, D.decimals_of(position.mark_price)
        pieces += [
            (f"{D.right(D.number(position.entry_price, decimals), 11)} ", SOFT),
            (f"{D.right(D.money(gain), 13)} ", D.tone(gain)),
        ]
    return pieces


def _loan_cells(each: Holding, columns: Columns, name: str, body: str, faint: str) -> list[D.Piece]:
    """The coin that is pledged, how much of it, and what is owed."""
    loan = each.what
    assert isinstance(loan, Loan)
    pieces: list[D.Piece] = [
        (f"{D.left(each.account, 9)} ", name),
        (f"{D.left(loan.coin, 4 if columns.is_narrow else 6)} ", body),
        ("loan  " if columns.is_narrow else f"{D.right(D.short(loan.coins), 9)} ", faint),
        (f"{D.right(D.short(loan.owed), 9)} ", body),
    ]
    if columns.has_profit:
        pieces.append((f"{D.right(D.money(loan.collateral), 25)} ", faint))
    return pieces
