"""The API's methods for threads, generated from `calls.async_methods` by ``tools/generate_sync.py``."""
