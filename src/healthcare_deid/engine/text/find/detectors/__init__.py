"""Detectors, one object per infoType or family, and the registry of them."""
