"""Rules for data elements: operations, kinds of sequences, and the sets of VRs and tags behind them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, assert_never

from healthcare_deid.engine.results import ChangeAction

TEXT_VRS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "DA", "DT", "AS"})
"""VRs whose values are inspected for sensitive text (v1beta1 ``CleanTextTag``)."""

FREE_TEXT_VRS = TEXT_VRS - {"AS", "DA", "DT", "PN"}
"""VRs of free text."""

STRING_VRS = TEXT_VRS | {"CS", "DS", "IS", "TM", "UI", "UR"}

NUMBER_BYTES = {"AT": 4, "FD": 8, "FL": 4, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}

BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})

CHECKED_VRS = STRING_VRS | NUMBER_BYTES.keys() | BINARY_VRS

ENCAPSULATED_DOCUMENT = 0x00420011

CODE_TAGS = frozenset({0x00080100, 0x00080102, 0x00080103, 0x00080119, 0x00080120})
"""CodeValue, CodingSchemeDesignator, CodingSchemeVersion, LongCodeValue and URNCodeValue. They are not prose, and a
rewritten code would mean something else."""

MIME_TYPE_OF_DOCUMENT, LENGTH_OF_DOCUMENT = 0x00420012, 0x00420015

NEEDED_TO_DECODE = frozenset(
    {
        0x00080005,  # SpecificCharacterSet
        *(0x00280000 | element for element in (0x02, 0x04, 0x06, 0x08, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103)),
        0x7FE00010,
    }
)
"""Elements that an action on a whole VR does not affect, because text and pixels cannot be decoded without them."""


class Op(IntEnum):
    """Operation of an executor on one data element.

    To add one: a member here, its cases in the functions below, and its new value in `engine/header/values.py`.
    """

    KEEP = 0
    """Keep the element unchanged; a sequence with its items."""
    RECURSE = 1
    """Keep a sequence and apply the plan to its items."""
    DELETE = 2
    """Remove the element."""
    EMPTY = 3
    """Keep the element without a value; a sequence without items."""
    DUMMY = 4
    """Set a fixed value of the VR. A sequence keeps its items, with all their text replaced."""
    UID = 5
    """Replace every UID by its new one."""
    OWN_UID = 6
    """Replace the instance's own study, series and instance UIDs, also in URLs; keep other UIDs."""
    TEXT = 7
    """Inspect the text and transform the findings."""
    SHIFT = 8
    """Shift the date; in text, every date. Times of day stay."""
    CHECK = 9
    """Keep the element if its value is valid for its VR; a damaged length makes an element swallow its neighbors."""
    REWRITE = 10
    """Set the project's own value, such as a pseudonym; without one, apply the rule beneath."""


class Inside(IntEnum):
    """Strictest kind of sequence around an element."""

    TOP = -1
    """No sequence: the top level."""
    NOTHING = 0
    """A sequence whose items follow the plan like the top level."""
    CLEANED = 1
    """A cleaned sequence (action C): all its text is inspected."""
    DUMMY = 2
    """A sequence replaced by placeholders (action D): none of its text stays."""


def inside(around: Inside, op: Op) -> Inside:
    """Return the kind of sequence around a sequence's items."""
    # The members are ordered by strictness, and a nested sequence is never treated less strictly than the outer one.
    return max(around, Inside.DUMMY if op is Op.DUMMY else Inside.CLEANED if op is Op.TEXT else Inside.NOTHING)


class Rule(NamedTuple):
    """An operation and its reason (`Change.rule`)."""

    op: Op
    reason: str
    beneath: Rule | None = None
    """The profile's rule for an element that is rewritten."""


class TagPattern(NamedTuple):
    """Tags of a repeating group: ``tag & mask == value``."""

    mask: int
    value: int
    rule: Rule


@dataclass(frozen=True)
class Override:
    """An action of `DicomTagConfig`.

    Attributes:
        op: Its operation.
        tags: Tags that it names.
        vrs: VRs that it names.
        reason: Reason for the record of changes.
        patterns: Repeating groups that it names, as mask and value.
    """

    op: Op
    tags: frozenset[int]
    vrs: frozenset[str]
    reason: str
    patterns: tuple[tuple[int, int], ...] = ()

    def names(self, tag: int, vr: str) -> bool:
        """Return whether the action applies to an element."""
        if self.op is Op.RECURSE and vr != "SQ":
            return False  # only a sequence can be entered, so the profile decides
        by_vr = vr in self.vrs and tag not in NEEDED_TO_DECODE
        return tag in self.tags or by_vr or any(tag & mask == value for mask, value in self.patterns)


KEPT = Rule(Op.KEEP, "")

DROPPING = frozenset({Op.DELETE, Op.EMPTY})
"""Operations that remove the value."""

GOING = DROPPING | {Op.DUMMY}
"""Operations that remove the value or replace it by a placeholder."""

OF_VALUES = frozenset({Op.UID, Op.OWN_UID, Op.SHIFT})
"""Operations that are for values only: a plan enters sequences with RECURSE in their place."""

DATE_VRS = frozenset({"DA", "DT"})


def enters(op: Op) -> bool:
    """Return whether an operation on a sequence applies to its items."""
    match op:
        case Op.RECURSE | Op.DUMMY | Op.TEXT | Op.CHECK:
            return True
        case Op.KEEP | Op.DELETE | Op.EMPTY:
            return False
        case Op.UID | Op.OWN_UID | Op.SHIFT | Op.REWRITE:
            raise AssertionError("a plan enters sequences with RECURSE")
        case _:
            assert_never(op)


def change_action(op: Op) -> ChangeAction:
    """Return what the record calls a change by an operation."""
    match op:
        case Op.DELETE:
            return ChangeAction.REMOVED
        case Op.EMPTY | Op.CHECK | Op.KEEP | Op.RECURSE:
            return ChangeAction.EMPTIED
        case Op.DUMMY | Op.REWRITE:
            return ChangeAction.REPLACED
        case Op.UID | Op.OWN_UID:
            return ChangeAction.REGENERATED
        case Op.TEXT | Op.SHIFT:
            return ChangeAction.TRANSFORMED
        case _:
            assert_never(op)
