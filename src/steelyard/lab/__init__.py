"""Whole markets of agents: fair values, quotes, flow and leverage, repeatable from a seed. Floats are welcome here."""
