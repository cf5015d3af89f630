"""Facts as bytes: the identity of a state, and its copy.

Only rows in use are taken, and columns that are indices count as zero, so two states are equal exactly if their
hashes are.
"""

import hashlib
import json
import struct
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from steelyard.num.limits import SOURCES_MAX
from steelyard.state.tables import FACT_TABLES, INDEX_COLUMNS, Limits, State

VERSION = 4  # of the machine and its rows; a snapshot of another version is refused
_MAGIC = b"STEELYARD"

Rows = np.ndarray[Any, Any]


def _highest(used: Rows) -> int:
    """One more than the last true place."""
    places = np.flatnonzero(used)
    return int(places[-1]) + 1 if len(places) else 0


def spans(state: State, name: str) -> list[tuple[int, int]]:
    """Stretches of rows that may hold facts."""
    machine = state.machine
    counted = {
        "asset": "assets",
        "asset_rule": "assets",
        "feed": "feeds",
        "feed_until": "feeds",
        "feed_rule": "feeds",
        "market": "markets",
        "market_rule": "markets",
        "array_rule": "markets",
        "account": "accounts",
        "owner": "owners",
        "owner_rule": "owners",
        "tier_rule": "risk_tiers",
        "curve_rule": "curves",
        "bid": "bids",
    }
    if name in counted:
        return [(1, int(machine[counted[name]][0]) + 1)]
    if name == "ramp":
        assets = state.limits.assets
        return [(1, int(machine.assets[0]) + 1), (assets + 1, assets + int(machine.markets[0]) + 1)]
    if name == "machine":
        return [(0, 1)]
    if name == "source":
        return [(SOURCES_MAX, SOURCES_MAX * (int(machine.feeds[0]) + 1))]
    if name == "staged":
        return [(0, int(machine.staged[0]))]
    if name in ("leg", "leg_open"):
        first = state.limits.accounts + 1
        more = _highest(state.leg["account"][first:] != 0)
        return [(1, int(machine.accounts[0]) + 1), (first, first + more)]
    if name in ("order", "note"):
        return [(1, max(1, _highest(state.order["state"] != 0)))]
    if name == "reference":
        return [(1, max(1, _highest(state.reference["state"] != 0)))]
    return [(1, max(1, _highest(state.recent["used"] != 0)))]


def facts(state: State, name: str) -> list[Rows]:
    """Copies of a table's rows in use, index columns and padding zero."""
    table = np.asarray(getattr(state, name))
    stretches = []
    for first, end in spans(state, name):
        rows = table[first:end]
        if table.dtype.names is None:
            stretches.append(rows.copy())
            continue
        clean = np.zeros(len(rows), table.dtype)
        hidden = INDEX_COLUMNS.get(name, ())
        for column in table.dtype.names:
            if column not in hidden:
                clean[column] = rows[column]
        stretches.append(clean)
    return stretches


def state_hash(state: State) -> str:
    """BLAKE2b over all facts."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(json.dumps([VERSION, asdict(state.limits)], sort_keys=True).encode())
    for name in FACT_TABLES:
        for (first, end), rows in zip(spans(state, name), facts(state, name), strict=True):
            digest.update(f"{name}:{first}:{end}".encode())
            digest.update(rows.tobytes())
    return digest.hexdigest()


def dump(state: State) -> bytes:
    """A snapshot that names its version and proves itself."""
    tables, blobs = [], []
    for name in FACT_TABLES:
        for (first, end), rows in zip(spans(state, name), facts(state, name), strict=True):
            tables.append([name, first, end])
            blobs.append(rows.tobytes())
    header = {"version": VERSION, "limits": asdict(state.limits), "hash": state_hash(state), "tables": tables}
    head = json.dumps(header).encode()
    return _MAGIC + struct.pack("<I", len(head)) + head + zlib.compress(b"".join(blobs), 1)


def load(data: bytes) -> tuple[State, str]:
    """The facts of a snapshot in fresh tables, and the hash they must have. Indices are not made yet."""
    if not data.startswith(_MAGIC):
        raise ValueError("this is not a steelyard snapshot")
    start = len(_MAGIC) + 4
    (length,) = struct.unpack("<I", data[len(_MAGIC) : start])
    header = json.loads(data[start : start + length])
    if header["version"] != VERSION:
        raise ValueError(f"the snapshot is of version {header['version']}, this machine is of version {VERSION}")
    state = State(Limits(**header["limits"]))
    body = zlib.decompress(data[start + length :])
    at = 0
    for name, first, end in header["tables"]:
        table = np.asarray(getattr(state, name))
        size = table.itemsize * (end - first) * (table.shape[1] if table.ndim == 2 else 1)
        rows = np.frombuffer(body[at : at + size], table.dtype)
        table[first:end] = rows.reshape(end - first, *table.shape[1:])
        at += size
    return state, header["hash"]
