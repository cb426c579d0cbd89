"""`DeidentifyFiles`: a files-to-files transform.

Results are first written to a staging folder beside the destination. Once the digests of all sources are known, the
winning result of each name is moved to the destination. Only digests pass between stages, so no runner holds images.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import apache_beam as beam

from healthcare_deid.pipelines import places
from healthcare_deid.pipelines.beam.common import DEAD, Counters, dead_letter, same_uid
from healthcare_deid.pipelines.beam.instances import DeidentifiedInstances, MakeResults
from healthcare_deid.pipelines.beam.reading import BATCH, ReadInstances
from healthcare_deid.pipelines.engine_recipe import EngineRecipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthcare_deid.pipelines.beam.instances import PendingResult
    from healthcare_deid.pipelines.configs import AnyConfig
    from healthcare_deid.pipelines.secrets import SecretSource

STAGING = ".staging"
"""Suffix of the folder that results wait in until the winner for each name is known."""


class DeidentifyFiles(beam.PTransform):
    """Read, de-identify and write files.

    Sources are folders, buckets, archives or a DICOM store; the destination is a folder or a bucket. The outputs are
    those of `DeidentifyInstances`, with names only in ``results``. The destination contains only complete results, each
    once. A run that is killed leaves a folder ``{destination}.staging``, which the next run reuses and removes.

    Args:
        source: As for `ReadInstances`.
        destination: Folder, as a path or as a URL that fsspec opens.
        config: As for `DeidentifyInstances`.
        secret: As for `DeidentifyInstances`.
        source_names: As for `DeidentifyInstances`.
        records: As for `DeidentifyInstances`.
        min_ram: As for `DeidentifyInstances`.
        endpoint: As for `ReadInstances`.
        batch: As for `ReadInstances`; one file if burned-in text is looked for, which takes seconds a file.
        options: Other arguments of `Deidentifier`.

    Raises:
        ConfigError: As for `DeidentifyInstances`; or source and destination are inside each other.
    """

    def __init__(
        self,
        source: str | Sequence[str],
        destination: str,
        config: AnyConfig,
        *,
        secret: SecretSource | None = None,
        source_names: bool = False,
        records: bool = True,
        min_ram: str = "4GB",
        endpoint: str | None = None,
        batch: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._destination = places.folder(destination)
        for one in [source] if isinstance(source, str) else source:
            places.check_apart(one, self._destination)
        recipe = EngineRecipe(config, secret, options)
        batch = batch or (1 if recipe.looks_at_pixels else BATCH)
        self._read = ReadInstances(source, source_names=source_names, endpoint=endpoint, batch=batch)
        self._make = MakeResults(recipe, source_names=source_names, records=records)
        # Of the whole, because runners do not fuse steps with different hints, and would copy every image between them.
        self.with_resource_hints(min_ram=min_ram)

    def expand(self, begin: Any) -> DeidentifiedInstances:
        """Apply the transform."""
        staging = f"{self._destination}{STAGING}"
        read = begin | "Read files" >> self._read
        made = read.instances | "Make results" >> self._make
        settled = (
            made["made"]
            | "Stage" >> beam.ParDo(_Stage(staging))
            | "Group by name" >> beam.GroupByKey()
            | "Settle"
            >> beam.ParDo(_MoveWinners(staging, self._destination)).with_outputs(DEAD, "records", main="results")
        )
        _ = (
            settled["results"]
            # The count is complete only after the last result, so the staging folder is removed at the end.
            | "Count results" >> beam.combiners.Count.Globally()
            | "Clean" >> beam.Map(lambda _, place=staging: places.remove(place))
        )
        letters = (read.dead_letters, made[DEAD], settled[DEAD]) | "All dead letters" >> beam.Flatten()
        return DeidentifiedInstances(settled["results"], letters, settled["records"])


class _Stage(beam.DoFn):
    """Write a result into the staging folder.

    Equal results have the same file name, so a retried bundle leaves no second copy.
    """

    def __init__(self, staging: str) -> None:
        super().__init__()
        self._staging = staging

    def process(self, element: PendingResult) -> Iterator[tuple[str, tuple[str, str, str]]]:
        """Yield the result's name with digest, source and record."""
        places.write(_staged(self._staging, element.name, element.digest), element.data)
        yield element.name, (element.digest, element.source, element.record)


class _MoveWinners(beam.DoFn):
    """Move the result with the smallest digest, and remove the others."""

    def __init__(self, staging: str, destination: str) -> None:
        super().__init__()
        self._staging = staging
        self._destination = destination
        self._counters = Counters("write")

    def process(self, element: tuple[str, Iterable[tuple[str, str, str]]]) -> Iterator[Any]:
        """Yield the name, the record, and a dead letter for each other source."""
        name, grouped = element
        claims = sorted(grouped)
        winner, _, record = claims[0]
        losers = [(digest, source) for digest, source, _ in claims if digest != winner]
        for digest, source in losers:
            places.remove(_staged(self._staging, name, digest))
            yield dead_letter(same_uid(source, digest, winner))
        places.move(_staged(self._staging, name, winner), f"{self._destination}/{name}")
        self._counters.count("succeeded")
        self._counters.count("duplicates", len(claims) - len(losers) - 1)
        yield name
        if record:
            yield beam.pvalue.TaggedOutput("records", record)


def _staged(staging: str, name: str, digest: str) -> str:
    # By name and digest: results of different sources with the same name must not overwrite each other.
    key = hashlib.sha256(f"{name}\0{digest}".encode()).hexdigest()
    return f"{staging}/{key[:2]}/{key}"
