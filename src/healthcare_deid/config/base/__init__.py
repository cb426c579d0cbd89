"""Building blocks of messages: wire names, field types, keys, errors."""
