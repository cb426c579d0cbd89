"""Finding sensitive text: how much of it, how much else, and how long a text takes; beside Presidio where installed.

On texts of our own, generated and written, and on those of public sets that packages ship (``phi_public``).
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from typing import TYPE_CHECKING, Any

from phi_corpora import HELD_OUT
from phi_examples import ANY, FAMILIES, Example, read_written, score
from phi_public import rows as public_rows
from phi_text import generate
from pydicom.dataset import Dataset
from timing import Row

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine
from healthcare_deid.engine.text.find.ner import MODELS, SpacyDetector
from healthcare_deid.engine.text.find.presidio import ENTITIES
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

    from phi_examples import Span

    from healthcare_deid.engine.text.find.detectors.base import Detector

    Find = Callable[[str], list[Span]]

SEEDS = (2026, 2027, 2028)
TEXTS = 600
_MISSING = float("nan")


def measure() -> list[Row]:
    rows = _rows("rules", finder, "≥ 0.90", "≤ 0.2 ms")
    rows += _rows("rules + spaCy", _with_spacy(), "≥ 0.93", "")
    rows += _rows("Presidio", _presidio(), "", "")
    rows += public_rows("rules, public sets", finder())
    return [*rows, *_binding()]


def _rows(name: str, make: Callable[[], Find] | None, f1_target: str, time_target: str) -> list[Row]:
    if make is None:
        return [Row(name, _MISSING, "", "", "not installed")]
    generated = [example for seed in SEEDS for example in generate(HELD_OUT, seed, TEXTS)]
    rows: list[Row] = []
    for what, examples, target in (
        (f"{len(generated)} generated texts", generated, f1_target),
        ("texts written by hand", read_written(), ""),
    ):
        result = score(examples, make(), families=FAMILIES)
        note = f"{what}, held out, header unknown"
        rows += [
            Row(f"{name}: precision", result.precision, "", "", note),
            Row(f"{name}: recall", result.recall, "", "", note),
            Row(f"{name}: F1", result.f1, "", target, note),
        ]
        covered = score(examples, make(), families=ANY)
        rows.append(Row(f"{name}: recall, any infoType", covered.recall, "", "", note))
    taken = min(_time(generated, make()) for _ in range(3)) * 1000
    rows.append(Row(f"{name}: a text", taken, "ms", time_target, "processor time, every text new, best of 3"))
    return rows


def _time(examples: list[Example], find: Find) -> float:
    find("warm up: Dr. Jane Doe, 1 January 2001")
    distinct = list(dict.fromkeys(example.text for example in examples))
    begun = time.process_time()
    for value in distinct:
        find(value)
    return (time.process_time() - begun) / len(distinct)


def finder(*detectors: Detector) -> Find:
    """Return what the engine finds with no header to go by."""
    text: InstanceText = TextEngine(TextPlan(), detectors=detectors).bind(Dataset())
    return lambda value: [(match.start, match.end, match.info_type) for match in text.find(value)]


def _with_spacy() -> Callable[[], Find] | None:
    try:
        detector = SpacyDetector()
    except MissingExtraError:
        return None
    return lambda: finder(detector)


def _presidio() -> Callable[[], Find] | None:
    """Return Presidio's analyzer as it comes, with the spaCy model that is installed."""
    try:
        analyzer: Any = importlib.import_module("presidio_analyzer")
        provider: Any = importlib.import_module("presidio_analyzer.nlp_engine").NlpEngineProvider
        model = next(name for name in MODELS if importlib.util.find_spec(name))
    except (ImportError, StopIteration):
        return None
    models = [{"lang_code": "en", "model_name": model}]
    engine = provider(nlp_configuration={"nlp_engine_name": "spacy", "models": models}).create_engine()
    asked: Any = analyzer.AnalyzerEngine(nlp_engine=engine)

    def find(value: str) -> list[Span]:
        results = asked.analyze(text=value, language="en")
        # 0.4 is the kindest threshold to it on these texts.
        found = [item for item in results if item.entity_type in ENTITIES and item.score >= 0.4]
        return [(item.start, item.end, ENTITIES[item.entity_type]) for item in found]

    return lambda: find


def _binding() -> list[Row]:
    """What it costs to bind the engine to the next instance of a series."""
    dataset = Dataset()
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Rivera^Ana", "MRN204816", "19610709"
    dataset.StudyDate, dataset.ReferringPhysicianName = "20210304", "Lindqvist^Tom"
    engine = TextEngine(TextPlan())
    engine.bind(dataset)
    begun = time.perf_counter()
    for _ in range(1000):
        engine.bind(dataset)
    return [
        Row("bind to an instance", (time.perf_counter() - begun), "ms", "", "same header as the last; mean of 1,000")
    ]
