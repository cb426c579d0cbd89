"""Attribute matching of searches.

Source: PS3.4 section C.2.2.2, as applied by QIDO-RS.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from healthcare_deid.emulator.errors import invalid

_HEX_TAG = re.compile(r"[0-9A-Fa-f]{8}")
# The VRs that allow wildcard matching (PS3.4 section C.2.2.2.4), and private or unknown attributes.
_WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", ""})
_RANGE_VRS = frozenset({"DA", "TM", "DT"})
_RANGE = re.compile(r"(\d[\d.]*)?-(\d[\d.]*)?")
_PLAIN = re.compile(r"[A-Za-z0-9^ .-]+")
_UID_SEPARATORS = re.compile(r"[,\\]")


@dataclass(frozen=True, slots=True)
class SearchKey:
    """One condition of a search.

    Attributes:
        tags: Path of the attribute as 8-digit hexadecimal tags, sequences first.
        value: Value to match, never empty.
        fuzzy: Whether a person name matches by the first letters of its words.
    """

    tags: tuple[str, ...]
    value: str
    fuzzy: bool = False

    @property
    def vr(self) -> str:
        """VR of the attribute; empty if private or unknown."""
        try:
            return dictionary_VR(int(self.tags[-1], 16))
        except KeyError:
            return ""

    @property
    def exact_values(self) -> list[str] | None:
        """Values of which one must match exactly.

        None if the condition is not an exact match.
        """
        if self.vr == "UI":
            return [part for part in _UID_SEPARATORS.split(self.value) if part]
        if self.vr in _RANGE_VRS:
            return None if "-" in self.value else [self.value]
        return None if self.vr == "PN" or "*" in self.value or "?" in self.value else [self.value]

    @property
    def bounds(self) -> tuple[str, str] | None:
        """First and last value of a date or time range.

        An open end is an empty string. None if the condition is not a range.
        """
        found = _RANGE.fullmatch(self.value) if self.vr in _RANGE_VRS else None
        return (found.group(1) or "", found.group(2) or "") if found else None

    @property
    def literal(self) -> str:
        """Text that every matching ASCII value contains, in any case.

        Empty if there is no such text.
        """
        if self.fuzzy or self.bounds is not None or len(self.exact_values or []) > 1:
            return ""
        return max(_PLAIN.findall(self.value.rstrip("^")), key=len, default="")

    def matches(self, attributes: dict[str, Any]) -> bool:
        """Return whether an instance matches."""
        return any(self._one(text) for text in _values_at(attributes, self.tags))

    def _one(self, text: str) -> bool:
        exact = self.exact_values
        if exact is not None:
            return text in exact
        if self.bounds is not None:
            first, last = self.bounds
            return bool(text) and first <= text and (not last or text[: len(last)] <= last)
        if self.vr == "PN":
            return self._name(text.upper())
        return self.vr in _WILDCARD_VRS and _like(text, self.value)

    def _name(self, name: str) -> bool:
        wanted = self.value.upper()
        if not self.fuzzy:
            # Trailing empty components do not change a person name.
            return _like(name.rstrip("^"), wanted.rstrip("^"))
        words = re.split(r"[\^\s=]+", name)
        return all(any(word.startswith(start) for word in words) for start in re.split(r"[\^\s=*]+", wanted) if start)


def search_tags(name: str) -> tuple[str, ...]:
    """Return the path of an attribute as 8-digit hexadecimal tags.

    Args:
        name: Keyword, tag, or dotted path of either.

    Raises:
        ServiceError: 400: the attribute does not exist.
    """
    tags: list[str] = []
    for part in name.split("."):
        number = tag_for_keyword(part)
        if number is not None:
            tags.append(f"{number:08X}")
        elif _HEX_TAG.fullmatch(part):
            tags.append(part.upper())
        else:
            raise invalid(f"Unknown query parameter or DICOM attribute {name[:64]!r}.")
    return tuple(tags)


def _values_at(attributes: dict[str, Any], tags: tuple[str, ...]) -> list[str]:
    values = attributes.get(tags[0], {}).get("Value", [])
    if len(tags) > 1:
        return [text for item in values if isinstance(item, dict) for text in _values_at(item, tags[1:])]
    found: list[str] = []
    for value in values:
        if isinstance(value, dict):
            found += [str(group) for group in value.values()]
        elif value is not None:
            found.append(str(value))
    return found


def _like(text: str, pattern: str) -> bool:
    # DICOM has the wildcards * and ?; fnmatch also has [...].
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
