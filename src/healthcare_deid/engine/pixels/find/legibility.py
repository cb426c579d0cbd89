"""Legibility of a reading: for an unknown script the recognizer returns blanks or similar letters of a known one.

PP-OCR's recognizer knows Latin letters, digits, Chinese and Japanese. It has Greek letters but reads few of them
correctly, and has no Cyrillic, Hebrew, Arabic, Thai, Indian, Korean, Georgian or Armenian letters.
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
"""Lowest mean confidence of a legible line."""
LEAST_WEAKEST = 0.65
"""Lowest confidence of the least certain quarter of a legible line's characters. Letters of another script, read as
Latin ones, fall below it."""
WELL = 0.85
"""Mean confidence from which `FEWER_SENSE` applies."""
FEWER_SENSE = 0.5
"""Fraction of digits and vocabulary words from which weak characters are accepted in a line of good mean confidence. No
other script is read that way."""
SURE_WEAKEST = 0.85
"""Confidence of the least certain characters from which a line is not also read upside down."""
FEW = 3
"""Fewest characters for which `LEAST_WEAKEST` applies; below, only the mean counts."""
HIGH = 0.6
"""Height of the letters as a fraction of the line's height."""
ENDS = 0.8
"""Margins at both ends of a line together, in line heights."""
LEAST_FILLED = 0.5
"""Fewest characters of a legible line, as a fraction of the square letters that it has room for. The lowest value in
the benchmark was 0.64."""
LEAST_ROOM = 2.0
"""Room for letters below which one character is enough."""
GAP = 2.0
"""Gap between characters, in line heights, above which ink between them counts as unread text."""
_WORD = re.compile(r"[^\W_]+")
_RUN = re.compile(r"[^\W\d_]+|\d+")
LONGEST_NUMBER = 4
"""Most digits of an everyday number."""
LONGEST_UNIT = 2
"""Most letters of a unit or the abbreviation of a setting: cm, Hz, MI."""
_SYMBOLS = frozenset("\u00b5\u03bc\u03a9\u03b1\u03b2\u03b3\u03b4\u03bb\u03c3\u0394")
"""Greek letters used in units and names of quantities."""


def is_legible(line: TextLine) -> bool:
    """Return True if the reading of a line can be trusted."""
    text = line.text
    if text is None or line.misread or line.text_confidence < LEAST_CONFIDENCE or _is_greek(text):
        return False
    if line.weakest is not None and line.weakest < LEAST_WEAKEST and len(_shown(text)) >= FEW:
        sense = FEWER_SENSE if line.text_confidence >= WELL else 1.0
        if everyday_part(text) < sense:
            return False
    return any(map(str.isalnum, text)) and enough_characters(text, *line.size)


def is_sure(text: str, weakest: float) -> bool:
    """Return True if a reading is certain."""
    return weakest >= SURE_WEAKEST and any(map(str.isalnum, text))


def enough_characters(text: str, width: float, height: float) -> bool:
    """Return True if a text is long enough for its line's box, in any orientation."""
    length, thickness = max(width, height), min(width, height)
    room = (length / thickness - ENDS) / HIGH
    return room < LEAST_ROOM or len(_shown(text)) >= LEAST_FILLED * room


def everyday_part(text: str) -> float:
    """Return the fraction of a text that is digits or vocabulary words; single letters are ignored."""
    words = [word for word in _WORD.findall(text) if len(word) > 1 or word.isdigit()]
    known = sum(len(word) if fold(word) in vocabulary() else sum(map(str.isdigit, word)) for word in words)
    return known / max(1, sum(map(len, words)))


def is_mark(text: str) -> bool:
    """Return True if a text consists of vocabulary words that are not names: a mark, unrelated to its neighbors."""
    words = [fold(word) for word in _WORD.findall(text)]
    names = first_names() | surnames()
    return all(word in vocabulary() and word not in names for word in words)


def is_everyday(text: str) -> bool:
    """Return True if a text consists of vocabulary words that are not names, short numbers and units."""
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
    """Return True if a word holds Greek letters: the recognizer confuses most of them with others."""
    greek = [_is_greek_letter(letter) for letter in text]
    if any(found and letter not in _SYMBOLS for found, letter in zip(greek, text, strict=True)):
        return True
    return any(first and second for first, second in pairwise(greek))


def _is_greek_letter(letter: str) -> bool:
    return letter.isalpha() and unicodedata.name(letter, "").startswith(("GREEK", "COPTIC", "MICRO"))
