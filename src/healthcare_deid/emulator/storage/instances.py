"""The instances of DICOM stores: a file and a row in the index for each.

The file is written first, then the row. A process killed in between leaves a file without a row, which the next start
removes. An acknowledged instance has both.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import Code, ServiceError, not_found
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


@dataclass(frozen=True, slots=True)
class NewFile:
    """A complete file that is not in the index yet."""

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
    """An instance in a store.

    Attributes:
        id: Number in the index.
        store: Full name of the store.
        key: The UIDs.
        path: The file.
        size: Length of the file in bytes.
        transfer_syntax: Transfer syntax UID.
        attributes_json: Attributes as DICOM JSON text.
    """

    id: int
    store: str
    key: InstanceKey
    path: Path
    size: int
    transfer_syntax: str
    attributes_json: str

    @property
    def attributes(self) -> dict[str, Any]:
        """Attributes as DICOM JSON, without bulk data."""
        parsed: dict[str, Any] = json.loads(self.attributes_json)
        return parsed

    @property
    def source(self) -> str:
        """DICOMweb path of the instance, as logs show it."""
        return f"{self.store}/dicomWeb/{self.key}"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts and sizes of a store."""

    studies: int
    series: int
    instances: int
    size: int
    attributes_size: int


class Instances:
    """Instance files in a folder, with their index in the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    # -- writing

    def new_file(self) -> Path:
        """Return the path for a new file, which `add` takes over."""
        name = secrets.token_hex(16)
        folder = self._folder / name[:2]
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.part"

    def write(self, chunks: Iterable[bytes]) -> NewFile:
        """Write a new file. The caller removes it unless `add` takes it over."""
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

    def store(self, store: str, chunks: Iterable[bytes]) -> None:
        """Store one instance; storing the same bytes again changes nothing.

        Raises:
            InvalidDicomError: The bytes are not an instance.
            ServiceError: 409 if the store has other bytes under its UIDs, 404 if the store was deleted.
        """
        file = self.write(completed(chunks))
        try:
            (refusal,) = self.add(store, [(file, read_header(file.path))])
        finally:
            file.path.unlink(missing_ok=True)
        if refusal is not None:
            raise refusal

    def add(self, store: str, files: Sequence[tuple[NewFile, InstanceHeader]]) -> list[ServiceError | None]:
        """Index files in one transaction. The caller removes the files that are not taken over.

        Returns:
            For each file, None if its bytes are in the store, or 409 if the store has other bytes under its UIDs.

        Raises:
            ServiceError: 404: the store was deleted.
        """
        taken: list[Path] = []
        try:
            with self._database.write() as connection:
                _check(connection, store)
                return [self._add(connection, store, file, header, taken) for file, header in files]
        except BaseException:
            for path in taken:
                path.unlink(missing_ok=True)
            raise

    def _add(
        self, connection: sqlite3.Connection, store: str, file: NewFile, header: InstanceHeader, taken: list[Path]
    ) -> ServiceError | None:
        key = header.key
        row = connection.execute(
            "SELECT digest FROM instances WHERE store = ? AND study = ? AND series = ? AND instance = ?",
            (store, key.study, key.series, key.instance),
        ).fetchone()
        if row is not None:
            return None if row["digest"] == file.digest else ServiceError(Code.ALREADY_EXISTS, CONFLICT)
        final = file.path.with_suffix(".dcm")
        file.path.rename(final)
        taken.append(final)
        connection.execute(
            "INSERT INTO instances (store, study, series, instance, file, size, digest, transfer_syntax, attributes, "
            "patient_id, study_date, accession_number, modality) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                store,
                key.study,
                key.series,
                key.instance,
                final.relative_to(self._folder).as_posix(),
                file.size,
                file.digest,
                header.transfer_syntax,
                json.dumps(header.attributes, ensure_ascii=False, separators=(",", ":")),
                header.text("00100020"),
                header.text("00080020"),
                header.text("00080050"),
                header.text("00080060"),
            ),
        )
        return None

    def remove(self, store: str, study: str, series: str | None = None, instance: str | None = None) -> int:
        """Delete a study, a series or an instance; return the number of instances."""
        where, values = _where(store, study, series, instance)
        with self._database.write() as connection:
            gone = connection.execute(f"DELETE FROM instances WHERE {where} RETURNING file", values).fetchall()  # noqa: S608 - our columns
        self.unlink(row["file"] for row in gone)
        return len(gone)

    def unlink(self, files: Iterable[str]) -> None:
        """Remove files without rows. A file that cannot be removed now is removed at the next start."""
        for file in files:
            with contextlib.suppress(OSError):
                (self._folder / file).unlink(missing_ok=True)

    def remove_orphans(self) -> int:
        """Remove files that a killed process left without a row; return how many."""
        with self._database.read() as connection:
            known = {row["file"] for row in connection.execute("SELECT file FROM instances")}
        orphans = [
            path
            for path in self._folder.rglob("*")
            if path.is_file() and path.relative_to(self._folder).as_posix() not in known
        ]
        for path in orphans:
            path.unlink(missing_ok=True)
        return len(orphans)

    # -- reading

    def find(
        self, store: str, study: str | None = None, series: str | None = None, instance: str | None = None
    ) -> list[StoredInstance]:
        """Return the instances of a store, study or series, or one instance, ordered by UID."""
        where, values = _where(store, study, series, instance)
        sql = f"SELECT * FROM instances WHERE {where} ORDER BY study, series, instance"  # noqa: S608 - our columns
        with self._database.read() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [self.from_row(row) for row in rows]

    def from_row(self, row: sqlite3.Row) -> StoredInstance:
        """Build an instance from a row of the index."""
        key = InstanceKey(row["study"], row["series"], row["instance"])
        path = self._folder / row["file"]
        return StoredInstance(
            row["id"], row["store"], key, path, row["size"], row["transfer_syntax"], row["attributes"]
        )

    def by_id(self, ids: Sequence[int]) -> dict[int, StoredInstance]:
        """Return the instances that still exist, by their number."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM instances WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
            ).fetchall()
        return {row["id"]: self.from_row(row) for row in rows}

    def totals(self, store: str) -> Totals:
        """Return counts and sizes of a store."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT count(DISTINCT study) AS studies, count(DISTINCT study || '/' || series) AS series, "
                "count(*) AS instances, coalesce(sum(size), 0) AS size, "
                "coalesce(sum(length(attributes)), 0) AS attributes_size FROM instances WHERE store = ?",
                (store,),
            ).fetchone()
        return Totals(*row)


def _where(store: str, study: str | None, series: str | None, instance: str | None) -> tuple[str, list[str]]:
    pairs = [("store", store), ("study", study), ("series", series), ("instance", instance)]
    given = [(column, value) for column, value in pairs if value is not None]
    return " AND ".join(f"{column} = ?" for column, _ in given), [value for _, value in given]


def _check(connection: sqlite3.Connection, store: str) -> None:
    if not exists(connection, store):
        raise not_found(f"DICOM store {store} does not exist.")
