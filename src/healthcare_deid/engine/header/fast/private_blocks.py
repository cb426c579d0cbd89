"""Private creators that stay only if an element of their block does.

A creator is written before its elements, so it is dropped again when its dataset ends without any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self, TypeVar

from healthcare_deid.engine.dicom.elements import creator_tag, is_private_creator
from healthcare_deid.engine.header.fast.entries import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.header.fast.dataset_writer import DatasetWriter
    from healthcare_deid.engine.header.fast.entries import ElementDecision
    from healthcare_deid.engine.header.fast.run_follower import InstanceTally
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

Piece = TypeVar("Piece")


class CreatorPiece(bytes):
    """A private creator as written.

    Attributes:
        entry: Decision about it.
        length: Length of its old value.
    """

    entry: ElementDecision
    length: int

    def __new__(cls, written: bytes, entry: ElementDecision, length: int) -> Self:
        """Make the piece of a creator."""
        made = super().__new__(cls, written)
        made.entry, made.length = entry, length
        return made


def noted(written: bytes, entry: ElementDecision, length: int, level: DatasetWriter) -> bytes:
    """Note the block of a private element that was just written; return the bytes to write.

    Args:
        written: The element as written; empty if it was removed.
        entry: Decision about it.
        length: Length of its old value.
        level: State of its dataset.
    """
    if not written:
        return written
    if is_private_creator(entry.tag) and entry.vr == "LO":
        return CreatorPiece(written, entry, length)
    level.blocks.add(creator_tag(entry.tag))
    return written


def without_empty_blocks(
    pieces: Iterable[Piece], level: DatasetWriter, plan: TagPlan, tally: InstanceTally
) -> list[Piece]:
    """Return the output of a whole dataset without the creators of blocks that have no element in it."""
    stay: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, CreatorPiece) and piece.entry.tag not in level.blocks:
            rule = plan.empty_block(piece.entry.tag, level.around)
            if rule is not None:
                gone = piece.entry._replace(op=rule.op, rule=rule)
                _forget(piece.entry.tag, level, tally, has_value=piece.length > 0)
                level.records.append(Record(gone, rule.reason, piece.length))
                continue
        stay.append(piece)
    return stay


def _forget(tag: int, level: DatasetWriter, tally: InstanceTally, *, has_value: bool) -> None:
    """Take back what was counted for a creator."""
    for index, record in enumerate(level.records):
        if record.entry.tag == tag:
            del level.records[index]
            return
    tally.kept -= 1
    if has_value:
        last = len(tally.stayed) - 1 - tally.stayed[::-1].index(tag)
        del tally.stayed[last]
