"""New identities.

Project secret, UIDs, pseudonyms, date shifts, and the vault of originals.
"""
