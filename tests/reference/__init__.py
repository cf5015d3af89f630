"""The slow twin: the whole machine once more, in plain Python integers, written from the concept pages alone.

It has no indices. After each command it judges every account exactly; books and queues are sorted when asked for; sums
that the machine keeps (open interest, clearing, loans, resting lots) are added up anew each time.
"""
