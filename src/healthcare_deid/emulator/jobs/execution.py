"""Execution of the engine on many instances."""

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
    """Interface of an engine that the emulator can use.

    `healthcare_deid.engine.Deidentifier` implements it.
    """

    def deidentify_file(self, source: Path, destination: Path, /) -> Any:
        """De-identify one file into another.

        The ``warnings`` of the result, if any, must not contain values of the instance.
        """
        ...


class EngineFactory(Protocol):
    """Factory of the engine for a config.

    One engine serves a whole operation, so that all instances get the same random keys.
    """

    def __call__(self, config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
        """Create the engine.

        Raises:
            EngineError: The engine cannot execute the config.
        """
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One instance to de-identify.

    ``index`` links it to its outcome.
    """

    index: int
    source: Path
    destination: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a job: a reason and text if it failed, otherwise warnings.

    It contains no values of the instance.
    """

    index: int
    reason: str = ""
    text: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether the job failed and nothing was written."""
        return bool(self.reason)


class Executor(Protocol):
    """Executor of jobs."""

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs and yield outcomes as they complete.

        It ends when all are done or ``stopping()`` is true. Closing the generator ends the jobs still running.
        """
        ...

    def close(self) -> None:
        """Release resources."""
        ...


def run_job(engine: InstanceDeidentifier, job: Job) -> Outcome:
    """Run one job.

    Every failure becomes an outcome.
    """
    try:
        result = engine.deidentify_file(job.source, job.destination)
    except EngineError as error:
        return Outcome(job.index, error.reason, str(error))
    except Exception as error:  # noqa: BLE001 - one damaged instance must not stop the operation
        # The text of an unexpected error may contain values of the instance.
        kind = type(error).__name__
        return Outcome(job.index, "internal", f"the engine failed on this instance ({kind})")
    return Outcome(job.index, warnings=tuple(getattr(result, "warnings", ())))


class InProcess:
    """Executor that runs jobs one after the other in the calling thread."""

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs."""
        for job in jobs:
            if stopping():
                return
            yield run_job(engine, job)

    def close(self) -> None:
        """Do nothing; there are no resources."""


def local_engine(config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
    """Return this package's engine with the service's limits.

    It writes no de-identification markers (fidelity O-12).
    """
    from healthcare_deid.engine import Deidentifier

    # The service writes no markers (O-12) and does not redact pixels in files above 1 GiB.
    return Deidentifier(config, markers=False, service_limits=True)
