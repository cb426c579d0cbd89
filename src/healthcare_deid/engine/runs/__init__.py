"""Runs over whole folders: finding files, naming results, the record, and the workers."""
