"""Spelling model for words in no list: KIPCHUMBA is like a name, CHOLEDOCHAL is not.

A naive Bayes classifier over the trigrams of a word; its table is counted by ``tools/make_name_model.py``.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.lexicon import data_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

LETTERS = "^abcdefghijklmnopqrstuvwxyz"
"""What trigrams are made of; ``^`` stands for both ends of a word."""
LEVELS = "".join(map(chr, range(ord("0"), ord("~") + 1)))
"""The table's characters, from surely a word to surely a name."""
MIDDLE = len(LEVELS) // 2
STEP = 1 / 7
"""The log odds between two levels."""

_LIKELY = 2.0
"""Log odds of a word that counts as a name: three of four names in no list reach it, one of seventeen other words."""
_SHORTEST = 4


def trigrams(word: str) -> Iterator[str]:
    """Yield the trigrams of a word in ``LETTERS``, its ends included."""
    padded = f"^{word}^"
    for index in range(len(padded) - 2):
        yield padded[index : index + 3]


def is_likely_name(word: str) -> bool:
    """Return whether a folded word that no list has is spelled like a name."""
    return len(word) >= _SHORTEST and word.isascii() and word.isalpha() and name_score(word) >= _LIKELY


def name_score(word: str) -> float:
    """Return the log odds that a folded word of ASCII letters is a name."""
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
