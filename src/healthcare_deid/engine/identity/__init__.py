"""New identities: secret, UIDs, pseudonyms, date shifts and vault."""
