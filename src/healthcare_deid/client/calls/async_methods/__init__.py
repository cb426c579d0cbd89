"""The API's methods for an event loop, from which ``tools/generate_sync.py`` makes `calls.sync_methods`."""
