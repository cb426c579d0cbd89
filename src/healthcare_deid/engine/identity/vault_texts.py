"""Error texts that both kinds of vault share."""

from __future__ import annotations

OTHER_FILE = "vault: the file exists and is not a vault; name another file"
DAMAGED = "vault: an entry is damaged; restore the file from a backup"
MIXED = "vault: a vault made with recipients cannot be used without them, or the reverse; name another file"
NEEDS_KEY = "the vault is encrypted: pass a recipient's key"
