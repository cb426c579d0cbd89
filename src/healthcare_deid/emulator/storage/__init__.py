"""Storage: resources and instances in one folder, ``gs://`` objects, and stored instances in other forms."""
