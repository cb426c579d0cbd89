"""Set values and rewritten patterns.

They are for site and trial fields, for example.
"""

from __future__ import annotations

import re
import warnings
from struct import error as StructError  # noqa: N812 - an exception, named as one
from typing import TYPE_CHECKING, Any, NamedTuple

from pydicom.config import RAISE
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.valuerep import validate_value

from healthcare_deid.config.patterns import compile_pattern
from healthcare_deid.config.tags import tag_number
from healthcare_deid.engine.dicom.charsets import write_text
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from healthcare_deid.config.patterns import Pattern, PatternMatch

_STRINGS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_WHOLE = frozenset({"LT", "ST", "UR", "UT"})
_WHOLE_NUMBERS = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})
_REALS = frozenset({"FD", "FL"})
# De-identification markers, which the engine computes itself.
_ENGINES_OWN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280303})
# Character set, UIDs of instance and class, offset from UTC: other values depend on them.
_STRUCTURE = frozenset({0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080201})
_IMAGE = frozenset({0x0028, 0x7FE0})
_ESCAPE = re.compile(r"\\(?:(?P<number>[1-9]\d?)|g<(?P<name>\w+)>|(?P<backslash>\\)|)", re.ASCII)
_NO_GROUP = (
    "in the replacement, a backslash must precede a group number of the pattern, g<name> of a group, or another "
    "backslash"
)
_NOT_WRITABLE = "a value in set_values cannot be encoded in the instance's character set: use ASCII"


class Replacement(NamedTuple):
    r"""A pattern to rewrite in one attribute.

    Attributes:
        tag: Keyword, or number as ``"(gggg,eeee)"`` or eight hexadecimal digits.
        pattern: RE2 regular expression, searched for in each value.
        replacement: Replacement for each match. ``\1`` is the first group, ``\g<name>`` a named group, and ``\\`` a
            backslash.
    """

    tag: str
    pattern: str
    replacement: str


class Written(NamedTuple):
    """An element that the project writes, as text.

    Several values are separated by backslashes.
    """

    tag: int
    vr: str
    text: str
    reason: str = "set-value"

    def element(self) -> DataElement:
        """Return the element for pydicom.

        Raises:
            ValueError: The VR is numeric and the text is not.
        """
        value: Any = self.text
        if self.vr in _WHOLE_NUMBERS:
            value = [int(part) for part in self.text.split("\\")]
        elif self.vr in _REALS:
            value = [float(part) for part in self.text.split("\\")]
        return DataElement(self.tag, self.vr, value)

    def encoded(self, encodings: Sequence[str], *, explicit: bool) -> bytes:
        """Encode the element in little endian.

        Raises:
            EngineError: The text cannot be encoded in the character set.
        """
        self.check(encodings)
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, not explicit
        write_data_element(file, self.element(), list(encodings))
        return file.getvalue()

    def check(self, encodings: Sequence[str]) -> None:
        """Raise EngineError unless the text can be encoded in a character set."""
        if self.text.isascii():
            return
        try:
            write_text(self.text, self.vr, encodings, "")
        except UnicodeError:
            raise EngineError(_NOT_WRITABLE, reason="not-writable") from None


def values_to_set(given: Mapping[str, str]) -> dict[int, Written]:
    """Return the elements to set, by tag.

    Raises:
        ConfigError: A tag is unknown, private or reserved, or a value is invalid for its VR.
    """
    found: dict[int, Written] = {}
    for name, text in given.items():
        tag, vr = _attribute(name, "set_values")
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] # a user's mistake
            raise ConfigError(f"set_values: the value for {name} must be text, not {type(text).__name__}")
        written = Written(tag, vr, text)
        if not is_valid(written):
            raise ConfigError(f"set_values: the value for {name} is not valid for VR {vr}")
        found[tag] = written
    return found


class Rewrite:
    """A compiled pattern with its replacement: text and group references."""

    def __init__(self, pattern: str, replacement: str) -> None:
        """Compile both.

        Raises:
            ValueError: The pattern is invalid, or the replacement names a missing group. The error quotes neither.
        """
        self._pattern = compile_pattern(pattern)
        self._pieces = tuple(_pieces(replacement, self._pattern))

    def on(self, text: str) -> str:
        """Return a text with every match replaced."""
        # RE2's own substitution writes text outside ASCII wrongly.
        return self._pattern.sub(self._in_place_of, text)

    def _in_place_of(self, match: PatternMatch) -> str:
        return "".join(piece if isinstance(piece, str) else match[piece] or "" for piece in self._pieces)


def _pieces(replacement: str, pattern: Pattern) -> Iterator[str | int]:
    """Yield the text and the group numbers of a replacement."""
    end = 0
    for found in _ESCAPE.finditer(replacement):
        yield replacement[end : found.start()]
        end = found.end()
        if found["backslash"]:
            yield "\\"
            continue
        name = found["number"] or found["name"]
        group = int(name) if name and name.isascii() and name.isdigit() else pattern.groupindex.get(name or "")
        if group is None or group > pattern.groups:
            raise ValueError(_NO_GROUP)
        yield group
    yield replacement[end:]


def patterns_to_rewrite(given: Iterable[Replacement | tuple[str, str, str]]) -> dict[int, tuple[Rewrite, ...]]:
    """Return the compiled patterns by tag, in the order given.

    Raises:
        ConfigError: A tag cannot be rewritten, or a pattern or replacement is invalid.
    """
    found: dict[int, tuple[Rewrite, ...]] = {}
    for index, item in enumerate(given):
        try:
            name, pattern, replacement = item
        except ValueError:
            raise ConfigError(f"replace[{index}]: must be a tag, a pattern and a replacement") from None
        tag, vr = _attribute(name, "replace")
        if vr not in _STRINGS - {"UI"}:
            raise ConfigError(f"replace[{index}]: {name} has VR {vr}, which is not text")
        try:
            rewrite = Rewrite(pattern, replacement)
        except ValueError as error:
            raise ConfigError(f"replace[{index}]: {error}") from None
        except TypeError:
            raise ConfigError(f"replace[{index}]: the pattern and its replacement must be text") from None
        found[tag] = (*found.get(tag, ()), rewrite)
    return found


def by_patterns(rewrites: Iterable[Rewrite], text: str) -> str:
    """Apply every pattern to a text, in the order given."""
    for rewrite in rewrites:
        text = rewrite.on(text)
    return text


def is_valid(written: Written) -> bool:
    """Return whether a text is valid for its VR (PS3.5 table 6.2-1)."""
    parts = [written.text] if written.vr in _WHOLE else written.text.split("\\")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pydicom only warns about numbers out of range
            for part in parts:
                if written.vr in _STRINGS:
                    validate_value(written.vr, part, RAISE)
            write_data_element(_scratch(), written.element(), ["utf_8"])
    except (ValueError, TypeError, OverflowError, StructError, Warning):
        return False
    return all(part.isprintable() for part in parts) or written.vr in {"LT", "ST", "UT"}


def _scratch() -> DicomBytesIO:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    return file


def _attribute(name: str, argument: str) -> tuple[int, str]:
    """Return tag and VR of a changeable attribute."""
    try:
        tag = tag_number(name)
    except ValueError as error:
        raise ConfigError(f"{argument}: {error}") from None
    if tag >> 16 & 1 or not dictionary_has_tag(tag):
        raise ConfigError(f"{argument}: {name} is private or not in the DICOM dictionary")
    vr = dictionary_VR(tag)
    if tag in _ENGINES_OWN:
        raise ConfigError(f"{argument}: {keyword_for_tag(tag)} is reserved: the engine writes it from what it did")
    if tag in _STRUCTURE or tag >> 16 in _IMAGE or tag < 0x00080000:
        raise ConfigError(f"{argument}: {name} cannot be changed, because other elements depend on it")
    if vr not in _STRINGS | _WHOLE_NUMBERS | _REALS:
        raise ConfigError(f"{argument}: {name} has VR {vr}, which is neither text nor a number")
    return tag, vr
