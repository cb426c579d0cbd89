"""Numbers in a text, and the words before them.

Attached letters and signs belong to a number.
"""

from __future__ import annotations

import re
from functools import lru_cache
from string import ascii_letters
from typing import NamedTuple

from healthcare_deid.engine.text.find.lexicon import fold, word_set

_DIGITS = re.compile(r"[0-9]+")
# A number from its first digit on, and the letters before it.
_RUN = re.compile(r"\d[A-Za-z0-9]*(?:[-./+][A-Za-z]{0,6}\d[A-Za-z0-9]*|[-.][A-Za-z]{1,2}(?![A-Za-z0-9]))*")
_BEFORE_RUN = re.compile(r"(?<![A-Za-z0-9])(?<![A-Za-z0-9][-/])(?:[A-Za-z]{1,6}-){0,2}[A-Za-z]{0,6}\Z")
_MOST_BEFORE_RUN = 20
_ATTACHED = frozenset(f"{ascii_letters}-/")
_LEFT = re.compile(
    r"[^\W\d_]+(?:['\u2019.][^\W\d_]+)*|[#:=|\[(;]|(?<=\s)/(?=\s)|(?<=[^\W\d_]{3})\.(?=\s+[A-Z])|(?<=\d)\.(?=\s)"
)
# Characters before a number that are searched for its cue.
_REACH = 48
_NEAR = 24
_LINKS = word_set("number_links")
_COPULAS = frozenset({"is", "was", "of", "for", "the", "e", "o", "d", "de", "del", "unique", "assigned", "issued"})
_MARKS = frozenset("#:=|[(")
_CUES = word_set("number_cues")
_JOINED_LINKS = ("number", "nummer", "num", "no", "nr", "id")


class NumberRun(NamedTuple):
    """A number in a text.

    Attributes:
        start: Index of the first character.
        end: Index after the last character.
        value: The number with its letters and signs.
        digits: Number of digits.
    """

    start: int
    end: int
    value: str
    digits: int


class Cue(NamedTuple):
    """Noun before a number that says what it is.

    Attributes:
        word: The folded noun; may be empty.
        linked: Whether a colon, a ``#`` or a word such as "number" is between them.
    """

    word: str
    linked: bool


@lru_cache(maxsize=16)
def number_runs(text: str) -> tuple[NumberRun, ...]:
    """Return the numbers of a text in order.

    Signs inside a number belong to it; spaces do not.
    """
    runs: list[NumberRun] = []
    end = 0
    for digits in _DIGITS.finditer(text):
        start = digits.start()
        if start < end:
            continue
        if text[start - 1 : start] in _ATTACHED:
            before = _BEFORE_RUN.search(text, max(end, start - _MOST_BEFORE_RUN), start)
            begin = before.start() if before else start  # what else is joined to a number says nothing about it
        else:
            begin = start
        match = _RUN.match(text, start)
        end = match.end() if match else digits.end()
        value = text[begin:end]
        count = len(value) if value.isdigit() else sum(map(str.isdigit, value))
        runs.append(NumberRun(begin, end, value, count))
    return tuple(runs)


def groups_from(text: str, runs: tuple[NumberRun, ...], index: int, longest: int = 4) -> NumberRun:
    """Join a number with the groups of digits after it.

    Single spaces separate the groups, as in 943 476 5919.
    """
    first = runs[index]
    end, digits = first.end, first.digits
    if not first.value[-1].isdigit() or first.digits > longest + 2:
        return first
    for run in runs[index + 1 : index + 6]:
        if text[end : run.start] != " " or not run.value.isdigit() or not 2 <= len(run.value) <= longest:
            break
        end, digits = run.end, digits + run.digits
    return NumberRun(first.start, end, text[first.start : end], digits)


def cue_before(text: str, start: int) -> Cue:
    """Return the cue before the number at ``start``.

    Examples: account no. 4711, ID: 4711.
    """
    low = max(0, start - _NEAR)
    words = text[low:start].rsplit(None, 1)
    if len(words) == 2 and words[1].isalpha() and words[1].isascii():
        word = words[1].lower()
        if word not in _CUES and word not in _LINKS and not _cue_in(word):
            return Cue("", False)  # most numbers follow an ordinary word, which needs no closer look
    linked = False
    for mark in reversed(_LEFT.findall(text, max(0, start - _REACH), start)):
        if mark in "./;":
            return Cue("", linked)
        if mark in _MARKS:
            linked = linked or mark in "#:=|"
            continue
        word = fold(mark).replace("\u2019", "'").removesuffix("'s").rstrip(".")
        if word in _CUES:
            return Cue(word, linked)
        joined = _cue_in(word)
        if joined:
            return Cue(joined, True)
        if word not in _LINKS:
            return Cue("", linked)
        linked = linked or word not in _COPULAS
    return Cue("", linked)


@lru_cache(maxsize=4096)
def _cue_in(word: str) -> str:
    """Return the cue of a word that is joined to a link, such as SSNno or pat.id; empty if there is none."""
    cue, _, rest = word.rpartition(".")
    if cue and rest in _CUES | _LINKS:
        return cue if cue in _CUES else rest if rest in _CUES else ""
    for link in _JOINED_LINKS:
        if word.endswith(link) and word[: -len(link)] in _CUES:
            return word[: -len(link)]
    return ""


def word_before(text: str, start: int) -> str:
    """Return the folded word before ``start``.

    Returns an empty string after a sentence end or number.
    """
    words = _LEFT.findall(text, max(0, start - 24), start)
    words = [word for word in words if word not in _MARKS]
    return fold(words[-1]) if words else ""
