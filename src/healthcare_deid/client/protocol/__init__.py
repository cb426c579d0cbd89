"""The protocol without I/O: methods, retries, exactly-once starts, polling, replies."""
