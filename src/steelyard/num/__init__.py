"""Limits, rounding, wide products and the one JIT policy. Needs nothing."""

from steelyard.num._jit import CACHE_FOLDER, JIT, entry, kernel, leaf, warm

__all__ = ["CACHE_FOLDER", "JIT", "entry", "kernel", "leaf", "warm"]
