"""Rows that no honest client would send: random bytes, spoilt commands, numbers at the ends of their ranges.

None of them may end the process, break a promise about the facts, or leave an unhealthy account unseen.
"""
