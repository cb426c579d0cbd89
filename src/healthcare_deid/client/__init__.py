"""How to ask: the client of the Cloud Healthcare API, its operations and transfers."""
