"""Worked examples published by others, run through the machine itself.

`python -m tests.vectors FILE --json` counts what passed. An adapter builds a market and an account with the example's
numbers, says commands, and reads what the machine answers; it converts units and knows no expected value.
"""
