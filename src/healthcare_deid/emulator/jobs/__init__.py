"""Long-running operations and their work."""
