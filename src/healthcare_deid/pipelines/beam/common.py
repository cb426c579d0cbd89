"""What the transforms share: dead letters, counters, and the rule for sources whose results have one name."""

from __future__ import annotations

from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.metrics import Metrics

NAMESPACE = "healthcare_deid"
"""Of the metrics."""
DEAD = "dead_letters"
SAME_UID = "same-uid"
_SAME_UID = (
    "another file with the same SOP Instance UID and other content makes the result ({winner}): of such files the one "
    "whose SHA-256 is smallest does"
)


class DeadLetter(NamedTuple):
    """An instance without a result, and why. It holds no PHI unless source names were asked for.

    Attributes:
        source: What the instance was called; empty unless ``source_names=True``.
        sha256: Of its bytes; empty where they could not be read.
        reason: A short, stable word, such as ``"not-dicom"``.
        text: The same for a person; no values.
    """

    source: str
    sha256: str
    reason: str
    text: str


class Counters:
    """Counts outcomes of a stage, as ``{stage}_{outcome}``.

    Args:
        stage: The stage.
    """

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self._counters: dict[str, Any] = {}

    def count(self, outcome: str, number: int = 1) -> None:
        """Count some instances in."""
        if outcome not in self._counters:
            self._counters[outcome] = Metrics.counter(NAMESPACE, f"{self._stage}_{outcome}")
        self._counters[outcome].inc(number)


def same_uid(source: str, digest: str, winner: str) -> DeadLetter:
    """Return the dead letter of an instance whose result's name belongs to another one."""
    return DeadLetter(source, digest, SAME_UID, _SAME_UID.format(winner=winner))


def dead(letter: DeadLetter) -> Any:
    """Return a dead letter for its own output."""
    return beam.pvalue.TaggedOutput(DEAD, letter)
