"""A crowd of accounts written straight into the tables: positions that net to zero, haircut collateral, enough cash.

Opening millions of positions through commands would take minutes; the facts are the same. Indices are made from them
as after a restart.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from steelyard.bench import commands as make
from steelyard.bench.summing import Columns, Now, risk
from steelyard.model import commands as do
from steelyard.model import keys
from steelyard.model import orders as word
from steelyard.num.limits import ASSET_PRICE_SCALE, INDEX_SCALE, INDEX_SCALE_BITS
from steelyard.state import snapshot
from steelyard.state.tables import FACT_TABLES, MARKET_0, Limits, State
from steelyard.venue.machine import Machine

COLLATERAL_PPM = 150_000  # of the exposures
COLLATERALS = 5
FIRST_COLLATERAL = 2  # assets from here on
LEGS_MOST = 9
LEAST_SLACK = 0.001  # of an account's exposure
USUAL_SLACK = 0.15
USUAL_SIZE = 2e10  # atoms; a quarter of the positions reach the second bracket
FIRST_ROW = word.SYSTEM_ACCOUNTS + 1

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Crowd:
    machine: Machine
    columns: Columns  # the same facts, as NumPy would want them
    accounts: int
    legs: int  # exposures: legs but the cash in the unit of account
    prices: Rows  # by feed from 1: collateral first, then markets

    def fresh_columns(self) -> Columns:
        """The columns anew, from the tables."""
        state = self.machine.state
        first = state.limits.accounts + 1
        legs = np.asarray(state.leg)[first : first + self.legs]
        cash = np.asarray(state.leg)["quantity"][FIRST_ROW : FIRST_ROW + self.accounts]
        return Columns.of(state, legs, cash, FIRST_ROW)


def crowd(accounts: int, legs: int, markets: int, *, seed: int = 1, weaken_ppm: int = 0) -> Crowd:
    """As many accounts and about as many exposures; `weaken_ppm` widens every alarm without proof."""
    random = np.random.default_rng(seed)
    account, thing = exposures(random, accounts, legs, markets)
    limits = Limits(
        assets=FIRST_COLLATERAL + COLLATERALS,
        feeds=COLLATERALS + markets,
        markets=markets,
        owners=accounts + 1,
        accounts=accounts + word.SYSTEM_ACCOUNTS,
        legs=len(account) + 1_024,
        orders=1_024,
        references=64,
        recent_client_ids=64,
        ladder_ticks=markets * (make.TICKS_MAX + 1),
        liquidations_per_command=0,  # whoever falls stays queued: what is timed is finding them
    )
    prices = np.concatenate(
        [
            random.integers(800, 1_200, COLLATERALS) * ASSET_PRICE_SCALE + random.integers(0, 10**12, COLLATERALS),
            random.integers(40_000, 100_000, markets),
        ]
    )
    rules = venue(limits, prices)
    state = State(limits)
    make.touch_pages(state)
    copy_facts(rules.state, state)
    columns = put_accounts(state, random, accounts, account, thing, prices)
    state.machine.weaken_ppm[0] = weaken_ppm
    machine = Machine(state=state)
    machine._build_indices()
    return Crowd(machine, columns, accounts, len(account), prices)


def exposures(random: Any, accounts: int, legs: int, markets: int) -> tuple[Rows, Rows]:
    """(account from 0, thing) of every exposure, accounts in order; no account holds a thing twice."""
    most = min(markets, LEGS_MOST)
    mean = legs / accounts
    if not 1 <= mean <= most:
        raise ValueError(
            f"{accounts:,} accounts in {markets} markets hold {accounts:,} to {most * accounts:,} exposures"
        )
    counts = 1 + random.binomial(most - 1, (mean - 1) / max(1, most - 1), accounts)
    account = np.repeat(np.arange(accounts), counts)
    collateral = random.random(len(account)) < COLLATERAL_PPM / 1_000_000
    nth_collateral = nth_of_account(collateral, account, counts)
    collateral &= nth_collateral < COLLATERALS
    nth_market = nth_of_account(~collateral, account, counts)
    # Steps that share no divisor with the number of things never come back to one before all were met.
    strides = np.array([step for step in range(1, markets + 1) if np.gcd(step, markets) == 1])
    first, step = random.integers(0, markets, accounts), random.choice(strides, accounts)
    market = MARKET_0 + 1 + (first[account] + nth_market * step[account]) % markets
    first = random.integers(0, COLLATERALS, accounts)
    asset = FIRST_COLLATERAL + (first[account] + nth_collateral) % COLLATERALS
    return account, np.where(collateral, asset, market)


def nth_of_account(chosen: Rows, account: Rows, counts: Rows) -> Rows:
    """How many of an account's earlier legs were chosen."""
    before = np.cumsum(chosen) - chosen
    starts = np.cumsum(counts) - counts
    place: Rows = before - before[starts][account]
    return place


def venue(limits: Limits, prices: Rows) -> Machine:
    """Assets, feeds, markets and first prices, in a machine with little room for accounts."""
    machine = Machine(replace(limits, owners=8, accounts=8, legs=128, orders=64))
    parts = [make.configure(do.ASSET, {keys.A_DECIMALS: 6}), *make.feeds(len(prices))]
    for feed in range(1, COLLATERALS + 1):
        haircut = {keys.A_TIER_MAINTAIN_PPM: 900_000, keys.A_TIER_OPEN_PPM: 850_000}
        parts.append(make.configure(do.ASSET, {keys.A_FEED: feed, keys.A_SUPPLY_MAX: 1 << 45, **haircut}))
    parts += [
        make.market(feed, {keys.M_MARK_POLICY: word.INDEX_ONLY, **brackets(feed)})
        for feed in range(COLLATERALS + 1, len(prices) + 1)
    ]
    parts.append(make.prices(make.START_NS, np.arange(1, len(prices) + 1), prices))
    make.set_up(machine, parts)
    return machine


def brackets(feed: int) -> dict[int, int]:
    """Four brackets; every third market's are tighter."""
    scale = 1 + feed % 3
    upper = {keys.M_BRACKET_UPPER + i: make.FOUR_BRACKETS[keys.M_BRACKET_UPPER + i] // scale for i in range(3)}
    rates = {
        key + i: make.FOUR_BRACKETS[key + i] * scale
        for key in (keys.M_BRACKET_MAINTAIN_PPM, keys.M_BRACKET_OPEN_PPM)
        for i in range(4)
    }
    return {**upper, **rates}


def copy_facts(source: State, target: State) -> None:
    """All facts of a small state into one with more room; only accounts' own legs may exist."""
    for name in FACT_TABLES:
        table = np.asarray(getattr(target, name))
        for (first, end), rows in zip(snapshot.spans(source, name), snapshot.facts(source, name), strict=True):
            table[first:end] = rows


def put_accounts(state: State, random: Any, accounts: int, account: Rows, thing: Rows, prices: Rows) -> Columns:
    """Owners, accounts, legs, and what markets and assets know of them; returns the columns that NumPy sums."""
    put_owners(state, accounts, 1 + np.bincount(account, minlength=accounts))
    is_market = thing > MARKET_0
    price_of = np.zeros(MARKET_0 + 1 + len(prices), np.int64)
    price_of[FIRST_COLLATERAL : FIRST_COLLATERAL + COLLATERALS] = prices[:COLLATERALS]
    price_of[MARKET_0 + 1 : MARKET_0 + 1 + len(prices) - COLLATERALS] = prices[COLLATERALS:]
    price = price_of[thing]
    unit = np.where(is_market, price * make.ATOMS_PER_TICK_LOT, price / ASSET_PRICE_SCALE)  # what one is worth
    quantity = 1 + (random.lognormal(np.log(USUAL_SIZE), 1.5, len(thing)) / unit).astype(np.int64)
    exposure = np.bincount(account, quantity * unit, accounts)
    balance(random, quantity, thing, is_market)
    entry = (price * random.normal(1, 0.01, len(thing))).astype(np.int64)
    cost = np.where(is_market, quantity * entry * make.ATOMS_PER_TICK_LOT, 0)

    first = state.limits.accounts + 1
    legs = np.asarray(state.leg)[first : first + len(thing)]
    legs["thing"], legs["quantity"], legs["cost"] = thing, quantity, cost
    legs["account"] = account + FIRST_ROW
    put_funding(state, random, legs)
    columns = Columns.of(state, legs, np.zeros(accounts, np.int64), FIRST_ROW)
    equity, requirement = risk(columns, Now.of(state))
    slack = (exposure * (LEAST_SLACK + random.exponential(USUAL_SLACK, accounts))).astype(np.int64)
    columns.cash[:] = np.maximum(0, slack - (equity - requirement))
    own = np.asarray(state.leg)[FIRST_ROW : FIRST_ROW + accounts]
    own["account"], own["thing"], own["quantity"] = np.arange(FIRST_ROW, FIRST_ROW + accounts), keys.UNIT, columns.cash
    put_sums(state, thing, quantity, cost, int(columns.cash.sum()))
    return columns


def put_owners(state: State, accounts: int, legs: Rows) -> None:
    """An owner for each account."""
    state.machine.owners[0] = accounts + 1
    state.machine.accounts[0] = word.SYSTEM_ACCOUNTS + accounts
    for (key, _), (_, _, default, _) in keys.OWNER_KEYS.items():
        state.owner_rule[2 : accounts + 2, key] = default
    rows = np.asarray(state.account)[FIRST_ROW : FIRST_ROW + accounts]
    rows["owner"], rows["legs"] = np.arange(2, accounts + 2), legs


def put_sums(state: State, thing: Rows, quantity: Rows, cost: Rows, cash: int) -> None:
    """What markets and assets know of all legs together."""
    is_market = thing > MARKET_0
    longs, paid = sums(thing, np.maximum(quantity, 0)), sums(thing, cost)
    for market in range(1, len(longs) - MARKET_0):
        state.market.open_interest[market] = int(longs[MARKET_0 + market])
        state.market.clearing[market] = -int(paid[MARKET_0 + market])
    pools = int(np.asarray(state.market)["funding_pool"].sum())
    state.asset.deposited[keys.UNIT] = cash - int(cost.sum()) + pools
    inside = sums(thing[~is_market], quantity[~is_market])
    for asset in range(FIRST_COLLATERAL, len(inside)):
        state.asset.deposited[asset] = int(inside[asset])


def put_funding(state: State, random: Any, legs: Rows) -> None:
    """Funding that has moved since legs were last touched, and the pool that is owed."""
    markets = int(state.machine.markets[0])
    thing = legs["thing"]
    is_market = thing > MARKET_0
    now = random.integers(-(1 << 25), 1 << 25, markets + 1)
    then = np.where(is_market, now[(thing - MARKET_0) * is_market] - random.integers(0, 1 << 24, len(thing)), 0)
    legs["index_at_touch"] = then
    accrued = np.where(is_market, legs["quantity"] * (now[(thing - MARKET_0) * is_market] - then), 0)
    for market in range(1, markets + 1):
        owed = int(accrued[thing == MARKET_0 + market].sum()) * make.ATOMS_PER_TICK_LOT
        state.market.funding_index[market] = int(now[market])
        state.market.funding_pool[market] = -(owed >> INDEX_SCALE_BITS)
        state.market.funding_dust[market] = owed & (INDEX_SCALE - 1)


def sums(thing: Rows, amounts: Rows) -> Rows:
    """Exact sums by thing."""
    found = np.zeros(int(thing.max(initial=0)) + 1, np.int64)
    np.add.at(found, thing, amounts)
    return found


def balance(random: Any, quantity: Rows, thing: Rows, is_market: Rows) -> None:
    """Give half of each market's positions the sizes of the other half, short; of an odd number, three share."""
    rows = np.flatnonzero(is_market)
    rows = rows[random.permutation(len(rows))]
    rows = rows[np.argsort(thing[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(thing[rows], prepend=-1, append=-1))
    for start, end in pairwise(edges):
        here = rows[start:end]
        half = len(here) // 2
        quantity[here[half : 2 * half]] = -quantity[here[:half]]
        if len(here) == 1:
            quantity[here] = 0
        elif len(here) % 2:
            quantity[here[half]] -= quantity[here[-1]]
