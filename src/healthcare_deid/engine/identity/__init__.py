"""New identities: project secret, UIDs, pseudonyms, date shifts, and the vault of originals."""
