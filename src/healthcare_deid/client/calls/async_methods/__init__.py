"""Async API methods.

``tools/generate_sync.py`` generates `calls.sync_methods` from these modules.
"""
