"""The answer key of an instance: what must go, what must stay, what must change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midi_people import Patient
    from midi_values import Value


@dataclass(frozen=True)
class Planted:
    """Something that must not be left: where it stands, what it is, and the forms that count as left."""

    path: str
    kind: str
    value: Value


@dataclass(frozen=True)
class Kept:
    """A phrase, or the value of a technical attribute, that must still be in its element."""

    path: str
    kind: str
    text: str


@dataclass
class Instance:
    """One file and its key.

    Attributes:
        name: Of the file.
        patient: Who it is about.
        modality: Its Modality.
        data: The file.
        pixels: Its pixel data; empty if it has none.
        planted: Texts to remove.
        kept: Phrases to keep.
        technical: Attributes whose values stay.
        dates: Paths of dates to shift, with their values.
        uids: Paths of UIDs to replace, with their values.
        not_null: Paths of elements that must not come out empty.
    """

    name: str
    patient: Patient
    modality: str
    data: bytes = b""
    pixels: bytes = b""
    planted: list[Planted] = field(default_factory=list[Planted])
    kept: list[Kept] = field(default_factory=list[Kept])
    technical: list[Kept] = field(default_factory=list[Kept])
    dates: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    uids: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    not_null: list[str] = field(default_factory=list[str])


def text_of(value: Any) -> str:
    """Return a value as one text, its parts separated by backslashes."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return "\\".join(text_of(part) for part in value)
    return str(value)
