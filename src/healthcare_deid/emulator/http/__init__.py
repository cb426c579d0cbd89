"""HTTP: requests and replies as values, the routes, and the two ways in: a port and the caller's process."""
