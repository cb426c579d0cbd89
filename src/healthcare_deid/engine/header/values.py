"""New value bytes for old ones: dummies, regenerated UIDs, transformed text. Shared by both executors.

Strings are the same bytes in every transfer syntax, so everything here is a function from bytes to bytes.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pydicom.charset import convert_encodings, decode_bytes, encode_string
from pydicom.valuerep import TEXT_VR_DELIMS, PersonName

from healthcare_deid.engine.dicom.elements import most_values
from healthcare_deid.engine.identity.uids import UidMapper, is_uid, pad_uid, uid_text
from healthcare_deid.engine.plan.tags import ENCAPSULATED_DOCUMENT, NUMBER_BYTES, Op, Rule
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine.plan.tags import TagPlan

DUMMIES: dict[str, bytes] = {
    "AE": b"ANONYMIZED",
    "AS": b"000Y",
    "CS": b"ANONYMIZED",
    "DA": b"19000101",
    "DS": b"0 ",
    "DT": b"19000101000000",
    "IS": b"0 ",
    "LO": b"ANONYMIZED",
    "LT": b"ANONYMIZED",
    "PN": b"ANONYMIZED",
    "SH": b"ANONYMIZED",
    "ST": b"ANONYMIZED",
    "TM": b"000000",
    "UC": b"ANONYMIZED",
    "UR": b"https://example.invalid/",
    "UT": b"ANONYMIZED",
    "OB": b"\0\0",
    "OD": bytes(8),
    "OF": bytes(4),
    "OL": bytes(4),
    "OV": bytes(8),
    "OW": b"\0\0",
    "AT": bytes(4),
    "FD": bytes(8),
    "FL": bytes(4),
    "SL": bytes(4),
    "SS": b"\0\0",
    "SV": bytes(8),
    "UL": bytes(4),
    "US": b"\0\0",
    "UV": bytes(8),
    "UN": b"",
}
"""The placeholder of every VR: fixed, valid, of even length, never derived from data (PS3.15 E.1.1, action D)."""

_DOCUMENT_LEFT = "an encapsulated document was left: what a PDF or a CDA document says is not looked at"
_ONE_VALUE_VRS = frozenset({"LT", "ST", "UT", "UR"})
_CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_DEFAULT_ENCODING: tuple[str, ...] = ("iso8859",)
_DEFAULT_REPERTOIRE = frozenset(map(chr, range(0x20, 0x7F)))
"""Characters of ISO IR 6, the character set where none is named (PS3.5 section 6.1.2.1)."""
_STRING_PADDING = b"\0 "
_UID_IN_URL = re.compile(rb"[0-9]+(?:\.[0-9]+)+")


class Transformed(Protocol):
    """What a text engine made of one value."""

    @property
    def value(self) -> str:
        """The new value."""
        ...

    @property
    def rules(self) -> Sequence[str]:
        """What changed it; empty when nothing did."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """What a person should know."""
        ...


class ValueTransformer(Protocol):
    """A text engine, bound to one instance (`InstanceText`)."""

    def transform(self, value: str, vr: str) -> Transformed:
        """Transform one value of an element."""
        ...

    def shift(self, value: str, vr: str) -> Transformed:
        """Shift one value of an element that is a date."""
        ...


class NewValue(NamedTuple):
    """A new value, padded, and what made it."""

    value: bytes
    reason: str


class Values:
    """Computes new values for one instance.

    Args:
        plan: Its UID policy, and which elements must have a value.
        mapper: UID rule.
        own_uids: Returns the instance's own study, series and instance UIDs, as they were; asked once, if at all.
        text: Text engine bound to the instance; None where the plan inspects no text.

    Attributes:
        warnings: What a person should know, as often as it came up.
    """

    def __init__(
        self,
        plan: TagPlan,
        mapper: UidMapper,
        own_uids: Callable[[], frozenset[str]] = frozenset,
        text: ValueTransformer | None = None,
    ) -> None:
        self.plan = plan
        self.warnings: list[str] = []
        self._mapper = mapper
        self._own_uids = own_uids
        self._own: frozenset[str] | None = None
        self._text = text

    def warn(self, text: str) -> None:
        """Note something a person should know."""
        self.warnings.append(text)

    def new_value(self, rule: Rule, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewValue | None:
        """Return the new value of an element, or None when the old one may stay.

        Args:
            rule: One of the operations that change a value, and its reason.
            tag: The element's tag.
            vr: Its VR, not SQ.
            value: The old value as encoded.
            encodings: Python encodings of the dataset's character set.

        Raises:
            InvalidDicomError: The value's length is none that its VR can have.
        """
        op = rule.op
        if op == Op.CHECK:
            return self._check(tag, vr, value)
        if op == Op.EMPTY:
            return NewValue(b"", rule.reason) if value else None
        if op == Op.DUMMY:
            new = self._dummy(vr, value)
        elif op == Op.UID:
            new = self._mapper.map_bytes(value)
        elif op == Op.OWN_UID:
            new = self._replace_own(value, vr)
        else:
            return self._transform(op, tag, vr, value, encodings)
        return None if new == value else NewValue(new, rule.reason)

    def _check(self, tag: int, vr: str, value: bytes) -> NewValue | None:
        if tag == ENCAPSULATED_DOCUMENT:
            self.warn(_DOCUMENT_LEFT)
            return None
        size = NUMBER_BYTES.get(vr)
        if size is None:
            if vr == "UI":
                sound = all(not uid or is_uid(uid) for uid in map(uid_text, value.split(b"\\")))
            else:
                sound = b"\0" not in value.rstrip(_STRING_PADDING)
            if sound:
                return None
            self.warn("a value that its VR cannot have, and that may say anything, was emptied")
            return NewValue(b"", "malformed-value")
        if len(value) % size or len(value) > size * most_values(tag):
            raise InvalidDicomError("a number's length is none its VR can have", reason="broken")
        return None

    def _dummy(self, vr: str, value: bytes) -> bytes:
        if vr == "UI":
            return self._mapper.map_bytes(value)
        return DUMMIES.get(vr, b"")

    def _replace_own(self, value: bytes, vr: str) -> bytes:
        if self._own is None:
            self._own = self._own_uids()
        if vr == "UR":
            url = _UID_IN_URL.sub(lambda found: self._new_own(found[0]), value.rstrip(_STRING_PADDING))
            return url + b" " * (len(url) % 2) if url != value.rstrip(_STRING_PADDING) else value
        parts = [uid_text(part) for part in value.split(b"\\")]
        if self._own.isdisjoint(parts):
            return value
        return pad_uid("\\".join(self._mapper.map(part) if part in self._own else part for part in parts))

    def _new_own(self, uid: bytes) -> bytes:
        text = uid_text(uid)
        return self._mapper.map(text).encode("ascii") if self._own and text in self._own else uid

    def _transform(self, op: Op, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewValue | None:
        if not value.strip(b"\0 "):
            return None
        assert self._text is not None, "the plan inspects text, so it was given a text engine"
        used = list(encodings) if vr in _CHARSET_VRS else list(_DEFAULT_ENCODING)
        text = _decode(value, vr, used)
        parts = [text] if vr in _ONE_VALUE_VRS else text.split("\\")
        transform = self._text.shift if op is Op.SHIFT else self._text.transform
        rules: list[str] = []
        done: list[str] = []
        for part in parts:
            stripped = part.rstrip(" \0")
            result = transform(stripped, vr)
            done.append(result.value if result.rules else stripped)
            rules.extend(name for name in result.rules if name not in rules)
            for warning in result.warnings:
                self.warn(warning)
        if not rules:
            return None
        reason = "+".join(rules)
        new = b""
        try:
            new = _encode("\\".join(done), vr, used, text)
        except UnicodeError:
            self.warn("a replacement cannot be written in the instance's character set: the value was emptied")
        return NewValue(new or (DUMMIES[vr] if tag in self.plan.valued else b""), reason)


def encodings_of(value: bytes | None) -> tuple[str, ...]:
    """Return Python encodings for a SpecificCharacterSet value; what is unknown is read as Latin-1."""
    return _known_encodings(value) if value else _DEFAULT_ENCODING


@lru_cache(maxsize=256)
def _known_encodings(value: bytes) -> tuple[str, ...]:
    names = [part.strip(b"\0 ").decode("ascii", "replace") for part in value.split(b"\\")]
    try:
        return tuple(convert_encodings(names))
    except (LookupError, ValueError):
        return _DEFAULT_ENCODING


def _decode(value: bytes, vr: str, encodings: list[str]) -> str:
    # As a whole: in a two-byte character set, delimiters are also second bytes of other characters.
    text = decode_bytes(value, encodings, TEXT_VR_DELIMS)
    return "\\".join(part.rstrip("=") for part in text.split("\\")) if vr == "PN" else text


def _encode(text: str, vr: str, encodings: list[str], old: str) -> bytes:
    """Encode a value, padded.

    Raises:
        UnicodeError: The character set lacks a character that the old value had not.
    """
    if encodings[0] == _DEFAULT_ENCODING[0] and not set(text).difference(old) <= _DEFAULT_REPERTOIRE:
        raise UnicodeError  # pydicom reads as Latin-1 what says nothing of its character set, and may hold ASCII only
    if vr == "PN":
        names = [PersonName(part, encodings) for part in text.split("\\")]
        value = b"\\".join(name.encode(encodings) if name else b"" for name in names)
    else:
        value = encode_string(text, encodings)
    if _decode(value, vr, encodings) != text:
        raise UnicodeError  # pydicom writes "?" for what it cannot write
    return value + b" " if len(value) % 2 else value
