"""Cyrillic and Greek names of the header, as a recognizer of Latin letters reads them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.text.match import TextInspector

_ALIKE = {
    letter: alike
    for letters, alikes in {
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425": "ABEKMHOPCTYX",
        "\u0406\u0408\u0405\u0417\u0427\u0411": "IJS346",
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455": "aeopcyxijs",
        "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7": "ABEZHIKMNOPTYX",
        "\u03bf\u03b9\u03bd\u03ba\u03c1": "oivkp",
    }.items()
    for letter, alike in zip(letters, alikes, strict=True)
}
"""Latin lookalikes of Cyrillic and Greek letters. Accents are removed before the lookup."""
_UNLIKE = r"[^\W_]{0,3}"
"""Pattern of a letter without a lookalike: the recognizer skips it, or reads it as up to three characters."""
_WORD = re.compile(r"[^\W_]+")
FEWEST_LETTERS = 3
"""Fewest letters of a word with a lookalike; words with fewer are often marks or units."""


class LookalikeInspector:
    """Adds lookalike spellings of the header's names to the findings of another inspector.

    Args:
        inspector: The other inspector.
        names: Pattern of the names, from `lookalike_names`.
    """

    def __init__(self, inspector: TextInspector, names: re.Pattern[str]) -> None:
        self._inspector = inspector
        self._names = names

    def find(self, text: str) -> Sequence[Match]:
        """Return the findings, ordered by position."""
        found = list(self._inspector.find(text))
        found += [Match(*match.span(), "PERSON_NAME") for match in self._names.finditer(text)]
        return sorted(found, key=lambda item: (item.start, item.end))


def lookalike_names(dataset: Dataset) -> re.Pattern[str] | None:
    """Return a pattern of an instance's names as Latin lookalikes; None if they have none."""
    words = {word for value in _names(dataset) for word in _WORD.findall(value)}
    alike = sorted(pattern for word in words if (pattern := _alike(word)))
    return re.compile(rf"\b(?:{'|'.join(alike)})\b", re.IGNORECASE) if alike else None


def _alike(word: str) -> str:
    """Return a pattern of a word's lookalikes; empty if the word is Latin or has too few letters with lookalikes."""
    plain = [letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter)]
    letters = [_ALIKE.get(letter) for letter in plain]
    if sum(letter is not None for letter in letters) < max(FEWEST_LETTERS, len(plain) / 2):
        return ""
    return "".join(letter or _UNLIKE for letter in letters)


def _names(dataset: Dataset) -> Iterator[str]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value or ():
                yield from _names(item)
        elif element.VR == "PN" and element.value:
            yield from (str(value) for value in ([element.value] if element.VM == 1 else element.value))
