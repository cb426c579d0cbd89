"""The project's own values in one instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.charsets import read_text
from healthcare_deid.engine.header.actions import (
    AGE_REASON,
    BIRTH_YEAR_REASON,
    PSEUDONYM_REASON,
)
from healthcare_deid.engine.identity.date_settings import OLDEST, capped_age, years_between
from healthcare_deid.engine.identity.rewriting import Written, by_patterns, is_valid
from healthcare_deid.engine.plan.rules import GOING
from healthcare_deid.engine.text.dicom_dates import parse_da
from healthcare_deid.engine.text.find.header_values import ValueKind
from healthcare_deid.engine.text.find.lexicon import fold
from healthcare_deid.engine.text.find.own_pseudonyms import Named, OwnPseudonyms
from healthcare_deid.engine.text.find.own_values import OwnValue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from healthcare_deid.engine.identity.date_settings import Dates
    from healthcare_deid.engine.identity.pseudonyms import PatientIdentity, Pseudonymizer
    from healthcare_deid.engine.identity.rewriting import Rewrite
    from healthcare_deid.engine.plan.rules import Rule
    from healthcare_deid.engine.text.find.own_terms import OwnTerms

_STUDY_DATE = 0x00080020
_ACCESSION, _STUDY_ID = 0x00080050, 0x00200010
_NAME, _ID, _BIRTH = 0x00100010, 0x00100020, 0x00100030
_OTHER_IDS, _OTHER_NAMES = 0x00101000, 0x00101001
IDENTIFIERS = frozenset({_ACCESSION, _STUDY_ID, _NAME, _ID, _OTHER_IDS, _OTHER_NAMES})
"""Attributes that pseudonyms replace."""

_OF_ONE = frozenset({_NAME, _OTHER_NAMES, _BIRTH})

TELLS_IDENTITY = (
    "a pseudonym or set value repeats one of the patient's own names or numbers, so the result does not claim that the "
    "patient's identity was removed"
)

_NO_PATIENT = "the instance has no patient ID, so the pseudonym is derived from its study"

NOT_VALID = "a rewritten value was invalid for its VR and was emptied"


class OriginalValues(NamedTuple):
    """Original values of an instance."""

    found: Mapping[int, bytes]
    encodings: tuple[str, ...]

    def text(self, tag: int, vr: str = "LO") -> str:
        """Return an element's decoded text, without padding."""
        text = read_text(self.found[tag], vr, self.encodings).text if tag in self.found else None
        return (text or "").strip(" \0")

    def __repr__(self) -> str:
        return f"OriginalValues({len(self.found)} values)"

    def values(self, *tags: int) -> tuple[OwnValue, ...]:
        """Return the values of these tags that are not empty, as search terms."""
        kinds = {_NAME: ValueKind.NAME, _OTHER_NAMES: ValueKind.NAME}
        found = ((tag, self.found.get(tag, b"")) for tag in tags)
        return tuple(
            OwnValue(kinds.get(tag, ValueKind.RECORD), value, self.encodings)
            for tag, value in found
            if value.strip(b"\0 ")
        )


class InstanceRewriting:
    """Values that the project writes into one instance.

    Args:
        pseudonymizer: Source of pseudonyms; None without pseudonyms.
        patterns: Patterns to rewrite, by tag.
        dates: Settings for birth dates and ages; None if the profile decides.
        source: Original values of the instance.
        person: The patient's new identity; None without pseudonyms.
        written: Elements to write at the top level.
        encodings: Python encodings of the result's character set.

    Attributes:
        person: As given.
        pseudonyms: Pseudonyms for the instance's identifiers in text; None without pseudonyms.
        written: As given.
        encodings: As given.
        warnings: Warnings.
    """

    def __init__(
        self,
        pseudonymizer: Pseudonymizer | None,
        patterns: Mapping[int, Sequence[Rewrite]],
        dates: Dates | None,
        source: OriginalValues,
        person: PatientIdentity | None,
        written: tuple[Written, ...],
        encodings: tuple[str, ...],
    ) -> None:
        self._pseudonymizer = pseudonymizer
        self._patterns = patterns
        self._dates = dates
        self._source = source
        self.person = person
        self.written = written
        self.encodings = encodings
        self.warnings = (_NO_PATIENT,) if person is not None and not source.text(_ID).strip() else ()
        self._told: tuple[OwnTerms, bool] | None = None
        self._encoded: dict[bool, dict[int, bytes]] = {}
        self.pseudonyms = None if person is None else OwnPseudonyms(self._named(person))

    def __repr__(self) -> str:
        return f"InstanceRewriting({len(self.written)} elements)"

    def _named(self, person: PatientIdentity) -> list[Named]:
        source = self._source
        named = [Named(source.values(_ID, _NAME, _OTHER_IDS, _OTHER_NAMES), person.new_id, person.new_name)]
        for tag in (_ACCESSION, _STUDY_ID):
            new = self.identifier(tag, source.text(tag))
            if new:
                named.append(Named(source.values(tag), new, new))
        return named

    def identifier(self, tag: int, value: str) -> str | None:
        """Return the pseudonym of an accession number or study ID, or None."""
        pseudonymizer = self._pseudonymizer
        if pseudonymizer is None or not value:
            return None
        return pseudonymizer.accession_number(value) if tag == _ACCESSION else pseudonymizer.study_id(value)

    def tells(self, own: OwnTerms) -> bool:
        """Return whether a written value reveals the patient.

        It does if it repeats one of the patient's own names or numbers.
        """
        if self._told is None or self._told[0] is not own:  # within a series they are the same
            self._told = own, any(own.find(item.text) for item in self.written)
        return self._told[1]

    def encoded(self, *, explicit: bool) -> dict[int, bytes]:
        """Return the written elements by tag, encoded in little endian."""
        known = self._encoded.get(explicit)
        if known is None:
            known = {item.tag: item.encoded(self.encodings, explicit=explicit) for item in self.written}
            self._encoded[explicit] = known
        return known

    @staticmethod
    def depends(tag: int) -> bool:
        """Return whether an element's new value depends on the patient.

        Otherwise it depends on the old value alone.
        """
        return tag in _OF_ONE

    def new_values(
        self, rule: Rule, tag: int, vr: str, parts: Sequence[str], shift: Callable[[str], str]
    ) -> list[str] | None:
        """Return an element's new values.

        Returns None if the rule beneath applies.

        Args:
            rule: The rule to rewrite it.
            tag: Tag of the element.
            vr: Its VR.
            parts: Its values.
            shift: Callable[[str], str]s a DA value by the patient's days.
        """
        going = rule.beneath is not None and rule.beneath.op in GOING
        if rule.reason == PSEUDONYM_REASON:
            return self._pseudonymous(tag, parts, going=going)
        if rule.reason == AGE_REASON:
            ages = [capped_age(part) for part in parts]
            return None if going or not any(ages) else [age or part for age, part in zip(ages, parts, strict=True)]
        if rule.reason == BIRTH_YEAR_REASON:
            return self._birth(parts, shift, going=going)
        new = [by_patterns(self._patterns[tag], part) for part in parts]
        return None if new == list(parts) else new

    def _pseudonymous(self, tag: int, parts: Sequence[str], *, going: bool) -> list[str] | None:
        """Return pseudonyms for identifiers.

        Those of unknown other persons become empty.
        """
        pseudonymizer = self._pseudonymizer
        assert pseudonymizer is not None, "without one the plan rewrites no identifier"
        if tag in (_ACCESSION, _STUDY_ID):
            new = [self.identifier(tag, part) or "" for part in parts]
            # Without a secret there is no pseudonym; the original must not stay beside the patient's new identity.
            return None if going and not any(new) else new
        if going and tag in (_OTHER_IDS, _OTHER_NAMES):
            return None
        if tag in (_NAME, _OTHER_NAMES):
            own = _folded(self._source.text(_NAME, "PN"))
            known = [self._named_as(part, own, anyone=tag == _OTHER_NAMES) for part in parts]
        else:
            known = [pseudonymizer.known(part) if part else "" for part in parts]
        return None if going and not any(known) else list(dict.fromkeys(name or "" for name in known))

    def _named_as(self, name: str, own: str, *, anyone: bool) -> str | None:
        if self.person is None or not name:
            return None
        return self.person.new_name if anyone or _folded(name) == own else None

    def _birth(self, parts: Sequence[str], shift: Callable[[str], str], *, going: bool) -> list[str] | None:
        """Return January 1 of each birth year.

        An unsafe value becomes empty. None means that the profile's rule applies.
        """
        dates = self._dates
        assert dates is not None, "without one the plan rewrites no date of birth"
        if going and not dates.birth_year:
            return None
        new: list[str] = []
        study = parse_da(self._source.text(_STUDY_DATE))
        new_study = parse_da(shift(self._source.text(_STUDY_DATE))) if study else None
        for part in parts:
            birth, moved = parse_da(part), parse_da(shift(part))
            if birth is None or moved is None or (dates.cap_ages and (study is None or new_study is None)):
                new.append("")  # without a study date the age, and so an age of 90 or more, is unknown
            elif dates.cap_ages and study and new_study and years_between(birth, study) >= OLDEST:
                new.append(f"{new_study.year - OLDEST:04}0101")
            elif dates.birth_year:
                new.append(f"{moved.year:04}0101")
            else:
                return None
        return new


def fits(tag: int, vr: str, text: str) -> bool:
    """Return whether a rewritten text is valid for its VR."""
    return is_valid(Written(tag, vr, text))


def _folded(name: str) -> str:
    return fold(name.rstrip("^= "))
