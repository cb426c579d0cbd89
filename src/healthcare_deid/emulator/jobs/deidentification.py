"""De-identification operations: checks, start and work."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.config import v1beta1
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1.dicom import DicomConfig
from healthcare_deid.emulator.errors import ServiceError, StatusCode, invalid, unimplemented
from healthcare_deid.emulator.jobs.execution import Job, Outcome
from healthcare_deid.emulator.storage.catalog import ResourceKind, insert, stores_of
from healthcare_deid.emulator.storage.header import read_header
from healthcare_deid.emulator.storage.instances import NewFile
from healthcare_deid.errors import ConfigError, EngineError, InvalidDicomError
from healthcare_deid.names import DatasetName, DicomStoreName

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.jobs.execution import EngineFactory, Executor, InstanceDeidentifier
    from healthcare_deid.emulator.jobs.operations import Operations, Unit
    from healthcare_deid.emulator.jobs.runner import JobProgress, Runner
    from healthcare_deid.emulator.storage.catalog import Catalog
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.emulator.storage.instances import Instances, StoredInstance

    AnyConfig = DeidentifyConfig | v1beta1.DeidentifyConfig

DEIDENTIFY = "deidentify"
"""Kind of a resumable operation in the database."""
_DATASET_METHOD = "dataset.DatasetService.DeidentifyDataset"
_STORE_METHOD = "deidentify.DeidentifyService.DeidentifyDicomStore"

# Codes for the engine's failure reasons; any other reason is INTERNAL.
_CODES = {
    "not-dicom": StatusCode.INVALID_ARGUMENT,
    "too-large": StatusCode.FAILED_PRECONDITION,
    "unsupported-pixels": StatusCode.FAILED_PRECONDITION,
}


@dataclass(frozen=True, slots=True)
class _Work:
    """One instance and the store for its de-identified copy."""

    position: int
    source: StoredInstance
    destination: str


class Deidentification:
    """Starts and executes de-identification operations."""

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        instances: Instances,
        operations: Operations,
        runner: Runner,
        executor: Executor,
        make_engine: EngineFactory,
        faults: FaultPlan,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._instances = instances
        self._operations = operations
        self._runner = runner
        self._executor = executor
        self._make_engine = make_engine
        self._faults = faults

    def dataset(self, source: DatasetName, destination: DatasetName, config: AnyConfig, version: str) -> str:
        """Start the de-identification of a dataset into a new dataset.

        Returns:
            Name of the operation.

        Raises:
            ServiceError: The request is refused. Nothing was started or created.
        """
        self._catalog.check_dataset(source, "healthcare.datasets.deidentify")
        _check_location(source, destination)
        engine = self._engine(config)
        with self._database.write() as connection:
            if _wants_fhir(config) and stores_of(connection, source, ResourceKind.FHIR_STORE):
                # Copying resources unmodified would leak PHI, and skipping them would look like success (O-17).
                raise unimplemented(
                    "The emulator does not de-identify FHIR stores. Remove `fhir` from the config to skip them."
                )
            insert(connection, ResourceKind.DATASET, str(destination), None, {"name": str(destination)})
            work: list[_Work] = []
            stores = stores_of(connection, source, ResourceKind.DICOM_STORE)
            skipped = not _wants_dicom(config)
            for body in [] if skipped else stores:
                name = DicomStoreName.parse(body["name"])
                target = DicomStoreName(destination.project, destination.location, destination.dataset, name.store)
                insert(
                    connection, ResourceKind.DICOM_STORE, str(target), str(destination), {**body, "name": str(target)}
                )
                # Instances stored after the start do not belong to the operation.
                for instance in self._snapshot(connection, str(name)):
                    work.append(_Work(len(work), instance, str(target)))
            summary = f"type.googleapis.com/google.cloud.healthcare.{version}.dataset.DeidentifySummary"
            response: dict[str, Any] = {"@type": summary}
            if stores and not skipped:
                # No longer in the API reference, but the tutorial shows it and older clients read it.
                response["successStoreCount"] = str(len(stores))
            request = _resume_data(engine, config, response)
            operation = self._insert(connection, source, _DATASET_METHOD, version, work, request)
        # Skipping without a note would look like success.
        note = "DICOM stores were skipped: the config has no `dicom`." if skipped and stores else ""
        self._start(operation, engine, work, response, note=note, resumable=request is not None)
        return operation

    def dicom_store(
        self,
        source: DicomStoreName,
        destination: DicomStoreName,
        config: AnyConfig,
        version: str,
        *,
        only: Callable[[StoredInstance], bool] | None = None,
    ) -> str:
        """Start the de-identification of a DICOM store into an existing one.

        Args:
            source: Store to read.
            destination: Store to write. It may be in another dataset of the same location.
            config: De-identification config.
            version: API version of the request.
            only: Filter of instances; None for all.

        Returns:
            Name of the operation.

        Raises:
            ServiceError: The request is refused. Nothing was started.
        """
        self._catalog.check_store(source, "healthcare.dicomStores.deidentify")
        _check_location(source, destination)
        # The service needs a different store; writing into the source would mix originals and results.
        if source == destination:
            raise invalid("destinationStore must not be the source store.")
        self._catalog.check_store(destination, "healthcare.dicomStores.dicomWebWrite")
        engine = self._engine(config)
        summary = f"type.googleapis.com/google.cloud.healthcare.{version}.deidentify.DeidentifyDicomStoreSummary"
        request = _resume_data(engine, config, {"@type": summary})
        with self._database.write() as connection:
            found = [item for item in self._snapshot(connection, str(source)) if only is None or only(item)]
            work = [_Work(position, instance, str(destination)) for position, instance in enumerate(found)]
            operation = self._insert(connection, source.parent, _STORE_METHOD, version, work, request)
        self._start(operation, engine, work, {"@type": summary}, resumable=request is not None)
        return operation

    def resume(self, operation: str, request: dict[str, Any], units: Sequence[Unit]) -> None:
        """Resume an interrupted operation.

        Raises:
            ServiceError: Its config can no longer be used.
            ConfigError: Its config can no longer be read.
        """
        kind = DeidentifyConfig if request["version"] == "v1" else v1beta1.DeidentifyConfig
        engine = self._engine(kind.from_api(request["config"]))
        sources = self._instances.by_id([unit.payload[0] for unit in units])
        work, gone = [], []
        for unit in units:
            source, destination = unit.payload
            if source in sources:
                work.append(_Work(unit.position, sources[source], destination))
            else:
                gone.append(unit.position)
        self._start(operation, engine, work, request["response"], gone=gone, resumable=True)

    def _engine(self, config: AnyConfig) -> InstanceDeidentifier:
        if not _wants_dicom(config):
            # F-25: without `dicom`, a DICOM store gets the default tag handling. A dataset skips its DICOM stores, but
            # the rest of its config is still checked here.
            config = config.model_copy(update={"dicom": DicomConfig()})
        try:
            return self._make_engine(config)
        except ConfigError as error:
            raise invalid(f"Invalid config: {error}") from None
        except EngineError as error:
            raise unimplemented(str(error)) from None

    def _snapshot(self, connection: sqlite3.Connection, store: str) -> list[StoredInstance]:
        rows = connection.execute("SELECT * FROM instances WHERE store = ? ORDER BY id", (store,))
        return [self._instances.from_row(row) for row in rows]

    def _insert(
        self,
        connection: sqlite3.Connection,
        dataset: DatasetName,
        method: str,
        version: str,
        work: Sequence[_Work],
        request: dict[str, Any] | None,
    ) -> str:
        units = [(item.source.id, item.destination) for item in work]
        return self._operations.insert(connection, dataset, method, version, units=units, request=request)

    def _start(
        self,
        operation: str,
        engine: InstanceDeidentifier,
        work: Sequence[_Work],
        response: dict[str, Any],
        *,
        note: str = "",
        gone: Sequence[int] = (),
        resumable: bool,
    ) -> None:
        def run(progress: JobProgress) -> dict[str, Any]:
            if note:
                progress.noted(progress.name, note)
            for position in gone:
                progress.failed(position, progress.name, StatusCode.NOT_FOUND, "the instance was deleted meanwhile")
            self._run(engine, work, progress)
            return response

        self._runner.start(operation, run, resumable=resumable)

    def _run(self, engine: InstanceDeidentifier, work: Sequence[_Work], progress: JobProgress) -> None:
        running: dict[int, Job] = {}

        def jobs() -> Iterator[Job]:
            for index, item in enumerate(work):
                running[index] = Job(index, item.source.path, self._instances.new_file())
                yield running[index]

        try:
            with contextlib.closing(self._executor.run(engine, jobs(), progress.stopping)) as outcomes:
                for outcome in outcomes:
                    self._conclude(work[outcome.index], running.pop(outcome.index), outcome, progress)
        finally:
            # Output files of jobs that were interrupted.
            for job in running.values():
                job.destination.unlink(missing_ok=True)
        # The loop also ends early when asked to stop. That must not look like success.
        progress.check()

    def _conclude(self, item: _Work, job: Job, outcome: Outcome, progress: JobProgress) -> None:
        """Store the engine's output, or count and log the failure."""
        source = item.source.source
        injected = self._faults.instance_failure(item.source.key.instance)
        if injected is not None:
            outcome = Outcome(outcome.index, "injected", injected)
        if outcome.failed:
            job.destination.unlink(missing_ok=True)
            code = _CODES.get(outcome.reason, StatusCode.INTERNAL)
            progress.failed(item.position, source, code, f"{outcome.reason}: {outcome.text}")
            return
        try:
            written = NewFile.of(job.destination), read_header(job.destination)
            # One transaction per instance: a killed process loses only instances that are not counted yet.
            (refused,) = self._instances.add(item.destination, [written])
        except ServiceError as error:
            refused = error
        except (InvalidDicomError, OSError) as error:
            refused = ServiceError(StatusCode.INTERNAL, f"the engine's output is invalid ({type(error).__name__})")
        finally:
            job.destination.unlink(missing_ok=True)
        if refused is not None:
            progress.failed(item.position, source, refused.code, refused.message)
            return
        progress.succeeded(item.position)
        for warning in outcome.warnings:
            progress.noted(source, warning)


def _resume_data(engine: InstanceDeidentifier, config: AnyConfig, response: dict[str, Any]) -> dict[str, Any] | None:
    """Return the data to resume the operation with.

    Returns None if the engine has random keys, which are never written to disk.
    """
    if getattr(engine, "needs_secret", True):
        return None
    return {"kind": DEIDENTIFY, "version": config.api_version, "config": config.to_api(), "response": response}


def _check_location(source: DatasetName | DicomStoreName, destination: DatasetName | DicomStoreName) -> None:
    if source.location != destination.location:
        raise invalid(
            f"The destination must be in the source's location ({source.location}), not in {destination.location}."
        )


def _wants_dicom(config: AnyConfig) -> bool:
    return config.parts().has_dicom


def _wants_fhir(config: AnyConfig) -> bool:
    return config.parts().has_fhir
