"""``updateMetadata`` of v1beta1: a JSON Patch on stored instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode
from healthcare_deid.emulator.storage.editing import patched
from healthcare_deid.emulator.storage.header import read_header
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.emulator.jobs.operations import Operations
    from healthcare_deid.emulator.jobs.runner import JobProgress, Runner
    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.emulator.storage.instances import Instances, StoredInstance
    from healthcare_deid.names import DatasetName


class MetadataUpdate:
    """Patches the metadata of instances."""

    def __init__(self, database: Database, instances: Instances, operations: Operations, runner: Runner) -> None:
        self._database = database
        self._instances = instances
        self._operations = operations
        self._runner = runner

    def apply(self, instance: StoredInstance, patch: Any) -> None:
        """Patch one instance.

        Raises:
            ServiceError: 400: the patch cannot be applied. 404: the instance was deleted.
        """
        try:
            file = self._instances.write([patched(instance.path, patch)])
        except OSError:
            # The file is gone if the instance was deleted or replaced meanwhile.
            raise ServiceError(StatusCode.NOT_FOUND, "DICOM instance does not exist.") from None
        try:
            written = file, read_header(file.path)
            # A patched instance keeps its storage class.
            self._instances.add(instance.store, [written], replace=True, storage_class=instance.storage_class)
        except InvalidDicomError as error:
            raise ServiceError(StatusCode.INVALID_ARGUMENT, f"The patched instance is not valid: {error}") from None
        finally:
            file.path.unlink(missing_ok=True)

    def start(
        self, dataset: DatasetName, found: Sequence[StoredInstance], patch: Any, method: str, version: str
    ) -> str:
        """Start an operation that patches instances.

        Returns:
            Name of the operation.
        """

        def work(progress: JobProgress) -> dict[str, Any]:
            for position, instance in enumerate(found):
                progress.check()
                try:
                    self.apply(instance, patch)
                except ServiceError as error:
                    progress.failed(position, instance.source, error.code, error.message)
                else:
                    progress.succeeded(position)
            return {"@type": f"type.googleapis.com/google.cloud.healthcare.{version}.dicomweb.{method}Response"}

        with self._database.write() as connection:
            name = self._operations.insert(
                connection, dataset, f"dicomweb.DicomWebService.{method}", version, units=range(len(found))
            )
        self._runner.start(name, work)
        return name
