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
from typing import Literal

from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary

from healthcare_deid.errors import ConfigError

UidRule = Literal["google", "salted"]

GOOGLE_ARC = "1.3.6.1.4.1.11129.5.1."
_SALTED_ARC = "2.25."
_ZERO_NAMESPACE = uuid.UUID(int=0)
_MIN_SALT_BYTES = 16
_PADDING = b"\0 "
_MAX_UID = 64
_UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")

STUDY_INSTANCE_UID = 0x0020000D
SERIES_INSTANCE_UID = 0x0020000E
SOP_INSTANCE_UID = 0x00080018
MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
PRIMARY_UIDS = (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID, MEDIA_STORAGE_SOP_INSTANCE_UID)


def _ui_tags(pattern: str) -> frozenset[int]:
    words = re.compile(pattern)
    return frozenset(tag for tag, row in DicomDictionary.items() if row[0] == "UI" and words.search(row[4]))


REFERENCE_TAGS = _ui_tags(r"InstanceUID") | {0x00080058}
"""Elements that hold the UID of a study, series or instance, at any depth. (0008,0058) is a list of instances."""

CLASS_TAGS = _ui_tags(
    r"SOPClass|(?<!Device)ClassUID|TransferSyntax|CodingSchemeUID|ContextUID|ContextGroup|MappingResourceUID|PrivateInformationCreator"
)
"""Elements whose UID names a kind of thing, never a thing: no rule regenerates them."""


class UidMapper:
    """Maps a UID to its new one: the same for the same UID, in every file, run and process.

    Args:
        rule: ``"google"``: computable by anyone who knows the old UID, as at the service. ``"salted"``: keyed.
        salt: Secret of at least 16 bytes; needed by, and only by, ``"salted"``.

    Raises:
        ConfigError: The salt is missing, too short, or not used by the rule.
    """

    def __init__(self, rule: UidRule = "google", salt: bytes | None = None) -> None:
        if rule not in ("google", "salted"):
            raise ConfigError('uid_rule is "google" or "salted"')
        if (rule == "salted") != (salt is not None):
            raise ConfigError('salt belongs to uid_rule="salted": give both or neither')
        if salt is not None and not isinstance(salt, bytes):  # pyright: ignore[reportUnnecessaryIsInstance] # a mistake
            raise ConfigError(f"the salt is {type(salt).__name__}; bytes are needed")
        if salt is not None and len(salt) < _MIN_SALT_BYTES:
            raise ConfigError(f"the salt has {len(salt)} bytes; at least {_MIN_SALT_BYTES} are needed")
        self.rule: UidRule = rule
        self._salt = salt

    def __repr__(self) -> str:
        return f"UidMapper({self.rule!r})"

    def map(self, uid: str) -> str:
        """Return the new UID. UIDs that the DICOM standard itself registers are nobody's, and stay."""
        if not uid or uid in UID_dictionary:
            return uid
        if self._salt is None:
            return _google(uid)
        digest = hmac.digest(self._salt, uid.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return _SALTED_ARC + str(uuid.UUID(bytes=digest[:16], version=4).int)

    def map_bytes(self, value: bytes) -> bytes:
        """Return an element's value, one UID or several, with every UID mapped and padded to an even length."""
        if b"\\" not in value:
            return pad_uid(self.map(uid_text(value)))
        return pad_uid("\\".join(self.map(uid_text(part)) for part in value.split(b"\\")))


def uid_text(value: bytes) -> str:
    """Return a UID without its padding."""
    return value.strip(_PADDING).decode("ascii", "surrogateescape")


def is_uid(text: str) -> bool:
    """Return whether a text has the form of a UID (PS3.5 section 9.1); leading zeros, which occur, are let pass."""
    return len(text) <= _MAX_UID and _UID_FORM.fullmatch(text) is not None


def pad_uid(text: str) -> bytes:
    """Encode a UI value, padded by NUL to an even length (PS3.5 section 9.1)."""
    value = text.encode("ascii", "surrogateescape")
    return value + b"\0" if len(value) % 2 else value


@lru_cache(maxsize=65536)
def _google(uid: str) -> str:
    digest = hashlib.md5(_ZERO_NAMESPACE.bytes + uid.encode("utf-8", "surrogateescape"), usedforsecurity=False).digest()
    return GOOGLE_ARC + str(uuid.UUID(bytes=digest, version=3).int)
