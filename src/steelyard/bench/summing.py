"""Equity and maintenance requirement of every account in NumPy: the same integers as the machine's, one thread."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.model import keys
from steelyard.num.limits import INDEX_SCALE_BITS, PPM
from steelyard.state.tables import MARKET_0, State

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Group:
    """Legs of one sort, by account, contiguous column by column."""

    thing: Rows  # row of the market or asset
    quantity: Rows  # atoms; of a position, at a price of one tick
    size: Rows  # its absolute value
    cost: Rows
    touched: Rows  # funding index at the last touch
    holders: Rows  # accounts (from 0) that have any, in order
    starts: Rows  # where each of them begins

    @classmethod
    def of(cls, legs: Rows, first_account: int, first_thing: int, atoms: Rows) -> "Group":
        """From leg rows; `atoms` is what a unit of each thing is in atoms."""
        starts = np.flatnonzero(np.diff(legs["account"], prepend=-1))
        holders = legs["account"][starts] - first_account
        thing = legs["thing"].astype(np.int64) - first_thing
        quantity = legs["quantity"] * atoms[thing]
        return cls(
            thing, quantity, np.abs(quantity), legs["cost"].copy(), legs["index_at_touch"].copy(), holders, starts
        )

    def add(self, amounts: Rows, total: Rows) -> None:
        """Add amounts by leg to totals by account."""
        if len(self.starts):
            total[self.holders] += np.add.reduceat(amounts, self.starts)


@dataclass(frozen=True)
class Columns:
    cash: Rows
    positions: Group
    collateral: Group
    upper: Rows  # by market and bracket
    rate: Rows
    deduction: Rows
    haircut_ppm: Rows  # by asset

    @classmethod
    def of(cls, state: State, legs: Rows, cash: Rows, first: int) -> "Columns":
        """From leg rows in order of account; cash in the unit of account apart, from the first account on."""
        rule = state.market_rule
        count = int(rule[:, keys.M_BRACKETS].max())
        is_market = legs["thing"] > MARKET_0
        return cls(
            cash,
            positions=Group.of(legs[is_market], first, MARKET_0, rule[:, keys.M_ATOMS_PER_TICK_LOT]),
            collateral=Group.of(legs[~is_market], first, 0, np.ones(len(state.asset_rule), np.int64)),
            upper=rule[:, keys.M_BRACKET_UPPER :][:, :count].copy(),
            rate=rule[:, keys.M_BRACKET_MAINTAIN_PPM :][:, :count].copy(),
            deduction=rule[:, keys.M_DEDUCT_MAINTAIN :][:, :count].copy(),
            haircut_ppm=PPM - state.asset_rule[:, keys.A_TIER_MAINTAIN_PPM],
        )


@dataclass(frozen=True)
class Now:
    """What moves."""

    mark: Rows  # by market
    funding_index: Rows
    price: Rows  # by asset

    @classmethod
    def of(cls, state: State) -> "Now":
        market, asset = np.asarray(state.market), np.asarray(state.asset)
        return cls(market["mark"].copy(), market["funding_index"].copy(), asset["price"].copy())


def risk(columns: Columns, now: Now) -> tuple[Rows, Rows]:
    """(E, M(maintain)) by account, exact. Products fit as long as the machine's own fast path fits."""
    equity = columns.cash.copy()
    requirement = np.zeros_like(equity)
    held = columns.positions
    mark = now.mark[held.thing]
    notional = held.size * mark
    brackets = columns.upper.shape[1]
    bracket = held.thing * brackets
    for i in range(brackets - 1):
        bracket += notional > columns.upper[:, i][held.thing]
    # floor of what funding brings, ceil of what the bracket asks
    funding = held.quantity * (held.touched - now.funding_index[held.thing]) >> INDEX_SCALE_BITS
    held.add(held.quantity * mark - held.cost + funding, equity)
    needed = -(-notional * columns.rate.ravel()[bracket] // PPM) - columns.deduction.ravel()[bracket]
    held.add(needed, requirement)
    held = columns.collateral
    # floor(q P / 10^12) in two steps of 10^6, so that products fit
    price = now.price[held.thing]
    high, low = held.quantity * (price // PPM), held.quantity * (price % PPM)
    worth = (high + low // PPM) // PPM
    charge = -((-high + -low // PPM) // PPM)
    held.add(worth, equity)
    held.add(np.minimum(-(-charge * columns.haircut_ppm[held.thing] // PPM), worth), requirement)
    return equity, requirement
