"""Running the engine over many instances: in this process, or in worker processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

    from healthcare_deid.config.v1.deidentify import DeidentifyConfig
    from healthcare_deid.config.v1beta1 import DeidentifyConfig as BetaDeidentifyConfig


class InstanceDeidentifier(Protocol):
    """The part of an engine that the emulator uses, such as `healthcare_deid.engine.Deidentifier`."""

    def deidentify_file(self, source: Path, destination: Path, /) -> Any:
        """De-identify one file into another, or raise.

        The ``warnings`` of the result, if it has any, hold no values of the instance.
        """
        ...


class EngineFactory(Protocol):
    """Maker of the engine for a config. One engine serves a whole operation, so that its random keys agree."""

    def __call__(self, config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
        """Return the engine.

        Raises:
            EngineError: The engine cannot do what the config asks for.
        """
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One instance to de-identify; ``index`` links it to its outcome."""

    index: int
    source: Path
    destination: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a job: a reason and a text if it failed, else warnings. It holds no values of the instance."""

    index: int
    reason: str = ""
    text: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether nothing was written."""
        return bool(self.reason)


class Executor(Protocol):
    """Runner of jobs."""

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs and yield their outcomes as they come, until all are done or ``stopping()``.

        Closing the generator ends the jobs that still run.
        """
        ...

    def close(self) -> None:
        """Release resources."""
        ...


def run_job(engine: InstanceDeidentifier, job: Job) -> Outcome:
    """Run one job; every failure becomes an outcome."""
    try:
        result = engine.deidentify_file(job.source, job.destination)
    except EngineError as error:
        return Outcome(job.index, error.reason, str(error))
    except Exception as error:  # noqa: BLE001 - one damaged instance must not end the operation of the others
        kind = type(error).__name__
        return Outcome(job.index, "internal", f"the engine failed on this instance ({kind})")
    return Outcome(job.index, warnings=tuple(getattr(result, "warnings", ())))


class InProcess:
    """Runs jobs one after the other in the calling thread."""

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs."""
        for job in jobs:
            if stopping():
                return
            yield run_job(engine, job)

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def local_engine(config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
    """Return this package's engine with the service's limits and without de-identification markers (O-12)."""
    from healthcare_deid.engine import Deidentifier

    return Deidentifier(config, markers=False, service_limits=True)
