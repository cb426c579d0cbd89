"""Applies a tag plan to the header, on pydicom datasets and on bytes."""
