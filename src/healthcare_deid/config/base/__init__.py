"""Building blocks of every message: wire names, field types, keys, and errors with JSON paths."""
