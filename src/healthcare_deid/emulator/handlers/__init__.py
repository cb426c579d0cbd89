"""The methods of the API, one resource a module."""
