"""Panel of detectors.

It skips those whose gate or cue words a text lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import PatternDetector, read_digits, shape_of
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
        self._detectors = tuple(detectors)
        # Positions of the detectors that need no word, of those that need one of some, and of those with word endings.
        self._always: list[int] = []
        self._by_word: dict[str, list[int]] = {}
        self._by_ending: list[int] = []
        for position, detector in enumerate(detectors):
            if not isinstance(detector, PatternDetector) or not (detector.words or detector.endings):
                self._always.append(position)
                continue
            if detector.endings:
                self._by_ending.append(position)
            for word in detector.words:
                self._by_word.setdefault(word, []).append(position)

    def __len__(self) -> int:
        return len(self._detectors)

    def find(self, text: str) -> Iterator[tuple[int, Match]]:
        """Yield rank and finding of every detector, including overlaps."""
        read = read_digits(text)
        shape = shape_of(read)
        gates: dict[re.Pattern[str], bool] = {}
        for position in self._called_for(words_of(text)):
            detector = self._detectors[position]
            if isinstance(detector, PatternDetector):
                if detector.shapes and not any(part in shape for part in detector.shapes):
                    continue
                gate = detector.gate
                # Detectors that share a gate are skipped together after a single search.
                if gate is not None:
                    opens = gates.get(gate)
                    if opens is None:
                        opens = gates[gate] = gate.search(read) is not None
                    if not opens:
                        continue
            rank = detector.rank
            for match in detector.find(text):
                yield rank, match

    def _called_for(self, words: frozenset[str]) -> list[int]:
        """Return the positions of the detectors that a text with these words can have a finding of."""
        called = set(self._always)
        for word in words & self._by_word.keys():
            called.update(self._by_word[word])
        for position in self._by_ending:
            detector = self._detectors[position]
            if position not in called and isinstance(detector, PatternDetector) and detector.is_called_for(words):
                called.add(position)
        return sorted(called)
