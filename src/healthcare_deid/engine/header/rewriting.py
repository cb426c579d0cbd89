"""The project's own values: pseudonyms, set values, patterns, birth years."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom.charsets import encodings_of
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
from healthcare_deid.engine.header.instance_rewriting import IDENTIFIERS, InstanceRewriting, OriginalValues
from healthcare_deid.engine.identity.pseudonyms import Pseudonymizer
from healthcare_deid.engine.identity.rewriting import Written, patterns_to_rewrite, values_to_set
from healthcare_deid.engine.plan.rules import GOING, Op
from healthcare_deid.engine.results import Change, ChangeAction
from healthcare_deid.engine.text.dicom_dates import parse_da
from healthcare_deid.engine.text.find.header_values import only_patient
from healthcare_deid.engine.text.find.lexicon import fold
from healthcare_deid.engine.text.find.own_values import is_placeholder
from healthcare_deid.errors import ConfigError, EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.identity.date_settings import Dates
    from healthcare_deid.engine.identity.pseudonyms import PatientIdentity
    from healthcare_deid.engine.identity.rewriting import Rewrite
    from healthcare_deid.engine.identity.secret import ProjectSecret
    from healthcare_deid.engine.options import EngineOptions
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

_CHARACTER_SET = 0x00080005
_STUDY_DATE, _STUDY_UID = 0x00080020, 0x0020000D
_ACCESSION, _STUDY_ID = 0x00080050, 0x00200010
_NAME, _ID, _BIRTH, _AGE = 0x00100010, 0x00100020, 0x00100030, 0x00101010
_OFFSET, _EVENT = 0x00120052, 0x00120053
_WANTED = IDENTIFIERS | {_CHARACTER_SET, _STUDY_DATE, _STUDY_UID}
_NO_ANCHOR = "dates= with event needs the patient's anchor date and the instance's study date, and one is missing"
_TELLS_NAME = "the patient's new name in the table contains part of the original name: change the table"
_SHIFTS_UNUSED = "the table has date shifts, but neither the config nor dates= shifts dates"
_NO_NUMBERS = (
    "accession numbers and study IDs are emptied, because their pseudonyms are derived from the project secret: pass "
    "secret= to have them"
)
# Shorter parts of a name, such as initials, occur in other names by chance.
_SHORTEST_NAME = 3
_WORD = re.compile(r"[^\W\d_]+")


class ValueRewriter:
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

        Private elements are included.
        """
        return {"AS": AGE_REASON} if self.dates is not None and self.dates.cap_ages else {}

    def concerns(self, plan: TagPlan) -> tuple[str, ...]:
        """Return warnings that hold for every instance."""
        pseudonymizer = self.pseudonymizer
        if pseudonymizer is None:
            return ()
        numbers = (plan.rule(_ACCESSION, "SH").beneath, plan.rule(_STUDY_ID, "SH").beneath)
        would_stay = any(beneath is not None and beneath.op not in GOING for beneath in numbers)
        concerns = {
            _SHIFTS_UNUSED: pseudonymizer.shifts_dates and not plan.inspects_text,
            _NO_NUMBERS: would_stay and not pseudonymizer.has_numbers,
        }
        return tuple(text for text, applies in concerns.items() if applies)

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
        source = OriginalValues(found, encodings)
        person = None
        if self.pseudonymizer is not None and not (is_directory and not source.text(_ID)):
            study = source.text(_STUDY_UID)
            person = self.pseudonymizer.person(source.text(_ID), study, parse_da(source.text(_STUDY_DATE)))
            _refuse_own_name(person, source.text(_NAME, "PN"))
        written = () if is_directory else tuple(self._written(person, source))
        new_encodings = encodings if kept else encodings_of(None)
        for item in written:
            item.check(new_encodings)
        return InstanceRewriting(self.pseudonymizer, self.patterns, self.dates, source, person, written, new_encodings)

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

    def _written(self, person: PatientIdentity | None, source: OriginalValues) -> Iterable[Written]:
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


def rewriter_of(options: EngineOptions, secret: ProjectSecret | None) -> ValueRewriter | None:
    """Return the rewriter for the engine's options.

    Returns None if they write nothing.

    Raises:
        ConfigError: The options are invalid or contradict each other.
        OSError: The table of pseudonyms cannot be read.
    """
    pseudonymizer = None if options.pseudonyms is None else Pseudonymizer(options.pseudonyms, secret)
    made = ValueRewriter(
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


def _refuse_own_name(person: PatientIdentity, name: str) -> None:
    """Raise EngineError if a new name reveals the original.

    It does if it contains part of the original name.
    """
    if person.new_name == person.new_id:
        return
    parts = {fold(part) for part in _WORD.findall(name) if not is_placeholder(part)}
    new = {fold(part) for part in _WORD.findall(person.new_name)}
    if any(len(part) >= _SHORTEST_NAME for part in parts & new):
        raise EngineError(_TELLS_NAME, reason="pseudonym-tells-original")
