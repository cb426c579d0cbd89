"""The service's own de-identification, started once from a task that may be tried again."""

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
    """What to start, as plain values: it can be kept in any scheduler's database.

    Attributes:
        level: What is de-identified.
        source: Its full name.
        destination: The full name of what is made or filled.
        config: The config as JSON; empty where the service reads it itself.
        gcs_config_uri: ``gs://`` URI of the config that the service reads.
        api_version: Of the config.
        endpoint: Of the service; by default Google's, or the emulator that the environment names.
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
            raise ConfigError("config: either a config or gcs_config_uri is needed")

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
        """Return the request with a config."""
        text, version = (config.to_json(), config.api_version) if config is not None else ("", "v1")
        return cls(level, source, destination, text, gcs_config_uri, version, endpoint)

    def client(self) -> DeidClient:
        """Return a client for the request."""
        from healthcare_deid.client.sync import DeidClient

        return DeidClient(endpoint=self.endpoint, api_version=self.api_version)

    def start(self, client: DeidClient) -> Operation[Any]:
        """Start it.

        Raises:
            AlreadyExists: The destination dataset exists. An operation does not tell its destination, so that none that
                runs can be known to have made it.
            DeidError: It did not start.
        """
        given: dict[str, Any] = {"gcs_config_uri": self.gcs_config_uri or None}
        if self.config:
            given["config"] = config_of(self.config, self.api_version)
        if self.level == "store":
            return client.deidentify_dicom_store(self.source, self.destination, **given)
        return client.deidentify_dataset(self.source, self.destination, **given)


def summary_of(operation: Operation[Any]) -> dict[str, Any]:
    """Return what became of an operation: names of resources and counts, no PHI."""
    count = operation.progress
    return {
        "operation": str(operation.name),
        "state": str(operation.state),
        "success": count.success,
        "failure": count.failure,
        "logs_url": operation.logs_url or "",
    }
