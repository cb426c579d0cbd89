"""What the emulator has at hand: the parts that handlers work with, over one data folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.emulator.storage.catalog import Catalog
from healthcare_deid.emulator.storage.database import DATABASE, Database
from healthcare_deid.emulator.jobs.deidentification import Deidentification
from healthcare_deid.emulator.storage.instances import Instances
from healthcare_deid.emulator.jobs.logs import Logs
from healthcare_deid.emulator.jobs.operations import Operations, Runner
from healthcare_deid.emulator.jobs.import_export import Transfers
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.emulator.clock import Clock
    from healthcare_deid.emulator.jobs.execution import EngineFactory, Executor
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.storage.buckets import Buckets

_INSTANCES = "instances"


@dataclass(frozen=True)
class State:
    """The parts, wired together. The folder is this process' until `close`."""

    folder: Path
    database: Database
    catalog: Catalog
    instances: Instances
    operations: Operations
    logs: Logs
    runner: Runner
    executor: Executor
    deidentification: Deidentification
    transfers: Transfers
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
    ) -> State:
        """Open a folder, and settle what a killed process left behind.

        Raises:
            EmulatorError: The folder is in use, or of another version, or not the emulator's.
        """
        _prepare(folder)
        database = Database(folder)
        catalog = Catalog(database)
        instances = Instances(database, folder / _INSTANCES)
        operations = Operations(database, clock)
        runner = Runner(database, operations, clock)
        instances.remove_orphans()
        operations.fail_interrupted()
        deidentification = Deidentification(
            database, catalog, instances, operations, runner, executor, make_engine, faults
        )
        transfers = Transfers(database, instances, operations, runner, buckets)
        return cls(
            folder,
            database,
            catalog,
            instances,
            operations,
            Logs(operations, folder / "logs"),
            runner,
            executor,
            deidentification,
            transfers,
            buckets,
            faults,
        )

    def close(self) -> None:
        """Stop the operations, then give everything back."""
        self.runner.close()
        self.executor.close()
        self.database.close()


def _prepare(folder: Path) -> None:
    """Make the folder, or refuse one that is something else."""
    if folder.exists() and not folder.is_dir():
        raise EmulatorError(f"{folder} is a file: the emulator keeps its data in a folder")
    if not (folder / DATABASE).exists() and (folder / _INSTANCES).exists():
        # Files in there that no row knows of are what a killed process left: they would be removed.
        raise EmulatorError(f"{folder} has a folder {_INSTANCES!r} that is not the emulator's: use another folder")
    try:
        # What is stored here identifies people: nobody else on the machine may look.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _INSTANCES).mkdir(mode=0o700, exist_ok=True)
        (folder / DATABASE).touch(mode=0o600)
    except OSError as error:
        raise EmulatorError(f"the emulator cannot write its data to {folder}: {error.strerror}") from None
