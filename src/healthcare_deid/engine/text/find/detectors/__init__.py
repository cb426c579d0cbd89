"""Detectors: one small object an infoType or family of them, and the list of all."""
