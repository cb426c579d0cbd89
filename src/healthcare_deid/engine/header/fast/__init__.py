"""Fast executor: rewrites encoded headers without building data elements."""
