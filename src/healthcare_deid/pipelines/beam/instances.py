"""`DeidentifyInstances`: a transform from (name, bytes) to (new name, new bytes)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

import apache_beam as beam

from healthcare_deid.engine import Failure
from healthcare_deid.pipelines.beam.common import DEAD, Counters, DeadLetter, dead_letter, same_uid
from healthcare_deid.pipelines.engine_recipe import EngineRecipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healthcare_deid.pipelines.configs import AnyConfig
    from healthcare_deid.pipelines.secrets import SecretSource

__all__ = ["DeadLetter", "DeidentifiedInstances", "DeidentifyInstances", "MakeResults", "PendingResult"]

_MADE, _TIED = "made", "tied"
_DIRECTORY = "a DICOMDIR refers to files by name, and results have new names; create a new DICOMDIR from the results"


class DeidentifiedInstances(NamedTuple):
    """Outputs of `DeidentifyInstances`: three PCollections.

    Attributes:
        results: Pairs of the new name, ``study/series/instance.dcm``, and the new bytes.
        dead_letters: A `DeadLetter` for each instance without a result.
        records: A JSON line for each result that says what was done to it, without values.
    """

    results: Any
    dead_letters: Any
    records: Any


class DeidentifyInstances(beam.PTransform):
    """De-identify a PCollection of (name, bytes of a DICOM file).

    Results, names and records are those of `Deidentifier.deidentify_tree`, whatever the runner and the sharding. There
    is one result per SOP Instance UID. Equal files count as duplicates. Of different files with the same UID, the one
    with the smallest SHA-256 is used and the others become dead letters. Only digests are grouped. The runner holds the
    results of a window until all of them are known; `DeidentifyFiles` avoids that.

    Args:
        config: Rules to apply.
        secret: Place of the project's secret. Required if the config shifts dates or hashes.
        source_names: Whether dead letters contain source names, which may identify patients.
        records: Whether to write records. For small instances they double the time.
        min_ram: Memory that a worker needs, as a resource hint.
        options: Other arguments of `Deidentifier`, such as ``masks`` or ``thorough``.

    Raises:
        ConfigError: The config cannot be executed, contains a key, or needs a secret and has none.
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
        self._make = MakeResults(recipe, source_names=source_names, records=records)
        # Of the whole, because runners do not fuse steps with different hints, and would copy every image between them.
        self.with_resource_hints(min_ram=min_ram)

    def expand(self, pairs: Any) -> DeidentifiedInstances:
        """Apply the transform."""
        made = pairs | self._make
        contested = (
            made[_MADE]
            # Only names and digests are grouped, never images.
            | "Claims" >> beam.Map(lambda one: (one.name, one.digest))
            | "Count claims" >> beam.CombinePerKey(_Claims())
            # Every worker gets these as a side input. They are few: names normally have one claim.
            | "Contested" >> beam.FlatMap(_contested)
        )
        settled = made[_MADE] | "Settle" >> beam.ParDo(
            _PassUncontested(), contested=beam.pvalue.AsDict(contested)
        ).with_outputs(DEAD, _TIED, main=_MADE)
        single = settled[_TIED] | "Group the same" >> beam.GroupByKey() | "Keep one" >> beam.ParDo(_KeepOne())
        results = (settled[_MADE], single) | "All results" >> beam.Flatten()
        return DeidentifiedInstances(
            results=results | "Results" >> beam.Map(lambda one: (one.name, one.data)),
            dead_letters=(made[DEAD], settled[DEAD]) | "All dead letters" >> beam.Flatten(),
            records=results | "Records" >> beam.FlatMap(lambda one: [one.record] if one.record else []),
        )

    def display_data(self) -> dict[str, Any]:
        """Return the data shown on the runner's page.

        It contains neither the config nor any paths.
        """
        return {"plan": self._plan}


class PendingResult(NamedTuple):
    """Result whose name may still be contested.

    Attributes:
        name: Name of the result.
        digest: SHA-256 of the source.
        source: Name of the source; empty unless requested.
        record: JSON line of the result; empty unless requested.
        data: Bytes of the result.
    """

    name: str
    digest: str
    source: str
    record: str
    data: bytes


class MakeResults(beam.PTransform):
    """De-identify pairs into `PendingResult` rows and dead letters.

    Args:
        recipe: Config, options and place of the secret.
        source_names: Whether dead letters contain source names.
        records: Whether to write records.
    """

    def __init__(self, recipe: EngineRecipe, *, source_names: bool, records: bool) -> None:
        super().__init__()
        self._function = _Deidentify(recipe, source_names=source_names, records=records)

    def expand(self, pairs: Any) -> Any:
        """Apply the transform."""
        return pairs | "Deidentify" >> beam.ParDo(self._function).with_outputs(DEAD, main=_MADE)


class _Deidentify(beam.DoFn):
    """De-identify one pair.

    All threads of a process share one deidentifier, which is loaded before the first pair.
    """

    def __init__(self, recipe: EngineRecipe, *, source_names: bool, records: bool) -> None:
        super().__init__()
        self._recipe = recipe
        self._source_names = source_names
        self._records = records
        self._counters = Counters("deidentify")

    def setup(self) -> None:
        """Load the deidentifier."""
        self._deidentifier = self._recipe.deidentifier()

    def process(self, element: tuple[str, bytes]) -> Iterator[Any]:
        """Yield a `PendingResult` row or a dead letter."""
        name, data = element
        source = name if self._source_names else ""
        # A bad file becomes a dead letter. An exception would make the runner retry the whole bundle.
        outcome = self._deidentifier.deidentify_bytes(data, errors="return")
        digest = hashlib.sha256(data).hexdigest()
        if isinstance(outcome, Failure):
            self._counters.count("failed")
            yield dead_letter(DeadLetter(source, digest, outcome.reason, outcome.text))
        elif outcome.name is None:
            self._counters.count("failed")
            yield dead_letter(DeadLetter(source, digest, "dicomdir", _DIRECTORY))
        else:
            self._counters.count("succeeded")
            yield PendingResult(outcome.name, digest, source, outcome.record if self._records else "", outcome.data)


class _Claims(beam.CombineFn):
    """Number of claims on a name, and the smallest digest."""

    def create_accumulator(self) -> tuple[int, str]:
        """Return a count of zero."""
        return 0, ""

    def add_input(self, mutable_accumulator: tuple[int, str], element: str) -> tuple[int, str]:
        """Add one claim."""
        count, smallest = mutable_accumulator
        # An empty string is the digest of no claims.
        return count + 1, min(smallest, element) if smallest else element

    def merge_accumulators(self, accumulators: Iterable[tuple[int, str]]) -> tuple[int, str]:
        """Add up counts."""
        parts = [part for part in accumulators if part[0]]
        return sum(count for count, _ in parts), min((smallest for _, smallest in parts), default="")

    def extract_output(self, accumulator: tuple[int, str]) -> tuple[int, str]:
        """Return the count and the smallest digest."""
        return accumulator


def _contested(claim: tuple[str, tuple[int, str]]) -> Iterator[tuple[str, str]]:
    """Yield a name with several claims, and the winning digest."""
    name, (count, smallest) = claim
    if count > 1:
        yield name, smallest


class _PassUncontested(beam.DoFn):
    """Pass on results whose names nobody else claims."""

    def process(self, element: PendingResult, contested: dict[str, str]) -> Iterator[Any]:
        """Yield the result, a tagged result that may have duplicates, or a dead letter."""
        winner = contested.get(element.name)
        if winner is None:
            yield element
        elif winner == element.digest:
            # One of several copies. _KeepOne passes on one of them.
            yield beam.pvalue.TaggedOutput(_TIED, (element.name, element))
        else:
            yield dead_letter(same_uid(element.source, element.digest, winner))


class _KeepOne(beam.DoFn):
    """Pass on one of several equal results."""

    def __init__(self) -> None:
        super().__init__()
        self._counters = Counters("deidentify")

    def process(self, element: tuple[str, Iterable[PendingResult]]) -> Iterator[PendingResult]:
        """Yield the first result and count the others."""
        _, same = element
        rest = iter(same)
        yield next(rest)
        self._counters.count("duplicates", sum(1 for _ in rest))
