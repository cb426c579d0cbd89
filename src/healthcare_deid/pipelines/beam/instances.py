"""`DeidentifyInstances`: pairs of names and bytes in, pairs of new names and new bytes out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam

from healthcare_deid.engine import Failure
from healthcare_deid.pipelines.beam.common import DEAD, Counters, DeadLetter, dead, same_uid
from healthcare_deid.pipelines.engine_recipe import EngineRecipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthcare_deid.pipelines.configs import AnyConfig
    from healthcare_deid.pipelines.secrets import SecretSource

__all__ = ["DeadLetter", "DeidentifiedInstances", "DeidentifyInstances", "Made", "MakeResults"]

_MADE, _TIED = "made", "tied"
_DIRECTORY = "a DICOMDIR points at files by name, and results have other names; make a new one of the results"


class DeidentifiedInstances(NamedTuple):
    """What `DeidentifyInstances` gives: three PCollections.

    Attributes:
        results: Pairs of a new name, ``study/series/instance.dcm``, and bytes.
        dead_letters: A `DeadLetter` for each instance without a result.
        records: A line of JSON for each result, which says what was done to it; no values.
    """

    results: Any
    dead_letters: Any
    records: Any


class DeidentifyInstances(beam.PTransform):
    """De-identify a PCollection of pairs of a name and the bytes of a DICOM file.

    Bytes, names and records are those of `Deidentifier.deidentify_tree`, whatever the runner and the sharding. Of
    instances with one SOP Instance UID there is one result: equal bytes are counted as duplicates, and of different
    ones the smallest SHA-256 makes the result, and the others are dead letters. Only digests are grouped; the runner
    holds results until all of them are known, each window by itself. `DeidentifyFiles` holds none.

    Args:
        config: What to do.
        secret: The place of the project's secret; needed where the config shifts or hashes.
        source_names: Tell in dead letters what instances were called, which may identify patients.
        records: Make records: for small instances they take as long as the rest.
        min_ram: Memory a worker needs, as a resource hint for runners that take one.
        options: Further arguments of `Deidentifier`, such as ``masks`` or ``thorough``.

    Raises:
        ConfigError: The config cannot be carried out, holds a key, or needs a secret and has none.
    """

    def __init__(
        self,
        config: AnyConfig,
        *,
        secret: SecretSource | None = None,
        source_names: bool = False,
        records: bool = True,
        min_ram: str = "4GB",
        **options: Any,
    ) -> None:
        super().__init__()
        recipe = EngineRecipe(config, secret, options)
        self._plan = recipe.name
        self._make = MakeResults(recipe, source_names=source_names, records=records, min_ram=min_ram)

    def expand(self, pairs: Any) -> DeidentifiedInstances:
        """Apply the transform."""
        made = pairs | self._make
        contested = (
            made[_MADE]
            | "Claims" >> beam.Map(lambda one: (one.name, one.digest))
            | "Count claims" >> beam.CombinePerKey(_Claims())
            | "Contested" >> beam.FlatMap(_contested)
        )
        settled = made[_MADE] | "Settle" >> beam.ParDo(_Settle(), contested=beam.pvalue.AsDict(contested)).with_outputs(
            DEAD, _TIED, main=_MADE
        )
        single = settled[_TIED] | "Group the same" >> beam.GroupByKey() | "Keep one" >> beam.ParDo(_KeepOne())
        results = (settled[_MADE], single) | "All results" >> beam.Flatten()
        return DeidentifiedInstances(
            results=results | "Results" >> beam.Map(lambda one: (one.name, one.data)),
            dead_letters=(made[DEAD], settled[DEAD]) | "All dead letters" >> beam.Flatten(),
            records=results | "Records" >> beam.FlatMap(lambda one: [one.record] if one.record else []),
        )

    def display_data(self) -> dict[str, Any]:
        """Return what a runner's page shows of the transform: no config, no places."""
        return {"plan": self._plan}


class Made(NamedTuple):
    """A result before it is known whether its name is its own.

    Attributes:
        name: The result's.
        digest: SHA-256 of the source.
        source: What the source was called; empty unless that is wanted.
        record: The result's line; empty unless it is wanted.
        data: The result.
    """

    name: str
    digest: str
    source: str
    record: str
    data: bytes


class MakeResults(beam.PTransform):
    """De-identify pairs; give `Made` rows, and dead letters.

    Args:
        recipe: How.
        source_names: Whether sources may be named.
        records: Whether records are wanted.
        min_ram: A resource hint.
    """

    def __init__(self, recipe: EngineRecipe, *, source_names: bool, records: bool, min_ram: str) -> None:
        super().__init__()
        self._function = _Deidentify(recipe, source_names=source_names, records=records)
        self._min_ram = min_ram

    def expand(self, pairs: Any) -> Any:
        """Apply the transform."""
        work = beam.ParDo(self._function).with_resource_hints(min_ram=self._min_ram)
        return pairs | "Deidentify" >> work.with_outputs(DEAD, main=_MADE)


class _Deidentify(beam.DoFn):
    """De-identifies one pair; the deidentifier is one a process, ready before the first pair comes."""

    def __init__(self, recipe: EngineRecipe, *, source_names: bool, records: bool) -> None:
        super().__init__()
        self._recipe = recipe
        self._source_names = source_names
        self._records = records
        self._counters = Counters("deidentify")

    def setup(self) -> None:
        """Make the deidentifier."""
        self._deidentifier = self._recipe.deidentifier()

    def process(self, element: tuple[str, bytes]) -> Iterator[Any]:
        """Yield a `Made` row, or a dead letter."""
        name, data = element
        source = name if self._source_names else ""
        outcome = self._deidentifier.deidentify_bytes(data, errors="return")
        digest = hashlib.sha256(data).hexdigest()
        if isinstance(outcome, Failure):
            self._counters.count("failed")
            yield dead(DeadLetter(source, digest, outcome.reason, outcome.text))
        elif outcome.name is None:
            self._counters.count("failed")
            yield dead(DeadLetter(source, digest, "dicomdir", _DIRECTORY))
        else:
            self._counters.count("succeeded")
            yield Made(outcome.name, digest, source, outcome.record if self._records else "", outcome.data)


class _Claims(beam.CombineFn):
    """Counts who claims a name, and finds the smallest digest."""

    def create_accumulator(self) -> tuple[int, str]:
        """Return the count of nobody."""
        return 0, ""

    def add_input(self, mutable_accumulator: tuple[int, str], element: str) -> tuple[int, str]:
        """Count one claim in."""
        count, smallest = mutable_accumulator
        return count + 1, min(smallest, element) if smallest else element

    def merge_accumulators(self, accumulators: Iterable[tuple[int, str]]) -> tuple[int, str]:
        """Add counts up."""
        parts = [part for part in accumulators if part[0]]
        return sum(count for count, _ in parts), min((smallest for _, smallest in parts), default="")

    def extract_output(self, accumulator: tuple[int, str]) -> tuple[int, str]:
        """Return the count and the smallest digest."""
        return accumulator


def _contested(claim: tuple[str, tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Yield a name that several claim, and the digest it belongs to."""
    name, (count, smallest) = claim
    if count > 1:
        yield name, smallest


class _Settle(beam.DoFn):
    """Lets a result pass whose name nobody else claims."""

    def process(self, element: Made, contested: dict[str, str]) -> Iterator[Any]:
        """Yield the result, for its own output where others may be the same, or a dead letter."""
        winner = contested.get(element.name)
        if winner is None:
            yield element
        elif winner == element.digest:
            yield beam.pvalue.TaggedOutput(_TIED, (element.name, element))
        else:
            yield dead(same_uid(element.source, element.digest, winner))


class _KeepOne(beam.DoFn):
    """Lets one of several equal results pass."""

    def __init__(self) -> None:
        super().__init__()
        self._counters = Counters("deidentify")

    def process(self, element: tuple[str, Iterable[Made]]) -> Iterator[Made]:
        """Yield the first, and count the others."""
        _, same = element
        rest = iter(same)
        yield next(rest)
        self._counters.count("duplicates", sum(1 for _ in rest))
