"""Parsing of the Accept header."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MULTIPART = "multipart/related"
_ITEM = re.compile(r'(?:[^,"]|"[^"]*")+')
_PARAMETER = re.compile(r';\s*([^=;\s]+)\s*=\s*("[^"]*"|[^;]*)')


@dataclass(frozen=True, slots=True)
class AcceptedType:
    """Acceptable media type.

    Attributes:
        media_type: Media type in lower case, may have wildcards. For a multipart type, the type of its parts.
        multipart: Whether ``multipart/related`` is requested.
        parameters: Parameters by lower-case name, without ``q`` and ``type``.
        quality: ``q``, 1 by default.
    """

    media_type: str
    multipart: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    quality: float = 1.0

    @property
    def transfer_syntax(self) -> str | None:
        """Requested transfer syntax UID, ``*`` for the stored one, or None."""
        return self.parameters.get("transfer-syntax")

    def covers(self, media_type: str) -> bool:
        """Return whether *media_type* is acceptable."""
        return self.media_type in {"*/*", "*", media_type, f"{media_type.partition('/')[0]}/*"}


def accepted(header: str | None) -> list[AcceptedType]:
    """Parse an Accept header, best type first.

    A missing header accepts anything (RFC 9110, 12.5.1).
    """
    if not header or not header.strip():
        return [AcceptedType("*/*")]
    found = [_wanted(item.strip()) for item in _ITEM.findall(header) if item.strip()]
    # sorted() is stable, so types of equal quality keep the client's order.
    return sorted(found or [AcceptedType("*/*")], key=lambda wanted: -wanted.quality)


def _wanted(item: str) -> AcceptedType:
    media_type = item.partition(";")[0].strip().lower()
    parameters = {name.lower(): value.strip().strip('"') for name, value in _PARAMETER.findall(item)}
    try:
        quality = float(parameters.pop("q", "1"))
    except ValueError:
        quality = 0.0
    if media_type == MULTIPART:
        return AcceptedType(parameters.pop("type", "*/*").lower(), True, parameters, quality)
    return AcceptedType(media_type, False, parameters, quality)
