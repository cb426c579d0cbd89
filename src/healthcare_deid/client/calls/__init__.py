"""API methods by resource, with their requests and replies."""
