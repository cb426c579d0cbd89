"""What the results of a folder are called: by their own new UIDs. File and folder names are PHI as often as not."""

from __future__ import annotations

import csv
import hashlib
import os
import sqlite3
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Literal, get_args

from healthcare_deid.engine.dicom import file_meta as meta
from healthcare_deid.engine.dicom import files
from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
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

    It is kept over runs: rows are added, and none comes twice.

    Args:
        path: The file.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._rows.execute("CREATE TABLE rows (key BLOB PRIMARY KEY, fresh INT) WITHOUT ROWID")
        self._wrong: set[bytes] = set()
        self._replaced: set[str] = set()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        self._file = os.fdopen(descriptor, "r+", encoding="utf-8", errors="surrogateescape", newline="")
        if os.name == "posix":
            path.chmod(OWNER_ONLY)  # it may have been there, open to others
        try:
            self._load()
        except BaseException:
            self._file.close()
            self._rows.close()
            raise

    def add(self, source: str, result: str) -> None:
        """Write a row, unless it is there."""
        if self._is_new(source, result, fresh=True):
            self._writer.writerow((source, result))

    def withdraw(self, source: str, result: str) -> None:
        """Take a row back: another file became this result."""
        self._wrong.add(_row_key(source, result))

    def replace(self, result: str) -> None:
        """Take the rows of earlier runs about a result back: another file becomes it."""
        self._replaced.add(result)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Close the file; without the rows that were taken back."""
        self._file.close()
        if self._wrong or self._replaced:
            self._write_again()
        self._rows.close()

    def _write_again(self) -> None:
        with (
            self._path.open(encoding="utf-8", errors="surrogateescape", newline="") as old,
            beside(self._path, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="", closefd=False) as new,
        ):
            csv.writer(new).writerows(row for row in csv.reader(old) if self._is_right(*row[:2]))

    def _is_right(self, source: str, result: str) -> bool:
        key = _row_key(source, result)
        if key in self._wrong:
            return False
        return result not in self._replaced or bool(
            self._rows.execute("SELECT fresh FROM rows WHERE key = ?", (key,)).fetchone()[0]
        )

    def _load(self) -> None:
        """Remember the rows that are there, and put a row that was cut off right."""
        rows = csv.reader(self._file)
        heading = next(rows, None)
        if heading not in (None, list(_HEADING)):
            raise ValueError("name_map: the file is there, and is no map of names; name another one")
        for row in rows:
            if len(row) == len(_HEADING):  # the last one may have been cut off
                self._is_new(*row, fresh=False)
        self._writer = csv.writer(self._file)
        if heading is None:
            self._writer.writerow(_HEADING)
        elif not _ends_with_a_line_break(self._path):
            self._file.write("\r\n")
        self.flush()

    def _is_new(self, source: str, result: str, *, fresh: bool) -> bool:
        row = (_row_key(source, result), fresh)
        if self._rows.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", row).rowcount:
            return True
        if fresh:
            self._rows.execute("UPDATE rows SET fresh = 1 WHERE key = ?", row[:1])
        return False


def _row_key(source: str, result: str) -> bytes:
    return hashlib.blake2b(f"{source}\0{result}".encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _ends_with_a_line_break(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def refuse_inside(argument: str, path: Path, source: Path | None, destination: Path | None) -> None:
    """Refuse a path that would stand among the originals or the results.

    Raises:
        ValueError: It does.
    """
    if destination is not None and path.resolve().is_relative_to(destination.resolve()):
        raise ValueError(f"{argument} is inside the destination: it would go with the results")
    if source is not None and path.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"{argument} is inside the source: it would be taken for input, or an original be lost")
