"""Detector for custom infoTypes by a word list.

`PatternDetector` takes a pattern.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.lexicon import fold
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")


class WordsDetector:
    """Finds listed words and phrases, such as the names of a trial's sites.

    Case, accents, and punctuation between words are ignored. The time does not grow with the list.

    Args:
        info_type: Name of the infoType.
        phrases: Words and phrases.
        rank: Precedence among overlapping findings; lower wins.

    Raises:
        TypeError: *phrases* is a single text, whose letters would be searched.
    """

    def __init__(self, info_type: str, phrases: Iterable[str], *, rank: int = 1) -> None:
        if isinstance(phrases, str):
            raise TypeError("phrases must be a list of texts, not a single text")
        self.info_types = frozenset({info_type})
        self.rank = rank
        self._info_type = info_type
        # Looking up first words makes the time independent of the number of phrases.
        self._by_first: dict[str, list[tuple[str, ...]]] = {}
        for phrase in phrases:
            words = tuple(map(fold, _WORD.findall(phrase)))
            if words:
                self._by_first.setdefault(words[0], []).append(words)

    def __repr__(self) -> str:
        return f"WordsDetector({self._info_type!r})"

    def find(self, text: str) -> list[Match]:
        """Return the phrases found, as whole words."""
        words = [(match.start(), match.end(), fold(match[0])) for match in _WORD.finditer(text)]
        found: list[Match] = []
        for index, (start, _, first) in enumerate(words):
            for phrase in self._by_first.get(first, ()):
                run = words[index : index + len(phrase)]
                if tuple(word for _, _, word in run) == phrase:
                    found.append(Match(start, run[-1][1], self._info_type))
        return found
