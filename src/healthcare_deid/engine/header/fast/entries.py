"""Decisions about encoded elements, and encoding of their replacements."""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.elements import creator_tag
from healthcare_deid.engine.dicom.encoding import LONG_VRS

if TYPE_CHECKING:
    import re

    from healthcare_deid.engine.plan.rules import Op, Rule

LAST_CREATOR = 0xFF
# Largest even length in 16 bits; values have even lengths (PS3.5 section 7.1.1).
_MAX_SHORT = 0xFFFE
_SHORT_PREFIX = 6
_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")


class UseDatasetExecutor(Exception):  # noqa: N818 - a change of executor, not an error
    """The encoded executor does not support the form of the data."""


class DecisionKind(IntEnum):
    """How far tag, VR and length decide about an element."""

    OPEN = 0
    """Undecided: the value or the surrounding elements matter."""
    KEPT = 1
    """Kept."""
    SOUND = 2
    """Kept if the value has the form of its VR; otherwise undecided."""
    REPLACED = 3
    """Removed, or always replaced by the same bytes."""
    REMEMBERED = 4
    """Decided by the value alone, so the result for equal bytes is cached."""
    CREATOR = 5
    """A private creator, which later elements may need."""


class Record(NamedTuple):
    """A change: decision, reason, and length of the old value."""

    entry: ElementDecision
    reason: str
    length: int


class ElementDecision(NamedTuple):
    """Decision about an element from tag, VR and private creator."""

    op: Op
    header: int
    tag: int
    vr: str
    rule: Rule
    prefix: bytes
    """Encoded tag and VR for a new value."""

    def encoded(self, value: bytes) -> bytes:
        """Encode the element with a new value.

        Raises:
            UseDatasetExecutor: The value is too long for the VR.
        """
        return _encoded(self.prefix, value)


class HeaderStep(NamedTuple):
    """Decision from tag, VR and length alone.

    It suffices for most of a header.
    """

    size: int
    tag: int
    kind: DecisionKind
    new: bytes
    """Replacement of the element, if it is replaced."""
    record: Record
    """Record of the change, if it is replaced."""
    form: re.Pattern[bytes] | None
    """Pattern of valid values, if the element is kept only with one."""
    noted: bool
    """Whether the value is collected, because it identifies the patient or decides about claims."""


def creator_of(tag: int, creators: dict[int, bytes]) -> str:
    """Return the private creator of an element, or an empty string.

    For a private creator element this is its own value.
    """
    known = creators.get(creator_tag(tag) if tag & 0xFFFF > LAST_CREATOR else tag, b"")
    return known.strip(b" \0").decode("latin-1")


@lru_cache(maxsize=16_384)
def prefix(tag: int, vr: str) -> bytes:
    """Encode a tag and, in explicit VR, its VR."""
    code = vr.encode("ascii")
    return _TAG.pack(tag >> 16, tag & 0xFFFF) + (code + b"\0\0" if code in LONG_VRS else code)


def encoded(tag: int, vr: str, value: bytes) -> bytes:
    """Encode an element in explicit VR.

    Raises:
        UseDatasetExecutor: The value is too long for the VR.
    """
    return _encoded(prefix(tag, vr), value)


def _encoded(before: bytes, value: bytes) -> bytes:
    if len(before) != _SHORT_PREFIX:
        return before + _U32.pack(len(value)) + value
    if len(value) > _MAX_SHORT:
        raise UseDatasetExecutor
    return before + _U16.pack(len(value)) + value
