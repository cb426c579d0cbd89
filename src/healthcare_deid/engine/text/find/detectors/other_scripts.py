"""Words in a script that no detector reads.

Word lists and forms of names are of languages in Latin letters. In other scripts a few terms of the field are known,
and what is not one of them may be a name.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.lexicon import fold, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Blocks of Unicode with letters, but for Latin and its extensions, symbols, punctuation, and Roman numerals.
_LETTERS = (
    "\u0370-\u1cff\u1f00-\u1fff\u2c00-\u2c5f\u2c80-\u2ddf\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035"
    "\u3041-\u31ff\u3400-\u4dbf\u4e00-\ua71f\ua800-\uab2f\uab70-\ud7ff\uf900-\ufaff\ufb13-\ufdff\ufe70-\ufefc"
    "\uff66-\uffdc\U00010000-\U0001d3ff\U00020000-\U0003ffff"
)
_ANY = re.compile(f"[{_LETTERS}]")
_WORD = re.compile(f"[{_LETTERS}]+")
# Between the words of a name: И. Петров, 山田・太郎.
_BETWEEN = re.compile("[ .\u00b7\u30fb'\u2019^=,-]{1,2}")
_SYMBOLS = re.compile("[\u0370-\u03ff]{1,2}")


def unread_words(text: str, explained: Iterable[Match]) -> Iterator[Match]:
    """Yield the words in other scripts that neither a finding nor a term of the field explains, as names.

    One or two Greek letters are symbols: β, µm, Δ.
    """
    if text.isascii() or _ANY.search(text) is None:
        return
    text = _without(text, explained)
    start = end = 0
    for word in _WORD.finditer(text):
        if _SYMBOLS.fullmatch(word[0]) or _terms().fullmatch(fold(word[0])):
            continue
        if not (end and _BETWEEN.fullmatch(text, end, word.start())):
            if end:
                yield Match(start, end, "PERSON_NAME")
            start = word.start()
        end = word.end()
    if end:
        yield Match(start, end, "PERSON_NAME")


def _without(text: str, explained: Iterable[Match]) -> str:
    """Return a text with spaces in the place of findings."""
    pieces: list[str] = []
    position = 0
    for match in sorted(explained):
        start, end = max(match.start, position), max(match.end, position)
        pieces += [text[position:start], " " * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])


@cache
def _terms() -> re.Pattern[str]:
    longest_first = sorted(map(fold, word_set("terms_in_other_scripts")), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(longest_first)})+")
