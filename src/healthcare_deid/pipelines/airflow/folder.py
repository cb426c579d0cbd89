"""Operator that de-identifies a folder on the Airflow worker."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException

from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines.configs import config_of, refuse_keys, refuse_secrets, refuse_text_with_keys
from healthcare_deid.pipelines.secrets import SecretSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.pipelines.airflow.operators import Partial
    from healthcare_deid.pipelines.configs import AnyConfig


class DeidentifyFolderOperator(BaseOperator):
    """De-identify a folder into another folder, on the worker.

    A retried task continues: existing results are kept. A killed task ends the run. It returns counts.

    Args:
        source: Folder to read. Templated.
        destination: Folder for results. Templated.
        config: Rules to apply, as a config or as JSON or YAML text. Templated. It is stored with the DAG, so it must
            not contain a key.
        api_version: API version of a config given as text; by default its fields tell.
        secret: Place of the project's secret. Required if the config shifts dates or hashes.
        on_partial: ``"fail"`` to fail the task if files failed, ``"accept"`` to only report the counts.
        workers: Number of processes. Defaults to one per core.
        engine_options: Other arguments of `Deidentifier`. Secrets are refused.
        kwargs: Arguments of the base operator.

    Raises:
        ConfigError: The config or the options contain a key.
    """

    template_fields: Sequence[str] = ("source", "destination", "config")
    template_fields_renderers = {"config": "json"}  # noqa: RUF012 - Airflow's own form
    ui_color = "#d2e3fc"

    def __init__(
        self,
        *,
        source: str,
        destination: str,
        config: AnyConfig | str,
        api_version: str | None = None,
        secret: SecretSource | None = None,
        on_partial: Partial = "fail",
        workers: int | None = None,
        engine_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(config, str):
            refuse_keys(config)
            api_version, config = config.api_version, config.to_json()
        else:
            refuse_text_with_keys(config, api_version)
        refuse_secrets(engine_options or {})
        if secret is not None and not isinstance(secret, SecretSource):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError("secret: must be a SecretSource, because a secret itself would be stored with the DAG")
        if on_partial not in ("fail", "accept"):
            raise ConfigError("on_partial: must be 'fail' or 'accept'")
        self.source = source
        self.destination = destination
        self.config = config
        self.api_version = api_version
        self.secret = secret
        self.on_partial = on_partial
        self.workers = workers
        self.engine_options = engine_options or {}
        self._running = False

    def execute(self, context: Any) -> dict[str, Any]:
        """De-identify the files that have no result yet."""
        del context
        # Again here: a template is only now filled in.
        config = config_of(self.config, self.api_version)
        refuse_keys(config)
        # On the worker, when the task runs. Parsing the DAG never reads the secret.
        secret = self.secret.load() if self.secret is not None else None
        deidentifier = Deidentifier(config, secret=secret, **self.engine_options)
        if secret is None and deidentifier.needs_secret:
            raise ConfigError("the config shifts dates or hashes and has no key: pass the place of a secret (secret=)")
        self._running = True
        try:
            report = deidentifier.deidentify_tree(
                self.source, self.destination, workers=self.workers, command=type(self).__name__
            )
        finally:
            self._running = False
        summary = {
            "succeeded": report.succeeded,
            "skipped": report.skipped,
            "failed": report.failed,
            "reasons": dict(Counter(failure.reason for failure in report.failures)),
        }
        if report.failed and self.on_partial == "fail":
            raise AirflowException(f"{report.failed} files failed: {summary['reasons']}")
        return summary

    def on_kill(self) -> None:
        """End the run as Ctrl-C does: the destination holds complete results only.

        Raises:
            SystemExit: A run is going on. Airflow calls this in a signal handler, in the thread that runs `execute`,
                which would otherwise go on until it is killed.
        """
        if self._running:
            raise SystemExit("the task was killed")
