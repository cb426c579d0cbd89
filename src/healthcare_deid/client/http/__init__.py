"""HTTP connection, credentials, endpoint and telemetry: the only modules that import Google's packages."""
