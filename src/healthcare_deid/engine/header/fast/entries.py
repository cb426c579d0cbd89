"""Decisions about encoded elements, and the bytes written in their place."""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.elements import creator_tag
from healthcare_deid.engine.dicom.encoding import LONG_VRS

if TYPE_CHECKING:
    import re

    from healthcare_deid.engine.plan.tags import Op, Rule

LAST_CREATOR = 0xFF
_MAX_SHORT = 0xFFFE
_SHORT_PREFIX = 6
_U16 = Struct("<H")
_U32 = Struct("<I")
_TAG = Struct("<HH")


class UseDatasetExecutor(Exception):  # noqa: N818 - a change of way, not an error
    """The data is not in a form this executor rewrites."""


class Kind(IntEnum):
    """Amount of a decision that tag, VR and length settle."""

    OPEN = 0
    """Not enough: its value counts, or what stands around it."""
    KEPT = 1
    """It stays."""
    SOUND = 2
    """It stays if its value follows the form of its VR; otherwise its value counts."""
    REPLACED = 3
    """The same bytes always stand in its place, or none."""
    REMEMBERED = 4
    """Its value counts, and nothing else: what became of the same bytes before is remembered for a while."""
    CREATOR = 5
    """A private creator that stays, goes, or is remembered: others may need to know it."""


class Record(NamedTuple):
    """A change: what to, why, and the length of the old value."""

    entry: Entry
    reason: str
    length: int


class Entry(NamedTuple):
    """Decision about an element that depends on neither its length nor its value."""

    op: Op
    header: int
    tag: int
    vr: str
    rule: Rule
    prefix: bytes
    """Tag and VR as they are written in front of a new value."""

    def encoded(self, value: bytes) -> bytes:
        """Return the element with a new value.

        Raises:
            UseDatasetExecutor: The value is too long for the VR.
        """
        return _encoded(self.prefix, value)


class Step(NamedTuple):
    """Decision settled by tag, VR and length alone, as for most of a header."""

    size: int
    tag: int
    kind: Kind
    new: bytes
    """What stands in the place of an element that is replaced."""
    record: Record
    """Of an element that is replaced."""
    form: re.Pattern[bytes] | None
    """Of an element that stays where it is sound: what a sound value looks like."""
    noted: bool
    """Whether its value is wanted: it tells whose instance it is, or what claims hang on."""


def creator_of(tag: int, creators: dict[int, bytes]) -> str:
    """Return the creator of a private element, or what a private creator says itself; empty where there is none."""
    known = creators.get(creator_tag(tag) if tag & 0xFFFF > LAST_CREATOR else tag, b"")
    return known.strip(b" \0").decode("latin-1")


def prefix(tag: int, vr: str) -> bytes:
    """Return what is written in front of an element's length; without a VR, as implicit."""
    code = vr.encode("ascii")
    return _TAG.pack(tag >> 16, tag & 0xFFFF) + (code + b"\0\0" if code in LONG_VRS else code)


def encoded(tag: int, vr: str, value: bytes) -> bytes:
    """Return an element in explicit VR.

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
