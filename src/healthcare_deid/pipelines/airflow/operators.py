"""Operators that start an operation of the service, and a sensor."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseOperator, Variable
from airflow.sdk.bases.sensor import BaseSensorOperator

from healthcare_deid.client.sync import DeidClient
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines.airflow.triggers import OperationTrigger
from healthcare_deid.pipelines.configs import config_of, refuse_keys, refuse_text_with_keys
from healthcare_deid.pipelines.service_operation import Level, ServiceRequest, summary_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.client.operation.operation import Operation
    from healthcare_deid.pipelines.configs import AnyConfig

Partial = Literal["fail", "accept"]
_VARIABLE = "healthcare_deid_operation_"


class _ServiceOperator(BaseOperator):
    template_fields: Sequence[str] = ("source", "destination", "config", "gcs_config_uri", "endpoint")
    template_fields_renderers = {"config": "json"}  # noqa: RUF012 - Airflow's own form
    ui_color = "#d2e3fc"
    _level: Level

    def __init__(
        self,
        *,
        source: str,
        destination: str,
        config: AnyConfig | str | None = None,
        gcs_config_uri: str = "",
        api_version: str = "v1",
        on_partial: Partial = "fail",
        endpoint: str | None = None,
        poll: float = 30.0,
        deferrable: bool = True,
        cancel_on_kill: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(config, str):
            refuse_text_with_keys(config, api_version)
        elif config is not None:
            refuse_keys(config)
            api_version, config = config.api_version, config.to_json()
        _check_policy(on_partial)
        self.source = source
        self.destination = destination
        self.config = config or ""
        self.gcs_config_uri = gcs_config_uri
        self.api_version = api_version
        self.on_partial = on_partial
        self.endpoint = endpoint
        self.poll = poll
        self.deferrable = deferrable
        self.cancel_on_kill = cancel_on_kill
        self._running = ""

    def execute(self, context: Any) -> dict[str, Any]:
        """Start the operation and wait for it.

        A retried task resumes the operation that an earlier attempt started.
        """
        # Again here: a template is only now filled in.
        if self.config:
            refuse_keys(config_of(self.config, self.api_version))
        request = self._request()
        variable = _variable(context, request)
        with request.client() as client:
            operation = self._earlier(client, Variable.get(variable, default=None)) or request.start(client)
            self._running = str(operation.name)
            # Set before deferring: if the worker dies now, the next attempt resumes this operation.
            Variable.set(variable, self._running, description="Operation that a task started")
            if self.deferrable and not operation.state.ended:
                self.defer(
                    trigger=OperationTrigger(
                        self._running, self.endpoint, self.api_version, self.poll, self.cancel_on_kill
                    ),
                    method_name="execute_complete",
                )
            operation.wait()
            return self._end(context, operation)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Return the outcome of the operation that the trigger waited for."""
        with DeidClient(endpoint=self.endpoint, api_version=self.api_version) as client:
            operation = client.operation(event["operation"])
            operation.refresh()
            return self._end(context, operation)

    def on_kill(self) -> None:
        """Cancel the operation."""
        if self._running and self.cancel_on_kill:
            with DeidClient(endpoint=self.endpoint, api_version=self.api_version) as client:
                client.cancel_operation(self._running)

    def _request(self) -> ServiceRequest:
        return ServiceRequest(
            self._level,
            self.source,
            self.destination,
            self.config,
            self.gcs_config_uri,
            self.api_version,
            self.endpoint,
        )

    def _earlier(self, client: DeidClient, name: str | None) -> Operation[Any] | None:
        """Return the operation of an earlier attempt, or None.

        None also stands for one that failed; then a new operation is started.
        """
        if not name:
            return None
        operation = client.operation(name)
        operation.refresh()
        return operation if str(operation.state) in {"RUNNING", "SUCCEEDED", "PARTIAL"} else None

    def _end(self, context: Any, operation: Operation[Any]) -> dict[str, Any]:
        if operation.state.ended:
            # A later attempt must not resume an operation that has ended.
            Variable.delete(_variable(context, self._request()))
        operation.result(timeout=0, raise_on_partial=self.on_partial == "fail")
        return summary_of(operation)


class DeidentifyDatasetOperator(_ServiceOperator):
    """De-identify a dataset into a new dataset, without blocking a worker.

    A retried task resumes the operation it had started. The operation's name is kept in an Airflow Variable until it
    ends. The task returns resource names and counts.

    Args:
        source: Full name of the dataset to read. Templated.
        destination: Full name of the dataset to create. Templated.
        config: Rules to apply, as a config or as JSON or YAML text. Templated. It is stored with the DAG, so it must
            not contain a key.
        gcs_config_uri: ``gs://`` URI of the config as JSON. The service reads it, so it may contain a key. Templated.
        api_version: API version of a config given as text.
        on_partial: ``"fail"`` to fail the task if instances failed, ``"accept"`` to only report the counts.
        endpoint: As for `DeidClient`. Templated.
        poll: Seconds between polls.
        deferrable: Whether to free the worker while the operation runs.
        cancel_on_kill: Whether to cancel the operation when the task is killed.
        kwargs: Arguments of the base operator.

    Raises:
        ConfigError: The config contains a key.
    """

    _level = "dataset"


class DeidentifyDicomStoreOperator(_ServiceOperator):
    """De-identify a DICOM store into an existing DICOM store.

    Arguments are those of `DeidentifyDatasetOperator`.
    """

    _level = "store"


class DeidentifyOperationSensor(BaseSensorOperator):
    """Wait for an operation that was started elsewhere.

    Args:
        operation: Full name. Templated: ``"{{ ti.xcom_pull('start')['operation'] }}"``.
        on_partial: As for `DeidentifyDatasetOperator`.
        endpoint: As for `DeidClient`. Templated.
        api_version: API version of the operation.
        poll: Seconds between polls while deferred.
        deferrable: Whether to free the worker while the operation runs.
        kwargs: Arguments of the base sensor.
    """

    template_fields: Sequence[str] = ("operation", "endpoint")
    ui_color = "#d2e3fc"

    def __init__(
        self,
        *,
        operation: str,
        on_partial: Partial = "fail",
        endpoint: str | None = None,
        api_version: str = "v1",
        poll: float = 30.0,
        deferrable: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        _check_policy(on_partial)
        self.operation = operation
        self.on_partial = on_partial
        self.endpoint = endpoint
        self.api_version = api_version
        self.poll = poll
        self.deferrable = deferrable

    def execute(self, context: Any) -> Any:
        """Wait for the end of the operation."""
        if not self.deferrable:
            super().execute(context)
            return self.execute_complete(context)
        if not self.poke(context):
            trigger = OperationTrigger(self.operation, self.endpoint, self.api_version, self.poll, cancel=False)
            self.defer(trigger=trigger, method_name="execute_complete", timeout=self.timeout)
        return self.execute_complete(context)

    def poke(self, context: Any) -> bool:
        """Return whether the operation has ended."""
        del context
        with DeidClient(endpoint=self.endpoint, api_version=self.api_version) as client:
            return client.operation(self.operation).refresh().state.ended

    def execute_complete(self, context: Any, event: Any = None) -> dict[str, Any]:
        """Return the outcome of the operation."""
        del context, event
        with DeidClient(endpoint=self.endpoint, api_version=self.api_version) as client:
            operation = client.operation(self.operation)
            operation.refresh()
            operation.result(timeout=0, raise_on_partial=self.on_partial == "fail")
            return summary_of(operation)


def _check_policy(given: str) -> None:
    if given not in ("fail", "accept"):
        raise ConfigError("on_partial: must be 'fail' or 'accept'")


def _variable(context: Any, request: ServiceRequest) -> str:
    """Return the Variable name for a task's operation.

    All attempts of the same task in the same run share it. A task retried with a different request, such as a corrected
    config, starts a new operation.
    """
    task = context["ti"]
    place = "\0".join((task.dag_id, task.run_id, task.task_id, str(task.map_index), *map(str, astuple(request))))
    # Hashed, because the key of an Airflow Variable has a limited length.
    return _VARIABLE + hashlib.sha256(place.encode()).hexdigest()[:32]
