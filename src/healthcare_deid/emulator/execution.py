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
    """What the emulator needs of the engine: `healthcare_deid.engine.Deidentifier` is one."""

    def deidentify_file(self, source: Path, destination: Path, /) -> Any:
        """De-identify one file into another; raise when that cannot be done.

        The result's ``warnings``, if it has some, hold no values.
        """
        ...


class EngineFactory(Protocol):
    """Makes the engine for a config; the same one serves a whole operation, so that its random keys agree."""

    def __call__(self, config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
        """Return the engine.

        Raises:
            EngineError: The config asks for something this engine does not do.
        """
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One instance to de-identify; ``index`` tells whose outcome is whose."""

    index: int
    source: Path
    destination: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: a reason and a text when it failed, remarks when it did not. No values."""

    index: int
    reason: str = ""
    text: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether nothing was written."""
        return bool(self.reason)


class Executor(Protocol):
    """Runs jobs."""

    def run(
        self, engine: InstanceDeidentifier, jobs: Iterable[Job], stopping: Callable[[], bool]
    ) -> Generator[Outcome]:
        """Run the jobs, and give their outcomes as they come, until all are done or ``stopping()``.

        Closing the generator ends what still runs.
        """
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


def run_job(engine: InstanceDeidentifier, job: Job) -> Outcome:
    """Run one job; every failure becomes an outcome, in words that hold no value of the instance."""
    try:
        result = engine.deidentify_file(job.source, job.destination)
    except EngineError as error:
        return Outcome(job.index, error.reason, str(error))
    except Exception as error:  # noqa: BLE001 - one broken instance must not end the others' operation
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
        """Do nothing: nothing is held."""


def local_engine(config: DeidentifyConfig | BetaDeidentifyConfig, /) -> InstanceDeidentifier:
    """Return this package's own engine, with the service's limits, and without de-identification markers (O-12)."""
    from healthcare_deid.engine import Deidentifier

    return Deidentifier(config, markers=False, service_limits=True)
