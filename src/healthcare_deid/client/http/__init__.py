"""Connection, credentials, endpoint and telemetry.

Only the modules in this package import Google's packages.
"""
