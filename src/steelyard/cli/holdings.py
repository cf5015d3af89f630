"""The lower half of the view: every position, the one nearest to its liquidation first."""

from dataclasses import dataclass
from decimal import Decimal

from rich.text import Text

from steelyard.cli import drawing as D
from steelyard.cli.drawing import DOWN, FAINT, PLAIN, SOFT, UP, WARN
from steelyard.cli.source import Snapshot
from steelyard.venue.records import AccountView, Position


@dataclass(frozen=True, slots=True)
class Holding:
    """One position with the account that backs it: the holder's own, or the isolated position's."""

    account: str  # whose it is
    backing: str  # who is liquidated
    position: Position
    distance: Decimal | None  # from the mark to the liquidation price, as a fraction; None if there is none
    state: str | None  # "waiting", "cooling down" or "owing" while it is liquidated

    @property
    def key(self) -> tuple[str, str]:
        return self.account, self.position.symbol

    @property
    def leverage(self) -> Decimal | None:
        """Notional over equity."""
        equity = self.position.collateral
        return self.position.notional / equity if equity > 0 else None


def holdings(snap: Snapshot) -> list[Holding]:
    queued = {entry.account: entry.state for entry in snap.queue}
    found = [
        _holding(account, position, queued)
        for account in snap.accounts
        if account.role != "system"
        for position in account.positions
    ]
    return sorted(found, key=_order)


def _holding(account: AccountView, position: Position, queued: dict[str, str]) -> Holding:
    backing = account.name
    if position.margin_mode == "isolated":
        backing = next((each for each in account.children if each.endswith(f"/{position.symbol}")), backing)
    distance = None
    if position.liquidation_price is not None and position.mark_price:
        distance = abs(position.liquidation_price - position.mark_price) / position.mark_price
    return Holding(account.name, backing, position, distance, queued.get(backing))


def _order(each: Holding) -> tuple[bool, bool, Decimal, str]:
    far = Decimal("Infinity")
    return each.state is None, each.distance is None, far if each.distance is None else each.distance, each.account


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
    note = f"{len(found)} positions" + (f", {queued} accounts in liquidation" if queued else "")
    rows = [D.title(width, "positions", note), D.line(width, (_heads(columns), FAINT))]
    room = max(0, height - len(rows))
    start = first_shown(chosen, len(found), room)
    for place, each in enumerate(found[start : start + room], start):
        rows.append(_row(each, place == chosen, each.position.symbol == symbol, columns, width))
    return D.filled(rows, width, height)


def _heads(columns: Columns) -> str:
    market, side = ("", "side ") if columns.is_narrow else ("market", "side     ")
    heads = f"  {'account':<9} {market:<{4 if columns.is_narrow else 6}} {side} {'size':>9} "
    if columns.has_profit:
        heads += f"{'entry':>11} {'profit':>13} "
    heads += f"{'lev':>6} {'equity':>12} {'M / E':>7}"
    if columns.gauge:
        heads += " " * (2 + columns.gauge)
    return heads + f" {'liq. price':>11} {'away':>7}"


def _row(each: Holding, is_chosen: bool, is_here: bool, columns: Columns, width: int) -> Text:
    position = each.position
    ratio = position.margin_ratio
    heat = float(ratio) if ratio is not None else 1.0
    colour = DOWN if each.state or heat >= 0.6 else WARN if heat >= 0.3 else UP
    body = PLAIN if is_here or is_chosen else SOFT
    is_isolated = position.margin_mode == "isolated"
    name = f"{each.account}*" if is_isolated and columns.is_narrow else each.account
    lever = "–" if each.leverage is None else f"{min(each.leverage, Decimal(9999)):.1f}x"
    decimals = D.decimals_of(position.mark_price)
    pieces: list[D.Piece] = [
        ("▸ " if is_chosen else "  ", D.ACCENT),
        (f"{D.left(name, 9)} ", f"bold {body}" if is_chosen else body),
        (f"{D.left(D.coin(position.symbol), 4 if columns.is_narrow else 6)} ", body),
        (f"{position.side or '':<5} ", UP if position.side == "long" else DOWN),
        ("" if columns.is_narrow else "iso " if is_isolated else "    ", SOFT if is_chosen else FAINT),
        (f"{D.right(f'{position.contracts:,f}', 9)} ", body),
    ]
    if columns.has_profit:
        gain = position.unrealized_pnl
        pieces += [
            (f"{D.right(D.number(position.entry_price, decimals), 11)} ", SOFT),
            (f"{D.right(D.money(gain), 13)} ", D.tone(gain)),
        ]
    pieces += [
        (f"{D.right(lever, 6)} ", body),
        (f"{D.right(D.money(position.collateral), 12)} ", body if position.collateral >= 0 else DOWN),
        (f"{D.right(D.percent(ratio, 1), 7)}", colour),
    ]
    if columns.gauge:
        used = D.gauge(heat, columns.gauge)
        pieces += [("  ", ""), (used, colour), ("─" * (columns.gauge - len(used)), D.TRACK)]
    if each.state:
        word = "liquidating" if each.state == "waiting" else each.state
        pieces.append((f" {word:>19}", f"bold {DOWN}"))
    else:
        price = D.number(position.liquidation_price, decimals)
        pieces += [(f" {D.right(price, 11)}", body), (f" {D.right(D.percent(each.distance), 7)}", colour)]
    row = D.line(width, *pieces)
    if is_chosen:
        row.stylize(D.CHOSEN)
    return row
