"""The Python face of the machine: names and decimals outside, rows and integers inside."""
