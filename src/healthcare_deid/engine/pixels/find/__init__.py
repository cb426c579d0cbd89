"""Text detection and recognition, and the choice of what to cover."""
