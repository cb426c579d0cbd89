"""The parts of an emulator, wired together over one data folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import ServiceError
from healthcare_deid.emulator.jobs.deidentification import KIND, Deidentification
from healthcare_deid.emulator.jobs.import_export import ImportExport
from healthcare_deid.emulator.jobs.logs import Logs
from healthcare_deid.emulator.jobs.operations import Operations
from healthcare_deid.emulator.jobs.runner import Runner
from healthcare_deid.emulator.storage.catalog import Catalog
from healthcare_deid.emulator.storage.database import DATABASE, Database
from healthcare_deid.emulator.storage.instances import Instances
from healthcare_deid.errors import ConfigError, EmulatorError

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.emulator.clock import Clock
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.jobs.execution import EngineFactory, Executor
    from healthcare_deid.emulator.storage.buckets import Buckets

_INSTANCES = "instances"


@dataclass(frozen=True)
class Backend:
    """Storage and jobs of an emulator. The folder belongs to this process until `close`."""

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
    buckets: Buckets
    faults: FaultPlan

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Clock,
        executor: Executor,
        make_engine: EngineFactory,
        buckets: Buckets,
        faults: FaultPlan,
    ) -> Backend:
        """Open a folder, and finish or end what a stopped emulator left behind.

        Raises:
            EmulatorError: The folder is in use, was written by another version, or does not belong to an emulator.
        """
        _prepare(folder)
        database = Database(folder)
        catalog = Catalog(database)
        instances = Instances(database, folder / _INSTANCES)
        operations = Operations(database, clock)
        runner = Runner(database, operations, clock)
        instances.remove_orphans()
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
            buckets,
            faults,
        )
        opened._resume()
        return opened

    def close(self) -> None:
        """Stop the operations, then release everything."""
        self.runner.close()
        self.executor.close()
        self.database.close()

    def _resume(self) -> None:
        for record, request in self.operations.interrupted():
            try:
                if request is None or request["kind"] != KIND or record.cancel_requested:
                    self.runner.abort(record.name)
                else:
                    self.deidentification.resume(record.name, request, self.operations.units_left(record.name))
            except (ServiceError, ConfigError):
                self.runner.abort(record.name)


def _prepare(folder: Path) -> None:
    """Create the folder, or refuse one that belongs to something else."""
    if folder.exists() and not folder.is_dir():
        raise EmulatorError(f"{folder} is a file: the emulator keeps its data in a folder")
    if not (folder / DATABASE).exists() and (folder / _INSTANCES).exists():
        # Files there that have no row would be taken for leftovers of a killed process, and removed.
        raise EmulatorError(f"{folder} has a folder {_INSTANCES!r} that is not the emulator's: use another folder")
    try:
        # The data identifies people: nobody else on the machine may read it.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _INSTANCES).mkdir(mode=0o700, exist_ok=True)
        (folder / DATABASE).touch(mode=0o600)
    except OSError as error:
        raise EmulatorError(f"the emulator cannot write its data to {folder}: {error.strerror}") from None
