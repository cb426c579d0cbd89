"""Frames of pixel data: where they are, how they are stored, decoded and encoded."""
