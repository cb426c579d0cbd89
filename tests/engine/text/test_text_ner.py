"""The optional detectors: a spaCy model, and Presidio's analyzer."""

from __future__ import annotations

import importlib
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.engine.text.find.ner import SpacyDetector
from healthcare_deid.engine.text.find.presidio import PresidioDetector
from healthcare_deid.engine.text.match import Match
from healthcare_deid.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence


@pytest.fixture(scope="module")
def spacy_detector() -> SpacyDetector:
    pytest.importorskip("spacy", reason="extra [ner] is not installed")
    try:
        return SpacyDetector()
    except MissingExtraError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_a_model_adds_names_that_no_list_has(spacy_detector: SpacyDetector) -> None:
    assert Match(22, 39, "PERSON_NAME") in spacy_detector.find("I have discussed with Brannagh Xelthorp who agreed.")


@pytest.mark.slow
def test_a_medical_term_that_a_model_takes_for_a_name_is_left(spacy_detector: SpacyDetector) -> None:
    for text in ("CT CHEST", "L-SPINE AP", "Graves disease", "Philips", "MR Brain"):
        assert spacy_detector.find(text) == []


@pytest.mark.slow
def test_a_model_travels_to_other_processes(spacy_detector: SpacyDetector) -> None:
    engine = TextEngine(TextPlan(), detectors=[spacy_detector])
    again: TextEngine = pickle.loads(pickle.dumps(engine))
    text = "I have discussed with Brannagh Xelthorp who agreed."
    assert again.bind(Dataset()).find(text) == engine.bind(Dataset()).find(text)


def test_without_the_extra_the_error_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.import_module

    def missing(name: str, *arguments: Any) -> Any:
        if name == "spacy":
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"healthcare-deid\[ner\]"):
        SpacyDetector()


@dataclass(frozen=True)
class Result:
    entity_type: str
    start: int
    end: int
    score: float


class Analyzer:
    """Finds one person, one unsure place, and something that was not asked for."""

    def analyze(self, text: str, language: str, entities: list[str]) -> Sequence[Result]:
        assert "PERSON" in entities
        return [Result("PERSON", 0, 4, 0.85), Result("LOCATION", 5, 9, 0.2), Result("UK_NHS", 0, 2, 1.0)]


def test_presidios_entities_become_infotypes() -> None:
    assert PresidioDetector(Analyzer()).find("Zork Blat") == [Match(0, 4, "PERSON_NAME")]
