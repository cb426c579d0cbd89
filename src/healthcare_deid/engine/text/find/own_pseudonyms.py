"""Replacement of an instance's own identifiers in text by their pseudonyms."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.own_terms import OwnTerms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.text.find.own_values import OwnValue

_BETWEEN = " ^,.=-_/'"
_ESCAPE = b"\x1b"


class Named(NamedTuple):
    """Identifiers of one identity, with their pseudonyms.

    Attributes:
        values: The header's values.
        new_id: Pseudonym for numbers.
        new_name: Pseudonym for names.
    """

    values: tuple[OwnValue, ...]
    new_id: str
    new_name: str


class Span(NamedTuple):
    """A range of text that repeats an identifier, and its pseudonym."""

    start: int
    end: int
    new: str


class OwnPseudonyms:
    """Pseudonyms of one instance's identifiers.

    Args:
        identities: Identities in order of precedence for overlapping matches.
    """

    def __init__(self, identities: Iterable[Named]) -> None:
        self._identities = [(OwnTerms(item.values), item) for item in identities]

    def __repr__(self) -> str:
        return f"OwnPseudonyms({len(self._identities)} identities)"

    def spans(self, text: str) -> list[Span]:
        """Return the ranges that repeat an identifier, in order and without overlaps."""
        found: list[Span] = []
        for terms, identity in self._identities:
            for match in terms.matches(text):
                new = identity.new_name if match.info_type == ValueKind.NAME.value else identity.new_id
                if not any(match.start < span.end and span.start < match.end for span in found if span.new != new):
                    found.append(Span(match.start, match.end, new))
        return _joined(sorted(found), text)

    def replace(self, text: str) -> str:
        """Replace every identifier in a text by its pseudonym."""
        pieces: list[str] = []
        position = 0
        for start, end, new in self.spans(text):
            pieces += [text[position:start], new]
            position = end
        return "".join([*pieces, text[position:]])

    def replace_bytes(self, value: bytes) -> bytes:
        """Replace every non-ASCII name in an encoded value by its pseudonym."""
        if value.isascii() or _ESCAPE in value:
            return value  # after an ISO 2022 escape sequence, ASCII bytes may be other characters
        for terms, identity in self._identities:
            value = terms.erase_bytes(value, identity.new_name.encode())
        return value


def _joined(spans: list[Span], text: str) -> list[Span]:
    """Join ranges of one identity.

    Only punctuation separates them, as between family and given name.
    """
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last is not None and last.new == span.new and not text[last.end : span.start].strip(_BETWEEN):
            joined[-1] = Span(last.start, max(last.end, span.end), last.new)
        else:
            joined.append(span)
    return joined
