"""Runs over folders: sources, destinations, names of results, record, resuming and report."""
