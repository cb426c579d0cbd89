"""Results of a run as items of a review: reasons to look at each, and decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid.report.review.pixel_changes import IMAGE, rectangle_of

if TYPE_CHECKING:
    from healthcare_deid.report.finished_run import Entry
    from healthcare_deid.report.review.boxes import Rectangle

_UNREADABLE = "unreadable"
_LOW = 0.8
"""Confidence below which a covered line deserves a look: half of all false positives have less."""


class Decision(StrEnum):
    """Decision about a result."""

    APPROVED = "approved"
    """It may be released."""
    REJECTED = "rejected"
    """It must not be released."""
    OPEN = "open"
    """Not decided yet, or changed since."""


class Reason(StrEnum):
    """Reason for a decision, from a fixed list because free text could name patients."""

    TEXT_LEFT = "text-left"
    """Text in the picture may identify somebody."""
    ATTRIBUTE = "attribute"
    """An attribute may identify somebody."""
    TOO_MUCH = "too-much"
    """Too much is covered, so the picture is not useful."""
    NO_TEXT = "no-text"
    """A box covers no text."""
    OTHER = "other"
    """Another reason."""


@dataclass(slots=True)
class Item:
    """Result to review.

    Attributes:
        result: Its name.
        reasons: Reasons to look at it early; empty for results in random order.
        boxes: Covered rectangles of its image: frame, left, top, width, height.
        source: SHA-256 of its source.
        decision: Latest decision.
        approved: SHA-256 of the approved file; any other content is not approved.
        state: Digest of its line in the record; a decision about another state no longer counts.
        changes: Changes to its attributes, as in the record.
    """

    result: str
    reasons: list[str]
    boxes: list[Rectangle] = field(repr=False)
    source: str = field(repr=False)
    decision: Decision = Decision.OPEN
    approved: str = field(default="", repr=False)
    state: str = field(default="", repr=False)
    changes: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]], repr=False)


def item_of(entry: Entry) -> Item:
    """Return the item of a result's entry in the record."""
    return Item(
        entry.result,
        _reasons(entry),
        boxes_of(entry.redactions),
        entry.source,
        state=entry.state,
        changes=entry.changes,
    )


def boxes_of(redactions: list[dict[str, Any]]) -> list[Rectangle]:
    """Return the covered rectangles of the image."""
    return [rectangle_of(one) for one in redactions if one["path"] in IMAGE]


def _reasons(entry: Entry) -> list[str]:
    unreadable = [box for box in entry.redactions if box.get("rule") == _UNREADABLE]
    low = [box for box in entry.redactions if float(box.get("confidence", 1.0)) < _LOW]
    said = [f"{len(unreadable)} × text that could not be read{_frames(unreadable)}"] if unreadable else []
    said += [f"{len(low)} × a doubtful line{_frames(low)}"] if low else []
    return [*said, *entry.warnings]


def _frames(boxes: list[dict[str, Any]]) -> str:
    """Return in how many frames there are boxes, unless it is one."""
    frames = {box["frame"] for box in boxes}
    return f", in {len(frames)} frames" if len(frames) > 1 else ""


def badness(entry: Entry) -> tuple[int, float, int]:
    """Return a key that sorts the entries: the larger, the worse."""
    unreadable = sum(1 for box in entry.redactions if box.get("rule") == _UNREADABLE)
    lowest = min((float(box.get("confidence", 1.0)) for box in entry.redactions), default=1.0)
    return unreadable, 1.0 - lowest if lowest < _LOW else 0.0, len(entry.warnings)
