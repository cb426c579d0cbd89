"""API methods for threads.

All modules except `instances` are generated from `calls.async_methods`.
"""
