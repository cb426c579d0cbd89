"""Dry run: what a run would do, estimated from a sample of its source. No results and no run folder are written."""

from __future__ import annotations

import hashlib
import heapq
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field, fields, replace
from math import ceil, floor, sqrt
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border, call_back
from healthcare_deid.engine.deidentifier import Deidentifier
from healthcare_deid.engine.runs.admission import Admission
from healthcare_deid.engine.runs.ends import originals_of
from healthcare_deid.engine.runs.gate import Gate
from healthcare_deid.engine.runs.ledger import SAME_UID, SAME_UID_TEXT
from healthcare_deid.engine.runs.naming import NAMES
from healthcare_deid.engine.runs.run_report import AttributeCounts, Gathered, PixelCounts
from healthcare_deid.engine.runs.stores import FolderStore
from healthcare_deid.engine.runs.work import Workplace
from healthcare_deid.engine.safe_errors import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from healthcare_deid.engine.runs.naming import Names
    from healthcare_deid.engine.runs.originals import Entry, Originals
    from healthcare_deid.engine.runs.record import RecordEntry
    from healthcare_deid.engine.runs.work import Found

SAMPLE = 100
"""Default number of sampled entries."""

_DEVIATIONS = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Outcome of a dry run. Counts are of the sample; `estimate` and `between` extrapolate them.

    Attributes:
        total: Number of entries of the source, DICOM or not.
        sampled: Number of sampled entries: those with the smallest SHA-256 of seed, name and position.
        seed: Seed of the sample.
        succeeded: Entries that would produce a result.
        duplicates: Entries whose bytes the sample holds more than once.
        refused: Refused entries by the name of the rule.
        failures: Entries that would fail, by reason and text.
        ignored: Ignored entries by reason.
        warnings: Number of results by warning.
        attributes: Number of results by outcome, for every attribute that has a value.
        pixels: Counts of what would be covered.
    """

    total: int
    sampled: int
    seed: int
    succeeded: int
    duplicates: int
    refused: dict[str, int]
    failures: dict[tuple[str, str], int]
    ignored: dict[str, int]
    warnings: dict[str, int]
    attributes: list[AttributeCounts] = field(repr=False)
    pixels: PixelCounts

    @property
    def failed(self) -> int:
        """Entries of the sample that would fail."""
        return sum(self.failures.values())

    def estimate(self, count: int) -> int:
        """Return the number of all entries that a count of the sample stands for; exact if all were sampled."""
        return round(count * self.total / self.sampled) if self.sampled else 0

    def between(self, count: int) -> tuple[int, int]:
        """Return the bounds, with 95 % confidence, of the number of all entries that a count of the sample stands for.

        They are those of Wilson's score interval, and equal if all entries were sampled.
        """
        unknown = self.total - self.sampled
        if not unknown or not self.sampled:
            return count, count
        share, spread = count / self.sampled, _DEVIATIONS**2 / self.sampled
        middle = share + spread / 2
        reach = sqrt(spread * (share * (1 - share) + spread / 4))
        low, high = (self.total * bound / (1 + spread) for bound in (middle - reach, middle + reach))
        return max(count, floor(low)), min(count + unknown, ceil(high))

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        told["failures"] = [
            {"reason": reason, "text": text, "files": count} for (reason, text), count in self.failures.items()
        ]
        told["attributes"] = [asdict(one) for one in self.attributes]
        told["pixels"] = asdict(self.pixels)
        counts = {
            "succeeded": self.succeeded,
            "duplicates": self.duplicates,
            "refused": sum(self.refused.values()),
            "failed": self.failed,
            "ignored": sum(self.ignored.values()),
        }
        told["estimate"] = {name: self.estimate(count) for name, count in counts.items()}
        told["between"] = {name: self.between(count) for name, count in counts.items()}
        return told


@border
def dry_run(
    source: str | PathLike[str] | Sequence[str | PathLike[str]] | Originals,
    config: Any,
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    admit: Admission | str | PathLike[str] | None = None,
    strict: bool = False,
    names: Names = "uid",
    on_progress: Callable[[int, int], object] | None = None,
    **options: Any,
) -> DryRun:
    """De-identify a sample of a source and discard the results.

    The sample depends only on names and seed, not on their order. Results are written to a temporary folder, one at a
    time. Vaults and tables of pseudonyms are not written.

    Args:
        source: As in `Deidentifier.deidentify_tree`.
        config: A `DeidentifyConfig`, or a `Deidentifier`.
        sample: Number of entries to sample.
        seed: Seed of the sample.
        admit: As in `Deidentifier.deidentify_tree`.
        strict: Whether files that are not DICOM count as failures.
        names: Naming of results.
        on_progress: Called with the number of entries done and the size of the sample.
        **options: The engine's keyword arguments.

    Raises:
        ValueError: ``sample`` is not positive, or ``names`` is unknown.
        NotADirectoryError: ``source`` is neither a folder nor a file.
        ConfigError: The config cannot be carried out, or the rules are invalid.
    """
    if sample < 1:
        raise ValueError("sample: must be at least 1")
    if names not in NAMES:
        raise ValueError(f"names is one of {', '.join(NAMES)}")
    originals = originals_of(source)
    rules = Admission.from_file(path_of(admit, "admit")) if isinstance(admit, str | PathLike) else admit
    total, chosen = _sample(originals, sample, seed)
    outcome = _Outcome(strict=strict)
    with tempfile.TemporaryDirectory(prefix="healthcare-deid-") as folder:
        place = Workplace(
            _writing_nothing(config, options, Path(folder)),
            originals,
            FolderStore(Path(folder, "results")),
            names=names,
            overwrite=True,
            recorded=None,
            gate=None if rules is None else Gate(rules),
        )
        done = 0
        for entry in originals.entries():
            if (entry.name, entry.number) in chosen:
                outcome.take(place.find(entry))
                done += 1
                if on_progress is not None:
                    call_back(on_progress, done, len(chosen))
    return outcome.told(total, done, seed)


def _sample(originals: Originals, size: int, seed: int) -> tuple[int, set[tuple[str, int]]]:
    """Return the number of entries, and name and position of the sampled ones."""
    counted = Counter[str]()

    def ranked(entries: Iterable[Entry]) -> Iterator[tuple[bytes, str, int]]:
        for entry in entries:
            counted["entries"] += 1
            what = f"{seed}\0{entry.name}\0{entry.number}".encode("utf-8", "surrogateescape")
            yield hashlib.sha256(what).digest(), entry.name, entry.number

    smallest = heapq.nsmallest(size, ranked(originals.entries()))
    return counted["entries"], {(name, number) for _, name, number in smallest}


def _writing_nothing(config: Any, given: dict[str, Any], folder: Path) -> Deidentifier:
    """Return an equal deidentifier with its own copies of the vault and the table of pseudonyms."""
    if isinstance(config, Deidentifier):
        given = {one.name: getattr(config.options, one.name) for one in fields(config.options)} | given
        config = config.config
    pseudonyms, vault = given.get("pseudonyms"), given.get("vault")
    if vault is not None:
        given = given | {"vault": folder / f"vault{Path(vault).suffix}"}
    if pseudonyms is not None and pseudonyms.table is not None:
        table = folder / f"table{pseudonyms.table.suffix}"
        if pseudonyms.table.is_file():
            shutil.copyfile(pseudonyms.table, table)
        given = given | {"pseudonyms": replace(pseudonyms, table=table)}
    return Deidentifier(config, **given)


class _Outcome:
    """Outcomes of the sample so far."""

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._gathered = Gathered()
        self._lists: dict[str, list[Any]] = {}
        self._sources: dict[str, Counter[bytes]] = defaultdict(Counter)
        self._refused: Counter[str] = Counter()
        self._failures: Counter[tuple[str, str]] = Counter()
        self._ignored: Counter[str] = Counter()

    def take(self, found: Found) -> None:
        """Add the finding for one entry and discard its result."""
        if found.staged is not None:
            found.staged.unlink()
        if found.refused:
            self._refused[found.refused] += 1
        elif found.trouble is not None and found.trouble.ignored and not self._strict:
            self._ignored[found.trouble.text] += 1
        elif found.trouble is not None:
            self._failures[found.trouble.reason, found.trouble.text] += 1
        elif found.record is not None:
            entry = self._entry(found.record)
            if not self._sources[found.result]:
                self._gathered.take(entry)
            self._sources[found.result][found.digest] += 1

    def told(self, total: int, sampled: int, seed: int) -> DryRun:
        """Return the outcome for the whole sample."""
        copies = losers = 0
        for digests in self._sources.values():
            copies += digests[min(digests)] - 1
            losers += digests.total() - digests[min(digests)]
        if losers:
            self._failures[SAME_UID, SAME_UID_TEXT.format(winner="")] += losers
        return DryRun(
            total=total,
            sampled=sampled,
            seed=seed,
            succeeded=len(self._sources),
            duplicates=copies,
            refused=dict(self._refused.most_common()),
            failures=dict(self._failures.most_common()),
            ignored=dict(self._ignored.most_common()),
            warnings=dict(self._gathered.warnings.most_common()),
            attributes=self._gathered.attributes(),
            pixels=self._gathered.pixels(),
        )

    def _entry(self, record: RecordEntry) -> dict[str, Any]:
        """Return an entry as `read_record` yields it, with its lists resolved."""
        told = {"changes": record.changes, "warnings": record.warnings, "keptTags": record.kept_tags}
        told["creators"] = record.creators
        for one in told.values():
            if one.text:
                self._lists[one.id] = json.loads(one.text)
        return {name: self._lists[one.id] for name, one in told.items()} | {"redactions": json.loads(record.redactions)}
