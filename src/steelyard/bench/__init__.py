"""Named scenarios that are timed: each proves its outcome before its speed counts."""
