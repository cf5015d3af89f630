"""Equity and maintenance requirement of every account in NumPy: the same integers as the machine's, one thread."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.model import keys
from steelyard.num.limits import PPM
from steelyard.state.tables import MARKET_0, State

Rows = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Group:
    """Legs of one sort, by account, contiguous column by column."""

    thing: Rows  # market, or place among the collaterals
    quantity: Rows
    size: Rows  # its absolute value
    cost: Rows
    holders: Rows  # accounts (from 0) that have any, in order
    starts: Rows  # where each of them begins

    @classmethod
    def of(cls, chosen: Rows, account: Rows, thing: Rows, quantity: Rows, cost: Rows) -> "Group":
        holders, starts = np.unique(account[chosen], return_index=True)
        return cls(thing[chosen], quantity[chosen], np.abs(quantity[chosen]), cost[chosen], holders, starts)

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
    def of(cls, state: State, account: Rows, thing: Rows, quantity: Rows, cost: Rows, cash: Rows) -> "Columns":
        rule = state.market_rule
        count = int(rule[:, keys.M_BRACKETS].max())
        is_market = thing > MARKET_0
        return cls(
            cash,
            positions=Group.of(is_market, account, thing - MARKET_0, quantity, cost),
            collateral=Group.of(~is_market, account, thing, quantity, cost),
            upper=rule[:, keys.M_BRACKET_UPPER :][:, :count].copy(),
            rate=rule[:, keys.M_BRACKET_MAINTAIN_PPM :][:, :count].copy(),
            deduction=rule[:, keys.M_DEDUCT_MAINTAIN :][:, :count].copy(),
            haircut_ppm=PPM - state.asset_rule[:, keys.A_TIER_MAINTAIN_PPM],
        )

    @staticmethod
    def prices_of(state: State) -> tuple[Rows, Rows]:
        """(atoms per lot of each market at its mark, price of each asset)."""
        lot_atoms = np.asarray(state.market)["mark"] * state.market_rule[:, keys.M_ATOMS_PER_TICK_LOT]
        return lot_atoms, np.asarray(state.asset)["price"].copy()


def risk(columns: Columns, lot_atoms: Rows, prices: Rows) -> tuple[Rows, Rows]:
    """(E, M(maintain)) by account, exact."""
    equity = columns.cash.copy()
    requirement = np.zeros_like(equity)
    held = columns.positions
    atoms = lot_atoms[held.thing]
    notional = held.size * atoms
    brackets = columns.upper.shape[1]
    bracket = held.thing * brackets
    for i in range(brackets - 1):
        bracket += notional > columns.upper[:, i][held.thing]
    worth = held.quantity * atoms - held.cost
    needed = -(-notional * columns.rate.ravel()[bracket] // PPM) - columns.deduction.ravel()[bracket]
    held.add(worth, equity)
    held.add(needed, requirement)
    held = columns.collateral
    # floor(q P / 10^12) in two steps of 10^6, so that products fit.
    price = prices[held.thing]
    high, low = held.quantity * (price // PPM), held.quantity * (price % PPM)
    worth = (high + low // PPM) // PPM
    charge = -((-high + -low // PPM) // PPM)
    held.add(worth, equity)
    held.add(np.minimum(-(-charge * columns.haircut_ppm[held.thing] // PPM), worth), requirement)
    return equity, requirement
