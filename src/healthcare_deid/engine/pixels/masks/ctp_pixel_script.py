"""Parser of the pixel scripts of RSNA's Clinical Trial Processor: conditions in braces, followed by regions.

Between a closing and the next opening brace, four numbers in parentheses are a region; everything else is prose.
Source: the articles "The CTP DICOM Pixel Anonymizer" and "The CTP DICOM Filter" of the MIRC wiki; for the syntax of
regions, CTP's class PixelScript.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.masks.conditions import AllOf, AnyOf, Condition, Not, Relation, Test, tag_named
from healthcare_deid.engine.pixels.masks.device_masks import Mask
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PARENTHESES = re.compile(r"\(([^)]*)\)")
_NUMBERS = re.compile(r"\s*[\d.+-]+\s*(?:,\s*[\d.+-]*\s*)+")
"""Numbers meant as a region, valid or not; prose in parentheses does not match."""
_REGION = re.compile(r",".join([r"\s*(-?\d+)\s*"] * 4))
_TOKEN = re.compile(
    r"\s*(?://[^\n]*\s*)*"
    r"(?:(?P<sign>[!*+()])"
    r"|(?P<constant>true\.|false\.)"
    r'|(?P<name>\[[^\]]*\]|\w+)\s*\.\s*(?P<method>\w+)\s*\(\s*(?:"(?P<value>[^"]*)")?\s*\))'
)
_IGNORE_CASE = "IgnoreCase"
_METHODS = {
    "equals": Relation.EQUALS,
    "contains": Relation.CONTAINS,
    "startsWith": Relation.STARTS,
    "endsWith": Relation.ENDS,
    "matches": Relation.MATCHES,
    "isLessThan": Relation.LESS,
    "isGreaterThan": Relation.GREATER,
}


def read_ctp_script(text: str) -> list[Mask]:
    """Return the masks of a script.

    Raises:
        ConfigError: The script has no signature with regions, or a region or condition is invalid.
    """
    found: list[Mask] = []
    place = text.find("{")
    while place >= 0:
        start, where = place, f"masks, line {text.count(chr(10), 0, place) + 1}"
        end = _closing(text, start, where)
        place = text.find("{", end)
        regions = _regions(text[end : place if place >= 0 else None], where)
        if regions:
            found.append(Mask(_Expression(text[start + 1 : end], where).condition(), regions))
    if not found:
        raise ConfigError("masks: a pixel script has conditions in braces, and regions (x,y,width,height) after them")
    return found


def _closing(text: str, start: int, where: str) -> int:
    quoted = False
    for place in range(start, len(text)):
        if text[place] == '"':
            quoted = not quoted
        elif text[place] == "}" and not quoted:
            return place
    raise ConfigError(f"{where}: a brace is not closed")


def _regions(text: str, where: str) -> tuple[Box, ...]:
    found: list[Box] = []
    for inside in _PARENTHESES.findall(text):
        if (match := _REGION.fullmatch(inside)) is not None:
            left, top, width, height = map(int, match.groups())
            found.append(Box(left, top, left + width, top + height))
        elif _NUMBERS.fullmatch(inside):
            raise ConfigError(f"{where}: a region must be four whole numbers (x,y,width,height)")
    return tuple(box for box in found if box.area)


class _Expression:
    """Recursive-descent parser of a condition: ``+`` is "or", ``*`` is "and" and binds tighter, ``!`` is "not"."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._tokens = list(self._read(text))
        self._at = 0

    def condition(self) -> Condition:
        """Return the whole expression."""
        try:
            found = self._any()
        except RecursionError:
            raise self._misread() from None
        if self._at < len(self._tokens):
            raise self._misread()
        return found

    def _read(self, text: str) -> Iterator[re.Match[str]]:
        place, end = 0, len(re.sub(r"(\s|//[^\n]*)+\Z", "", text))
        while place < end:
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._misread()
            yield match
            place = match.end()

    def _takes(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at]["sign"] == sign:
            self._at += 1
            return True
        return False

    def _any(self) -> Condition:
        found = [self._all()]
        while self._takes("+"):
            found.append(self._all())
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _all(self) -> Condition:
        found = [self._one()]
        while self._takes("*"):
            found.append(self._one())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def _one(self) -> Condition:
        if self._takes("!"):
            return Not(self._one())
        if self._takes("("):
            found = self._any()
            if not self._takes(")"):
                raise self._misread()
            return found
        if self._at >= len(self._tokens) or self._tokens[self._at]["sign"]:
            raise self._misread()
        token = self._tokens[self._at]
        self._at += 1
        if token["constant"]:
            return AllOf(()) if token["constant"] == "true." else AnyOf(())
        return self._test(token["name"], token["method"], token["value"] or "")

    def _test(self, name: str, method: str, value: str) -> Test:
        relation = _METHODS.get(method.removesuffix(_IGNORE_CASE))
        if relation is None:
            raise ConfigError(f"{self._where}: unknown comparison {method}")
        pattern = f"^(?:{value})$" if relation is Relation.MATCHES else value
        return Test(tag_named(name, self._where), relation, pattern, ignore_case=method.endswith(_IGNORE_CASE))

    def _misread(self) -> ConfigError:
        return ConfigError(f"{self._where}: the condition cannot be read")
