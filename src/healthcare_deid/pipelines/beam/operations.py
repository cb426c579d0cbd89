"""`DeidentifyDataset` and `DeidentifyDicomStore`: operations of the service.

No worker is blocked while an operation runs.
"""

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
    """Start an operation of the service and return its summary when it ends.

    Args:
        source: Full name of the resource to read.
        destination: Full name of the resource to write.
        config: Rules to apply. It is stored with the pipeline, so it must not contain a key.
        gcs_config_uri: ``gs://`` URI of the config as JSON. The service reads it, so it may contain a key.
        raise_on_partial: Whether to fail the pipeline if instances failed.
        endpoint: As for `DeidClient`.
        poll: Seconds between polls.

    Raises:
        ConfigError: The config contains a key, or is missing.
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
            # One dummy element, so that the operation is started once.
            | "Request" >> beam.Create([None])
            | "Start" >> beam.Map(_start, request=self._request)
            # Reshuffle checkpoints its input: if waiting fails, the operation is not started again.
            | "Remember" >> beam.Reshuffle()
            | "Wait" >> beam.ParDo(self._wait)
        )

    def display_data(self) -> dict[str, Any]:
        """Return the data shown on the runner's page: resource names."""
        return {"source": self._request.source, "destination": self._request.destination}


class DeidentifyDataset(ServiceOperation):
    """De-identify a dataset into a new dataset.

    Arguments are those of `ServiceOperation`.
    """

    _level = "dataset"


class DeidentifyDicomStore(ServiceOperation):
    """De-identify a DICOM store into an existing DICOM store.

    Arguments are those of `ServiceOperation`.
    """

    _level = "store"


def _start(_: None, *, request: ServiceRequest) -> str:
    with request.client() as client:
        return str(request.start(client).name)


class _SingleStep(RestrictionProvider):
    """Restriction with a single step, the end of the operation."""

    def initial_restriction(self, element: str) -> OffsetRange:
        """Return the single step."""
        del element
        return OffsetRange(0, 1)

    def create_tracker(self, restriction: OffsetRange) -> OffsetRestrictionTracker:
        """Return a tracker for the step."""
        return OffsetRestrictionTracker(restriction)

    def restriction_size(self, element: str, restriction: OffsetRange) -> int:
        """Return the remaining size."""
        del element
        size: int = restriction.size()
        return size


_STEP = beam.DoFn.RestrictionParam(_SingleStep())


class _Wait(beam.DoFn):
    """Poll an operation, freeing the worker between polls."""

    def __init__(self, request: ServiceRequest, *, raise_on_partial: bool, poll: float) -> None:
        super().__init__()
        self._request = request
        self._raise_on_partial = raise_on_partial
        self._poll = poll

    def process(self, element: str, step: Any = _STEP) -> Iterator[dict[str, Any]]:
        """Yield the summary when the operation has ended.

        Raises:
            OperationError: The operation failed, was cancelled, or failed for some instances.
        """
        with self._request.client() as client:
            operation = client.operation(element)
            operation.refresh()
            if not operation.state.ended:
                # Beam frees the worker and calls process() again after the pause.
                step.defer_remainder(Duration(seconds=self._poll))
                return
            if step.try_claim(0):
                operation.result(raise_on_partial=self._raise_on_partial)
                yield summary_of(operation)
