"""Instances of DICOM stores: a file and an index row each.

Each store has a directory of files, and a file outside of it with the store's name, so the index can be rebuilt. New
files are written to ``incoming`` first. A journal lists the files of an uncommitted transaction: the next start removes
these as leftovers of a killed process, and keeps files whose rows were lost.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode, not_found
from healthcare_deid.emulator.storage.catalog import exists
from healthcare_deid.emulator.storage.header import InstanceKey, completed, read_header

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.emulator.storage.header import InstanceHeader

CONFLICT = (
    "An instance already exists in this DICOM Store with the same Study/Series/SOPInstance UID, "
    "but the DICOM files differ (checksum mismatch)."
)
STORES = "stores"
STANDARD = "STANDARD"
_INCOMING = "incoming"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewFile:
    """Complete file that is not in the index yet."""

    path: Path
    digest: str
    size: int

    @classmethod
    def of(cls, path: Path) -> NewFile:
        """Describe an existing file."""
        with path.open("rb") as stream:
            return cls(path, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """Instance in a store.

    Attributes:
        id: Row ID in the index.
        store: Full name of the store.
        key: UIDs.
        path: Path of the file.
        size: Length of the file in bytes.
        transfer_syntax: Transfer Syntax UID.
        storage_class: Blob storage class.
        class_changed: Time of the last change of the class, or None.
        attributes_json: Attributes as DICOM JSON text.
    """

    id: int
    store: str
    key: InstanceKey
    path: Path
    size: int
    transfer_syntax: str
    storage_class: str
    class_changed: float | None
    attributes_json: str

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes as DICOM JSON, without bulk data."""
        parsed: dict[str, Any] = json.loads(self.attributes_json)
        return parsed

    @property
    def source(self) -> str:
        """DICOMweb path of the instance, as used in logs."""
        return f"{self.store}/dicomWeb/{self.key}"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts and sizes of a store, study or series."""

    studies: int
    series: int
    instances: int
    size: int
    attributes_size: int


class Instances:
    """Instance files in a directory, and their index in the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._incoming = folder / _INCOMING
        self._incoming.mkdir(exist_ok=True)
        self._stores = folder.parent / STORES
        self._stores.mkdir(mode=0o700, exist_ok=True)

    # -- Writing

    def new_file(self) -> Path:
        """Return the path for a new file, which `add` takes over."""
        return self._incoming / f"{secrets.token_hex(16)}.part"

    def write(self, chunks: Iterable[bytes]) -> NewFile:
        """Write a new file, which `add` takes over or the caller removes."""
        path = self.new_file()
        digest, size = hashlib.sha256(), 0
        try:
            with path.open("wb") as stream:
                for chunk in chunks:
                    stream.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return NewFile(path, digest.hexdigest(), size)

    def store(self, store: str, chunks: Iterable[bytes], *, storage_class: str = STANDARD) -> None:
        """Store one instance.

        Storing the same bytes again changes nothing.

        Raises:
            InvalidDicomError: The bytes are not a DICOM instance.
            ServiceError: 409: the store has other bytes with the same UIDs. 404: the store was deleted.
        """
        file = self.write(completed(chunks))
        try:
            (refusal,) = self.add(store, [(file, read_header(file.path))], storage_class=storage_class)
        finally:
            file.path.unlink(missing_ok=True)
        if refusal is not None:
            raise refusal

    def add(
        self,
        store: str,
        files: Sequence[tuple[NewFile, InstanceHeader]],
        *,
        replace: bool = False,
        storage_class: str = STANDARD,
    ) -> list[ServiceError | None]:
        """Add files to the index in one transaction.

        The caller removes files that are not taken over.

        Args:
            store: Full name of the store.
            files: New files with their headers.
            replace: Whether to replace instances with the same UIDs.
            storage_class: Blob storage class of the instances.

        Returns:
            For each file, None if its bytes are in the store, or a 409 error if the store has other bytes with its
                UIDs.

        Raises:
            ServiceError: 404: the store was deleted.
        """
        folder = self._folder_of(store)
        targets = [folder / file.path.with_suffix(".dcm").name for file, _ in files]
        journal = self._stores / f"{secrets.token_hex(16)}.journal"
        journal.write_text(json.dumps([self._relative(target) for target in targets]), "utf-8")
        try:
            with self._database.write() as connection:
                _check(connection, store)
                results = [
                    self._add(connection, store, file, header, target, replace=replace, storage_class=storage_class)
                    for (file, header), target in zip(files, targets, strict=True)
                ]
        # Rolled back, so that no row refers to these files.
        except BaseException:
            for target in targets:
                target.unlink(missing_ok=True)
            raise
        finally:
            journal.unlink(missing_ok=True)
        if replace:
            self.purge()
        return results

    def _add(
        self,
        connection: sqlite3.Connection,
        store: str,
        file: NewFile,
        header: InstanceHeader,
        target: Path,
        *,
        replace: bool,
        storage_class: str,
    ) -> ServiceError | None:
        key = header.key
        row = connection.execute(
            "SELECT id, digest FROM instances WHERE store = ? AND study = ? AND series = ? AND instance = ?",
            (store, key.study, key.series, key.instance),
        ).fetchone()
        # Storing the same bytes again is a success (fidelity F-21).
        if row is not None and row["digest"] == file.digest:
            return None
        if row is not None and not replace:
            return ServiceError(StatusCode.ALREADY_EXISTS, CONFLICT)
        if row is not None:
            connection.execute("DELETE FROM instances WHERE id = ?", (row["id"],))
        # Atomic on one file system, so that the index never refers to a partial file.
        file.path.rename(target)
        insert_row(connection, store, self._relative(target), file, header, storage_class)
        return None

    def _folder_of(self, store: str) -> Path:
        """Return the directory of a store, created with the file that names it."""
        # Hashed, because store names may be too long for a directory name.
        folder = self._folder / hashlib.sha256(store.encode()).hexdigest()[:32]
        file = self._stores / f"{folder.name}.json"
        if not file.exists():
            part = self._incoming / f"{secrets.token_hex(16)}.part"
            part.write_text(json.dumps({"name": store}), "utf-8")
            part.replace(file)
        folder.mkdir(exist_ok=True)
        return folder

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def remove(self, store: str, study: str, series: str | None = None, instance: str | None = None) -> int:
        """Delete a study, series or instance; return the number of instances."""
        where, values = _where(store, study, series, instance)
        with self._database.write() as connection:
            gone = connection.execute(f"DELETE FROM instances WHERE {where}", values).rowcount  # noqa: S608 - our columns
        self.purge()
        return gone

    def set_storage_class(self, ids: Sequence[int], storage_class: str, now: float) -> None:
        """Set the blob storage class of instances."""
        with self._database.write() as connection:
            connection.execute(
                "UPDATE instances SET storage_class = ?, class_changed = ? WHERE storage_class <> ? "
                "AND id IN (SELECT value FROM json_each(?))",
                (storage_class, now, storage_class, json.dumps(list(ids))),
            )

    # -- Cleaning up

    def purge(self) -> None:
        """Remove the files of deleted rows; retry later those in use."""
        with self._database.read() as connection:
            discarded = [row["file"] for row in connection.execute("SELECT file FROM discarded")]
        gone: list[str] = []
        for file in discarded:
            with contextlib.suppress(OSError):
                (self._folder / file).unlink(missing_ok=True)
                gone.append(file)
        if gone:
            with self._database.write() as connection:
                connection.executemany("DELETE FROM discarded WHERE file = ?", ((file,) for file in gone))
        self._remove_folders({file.partition("/")[0] for file in gone})

    def _remove_folders(self, names: Iterable[str]) -> None:
        """Remove directories of deleted stores, which a rebuild would restore."""
        for name in names:
            file = self._stores / f"{name}.json"
            with contextlib.suppress(OSError, ValueError, KeyError), self._database.read() as connection:
                if not exists(connection, json.loads(file.read_bytes())["name"]):
                    file.unlink()
                    (self._folder / name).rmdir()

    def recover(self) -> None:
        """Remove leftovers of a killed process, and nothing else."""
        with self._database.read() as connection:
            known = {row["file"] for row in connection.execute("SELECT file FROM instances")}
        for journal in self._stores.glob("*.journal"):
            with contextlib.suppress(ValueError):  # a truncated journal: no file was moved yet
                for file in set(json.loads(journal.read_bytes())) - known:
                    (self._folder / file).unlink(missing_ok=True)
            journal.unlink()
        # Never renamed, so never acknowledged to a client.
        for part in self._incoming.glob("*.part"):
            part.unlink()
        self.purge()
        lost = sum(1 for path in self._folder.rglob("*.dcm") if self._relative(path) not in known)
        if lost:
            _LOG.warning(
                "%d files are not in the index of %s: run 'healthcare-deid emulator rebuild-index' to add them",
                lost,
                self._folder.parent,
            )

    # -- Reading

    def find(
        self, store: str, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> list[StoredInstance]:
        """Return the instances of a store, study or series, ordered by UID."""
        where, values = _where(store, study, series, instance)
        sql = f"SELECT * FROM instances WHERE {where} ORDER BY study, series, instance"  # noqa: S608 - our columns
        with self._database.read() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [self.from_row(row) for row in rows]

    def from_row(self, row: sqlite3.Row) -> StoredInstance:
        """Build an instance from an index row."""
        return StoredInstance(
            row["id"],
            row["store"],
            InstanceKey(row["study"], row["series"], row["instance"]),
            self._folder / row["file"],
            row["size"],
            row["transfer_syntax"],
            row["storage_class"],
            row["class_changed"],
            row["attributes"],
        )

    def by_id(self, ids: Sequence[int]) -> dict[int, StoredInstance]:
        """Return the instances that still exist, by row ID."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM instances WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
            ).fetchall()
        return {row["id"]: self.from_row(row) for row in rows}

    def totals(self, store: str, study: str | None = None, series: str | None = None) -> Totals:
        """Return counts and sizes of a store, study or series."""
        where, values = _where(store, study, series, None)
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(DISTINCT study) AS studies, count(DISTINCT study || '/' || series) AS series, "  # noqa: S608
                "count(*) AS instances, coalesce(sum(size), 0) AS size, "
                f"coalesce(sum(length(attributes)), 0) AS attributes_size FROM instances WHERE {where}",
                values,
            ).fetchone()
        return Totals(*row)


def insert_row(
    connection: sqlite3.Connection, store: str, file: str, new: NewFile, header: InstanceHeader, storage_class: str
) -> None:
    """Add an instance to the index in a transaction."""
    values = {
        "store": store,
        "study": header.key.study,
        "series": header.key.series,
        "instance": header.key.instance,
        "file": file,
        "size": new.size,
        "digest": new.digest,
        "transfer_syntax": header.transfer_syntax,
        "storage_class": storage_class,
        "patient_id": header.text("00100020"),
        "study_date": header.text("00080020"),
        "accession_number": header.text("00080050"),
        "modality": header.text("00080060"),
        "attributes": json.dumps(header.attributes, ensure_ascii=False, separators=(",", ":")),
    }
    columns = ", ".join(values)
    connection.execute(
        f"INSERT INTO instances ({columns}) VALUES ({', '.join('?' * len(values))})",  # noqa: S608 - our columns
        tuple(values.values()),
    )


def _check(connection: sqlite3.Connection, store: str) -> None:
    if not exists(connection, store):
        raise not_found(f"DICOM store {store} does not exist.")


def _where(store: str, study: str | None, series: str | None, instance: str | None) -> tuple[str, list[str]]:
    pairs = [("store", store), ("study", study), ("series", series), ("instance", instance)]
    given = [(column, value) for column, value in pairs if value is not None]
    return " AND ".join(f"{column} = ?" for column, _ in given), [value for _, value in given]
