"""Long-running operations and the work they do."""
