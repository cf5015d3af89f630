"""Builds the records of accounts, positions and orders from the machine's tables."""

from decimal import Decimal

from steelyard.model import events as E
from steelyard.model import keys as K
from steelyard.model import orders as O
from steelyard.model.reject import Reject
from steelyard.state.tables import MARKET_0
from steelyard.venue import formulas as F
from steelyard.venue import scenarios
from steelyard.venue.amounts import PPM_STEP, ratio_up
from steelyard.venue.event_rows import MODES, ROLES
from steelyard.venue.instruments import Names
from steelyard.venue.order_views import OrderViews
from steelyard.venue.pairs import spent_on_orders
from steelyard.venue.parameters import GIVES
from steelyard.venue.reading import Reader
from steelyard.venue.records import AccountView, Balance, Offer, Position, Requirements
from steelyard.venue.solve import losing_price

QUEUED = (None, "waiting", "cooling down", "owing", "spared")
ENTRY_PLACES = 6  # decimals of an average entry price beyond those of the tick
_EXPIRED = {E.CLOSED_IMMEDIATE, E.CLOSED_EXPIRED, E.CLOSED_WORK_LIMIT}


class Views:
    def __init__(self, reader: Reader, names: Names) -> None:
        self.reader = reader
        self.names = names
        self.orders = OrderViews(reader, names)

    def unit(self, amount: int) -> Decimal:
        return self.names.asset_at(1).atom.back(amount)

    # --- accounts

    def account(self, account: int) -> AccountView:
        reader, state = self.reader, self.reader.state
        equity = reader.equity(account)
        opening, maintain, restore, takeover = (
            reader.requirement(account, question)
            for question in (O.FOR_OPEN, O.FOR_MAINTAIN, O.FOR_RESTORE, O.FOR_TAKEOVER)
        )
        return AccountView(
            id=account,
            name=self.names.account_name(account),
            owner=reader.owner(account),
            role=ROLES[int(state.account.role[account])],
            equity=self.unit(equity),
            requirements=Requirements(
                open=self.unit(opening),
                maintain=self.unit(maintain),
                restore=self.unit(restore),
                takeover=self.unit(takeover),
            ),
            free=self.unit(max(0, equity - opening)),
            margin_ratio=ratio_up(maintain, equity),
            healthy=equity >= maintain,
            queued=QUEUED[int(state.account.queued[account])],
            balances=self.balances(account),
            positions=self.positions(account),
            orders=self.orders.open(account),
            children=tuple(self.names.account_name(child) for child in reader.children(account)),
            unit=self.names.asset_at(1).name,
            at_ns=reader.now_ns,
        )

    def balances(self, account: int) -> tuple[Balance, ...]:
        """Assets that are held or owed; the unit of account always.

        `free` counts what could leave without touching M(open), as if the asset had no haircut: never too much.
        """
        reader = self.reader
        spare = reader.free(account)
        found = []
        for leg in reader.legs(account):
            row = reader.thing(leg)
            quantity = reader.quantity(leg)
            if row >= MARKET_0 or (quantity == 0 and row != 1):
                continue
            asset, price = self.names.asset_at(row), reader.asset_price(row)
            present = max(0, quantity - spent_on_orders(reader, account, row))
            free = min(present, F.atoms_down(spare, price) if price else 0)
            found.append(
                Balance(
                    asset=asset.name,
                    total=asset.atom.back(quantity),
                    free=asset.atom.back(free),
                    used=asset.atom.back(max(0, quantity) - free),
                    debt=asset.atom.back(max(0, -quantity)),
                    price=asset.price_step.back(price),
                    value=self.unit(F.value(quantity, price)),
                )
            )
        return tuple(found)

    def offers(self, account: int) -> tuple[Offer, ...]:
        """One for each debt and each collateral, in order of assets."""
        reader = self.reader
        cash = [(leg, reader.thing(leg)) for leg in reader.legs(account) if reader.thing(leg) < MARKET_0]
        debts = [row for leg, row in cash if reader.quantity(leg) < 0]
        held = [row for leg, row in cash if reader.quantity(leg) > 0]
        return tuple(self._offer(account, collateral, debt) for debt in debts for collateral in held)

    def _offer(self, account: int, collateral_row: int, debt_row: int) -> Offer:
        debt, collateral = self.names.asset_at(debt_row), self.names.asset_at(collateral_row)
        offer = self.reader.offer(account, collateral_row, debt_row)
        return Offer(
            account=self.names.account_name(account),
            debt_asset=debt.name,
            collateral_asset=collateral.name,
            curve=offer.curve,
            gives=GIVES[int(self.reader.state.curve_rule[offer.curve, K.C_GIVES])] if offer.curve else None,
            rate=PPM_STEP.back(offer.y),
            repay=debt.atom.back(offer.repaid),
            receive=collateral.atom.back(offer.net),
            fee=collateral.atom.back(offer.fee),
            reason=Reject(offer.reason),
        )

    # --- positions

    def positions(self, account: int) -> tuple[Position, ...]:
        """Markets in which the account or one of its children holds something."""
        reader = self.reader
        found = []
        for leg in reader.legs(account):
            market = reader.thing(leg) - MARKET_0
            if market <= 0:
                continue
            holder = int(reader.state.leg.child[leg]) or account
            held = leg if holder == account else reader.market_leg(holder, market)
            if held and reader.quantity(held):
                found.append(self._position(account, holder, held, market))
        return tuple(found)

    def position(self, account: int, market: int) -> Position:
        """Also where there is none: its size is zero then."""
        holder = self.reader.acting(account, market)
        return self._position(account, holder, self.reader.market_leg(holder, market), market)

    def _position(self, account: int, holder: int, leg: int, market_row: int) -> Position:
        reader, table = self.reader, self.reader.state.leg
        market = self.names.market_at(market_row)
        rule, mark = reader.market_rule(market_row), reader.mark(market_row)
        quantity, cost = (int(table.quantity[leg]), int(table.cost[leg])) if leg else (0, 0)
        funding = 0
        if quantity:
            index = int(reader.state.market.funding_index[market_row])
            funding = rule.accrued_up(quantity, index, int(table.index_at_touch[leg]))
        money = market.settle.atom
        entry = None
        if quantity and not rule.is_paid:
            entry = market.entry(quantity, cost, market.tick.places + ENTRY_PLACES)
        maintain = reader.requirement(holder, O.FOR_MAINTAIN)
        equity = reader.equity(holder)
        price = losing_price(reader, holder, MARKET_0 + market_row)
        initial, maintenance = (
            reader.leg_requirement(leg, question) if leg else 0 for question in (O.FOR_OPEN, O.FOR_MAINTAIN)
        )
        if leg and reader.scans(holder):
            initial += scenarios.share(reader, holder, market_row, O.FOR_OPEN)
            maintenance = scenarios.share(reader, holder, market_row, O.FOR_MAINTAIN)
        isolated = reader.is_child(holder) or reader.is_isolated(account, market_row)
        return Position(
            account=self.names.account_name(account),
            symbol=market.name,
            side="long" if quantity > 0 else "short" if quantity < 0 else None,
            contracts=market.lot.back(abs(quantity)),
            entry_price=entry,
            mark_price=market.tick.back(mark),
            notional=money.back(rule.notional(quantity, mark)),
            unrealized_pnl=money.back(rule.worth(quantity, mark) - cost if quantity else 0),
            funding_owed=money.back(funding),
            leverage=reader.leverage(holder if leg else account, market_row),
            margin_mode=MODES[O.ISOLATED if isolated else O.CROSS],
            initial_margin=self.unit(initial),
            maintenance_margin=self.unit(maintenance),
            collateral=self.unit(equity),
            margin_ratio=ratio_up(maintain, equity),
            liquidation_price=None if price is None else market.tick.back(price),
            at_ns=reader.now_ns,
        )
