"""`DeidentifyDataset` and `DeidentifyDicomStore`: the service does the work, and no worker waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.io.restriction_trackers import OffsetRange, OffsetRestrictionTracker
from apache_beam.transforms.core import RestrictionProvider
from apache_beam.utils.timestamp import Duration

from healthcare_deid.pipelines.configs import refuse_keys
from healthcare_deid.pipelines.service_operation import Level, ServiceRequest, summary_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.pipelines.configs import AnyConfig


class ServiceOperation(beam.PTransform):
    """Start an operation of the service and give its summary, a dictionary, when it has ended.

    Args:
        source: Full name of what is read.
        destination: Full name of what is written.
        config: Rules to apply. It is stored with the pipeline, so it must not hold a key.
        gcs_config_uri: ``gs://`` URI of the config as JSON, which the service reads: with this it may hold a key.
        raise_on_partial: Fail the pipeline where instances failed.
        endpoint: As for `DeidClient`.
        poll: Seconds between two looks.

    Raises:
        ConfigError: The config holds a key, or there is none.
    """

    _level: Level

    def __init__(
        self,
        source: str,
        destination: str,
        config: AnyConfig | None = None,
        *,
        gcs_config_uri: str = "",
        raise_on_partial: bool = True,
        endpoint: str | None = None,
        poll: float = 30.0,
    ) -> None:
        super().__init__()
        if config is not None:
            refuse_keys(config)
        self._request = ServiceRequest.of(self._level, source, destination, config, gcs_config_uri, endpoint)
        self._wait = _Wait(self._request, raise_on_partial=raise_on_partial, poll=poll)

    def expand(self, begin: Any) -> Any:
        """Apply the transform."""
        return (
            begin
            | "Request" >> beam.Create([None])
            | "Start" >> beam.Map(_start, request=self._request)
            | "Remember" >> beam.Reshuffle()  # what is started is not started again when waiting fails
            | "Wait" >> beam.ParDo(self._wait)
        )

    def display_data(self) -> dict[str, Any]:
        """Return what a runner's page shows of the transform: names of resources."""
        return {"source": self._request.source, "destination": self._request.destination}


class DeidentifyDataset(ServiceOperation):
    """De-identify a dataset into a new one. Arguments are those of `ServiceOperation`."""

    _level = "dataset"


class DeidentifyDicomStore(ServiceOperation):
    """De-identify a DICOM store into one that exists. Arguments are those of `ServiceOperation`."""

    _level = "store"


def _start(_: None, *, request: ServiceRequest) -> str:
    with request.client() as client:
        return str(request.start(client).name)


class _Once(RestrictionProvider):
    """One step: the operation's end."""

    def initial_restriction(self, element: str) -> OffsetRange:
        """Return the step."""
        del element
        return OffsetRange(0, 1)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        """Return a tracker of the step."""
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: str, restriction: OffsetRange) -> int:
        """Return how much is left."""
        del element
        size: int = restriction.size()
        return size


_STEP = beam.DoFn.RestrictionParam(_Once())


class _Wait(beam.DoFn):
    """Looks at an operation, and gives the worker back until the next look."""

    def __init__(self, request: ServiceRequest, *, raise_on_partial: bool, poll: float) -> None:
        super().__init__()
        self._request = request
        self._raise_on_partial = raise_on_partial
        self._poll = poll

    def process(self, element: str, step: Any = _STEP) -> Iterator[dict[str, Any]]:
        """Yield the summary when the operation has ended.

        Raises:
            OperationError: It ended, and not well.
        """
        with self._request.client() as client:
            operation = client.operation(element)
            operation.refresh()
            if not operation.state.ended:
                step.defer_remainder(Duration(seconds=self._poll))
                return
            if step.try_claim(0):
                operation.result(raise_on_partial=self._raise_on_partial)
                yield summary_of(operation)
