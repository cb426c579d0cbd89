"""Panel of detectors.

It skips those whose gate or cue words a text lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import PatternDetector, read_digits
from healthcare_deid.engine.text.find.detectors.words import words_of

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Sequence

    from healthcare_deid.engine.text.find.detectors.base import Detector
    from healthcare_deid.engine.text.match import Match


class Panel:
    """A set of detectors.

    Args:
        detectors: The detectors.

    Attributes:
        info_types: InfoTypes that they find together.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.info_types: frozenset[str] = frozenset().union(*(detector.info_types for detector in detectors))
        self._by_gate: dict[re.Pattern[str] | None, list[Detector]] = {}
        for detector in detectors:
            gate = detector.gate if isinstance(detector, PatternDetector) else None
            self._by_gate.setdefault(gate, []).append(detector)
        self._size = len(detectors)

    def __len__(self) -> int:
        return self._size

    def find(self, text: str) -> Iterator[tuple[int, Match]]:
        """Yield rank and finding of every detector, including overlaps."""
        read = read_digits(text)
        words = words_of(text)
        # Detectors that share a gate are skipped together after a single search.
        for gate, detectors in self._by_gate.items():
            if gate is not None and gate.search(read) is None:
                continue
            for detector in detectors:
                if isinstance(detector, PatternDetector) and not detector.is_called_for(words):
                    continue
                rank = detector.rank
                for match in detector.find(text):
                    yield rank, match
