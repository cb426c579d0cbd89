"""Spelling model for unlisted words.

KIPCHUMBA looks like a name, CHOLEDOCHAL does not.

A naive Bayes classifier over the trigrams of a word. ``tools/make_name_model.py`` counts its table.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.lexicon import data_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS = "^abcdefghijklmnopqrstuvwxyz"
"""Alphabet of the trigrams; ``^`` marks both ends of a word."""
LEVELS = "".join(map(chr, range(ord("0"), ord("~") + 1)))
"""Characters of the table, from certainly a word to certainly a name."""
MIDDLE = len(LEVELS) // 2
STEP = 1 / 7
"""Difference in log odds between two levels."""

# Log odds from which a word counts as a name. Three of four unlisted names reach it, and one of seventeen words.
_LIKELY = 2.0
_SHORTEST = 4


def trigrams(word: str) -> Iterator[str]:
    """Yield the trigrams of a word in ``LETTERS``, including its ends."""
    padded = f"^{word}^"
    for index in range(len(padded) - 2):
        yield padded[index : index + 3]


def is_likely_name(word: str) -> bool:
    """Return whether an unlisted folded word is spelled like a name."""
    return len(word) >= _SHORTEST and word.isascii() and word.isalpha() and name_score(word) >= _LIKELY


def name_score(word: str) -> float:
    """Return the log odds that a word is a name.

    The word is folded, in ASCII letters.
    """
    table = _table()
    codes = [0, *(ord(letter) - 96 for letter in word), 0]
    total = sum(
        table[(first * 27 + second) * 27 + third]
        for (first, second), third in zip(pairwise(codes[:-1]), codes[2:], strict=True)
    )
    return total * STEP


@cache
def _table() -> tuple[int, ...]:
    return tuple(ord(level) - ord(LEVELS[0]) - MIDDLE for level in "".join(data_lines("name_trigrams.txt")))
