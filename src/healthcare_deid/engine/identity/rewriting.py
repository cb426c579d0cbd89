"""Values that a project sets, and patterns that it rewrites: site and trial fields."""

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

    from healthcare_deid.config.patterns import Found, Pattern

_STRINGS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
_WHOLE = frozenset({"LT", "ST", "UR", "UT"})
_WHOLE_NUMBERS = frozenset({"SL", "SS", "SV", "UL", "US", "UV"})
_REALS = frozenset({"FD", "FL"})
_ENGINES_OWN = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280303})
"""What an instance says of its de-identification: computed from what was done."""
_STRUCTURE = frozenset({0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080201})
"""Character set, UIDs of the instance and its class, offset from UTC: other values hang on them."""
_IMAGE = frozenset({0x0028, 0x7FE0})
_ESCAPE = re.compile(r"\\(?:(?P<number>[1-9]\d?)|g<(?P<name>\w+)>|(?P<backslash>\\)|)", re.ASCII)
_NO_GROUP = (
    "a backslash in the replacement stands before the number of a group of the pattern, before g<its name>, or before "
    "another backslash"
)
_NOT_WRITABLE = "a value to set cannot be written in the instance's character set"


class Replacement(NamedTuple):
    r"""One pattern to rewrite in one attribute.

    Attributes:
        tag: Keyword, or number as ``"(gggg,eeee)"`` or eight hexadecimal digits.
        pattern: Regular expression of RE2, searched for in each value.
        replacement: What stands in the place of each match; ``\1`` is the first group, ``\g<name>`` the group of that
            name, and ``\\`` a backslash.
    """

    tag: str
    pattern: str
    replacement: str


class Written(NamedTuple):
    """An element of the project's own: a text in its VR, several values with a backslash between them."""

    tag: int
    vr: str
    text: str
    reason: str = "set-value"

    def element(self) -> DataElement:
        """Return it as pydicom has it.

        Raises:
            ValueError: The text is no number, and the VR holds numbers.
        """
        value: Any = self.text
        if self.vr in _WHOLE_NUMBERS:
            value = [int(part) for part in self.text.split("\\")]
        elif self.vr in _REALS:
            value = [float(part) for part in self.text.split("\\")]
        return DataElement(self.tag, self.vr, value)

    def encoded(self, encodings: Sequence[str], *, explicit: bool) -> bytes:
        """Return it in little endian.

        Raises:
            EngineError: It cannot be written in the character set.
        """
        self.check(encodings)
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, not explicit
        write_data_element(file, self.element(), list(encodings))
        return file.getvalue()

    def check(self, encodings: Sequence[str]) -> None:
        """Raise EngineError unless the text can be written in a character set."""
        if self.text.isascii():
            return
        try:
            write_text(self.text, self.vr, encodings, "")
        except UnicodeError:
            raise EngineError(_NOT_WRITABLE, reason="not-writable") from None


def values_to_set(given: Mapping[str, str]) -> dict[int, Written]:
    """Return the elements that are set, by tag.

    Raises:
        ConfigError: A tag is unknown, private or not to be set, or a value is not one of its VR.
    """
    found: dict[int, Written] = {}
    for name, text in given.items():
        tag, vr = _attribute(name, "set_values")
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] # a user's mistake
            raise ConfigError(f"set_values: a text is needed for {name}, not {type(text).__name__}")
        written = Written(tag, vr, text)
        if not is_valid(written):
            raise ConfigError(f"set_values: the value for {name} is not one of VR {vr}")
        found[tag] = written
    return found


class Rewrite:
    """A pattern, and what stands in the place of each of its matches: text, and groups by number.

    RE2's own substitution is not used: it writes text outside ASCII wrongly.
    """

    def __init__(self, pattern: str, replacement: str) -> None:
        """Read both.

        Raises:
            ValueError: The pattern is refused, or the replacement names a group that it lacks. Neither is quoted.
        """
        self._pattern = compile_pattern(pattern)
        self._pieces = tuple(_pieces(replacement, self._pattern))

    def on(self, text: str) -> str:
        """Return a text with every match replaced."""
        return self._pattern.sub(self._in_place_of, text)

    def _in_place_of(self, match: Found) -> str:
        return "".join(piece if isinstance(piece, str) else match[piece] or "" for piece in self._pieces)


def _pieces(replacement: str, pattern: Pattern) -> Iterator[str | int]:
    """Yield the text and the groups of a replacement."""
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
    """Return the patterns and what stands in their place, by tag, in the order given.

    Raises:
        ConfigError: A tag cannot be rewritten, or a pattern or a replacement is none.
    """
    found: dict[int, tuple[Rewrite, ...]] = {}
    for index, item in enumerate(given):
        try:
            name, pattern, replacement = item
        except ValueError:
            raise ConfigError(f"replace[{index}]: a tag, a pattern and a replacement are needed") from None
        tag, vr = _attribute(name, "replace")
        if vr not in _STRINGS - {"UI"}:
            raise ConfigError(f"replace[{index}]: {name} holds no text")
        try:
            rewrite = Rewrite(pattern, replacement)
        except ValueError as error:
            raise ConfigError(f"replace[{index}]: {error}") from None
        except TypeError:
            raise ConfigError(f"replace[{index}]: the pattern and its replacement have to be text") from None
        found[tag] = (*found.get(tag, ()), rewrite)
    return found


def by_patterns(rewrites: Iterable[Rewrite], text: str) -> str:
    """Return a text with every match of every pattern replaced, in the order given."""
    for rewrite in rewrites:
        text = rewrite.on(text)
    return text


def is_valid(written: Written) -> bool:
    """Return whether a text is a value of its VR (PS3.5 table 6.2-1)."""
    parts = [written.text] if written.vr in _WHOLE else written.text.split("\\")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # pydicom's word for numbers out of range
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
    """Return the tag and the VR of an attribute that may be set."""
    try:
        tag = tag_number(name)
    except ValueError as error:
        raise ConfigError(f"{argument}: {error}") from None
    if tag >> 16 & 1 or not dictionary_has_tag(tag):
        raise ConfigError(f"{argument}: {name} is private, or not in the dictionary")
    vr = dictionary_VR(tag)
    if tag in _ENGINES_OWN:
        raise ConfigError(f"{argument}: {keyword_for_tag(tag)} says what was done, and the engine writes it")
    if tag in _STRUCTURE or tag >> 16 in _IMAGE or tag < 0x00080000:
        raise ConfigError(f"{argument}: {name}: other elements hang on it")
    if vr not in _STRINGS | _WHOLE_NUMBERS | _REALS:
        raise ConfigError(f"{argument}: {name} has VR {vr}, which is no text or number")
    return tag, vr
