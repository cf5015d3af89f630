"""Setting up a venue: assets, markets, tiers, owners and accounts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from steelyard.model import commands as C
from steelyard.model import events as E
from steelyard.model import keys as K
from steelyard.model import reject as no
from steelyard.model.orders import ABSORBS, BACKS, FROM_FUND, INDEX_ONLY, SPOT
from steelyard.num.limits import (
    AMOUNT_MAX,
    ASSET_PRICE_SCALE,
    NOTIONAL_MAX,
    PAYERS_MAX,
    PRICE_TICKS_MAX,
    SCENARIOS,
    VALUE_MAX,
)
from steelyard.venue import builders, disagreements, ladders
from steelyard.venue import parameters as P
from steelyard.venue.amounts import PPM_STEP, Number, Step, decimal
from steelyard.venue.core import Core
from steelyard.venue.instruments import Asset, Market
from steelyard.venue.parameters import Grid, Parameter
from steelyard.venue.records import Account, Ramp
from steelyard.venue.refusals import Rejected

Tiers = Sequence[tuple[Any, Any, Any]]
_TABLES: dict[int, tuple[dict[str, Parameter], disagreements.Ranges, str]] = {
    C.ASSET: (P.ASSET_PARAMETERS, K.ASSET_KEYS, "asset_rule"),
    C.FEED: (P.FEED_PARAMETERS, K.FEED_KEYS, "feed_rule"),
    C.MARKET: (P.MARKET_PARAMETERS, K.MARKET_KEYS, "market_rule"),
    C.RISK_TIER: (P.TIER_PARAMETERS, K.TIER_KEYS, "tier_rule"),
    C.OWNER: (P.OWNER_PARAMETERS, K.OWNER_KEYS, "owner_rule"),
    C.CURVE: (P.CURVE_PARAMETERS, K.CURVE_KEYS, "curve_rule"),
    C.RISK_ARRAY: (P.ARRAY_PARAMETERS, K.ARRAY_KEYS, "array_rule"),
}
DEFAULT_SUPPLY = K.ASSET_KEYS[K.A_SUPPLY_MAX, 1][2]
PRICE_ROOM = 16
SHARE_DECIMALS = 2  # an empty pool gives a hundred shares for an atom: one share is about one coin


class Setup(Core):
    """Everything here raises when it is refused: a venue that is half set up is of no use."""

    # --- assets

    def add_asset(
        self,
        name: str,
        decimals: int,
        *,
        price: Number | None = None,
        collateral: Tiers | None = None,
        sources: int | Sequence[int] = 1,
        debts_gain: str | None = None,
        **parameters: Any,
    ) -> str:
        """An asset that accounts can hold.

        `collateral` lists (amount up to which it reaches, opening weight, maintenance weight); None in the last row
        means no end. Without it the asset counts nothing as collateral. More parameters: those of the asset
        (`loan_cap`, `convert_haircut`, `borrow_weight`, `supply_max`, and for interest on loans `interest_base`,
        `interest_slope`, `interest_steep`, `interest_kink`, `interest_interval`, and with `interest_kind` "adaptive" or
        "peg" what belongs to that) and of its price (`quorum`, `staleness`, `confidence_max`, and its policies:
        `steelyard.venue.parameters.FEED_NAMES`). The whole supply must keep a value that fits: without `supply_max` it
        is chosen so that the price may rise sixteenfold. `debts_gain` names the collateral that those who owe this
        asset get for debts in it which they take over (`ladders.spread`); they `claim` it by this asset's name.
        """
        self.names.free(name, "asset name")
        if not 0 <= decimals <= 12:
            raise ValueError(f"decimals {decimals!r} of {name} must be a whole number from 0 to 12")
        places = 12 + self.names.asset_at(1).decimals - decimals
        grid = self._grid(Step.atoms(decimals), places)
        tiers = [(None, 0, 0)] if collateral is None else collateral
        values = {K.A_DECIMALS: decimals, K.A_PEG: min(10**places, VALUE_MAX), **P.collateral(tiers, grid.atom)}
        if debts_gain is not None:
            values[K.A_POOL_GAINS] = self.names.asset(debts_gain).row
        if price is not None:
            now = grid.tick.count(price, f"price of {name}", "price steps")
            if "supply_max" not in parameters and now > 0:
                widest = VALUE_MAX * ASSET_PRICE_SCALE // (PRICE_ROOM * now)
                values[K.A_SUPPLY_MAX] = max(1, min(DEFAULT_SUPPLY, widest))
        feed_values = self._feed_values(sources, parameters, grid.tick)
        values |= P.chosen(P.ASSET_PARAMETERS, parameters, grid)
        feed = self._configure(C.FEED, 0, feed_values, f"price of {name}", Grid(tick=grid.tick))
        values[K.A_FEED] = feed
        fresh = Asset(row=self.reader.assets + 1, name=name, decimals=decimals, feed=feed, price_places=places)
        self._named(fresh, values, f"asset {name}", grid)
        if price is not None:
            self.send(lambda: self.rows.prices({name: price}))
        return name

    def _add_unit(self, name: str, decimals: int) -> None:
        """Asset 1, the unit of account."""
        values = {K.A_DECIMALS: decimals, K.A_TIERS: 1}
        self._named(Asset(row=1, name=name, decimals=decimals, feed=0, price_places=12), values, f"asset {name}")

    def add_pool(
        self, asset: str, name: str | None = None, *, collateral: Tiers | None = None, **parameters: Any
    ) -> str:
        """A pool that lends an asset, and its shares, an asset of their own (called "p" and the asset's name).

        `collateral` are the tiers of the shares; without it they count nothing. What the lender account has of the
        asset buys the first shares. What the pool may hold, what it costs and what the house keeps are parameters of
        the asset lent: `pool_max`, `interest_base` and its kin, `reserve`.
        """
        lent = self.names.asset(asset)
        name = self.names.free(f"p{asset}" if name is None else name, "asset name")
        return self._add_share(name, lent, f"pool of {asset}", collateral, parameters, {})

    def add_stake_pool(
        self,
        asset: str,
        gains: str,
        name: str | None = None,
        *,
        collateral: Tiers | None = None,
        **parameters: Any,
    ) -> str:
        """A pool of an asset that takes over debts in it for collateral in another, and its shares.

        They are called "s", the asset staked and the collateral. It takes what a step of the collateral's ladder leads
        to it (`ladders.absorbed`). Once its shares are worth next to nothing it is spent, and another may be added.
        """
        staked, gained = self.names.asset(asset), self.names.asset(gains)
        name = self.names.free(f"s{asset}-{gains}" if name is None else name, "asset name")
        values = {K.A_POOL_KIND: ABSORBS, K.A_POOL_GAINS: gained.row}
        return self._add_share(name, staked, f"stake pool of {asset}", collateral, parameters, values, gained.name)

    def add_backing_pool(
        self, asset: str, name: str | None = None, *, collateral: Tiers | None = None, **parameters: Any
    ) -> str:
        """A pool of an asset that pays losses where `set_payers` says so, and its shares (called "b" and the asset).

        `pool_cooldown` is the time between `leave` and `redeem`, `pool_fee` the part of liquidation fees it earns.
        """
        staked = self.names.asset(asset)
        name = self.names.free(f"b{asset}" if name is None else name, "asset name")
        values = {K.A_POOL_KIND: BACKS}
        return self._add_share(name, staked, f"backing pool of {asset}", collateral, parameters, values, backs=True)

    def set_payers(self, name: str, payers: Sequence[str]) -> None:
        """Who pays, in order, what accounts cannot: of a market's positions, or of debts in an asset.

        Each is "insurance" or the share of a backing pool. Without any, a market has those of its asset, and an asset
        has the insurance fund.
        """
        if len(payers) > PAYERS_MAX:
            raise ValueError(f"there are at most {PAYERS_MAX} payers, not {len(payers)}")
        rows = [FROM_FUND if who == "insurance" else self.names.asset(who).row for who in payers]
        rows += [0] * (PAYERS_MAX - len(rows))
        market = self.names.markets.get(name)
        if market is None:
            asset, first = self.names.asset(name), K.A_PAYER
            values = {first + place: who for place, who in enumerate(rows)}
            self._configure(C.ASSET, asset.row, values, f"payers of {name}", self._grid(asset.atom, asset.price_places))
        else:
            values = {K.M_PAYER + place: who for place, who in enumerate(rows)}
            self._configure(C.MARKET, market.row, values, f"payers of {name}", market.grid)

    def set_issued(self, asset: str, claims: str | None) -> None:
        """What the house issues, and sells by the ladder of it, for debts in an asset that no payer pays; or nothing.

        Claims count in what is inside like deposits: the asset's `supply_max` is the most there may ever be.
        """
        held = self.names.asset(asset)
        values = {K.A_ISSUES: self.names.asset(claims).row if claims else 0}
        self._configure(C.ASSET, held.row, values, f"claims for {asset}", self._grid(held.atom, held.price_places))

    def _add_share(
        self,
        name: str,
        of: Asset,
        label: str,
        collateral: Tiers | None,
        parameters: Mapping[str, Any],
        more: Mapping[int, int],
        gains: str = "",
        backs: bool = False,
    ) -> str:
        """A row for the shares of a pool."""
        decimals = of.decimals + SHARE_DECIMALS
        if decimals > 12:
            raise ValueError(f"{of.name} has {of.decimals} decimals; what a pool has shares in has at most 10")
        grid = Grid(atom=Step.atoms(decimals))
        tiers = [(None, 0, 0)] if collateral is None else collateral
        values = {K.A_DECIMALS: decimals, K.A_POOL_OF: of.row, K.A_SUPPLY_MAX: AMOUNT_MAX, **more}
        values |= P.collateral(tiers, grid.atom) | _of_share(of, parameters, grid)
        places = 12 + self.names.asset_at(1).decimals - decimals
        row = self.reader.assets + 1
        share = Asset(
            row=row,
            name=name,
            decimals=decimals,
            feed=0,
            price_places=places,
            pool_of=of.name,
            gains=gains,
            backs=backs,
        )
        self._named(share, values, label, grid)
        return name

    def _named(self, thing: Asset | Market, values: Mapping[int, int], label: str, grid: Grid | None = None) -> None:
        """An asset or a market has its name before it is there: the events that make it name it."""
        table = C.ASSET if isinstance(thing, Asset) else C.MARKET
        if isinstance(thing, Asset):
            self.names.add_asset(thing)
        else:
            self.names.add_market(thing)
        try:
            row = self._configure(table, 0, values, label, grid)
        except Rejected:
            self.names.remove(thing)
            raise
        assert row == thing.row, "rows are handed out in order"

    def set_asset(
        self,
        name: str,
        *,
        collateral: Tiers | None = None,
        sources: int | Sequence[int] | None = None,
        **parameters: Any,
    ) -> None:
        """Change parameters of an asset or of its price."""
        asset = self.names.asset(name)
        self._change_feed(asset, sources, parameters)
        grid = self._grid(asset.atom, asset.price_places)
        if asset.pool_of:
            values = _of_share(self.names.asset(asset.pool_of), parameters, grid)
        else:
            values = P.chosen(P.ASSET_PARAMETERS, parameters, grid)
        if collateral is not None:
            values |= P.collateral(collateral, asset.atom)
        if values:
            self._configure(C.ASSET, asset.row, values, f"asset {name}", grid)

    def _grid(self, atom: Step, price_places: int) -> Grid:
        """The steps of an asset's parameters; dust and peg are in the unit of account."""
        return Grid(atom=atom, tick=Step(1, price_places), value=self.names.asset_at(1).atom)

    # --- offers

    def add_curve(
        self, step: ladders.Step, *, then: int = 0, debt: str | None = None, other: int = 0, label: str = "offer"
    ) -> int:
        """One row of a ladder, and its number; `then` follows it, and debts in other assets than `debt` go to `other`.

        A step that starts again names itself.
        """
        part = self.add_curve(step.part, label=f"part of {label}") if step.part is not None else 0
        links = {K.C_THEN: self._next_curve if step.again else then, K.C_ELSE: other, K.C_PART: part}
        links[K.C_DEBT] = self.names.asset(debt).row if debt else 0
        links[K.C_TIP] = self.names.asset_at(1).atom.count(step.tip, "tip", "atoms")
        return self._configure(C.CURVE, 0, step.values() | links, label)

    @property
    def _next_curve(self) -> int:
        return int(self.reader.state.machine.curves[0]) + 1

    def set_offers(
        self,
        collateral: str,
        ladder: Sequence[ladders.Step] = (),
        *,
        debts: Mapping[str, Sequence[ladders.Step]] | None = None,
    ) -> None:
        """What accounts in liquidation offer of an asset, step by step; then the converter takes what is left.

        `debts` has ladders of their own for debts in some assets. Without any step the converter comes at once.
        """
        asset = self.names.asset(collateral)
        first = self._add_ladder(collateral, ladder)
        for owed, steps in (debts or {}).items():
            if not steps:
                raise ValueError(f"the ladder for debts in {owed} has no step")
            first = self._add_ladder(collateral, steps, debt=owed, other=first)
        grid = self._grid(asset.atom, asset.price_places)
        self._configure(C.ASSET, asset.row, {K.A_OFFER: first}, f"offers of {collateral}", grid)

    def _add_ladder(
        self, collateral: str, steps: Sequence[ladders.Step], debt: str | None = None, other: int = 0
    ) -> int:
        row = 0
        for place, step in enumerate(reversed(steps)):
            what = f"offer {len(steps) - place} of {collateral}"
            if place and not step.taker and (step.again or not step.lasts_ns):
                raise ValueError(f"{what} stands for ever, so nothing can follow it; say how long it lasts")
            is_first = place == len(steps) - 1
            row = self.add_curve(
                step, then=row, debt=debt if is_first else None, other=other if is_first else 0, label=what
            )
        return row

    # --- markets

    def add_market(
        self,
        name: str,
        *,
        tick: Number,
        lot: Number,
        settle: str | None = None,
        price: Number | None = None,
        price_max: Number | None = None,
        price_min: Number | None = None,
        contract: str = "linear",
        brackets: Tiers | None = None,
        maker: Number | None = None,
        taker: Number | None = None,
        fee_tiers: Sequence[tuple[Any, Any]] | None = None,
        sources: int | Sequence[int] = 1,
        **parameters: Any,
    ) -> str:
        """A perpetual, or with `expiry` a future.

        `brackets` lists (notional up to which it reaches, maintenance rate, opening rate).

        A lot is a size of the base in a linear contract, an amount of the quote currency in an inverse one, which is
        settled in the base. A linear contract may be settled in any asset (one that is neither base nor quote makes it
        a quanto): tick x lot of the quote are then as much of that asset.

        A future ends at `expiry` (an instant, or how long from now) and is settled at the average index over the
        `settle_window` before; it has no funding unless a `funding_interval` is given. With `settle_price` it is
        settled at that price instead; with `paid="yes"` a fill pays its whole price at once. Both together, and a unit
        as `settle_price`, make a fixed-term loan (docs/concepts/fixed-term.md).

        More parameters: see `steelyard.venue.parameters.MARKET_PARAMETERS`. Without `price_max` the ladder reaches to
        four times `price`, without `price_min` down to a tick, or of an inverse contract to a tenth of `price`; without
        `position_max` and `order_max` they are as large as the numbers inside allow, up to the machine's own defaults.
        """
        self.names.free(name, "market name")
        asset = self.names.asset(settle or self.names.asset_at(1).name)
        steps = Step.of(tick, "tick"), Step.of(lot, "lot")
        if contract == "spot":
            raise ValueError("a spot pair is added with add_pair")
        is_inverse = contract == "inverse"
        scale = (P.atom_ticks_per_lot if is_inverse else P.atoms_per_tick_lot)(*steps, asset.atom)
        unit = self.names.asset_at(1).atom
        grid = Grid(tick=steps[0], lot=steps[1], atom=asset.atom, value=unit, now_ns=self.reader.now_ns)
        if parameters.get("expiry") is not None or parameters.get("paid") == "yes":
            parameters.setdefault("funding_interval", 0)
        feed_values = self._feed_values(sources, parameters, steps[0])
        ticks_max = _ladder(grid, price, price_max)
        ticks_min = _lowest(grid, price, price_min, is_inverse)
        most = NOTIONAL_MAX * ticks_min // scale if is_inverse else NOTIONAL_MAX // (ticks_max * scale)
        values = {K.M_SETTLE: asset.row, K.M_ATOMS_PER_TICK_LOT: scale, K.M_TICKS_MAX: ticks_max}
        values |= {K.M_TICKS_MIN: ticks_min, **P.chosen(P.MARKET_PARAMETERS, {"contract": contract}, grid)}
        for key, default in ((K.M_POSITION_LOTS_MAX, 1 << 24), (K.M_ORDER_LOTS_MAX, 1 << 20)):
            values[key] = max(1, min(default, most))
        values |= P.chosen(P.MARKET_PARAMETERS, parameters, grid)
        values[K.M_ORDER_LOTS_MAX] = (
            values[K.M_ORDER_LOTS_MAX]
            if "order_max" in parameters
            else min(values[K.M_ORDER_LOTS_MAX], values[K.M_POSITION_LOTS_MAX])
        )
        if brackets is not None:
            values |= P.brackets(brackets, asset.atom)
        values |= P.fees(maker, taker, fee_tiers)
        values[K.M_FEED] = self._configure(C.FEED, 0, feed_values, f"price of {name}", Grid(tick=steps[0]))
        market = Market(
            row=self.reader.markets + 1,
            name=name,
            settle=asset,
            tick=steps[0],
            lot=steps[1],
            atoms_per_tick_lot=scale,
            feed=values[K.M_FEED],
            is_inverse=is_inverse,
        )
        self._named(market, values, f"market {name}", grid)
        if price is not None:
            self.send(lambda: self.rows.prices({name: price}))
        return name

    def add_pair(
        self,
        name: str,
        *,
        base: str,
        tick: Number,
        lot: Number,
        quote: str | None = None,
        price_max: Number | None = None,
        maker: Number | None = None,
        taker: Number | None = None,
        fee_tiers: Sequence[tuple[Any, Any]] | None = None,
        **parameters: Any,
    ) -> str:
        """A spot pair: `base` is bought and sold for `quote`, by default the unit of account.

        Its price follows from those of its assets. `lot` is an amount of the base. More parameters: those of a market
        that orders, books and marks use. Without `price_max` the ladder reaches to four times the present price.
        """
        self.names.free(name, "market name")
        bought, asset = self.names.asset(base), self.names.asset(quote or self.names.asset_at(1).name)
        steps = Step.of(tick, "tick"), Step.of(lot, "lot")
        scale = P.atoms_per_tick_lot(*steps, asset.atom)
        grid = Grid(tick=steps[0], lot=steps[1], atom=asset.atom, value=self.names.asset_at(1).atom)
        lot_atoms = bought.atom.count(lot, f"lot of {name}", f"atoms of {base}")
        ticks_max = _ladder(grid, None, price_max)
        if price_max is None:
            ticks_max = self._pair_ladder(bought, asset, lot_atoms, scale)
        most = max(1, min(NOTIONAL_MAX // (ticks_max * scale), AMOUNT_MAX // lot_atoms))
        values = {K.M_KIND: SPOT, K.M_BASE: bought.row, K.M_LOT_ATOMS: lot_atoms, K.M_FEED: 0}
        values |= {K.M_SETTLE: asset.row, K.M_ATOMS_PER_TICK_LOT: scale, K.M_TICKS_MAX: ticks_max}
        values |= {K.M_FUNDING_INTERVAL_NS: 0, K.M_MARK_POLICY: INDEX_ONLY}
        values |= {K.M_POSITION_LOTS_MAX: min(1 << 24, most), K.M_ORDER_LOTS_MAX: min(1 << 20, most)}
        values |= P.chosen(P.MARKET_PARAMETERS, parameters, grid)
        if "order_max" not in parameters:
            values[K.M_ORDER_LOTS_MAX] = min(values[K.M_ORDER_LOTS_MAX], values[K.M_POSITION_LOTS_MAX])
        values |= P.fees(maker, taker, fee_tiers)
        pair = Market(
            row=self.reader.markets + 1,
            name=name,
            settle=asset,
            tick=steps[0],
            lot=steps[1],
            atoms_per_tick_lot=scale,
            feed=0,
            base=bought,
        )
        self._named(pair, values, f"pair {name}", grid)
        self.send(lambda: builders.clock(self.reader.now_ns))  # its first price
        return name

    def _pair_ladder(self, base: Asset, quote: Asset, lot_atoms: int, scale: int) -> int:
        """The highest price of a pair's ladder, in ticks, from what its assets are worth now."""
        price = self.reader.asset_price(quote.row)
        now = self.reader.asset_price(base.row) * lot_atoms // price // scale if price else 0
        return max(64, min(PRICE_TICKS_MAX, 4 * now)) if now else 1 << 20

    def set_market(
        self,
        name: str,
        *,
        brackets: Tiers | None = None,
        maker: Number | None = None,
        taker: Number | None = None,
        fee_tiers: Sequence[tuple[Any, Any]] | None = None,
        sources: int | Sequence[int] | None = None,
        **parameters: Any,
    ) -> None:
        """Change parameters of a market or of its price.

        `expiry` delists it: an instant at least a day ahead, or how long from now; reduce-only until then, if it was a
        perpetual, and settled at the average index over `settle_window`. None takes that back.
        """
        market = self.names.market(name)
        self._change_feed(market, sources, parameters)
        grid = replace(market.grid, now_ns=self.reader.now_ns, value=self.names.asset_at(1).atom)
        values = P.chosen(P.MARKET_PARAMETERS, parameters, grid)
        if brackets is not None:
            values |= P.brackets(brackets, market.settle.atom)
        values |= P.fees(maker, taker, fee_tiers)
        if values:
            self._configure(C.MARKET, market.row, values, f"market {name}", market.grid)

    def set_risk_array(self, name: str, values: Sequence[Number], **parameters: Any) -> None:
        """What one unit of a market's size, held long, gains in each of 16 scenarios, in what it settles in.

        `basis` is what a unit pays for being offset by others of its group (below zero if being long of it is being
        short of them), `short` what a unit held short pays beside, `open` how many times the scan opening takes.
        Whoever holds the market and is margined by scenarios is judged by the new array at once.
        """
        market = self.names.market(name)
        if len(values) != SCENARIOS:
            raise ValueError(f"a risk array has {SCENARIOS} values, not {len(values)}")
        given = {f"scenario {place + 1}": value for place, value in enumerate(values)}
        counted = P.chosen(P.ARRAY_PARAMETERS, given | parameters, market.grid)
        self._configure(C.RISK_ARRAY, market.row, counted, f"risk array of {name}", market.grid)

    def risk_array(self, name: str) -> dict[str, Any] | None:
        """The one in force: `values` and the other parameters; None if there is none."""
        market = self.names.market(name)
        row = [int(each) for each in self.reader.state.array_rule[market.row]]
        if not row[K.S_IS_SET]:
            return None
        named = {each.name: market.grid.back(each, row[each.key]) for each in P.ARRAY_PARAMETERS.values()}
        values = tuple(named.pop(f"scenario {place + 1}") for place in range(SCENARIOS))
        return {"values": values, **named}

    def set_state(self, name: str, state: str) -> None:
        """ "open", "post_only", "reduce_only", "cancel_only" or "halted"."""
        self.set_market(name, state=state)

    def parameters(self, name: str) -> dict[str, Any]:
        """Every parameter of a market or an asset, by name and in natural units."""
        fed: Asset | Market = self.names.markets.get(name) or self.names.asset(name)
        grid = fed.grid if isinstance(fed, Market) else self._grid(fed.atom, fed.price_places)
        table, _, rules = _TABLES[C.MARKET if isinstance(fed, Market) else C.ASSET]
        row = getattr(self.reader.state, rules)[fed.row]
        found: dict[str, Any] = {name: grid.back(each, int(row[each.key])) for name, each in table.items()}
        if fed.feed:
            feed = self.reader.state.feed_rule[fed.feed]
            step = Grid(tick=fed.tick if isinstance(fed, Market) else fed.price_step)
            found |= {name: step.back(each, int(feed[each.key])) for name, each in P.FEED_PARAMETERS.items()}
            found |= P.feed_lists(feed)
        return found

    def ramp(self, name: str) -> Ramp | None:
        """What of a market's or an asset's parameters is still on its way to where it was set."""
        fed: Asset | Market = self.names.markets.get(name) or self.names.asset(name)
        is_market, state = isinstance(fed, Market), self.reader.state
        table, _, rules = _TABLES[C.MARKET if is_market else C.ASSET]
        first = self.reader.machine.state.limits.assets if is_market else 0
        row = [int(each) for each in state.ramp[first + fed.row]]
        if not row[K.R_UNTIL_NS]:
            return None
        ways = {}
        for place, key in enumerate(P.RAMPED_MARKET if is_market else P.RAMPED_ASSET):
            if row[K.R_FROM + place] != row[K.R_TO + place]:
                back: Callable[[int], Any] = PPM_STEP.back
                if key == K.A_LOAN_CAP and not is_market:
                    back = fed.grid.atom.back
                elif key >= K.M_SIZE_MAINTAIN_SLOPE:  # of a market
                    back = partial(fed.grid.back, P.BY_KEY[key])
                now = int(getattr(state, rules)[fed.row][key])
                ways[P.key_name(table, key)] = (back(now), back(row[K.R_TO + place]))
        return Ramp(name=name, started_ns=row[K.R_STARTED_NS], until_ns=row[K.R_UNTIL_NS], ways=ways)

    # --- owners and accounts

    def add_risk_tier(self, max_leverage: int, products: Sequence[str] = tuple(P.PRODUCTS)) -> int:
        """Caps of its owners' leverage, and of what they may hold; what they hold already they may always reduce."""
        values = P.chosen(P.TIER_PARAMETERS, {"max_leverage": max_leverage}, Grid()) | P.products(products)
        return self._configure(C.RISK_TIER, 0, values, "risk tier")

    def open_owner(self, risk_tier: int = 1, fee_tier: int = 0, self_trade: str = "expire_maker") -> int:
        values = {"risk_tier": risk_tier, "fee_tier": fee_tier, "self_trade": self_trade}
        return self._configure(C.OWNER, 0, P.chosen(P.OWNER_PARAMETERS, values, Grid()), "owner")

    def set_owner(self, owner: int, **parameters: Any) -> None:
        """Change `risk_tier`, `fee_tier`, `self_trade` or `margin`.

        `margin` is "positions" or "scenarios": see docs/concepts/requirements.md.
        """
        self._configure(C.OWNER, owner, P.chosen(P.OWNER_PARAMETERS, parameters, Grid()), f"owner {owner}")

    def open_account(self, owner: int | None = None, name: str | None = None) -> Account:
        """An account; without an owner it gets one of its own, without a name it is named after its id."""
        if name is not None:
            self.names.free_account(name)
        who = self.open_owner() if owner is None else owner
        result = self.send(lambda: self.rows.open_account(who))
        row = int(result.rows["account"][result.rows["kind"] == E.ACCOUNT_OPENED][0])
        account = self.names.add_account(name or f"#{row}", row)
        self._note_names()
        return account

    # --- how

    def _feed_values(self, sources: int | Sequence[int], parameters: dict[str, Any], step: Step) -> dict[int, int]:
        """Takes the parameters of a price out of `parameters`."""
        given = {name: parameters.pop(name) for name in P.FEED_NAMES if parameters.get(name) is not None}
        parameters.pop("staleness", None)
        return P.source_weights(sources) | P.feed_values(given, Grid(tick=step))

    def _change_feed(
        self, fed: Asset | Market, sources: int | Sequence[int] | None, parameters: dict[str, Any]
    ) -> None:
        given = {name: parameters.pop(name) for name in P.FEED_NAMES if name in parameters}
        grid = Grid(tick=fed.tick if isinstance(fed, Market) else fed.price_step)
        values = P.feed_values(given, grid)
        if sources is not None:
            values |= P.source_weights(sources)
        if values and not fed.feed:
            raise ValueError(f"{fed.name} has no price feed of its own")
        if values:
            self._configure(C.FEED, fed.feed, values, f"price of {fed.name}", grid)

    def _configure(self, table: int, row: int, values: Mapping[int, int], label: str, grid: Grid | None = None) -> int:
        """Send one CONFIGURE command; returns the row it made or changed."""
        if not values:
            raise ValueError(f"{label}: no parameter was given")
        (result,) = self.submit(builders.configure(self.reader.now_ns, table, row, values))
        rows = result.rows
        if result.reason:
            parameters, ranges, rules = _TABLES[table]
            key = int(rows["order"][rows["kind"] == E.REJECTED][0])
            before = disagreements.defaults(ranges)
            if row and result.reason != no.ROWS_FULL:
                stored = getattr(self.reader.state, rules)
                if row < len(stored):
                    before = dict(enumerate(stored[row].tolist()))
            curves = self.reader.state.curve_rule
            message = disagreements.explain_refusal(
                label, parameters, grid or Grid(), result.reason, key, values, before, curves
            )
            raise Rejected(result.reason, message)
        return int(rows["market"][rows["kind"] == E.CONFIGURED][-1])  # steps of ramps fell due before


def _of_share(of: Asset, parameters: Mapping[str, Any], grid: Grid) -> dict[int, int]:
    """Parameters of a share; what its pool may have is counted in what is lent or staked."""
    caps = {name: value for name, value in parameters.items() if name == "pool_max"}
    rest = {name: value for name, value in parameters.items() if name != "pool_max"}
    own = P.chosen(P.ASSET_PARAMETERS, rest, grid)
    return own | P.chosen(P.ASSET_PARAMETERS, caps, Grid(atom=of.atom))


def _ladder(grid: Grid, price: Number | None, price_max: Number | None) -> int:
    """The highest price in ticks."""
    if price is not None:
        ticks = grid.tick.count(price, "price", "ticks")
        if price_max is None:
            return max(64, min(PRICE_TICKS_MAX, 4 * ticks))
    if price_max is None:
        return 1 << 20
    return grid.tick.count(decimal(price_max, "price_max"), "price_max", "ticks")


def _lowest(grid: Grid, price: Number | None, price_min: Number | None, is_inverse: bool) -> int:
    """The lowest price in ticks. An inverse contract is worth most there, so not far below where it trades."""
    if price_min is not None:
        return grid.tick.count(decimal(price_min, "price_min"), "price_min", "ticks")
    return max(1, grid.tick.count(price, "price", "ticks") // 10) if is_inverse and price is not None else 1
