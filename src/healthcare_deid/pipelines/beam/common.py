"""Dead letters, counters and the duplicate-UID rule of all transforms."""

from __future__ import annotations

from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

NAMESPACE = "healthcare_deid"
"""Namespace of the metrics."""
DEAD = "dead_letters"
SAME_UID = "same-uid"
_SAME_UID = (
    "another file has the same SOP Instance UID but different content, and was used instead ({winner}): the file with "
    "the smallest SHA-256 wins"
)


class DeadLetter(NamedTuple):
    """Instance without a result, and the reason.

    It contains no PHI unless source names were requested.

    Attributes:
        source: Name of the instance; empty unless ``source_names=True``.
        sha256: SHA-256 of its bytes; empty if they could not be read.
        reason: Short, stable word, such as ``"not-dicom"``.
        text: Reason in plain words, without values.
    """

    source: str
    sha256: str
    reason: str
    text: str


class Counters:
    """Metrics of a stage, named ``{stage}_{outcome}``.

    Args:
        stage: Name of the stage.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._counters: dict[str, Any] = {}

    def count(self, outcome: str, number: int = 1) -> None:
        """Add instances to a counter."""
        if outcome not in self._counters:
            self._counters[outcome] = Metrics.counter(NAMESPACE, f"{self._stage}_{outcome}")
        self._counters[outcome].inc(number)


def same_uid(source: str, digest: str, winner: str) -> DeadLetter:
    """Return the dead letter for an instance that lost to another with its UID."""
    return DeadLetter(source, digest, SAME_UID, _SAME_UID.format(winner=winner))


def dead_letter(letter: DeadLetter) -> Any:
    """Return a dead letter tagged for its own output."""
    return beam.pvalue.TaggedOutput(DEAD, letter)
