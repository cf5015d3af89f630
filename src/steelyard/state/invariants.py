"""What must be true of the facts after every command. Sums are Python integers, so the checks cannot wrap."""

from typing import Any

import numpy as np

from steelyard.model import keys
from steelyard.model.orders import ADAPTIVE, INVERSE, LENDER, PEG
from steelyard.num.limits import (
    BORROW_SCALE,
    GAIN_SCALE,
    INDEX_SCALE,
    RATE_FINE,
    REST_SCALE,
    VALUE_MAX,
    VIRTUAL_ATOMS,
    VIRTUAL_SHARES,
)
from steelyard.state.tables import MARKET_0, State


def total(values: Any) -> int:
    """A sum that cannot wrap: high and low halves apart."""
    values = np.asarray(values, np.int64)
    return (int((values >> 32).sum()) << 32) + int((values & 0xFFFFFFFF).sum())


def check(state: State) -> None:
    """Raise AssertionError at the first broken promise."""
    machine = state.machine
    assert machine.fatal[0] == 0, "the machine met an impossible state"
    accounts = int(machine.accounts[0])
    first = state.limits.accounts + 1
    legs = np.concatenate([np.asarray(state.leg)[1 : accounts + 1], np.asarray(state.leg)[first:]])
    legs = legs[legs["account"] != 0]
    conserves(state, legs)
    shares_agree(state, legs)
    rates_agree(state)
    for market in range(1, int(machine.markets[0]) + 1):
        balances(state, market, legs[legs["thing"] == MARKET_0 + market])
    orders_agree(state)
    queue_agrees(state)
    offers_agree(state, legs)


def conserves(state: State, legs: Any) -> None:
    """Money inside equals money that came in minus money that left."""
    for asset in range(1, int(state.machine.assets[0]) + 1):
        row = state.asset[asset]
        inside = total(legs["quantity"][legs["thing"] == asset])
        for market in range(1, int(state.machine.markets[0]) + 1):
            if state.market_rule[market, keys.M_SETTLE] == asset:
                inside += int(state.market.clearing[market]) + int(state.market.funding_pool[market])
        outside = int(row.deposited) - int(row.withdrawn) - int(row.reserved)
        assert inside == outside, f"asset {asset}: {inside} inside, {outside} deposited less withdrawn"
        owed = total(-legs["quantity"][(legs["thing"] == asset) & (legs["quantity"] < 0)])
        assert owed == int(row.loans), f"asset {asset}: loans are {owed}, booked as {row.loans}"
        assert 0 <= row.reserve <= row.owed - row.loans, f"asset {asset}: more is reserved than is owed of interest"
        for rest in (row.owed_rest, row.reserve_rest):
            assert 0 <= rest < REST_SCALE, f"asset {asset}: {rest} is no part of an atom"


def rates_agree(state: State) -> None:
    """A rate that is held from accrual to accrual stays within its bounds."""
    for asset in range(1, int(state.machine.assets[0]) + 1):
        rule, held = state.asset_rule[asset], int(state.asset.rate_held[asset])
        low, high = (int(rule[key]) * RATE_FINE for key in (keys.A_RATE_MIN_PPM, keys.A_RATE_MAX_PPM))
        if rule[keys.A_RATE_KIND] not in (ADAPTIVE, PEG):
            low = high = 0
        assert low <= held <= high, f"asset {asset}: it holds a rate of {held}, allowed are {low} to {high}"


def shares_agree(state: State, legs: Any) -> None:
    """A share is worth its part of what the pool has, and all shares together no more than that."""
    for share in range(1, int(state.machine.assets[0]) + 1):
        lent = int(state.asset_rule[share, keys.A_POOL_OF])
        if lent == 0:
            if has_gains(state, share):
                gains_agree(state, legs, share, int(state.asset.keeper[share]))
            continue
        row, keeper = state.asset[lent], int(state.asset.keeper[share])
        holder = keeper if keeper else LENDER
        assets = max(0, total(legs["quantity"][(legs["thing"] == lent) & (legs["account"] == holder)]))
        if keeper:
            if has_gains(state, share):
                gains_agree(state, legs, share, keeper)
        else:
            assets += int(row.owed) - int(row.loans) - int(row.reserve)
        shares = int(state.asset.deposited[share])
        if keeper == 0 and int(state.asset.pool[lent]) != share:
            assert share < int(state.asset.pool[lent]), f"asset {lent}: its pool is not that of share {share}"
            assert int(state.asset.price[share]) == 0, f"share {share}: its pool was emptied, yet it has a price"
            continue
        assert shares * (assets + VIRTUAL_ATOMS) // (shares + VIRTUAL_SHARES) <= assets, (
            f"share {share}: worth more than {assets}"
        )
        price = min(VALUE_MAX, int(row.price) * (assets + VIRTUAL_ATOMS) // (shares + VIRTUAL_SHARES))
        assert price == int(state.asset.price[share]), (
            f"share {share}: is worth {price}, priced {state.asset.price[share]}"
        )


def has_gains(state: State, share: int) -> bool:
    """Whether a pool gets another asset; legs of other shares keep something else beside their number."""
    return int(state.asset_rule[share, keys.A_POOL_GAINS]) != 0


def gains_agree(state: State, legs: Any, share: int, keeper: int) -> None:
    """A keeper has what all shares may claim of what their pool gained, and what could not be divided."""
    gained, asset = int(state.asset.gained[share]), int(state.asset_rule[share, keys.A_POOL_GAINS])
    held = total(legs["quantity"][(legs["thing"] == asset) & (legs["account"] == keeper)])
    claims = int(state.asset.undivided[share])
    is_share, parts = state.asset_rule[share, keys.A_POOL_OF] != 0, 0
    for leg in legs[legs["thing"] == share]:
        quantity, index = int(leg["quantity"]), int(leg["index_at_touch"])
        if quantity == 0 or (quantity < 0) == is_share:
            continue
        part, then = (quantity, index) if is_share else (-quantity * BORROW_SCALE // index, int(leg["cost"]))
        assert 0 <= then <= gained, f"share {share}: a leg is ahead of the sum per share"
        claims += part * (gained - then) // GAIN_SCALE
        parts += part
    assert claims <= held, f"share {share}: {claims} may be claimed of {held}"
    counted = int(state.asset.deposited[share] if is_share else state.asset.debt_shares[share])
    assert parts == counted, f"share {share}: its legs have {parts} parts, {counted} are counted"


def balances(state: State, market: int, legs: Any) -> None:
    """Longs equal shorts; clearing is minus the costs; funding nets to its named dust."""
    row = state.market[market]
    quantity = legs["quantity"]
    settling = int(row.settling) != 0
    assert settling or total(quantity) == 0, f"market {market}: longs and shorts differ by {total(quantity)}"
    held_long = total(quantity[quantity > 0])
    assert held_long == int(row.open_interest), f"market {market}: open interest {row.open_interest}, held {held_long}"
    assert settling or -total(legs["cost"]) == int(row.clearing), f"market {market}: clearing is not minus the costs"
    rule = state.market_rule[market]
    scale = -1 if rule[keys.M_KIND] == INVERSE else int(rule[keys.M_ATOMS_PER_TICK_LOT])
    now = int(row.funding_index)
    accrued = sum(
        int(q) * scale * (now - int(then)) for q, then in zip(quantity, legs["index_at_touch"], strict=True) if q
    )
    dust = int(row.funding_pool) * INDEX_SCALE + accrued
    assert dust == int(row.funding_dust), f"market {market}: funding dust {dust}, named {row.funding_dust}"
    assert dust >= 0, f"market {market}: funding pays out more than it took in"


def orders_agree(state: State) -> None:
    """Sums of resting orders per leg, and reduce-only within the position."""
    order = np.asarray(state.order)
    order = order[order["state"] == 1]
    sums: dict[int, list[int]] = {}
    for row in order:
        entry = sums.setdefault(int(row["leg"]), [0, 0, 0, 0, 0])
        lots, reserve = int(row["remaining"]), int(row["reserve"])
        assert lots > 0, "a resting order has lots"
        if row["options"] & 12:
            entry[4] += lots
        elif row["side"] > 0:
            entry[0] += lots
            entry[2] += lots * reserve
        else:
            entry[1] += lots
            entry[3] += lots * reserve
    for leg, entry in sums.items():
        named = state.leg_open[leg]
        booked = [int(named[c]) for c in ("bid_lots", "ask_lots", "bid_reserve", "ask_reserve", "reduce_lots")]
        assert booked == entry, f"leg {leg}: orders sum to {entry}, booked as {booked}"
        assert entry[4] <= abs(int(state.leg.quantity[leg])), f"leg {leg}: reduce-only quantity exceeds the position"
    for market in range(1, int(state.machine.markets[0]) + 1):
        bid, ask = int(state.market.best_bid[market]), int(state.market.best_ask[market])
        assert bid == 0 or ask == 0 or bid < ask, f"market {market}: the book is crossed"


def offers_agree(state: State, legs: Any) -> None:
    """Bids wait for one instant; only what is in liquidation remembers when its offers began."""
    bids, due = int(state.machine.bids[0]), int(state.machine.bids_due_ns[0])
    assert (bids > 0) == (due > 0), f"{bids} bids wait, due at {due}"
    assert due == 0 or due > int(state.machine.now_ns[0]), "bids are filled when their instant is over"
    begun = legs[legs["offered_from"] != 0]
    assert np.all(begun["thing"] < MARKET_0), "only cash is offered"
    assert np.all(np.asarray(state.account)["started"][begun["account"]] != 0), "offers outlive their liquidation"
    for asset in range(1, int(state.machine.assets[0]) + 1):
        row, now = state.asset[asset], int(state.machine.now_ns[0])
        assert 0 <= int(row.active_ns) <= int(row.active_at_ns) <= now, f"asset {asset}: active too long"


def queue_agrees(state: State) -> None:
    queued = np.asarray(state.account)["queued"]
    assert int((queued != 0).sum()) == int(state.machine.queued[0]), "queued accounts are counted"
