"""Regions by device: rectangles that are covered because of what an instance's header says."""
