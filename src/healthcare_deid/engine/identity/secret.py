"""The project secret.

A separate key is derived from it for each use.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from healthcare_deid.errors import ConfigError

DATES = "dates"
"""Label of the key for date shifts."""
HASHES = "hashes"
"""Label of the key for hashes."""
UIDS = "uids"
"""Label of the key for UIDs."""
PSEUDONYMS = "pseudonyms"
"""Label of the key for pseudonyms."""
_FINGERPRINT = "fingerprint"
_SALT = b"healthcare-deid secret v1"
_MIN_BYTES = 16  # shorter secrets can be guessed by brute force
_KEY_BYTES = 32


class ProjectSecret:
    """Secret that makes a project's results consistent.

    Dates, hashes, UIDs and pseudonyms then agree across runs and machines.

    Keys are derived by HKDF with SHA-256 (RFC 5869), so a disclosed key reveals nothing about the others.

    Args:
        secret: At least 16 bytes, or a file with them. A line break at the end of the file is ignored.

    Raises:
        ConfigError: The secret is too short or of another type.
        OSError: The file cannot be read.
    """

    def __init__(self, secret: bytes | str | os.PathLike[str]) -> None:
        if isinstance(secret, bytes):
            data = secret
        elif isinstance(secret, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance] # a user's mistake
            data = Path(secret).read_bytes().rstrip(b"\r\n")
        else:
            raise ConfigError(f"secret: must be bytes or the path of a file, not {type(secret).__name__}")
        if len(data) < _MIN_BYTES:
            raise ConfigError(f"secret: {len(data)} bytes are too short; at least {_MIN_BYTES} are required")
        # HKDF-Extract (RFC 5869 section 2.2).
        self._key = hmac.digest(_SALT, data, hashlib.sha256)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that identify the secret without revealing it."""
        return self.key(_FINGERPRINT)[:8].hex()

    def __repr__(self) -> str:
        return "ProjectSecret(***)"

    def key(self, label: str) -> bytes:
        """Return the 32-byte key for one use."""
        # HKDF-Expand with a single block (RFC 5869 section 2.3).
        return hmac.digest(self._key, label.encode() + b"\x01", hashlib.sha256)[:_KEY_BYTES]


def fingerprint_of(data: bytes) -> str:
    """Return sixteen hexadecimal digits that identify bytes without disclosing them."""
    return ProjectSecret(hashlib.sha256(data).digest()).fingerprint
