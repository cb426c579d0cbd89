"""The project's secret, from which whatever is keyed is derived, with a label for each use."""

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
_MIN_BYTES = 16
_KEY_BYTES = 32


class ProjectSecret:
    """A secret that keeps a project's dates, hashes and UIDs alike in every run and on every machine.

    Keys are derived by HKDF with SHA-256 (RFC 5869), so that one that becomes known tells nothing of the others.

    Args:
        secret: At least 16 bytes, or a file that holds them; a line break at the file's end does not count.

    Raises:
        ConfigError: It is too short, or of another type.
        OSError: The file cannot be read.
    """

    def __init__(self, secret: bytes | str | os.PathLike[str]) -> None:
        if isinstance(secret, bytes):
            data = secret
        elif isinstance(secret, str | os.PathLike):  # pyright: ignore[reportUnnecessaryIsInstance] # a user's mistake
            data = Path(secret).read_bytes().rstrip(b"\r\n")
        else:
            raise ConfigError(f"secret: bytes, or the path of a file, are needed, not {type(secret).__name__}")
        if len(data) < _MIN_BYTES:
            raise ConfigError(f"secret: {len(data)} bytes are too few to be one; at least {_MIN_BYTES} are needed")
        self._key = hmac.digest(_SALT, data, hashlib.sha256)

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that tell one secret from another and nothing else about it."""
        return self.key(_FINGERPRINT)[:8].hex()

    def __repr__(self) -> str:
        return "ProjectSecret(***)"

    def key(self, label: str) -> bytes:
        """Return the key of 32 bytes for one use."""
        return hmac.digest(self._key, label.encode() + b"\x01", hashlib.sha256)[:_KEY_BYTES]


def fingerprint_of(data: bytes) -> str:
    """Return sixteen hexadecimal digits that tell bytes from others, in place of the bytes."""
    return ProjectSecret(hashlib.sha256(data).digest()).fingerprint
