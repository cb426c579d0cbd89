"""Import and export operations between DICOM stores and Cloud Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode
from healthcare_deid.emulator.jobs.operations import Unit
from healthcare_deid.emulator.storage.forms import Form
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.emulator.jobs.operations import Operations
    from healthcare_deid.emulator.jobs.runner import JobProgress, Runner
    from healthcare_deid.emulator.storage.buckets import Buckets
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.emulator.storage.instances import Instances, StoredInstance
    from healthcare_deid.names import DicomStoreName

IMPORT, EXPORT = "import", "export"
"""Kinds of resumable operations in the database."""
_TYPE = "type.googleapis.com/google.cloud.healthcare"


class ImportExport:
    """Starts and executes imports and exports.

    Both can be resumed, because repeating a unit of work changes nothing.
    """

    def __init__(
        self, database: Database, instances: Instances, operations: Operations, runner: Runner, buckets: Buckets
    ) -> None:
        self._database = database
        self._instances = instances
        self._operations = operations
        self._runner = runner
        self._buckets = buckets

    def import_from(self, store: DicomStoreName, uri: str, storage_class: str, version: str) -> str:
        """Start an import of all objects that match a URI.

        Returns:
            Name of the operation.

        Raises:
            ServiceError: The URI is malformed, or its bucket does not exist.
        """
        objects = self._buckets.find(uri)
        request = {"kind": IMPORT, "store": str(store), "class": storage_class, "version": version}
        return self._start(store, "dicom.DicomService.ImportDicomData", version, objects, request)

    def export_to(
        self, store: DicomStoreName, prefix: str, form: Form, found: Sequence[StoredInstance], version: str
    ) -> str:
        """Start an export of instances to ``prefix/study/series/instance…``.

        Returns:
            Name of the operation.

        Raises:
            ServiceError: The URI is malformed, or its bucket does not exist.
        """
        # Checked now, so that a missing bucket is refused before an operation starts.
        self._buckets.check(prefix)
        request = {
            "kind": EXPORT,
            "prefix": prefix.rstrip("/"),
            "form": [form.media_type, form.syntax],
            "version": version,
        }
        units = [instance.id for instance in found]
        return self._start(store, "dicom.DicomService.ExportDicomData", version, units, request)

    def resume(self, operation: str, request: dict[str, Any], units: Sequence[Unit]) -> None:
        """Resume an interrupted operation."""
        do = self._import_one if request["kind"] == IMPORT else self._export_one
        self._runner.start(operation, self._work(do, request, units), resumable=True)

    def _start(
        self, store: DicomStoreName, method: str, version: str, payloads: Sequence[Any], request: dict[str, Any]
    ) -> str:
        with self._database.write() as connection:
            name = self._operations.insert(connection, store.parent, method, version, units=payloads, request=request)
        self.resume(name, request, [Unit(position, payload) for position, payload in enumerate(payloads)])
        return name

    def _work(
        self,
        do: Callable[[Unit, dict[str, Any], JobProgress], None],
        request: dict[str, Any],
        units: Sequence[Unit],
    ) -> Callable[[JobProgress], dict[str, Any]]:
        def work(progress: JobProgress) -> dict[str, Any]:
            for unit in units:
                progress.check()
                do(unit, request, progress)
            answer = "ImportDicomDataResponse" if request["kind"] == IMPORT else "ExportDicomDataResponse"
            return {"@type": f"{_TYPE}.{request['version']}.dicom.{answer}"}

        return work

    def _import_one(self, unit: Unit, request: dict[str, Any], progress: JobProgress) -> None:
        source = unit.payload
        try:
            self._instances.store(request["store"], [self._buckets.read(source)], storage_class=request["class"])
        except ServiceError as error:
            progress.failed(unit.position, source, error.code, error.message)
        except InvalidDicomError as error:
            progress.failed(unit.position, source, StatusCode.INVALID_ARGUMENT, f"not imported: {error}")
        except OSError:
            # The text of an OSError holds a local path.
            progress.failed(unit.position, source, StatusCode.NOT_FOUND, "the object cannot be read")
        else:
            progress.succeeded(unit.position)

    def _export_one(self, unit: Unit, request: dict[str, Any], progress: JobProgress) -> None:
        instance = self._instances.by_id([unit.payload]).get(unit.payload)
        if instance is None:
            progress.failed(unit.position, progress.name, StatusCode.NOT_FOUND, "the instance was deleted meanwhile")
            return
        key = instance.key
        try:
            for end, content in Form(*request["form"]).objects(instance):
                self._buckets.write(f"{request['prefix']}/{key.study}/{key.series}/{key.instance}{end}", content)
        except ServiceError as error:
            progress.failed(unit.position, instance.source, error.code, error.message)
        except OSError:
            progress.failed(unit.position, instance.source, StatusCode.INTERNAL, "the object cannot be written")
        else:
            progress.succeeded(unit.position)
