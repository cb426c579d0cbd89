"""Finding sensitive text: how much of it, how much else, and how long a text takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from phi_corpora import HELD_OUT
from phi_examples import FAMILIES, Example, score
from phi_text import generate
from pydicom.dataset import Dataset
from timing import Row

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.ner import SpacyDetector
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.engine.text.detectors.base import Detector

SEEDS = (2026, 2027, 2028)
TEXTS = 600


def measure() -> list[Row]:
    rows = _rows("rules", (), "≥ 0.90", "≤ 0.2 ms")
    try:
        rows += _rows("rules + spaCy", (SpacyDetector(),), "≥ 0.93", "")
    except MissingExtraError as error:
        rows.append(Row("rules + spaCy", float("nan"), "", "", str(error)))
    return [*rows, *_binding()]


def _rows(name: str, detectors: Sequence[Detector], f1_target: str, time_target: str) -> list[Row]:
    note = f"{TEXTS} held-out generated texts, header unknown, mean of {len(SEEDS)} seeds"
    results = [_run(seed, detectors) for seed in SEEDS]
    precision, recall, f1, milliseconds = (sum(column) / len(column) for column in zip(*results, strict=True))
    return [
        Row(f"{name}: precision", precision, "", "", note),
        Row(f"{name}: recall", recall, "", "", note),
        Row(f"{name}: F1", f1, "", f1_target, note),
        Row(f"{name}: a text", milliseconds, "ms", time_target, "every text new to the engine, best of 3"),
    ]


def _run(seed: int, detectors: Sequence[Detector]) -> tuple[float, float, float, float]:
    examples = generate(HELD_OUT, seed, TEXTS)
    taken = min(_time(examples, detectors) for _ in range(3))
    text = _bound(detectors)
    result = score(
        examples,
        lambda value: [(match.start, match.end, match.info_type) for match in text.find(value)],
        families=FAMILIES,
    )
    return result.precision, result.recall, result.f1, taken * 1000


def _time(examples: Sequence[Example], detectors: Sequence[Detector]) -> float:
    text = _bound(detectors)
    text.find("warm up: Dr. Jane Doe, 1 January 2001")
    distinct = list(dict.fromkeys(example.text for example in examples))
    begun = time.perf_counter()
    for value in distinct:
        text.find(value)
    return (time.perf_counter() - begun) / len(distinct)


def _bound(detectors: Sequence[Detector]) -> InstanceText:
    return TextEngine(DeidentifyConfig(), detectors=detectors).bind(Dataset())


def _binding() -> list[Row]:
    """What it costs to bind the engine to the next instance of a series."""
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Rivera^Ana", "MRN204816", "19610709"
    dataset.StudyDate, dataset.ReferringPhysicianName = "20210304", "Lindqvist^Tom"
    engine = TextEngine(DeidentifyConfig())
    engine.bind(dataset)
    begun = time.perf_counter()
    for _ in range(1000):
        engine.bind(dataset)
    return [
        Row("bind to an instance", (time.perf_counter() - begun), "ms", "", "same header as the last; mean of 1,000")
    ]
