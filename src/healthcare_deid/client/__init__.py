"""Client of the Cloud Healthcare API: methods, operations, transfers."""
