"""Keys that a vault's entries are encrypted with (AES-256-GCM)."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, TypeAlias

from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients

Row: TypeAlias = tuple[str, str, str]
"""Entry as text: kind, new value, and the original values as JSON."""

_KEY_BYTES, _NONCE_BYTES = 32, 12


class SessionKey:
    """New key of one process, which only the recipients can read again.

    Attributes:
        envelope: The key, encrypted for the recipients.
    """

    def __init__(self, recipients: Recipients) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)
        self.envelope = recipients.seal(self._key)

    def __repr__(self) -> str:
        return "SessionKey(***)"

    def seal(self, row: Row) -> tuple[bytes, bytes]:
        """Encrypt an entry.

        Returns a nonce and the encrypted data.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        # GCM requires a new nonce for every message under one key.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce, AESGCM(self._key).encrypt(nonce, json.dumps(row).encode(), None)


class OpenedKeys:
    """Session keys of a vault, opened with a recipient's key when they are needed.

    Args:
        key: The recipient's key.
        envelopes: Envelope of each session key.
    """

    def __init__(self, key: RecipientKey, envelopes: dict[str, bytes]) -> None:
        self._key = key
        self._envelopes = envelopes
        self._opened: dict[str, bytes] = {}

    def unseal(self, name: str, nonce: bytes, data: bytes) -> tuple[object, ...]:
        """Decrypt an entry.

        Raises:
            EngineError: The vault is for another key, or is damaged.
            KeyError: The vault has no such session key.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if name not in self._opened:
            self._opened[name] = self._key.open(self._envelopes[name])
        try:
            return tuple(json.loads(AESGCM(self._opened[name]).decrypt(nonce, data, None)))
        except (InvalidTag, ValueError):
            text = "the vault is damaged, or an entry was not written with its key"
            raise EngineError(text, reason="vault") from None


def split_nonce(sealed: bytes) -> tuple[bytes, bytes]:
    """Return the nonce and the encrypted data of an entry that holds both."""
    return sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
