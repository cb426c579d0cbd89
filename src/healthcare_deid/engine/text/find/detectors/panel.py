"""Panel of detectors.

It skips those whose gate or cue words a text lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
        self._rows = tuple(map(_row, detectors))
        # Positions of the detectors that need no word, of those that need one of some, and of those with word endings.
        self._always: list[int] = []
        self._by_word: dict[str, list[int]] = {}
        self._by_ending: list[tuple[int, PatternDetector]] = []
        for position, detector in enumerate(detectors):
            if not isinstance(detector, PatternDetector) or not (detector.words or detector.endings):
                self._always.append(position)
                continue
            if detector.endings:
                self._by_ending.append((position, detector))
            for word in detector.words:
                self._by_word.setdefault(word, []).append(position)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, text: str) -> Iterator[tuple[int, Match]]:
        """Yield rank and finding of every detector, including overlaps."""
        read = read_digits(text)
        shape = shape_of(read)
        # Detectors that share a gate or a shape are skipped together after a single search.
        opened: dict[re.Pattern[str] | tuple[str, ...], bool] = {}
        for position in self._called_for(words_of(text)):
            detector, rank, gate, shapes = self._rows[position]
            if shapes:
                opens = opened.get(shapes)
                if opens is None:
                    opens = opened[shapes] = any(part in shape for part in shapes)
                if not opens:
                    continue
            if gate is not None:
                opens = opened.get(gate)
                if opens is None:
                    opens = opened[gate] = gate.search(read) is not None
                if not opens:
                    continue
            for match in detector.find(text):
                yield rank, match

    def _called_for(self, words: frozenset[str]) -> list[int]:
        """Return the positions of the detectors that a text with these words can have a finding of."""
        called = set(self._always)
        for word in words & self._by_word.keys():
            called.update(self._by_word[word])
        for position, detector in self._by_ending:
            if position not in called and detector.is_called_for(words):
                called.add(position)
        return sorted(called)


class _Row(NamedTuple):
    """A detector, and what a text needs for a finding of it."""

    detector: Detector
    rank: int
    gate: re.Pattern[str] | None
    shapes: tuple[str, ...]


def _row(detector: Detector) -> _Row:
    if isinstance(detector, PatternDetector):
        return _Row(detector, detector.rank, detector.gate, detector.shapes)
    return _Row(detector, detector.rank, None, ())
