"""New identities for old ones."""
