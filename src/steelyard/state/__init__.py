"""The tables: allocate, view, hash, snapshot."""
