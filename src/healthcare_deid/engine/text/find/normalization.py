"""Normalization of a text for detectors.

Findings are mapped back to the original.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from healthcare_deid.engine.text.match import Match

_SPACES_AND_DASHES = str.maketrans(
    dict.fromkeys(
        "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "
    )
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d", "-")
    | dict.fromkeys("\u2018\u201b\u02bc\uff07", "'")
)
# Ranges without format characters, unusual spaces, dashes and digits, and characters that form KC changes. Other texts
# are normalized by Unicode's own tables.
_PLAIN = re.compile(r"[\x00-\x7f\u00a1-\u00a9\u00ab\u00ac\u00ae-\u02bb\u02bd-\u02ff\u1e00-\u1eff\u2019\u20ac]*")
# Characters that normalization may change: all but ASCII and the Latin letters that form KC keeps.
_SPECIAL = re.compile(r"[^\x00-\x7f\u00c0-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u2019]")


@dataclass(frozen=True, slots=True)
class NormalizedText:
    """A normalized text, with the position of each character in the original.

    Attributes:
        text: The text to search.
        starts: Index in the original for each character, and one more for the end; None if both texts are equal.
    """

    text: str
    starts: tuple[int, ...] | None = None

    def in_original(self, match: Match) -> Match:
        """Return a finding's range in the original.

        Invisible characters in it and after it are included.
        """
        if self.starts is None:
            return match
        return Match(self.starts[match.start], self.starts[match.end], match.info_type)


def normalize_text(text: str) -> NormalizedText:
    """Normalize a text, so that a name is found however it was typed.

    Compatibility forms become plain ones, digits of any script 0 to 9, and combining marks part of their letter. Spaces
    and dashes become ordinary ones, and zero-width and direction characters are dropped. Source of the classes: the
    Unicode Character Database.
    """
    if text.isascii() or _PLAIN.fullmatch(text):
        return NormalizedText(text)
    letters: list[str] = []
    starts: list[int] = []
    position = 0
    for special in _SPECIAL.finditer(text):
        index = special.start()
        letters += text[position:index]
        starts += range(position, index)
        position = index + 1
        character = special[0]
        digit = unicodedata.decimal(character, None)
        plain = unicodedata.normalize("NFKC", character) if digit is None else str(digit)
        category = unicodedata.category(plain) if len(plain) == 1 else ""
        if category == "Cf":
            continue
        if category in {"Mn", "Mc", "Me"}:
            if letters:
                composed = unicodedata.normalize("NFC", letters[-1] + plain)
                letters[-1] = composed if len(composed) == 1 else letters[-1]
            continue
        for piece in plain.translate(_SPACES_AND_DASHES):
            letters.append(piece)
            starts.append(index)
    letters += text[position:]
    starts += range(position, len(text))
    return NormalizedText("".join(letters), (*starts, len(text)))
