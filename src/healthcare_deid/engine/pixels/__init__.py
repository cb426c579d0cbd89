"""Decode pixels, find burned-in text, cover it, encode."""
