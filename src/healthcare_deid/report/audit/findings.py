"""Findings of an audit. A value is shown by its shape only: letters as ``x``, digits as ``9``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.config.checks.findings import Severity

_LONGEST_SHAPE = 40


class Residue(StrEnum):
    """Why something is listed."""

    PRESENT = "present"
    """The rules remove or empty the element, and it holds a value."""
    PRIVATE = "private"
    """The rules remove this private element, and it holds a value."""
    REPLACED = "not replaced"
    """The rules put a placeholder here, and the value is another."""
    UID = "uid"
    """The rules put a new UID here, and this one is not of the form of those."""
    TEXT = "text"
    """A name, number, date or the like was found in text that stays."""
    ORIGINAL = "original"
    """A name, number, date or UID of the original was found."""
    MALFORMED = "malformed"
    """A value that its VR cannot have, and that may say anything."""
    SIDE_DATA = "side data"
    """Bytes beside the pixels: comments in compressed frames, data after the last frame."""
    DOCUMENT = "document"
    """An encapsulated document, which may say anything."""
    PIXELS = "pixels"
    """Burned-in text."""
    FILE = "file"
    """Something in the file around the dataset: its preamble, its file meta information."""
    DATE = "date"
    """A date that the rules shift: a shifted one cannot be told from the original."""
    CLAIM = "claim"
    """What the instance says of itself."""


class Place(NamedTuple):
    """A rectangle in a frame."""

    frame: int
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Residual:
    """One thing that may identify somebody; never its value.

    Attributes:
        severity: ``error``: it contradicts what the instance, or the run, promises. ``warning``: a person should look.
            ``info``: it cannot be told by looking at the result alone.
        residue: Why it is listed.
        path: Keywords, or ``(gggg,eeee)`` for tags without one, joined by ``/``; items of sequences in brackets.
        name: The last of them.
        shape: The value with letters as ``x`` and digits as ``9``, shortened; may be empty.
        why: One sentence for a person.
        place: Where in the pixels; None elsewhere.
    """

    severity: Severity
    residue: Residue
    path: str
    name: str
    shape: str = ""
    why: str = ""
    place: Place | None = None


def shape_of(value: str | bytes) -> str:
    """Return a value with letters as ``x`` and digits as ``9``: enough to recognize a kind, too little for a person."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    text = text.strip(" \0")
    shown = "".join("9" if letter.isdigit() else "x" if letter.isalpha() else letter for letter in text)
    shown = "".join(letter if letter.isprintable() else "·" for letter in shown)
    return shown if len(shown) <= _LONGEST_SHAPE else f"{shown[:_LONGEST_SHAPE]}… ({len(text)})"


COLUMNS: tuple[str, ...] = ("file", "severity", "kind", "path", "shape", "frame", "x", "y", "width", "height", "why")
"""What a table of findings has."""


def rows_of(file: str, findings: Iterable[Residual]) -> list[dict[str, Any]]:
    """Return a row for each finding of a file."""
    rows: list[dict[str, Any]] = []
    for finding in findings:
        place = finding.place._asdict() if finding.place is not None else {}
        told = {"severity": str(finding.severity), "kind": str(finding.residue), "path": finding.path}
        told |= {"file": file, "shape": finding.shape, "why": finding.why}
        rows.append({**dict.fromkeys(COLUMNS, ""), **told, **place})
    return rows
