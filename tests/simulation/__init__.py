"""The whole engine from a seed: a crowd on a small venue, faults on, promises checked as it goes."""
