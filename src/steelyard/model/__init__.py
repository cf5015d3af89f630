"""The vocabulary: commands, events, reasons, the words of an order, and the keys of parameters."""
