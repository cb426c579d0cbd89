"""Vault entries of an instance.

They hold the originals of its new UIDs and pseudonyms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from healthcare_deid.engine.dicom.charsets import encodings_of, read_text
from healthcare_deid.engine.dicom.datasets import value_of
from healthcare_deid.engine.dicom.uids import SERIES_INSTANCE_UID, SOP_INSTANCE_UID, STUDY_INSTANCE_UID, is_uid
from healthcare_deid.engine.header.fast.lookup import ElementFinder
from healthcare_deid.engine.header.markers import DATES
from healthcare_deid.engine.identity.vault import VaultEntry
from healthcare_deid.engine.plan.rules import Op

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.header.instance_rewriting import InstanceRewriting
    from healthcare_deid.engine.header.values import ValueTransformer
    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.identity.vault import Vault
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

_CHARACTER_SET = 0x00080005
_ID, _ACCESSION, _STUDY_ID = 0x00100020, 0x00080050, 0x00200010
_OF_PATIENT = (0x00100010, _ID, 0x00100030, 0x00100040)
_OF_STUDY = (STUDY_INSTANCE_UID, 0x00080020, 0x00080030, _ACCESSION, _STUDY_ID)
_KINDS = {STUDY_INSTANCE_UID: "study", SERIES_INSTANCE_UID: "series", SOP_INSTANCE_UID: "instance"}
VAULTED = frozenset({_CHARACTER_SET, *_OF_PATIENT, *_OF_STUDY, *_KINDS})
"""Attributes stored in a vault."""
_WANTED = ElementFinder(VAULTED)


class Keeper:
    """Stores the original identity of instances in a vault.

    Args:
        vault: The vault, or None.
        plan: The plan, which decides about UIDs and dates.
        mapper: UID rule.
    """

    def __init__(self, vault: Vault | None, plan: TagPlan, mapper: UidMapper) -> None:
        self._vault = vault
        self._plan = plan
        self._mapper = mapper
        self._shifts = any(plan.rule(tag, vr).op is Op.SHIFT for tag, vr in DATES.items())

    def keep_dataset(
        self, dataset: Dataset, rewriting: InstanceRewriting | None, text: ValueTransformer | None
    ) -> None:
        """Store the identity of a dataset's instance.

        This happens before a result without it exists.
        """
        if self._vault is not None:
            encodings = encodings_of(value_of(dataset, _CHARACTER_SET))
            self._keep({tag: value_of(dataset, tag, encodings) for tag in VAULTED if tag in dataset}, rewriting, text)

    def keep_file(self, file: EncodedFile, rewriting: InstanceRewriting | None, text: ValueTransformer | None) -> None:
        """Store the identity of a file's instance.

        This happens before a result without it exists.
        """
        if self._vault is not None:
            self._keep({tag: item[1] for tag, item in _WANTED.find(file).items()}, rewriting, text)

    def _keep(
        self, found: Mapping[int, bytes], rewriting: InstanceRewriting | None, text: ValueTransformer | None
    ) -> None:
        assert self._vault is not None
        days = text.days_shifted if text is not None and self._shifts else None
        self._vault.add(entries(found, self._plan, self._mapper, rewriting, days))


def entries(
    found: Mapping[int, bytes],
    plan: TagPlan,
    mapper: UidMapper,
    rewriting: InstanceRewriting | None,
    days: int | None,
) -> Iterator[VaultEntry]:
    """Yield the vault entries of an instance.

    Args:
        found: Original encoded values of `VAULTED`.
        plan: The plan, which decides about UIDs.
        mapper: UID rule.
        rewriting: The project's own values; None if it sets none.
        days: Days that its dates are shifted by; None if they are not shifted.
    """
    encodings = encodings_of(found.get(_CHARACTER_SET))
    old = {
        tag: (read_text(value, "PN" if tag == _OF_PATIENT[0] else "LO", encodings).text or "").strip(" \0")
        for tag, value in found.items()
    }
    shift = {} if days is None else {"DaysShifted": str(days)}
    patient = _values(old, _OF_PATIENT) | shift
    study = _values(old, _OF_STUDY) | patient
    if rewriting is not None and rewriting.person is not None:
        yield VaultEntry("patient", rewriting.person.new_id, patient)
        for tag, kind in ((_ACCESSION, "accession number"), (_STUDY_ID, "study ID")):
            new = rewriting.identifier(tag, old.get(tag, ""))
            if new:
                yield VaultEntry(kind, new, study)
    for tag, kind in _KINDS.items():
        uid = old.get(tag, "")
        op = plan.rule(tag, "UI").op
        new = mapper.map(uid) if op in (Op.UID, Op.OWN_UID, Op.DUMMY) else uid
        if is_uid(new):
            yield VaultEntry(kind, new, study if tag == STUDY_INSTANCE_UID else {keyword_for_tag(tag): uid})


def _values(old: Mapping[int, str], tags: tuple[int, ...]) -> dict[str, str]:
    return {keyword_for_tag(tag): old[tag] for tag in tags if old.get(tag)}
