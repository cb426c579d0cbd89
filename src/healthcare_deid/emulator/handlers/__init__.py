"""API methods, one module per resource."""
