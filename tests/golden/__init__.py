"""Journals that must give the same events and the same state, forever: commands in, two hashes out.

`python -m tests.golden --rewrite` writes the files anew. Read the difference before you keep it.
"""
