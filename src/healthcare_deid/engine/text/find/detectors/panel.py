"""Panel of detectors.

It skips those whose gate, shapes or cue words a text lacks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import PatternDetector, read_digits, shape_of
from healthcare_deid.engine.text.find.detectors.words import words_of

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

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
        self._rows = tuple((detector.rank, _search_of(detector)) for detector in detectors)
        # Positions of the detectors that need no word, and of those that need one of some.
        self._always: set[int] = set()
        self._by_word: dict[str, set[int]] = {}
        # Positions of the detectors that share a gate or shapes: a single search decides about them.
        self._by_gate: dict[re.Pattern[str], set[int]] = {}
        self._by_shapes: dict[tuple[str, ...], set[int]] = {}
        for position, detector in enumerate(detectors):
            if not isinstance(detector, PatternDetector):
                self._always.add(position)
                continue
            for word in detector.words:
                self._by_word.setdefault(word, set()).add(position)
            if not detector.words:
                self._always.add(position)
            if detector.gate is not None:
                self._by_gate.setdefault(detector.gate, set()).add(position)
            if detector.shapes:
                self._by_shapes.setdefault(detector.shapes, set()).add(position)
        self._words = frozenset(self._by_word)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, text: str) -> list[tuple[int, Match]]:
        """Return rank and finding of every detector, including overlaps."""
        found: list[tuple[int, Match]] = []
        for position in sorted(self._called_for(text)):
            rank, search = self._rows[position]
            matches = search(text)
            if matches:
                found += [(rank, match) for match in matches]
        return found

    def _called_for(self, text: str) -> set[int]:
        """Return the positions of the detectors that can have a finding in a text."""
        called = self._always.copy()
        for word in words_of(text) & self._words:
            called |= self._by_word[word]
        read = read_digits(text)
        for gate, positions in self._by_gate.items():
            if not called.isdisjoint(positions) and gate.search(read) is None:
                called -= positions
        shape = shape_of(read)
        for shapes, positions in self._by_shapes.items():
            if called.isdisjoint(positions):
                continue
            for part in shapes:
                if part in shape:
                    break
            else:
                called -= positions
        return called


def _search_of(detector: Detector) -> Callable[[str], Iterable[Match]]:
    """Return what finds a detector's infoTypes in a text that passes its gate."""
    return detector.search if type(detector) is PatternDetector else detector.find
