"""Codecs: one row for each transfer syntax."""
