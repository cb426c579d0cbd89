"""Whole folders: which files, what results are called, the record, and the workers."""
