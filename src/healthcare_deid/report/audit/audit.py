"""Look at an instance that any tool has written for what may still identify somebody."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.config.checks.findings import Severity
from healthcare_deid.engine.plan.rules import ENCAPSULATED_DOCUMENT
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.report.audit.elements import elements_of
from healthcare_deid.report.audit.findings import Residual, Residue, rows_of
from healthcare_deid.report.audit.originals import Search
from healthcare_deid.report.audit.page import findings_table
from healthcare_deid.report.audit.promise import promise_by, promise_of
from healthcare_deid.report.audit.second_run import residues
from healthcare_deid.report.audit.text_look import text_residues

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydicom.dataset import Dataset

    from healthcare_deid.report.audit.elements import Element
    from healthcare_deid.report.audit.originals import Originals
    from healthcare_deid.report.audit.promise import Promise

_BLANK_PREAMBLES = (b"", b"\0" * 128)
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_DUMMY_DOCUMENT = b"\0\0"
_WORST_FIRST = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class BurnedIn(StrEnum):
    """Claim of an instance about identifying text in its pixels: (0028,0301) BurnedInAnnotation."""

    YES = "yes"
    """It says that there is some."""
    NO = "no"
    """The file says that nothing is burned in."""
    UNSAID = "unsaid"
    """It has pixels and does not say."""
    NO_PIXELS = "no pixels"
    """It has no pixels."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Amount that was looked at.

    Attributes:
        elements: Elements that hold a value, at every depth.
        frames: Frames that were looked at for burned-in text; 0 when pixels were left out.
        with_originals: Whether the originals' names, numbers, dates and UIDs were looked for.
    """

    elements: int = 0
    frames: int = 0
    with_originals: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """Findings in one instance. Finding nothing is no proof that nobody can be identified.

    Attributes:
        findings: What was found, the worst first.
        promise: The rules it was measured by.
        burned_in: What the instance says of text in its pixels.
        says_deidentified: Whether (0012,0062) PatientIdentityRemoved is YES.
        looked: How much was looked at.
    """

    findings: tuple[Residual, ...]
    promise: str
    burned_in: BurnedIn
    says_deidentified: bool
    looked: Looked = field(default_factory=Looked)

    @property
    def errors(self) -> tuple[Residual, ...]:
        """The findings that contradict the promise."""
        return tuple(item for item in self.findings if item.severity is Severity.ERROR)

    @property
    def clean(self) -> bool:
        """Whether no finding contradicts the promise; `Audit` says what that is not."""
        return not self.errors

    def count(self, severity: Severity | str) -> int:
        """Return how many findings are of a severity."""
        return sum(1 for item in self.findings if item.severity == severity)

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} {severity}s" for severity in Severity)
        return f"Audit({counts}; {self.promise})"

    def _repr_html_(self) -> str:
        """Return a table for notebooks."""
        return findings_table(rows_of("", self.findings))


@border
def audit(
    dataset: Dataset,
    *,
    config: Any = None,
    options: Mapping[str, Any] | None = None,
    originals: Originals | None = None,
    pixels: bool = False,
) -> Audit:
    """Audit an instance.

    It is measured by the rules it was made by. They are read from its markers, (0012,0062) to (0012,0064), unless
    ``config`` says more: what an engine with these rules would still change in it is a finding. Beside that every text
    at every depth is read for names, numbers and dates, in codes and private elements too.

    Args:
        dataset: The instance, with ``file_meta`` and preamble where it came from a file.
        config: The config it was made by, a `DeidentifyConfig` of either version.
        options: The engine's keyword arguments it was made by, such as ``{"options": ["clean_descriptors"]}``.
        originals: The originals, whose names, numbers, dates and UIDs are looked for in every spelling.
        pixels: Look for burned-in text too.

    Returns:
        What it still holds, without any value.

    Raises:
        ConfigError: ``config`` and ``options`` cannot be carried out.
        EngineError: The instance cannot be read to its end.
    """
    promise = promise_by(config, options or {}) if config is not None else None
    return guarded(lambda: _audit(dataset, promise, originals, pixels=pixels))


def _audit(dataset: Dataset, by_config: Promise | None, originals: Originals | None, *, pixels: bool) -> Audit:
    promise = by_config or promise_of(dataset)
    elements = {element.path: element for element in elements_of(dataset)}
    search = Search.for_result(dataset, originals, promise) if originals is not None else None
    found = list(_findings(dataset, promise, elements, search))
    frames = 0
    if pixels and any(tag in dataset for tag in _PIXEL_TAGS):
        from healthcare_deid.report.audit.pixel_look import pixel_residues

        found += pixel_residues(dataset, search)
        frames = int(dataset.get("NumberOfFrames", 1) or 1)
    return Audit(
        tuple(sorted(found, key=lambda item: _WORST_FIRST[item.severity])),
        promise.name,
        _burned_in(dataset),
        _says_deidentified(dataset),
        Looked(len(elements), frames, originals is not None),
    )


def _findings(
    dataset: Dataset, promise: Promise, elements: Mapping[str, Element], search: Search | None
) -> Iterator[Residual]:
    """Yield a finding an element, the surest one; what is about the file has no element."""
    seen: set[str] = set()
    looks = [
        search.residues(elements) if search is not None else (),
        residues(dataset, promise, elements),
        text_residues(dataset, promise, elements),
        _documents(elements.values(), promise),
    ]
    for look in looks:
        fresh = [item for item in look if item.path not in seen]
        seen |= {item.path for item in fresh}
        yield from fresh
    if (getattr(dataset, "preamble", None) or b"") not in _BLANK_PREAMBLES:
        why = "another file format may be in the 128 bytes before the dataset"
        yield Residual(Severity.ERROR, Residue.FILE, "preamble", "preamble", "", why)
    if _burned_in(dataset) is BurnedIn.YES:
        why = "the instance says that its pixels hold identifying text"
        yield Residual(Severity.WARNING, Residue.CLAIM, "BurnedInAnnotation", "BurnedInAnnotation", "", why)


def _documents(elements: Any, promise: Promise) -> Iterator[Residual]:
    for element in elements:
        if element.tag == ENCAPSULATED_DOCUMENT and element.value != _DUMMY_DOCUMENT:
            severity = Severity.ERROR if promise.binding and promise.removes_identity else Severity.WARNING
            why = "a document: what its pages say was not read"
            yield Residual(severity, Residue.DOCUMENT, element.names, element.name, "", why)


def _says_deidentified(dataset: Dataset) -> bool:
    return str(dataset.get("PatientIdentityRemoved", "") or "").strip().upper() == "YES"


def _burned_in(dataset: Dataset) -> BurnedIn:
    said = str(dataset.get("BurnedInAnnotation", "") or "").strip().upper()
    if said in {"YES", "NO"}:
        return BurnedIn(said.lower())
    return BurnedIn.UNSAID if any(tag in dataset for tag in _PIXEL_TAGS) else BurnedIn.NO_PIXELS
