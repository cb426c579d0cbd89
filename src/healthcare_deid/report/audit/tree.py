"""Audit of a folder: findings of every instance, how much was looked at, and with what confidence."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid._html import page_of
from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.dicom.files import read
from healthcare_deid.engine.runs.events import EventKind
from healthcare_deid.engine.runs.lines import sha256_of
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError
from healthcare_deid.report.audit.acceptance import Acceptance, read_acceptances
from healthcare_deid.report.audit.audit import Audit, audit
from healthcare_deid.report.audit.findings import COLUMNS, Residual, Residue, row_of
from healthcare_deid.report.audit.page import Told, body
from healthcare_deid.report.audit.promise import is_basic
from healthcare_deid.report.dataframes import frame_of
from healthcare_deid.report.finished_run import FinishedRun
from healthcare_deid.report.run_events import note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from healthcare_deid.report.audit.originals import Originals

_TOO_FEW = 3
"""Number of instances up to which 3/n says nothing."""
LIMITS = (
    "This audit finds only what its rules and detectors know. It does not prove that nobody can be identified: faces "
    "in slices of a head, rare diseases, and free text that no detector recognizes are not looked for."
)


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Audit of a folder. It contains no values, but file names, which may identify patients.

    Attributes:
        audits: Audit of each file, by its path below the folder.
        unreadable: Files that could not be read, and why. Nothing is known about them.
        pixels_of: Files whose pixels were looked at.
        digests: SHA-256 of each file, by its path below the folder.
        unmatched: Acceptances that fit no finding of this audit: the file or the finding is no longer there.
    """

    audits: dict[str, Audit] = field(repr=False)
    unreadable: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    pixels_of: frozenset[str] = field(default=frozenset(), repr=False)
    digests: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    unmatched: tuple[Acceptance, ...] = field(default=(), repr=False)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} {severity}s" for severity in Severity)
        return f"AuditReport({len(self.audits)} instances, {counts}, {len(self.unreadable)} not read)"

    @property
    def clean(self) -> bool:
        """Whether no finding contradicts what the instances promise; see `LIMITS` for what this does not mean."""
        return all(item.clean for item in self.audits.values())

    def count(self, severity: Severity | str) -> int:
        """Return the number of findings of a severity."""
        return sum(item.count(severity) for item in self.audits.values())

    @property
    def accepted(self) -> int:
        """Number of findings that a person has accepted. No other number counts them."""
        return sum(len(item.accepted) for item in self.audits.values())

    def instances_with(self, severity: Severity | str) -> dict[Residue, int]:
        """Return the number of instances with each kind of finding, most frequent first."""
        counts = Counter(
            kind
            for item in self.audits.values()
            for kind in {finding.residue for finding in item.findings if finding.severity == severity}
        )
        return dict(counts.most_common())

    def confidence(self) -> list[str]:
        """Return what was looked for, in how many instances, and what finding nothing means."""
        read, pictures = len(self.audits), len(self.pixels_of)
        elements = sum(item.looked.elements for item in self.audits.values())
        frames = sum(item.looked.frames for item in self.audits.values())
        compared = sum(item.looked.with_originals for item in self.audits.values())
        told = [
            f"Header, codes, private elements and text: {elements} values of {_instances(read)}. "
            + _bound(read, [_worst(item, pixels=False) for item in self.audits.values()])
        ]
        if pictures:
            drawn = "" if pictures == read else ", drawn at random"
            told.append(
                f"Burned-in text: {frames} frames of {pictures} instances{drawn}. "
                + _bound(pictures, [_worst(self.audits[name], pixels=True) for name in self.pixels_of])
            )
        else:
            told.append("Burned-in text was not looked for.")
        told.append(
            f"The originals' names, numbers, dates and UIDs: looked for in {_instances(compared)}."
            if compared
            else "There were no originals to compare with: a shifted date or a new UID cannot be told from an old one."
        )
        named = sum(item.looked.with_names for item in self.audits.values())
        if named:
            told.append(f"Names of source files, which were not opened: looked for in {_instances(named)}.")
        return [*told, LIMITS]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row per finding, accepted ones included, with the columns of the CSV file."""
        return [
            row_of(finding, file=name, sha256=self.digests.get(name, ""))
            for name, item in self.audits.items()
            for finding in (*item.findings, *item.accepted)
        ]

    def to_csv(self) -> str:
        """Return CSV with a line per finding."""
        file = io.StringIO(newline="")
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        return file.getvalue()

    def to_json(self) -> str:
        """Return everything as JSON."""
        files = [
            {
                "file": name,
                "promise": item.promise,
                "clean": item.clean,
                "saysDeidentified": item.says_deidentified,
                "burnedInAnnotation": str(item.burned_in),
                "pixelsLookedAt": name in self.pixels_of,
                "sha256": self.digests.get(name, ""),
                "findings": [_told(finding) for finding in item.findings],
                "accepted": [_told(finding) for finding in item.accepted],
            }
            for name, item in self.audits.items()
        ]
        told = {
            "instances": len(self.audits),
            "errors": self.count(Severity.ERROR),
            "warnings": self.count(Severity.WARNING),
            "accepted": self.accepted,
            "acceptedUnmatched": [str(one) for one in self.unmatched],
            "unreadable": self.unreadable,
            "confidence": self.confidence(),
            "files": files,
        }
        return json.dumps(told, indent=2, ensure_ascii=False)

    def to_html(self) -> str:
        """Return a self-contained HTML page, without scripts."""
        return page_of("De-identification audit", body(self._told()))

    def to_frame(self) -> Any:
        """Return the findings as a pandas DataFrame.

        Raises:
            ImportError: pandas is not installed.
        """
        return frame_of(self.rows(), COLUMNS)

    def _repr_html_(self) -> str:
        return body(self._told())

    def _told(self) -> Told:
        kinds = [
            (severity, kind, count) for severity in Severity for kind, count in self.instances_with(severity).items()
        ]
        counts = [
            (severity, self.count(severity), sum(1 for item in self.audits.values() if item.count(severity)))
            for severity in Severity
        ]
        promises = Counter(item.promise for item in self.audits.values())
        return Told(
            len(self.audits),
            counts,
            self.confidence(),
            promises,
            kinds,
            self.unreadable,
            self.rows(),
            [*map(str, self.unmatched)],
        )


@border
def audit_tree(
    folder: str | PathLike[str],
    *,
    config: Any = None,
    options: Mapping[str, Any] | None = None,
    originals: Originals | None = None,
    pixels: bool = False,
    sample: int | None = None,
    seed: int = 0,
    accepted: str | PathLike[str] | None = None,
    on_progress: Callable[[int, int], object] | None = None,
) -> AuditReport:
    """Audit every DICOM file of a folder, or one file. The run folder of audited results notes the audit.

    Args:
        folder: Folder, searched recursively; of a run folder, the results beside it.
        config: As in `audit`; by default that of the run, if its folder ``<folder>.run`` exists. If it is the run's own
            and *options* are not given, the run's arguments count too.
        options: As in `audit`.
        originals: As in `audit`.
        pixels: Whether to look for burned-in text.
        sample: Number of instances, drawn at random, whose pixels are looked at; by default all. Every header is read.
        seed: Seed of the sample: the same seed selects the same files.
        accepted: CSV file of findings that a person accepts: lines of `AuditReport.to_csv` with ``accepted_by`` and
            ``reason`` filled in. ``kind``, ``path`` and every other cell that is not empty must equal those of a
            finding; without ``sha256`` a line is about every file.
        on_progress: Called after each file with the number of files done and the total.

    Raises:
        FileNotFoundError: The folder does not exist.
        ConfigError: ``config`` and ``options`` cannot be carried out, or ``accepted`` cannot be read.
    """
    acceptances = read_acceptances(Path(accepted)) if accepted is not None else ()
    used: set[Acceptance] = set()
    root = Path(folder)
    if not root.exists():
        raise FileNotFoundError(f"no such folder: {root}")
    run = FinishedRun.of(root)
    root = run.results if run is not None else root
    files = sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]
    files = [path for path in files if path.name != "DICOMDIR"]
    if run is not None and (config is None or (not options and run.was_made_with(config))):
        known, arguments = run.config()
        # Where the manifest lacks an argument's values, markers tell more than a Basic Profile, and less than a list.
        if known is not None or config is None or is_basic(config):
            config, options = known, arguments
    drawn = set(files)
    if sample is not None and sample < len(files):
        drawn = set(random.Random(seed).sample(files, sample))  # noqa: S311 - a sample, not a secret
    audits: dict[str, Audit] = {}
    digests: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for done, path in enumerate(files, 1):
        name = path.relative_to(root).as_posix() if root.is_dir() else path.name
        try:
            dataset, _ = guarded(partial(read, path))
            looks = pixels and path in drawn
            found = audit(dataset, config=config, options=options, originals=originals, pixels=looks)
            digest = sha256_of(path)
            audits[name], digests[name] = _accepted(found, digest, acceptances, used), digest
        except (EngineError, OSError) as error:
            unreadable[name] = str(error) if isinstance(error, EngineError) else type(error).__name__
        if on_progress is not None:
            on_progress(done, len(files))
    looked = frozenset(name for name, item in audits.items() if item.looked.frames)
    unmatched = tuple(one for one in acceptances if one not in used)
    report = AuditReport(audits, unreadable, looked, digests, unmatched)
    if run is not None and audits:
        note(run.path, EventKind.AUDIT, _counts(report))
    return report


def _accepted(found: Audit, digest: str, acceptances: Sequence[Acceptance], used: set[Acceptance]) -> Audit:
    """Return an audit with its accepted findings apart, and add the acceptances that fit any to *used*."""
    still: list[Residual] = []
    taken: list[Residual] = []
    for finding in found.findings:
        fitting = [one for one in acceptances if one.fits(finding, digest)]
        used.update(fitting)
        if fitting:
            taken.append(replace(finding, accepted_by=fitting[0].who, reason=fitting[0].reason))
        else:
            still.append(finding)
    return replace(found, findings=tuple(still), accepted=tuple(taken)) if taken else found


def _counts(report: AuditReport) -> dict[str, int]:
    """Return the numbers of an audit for the run's report."""
    counts = {
        "audited": len(report.audits),
        "compared": sum(item.looked.with_originals for item in report.audits.values()),
        "with pixels": len(report.pixels_of),
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "not read": len(report.unreadable),
    }
    return counts | ({"accepted": report.accepted} if report.accepted else {})


def _told(finding: Residual) -> dict[str, Any]:
    return {key: value for key, value in row_of(finding).items() if value != ""}


def _instances(number: int) -> str:
    return f"{number} instance{'s' * (number != 1)}"


def _worst(item: Audit, *, pixels: bool) -> Severity | None:
    """Return the highest severity of the findings in the pixels, or of all others; None if there are none.

    Accepted ones are no less found.
    """
    every = (*item.findings, *item.accepted)
    found = [finding.severity for finding in every if (finding.residue is Residue.PIXELS) is pixels]
    return min(found, key=lambda severity: severity.rank, default=None)


def _bound(looked: int, worst: list[Severity | None]) -> str:
    """Return the meaning of the findings. By the rule of three, nothing in n instances means at most 3/n of all."""
    if not looked:
        return "Nothing was looked at."
    errors, warnings = worst.count(Severity.ERROR), worst.count(Severity.WARNING)
    if errors and warnings:
        return f"Errors in {errors} of them, and in {warnings} more only warnings, which a person has to look at."
    if errors or warnings:
        return f"Errors in {errors} of them." if errors else f"Warnings in {warnings} of them: a person has to look."
    if looked <= _TOO_FEW:
        return "Nothing found, in too few to say anything about other instances."
    return (
        "Nothing found: with 95 % confidence, what this search can find is in fewer than "
        f"{3 / looked:.2%} of instances made in the same way."
    )
