"""Covering of boxes in frames, and rewriting of the elements."""
