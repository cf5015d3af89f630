"""The only code that writes state."""
