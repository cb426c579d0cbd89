"""Computes new values, for both executors: placeholders, UIDs, transformed text.

Encoded strings are the same in every transfer syntax, so all functions map bytes to bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, assert_never

from healthcare_deid.engine.dicom.charsets import CHARSET_VRS, read_text, write_text
from healthcare_deid.engine.dicom.elements import is_known_creator, is_private_creator
from healthcare_deid.engine.dicom.uids import pad_uid, uid_text
from healthcare_deid.engine.header.actions import (
    MALFORMED_REASON,
    OWN_IDENTITY_REASON,
    PATTERN_REASON,
    PSEUDONYM_REASON,
    UID_IN_TEXT_REASON,
)
from healthcare_deid.engine.header.dummies import DUMMIES, dummy_of
from healthcare_deid.engine.header.instance_rewriting import NOT_VALID, TELLS_IDENTITY, fits
from healthcare_deid.engine.header.soundness import is_sound
from healthcare_deid.engine.header.uids_in_text import UidsInText
from healthcare_deid.engine.plan.rules import CODE_TAGS, ENCAPSULATED_DOCUMENT, GOING, NUMBER_BYTES, TEXT_VRS, Op, Rule
from healthcare_deid.engine.text.vr_values import is_legal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.engine.header.instance_rewriting import InstanceRewriting
    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.plan.tag_decisions import TagPlan
    from healthcare_deid.engine.text.find.own_terms import OwnTerms

MALFORMED = "a value that is invalid for its VR, and so may hold anything, was emptied"
"""For sequences too, if they contain bytes outside of items."""
IDENTITY_LEFT = (
    "a code contains one of the patient's names or numbers; codes are not rewritten, so the result does not claim that "
    "the patient's identity was removed"
)
_TEXT_KEPT = (
    "replace= keeps text in an element that the profile removes, so the result does not claim that the patient's "
    "identity was removed"
)
_DOCUMENT_LEFT = "an encapsulated document was kept; the text of PDF and CDA documents is not inspected"
_CONTRADICTS = "text did not match the instance's SpecificCharacterSet and was decoded in a likely character set"
_UNREADABLE = "text that could not be decoded in any likely character set was emptied"
_OWN_BYTES = "the patient's name was found in bytes that the SpecificCharacterSet cannot decode, and erased"
_IDENTITY_ERASED = "one of the patient's names or numbers was found in a value that no rule inspects, and erased"
_OR_OWN_ERASED = (
    "one of the patient's names or numbers, or what one of your detectors looks for, was found in a value that no rule "
    "inspects, and erased"
)
_CANNOT_WRITE = "a replacement could not be encoded in the instance's character set, so the value was emptied"
_ONE_VALUE_VRS = frozenset({"LT", "ST", "UT", "UR"})
_DIGITS_VRS = frozenset({"DS", "IS"})
_DATE_VRS = frozenset({"AS", "DA", "DT", "TM"})
_PADDING = b"\0 "


class TransformedValue(Protocol):
    """Result of transforming one value."""

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
        """Warnings about the value."""
        ...


class ValueTransformer(Protocol):
    """A text engine bound to one instance (`InstanceText`)."""

    @property
    def days_shifted(self) -> int:
        """Number of days that dates are shifted by."""
        ...

    def transform(self, value: str, vr: str) -> TransformedValue:
        """Transform one value of an element."""
        ...

    def shift(self, value: str, vr: str) -> TransformedValue:
        """Shift one value that is a date."""
        ...


class NewElementValue(NamedTuple):
    """A new, padded value and the reason for it."""

    value: bytes
    reason: str


class Values:
    """Computes new values for one instance.

    Args:
        plan: The plan.
        mapper: UID rule.
        own_uids: Returns the instance's original study, series and instance UIDs; called at most once.
        text: Text engine bound to the instance; None if the plan inspects no text.
        own: The patient's own names and numbers, for which every kept element is searched. None if the result does not
            claim that they are gone, or if a search of the whole header found none.
        own_bytes: The patient's names as bytes, for text in a character set other than the named one. They are searched
            in inspected text.
        fallback: Python encoding to try first for text that does not match the SpecificCharacterSet.
        rewriting: The project's own values; None if it sets none.

    Attributes:
        warnings: Warnings, with repetitions.
        depends: Number of results that depended on more than the element's bytes, so that they must not be cached for
            other instances.
        identity_left: Whether the patient's identity was found in a kept value.
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
        rewriting: InstanceRewriting | None = None,
    ) -> None:
        self.plan = plan
        self.warnings: list[str] = list(rewriting.warnings) if rewriting is not None else []
        self.depends = 0
        self.identity_left = False
        self.own = own
        self._own_bytes = own_bytes or own
        self._mapper = mapper
        self._uids = UidsInText(plan.uids, mapper, own_uids)
        self._text = text
        self._fallback = fallback
        self._rewriting = rewriting
        self._pseudonyms = rewriting.pseudonyms if rewriting is not None else None

    def note_written(self, own: OwnTerms) -> None:
        """Warn if the project's own values reveal the patient.

        They do if they repeat one of the patient's names or numbers.
        """
        if self._rewriting is not None and self._rewriting.tells(own):
            self.identity_left = True
            self.warn(TELLS_IDENTITY)

    def warn(self, text: str) -> None:
        """Add a warning."""
        self.warnings.append(text)

    def new_value(
        self, rule: Rule, tag: int, vr: str, value: bytes, encodings: Sequence[str]
    ) -> NewElementValue | None:
        """Return the new value of an element.

        Returns None if it is unchanged.

        Args:
            rule: The plan's rule.
            tag: Tag of the element.
            vr: Its VR, not SQ.
            value: Old value as encoded.
            encodings: Python encodings of the dataset's character set.
        """
        match rule.op:
            case Op.KEEP | Op.RECURSE:
                return self.searched(tag, vr, value, encodings)
            case Op.CHECK:
                return self._checked(tag, vr, value, encodings)
            case Op.EMPTY | Op.DELETE:
                return NewElementValue(b"", rule.reason) if value else None
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
                return self._inspected(rule.op, tag, vr, value, encodings)
            case Op.REWRITE:
                raise AssertionError("an executor asks for the rewritten value first")
            case _:
                assert_never(rule.op)
        return None if new == value else NewElementValue(new, rule.reason)

    def rewritten(
        self, rule: Rule, tag: int, vr: str, value: bytes, encodings: Sequence[str]
    ) -> NewElementValue | None:
        """Return the project's own value for an element.

        Returns None if the rule beneath applies.

        Args:
            rule: The rule to rewrite it.
            tag: Tag of the element.
            vr: Its VR.
            value: Old value as encoded.
            encodings: Python encodings of the dataset's character set.
        """
        beneath = rule.beneath
        if self._rewriting is None or beneath is None or not value.strip(_PADDING):
            return None
        if self._rewriting.depends(tag):
            self.depends += 1
        reading = read_text(value, vr, encodings, self._fallback)
        if reading.text is None:
            return NewElementValue(b"", rule.reason)
        parts = [reading.text] if vr in _ONE_VALUE_VRS else reading.text.split("\\")
        parts = [part.strip(" \0") for part in parts]
        new = self._rewriting.new_values(rule, tag, vr, parts, self._shifted_date)
        if new is None:
            return None
        text = "\\".join(new)
        if not fits(tag, vr, text):
            self.warn(NOT_VALID)
            return NewElementValue(b"", rule.reason)
        changed = NewElementValue(self._encoded(text, vr, reading.encodings, reading.text, tag), rule.reason)
        if rule.reason != PATTERN_REASON:
            return changed
        # The rest of the text is still the instance's own, so the profile's rule applies to it, unless that deletes it.
        profile = beneath
        if beneath.op in GOING:
            profile = beneath._replace(op=Op.CHECK)
            self.depends += 1  # the claims of the result depend on it
            self.identity_left = True
            self.warn(_TEXT_KEPT)
        return self.new_value(profile, tag, vr, changed.value, reading.encodings) or changed

    def _shifted_date(self, value: str) -> str:
        assert self._text is not None, "dates are shifted, so there is a text engine"
        return self._text.shift(value, "DA").value

    def malformed(self) -> NewElementValue:
        """Return the empty value that replaces an invalid one."""
        self.warn(MALFORMED)
        return NewElementValue(b"", MALFORMED_REASON)

    def searched(self, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewElementValue | None:
        """Erase the patient's own names and numbers from a kept value.

        Returns None if it has none.
        """
        # A profile keeps values such as SeriesDescription that may repeat the name it removed from PatientName.
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
        erased = self.own.erase_bytes(self._with_pseudonyms(value))
        reading = read_text(erased, vr, encodings, self._fallback)
        if reading.text is None:
            self.warn(_UNREADABLE)
            return NewElementValue(b"", OWN_IDENTITY_REASON)
        parts = [reading.text] if vr in _ONE_VALUE_VRS else reading.text.split("\\")
        text = "\\".join(self._cleaned(part, vr) for part in parts)
        if text == reading.text and erased == value:
            return None
        named = parts if self._pseudonyms is None else [self._pseudonyms.replace(part) for part in parts]
        if self._pseudonyms is None or text != "\\".join(named):
            self._tell_erased()
        reason = OWN_IDENTITY_REASON if named == parts else PSEUDONYM_REASON
        return NewElementValue(self._encoded(text, vr, reading.encodings, reading.text, tag), reason)

    def _cleaned(self, text: str, vr: str) -> str:
        """Replace identifiers with pseudonyms in a text, and erase the others."""
        assert self.own is not None
        if self._pseudonyms is not None:
            new = self.own.erase(self._pseudonyms.replace(text))
            if is_legal(vr, new, text):
                return new
        return self.own.erase(text)

    def _with_pseudonyms(self, value: bytes) -> bytes:
        return value if self._pseudonyms is None else self._pseudonyms.replace_bytes(value)

    def _searched_code(self, vr: str, value: bytes) -> NewElementValue | None:
        """Empty a code or number that reveals the patient.

        A code that is also a common word is kept, with a warning.
        """
        assert self.own is not None
        if vr == "CS" and self.own.is_everyday(value):
            self._leave_identity()
            return None
        whole = vr in _DIGITS_VRS or vr in _DATE_VRS or vr == "UI"
        if not (self.own.is_whole(value) if whole else self.own.is_in_bytes(value)):
            return None
        self._tell_erased()
        return NewElementValue(b"", OWN_IDENTITY_REASON)

    def _tell_erased(self) -> None:
        assert self.own is not None
        self.warn(_OR_OWN_ERASED if self.own.has_detectors else _IDENTITY_ERASED)

    def _leave_identity(self) -> None:
        self.identity_left = True
        self.warn(IDENTITY_LEFT)

    def _checked(self, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewElementValue | None:
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
            changed = NewElementValue(new, UID_IN_TEXT_REASON) if new != value else None
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

    def _inspected(self, op: Op, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewElementValue | None:
        new = self._transformed(op, tag, vr, value, encodings)
        if op is Op.TEXT or vr in _DATE_VRS:
            return new
        # Op.SHIFT looks for dates only, so the text is searched for the patient's identity as well.
        return self.searched(tag, vr, new.value if new else value, encodings) or new

    def _transformed(self, op: Op, tag: int, vr: str, value: bytes, encodings: Sequence[str]) -> NewElementValue | None:
        if not value.strip(b"\0 "):
            return None
        if is_private_creator(tag) and is_known_creator(value):
            return None
        assert self._text is not None, "the plan inspects text, so it was given a text engine"
        erased = value
        if self._own_bytes is not None and vr in CHARSET_VRS:
            erased = self._own_bytes.erase_bytes(self._with_pseudonyms(value))
            if erased != value:
                self.warn(_OWN_BYTES)
        reading = read_text(erased, vr, encodings, self._fallback)
        if reading.contradicts:
            self.warn(_UNREADABLE if reading.text is None else _CONTRADICTS)
        if reading.text is None:
            return NewElementValue(b"", "unreadable-text")
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
        return NewElementValue(
            self._encoded("\\".join(done), vr, reading.encodings, reading.text, tag), "+".join(rules)
        )

    def _encoded(self, text: str, vr: str, encodings: Sequence[str], old: str, tag: int) -> bytes:
        new = b""
        try:
            new = write_text(text, vr, encodings, old)
        except UnicodeError:
            self.warn(_CANNOT_WRITE)
        return new or (DUMMIES[vr] if tag in self.plan.valued else b"")
