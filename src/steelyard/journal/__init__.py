"""Commands, durable before they run: append, read, prove. Knows rows as bytes only. See docs/concepts/journal.md."""
