"""Operators that start the service's own de-identification, and a sensor that waits for one."""

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
        """Start the operation, or find the one that an earlier try started, and wait for its end."""
        if self.config:
            refuse_keys(config_of(self.config, self.api_version))
        request = self._request()
        variable = _variable(context, request)
        with request.client() as client:
            operation = self._earlier(client, Variable.get(variable, default=None)) or request.start(client)
            self._running = str(operation.name)
            Variable.set(variable, self._running, description="An operation that a task has started")
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
        """Say what became of the operation that the trigger waited for."""
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
        """Return the operation of an earlier try, unless it ended badly: then another one is started."""
        if not name:
            return None
        operation = client.operation(name)
        operation.refresh()
        return operation if str(operation.state) in {"RUNNING", "SUCCEEDED", "PARTIAL"} else None

    def _end(self, context: Any, operation: Operation[Any]) -> dict[str, Any]:
        if operation.state.ended:
            Variable.delete(_variable(context, self._request()))
        operation.result(timeout=0, raise_on_partial=self.on_partial == "fail")
        return summary_of(operation)


class DeidentifyDatasetOperator(_ServiceOperator):
    """De-identify a dataset into a new one; no worker waits for it.

    A task that is tried again goes on with the operation that it had started, whose name it keeps in a Variable until
    the operation has ended. The return value holds names of resources and counts.

    Args:
        source: Full name of the dataset that is read. Templated.
        destination: Full name of the dataset that is made. Templated.
        config: Rules to apply, or JSON or YAML. Templated; it is stored with the DAG, so it must not hold a key.
        gcs_config_uri: ``gs://`` URI of the config as JSON, which the service reads: there it may. Templated.
        api_version: Of a config that is text.
        on_partial: ``"fail"`` fails the task where instances failed; ``"accept"`` leaves the counts to what follows.
        endpoint: As for `DeidClient`. Templated.
        poll: Seconds between two looks.
        deferrable: Give the worker back while the operation runs.
        cancel_on_kill: Cancel the operation when the task is killed.
        kwargs: For the base operator.

    Raises:
        ConfigError: The config holds a key.
    """

    _level = "dataset"


class DeidentifyDicomStoreOperator(_ServiceOperator):
    """De-identify a DICOM store into one that exists. Arguments are those of `DeidentifyDatasetOperator`."""

    _level = "store"


class DeidentifyOperationSensor(BaseSensorOperator):
    """Wait for an operation that something else has started.

    Args:
        operation: Full name. Templated: ``"{{ ti.xcom_pull('start')['operation'] }}"``.
        on_partial: As for `DeidentifyDatasetOperator`.
        endpoint: As for `DeidClient`. Templated.
        api_version: Of the operation.
        poll: Seconds between two looks, where it is deferred.
        deferrable: Give the worker back while the operation runs.
        kwargs: For the base sensor.
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
        """Wait for the operation's end."""
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
        """Say what became of the operation."""
        del context, event
        with DeidClient(endpoint=self.endpoint, api_version=self.api_version) as client:
            operation = client.operation(self.operation)
            operation.refresh()
            operation.result(timeout=0, raise_on_partial=self.on_partial == "fail")
            return summary_of(operation)


def _check_policy(given: str) -> None:
    if given not in ("fail", "accept"):
        raise ConfigError("on_partial is 'fail' or 'accept'")


def _variable(context: Any, request: ServiceRequest) -> str:
    """Return the Variable that remembers the operation of a task of a run, over its tries.

    A task that is tried again with another request, such as a mended config, starts another operation.
    """
    task = context["ti"]
    place = "\0".join((task.dag_id, task.run_id, task.task_id, str(task.map_index), *map(str, astuple(request))))
    return _VARIABLE + hashlib.sha256(place.encode()).hexdigest()[:32]
