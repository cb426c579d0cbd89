"""Word lists, loaded on first use: census names, ordinary words, places."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMON_SURNAMES = 600
# Letters that Unicode does not decompose into a base letter and an accent.
_UNACCENTED = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i", "ð": "d", "þ": "th"}
)

# Greek and Latin endings of medical terms, and the nouns that German and Dutch compounds of the field end with.
_ENDINGS = (
    "itis itides osis oses oma omas omata pathy pathies ectomy otomy ostomy plasty scopy graphy graphic gram"
    " grams graphie grafia grafie malacia plasia plastic megaly algia algie aemia emia emic uria rrhoea rrhea"
    " rrhage cele ectasis ectasia ectatic trophy trophic penia lysis lytic stenosis genic genesis sclerosis desis"
    " pexy phagia phasia plegia paresis esthesia listhesis thorax cardial cardia vascular renal hepatic gastric"
    " pelvic lateral dorsal ventral cranial caudal scopic metry metric ological ology ologist lappen gelenk"
    " gelenke gelenks knochen wirbel sehne sehnen muskel arterie arterien vene venen aufnahme aufnahmen"
    " darstellung untersuchung rekonstruktion sequenz fraktur frakturen verletzung verkalkung verkalkungen erguss"
    " hohle schlagader druse drusen gewebe bereich lagerung entzundung verletzungen metastase metastasen kontrolle"
    " naald slagader ontsteking gewricht breuk"
)
_FIELD_ENDINGS = tuple(_ENDINGS.split())
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
    """Return a word without case and accents."""
    word = word.lower()
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFKD", word.translate(_UNACCENTED))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@cache
def vocabulary() -> frozenset[str]:
    """Return folded words of the field.

    They are not names when they stand alone.
    """
    return frozenset(map(fold, _words_of("vocabulary.txt")))


@cache
def eponyms() -> frozenset[str]:
    """Return folded names that the field uses for its own things.

    Examples: Haglund, Metzenbaum.
    """
    return frozenset(_words_of("eponyms.txt"))


@cache
def everyday() -> frozenset[str]:
    """Return the vocabulary, everyday English and drug names."""
    return vocabulary() | frozenset(_words_of("english.txt") + _words_of("drugs.txt"))


@lru_cache(maxsize=16_384)
def is_field_word(word: str) -> bool:
    """Return whether a folded word is an ordinary word, a drug, a medical term, or a form of one."""
    known = everyday()
    return word in known or has_field_ending(word) or any(stem in known for stem in stems(word))


def has_field_ending(word: str) -> bool:
    """Return whether a folded word, of plain letters, ends like a term of the field after three letters or more."""
    return word[3:].endswith(_FIELD_ENDINGS) and word.isascii() and word.isalpha()


def stems(word: str) -> Iterator[str]:
    """Yield the possible base forms of a folded word."""
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
    """Return folded place names by their first word.

    Each is split into words, and the longest comes first.
    """
    table: dict[str, list[tuple[str, ...]]] = {}
    # The cities are folded already.
    for line in (*(fold(line).replace(".", "") for line in data_lines("places.txt")), *data_lines("cities.txt")):
        words = tuple(line.split())
        table.setdefault(words[0], []).append(words)
    return {first: tuple(sorted(names, key=len, reverse=True)) for first, names in table.items()}


def begins_with_a_place(words: Sequence[str]) -> bool:
    """Return whether folded words are a listed place, or begin with one: High Point, and not High alone."""
    return any(tuple(words[: len(name)]) == name for name in places().get(words[0], ()))


@cache
def first_names() -> frozenset[str]:
    """Return folded first names.

    They come from the US census and from other parts of the world.
    """
    census, world = _words_of("census_first_names.txt"), _words_of("world_first_names.txt")
    return frozenset((*census, *world, *map(fold, _words_of("first_names.txt"))))


@cache
def surnames() -> frozenset[str]:
    """Return folded surnames.

    They are the more common ones of the US census, and those of other parts of the world.
    """
    census, world = _words_of("census_surnames.txt"), _words_of("world_surnames.txt")
    return frozenset((*census, *world, *map(fold, _words_of("surnames.txt"))))


@cache
def word_set(name: str) -> frozenset[str]:
    """Return a word set of ``data/word_sets.txt``."""
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
    """Return the most common folded surnames.

    Each is likely a name even if the word has another meaning.
    """
    return frozenset(_words_of("census_surnames.txt")[:_COMMON_SURNAMES])


def data_lines(name: str) -> list[str]:
    """Return the lines of a data file without comments."""
    text = resources.files("healthcare_deid.engine.text").joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _words_of(name: str) -> list[str]:
    return " ".join(data_lines(name)).split()
