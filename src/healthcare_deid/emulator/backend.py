"""`Backend`: storage and jobs of an emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import ServiceError
from healthcare_deid.emulator.jobs.deidentification import DEIDENTIFY, Deidentification
from healthcare_deid.emulator.jobs.import_export import ImportExport
from healthcare_deid.emulator.jobs.logs import Logs
from healthcare_deid.emulator.jobs.metadata_update import MetadataUpdate
from healthcare_deid.emulator.jobs.operations import Operations
from healthcare_deid.emulator.jobs.runner import Runner
from healthcare_deid.emulator.storage.catalog import Catalog
from healthcare_deid.emulator.storage.database import DATABASE, Database
from healthcare_deid.emulator.storage.instances import Instances
from healthcare_deid.emulator.storage.rebuild import INSTANCES
from healthcare_deid.errors import ConfigError, EmulatorError

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.emulator.clock import EmulatorClock
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.jobs.execution import EngineFactory, Executor
    from healthcare_deid.emulator.storage.buckets import Buckets


@dataclass(frozen=True)
class Backend:
    """Storage and jobs over one data directory.

    The directory belongs to this process until `close`.
    """

    folder: Path
    database: Database
    catalog: Catalog
    instances: Instances
    operations: Operations
    logs: Logs
    runner: Runner
    executor: Executor
    deidentification: Deidentification
    import_export: ImportExport
    metadata_update: MetadataUpdate
    buckets: Buckets
    faults: FaultPlan

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: EmulatorClock,
        executor: Executor,
        make_engine: EngineFactory,
        buckets: Buckets,
        faults: FaultPlan,
    ) -> Backend:
        """Open a directory, and finish or abort interrupted operations.

        Raises:
            EmulatorError: The directory is in use, was written by another version, or belongs to something else.
        """
        fresh = _prepare(folder)
        database = Database(folder, create=fresh)
        catalog = Catalog(database)
        instances = Instances(database, folder / INSTANCES)
        operations = Operations(database, clock)
        runner = Runner(database, operations, clock, faults)
        try:
            # Before anything else is served: files of an unfinished transaction must not be indexed or kept.
            instances.recover()
        except BaseException:
            database.close()
            raise
        deidentification = Deidentification(
            database, catalog, instances, operations, runner, executor, make_engine, faults
        )
        opened = cls(
            folder,
            database,
            catalog,
            instances,
            operations,
            Logs(operations, folder / "logs"),
            runner,
            executor,
            deidentification,
            ImportExport(database, instances, operations, runner, buckets),
            MetadataUpdate(database, instances, operations, runner),
            buckets,
            faults,
        )
        opened._resume()
        return opened

    def delete(self, name: str) -> None:
        """Delete a dataset or store with all its content."""
        self.catalog.delete(name)
        self.instances.purge()

    def close(self) -> None:
        """Stop all operations and release the directory."""
        self.runner.close()
        self.executor.close()
        self.database.close()

    def _resume(self) -> None:
        for record, request in self.operations.interrupted():
            # A cancelled operation ends as cancelled; one without its request cannot be repeated.
            if request is None or record.cancel_requested:
                self.runner.abort(record.name)
                continue
            units = self.operations.units_left(record.name)
            job = self.deidentification if request["kind"] == DEIDENTIFY else self.import_export
            try:
                job.resume(record.name, request, units)
            # Its buckets or config can no longer be used. It must end, or clients would wait forever.
            except (ServiceError, ConfigError):
                self.runner.abort(record.name)


def _prepare(folder: Path) -> bool:
    """Create the data directory, or refuse one that belongs to something else.

    Returns:
        Whether the directory has no instances.
    """
    if folder.exists() and not folder.is_dir():
        raise EmulatorError(f"{folder} is a file: the emulator needs a directory")
    places = list((folder / INSTANCES).iterdir()) if (folder / INSTANCES).is_dir() else []
    if not (folder / DATABASE).exists() and places:
        raise EmulatorError(
            f"{folder} has a directory {INSTANCES!r} that is not the emulator's, or its database is missing. Use "
            f"another directory, or run: healthcare-deid emulator --data-dir {folder} rebuild-index"
        )
    try:
        # The data identifies patients: no other user of the machine may read it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / INSTANCES).mkdir(mode=0o700, exist_ok=True)
        (folder / DATABASE).touch(mode=0o600)
    except OSError as error:
        raise EmulatorError(f"the emulator cannot write to {folder}: {error.strerror}") from None
    return not any((folder / INSTANCES).glob("*/*"))
