"""Readers and writers of other notations."""
