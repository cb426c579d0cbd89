"""New identities: secret, UIDs, pseudonyms, settings for dates, and vault."""
