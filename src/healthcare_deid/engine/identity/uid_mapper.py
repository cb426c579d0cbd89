"""New UIDs, by Google's rule or a keyed one.

A secret is needed to recompute the keyed rule. Google's rule is inferred from published output of the service, so it is
"compatible", not "exact" (see ``docs/engine.md``): a version-3 UUID of the old UID in the all-zero namespace, as a
decimal number under Google's arc.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from pydicom._uid_dict import UID_dictionary

from healthcare_deid.engine.dicom.uids import pad_uid, uid_text
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.engine.options import UidRule

GOOGLE_ARC = "1.3.6.1.4.1.11129.5.1."
_SALTED_ARC = "2.25."
_ZERO_NAMESPACE = uuid.UUID(int=0)
_MIN_SALT_BYTES = 16
_ARC = re.compile(r"[0-2]\.(?:(?:0|[1-9]\d*)\.)+")
# Leaves 30 digits, or 100 bits: the probability of any collision among a billion UIDs is 5e-13.
_LONGEST_ARC = 34


class UidMapper:
    """Maps each UID to its new one.

    The mapping is the same in all files, runs and processes.

    Args:
        rule: ``"google"``, which anyone who knows the old UID can compute, as at the service; or ``"salted"``, which is
            keyed.
        salt: Secret of at least 16 bytes, for ``"salted"`` only.
        root: Root of new UIDs, for ``"salted"`` only; by default 2.25.

    Raises:
        ConfigError: The salt is missing, too short, or not used by the rule, or *root* is not a valid UID root.
    """

    def __init__(self, rule: UidRule = "google", salt: bytes | None = None, root: str = "") -> None:
        if rule not in ("google", "salted"):
            raise ConfigError('uid_rule must be "google" or "salted"')
        if (rule == "salted") != (salt is not None):
            raise ConfigError('salt and uid_rule="salted" go together: give both or neither')
        if salt is not None and not isinstance(salt, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] # a mistake
            raise ConfigError(f"the salt must be bytes, not {type(salt).__name__}")
        if salt is not None and len(salt) < _MIN_SALT_BYTES:
            raise ConfigError(f"the salt has {len(salt)} bytes; at least {_MIN_SALT_BYTES} are required")
        if root and salt is None:
            raise ConfigError("uid_root: UIDs under your own root are keyed: pass secret= or salt= too")
        arc = root.rstrip(".") + "." if root else _SALTED_ARC
        if (root and not _ARC.fullmatch(arc)) or len(arc) > _LONGEST_ARC:
            raise ConfigError(f"uid_root must be a UID of at most {_LONGEST_ARC - 1} characters")
        self.rule: UidRule = rule
        self._salt = salt
        self._arc = arc
        # A UID has at most 64 characters. Under 2.25 only a UUID is allowed (PS3.5 annex B.2).
        self._modulus = 10 ** (64 - len(arc)) if root else 0

    def __repr__(self) -> str:
        return f"UidMapper({self.rule!r})"

    @staticmethod
    def is_registered(uid: str) -> bool:
        """Return whether the DICOM standard registers a UID.

        Such a UID identifies nobody.
        """
        return not uid or uid in UID_dictionary

    def map(self, uid: str) -> str:
        """Return the new UID.

        UIDs that the DICOM standard registers are unchanged.
        """
        if self.is_registered(uid):
            return uid
        if self._salt is None:
            return _google(uid)
        digest = hmac.digest(self._salt, uid.encode("utf-8", "surrogateescape"), hashlib.sha256)
        if self._modulus:
            return self._arc + str(int.from_bytes(digest) % self._modulus)
        return self._arc + str(uuid.UUID(bytes=digest[:16], version=4).int)

    def map_bytes(self, value: bytes) -> bytes:
        """Map every UID in an encoded value."""
        if b"\\" not in value:
            return pad_uid(self.map(uid_text(value)))
        return pad_uid("\\".join(self.map(uid_text(part)) for part in value.split(b"\\")))


@lru_cache(maxsize=65536)
def _google(uid: str) -> str:
    # Version-3 UUIDs are defined with MD5 (RFC 4122); security does not depend on it.
    digest = hashlib.md5(_ZERO_NAMESPACE.bytes + uid.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    return GOOGLE_ARC + str(uuid.UUID(bytes=digest, version=3).int)
