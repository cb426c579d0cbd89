"""Word lists, loaded when first needed: names of the US census, words that are no names, places."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources

_SURNAME_LIST = "dist.all.last"
_FIRST_NAME_LISTS = ("dist.male.first", "dist.female.first")
_COMMON_SURNAMES = 30_000
_UNACCENTED = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


@lru_cache(maxsize=16_384)
def fold(word: str) -> str:
    """Return ``word`` without case and accents."""
    word = word.lower()
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFKD", word.translate(_UNACCENTED))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@cache
def vocabulary() -> frozenset[str]:
    """Words that are no names when they stand alone, folded."""
    return frozenset(map(fold, " ".join(_lines("vocabulary.txt")).split()))


@cache
def places() -> re.Pattern[str]:
    """One pattern of all place names: what stands between two words of it is one space."""
    names = sorted(_lines("places.txt"), key=len, reverse=True)
    by_initial: dict[str, list[str]] = {}
    for name in names:
        by_initial.setdefault(name[0], []).append(re.escape(name[1:]))
    branches = (f"{re.escape(initial)}(?:{'|'.join(rests)})" for initial, rests in by_initial.items())
    return re.compile(rf"(?<![\w'-])(?:{'|'.join(branches)})(?![\w'])", re.IGNORECASE)


@cache
def first_names() -> frozenset[str]:
    """First names, folded: the census' and those of other parts of the world."""
    census = {line.split()[0].lower() for name in _FIRST_NAME_LISTS for line in _census(name)}
    return frozenset(census | set(map(fold, " ".join(_lines("first_names.txt")).split())))


@cache
def surnames() -> frozenset[str]:
    """The more common surnames of the census, folded, and those of other parts of the world."""
    census = {line.split(maxsplit=1)[0].lower() for line in _census(_SURNAME_LIST)[:_COMMON_SURNAMES]}
    return frozenset(census | set(map(fold, " ".join(_lines("surnames.txt")).split())))


def _lines(name: str) -> list[str]:
    text = resources.files(__package__).joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _census(name: str) -> list[str]:
    """Read one of the lists in the ``names`` package, whose own code is not run.

    The package is part of the extra ``[local]``; where it is missing our own lists remain.
    """
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("names")
    if spec is None or spec.origin is None:
        return []
    path = Path(spec.origin).with_name(name)
    return path.read_text("ascii").splitlines() if path.is_file() else []
