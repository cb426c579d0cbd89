"""What the results of a folder are called: by their own new UIDs. File and folder names are PHI as often as not."""

from __future__ import annotations

import csv
import hashlib
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from healthcare_deid.engine.dicom import file_meta as meta
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.directory import MEDIA_STORAGE_DIRECTORY
from healthcare_deid.engine.dicom.silence import quiet
from healthcare_deid.engine.dicom.uids import (
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCE_UID,
    is_uid,
    uid_text,
)
from healthcare_deid.engine.header.fast.encoded_file import EncodedFile
from healthcare_deid.engine.header.fast.entries import UseDatasetExecutor
from healthcare_deid.engine.header.fast.lookup import OWN_UIDS
from healthcare_deid.engine.plan.tags import Op
from healthcare_deid.engine.runs.record import refuse_inside

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.identity.uid_mapper import UidMapper
    from healthcare_deid.engine.plan.tags import TagPlan

Names = Literal["uid", "source"]
NAMES: tuple[str, ...] = get_args(Names)
DIRECTORY_LEFT_OUT = (
    "a DICOMDIR was left out: it points at files by name, and results have other names; make a new one of the results"
)
_TAGS = (SOP_INSTANCE_UID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID)
_UNKNOWN = "unknown"
_HEADING = ("source", "result")


def result_name(path: Path, plan: TagPlan, mapper: UidMapper) -> str | None:
    """Return ``study/series/instance.dcm``, of the UIDs that the result of a file will have.

    An instance without a UID is called by its content, so that the name is the same in the next run.

    Returns:
        The name, relative, with ``/``; None for a DICOMDIR, which would point at nothing.

    Raises:
        InvalidDicomError: It is not DICOM.
        OSError: It cannot be read.
    """
    found = _old_uids(path)
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
        with path.open("rb") as file:
            instance = mapper.map(hashlib.file_digest(file, "sha256").hexdigest())
    return str(PurePosixPath(study or _UNKNOWN, series or _UNKNOWN, f"{instance}.dcm"))


def _old_uids(path: Path) -> dict[int, str]:
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        with quiet():
            file = EncodedFile(descriptor)
            found = {tag: value for tag, (_, value) in OWN_UIDS.find(file).items()}
            values = {**found, **file.meta.values}
    except UseDatasetExecutor:
        with files.opened(path) as (dataset, _):
            values = {
                tag: str(elements[tag].value).encode("ascii", "replace")
                for elements in (dataset, dataset.file_meta)
                for tag in (*_TAGS, MEDIA_STORAGE_SOP_INSTANCE_UID, meta.MEDIA_STORAGE_SOP_CLASS_UID)
                if tag in elements
            }
    finally:
        os.close(descriptor)
    return {tag: uid_text(value) for tag, value in values.items()}


def _new_uid(tag: int, old: str, plan: TagPlan, mapper: UidMapper) -> str:
    op = plan.rule(tag, "UI").op
    new = mapper.map(old) if op in (Op.UID, Op.OWN_UID, Op.DUMMY) else old if op in (Op.KEEP, Op.CHECK) else ""
    return new if is_uid(new) else ""  # what is no UID may say anything, and may be a path


class NameMap:
    """A CSV file that says which file became which, for its owner only: the source's names may tell who it is.

    Args:
        path: The file; None writes none. It is written anew.
        source: The folder of originals, which it must not be in.
        destination: The folder of results, which it must not be in.

    Raises:
        ValueError: ``path`` is among the originals or the results, or holds something else.
        OSError: It cannot be written.
    """

    def __init__(self, path: Path | None, source: Path, destination: Path) -> None:
        if path is not None:
            refuse_inside("name_map", path, source, destination)
            _refuse_other(path)
        self._path = path
        self._write([_HEADING], os.O_TRUNC)

    def add(self, names: list[tuple[str, str]]) -> None:
        """Write names of files, and of their results."""
        self._write(names, os.O_APPEND)

    def _write(self, rows: list[tuple[str, str]], mode: int) -> None:
        if self._path is None or not rows:
            return
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | mode, 0o600)
        if mode == os.O_TRUNC and hasattr(os, "fchmod"):
            os.fchmod(descriptor, 0o600)  # it may have been there, open to others
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            csv.writer(file).writerows(rows)


def _refuse_other(path: Path) -> None:
    if not path.exists():
        return
    with path.open("rb") as file:
        beginning = file.readline(100)
    if beginning and beginning.rstrip() != ",".join(_HEADING).encode():
        raise ValueError("name_map: the file is there, and is no map of names; name another one")
