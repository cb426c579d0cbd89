"""The instances of DICOM stores: a file each, and a row each in the index.

Order of writes: the file first, under a name nothing refers to; then its row, in one transaction. A process killed in
between leaves a file without a row, which the next start removes. What was acknowledged has both.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.storage.header import InstanceKey
from healthcare_deid.emulator.storage.catalog import exists
from healthcare_deid.emulator.errors import Code, ServiceError, not_found

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from healthcare_deid.emulator.storage.header import InstanceHeader
    from healthcare_deid.emulator.storage.database import Database

CONFLICT = (
    "An instance already exists in this DICOM Store with the same Study/Series/SOPInstance UID, "
    "but the DICOM files differ (checksum mismatch)."
)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A complete file that nothing refers to yet."""

    path: Path
    digest: str
    size: int

    @classmethod
    def of(cls, path: Path) -> NewFile:
        """Describe a file that is there."""
        with path.open("rb") as stream:
            return cls(path, hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """An instance in a store.

    Attributes:
        store: Full name of its store.
        key: Its UIDs.
        path: Its file.
        size: Bytes of the file.
        transfer_syntax: Transfer syntax UID.
        attributes_json: Its attributes, as text of DICOM JSON.
    """

    store: str
    key: InstanceKey
    path: Path
    size: int
    transfer_syntax: str
    attributes_json: str

    @property
    def attributes(self) -> dict[str, Any]:
        """Its attributes as DICOM JSON, without bulk data."""
        parsed: dict[str, Any] = json.loads(self.attributes_json)
        return parsed

    @property
    def source(self) -> str:
        """Its DICOMweb name, as logs and counters give it."""
        return f"{self.store}/dicomWeb/{self.key}"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a store holds."""

    studies: int
    series: int
    instances: int
    size: int
    attributes_size: int


class Instances:
    """Instance files in a folder, indexed in the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    # -- writing

    def new_file(self) -> Path:
        """Return the path of a new file that nothing refers to; `add` takes it over."""
        name = secrets.token_hex(16)
        folder = self._folder / name[:2]
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.part"

    def write(self, chunks: Iterable[bytes]) -> NewFile:
        """Write a new file. It is the caller's to remove, until `add` takes it over."""
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

    def add(self, store: str, files: Sequence[tuple[NewFile, InstanceHeader]]) -> list[ServiceError | None]:
        """Take over files in one transaction. What is not taken over stays the caller's to remove.

        Returns:
            For each file None if its bytes are in the store now, or 409 if others are there under its UIDs.

        Raises:
            ServiceError: 404: the store is gone.
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
        """Delete a study, a series or an instance; return how many instances went."""
        where, values = _where(store, study, series, instance)
        with self._database.write() as connection:
            gone = connection.execute(f"DELETE FROM instances WHERE {where} RETURNING file", values).fetchall()  # noqa: S608 - our columns
        self.unlink(row["file"] for row in gone)
        return len(gone)

    def unlink(self, files: Iterable[str]) -> None:
        """Remove files whose rows are gone. One that cannot go now is an orphan, and goes at the next start."""
        for file in files:
            with contextlib.suppress(OSError):
                (self._folder / file).unlink(missing_ok=True)

    def remove_orphans(self) -> int:
        """Remove files without a row, left by a process that was killed; return how many."""
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
        """Return the instances of a store, a study, a series, or one instance, in order of their UIDs."""
        where, values = _where(store, study, series, instance)
        sql = f"SELECT * FROM instances WHERE {where} ORDER BY study, series, instance"  # noqa: S608 - our columns
        with self._database.read() as connection:
            rows = connection.execute(sql, values).fetchall()
        return [self.from_row(row) for row in rows]

    def from_row(self, row: sqlite3.Row) -> StoredInstance:
        """Build an instance from a row of the index."""
        key = InstanceKey(row["study"], row["series"], row["instance"])
        path = self._folder / row["file"]
        return StoredInstance(row["store"], key, path, row["size"], row["transfer_syntax"], row["attributes"])

    def totals(self, store: str) -> Totals:
        """Count what a store holds."""
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
