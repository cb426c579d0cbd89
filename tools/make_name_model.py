"""Make ``engine/text/data/name_trigrams.txt``: how much more often three letters stand in names than in other words.

Needs what the package itself does not: ``pip install faker names==0.3.0``, and a list of English words (Debian's
``wamerican``, from SCOWL). The lists are counted and not kept::

    python tools/make_name_model.py /usr/share/dict/american-english
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import math
import pkgutil
import re
from collections import Counter
from pathlib import Path
from typing import Any

import make_census_names

from healthcare_deid.engine.text.find import lexicon
from healthcare_deid.engine.text.find.name_model import LETTERS, LEVELS, MIDDLE, STEP, trigrams

TARGET = Path(lexicon.__file__).parents[1] / "data" / "name_trigrams.txt"
HEADER = """\
# How much more often three letters stand in names of persons than in other words: one row a first letter, 27 x 27
# characters in it; made by tools/make_name_model.py from all names of the US census and of Faker's
# locales (MIT), the English words of SCOWL (Debian's wamerican) and vocabulary.txt. Only counts are kept, no list.
"""
_SMOOTHING = 2.0
_FOREIGN_WEIGHT = 2
_FIELD_WEIGHT = 3
_WORD = re.compile(r"[a-z]{3,20}")


def main() -> None:
    """Count, and write the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("words", type=Path, help="a list of English words, one a line")
    names, words = _names(), _words(arguments.parse_args().words)
    in_names, in_words = _count(names), _count(words)
    all_names, all_words = sum(in_names.values()), sum(in_words.values())
    room = _SMOOTHING * len(LETTERS) ** 3

    def character(trigram: str) -> str:
        name = math.log((in_names[trigram] + _SMOOTHING) / (all_names + room))
        word = math.log((in_words[trigram] + _SMOOTHING) / (all_words + room))
        level = round((name - word) / STEP) + MIDDLE
        return LEVELS[min(max(level, 0), len(LEVELS) - 1)]

    rows = (
        "".join(character(first + second + third) for second, third in itertools.product(LETTERS, repeat=2))
        for first in LETTERS
    )
    TARGET.write_text(HEADER + "\n".join(rows) + "\n", "ascii")
    print(f"{len(names)} names, {len(words)} words -> {TARGET.name}")


def _count(weights: Counter[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word, weight in weights.items():
        for trigram in trigrams(word):
            counts[trigram] += weight
    return counts


def _names() -> Counter[str]:
    census = [*make_census_names.surnames(), *make_census_names.first_names()]
    names = Counter(dict.fromkeys(filter(_WORD.fullmatch, census), 1))
    for word in lexicon.first_names() | lexicon.surnames():
        if _WORD.fullmatch(word):
            names[word] = max(names[word], 1)
    locales: Any = importlib.import_module("faker.providers.person")
    for locale in pkgutil.iter_modules(locales.__path__):
        provider: Any = importlib.import_module(f"{locales.__name__}.{locale.name}").Provider
        for word in set(_words_of(provider)):
            names[word] += _FOREIGN_WEIGHT
    return names


def _words_of(provider: Any) -> list[str]:
    """Return the folded words of a locale's name lists, those in Latin letters."""
    found: list[str] = []
    for attribute in dir(provider):
        if "name" in attribute and not re.search("format|prefix|suffix", attribute):
            found += _texts(getattr(provider, attribute))
    return [
        plain
        for text in found
        for word in re.findall(r"[^\W\d_]+", text)
        if _WORD.fullmatch(plain := lexicon.fold(word))
    ]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list | tuple | set | frozenset):
        return [text for item in value for text in _texts(item)]
    return []


def _words(path: Path) -> Counter[str]:
    english = (line.strip() for line in path.read_text("utf-8").splitlines())
    # Capitals are names; short words are abbreviations more than they are spelled like anything.
    words = Counter({word: 1 for word in english if len(word) > 4 and _WORD.fullmatch(word)})
    for word in lexicon.vocabulary():
        if len(word) > 3 and _WORD.fullmatch(word):
            words[word] = _FIELD_WEIGHT
    return words


if __name__ == "__main__":
    main()
