"""The project's own values in an instance.

They are pseudonyms, set values, patterns and birth years.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.dicom.charsets import encodings_of, read_text
from healthcare_deid.engine.dicom.datasets import private_copy, uid_of, value_of
from healthcare_deid.engine.dicom.directory import MEDIA_STORAGE_DIRECTORY
from healthcare_deid.engine.dicom.elements import keyword
from healthcare_deid.engine.dicom.file_meta import MEDIA_STORAGE_SOP_CLASS_UID
from healthcare_deid.engine.header.actions import (
    AGE_REASON,
    BIRTH_YEAR_REASON,
    PATTERN_REASON,
    PSEUDONYM_REASON,
    SET_REASON,
)
from healthcare_deid.engine.identity.dates import OLDEST, capped_age, years_between
from healthcare_deid.engine.identity.pseudonyms import Pseudonymizer
from healthcare_deid.engine.identity.rewriting import Written, by_patterns, is_valid, patterns_to_rewrite, values_to_set
from healthcare_deid.engine.plan.rules import GOING, Op
from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.engine.text.dicom_dates import parse_da
from healthcare_deid.engine.text.find.header_values import Source, only_patient
from healthcare_deid.engine.text.find.lexicon import fold
from healthcare_deid.engine.text.find.own_pseudonyms import Named, OwnPseudonyms
from healthcare_deid.engine.text.find.own_values import OwnValue, is_placeholder
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.identity.dates import Dates
    from healthcare_deid.engine.identity.pseudonyms import Person
    from healthcare_deid.engine.identity.rewriting import Rewrite
    from healthcare_deid.engine.identity.secret import ProjectSecret
    from healthcare_deid.engine.options import EngineOptions
    from healthcare_deid.engine.plan.rules import Rule
    from healthcare_deid.engine.plan.tags import TagPlan
    from healthcare_deid.engine.text.find.own_terms import OwnTerms

_CHARACTER_SET = 0x00080005
_STUDY_DATE, _STUDY_UID = 0x00080020, 0x0020000D
_ACCESSION, _STUDY_ID = 0x00080050, 0x00200010
_NAME, _ID, _BIRTH, _AGE = 0x00100010, 0x00100020, 0x00100030, 0x00101010
_OTHER_IDS, _OTHER_NAMES = 0x00101000, 0x00101001
_OFFSET, _EVENT = 0x00120052, 0x00120053
IDENTIFIERS = frozenset({_ACCESSION, _STUDY_ID, _NAME, _ID, _OTHER_IDS, _OTHER_NAMES})
"""Attributes that pseudonyms replace."""
_OF_ONE = frozenset({_NAME, _OTHER_NAMES, _BIRTH})
_WANTED = IDENTIFIERS | {_CHARACTER_SET, _STUDY_DATE, _STUDY_UID}
_NO_ANCHOR = "dates= with event needs the patient's anchor date and the instance's study date, and one is missing"
_TELLS_NAME = "the patient's new name in the table contains part of the original name: change the table"
TELLS_IDENTITY = (
    "a pseudonym or set value repeats one of the patient's own names or numbers, so the result does not claim that the "
    "patient's identity was removed"
)
_NO_PATIENT = "the instance has no patient ID, so the pseudonym is derived from its study"
NOT_VALID = "a rewritten value was invalid for its VR and was emptied"
_SHIFTS_UNUSED = "the table has date shifts, but neither the config nor dates= shifts dates"
# Shorter parts of a name, such as initials, occur in other names by chance.
_SHORTEST_NAME = 3
_WORD = re.compile(r"[^\W\d_]+")


class Rewriter:
    """Writes the project's values into one instance after another.

    Args:
        pseudonymizer: Source of pseudonyms; None if the profile decides about identifiers.
        fixed: Elements to set, by tag.
        patterns: Patterns to rewrite, by tag.
        dates: Settings for birth dates and ages; None if the profile decides.

    Attributes:
        wanted: Tags whose values identify the patient and study.

    Raises:
        ConfigError: Two of them apply to the same attribute.
    """

    def __init__(
        self,
        pseudonymizer: Pseudonymizer | None,
        fixed: Mapping[int, Written],
        patterns: Mapping[int, Sequence[Rewrite]],
        dates: Dates | None,
    ) -> None:
        self.pseudonymizer = pseudonymizer
        self.patterns = patterns
        self.dates = dates
        self._fixed = fixed
        self.wanted = _WANTED
        own = (IDENTIFIERS if pseudonymizer is not None else frozenset[int]()) | (
            frozenset({_BIRTH, _AGE, _OFFSET, _EVENT}) if dates is not None else frozenset()
        )
        taken = sorted((fixed.keys() & (patterns.keys() | own)) | (patterns.keys() & own))
        if taken:
            numbers = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in taken)
            raise ConfigError(
                f"{numbers}: more than one of pseudonyms, dates, set_values and replace applies; keep one"
            )

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.pseudonymizer or self._fixed or self.patterns or self.dates)

    @property
    def written(self) -> dict[int, str]:
        """Top-level tags that the project replaces, with the reason."""
        tags = dict.fromkeys(self._fixed, SET_REASON)
        if self.pseudonymizer is not None:
            tags |= dict.fromkeys((_NAME, _ID), PSEUDONYM_REASON)
        if self.dates is not None and self.dates.event:
            tags |= dict.fromkeys((_OFFSET, _EVENT), SET_REASON)
        return tags

    @property
    def rewritten(self) -> dict[int, str]:
        """Tags whose values are rewritten at every level, with the reason."""
        tags = dict.fromkeys(self.patterns, PATTERN_REASON)
        if self.pseudonymizer is not None:
            tags |= dict.fromkeys(IDENTIFIERS, PSEUDONYM_REASON)
        if self.dates is not None:
            tags |= {_BIRTH: BIRTH_YEAR_REASON} | ({_AGE: AGE_REASON} if self.dates.cap_ages else {})
        return tags

    @property
    def rewritten_vrs(self) -> dict[str, str]:
        """VRs whose values are rewritten at every level, with the reason.

        Private elements count.
        """
        return {"AS": AGE_REASON} if self.dates is not None and self.dates.cap_ages else {}

    def concerns(self, plan: TagPlan) -> tuple[str, ...]:
        """Return warnings that hold for every instance."""
        unused = self.pseudonymizer is not None and self.pseudonymizer.shifts_dates and not plan.inspects_text
        return (_SHIFTS_UNUSED,) if unused else ()

    def bind(self, found: Mapping[int, bytes], plan: TagPlan, *, is_directory: bool = False) -> InstanceRewriting:
        """Return the values to write into one instance.

        Args:
            found: Encoded values of the wanted tags.
            plan: The plan, which decides about SpecificCharacterSet.
            is_directory: Whether this is a DICOMDIR, which describes patients but belongs to none.

        Raises:
            EngineError: The table has no row for the patient, or a new name contains part of the original one.
        """
        encodings = encodings_of(found.get(_CHARACTER_SET))
        kept = plan.rule(_CHARACTER_SET, "CS").op in (Op.KEEP, Op.CHECK, Op.RECURSE)
        source = _Source(found, encodings)
        person = None
        if self.pseudonymizer is not None and not (is_directory and not source.text(_ID)):
            study = source.text(_STUDY_UID)
            person = self.pseudonymizer.person(source.text(_ID), study, parse_da(source.text(_STUDY_DATE)))
            _refuse_own_name(person, source.text(_NAME, "PN"))
        written = () if is_directory else tuple(self._written(person, source))
        new_encodings = encodings if kept else encodings_of(None)
        for item in written:
            item.check(new_encodings)
        return InstanceRewriting(self, source, person, written, new_encodings)

    def bind_dataset(self, dataset: Dataset, plan: TagPlan) -> InstanceRewriting:
        """Return the values to write into a dataset's instance.

        See `bind`.
        """
        encodings = encodings_of(value_of(dataset, _CHARACTER_SET))
        found = {tag: value_of(dataset, tag, encodings) for tag in self.wanted if tag in dataset}
        old_meta: Dataset | None = getattr(dataset, "file_meta", None)
        is_directory = old_meta is not None and uid_of(old_meta, MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY
        if is_directory and (only := only_patient(private_copy(dataset))):
            found[_ID] = only.encode("utf-8", "replace")
        return self.bind(found, plan, is_directory=is_directory)

    def _written(self, person: Person | None, source: _Source) -> Iterable[Written]:
        yield from self._fixed.values()
        if person is not None:
            yield Written(_NAME, "PN", person.new_name, PSEUDONYM_REASON)
            yield Written(_ID, "LO", person.new_id, PSEUDONYM_REASON)
        if self.dates is not None and self.dates.event:
            day = parse_da(source.text(_STUDY_DATE))
            if person is None or person.anchor is None or day is None:
                raise EngineError(_NO_ANCHOR, reason="no-anchor")
            yield Written(_OFFSET, "FD", str((day - person.anchor).days))
            yield Written(_EVENT, "CS", self.dates.event)


def rewriter_of(options: EngineOptions, secret: ProjectSecret | None) -> Rewriter | None:
    """Return the rewriter for the engine's options.

    Returns None if they write nothing.

    Raises:
        ConfigError: The options are invalid or contradict each other.
        OSError: The table of pseudonyms cannot be read.
    """
    pseudonymizer = None if options.pseudonyms is None else Pseudonymizer(options.pseudonyms, secret)
    made = Rewriter(
        pseudonymizer, values_to_set(options.set_values or {}), patterns_to_rewrite(options.replace), options.dates
    )
    return None if made.is_idle else made


def set_elements(rewriting: InstanceRewriting | None, changes: Iterable[Change]) -> list[Change]:
    """Return the changes for elements that the project adds."""
    if rewriting is None:
        return []
    known = {change.path for change in changes}
    return [
        Change(f"{item.tag:08X}", keyword(item.tag), item.vr, ChangeAction.ADDED, item.reason)
        for item in rewriting.written
        if f"{item.tag:08X}" not in known
    ]


class _Source(NamedTuple):
    """Original values of an instance."""

    found: Mapping[int, bytes]
    encodings: tuple[str, ...]

    def text(self, tag: int, vr: str = "LO") -> str:
        text = read_text(self.found[tag], vr, self.encodings).text if tag in self.found else None
        return (text or "").strip(" \0")

    def __repr__(self) -> str:
        return f"_Source({len(self.found)} values)"

    def values(self, *tags: int) -> tuple[OwnValue, ...]:
        kinds = {_NAME: Source.NAME, _OTHER_NAMES: Source.NAME}
        found = ((tag, self.found.get(tag, b"")) for tag in tags)
        return tuple(
            OwnValue(kinds.get(tag, Source.RECORD), value, self.encodings)
            for tag, value in found
            if value.strip(b"\0 ")
        )


class InstanceRewriting:
    """Values that the project writes into one instance.

    Attributes:
        person: The patient's new identity; None without pseudonyms.
        pseudonyms: Pseudonyms for the instance's identifiers in text; None without pseudonyms.
        written: Elements to write at the top level.
        encodings: Python encodings of the result's character set.
        warnings: Warnings.
    """

    def __init__(
        self,
        rewriter: Rewriter,
        source: _Source,
        person: Person | None,
        written: tuple[Written, ...],
        encodings: tuple[str, ...],
    ) -> None:
        self._rewriter = rewriter
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

    def _named(self, person: Person) -> list[Named]:
        source = self._source
        named = [Named(source.values(_ID, _NAME, _OTHER_IDS, _OTHER_NAMES), person.new_id, person.new_name)]
        for tag in (_ACCESSION, _STUDY_ID):
            new = self.identifier(tag, source.text(tag))
            if new:
                named.append(Named(source.values(tag), new, new))
        return named

    def identifier(self, tag: int, value: str) -> str | None:
        """Return the pseudonym of an accession number or study ID, or None."""
        pseudonymizer = self._rewriter.pseudonymizer
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

    def new_values(self, rule: Rule, tag: int, vr: str, parts: Sequence[str], shift: Shift) -> list[str] | None:
        """Return an element's new values.

        Returns None if the rule beneath applies.

        Args:
            rule: The rule to rewrite it.
            tag: Tag of the element.
            vr: Its VR.
            parts: Its values.
            shift: Shifts a DA value by the patient's days.
        """
        going = rule.beneath is not None and rule.beneath.op in GOING
        if rule.reason == PSEUDONYM_REASON:
            return self._pseudonymous(tag, parts, going=going)
        if rule.reason == AGE_REASON:
            ages = [capped_age(part) for part in parts]
            return None if going or not any(ages) else [age or part for age, part in zip(ages, parts, strict=True)]
        if rule.reason == BIRTH_YEAR_REASON:
            return self._birth(parts, shift, going=going)
        new = [by_patterns(self._rewriter.patterns[tag], part) for part in parts]
        return None if new == list(parts) else new

    def _pseudonymous(self, tag: int, parts: Sequence[str], *, going: bool) -> list[str] | None:
        """Return pseudonyms for identifiers.

        Those of unknown other persons become empty.
        """
        pseudonymizer = self._rewriter.pseudonymizer
        assert pseudonymizer is not None, "without one the plan rewrites no identifier"
        if tag in (_ACCESSION, _STUDY_ID):
            new = [self.identifier(tag, part) or "" for part in parts]
            return new if any(new) else None
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

    def _birth(self, parts: Sequence[str], shift: Shift, *, going: bool) -> list[str] | None:
        """Return January 1 of each birth year.

        An unsafe value becomes empty. None means that the profile's rule applies.
        """
        dates = self._rewriter.dates
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


if TYPE_CHECKING:
    Shift = Callable[[str], str]


def fits(tag: int, vr: str, text: str) -> bool:
    """Return whether a rewritten text is valid for its VR."""
    return is_valid(Written(tag, vr, text))


def _folded(name: str) -> str:
    return fold(name.rstrip("^= "))


def _refuse_own_name(person: Person, name: str) -> None:
    """Raise EngineError if a new name reveals the original.

    It does if it contains part of the original name.
    """
    if person.new_name == person.new_id:
        return
    parts = {fold(part) for part in _WORD.findall(name) if not is_placeholder(part)}
    new = {fold(part) for part in _WORD.findall(person.new_name)}
    if any(len(part) >= _SHORTEST_NAME for part in parts & new):
        raise EngineError(_TELLS_NAME, reason="pseudonym-tells-original")
