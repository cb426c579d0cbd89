"""Client for the Cloud Healthcare API."""
