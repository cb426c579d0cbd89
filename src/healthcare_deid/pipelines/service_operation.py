"""`ServiceRequest`: a de-identification at the service, started exactly once.

The task that starts it may be retried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName
from healthcare_deid.pipelines.configs import config_of

if TYPE_CHECKING:
    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.client.sync import DeidClient
    from healthcare_deid.pipelines.configs import AnyConfig

Level = Literal["dataset", "store"]


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """Operation to start, as plain values for any scheduler's database.

    Attributes:
        level: ``"dataset"`` or ``"store"``.
        source: Full name of the resource to read.
        destination: Full name of the resource to create or fill.
        config: Config as JSON; empty if the service reads the config itself.
        gcs_config_uri: ``gs://`` URI of a config that the service reads.
        api_version: API version of the config.
        endpoint: Endpoint of the service. Defaults to Google's, or to the emulator named by the environment.
    """

    level: Level
    source: str
    destination: str
    config: str = ""
    gcs_config_uri: str = ""
    api_version: str = "v1"
    endpoint: str | None = None

    def __post_init__(self) -> None:
        parse = DatasetName.parse if self.level == "dataset" else DicomStoreName.parse
        for name in (self.source, self.destination):
            parse(name)
        if bool(self.config) == bool(self.gcs_config_uri):
            raise ConfigError("config: pass either config or gcs_config_uri")

    @classmethod
    def of(
        cls,
        level: Level,
        source: str,
        destination: str,
        config: AnyConfig | None,
        gcs_config_uri: str = "",
        endpoint: str | None = None,
    ) -> Self:
        """Build the request for a config."""
        text, version = (config.to_json(), config.api_version) if config is not None else ("", "v1")
        return cls(level, source, destination, text, gcs_config_uri, version, endpoint)

    def client(self) -> DeidClient:
        """Return a client for the request."""
        from healthcare_deid.client.sync import DeidClient

        return DeidClient(endpoint=self.endpoint, api_version=self.api_version)

    def start(self, client: DeidClient) -> Operation[Any]:
        """Start the operation.

        Raises:
            AlreadyExists: The destination dataset exists. A running operation does not show its destination, so none
                can be known to have created it.
            DeidError: The operation was not started.
        """
        given: dict[str, Any] = {"gcs_config_uri": self.gcs_config_uri or None}
        if self.config:
            given["config"] = config_of(self.config, self.api_version)
        if self.level == "store":
            return client.deidentify_dicom_store(self.source, self.destination, **given)
        return client.deidentify_dataset(self.source, self.destination, **given)


def summary_of(operation: Operation[Any]) -> dict[str, Any]:
    """Return the outcome of an operation.

    It contains resource names and counts, no PHI.
    """
    count = operation.progress
    return {
        "operation": str(operation.name),
        "state": str(operation.state),
        "success": count.success,
        "failure": count.failure,
        "logs_url": operation.logs_url or "",
    }
