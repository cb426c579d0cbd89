"""Word lists, loaded when first needed: names of the US census, words that are no names, places."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SURNAME_LIST = "dist.all.last"
_FIRST_NAME_LISTS = ("dist.male.first", "dist.female.first")
_COMMON_SURNAMES = 30_000
_VERY_COMMON_SURNAMES = 600
_UNACCENTED = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th"}
)

FIELD_ENDING = re.compile(
    r"[a-z]{3,}(?:itis|itides|osis|oses|oma|omas|omata|pathy|pathies|ectomy|otomy|ostomy|plasty|scopy|graphy|graphic|gram"
    r"|grams|graphie|grafia|grafie|malacia|plasia|plastic|megaly|algia|algie|aemia|emia|emic|uria|rrhoea|rrhea|rrhage"
    r"|cele|ectasis|ectasia|ectatic|trophy|trophic|penia|lysis|lytic|stenosis|genic|genesis|sclerosis|desis|pexy|phagia"
    r"|phasia|plegia|paresis|esthesia|listhesis|thorax|cardial|cardia|vascular|renal|hepatic|gastric|pelvic|lateral"
    r"|dorsal|ventral|cranial|caudal|scopic|metry|metric|ological|ology|ologist)"
)
"""Greek and Latin endings of the field's words."""
_INFLECTIONS = (
    "ization",
    "isation",
    "nesses",
    "ingly",
    "ness",
    "ing",
    "ies",
    "ied",
    "est",
    "ers",
    "es",
    "ed",
    "er",
    "ly",
    "s",
)


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
    return frozenset(map(fold, " ".join(data_lines("vocabulary.txt")).split()))


@cache
def eponyms() -> frozenset[str]:
    """Names of persons and products that the field uses for its own things, folded: Haglund, Metzenbaum."""
    return frozenset(" ".join(data_lines("eponyms.txt")).split())


@cache
def everyday() -> frozenset[str]:
    """Words that are no names when they stand alone: the vocabulary, the rest of everyday English, and drugs."""
    listed = (word for name in ("english.txt", "drugs.txt") for line in data_lines(name) for word in line.split())
    return vocabulary() | frozenset(listed)


@lru_cache(maxsize=16_384)
def is_field_word(word: str) -> bool:
    """Return whether a folded word is an everyday one, a drug or a term of the field, or a form of one of them."""
    known = everyday()
    return word in known or FIELD_ENDING.fullmatch(word) is not None or any(stem in known for stem in stems(word))


def stems(word: str) -> Iterator[str]:
    """Yield what a folded word may be a form of, without its ending."""
    for ending in _INFLECTIONS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= 4:
            yield from (stem, f"{stem}e")
            if ending.startswith("i") and ending != "ing":
                yield f"{stem}y"
            if stem[-1] == stem[-2]:
                yield stem[:-1]


@cache
def places() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Place names, folded, by their first word: the words of each, longest first."""
    table: dict[str, list[tuple[str, ...]]] = {}
    for line in (*data_lines("places.txt"), *data_lines("cities.txt")):
        words = tuple(fold(line).replace(".", "").split())
        table.setdefault(words[0], []).append(words)
    return {first: tuple(sorted(names, key=len, reverse=True)) for first, names in table.items()}


@cache
def first_names() -> frozenset[str]:
    """First names, folded: the census' and those of other parts of the world."""
    census = {word for name in _FIRST_NAME_LISTS for word in _census(name)}
    return frozenset(census | set(map(fold, " ".join(data_lines("first_names.txt")).split())))


@cache
def surnames() -> frozenset[str]:
    """The more common surnames of the census, folded, and those of other parts of the world."""
    return frozenset(
        set(_census(_SURNAME_LIST)[:_COMMON_SURNAMES]) | set(map(fold, " ".join(data_lines("surnames.txt")).split()))
    )


@cache
def word_set(name: str) -> frozenset[str]:
    """Return one of the small sets of ``data/word_sets.txt``."""
    return _word_sets()[name]


@cache
def _word_sets() -> dict[str, frozenset[str]]:
    sets: dict[str, list[str]] = {}
    for line in data_lines("word_sets.txt"):
        if line.startswith("["):
            sets[line.strip("[]")] = []
        else:
            sets[next(reversed(sets))] += line.split()
    return {name: frozenset(words) for name, words in sets.items()}


@cache
def common_surnames() -> frozenset[str]:
    """The surnames so common that they are likely one even where the word means something else, folded."""
    return frozenset(_census(_SURNAME_LIST)[:_VERY_COMMON_SURNAMES])


def census_names() -> list[str]:
    """Return every name of the census, the rare ones too."""
    return [word for name in (_SURNAME_LIST, *_FIRST_NAME_LISTS) for word in _census(name)]


def data_lines(name: str) -> list[str]:
    """Return the lines of a data file, comments left out."""
    text = resources.files("healthcare_deid.engine.text").joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _census(name: str) -> list[str]:
    """Read one of the lists in the ``names`` package, whose own code is not run: in lower case, common ones first.

    The package is part of the extra ``[local]``; where it is missing our own lists remain.
    """
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec("names")
    if spec is None or spec.origin is None:
        return []
    path = Path(spec.origin).with_name(name)
    lines = path.read_text("ascii").splitlines() if path.is_file() else []
    return [line.split(maxsplit=1)[0].lower() for line in lines]
