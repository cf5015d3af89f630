"""The `steelyard` command and its terminal view."""
