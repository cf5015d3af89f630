"""Equity less maintenance requirement of every account in NumPy: the same integers as the machine's, one thread."""

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


@dataclass(frozen=True)
class Columns:
    cash: Rows
    positions: Group
    collateral: Group
    upper: list[int]  # of the brackets, but the last
    rate: Rows
    deduction: Rows
    haircut_ppm: int

    @classmethod
    def of(cls, state: State, account: Rows, thing: Rows, quantity: Rows, cost: Rows, cash: Rows) -> "Columns":
        """All markets share the brackets of the first, all collaterals the haircut of the second asset."""
        rule = state.market_rule[1]
        count = int(rule[keys.M_BRACKETS])
        is_market = thing > MARKET_0
        return cls(
            cash,
            Group.of(is_market, account, thing - MARKET_0, quantity, cost),
            Group.of(~is_market, account, thing, quantity, cost),
            rule[keys.M_BRACKET_UPPER : keys.M_BRACKET_UPPER + count - 1].tolist(),
            rule[keys.M_BRACKET_MAINTAIN_PPM : keys.M_BRACKET_MAINTAIN_PPM + count].copy(),
            rule[keys.M_DEDUCT_MAINTAIN : keys.M_DEDUCT_MAINTAIN + count].copy(),
            PPM - int(state.asset_rule[2, keys.A_TIER_MAINTAIN_PPM]),
        )

    @staticmethod
    def prices_of(state: State) -> tuple[Rows, Rows]:
        """(atoms per lot of each market at its mark, price of each asset)."""
        marks = np.asarray(state.market)["mark"] * state.market_rule[:, keys.M_ATOMS_PER_TICK_LOT]
        return marks, np.asarray(state.asset)["price"].copy()


def slack(columns: Columns, lot_atoms: Rows, prices: Rows) -> Rows:
    """E - M(maintain) by account, exact."""
    total = columns.cash.copy()
    held = columns.positions
    atoms = lot_atoms[held.thing]
    notional = held.size * atoms
    bracket = np.zeros(len(notional), np.int8)
    for upper in columns.upper:
        bracket += notional > upper
    requirement = columns.deduction[bracket] + (-notional * columns.rate[bracket]) // PPM  # minus: rounds up
    worth = held.quantity * atoms - held.cost + requirement
    if len(held.starts):
        total[held.holders] += np.add.reduceat(worth, held.starts)
    held = columns.collateral
    if len(held.starts):
        # floor(q P / 10^12) in two steps of 10^6, so that products fit.
        price = prices[held.thing]
        high, low = held.quantity * (price // PPM), held.quantity * (price % PPM)
        value = (high + low // PPM) // PPM
        charge = -((-high + -low // PPM) // PPM)
        haircut = np.minimum(-(-charge * columns.haircut_ppm // PPM), value)
        total[held.holders] += np.add.reduceat(value - haircut, held.starts)
    return total
