"""The upper half of the view: headline, order book, tape, funds and news. Every panel is rows of one exact width."""

from collections.abc import Iterable
from decimal import Decimal

from rich.text import Text

from steelyard.cli import drawing as D
from steelyard.cli.drawing import DOWN, FAINT, PLAIN, SOFT, UP, WARN
from steelyard.cli.source import Snapshot
from steelyard.cli.watch import Watch
from steelyard.cli.words import Note
from steelyard.venue.market_records import Fund, Level, MarketView

Grouped = list[tuple[Decimal, Decimal]]  # (price, amount), best first


# --- Headline: two rows


def headline(snap: Snapshot, watch: Watch, symbol: str, width: int) -> list[Text]:
    market = snap.market(symbol)
    decimals = D.places(market.tick)
    first = watch.opened.get(symbol)
    change = market.mark / first - 1 if first and market.mark else None
    marks = [*watch.marks[symbol], *([float(market.mark)] if market.mark else [])]
    above: list[D.Piece] = []
    for name, value, style in (
        ("mark", market.mark, f"bold {PLAIN}"),
        ("index", market.index, PLAIN if market.index_is_fresh else WARN),
        ("last", market.last, PLAIN),
    ):
        above += [(f" {name} ", SOFT), (f"{D.number(value, decimals)} ", style)]
    if not market.index_is_fresh:
        above.append((" stale ", WARN))
    below: list[D.Piece] = []
    funding = market.funding
    if funding:
        due = D.countdown(funding.next_ns - snap.now_ns)
        rate = D.percent(funding.next_rate, 4, sign=True)
        below += [(" funding ", SOFT), (rate, D.tone(funding.next_rate)), (" in ", SOFT), (due, PLAIN)]
    below += [("  open ", SOFT), (f"{D.short(market.open_interest)} {D.coin(symbol)}", PLAIN)]
    if market.mark:
        below.append((f" ({D.short(market.open_interest * market.mark)})", SOFT))
    if market.state != "open":
        below.append((f"  {market.state.replace('_', ' ')}", WARN))
    moved = D.percent(change, 2, sign=True).rjust(8)
    taken = min(width, max(sum(len(text) for text, _ in pieces) for pieces in (above, below)) + 1)
    room = max(0, width - taken - len(moved) - 2)
    graph = D.curve(marks, room, 2)
    style = D.tone(change or 0)
    shade = D.UP_BAR if (change or 0) >= 0 else D.DOWN_BAR
    rows = []
    for place, pieces in enumerate((above, below)):
        tail = moved if place == 0 else " " * len(moved)
        rows.append(D.line(width, D.line(taken, *pieces), (graph[place], shade), (f"{tail}  ", f"bold {style}")))
    return rows


# --- Order book


def group_step(market: MarketView) -> Decimal:
    """A round step near half a hundredth of a percent of the price, so that a few rows show the depth that matters."""
    price = market.mark or market.last or market.tick
    wanted = max(price / 20_000, market.tick)
    unit = Decimal(10) ** wanted.adjusted()
    step = next(unit * times for times in (1, 2, 5, 10) if unit * times >= wanted)
    return max(market.tick, (step // market.tick) * market.tick)


def grouped(levels: Iterable[Level], step: Decimal, up: bool) -> Grouped:
    """Levels summed into steps; an ask belongs to the step at or above it, a bid to the one at or below."""
    found: dict[Decimal, Decimal] = {}
    for level in levels:
        steps, rest = divmod(level.price, step)
        steps += bool(rest and up)
        found[steps * step] = found.get(steps * step, Decimal(0)) + level.amount
    return list(found.items())


def book(snap: Snapshot, symbol: str, width: int, height: int) -> list[Text]:
    market = snap.market(symbol)
    step = group_step(market)
    each = max(1, (height - 2) // 2)
    asks = grouped(snap.book.asks, step, True)[:each]
    bids = grouped(snap.book.bids, step, False)[:each]
    largest = max((amount for _, amount in [*asks, *bids]), default=Decimal(1)) or Decimal(1)
    decimals, lots = D.places(market.tick), min(3, D.places(market.lot))
    rows = [D.title(width, "book", f"by {step.normalize():f}")]
    rows += [_empty(width)] * (each - len(asks))
    rows += [_level(width, price, amount, largest, decimals, lots, False) for price, amount in reversed(asks)]
    rows.append(_spread(market, width, decimals))
    rows += [_level(width, price, amount, largest, decimals, lots, True) for price, amount in bids]
    return D.filled(rows, width, height)


def _empty(width: int) -> Text:
    return D.line(width, (f"{'·':>10}", FAINT))


def _level(
    width: int, price: Decimal, amount: Decimal, largest: Decimal, decimals: int, lots: int, is_bid: bool
) -> Text:
    cells = f"{D.number(price, decimals):>10}"
    size = f"{D.number(amount, lots):>10} "
    colours = (UP, D.UP_BAR) if is_bid else (DOWN, D.DOWN_BAR)
    graph = D.bar(float(amount / largest), max(0, width - len(cells) - len(size)))
    return D.line(width, (cells, colours[0]), (size, PLAIN), (graph, colours[1]))


def _spread(market: MarketView, width: int, decimals: int) -> Text:
    if market.bid is None or market.ask is None:
        return D.line(width, (" one side is empty", WARN))
    gap = market.ask - market.bid
    middle = (market.ask + market.bid) / 2
    share = gap / middle * 10_000
    return D.line(
        width,
        (f"{D.number(middle, decimals):>10}", f"bold {PLAIN}"),
        (f"{D.number(gap, decimals):>10} ", SOFT),
        (f"{share:.1f} bp", SOFT),
    )


# --- Tape


def tape(snap: Snapshot, watch: Watch, symbol: str, width: int, height: int) -> list[Text]:
    market = snap.market(symbol)
    decimals, lots = D.places(market.tick), min(3, D.places(market.lot))
    rows = [D.title(width, "trades")]
    for trade in list(watch.trades[symbol])[:-height:-1]:
        colour = UP if trade.side == "buy" else DOWN
        rows.append(
            D.line(
                width,
                ("‼ " if trade.is_liquidation else "  ", f"bold {DOWN}"),
                (f"{D.number(trade.price, decimals):>8}", colour),
                (f"{D.number(trade.amount, lots):>9}", PLAIN),
                (f" {D.clock(trade.at_ns)[3:]}" if width >= 25 else "", FAINT),
            )
        )
    return D.filled(rows, width, height)


# --- Funds and news


def funds(snap: Snapshot, first: Snapshot, width: int) -> list[Text]:
    now, then = snap.funds, first.funds
    rows = [D.title(width, "funds", snap.unit)]
    for fund, before in ((now.insurance, then.insurance), (now.backstop, then.backstop), (now.fees, then.fees)):
        rows.append(_fund(snap, fund, fund.equity - before.equity, width))
    lent = sum((-each.value for account in snap.accounts for each in account.balances if each.debt), Decimal(0))
    out_of = f" of {D.short(now.lender.equity)}"
    return [*rows, D.line(width, (f" {'lent':<9}", SOFT), (f"{D.money(lent):>13}", PLAIN), (out_of, SOFT))]


def _fund(snap: Snapshot, fund: Fund, change: Decimal, width: int) -> Text:
    style = f"bold {DOWN}" if fund.equity <= 0 and fund.name == "insurance" else PLAIN
    held = next((each.positions for each in snap.accounts if each.name == fund.name), ())
    note = "".join(
        f" {'+' if each.side == 'long' else '-'}{D.short(each.contracts)} {D.coin(each.symbol)}" for each in held
    )
    if len(note) > width - 31:
        note = f" {len(held)} held" if width >= 38 else ""
    moved = f"{'+' if change >= 0 else '-'}{D.short(abs(change))}" if change else ""
    return D.line(
        width,
        (f" {fund.name:<9}", SOFT),
        (f"{D.money(fund.equity):>13}", style),
        (f"{moved:>8}", D.tone(change)),
        (note, WARN),
    )


def news(watch: Watch, width: int, height: int) -> list[Text]:
    count = f"{watch.liquidations} so far" if watch.liquidations else ""
    rows = [D.title(width, "liquidations", count)]
    rows += [note_line(note, width) for note in list(watch.news)[:-height:-1]]
    if len(rows) == 1:
        rows.append(D.line(width, (" none yet: ↓ pushes prices down", FAINT)))
    return D.filled(rows, width, height)


def note_line(note: Note, width: int) -> Text:
    name, _, isolated = note.account.partition("/")
    who = f"{name}*" if isolated else name
    when = f"{D.clock(note.at_ns)[3:]} " if width >= 36 else ""
    return D.line(width, (when, FAINT), (f"{D.left(who, 7)} ", SOFT), (note.text, note.style))
