"""``datasets.deidentify`` and ``dicomStores.deidentify``: what is to be done, and the operation that does it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.v1.dicom import DicomConfig
from healthcare_deid.emulator.attributes import read_header
from healthcare_deid.emulator.catalog import Kind, insert, stores_of
from healthcare_deid.emulator.execution import Job, Outcome
from healthcare_deid.emulator.instances import NewFile
from healthcare_deid.emulator.status import Code, ServiceError, invalid, unimplemented
from healthcare_deid.errors import ConfigError, EngineError, InvalidDicomError
from healthcare_deid.names import DatasetName, DicomStoreName

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as BetaDeidentifyConfig
    from healthcare_deid.emulator.catalog import Catalog
    from healthcare_deid.emulator.database import Database
    from healthcare_deid.emulator.execution import EngineFactory, Executor, InstanceDeidentifier
    from healthcare_deid.emulator.faults import FaultPlan
    from healthcare_deid.emulator.instances import Instances, StoredInstance
    from healthcare_deid.emulator.operations import Operations, Progress, Runner

_DATASET_METHOD = "dataset.DatasetService.DeidentifyDataset"
_STORE_METHOD = "deidentify.DeidentifyService.DeidentifyDicomStore"

_CODES = {
    "not-dicom": Code.INVALID_ARGUMENT,
    "too-large": Code.FAILED_PRECONDITION,
    "unsupported-pixels": Code.FAILED_PRECONDITION,
}


@dataclass(frozen=True, slots=True)
class _Unit:
    """One instance and the store its de-identified copy goes to."""

    source: StoredInstance
    destination: str


class Deidentification:
    """Starts de-identifications and does their work."""

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

    def dataset(
        self,
        source: DatasetName,
        destination: DatasetName,
        config: DeidentifyConfig | BetaDeidentifyConfig,
        version: str,
    ) -> str:
        """Start the de-identification of a dataset into a new one; return the operation's name.

        Raises:
            ServiceError: The request is refused; nothing was started or made.
        """
        self._catalog.check_dataset(source, "healthcare.datasets.deidentify")
        _check_location(source, destination)
        engine = self._engine(config)
        with self._database.write() as connection:
            if _wants_fhir(config) and stores_of(connection, source, Kind.FHIR_STORE):
                # Copying resources unmodified would be a leak; leaving them out would look like success (O-17).
                raise unimplemented(
                    "The emulator does not de-identify FHIR stores. Leave `fhir` out of the config: FHIR stores are "
                    "then skipped, as the service does."
                )
            insert(connection, Kind.DATASET, str(destination), None, {"name": str(destination)})
            units: list[_Unit] = []
            stores = stores_of(connection, source, Kind.DICOM_STORE)
            skipped = not _wants_dicom(config)
            for body in [] if skipped else stores:
                name = DicomStoreName.parse(body["name"])
                target = DicomStoreName(destination.project, destination.location, destination.dataset, name.store)
                insert(connection, Kind.DICOM_STORE, str(target), str(destination), {**body, "name": str(target)})
                units += [_Unit(instance, str(target)) for instance in self._snapshot(connection, str(name))]
            operation = self._operations.insert(connection, source, _DATASET_METHOD, version, pending=len(units))
        note = "DICOM stores were skipped: the config has no `dicom`." if skipped and stores else ""
        summary = f"type.googleapis.com/google.cloud.healthcare.{version}.dataset.DeidentifySummary"
        self._runner.start(operation, self._work(engine, units, {"@type": summary}, note))
        return operation

    def dicom_store(
        self,
        source: DicomStoreName,
        destination: DicomStoreName,
        config: DeidentifyConfig | BetaDeidentifyConfig,
        version: str,
        *,
        only: Callable[[StoredInstance], bool] | None = None,
    ) -> str:
        """Start the de-identification of a DICOM store into one that exists; return the operation's name.

        Args:
            source: The store to read.
            destination: The store to write, which may be in another dataset of the location.
            config: What to do.
            version: API version of the request.
            only: Which instances; None means all.

        Raises:
            ServiceError: The request is refused; nothing was started.
        """
        self._catalog.check_store(source, "healthcare.dicomStores.deidentify")
        _check_location(source, destination)
        if source == destination:
            raise invalid("destinationStore must not be the source store.")
        self._catalog.check_store(destination, "healthcare.dicomStores.dicomWebWrite")
        engine = self._engine(config)
        with self._database.write() as connection:
            units = [
                _Unit(instance, str(destination))
                for instance in self._snapshot(connection, str(source))
                if only is None or only(instance)
            ]
            operation = self._operations.insert(connection, source.parent, _STORE_METHOD, version, pending=len(units))
        summary = f"type.googleapis.com/google.cloud.healthcare.{version}.deidentify.DeidentifyDicomStoreSummary"
        self._runner.start(operation, self._work(engine, units, {"@type": summary}, ""))
        return operation

    def _engine(self, config: DeidentifyConfig | BetaDeidentifyConfig) -> InstanceDeidentifier:
        if not _wants_dicom(config):
            # A call that names a DICOM store means it: the default tag handling (F-25). Of a dataset, which skips its
            # DICOM stores then, the rest of the config is checked all the same.
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

    def _work(
        self, engine: InstanceDeidentifier, units: Sequence[_Unit], response: dict[str, Any], note: str
    ) -> Callable[[Progress], dict[str, Any]]:
        def work(progress: Progress) -> dict[str, Any]:
            if note:
                progress.noted(progress.name, note)
            self._run(engine, units, progress)
            return response

        return work

    def _run(self, engine: InstanceDeidentifier, units: Sequence[_Unit], progress: Progress) -> None:
        running: dict[int, Job] = {}

        def jobs() -> Iterator[Job]:
            for index, unit in enumerate(units):
                running[index] = Job(index, unit.source.path, self._instances.new_file())
                yield running[index]

        try:
            with contextlib.closing(self._executor.run(engine, jobs(), progress.stopping)) as outcomes:
                for outcome in outcomes:
                    self._conclude(units[outcome.index], running.pop(outcome.index), outcome, progress)
        finally:
            for job in running.values():
                job.destination.unlink(missing_ok=True)
        progress.check()

    def _conclude(self, unit: _Unit, job: Job, outcome: Outcome, progress: Progress) -> None:
        """Store what the engine wrote, or count and log why it did not."""
        source = unit.source.source
        injected = self._faults.instance_failure(unit.source.key.instance)
        if injected is not None:
            outcome = Outcome(outcome.index, "injected", injected)
        if outcome.failed:
            job.destination.unlink(missing_ok=True)
            code = _CODES.get(outcome.reason, Code.INTERNAL)
            progress.failed(source, code, f"{outcome.reason}: {outcome.text}")
            return
        try:
            written = NewFile.of(job.destination), read_header(job.destination)
            (refused,) = self._instances.add(unit.destination, [written])
        except ServiceError as error:
            refused = error
        except (InvalidDicomError, OSError) as error:
            refused = ServiceError(Code.INTERNAL, f"the engine's output is not usable ({type(error).__name__})")
        finally:
            job.destination.unlink(missing_ok=True)
        if refused is not None:
            progress.failed(source, refused.code, refused.message)
            return
        progress.succeeded()
        for warning in outcome.warnings:
            progress.noted(source, warning)


def _check_location(source: DatasetName | DicomStoreName, destination: DatasetName | DicomStoreName) -> None:
    if source.location != destination.location:
        raise invalid(
            f"The destination must be in the source's location ({source.location}), not in {destination.location}."
        )


def _wants_dicom(config: DeidentifyConfig | BetaDeidentifyConfig) -> bool:
    return config.dicom is not None or getattr(config, "dicom_tag_config", None) is not None


def _wants_fhir(config: DeidentifyConfig | BetaDeidentifyConfig) -> bool:
    return config.fhir is not None or getattr(config, "fhir_field_config", None) is not None
