"""Rebuilding of a lost or damaged index from the instance files."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.emulator.storage.catalog import ResourceKind, exists, insert
from healthcare_deid.emulator.storage.database import DATABASE, Database, take_lock
from healthcare_deid.emulator.storage.header import read_header
from healthcare_deid.emulator.storage.instances import STANDARD, STORES, NewFile, insert_row
from healthcare_deid.errors import EmulatorError, InvalidDicomError, ResourceNameError
from healthcare_deid.names import DicomStoreName

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

INSTANCES = "instances"
_BATCH = 256


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """Result of rebuilding an index.

    Attributes:
        stores: Number of DICOM stores found.
        instances: Number of instances in the new index.
        skipped: Number of files that are not instances, or have the UIDs of another file in their store.
        kept: Old database, or None if there was none.
    """

    stores: int
    instances: int
    skipped: int
    kept: Path | None


def rebuild_index(folder: Path) -> RebuildReport:
    """Rebuild the index of a data directory from its files.

    The old database is kept under another name. Stores are restored with their instances. Labels, policies, FHIR
    stores, operations and empty DICOM stores are lost.

    Raises:
        EmulatorError: The directory is in use, or has no instances.
    """
    stores = _stores(folder)
    if not stores:
        raise EmulatorError(f"{folder} has no instances to rebuild the index from")
    take_lock(folder).close()  # raises if an emulator is running
    kept = _put_aside(folder)
    database = Database(folder, create=True)
    try:
        instances = skipped = 0
        for name, place in stores:
            files = sorted(place.glob("*.dcm"))
            with database.write() as connection:
                _create(connection, name)
            for start in range(0, len(files), _BATCH):
                some = files[start : start + _BATCH]
                with database.write() as connection:
                    added = sum(_index(connection, str(name), folder / INSTANCES, path) for path in some)
                instances += added
                skipped += len(some) - added
    finally:
        database.close()
    return RebuildReport(len(stores), instances, skipped, kept)


def _stores(folder: Path) -> list[tuple[DicomStoreName, Path]]:
    found: list[tuple[DicomStoreName, Path]] = []
    for path in sorted((folder / STORES).glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, ResourceNameError):
            name = DicomStoreName.parse(json.loads(path.read_bytes())["name"])
            found.append((name, folder / INSTANCES / path.stem))
    return found


def _put_aside(folder: Path) -> Path | None:
    path = folder / DATABASE
    number = 1
    while (kept := folder / f"{DATABASE}.old-{number}").exists():
        number += 1
    # SQLite would apply a left-over write-ahead log to the new database.
    for suffix in ("-wal", "-shm"):
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.rename(kept.with_name(kept.name + suffix))
    if not path.exists():
        return None
    path.rename(kept)
    return kept


def _create(connection: sqlite3.Connection, name: DicomStoreName) -> None:
    # Only stores have files. Datasets follow from the stores' names.
    if not exists(connection, str(name.parent)):
        insert(connection, ResourceKind.DATASET, str(name.parent), None, {"name": str(name.parent)})
    insert(connection, ResourceKind.DICOM_STORE, str(name), str(name.parent), {"name": str(name)})


def _index(connection: sqlite3.Connection, store: str, root: Path, path: Path) -> bool:
    try:
        header = read_header(path)
    except InvalidDicomError:
        return False
    key = header.key
    known = connection.execute(
        "SELECT 1 FROM instances WHERE store = ? AND study = ? AND series = ? AND instance = ?",
        (store, key.study, key.series, key.instance),
    ).fetchone()
    if known is None:
        insert_row(connection, store, path.relative_to(root).as_posix(), NewFile.of(path), header, STANDARD)
    return known is None
