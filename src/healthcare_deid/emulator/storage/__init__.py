"""Storage of resources and instances, and conversion of instances."""
