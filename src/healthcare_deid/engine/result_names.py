"""Names of results, by their own new UIDs: file and folder names are PHI as often as not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from healthcare_deid.engine.dicom import file_meta as meta
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.directory import MEDIA_STORAGE_DIRECTORY
from healthcare_deid.engine.dicom.uids import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    is_uid,
    uid_text,
)
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.lookup import OWN_UIDS
from healthcare_deid.engine.plan.rules import Op
from healthcare_deid.engine.silence import quiet

if TYPE_CHECKING:
    from healthcare_deid.engine.dicom.sources import Source
    from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.plan.tag_decisions import TagPlan

_TAGS = (SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID)
_UNKNOWN = "unknown"


def result_name(source: Source, file: EncodedFile | None, plan: TagPlan, mapper: UidMapper) -> str | None:
    """Return ``study/series/instance.dcm``, of the UIDs that the result of an instance will have.

    An instance without a UID is called by its content, so that the name is the same in the next run.

    Args:
        source: The instance.
        file: The same, as the encoded executor reads it; None if that does not support its form.
        plan: What happens to its UIDs.
        mapper: New UIDs.

    Returns:
        The name, relative, with ``/``; None for a DICOMDIR, which would point at nothing.

    Raises:
        InvalidDicomError: It is not DICOM.
        OSError: It cannot be read.
    """
    found = _old_uids(source, file)
    if found.get(meta.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY:
        return None
    study, series, instance = (
        _new_uid(tag, found.get(tag, ""), plan, mapper)
        for tag in (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID)
    )
    if not instance:
        old = found.get(MEDIA_STORAGE_SOP_INSTANCE_UID, "")
        instance = mapper.map(old) if plan.uids.primary else old
    if not is_uid(instance):
        instance = mapper.map(source.sha256().hex())
    return str(PurePosixPath(study or _UNKNOWN, series or _UNKNOWN, f"{instance}.dcm"))


def _old_uids(source: Source, file: EncodedFile | None) -> dict[int, str]:
    if file is not None:
        with suppress(UseDatasetExecutor), quiet():
            found = {tag: value for tag, (_, value) in OWN_UIDS.find(file).items()}
            return {tag: uid_text(value) for tag, value in (found | file.meta.values).items()}
    dataset, _ = files.read_source(source)
    return {
        tag: uid_text(str(elements[tag].value).encode("ascii", "replace"))
        for elements in (dataset, dataset.file_meta)
        for tag in (*_TAGS, MEDIA_STORAGE_SOP_INSTANCE_UID, meta.MEDIA_STORAGE_SOP_CLASS_UID)
        if tag in elements
    }


def _new_uid(tag: int, old: str, plan: TagPlan, mapper: UidMapper) -> str:
    op = plan.rule(tag, "UI").op
    new = mapper.map(old) if op in (Op.UID, Op.OWN_UID, Op.DUMMY) else old if op in (Op.KEEP, Op.CHECK) else ""
    return new if is_uid(new) else ""  # what is no UID may say anything, and may be a path
