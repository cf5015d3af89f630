"""Liquidations told in plain sentences, from events alone. `verify_story` recomputes every number they name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from steelyard.model import events as E
from steelyard.model.orders import INSURANCE
from steelyard.num.limits import ASSET_PRICE_SCALE
from steelyard.venue import formulas as F
from steelyard.venue import happened as H
from steelyard.venue.amounts import clock_text, grouped, plain, trimmed
from steelyard.venue.decode import Decoder
from steelyard.venue.event_rows import Row
from steelyard.venue.instruments import Asset, Names
from steelyard.venue.records import Liquidation

_PRICES = {E.MARK_SET, E.MARKET_SETTLED, E.FUNDING_SET, E.INDEX_SET, E.SHARE_PRICE_SET}
_TWO_SIDED = {E.TRANSFERRED, E.MARGIN_MOVED, E.TAKEN_OVER, E.DELEVERAGED, E.BID_PLACED, E.BID_FILLED, E.DUST_TAKEN}
_TWO_SIDED |= {E.CLAIMS_ISSUED}
_FUND = {E.FUND_PAID, E.FUND_DAY, E.LIQUIDATION_FEE, E.DELEVERAGED, E.BID_FILLED, E.ABSORBED, E.DEBT_SPREAD}
_FUND |= {E.STAKES_PAID, E.STAKES_EARNED}
_TOLD = {
    E.DEPOSITED,
    E.TRANSFERRED,
    E.MARGIN_MOVED,
    E.FUNDING_PAID,
    E.INTEREST_PAID,
    E.DEBT_WRITTEN_OFF,
    E.CONVERTED,
    E.LIQUIDATION_STARTED,
    E.LIQUIDATION_WAITS,
    E.LIQUIDATION_ORDER,
    E.COLLATERAL_ORDER,
    E.OFFERS_RESTARTED,
    E.FILL,
    E.LIQUIDATION_FEE,
    E.FUND_PAID,
    E.TAKEN_OVER,
    E.DELEVERAGED,
    E.POSITION_SETTLED,
    E.BID_FILLED,
    E.CLAIMS_ISSUED,
    E.ABSORBED,
    E.DEBT_SPREAD,
    E.GAIN_PAID,
    E.STAKES_PAID,
    E.DUST_TAKEN,
    E.LIQUIDATION_ENDED,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The parameters the numbers of a story depend on, and which feed prices which asset."""

    markets: Mapping[int, F.MarketRule]
    assets: Mapping[int, F.AssetRule]
    asset_of_feed: Mapping[int, int]
    curves: Mapping[int, F.CurveRule]


@dataclass(frozen=True, slots=True)
class Episode:
    """One liquidation, from the first unhealthy turn to its end; `is_over` is False while it goes on."""

    account: str
    lines: tuple[tuple[int, str], ...]  # (instant, sentence)
    is_over: bool

    def __str__(self) -> str:
        told = [f"{clock_text(at_ns)}  {sentence}" for at_ns, sentence in self.lines]
        return "\n".join(told if self.is_over else [*told, "It goes on."])


@dataclass(frozen=True)
class Story:
    """`evidence` holds every event the numbers follow from; `is_whole` says that none of them has been forgotten."""

    account: str
    accounts: tuple[int, ...]
    episodes: tuple[Episode, ...]
    evidence: tuple[Row, ...]
    rules: Rules
    is_whole: bool

    def __str__(self) -> str:
        if not self.episodes:
            return f"{self.account} was never liquidated."
        return "\n\n".join(map(str, self.episodes))


def is_evidence(row: Row, accounts: Sequence[int]) -> bool:
    """Whether a statement of one of these accounts, or of the insurance fund, depends on this event."""
    if row.kind in _PRICES or row.kind in _FUND or row.kind in (E.CONFIGURED, E.RISK_ARRAY_SET):
        return True
    if row.kind in (E.POOL_SUPPLIED, E.POOL_REDEEMED) and row.extra:  # what payers have
        return True
    if row.kind == E.INTEREST_PAID and row.fee:  # the fund's
        return True
    if row.account in accounts or row.account == INSURANCE:
        return True
    return row.kind in _TWO_SIDED and (row.other in accounts or row.other == INSURANCE)


def tell(rows: Iterable[tuple[Row, int]], accounts: Sequence[int], names: Names, rules: Rules, is_whole: bool) -> Story:
    """The liquidations of an account and its isolated positions, in the order in which they started."""
    decoder = Decoder(names)
    evidence: list[Row] = []
    finished: list[Episode] = []
    open_episodes: dict[int, list[tuple[int, str]]] = {}
    before: list[tuple[Row, int]] = []  # events of the present command
    seq, nth = -1, 0
    for row, at_ns in rows:
        nth = nth + 1 if row.seq == seq else 0
        if row.seq != seq:
            before.clear()
        seq = row.seq
        if not is_evidence(row, accounts):
            continue
        evidence.append(row)
        who = _subject(row, open_episodes)
        if row.kind == E.LIQUIDATION_STARTED and row.account in accounts:
            who = row.account
            lines = open_episodes[who] = []
            cancelled = sum(
                each.kind == E.ORDER_CLOSED and each.reason == E.CLOSED_LIQUIDATION and each.account == who
                for each, _ in before
            )
            if cancelled:
                found = f"{names.account_name(who)} is found unhealthy; {_count(cancelled, 'order')} cancelled."
                lines.append((at_ns, found))
        if who is not None:
            sentence = _sentence(decoder.one(row, nth, at_ns), names.account_name(who))
            if sentence:
                open_episodes[who].append((at_ns, sentence))
            if row.kind == E.LIQUIDATION_ENDED:
                lines = open_episodes.pop(who)
                lines.append((at_ns, _summary(evidence, who, names)))
                finished.append(Episode(names.account_name(who), tuple(lines), True))
        before.append((row, at_ns))
    finished += [Episode(names.account_name(who), tuple(lines), False) for who, lines in open_episodes.items()]
    return Story(names.account_name(accounts[0]), tuple(accounts), tuple(finished), tuple(evidence), rules, is_whole)


def _subject(row: Row, episodes: Mapping[int, object]) -> int | None:
    """The account in liquidation that this event is about."""
    if row.kind not in _TOLD:
        return None
    if row.account in episodes:
        return row.account
    return row.other if row.kind in (E.TRANSFERRED, E.MARGIN_MOVED) and row.other in episodes else None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sentence(event: H.Happened, who: str) -> str | None:
    """One event in words; None for what need not be told."""
    match event:
        case H.LiquidationStarted():
            text = (
                f"{who} goes into liquidation: equity {grouped(event.equity)} is below the maintenance requirement "
                f"{grouped(event.maintain)}."
            )
            if event.restore == event.maintain == event.takeover:  # no position: collateral alone
                return text
            aim, below = grouped(event.restore), grouped(event.takeover)
            return f"{text} The aim is {aim}; below {below} the backstop may take over."
        case H.LiquidationWaits():
            return (
                f"It waits for better prices: equity {grouped(event.equity)} is below {grouped(event.maintain)}, but "
                f"at the last good ones {grouped(event.good_equity)} is not below {grouped(event.good_maintain)}."
            )
        case H.LiquidationOrder():
            toward = "up" if event.side == "buy" else "down"
            verb = "brings" if event.bankruptcy >= 0 else "costs"
            return (
                f"Order to {event.side} {plain(event.amount)} {event.symbol}, {toward} to {plain(event.limit)} "
                f"(mark {plain(event.mark)}). With equity {grouped(event.equity)}, its share is used up if it {verb} "
                f"{grouped(abs(event.bankruptcy))}."
            )
        case H.CollateralOrder():
            toward = "up" if event.side == "buy" else "down"
            return (
                f"Collateral meets the book: {event.side} {plain(event.amount)} {event.symbol}, {toward} to "
                f"{plain(event.limit)} (mark {plain(event.mark)}, curve {event.curve} at {trimmed(event.rate)}), with "
                f"equity {grouped(event.equity)} below {grouped(event.maintain)}."
            )
        case H.OffersRestarted():
            paid = f", for {grouped(event.paid)} of the insurance fund" if event.paid else ""
            return f"No offer is left: {event.keeper} begins them again{paid}."
        case H.Fill(is_liquidation=True, is_spot=True):
            return (
                f"Filled: {event.side} {plain(event.amount)} {event.symbol} at {plain(event.price)}, for "
                f"{grouped(event.cost)} {event.fee_asset}."
            )
        case H.Fill(is_liquidation=True):
            result = "gain" if event.realized >= 0 else "loss"
            return (
                f"Filled: {event.side} {plain(event.amount)} at {plain(event.price)}, a {result} of "
                f"{grouped(abs(event.realized))} {event.fee_asset}; the position is {plain(event.position)} now."
            )
        case H.LiquidationFee():
            return f"A fee of {grouped(event.amount)} goes to the insurance fund."
        case H.FundPaid():
            return f"The insurance fund pays {grouped(event.amount)} {event.asset} that {who} cannot."
        case H.DebtWrittenOff():
            payer = f"The holders of {event.share}" if event.share else "The lender"
            return f"{payer} lose {grouped(event.amount)} {event.asset} of {who}'s debt: it is written off."
        case H.TakenOver():
            return f"The backstop takes over {plain(event.amount)} {event.symbol}; {who} {_cash(event.cash)} for it."
        case H.Deleveraged():
            helped = f", the insurance fund adds {grouped(event.fund)}" if event.fund else ""
            return (
                f"{event.counterparty} (rank {event.rank}) is deleveraged by {plain(event.amount)} {event.symbol}; "
                f"{who} {_cash(event.cash)} for it{helped}."
            )
        case H.Converted():
            return (
                f"{grouped(event.sold)} {event.sold_asset} are converted into {grouped(event.bought)} "
                f"{event.bought_asset} to pay debt."
            )
        case H.ClaimsIssued():
            return (
                f"{event.bidder} pays {grouped(event.repaid)} {event.debt_asset} of {who}'s debt for "
                f"{grouped(event.received)} newly issued {event.collateral_asset} (curve {event.curve} at "
                f"{trimmed(event.rate)})."
            )
        case H.BidFilled():
            repaid = f"{grouped(event.repaid)} {event.debt_asset}"
            return f"{event.bidder} repays {repaid} for {_price(event, who)}"
        case H.Absorbed():
            repaid = f"{grouped(event.repaid)} {event.debt_asset}"
            return f"The pool of {event.share} repays {repaid} for {_price(event, who)}"
        case H.DebtSpread():
            return f"Others who owe {event.debt_asset} take {grouped(event.repaid)} over for {_price(event, who)}"
        case H.StakesPaid():
            of_it = "Of that the" if event.beside else "The"
            return f"{of_it} holders of {event.share} pay {grouped(event.amount)} {event.asset} that {who} cannot."
        case H.GainPaid():
            return f"{who} gets {grouped(event.amount)} {event.asset} that the pool of {event.share} has gained."
        case H.DustTaken():
            return (
                f"{grouped(event.amount)} {event.asset}, too little to sell, go to {event.taker}, which takes the loss."
            )
        case H.FundingPaid():
            verb = "pays" if event.amount > 0 else "receives"
            return f"Funding settles: {who} {verb} {grouped(abs(event.amount))} in {event.symbol}."
        case H.PositionSettled():
            return (
                f"{event.symbol} has expired: {grouped(event.amount)} are closed at the settlement price "
                f"{grouped(event.price)}, {grouped(event.realized)} realised."
            )
        case H.InterestPaid():
            return f"Interest settles: {who} pays {grouped(event.amount)} {event.asset}."
        case H.Deposited():
            return f"{grouped(event.amount)} {event.asset} are deposited."
        case H.Transferred():
            verb = "receives" if event.taker == who else "sends"
            return f"{who} {verb} {grouped(event.amount)} {event.asset}."
        case H.MarginMoved():
            verb = "receives" if (event.amount > 0) == (event.child == who) else "returns"
            return f"{who} {verb} {grouped(abs(event.amount))} of isolated margin."
        case H.LiquidationEnded(because="healthy"):
            return f"It ends: equity {grouped(event.equity)} covers the requirement {grouped(event.maintain)} again."
        case H.LiquidationEnded():
            return f"It ends: nothing is left to close, equity {grouped(event.equity)}."
    return None


def _price(event: H.BidFilled | H.Absorbed | H.DebtSpread, who: str) -> str:
    """What was given for a debt, at which curve, and what that costs."""
    fee = f", and {grouped(event.fee)} go to the insurance fund" if event.fee else ""
    return (
        f"{grouped(event.received)} {event.collateral_asset} (curve {event.curve} at {trimmed(event.rate)}){fee}; "
        f"this costs {who} {grouped(event.cost)} of its equity {grouped(event.equity)}."
    )


def _cash(amount: Decimal) -> str:
    return f"receives {grouped(amount)}" if amount >= 0 else f"pays {grouped(-amount)}"


def _summary(evidence: Sequence[Row], who: int, names: Names) -> str:
    """Who paid for the liquidation that has just ended, each measured against the price of the moment."""
    marks: dict[int, int] = {}
    assets: dict[int, int] = {1: ASSET_PRICE_SCALE}
    start = end = 0
    paid: dict[str, dict[str, Decimal]] = {}
    for row in evidence:
        if row.kind == E.MARK_SET:
            marks[row.market] = row.price
        elif row.kind == E.INDEX_SET and isinstance(fed := names.feed_at(row.market), Asset):
            assets[fed.row] = row.price
        elif row.kind == E.SHARE_PRICE_SET:
            assets[row.market] = row.price
        if row.account != who:
            continue
        if row.kind == E.LIQUIDATION_STARTED:
            start, paid = row.amount, {}
        elif row.kind == E.LIQUIDATION_ENDED:
            end = row.amount
        elif row.kind == E.FUND_PAID:
            _add(paid, "the insurance fund paid", names.asset_at(row.other), row.amount)
        elif row.kind == E.CLAIMS_ISSUED:
            _add(paid, "holders of claims bore new ones of", names.asset_at(row.market), row.amount)
        elif row.kind == E.BID_FILLED:
            _add(paid, "bids cost", names.asset_at(1), row.extra2)
        elif row.kind == E.STAKES_PAID:
            _add(paid, "stakers paid", names.asset_at(row.options), row.amount)
            if row.reason:
                _add(paid, "the insurance fund paid", names.asset_at(row.options), -row.amount)
        elif row.kind == E.ABSORBED:
            _add(paid, "absorption cost" if row.extra2 >= 0 else "stakers lost", names.asset_at(1), abs(row.extra2))
        elif row.kind == E.DEBT_SPREAD:
            what = "passing debts on cost" if row.extra2 >= 0 else "other borrowers lost"
            _add(paid, what, names.asset_at(1), abs(row.extra2))
        elif row.kind == E.CONVERTED:
            lost = F.value(row.lots, assets[row.market]) - F.value(row.amount, assets[row.other])
            _add(paid, "converting cost", names.asset_at(1), lost)
        elif row.kind == E.DEBT_WRITTEN_OFF:
            _add(paid, "lenders lost", names.asset_at(row.market), row.amount)
        elif row.kind == E.LIQUIDATION_FEE:
            _add(paid, "fees took", names.market_at(row.market).settle, row.amount)
        elif row.kind == E.FILL and row.order == -who:
            market = names.market_at(row.market)
            lots = row.side * row.lots
            worse = market.worth(lots, row.price) - market.worth(lots, marks[row.market])
            _add(paid, "the book cost", market.settle, worse)
        elif row.kind in (E.TAKEN_OVER, E.DELEVERAGED):
            market = names.market_at(row.market)
            above = row.amount + market.worth(row.side * row.lots, marks[row.market])
            payer = "the backstop gave" if row.kind == E.TAKEN_OVER else "counterparties gave up"
            _add(paid, payer, market.settle, above)
            if row.fee:
                _add(paid, "the insurance fund paid", market.settle, row.fee)
    unit = names.asset_at(1)
    parts = [f"equity went from {grouped(unit.atom.back(start))} to {grouped(unit.atom.back(end))} {unit.name}"]
    for payer, totals in paid.items():
        amounts = " and ".join(f"{grouped(amount)} {asset}" for asset, amount in totals.items() if amount)
        parts += [f"{payer} {amounts}"] if amounts else []
    return f"In sum, against the mark: {', '.join(parts)}."


def _add(paid: dict[str, dict[str, Decimal]], payer: str, asset: Asset, atoms: int) -> None:
    totals = paid.setdefault(payer, {})
    totals[asset.name] = totals.get(asset.name, Decimal(0)) + asset.atom.back(atoms)


def liquidations(rows: Iterable[tuple[Row, int]], names: Names, account: int = 0) -> tuple[Liquidation, ...]:
    """Every closing by force that is remembered, of one account or of all."""
    decoder = Decoder(names)
    found = []
    for row, at_ns in rows:
        if account and row.account != account:
            continue
        if row.kind == E.FILL:
            if row.order != -row.account:
                continue
            way, quote = "book", abs(names.market_at(row.market).worth(row.lots, row.price))
        elif row.kind in (E.TAKEN_OVER, E.DELEVERAGED):
            way, quote = ("takeover" if row.kind == E.TAKEN_OVER else "deleveraging"), abs(row.amount + row.fee)
        else:
            continue
        market, side = names.market_at(row.market), "buy" if row.side > 0 else "sell"
        value, contracts = market.settle.atom.back(quote), market.lot.back(row.lots)
        price: Decimal | None = market.tick.back(row.price)
        if row.kind != E.FILL:
            price = market.entry(row.lots, -quote if market.is_inverse else quote, market.tick.places + 6)
        found.append(
            Liquidation(
                account=decoder.names.account_name(row.account),
                symbol=market.name,
                side=side,
                contracts=contracts,
                price=price,
                base_value=value if market.is_inverse else contracts,
                quote_value=contracts if market.is_inverse else value,
                way=way,
                at_ns=at_ns,
            )
        )
    return tuple(found)
