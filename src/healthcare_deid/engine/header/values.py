"""New value bytes for old ones: dummies, regenerated UIDs, transformed text. Shared by both executors.

Strings are the same bytes in every transfer syntax, so everything here is a function from bytes to bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, assert_never

from healthcare_deid.engine.dicom.charsets import CHARSET_VRS, read_text, write_text
from healthcare_deid.engine.dicom.elements import is_known_creator, is_private_creator
from healthcare_deid.engine.dicom.uids import pad_uid, uid_text
from healthcare_deid.engine.header.actions import MALFORMED_REASON, OWN_IDENTITY_REASON, UID_IN_TEXT_REASON
from healthcare_deid.engine.header.soundness import is_sound
from healthcare_deid.engine.header.uids_in_text import UidsInText
from healthcare_deid.engine.plan.tags import (
    CODE_TAGS,
    ENCAPSULATED_DOCUMENT,
    MIME_TYPE_OF_DOCUMENT,
    NUMBER_BYTES,
    TEXT_VRS,
    Op,
    Rule,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.plan.tags import TagPlan
    from healthcare_deid.engine.text.find.own_terms import OwnTerms

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

_DUMMIES_BY_TAG = {MIME_TYPE_OF_DOCUMENT: b"application/octet-stream"}
"""What a document's placeholder is, whatever the document was."""
MALFORMED = "a value that its VR cannot have, and that may say anything, was emptied"
"""Of sequences too: bytes that are no items, or stand between them."""
IDENTITY_LEFT = (
    "a name or number of the patient's stands in a code, which is not rewritten: the result does not say that the "
    "patient's identity was removed"
)
_DOCUMENT_LEFT = "an encapsulated document was left: what a PDF or a CDA document says is not looked at"
_CONTRADICTS = "text is not in the character set that the instance names: it was read in a likely one"
_UNREADABLE = "text that no likely character set can read was emptied"
_OWN_BYTES = "the patient's name was found by its bytes, which the named character set does not read, and erased"
_IDENTITY_ERASED = "a name or number of the patient's was found where no rule looks for one, and erased"
_CANNOT_WRITE = "a replacement cannot be written in the instance's character set: the value was emptied"
_ONE_VALUE_VRS = frozenset({"LT", "ST", "UT", "UR"})
_DIGITS_VRS = frozenset({"DS", "IS"})
_DATE_VRS = frozenset({"AS", "DA", "DT", "TM"})
_PADDING = b"\0 "


def dummy_of(tag: int, vr: str) -> bytes:
    """Return the placeholder of an element that is no UID."""
    return _DUMMIES_BY_TAG.get(tag) or DUMMIES.get(vr, b"")


class Transformed(Protocol):
    """One value as a text engine returns it."""

    @property
    def value(self) -> str:
        """The new value."""
        ...

    @property
    def rules(self) -> Sequence[str]:
        """Rules that changed it; empty if none did."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """Warnings for a person."""
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
        own: The instance's own names and numbers, which every element that stays is searched for; None where the
            result does not claim that they are gone, or where a look at the whole showed that none is left.
        own_bytes: The instance's names, as bytes that no named character set need be able to read; looked for in text
            that is inspected.
        fallback: The Python encoding to try first for text that is not in the character set that is named.

    Attributes:
        warnings: What a person should know, as often as it came up.
        depends: How often a value hung on more than the element's bytes: it must not be remembered for other instances.
        identity_left: Whether the patient's identity was seen in a value that stays.
    """

    def __init__(
        self,
        plan: TagPlan,
        mapper: UidMapper,
        own_uids: Callable[[], frozenset[str]] = frozenset,
        text: ValueTransformer | None = None,
        own: OwnTerms | None = None,
        own_bytes: OwnTerms | None = None,
        fallback: str = "",
    ) -> None:
        self.plan = plan
        self.warnings: list[str] = []
        self.depends = 0
        self.identity_left = False
        self.own = own
        self._own_bytes = own_bytes or own
        self._mapper = mapper
        self._uids = UidsInText(plan.uids, mapper, own_uids)
        self._text = text
        self._fallback = fallback

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
        """
        match rule.op:
            case Op.KEEP | Op.RECURSE:
                return self.searched(tag, vr, value, encodings)
            case Op.CHECK:
                return self._checked(tag, vr, value, encodings)
            case Op.EMPTY | Op.DELETE:
                return NewValue(b"", rule.reason) if value else None
            case Op.DUMMY:
                new = self._mapper.map_bytes(value) if vr == "UI" else dummy_of(tag, vr)
            case Op.UID:
                new = self._mapper.map_bytes(value)
            case Op.OWN_UID:
                if self.plan.checks and vr == "UI" and not is_sound(tag, vr, value):
                    return self.malformed()
                new = self._with_own_uids(value, vr)
                if new == value:
                    return self.searched(tag, vr, value, encodings)
            case Op.TEXT | Op.SHIFT:
                return self._transformed(rule.op, tag, vr, value, encodings)
            case _:
                assert_never(rule.op)
        return None if new == value else NewValue(new, rule.reason)

    def malformed(self) -> NewValue:
        """Return what stands in the place of a value that its VR cannot have."""
        self.warn(MALFORMED)
        return NewValue(b"", MALFORMED_REASON)

    def searched(self, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewValue | None:
        """Return a value that stays without the instance's own names and numbers, or None where it has none."""
        if self.own is None or not value or not self.own.may_be_in(value):
            return None
        self.depends += 1
        if vr not in TEXT_VRS or vr in _DATE_VRS:
            return self._searched_code(vr, value)
        if tag in CODE_TAGS:
            reading = read_text(value, vr, encodings, self._fallback)
            if reading.text is None or self.own.find(reading.text):
                self._leave_identity()
            return None
        erased = self.own.erase_bytes(value)
        reading = read_text(erased, vr, encodings, self._fallback)
        if reading.text is None:
            self.warn(_UNREADABLE)
            return NewValue(b"", OWN_IDENTITY_REASON)
        parts = [reading.text] if vr in _ONE_VALUE_VRS else reading.text.split("\\")
        text = "\\".join(map(self.own.erase, parts))
        if text == reading.text and erased == value:
            return None
        self.warn(_IDENTITY_ERASED)
        return NewValue(self._encoded(text, vr, reading.encodings, reading.text, tag), OWN_IDENTITY_REASON)

    def _searched_code(self, vr: str, value: bytes) -> NewValue | None:
        """Search a value that is no free text: what is found there empties it, but for codes that are words."""
        assert self.own is not None
        if vr == "CS" and self.own.is_everyday(value):
            self._leave_identity()
            return None
        whole = vr in _DIGITS_VRS or vr in _DATE_VRS or vr == "UI"
        if not (self.own.is_whole(value) if whole else self.own.is_in_bytes(value)):
            return None
        self.warn(_IDENTITY_ERASED)
        return NewValue(b"", OWN_IDENTITY_REASON)

    def _leave_identity(self) -> None:
        self.identity_left = True
        self.warn(IDENTITY_LEFT)

    def _checked(self, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewValue | None:
        if tag == ENCAPSULATED_DOCUMENT:
            self.warn(_DOCUMENT_LEFT)
            return None
        if not is_sound(tag, vr, value):
            return self.malformed()
        if vr in NUMBER_BYTES:
            return self.searched(tag, vr, value, encodings)
        changed = None
        if vr in ("UI", "UR") or (vr in TEXT_VRS and vr not in _DATE_VRS):
            new = self._with_own_uids(value, vr) if vr == "UI" else self._with_new_uids(value, vr)
            changed = NewValue(new, UID_IN_TEXT_REASON) if new != value else None
        return self.searched(tag, vr, changed.value if changed else value, encodings) or changed

    def _with_new_uids(self, value: bytes, vr: str) -> bytes:
        new = self._uids.replace(value, vr)
        self.depends += self._uids.asked
        return new

    def _with_own_uids(self, value: bytes, vr: str) -> bytes:
        if vr != "UI":
            return self._with_new_uids(value, vr)
        parts = [uid_text(part) for part in value.split(b"\\")]
        if not (self.plan.uids.primary and self.plan.uids.own) or all(
            self._mapper.is_registered(part) for part in parts
        ):
            return value
        self.depends += 1
        own = self._uids.own
        return (
            value
            if own.isdisjoint(parts)
            else pad_uid("\\".join(self._mapper.map(part) if part in own else part for part in parts))
        )

    def _transformed(self, op: Op, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewValue | None:
        if not value.strip(b"\0 "):
            return None
        if is_private_creator(tag) and is_known_creator(value):
            return None
        assert self._text is not None, "the plan inspects text, so it was given a text engine"
        erased = value
        if self._own_bytes is not None and vr in CHARSET_VRS:
            erased = self._own_bytes.erase_bytes(value)
            if erased != value:
                self.warn(_OWN_BYTES)
        reading = read_text(erased, vr, encodings, self._fallback)
        if reading.contradicts:
            self.warn(_UNREADABLE if reading.text is None else _CONTRADICTS)
        if reading.text is None:
            return NewValue(b"", "unreadable-text")
        parts = [reading.text] if vr in _ONE_VALUE_VRS else reading.text.split("\\")
        transform = self._text.shift if op is Op.SHIFT else self._text.transform
        rules: dict[str, None] = {} if erased == value else {"infoType:PERSON_NAME": None}
        done: list[str] = []
        for part in parts:
            hidden, uids = self._uids.hide(part.rstrip(" \0"))
            result = transform(hidden, vr)
            new = result.value if result.rules else hidden
            done.append(self._uids.show(new, uids, vr) if uids else new)
            rules |= dict.fromkeys(result.rules)
            if uids and done[-1] != part.rstrip(" \0") and not result.rules:
                rules[UID_IN_TEXT_REASON] = None
            for warning in result.warnings:
                self.warn(warning)
        if not rules:
            return None
        return NewValue(self._encoded("\\".join(done), vr, reading.encodings, reading.text, tag), "+".join(rules))

    def _encoded(self, text: str, vr: str, encodings: Sequence[str], old: str, tag: int) -> bytes:
        new = b""
        try:
            new = write_text(text, vr, encodings, old)
        except UnicodeError:
            self.warn(_CANNOT_WRITE)
        return new or (DUMMIES[vr] if tag in self.plan.valued else b"")
