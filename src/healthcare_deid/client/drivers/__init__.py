"""Threads and event loops that run flows and poll operations."""
