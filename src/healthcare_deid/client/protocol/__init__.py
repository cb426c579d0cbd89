"""The API's protocol without I/O: methods, retries, starts, polling."""
