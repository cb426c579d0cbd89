"""``dicomStores.import`` and ``dicomStores.export``: between a DICOM store and Cloud Storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import Code, ServiceError
from healthcare_deid.emulator.http.accept import accepted
from healthcare_deid.emulator.storage.transcoding import AS_STORED, in_syntax
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from healthcare_deid.emulator.jobs.operations import Operations
    from healthcare_deid.emulator.jobs.runner import Progress, Runner
    from healthcare_deid.emulator.storage.buckets import Buckets
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.emulator.storage.instances import Instances, StoredInstance
    from healthcare_deid.names import DicomStoreName

_IMPORT = "dicom.DicomService.ImportDicomData"
_EXPORT = "dicom.DicomService.ExportDicomData"


class ImportExport:
    """Starts imports and exports, and does their work."""

    def __init__(
        self, database: Database, instances: Instances, operations: Operations, runner: Runner, buckets: Buckets
    ) -> None:
        self._database = database
        self._instances = instances
        self._operations = operations
        self._runner = runner
        self._buckets = buckets

    def import_from(self, store: DicomStoreName, uri: str, version: str) -> str:
        """Start an import of every object that a URI names; return the operation's name.

        Raises:
            ServiceError: The URI is malformed, or its bucket does not exist.
        """
        objects = self._buckets.find(uri)

        def work(progress: Progress) -> dict[str, Any]:
            for position, source in enumerate(objects):
                progress.check()
                self._import_one(position, str(store), source, progress)
            return {"@type": f"type.googleapis.com/google.cloud.healthcare.{version}.dicom.ImportDicomDataResponse"}

        return self._start(store, _IMPORT, version, objects, work)

    def export_to(
        self, store: DicomStoreName, prefix: str, mime_type: str | None, found: Sequence[StoredInstance], version: str
    ) -> str:
        """Start an export of instances to ``prefix/study/series/instance.dcm``; return the operation's name.

        Raises:
            ServiceError: The URI is malformed, or its bucket does not exist.
        """
        self._buckets.check(prefix)
        syntax = accepted(mime_type)[0].transfer_syntax or AS_STORED

        def work(progress: Progress) -> dict[str, Any]:
            for position, instance in enumerate(found):
                progress.check()
                self._export_one(position, instance, prefix.rstrip("/"), syntax, progress)
            return {"@type": f"type.googleapis.com/google.cloud.healthcare.{version}.dicom.ExportDicomDataResponse"}

        return self._start(store, _EXPORT, version, found, work)

    def _start(
        self,
        store: DicomStoreName,
        method: str,
        version: str,
        units: Sequence[Any],
        work: Callable[[Progress], dict[str, Any]],
    ) -> str:
        with self._database.write() as connection:
            name = self._operations.insert(connection, store.parent, method, version, units=units)
        self._runner.start(name, work)
        return name

    def _import_one(self, position: int, store: str, source: str, progress: Progress) -> None:
        try:
            self._instances.store(store, [self._buckets.read(source)])
        except ServiceError as error:
            progress.failed(position, source, error.code, error.message)
        except InvalidDicomError as error:
            progress.failed(position, source, Code.INVALID_ARGUMENT, f"not imported: {error}")
        except OSError:
            progress.failed(position, source, Code.NOT_FOUND, "the object cannot be read")
        else:
            progress.succeeded(position)

    def _export_one(
        self, position: int, instance: StoredInstance, prefix: str, syntax: str, progress: Progress
    ) -> None:
        key = instance.key
        try:
            data = in_syntax(instance.path, instance.transfer_syntax, syntax)
            data = instance.path.read_bytes() if data is None else data
            self._buckets.write(f"{prefix}/{key.study}/{key.series}/{key.instance}.dcm", data)
        except ServiceError as error:
            progress.failed(position, instance.source, error.code, error.message)
        except OSError:
            progress.failed(position, instance.source, Code.INTERNAL, "not written")
        else:
            progress.succeeded(position)
