"""Frames of pixel data: their location, layout, decoding and encoding."""
