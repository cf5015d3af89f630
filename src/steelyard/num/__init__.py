"""Limits, rounding, wide products and the one JIT policy. Needs nothing."""

from steelyard.num._jit import (
    CACHE_FOLDER,
    FAR_MAX,
    JIT,
    entry,
    far,
    far_addresses,
    far_twin,
    kernel,
    leaf,
    unlikely,
    warm,
)

__all__ = [
    "CACHE_FOLDER",
    "FAR_MAX",
    "JIT",
    "entry",
    "far",
    "far_addresses",
    "far_twin",
    "kernel",
    "leaf",
    "unlikely",
    "warm",
]
