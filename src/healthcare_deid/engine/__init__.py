"""The de-identification itself, on this machine."""
