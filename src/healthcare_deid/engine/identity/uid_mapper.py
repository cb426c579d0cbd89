"""New UIDs for old ones: Google's rule by default, or one that needs a secret to recompute.

The default rule is inferred from published output of the service, so it is "compatible", not "exact" (see
``docs/engine.md``): a version-3 UUID of the old UID in the all-zero namespace, as a decimal number under Google's arc.
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
_LONGEST_ARC = 34
"""Thirty digits are left, a hundred bits: among a billion UIDs the probability of any collision is 5e-13."""


class UidMapper:
    """Maps a UID to its new one: the same for the same UID, in every file, run and process.

    Args:
        rule: ``"google"``: computable by anyone who knows the old UID, as at the service. ``"salted"``: keyed.
        salt: Secret of at least 16 bytes; needed by, and only by, ``"salted"``.
        root: What new UIDs begin with, of ``"salted"``; 2.25 by default.

    Raises:
        ConfigError: The salt is missing, too short, or not used by the rule, or the root is none.
    """

    def __init__(self, rule: UidRule = "google", salt: bytes | None = None, root: str = "") -> None:
        if rule not in ("google", "salted"):
            raise ConfigError('uid_rule is "google" or "salted"')
        if (rule == "salted") != (salt is not None):
            raise ConfigError('salt belongs to uid_rule="salted": give both or neither')
        if salt is not None and not isinstance(salt, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] # a mistake
            raise ConfigError(f"the salt is {type(salt).__name__}; bytes are needed")
        if salt is not None and len(salt) < _MIN_SALT_BYTES:
            raise ConfigError(f"the salt has {len(salt)} bytes; at least {_MIN_SALT_BYTES} are needed")
        if root and salt is None:
            raise ConfigError("uid_root: UIDs under a root of yours are keyed: give secret= or salt= too")
        arc = root.rstrip(".") + "." if root else _SALTED_ARC
        if (root and not _ARC.fullmatch(arc)) or len(arc) > _LONGEST_ARC:
            raise ConfigError(f"uid_root is a UID of at most {_LONGEST_ARC - 1} characters")
        self.rule: UidRule = rule
        self._salt = salt
        self._arc = arc
        # A UID has 64 characters; 2.25 takes a whole UUID, and only a UUID (PS3.5 annex B.2).
        self._modulus = 10 ** (64 - len(arc)) if root else 0

    def __repr__(self) -> str:
        return f"UidMapper({self.rule!r})"

    @staticmethod
    def is_registered(uid: str) -> bool:
        """Return whether the DICOM standard registers a UID: it is nobody's."""
        return not uid or uid in UID_dictionary

    def map(self, uid: str) -> str:
        """Return the new UID. UIDs that the DICOM standard itself registers are nobody's, and stay."""
        if self.is_registered(uid):
            return uid
        if self._salt is None:
            return _google(uid)
        digest = hmac.digest(self._salt, uid.encode("utf-8", "surrogateescape"), hashlib.sha256)
        if self._modulus:
            return self._arc + str(int.from_bytes(digest) % self._modulus)
        return self._arc + str(uuid.UUID(bytes=digest[:16], version=4).int)

    def map_bytes(self, value: bytes) -> bytes:
        """Return an element's value, one UID or several, with every UID mapped and padded to an even length."""
        if b"\\" not in value:
            return pad_uid(self.map(uid_text(value)))
        return pad_uid("\\".join(self.map(uid_text(part)) for part in value.split(b"\\")))


@lru_cache(maxsize=65536)
def _google(uid: str) -> str:
    digest = hashlib.md5(_ZERO_NAMESPACE.bytes + uid.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    return GOOGLE_ARC + str(uuid.UUID(bytes=digest, version=3).int)
