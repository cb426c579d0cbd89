"""Legibility of a reading: a reader that does not know a script gives blanks, or letters like its own.

PP-OCR's recognizer knows Latin letters, digits, Chinese and Japanese. Of Greek it has the letters and reads few of
them; it has none of the Cyrillic, Hebrew, Arabic, Thai, Indian, Korean, Georgian and Armenian ones.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.lexicon import first_names, fold, surnames, vocabulary

if TYPE_CHECKING:
    from healthcare_deid.engine.pixels.lines import TextLine

LEAST_CONFIDENCE = 0.6
"""A line read worse than this, in the mean of its characters, may say anything."""
LEAST_WEAKEST = 0.65
"""So may one whose least sure characters are read worse than this: letters of another script, forced into this one."""
WELL = 0.85
FEWER_SENSE = 0.5
"""A doubtful letter matters less where at least this part is digits and words of the vocabulary, and the mean is good:
no other script is read so."""
SURE_WEAKEST = 0.85
"""A line whose least sure characters are read this well need not be read the other way round."""
FEW = 3
"""Of fewer characters none is the weak one: their mean counts."""
HIGH = 0.6
"""Part of a line's height that its letters take,"""
ENDS = 0.8
"""and of its length, in heights, that is margin."""
LEAST_FILLED = 0.5
"""A line has room for letters as wide as high, and has at least this part of them (.64 in the benchmark's lines)."""
LEAST_ROOM = 2.0
"""Where there is room for fewer, one is enough."""
GAP = 2.0
"""Characters of a line are not further apart than this many times its box's height without something between them."""
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[^\W\d_]+|\d+")
LONGEST_NUMBER = 4
LONGEST_UNIT = 2
"""Letters of units and of the abbreviations of settings: cm, Hz, MI."""
_SYMBOLS = frozenset("\u00b5\u03bc\u03a9\u03b1\u03b2\u03b3\u03b4\u03bb\u03c3\u0394")
"""Greek letters that stand in units and names of quantities."""


def is_legible(line: TextLine) -> bool:
    """Say whether what was read is what a line says."""
    text = line.text
    if text is None or line.misread or line.text_confidence < LEAST_CONFIDENCE or _is_greek(text):
        return False
    if line.weakest is not None and line.weakest < LEAST_WEAKEST and len(_shown(text)) >= FEW:
        sense = FEWER_SENSE if line.text_confidence >= WELL else 1.0
        if everyday_part(text) < sense:
            return False
    return any(map(str.isalnum, text)) and enough_characters(text, *line.size)


def is_sure(text: str, weakest: float) -> bool:
    """Say whether a reading is beyond doubt."""
    return weakest >= SURE_WEAKEST and any(map(str.isalnum, text))


def enough_characters(text: str, width: float, height: float) -> bool:
    """Say whether a text fills a box of its line, whichever way that is turned."""
    length, thickness = max(width, height), min(width, height)
    room = (length / thickness - ENDS) / HIGH
    return room < LEAST_ROOM or len(_shown(text)) >= LEAST_FILLED * room


def everyday_part(text: str) -> float:
    """Return which part of a text is digits and words of the vocabulary; single letters do not count."""
    words = [word for word in _WORD.findall(text) if len(word) > 1 or word.isdigit()]
    known = sum(len(word) if fold(word) in vocabulary() else sum(map(str.isdigit, word)) for word in words)
    return known / max(1, sum(map(len, words)))


def is_mark(text: str) -> bool:
    """Say whether a text is words of the vocabulary that are nobody's name: a mark, no part of what is beside it."""
    words = [fold(word) for word in _WORD.findall(text)]
    names = first_names() | surnames()
    return all(word in vocabulary() and word not in names for word in words)


def is_everyday(text: str) -> bool:
    """Say whether a text is words of the vocabulary that are nobody's name, short numbers, and units."""
    names = first_names() | surnames()
    words = [fold(word) for word in _RUN.findall(text)]
    return all(
        len(word) <= (LONGEST_NUMBER if word.isdigit() else LONGEST_UNIT)
        or (word in vocabulary() and word not in names)
        for word in words
    )


def _shown(text: str) -> str:
    return "".join(text.split())


def _is_greek(text: str) -> bool:
    """Say whether a word holds Greek letters: the reader takes most of them for Latin ones, and the rest for others."""
    greek = [_is_greek_letter(letter) for letter in text]
    if any(found and letter not in _SYMBOLS for found, letter in zip(greek, text, strict=True)):
        return True
    return any(first and second for first, second in pairwise(greek))


def _is_greek_letter(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith(("GREEK", "COPTIC", "MICRO"))
