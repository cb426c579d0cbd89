"""Findings of an audit. Values are shown only by their shape: letters as ``x``, digits as ``9``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from healthcare_deid.config.checks.findings import Severity

_LONGEST_SHAPE = 40


class Residue(StrEnum):
    """Kind of residue."""

    PRESENT = "present"
    """The rules remove or empty the element, but it has a value."""
    PRIVATE = "private"
    """The rules remove this private element, but it has a value."""
    REPLACED = "not replaced"
    """The rules put a placeholder here, but the value differs."""
    UID = "uid"
    """The rules put a new UID here, but this one does not have the form of new UIDs."""
    TEXT = "text"
    """A name, number, date or similar was found in text that stays."""
    ORIGINAL = "original"
    """A name, number, date or UID of the original was found."""
    MALFORMED = "malformed"
    """A value that is invalid for its VR and may contain anything."""
    SIDE_DATA = "side data"
    """Bytes beside the pixels: comments in compressed frames, data after the last frame."""
    DOCUMENT = "document"
    """An encapsulated document, which may contain anything."""
    PIXELS = "pixels"
    """Burned-in text."""
    FILE = "file"
    """The file around the dataset: preamble or file meta information."""
    DATE = "date"
    """A date that the rules shift; a shifted date looks like an original one."""
    CLAIM = "claim"
    """A statement of the instance about itself."""


class Place(NamedTuple):
    """Rectangle in a frame."""

    frame: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Residual:
    """Finding that may identify somebody, without its value.

    Attributes:
        severity: ``error`` contradicts what the instance or the run promises, ``warning`` needs a person's look,
            ``info`` cannot be judged from the result alone.
        residue: Kind of residue.
        path: Keywords, or ``(gggg,eeee)`` for tags without one, joined by ``/``; items of sequences in brackets.
        name: Last of the keywords.
        shape: The value with letters as ``x`` and digits as ``9``, shortened; may be empty.
        why: Explanation in one sentence.
        place: Place in the pixels, or None.
        accepted_by: Name of the person who accepts the finding; empty while it is open.
        reason: Why that person does.
    """

    severity: Severity
    residue: Residue
    path: str
    name: str
    shape: str = ""
    why: str = ""
    place: Place | None = None
    accepted_by: str = ""
    reason: str = ""


def shape_of(value: str | bytes) -> str:
    """Return a value with letters as ``x`` and digits as ``9``, which shows its kind but not whose it is."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = text.strip(" \0")
    shown = "".join("9" if letter.isdigit() else "x" if letter.isalpha() else letter for letter in text)
    shown = "".join(letter if letter.isprintable() else "·" for letter in shown)
    return shown if len(shown) <= _LONGEST_SHAPE else f"{shown[:_LONGEST_SHAPE]}… ({len(text)})"


COLUMNS: tuple[str, ...] = (
    *("file", "sha256", "severity", "kind", "path", "shape", "frame", "x", "y", "width", "height", "why"),
    *("accepted_by", "reason"),
)
"""Columns of a table of findings."""


def row_of(finding: Residual, *, file: str = "", sha256: str = "") -> dict[str, Any]:
    """Return the row of a finding in a file."""
    place = finding.place._asdict() if finding.place is not None else {}
    told = {"severity": str(finding.severity), "kind": str(finding.residue), "path": finding.path}
    told |= {"file": file, "sha256": sha256, "shape": finding.shape, "why": finding.why}
    told |= {"accepted_by": finding.accepted_by, "reason": finding.reason}
    return {**dict.fromkeys(COLUMNS, ""), **told, **place}
