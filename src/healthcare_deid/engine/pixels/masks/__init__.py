"""Masks: rectangles that are covered depending on attributes of an instance's header."""
