"""How much is found on generated texts the rules were not made with, and how fast."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.config.deidentify import DeidentifyConfig
from healthcare_deid.engine.text.engine import TextEngine

if TYPE_CHECKING:
    from types import ModuleType

CORPUS = Path(__file__).parents[3] / "benchmarks" / "phi_text.py"


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    if not CORPUS.is_file():
        pytest.skip("benchmarks/ is not part of this installation")
    spec = importlib.util.spec_from_file_location("phi_text", CORPUS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["phi_text"] = module
    spec.loader.exec_module(module)
    return module


def test_on_held_out_texts_f1_is_at_least_nine_tenths(corpus: ModuleType) -> None:
    text = TextEngine(DeidentifyConfig()).bind(Dataset())
    examples = corpus.generate(corpus.HELD_OUT, seed=2026)

    def find(value: str) -> list[tuple[int, int, str]]:
        return [(match.start, match.end, match.info_type) for match in text.find(value)]

    result = corpus.score(examples, find, families=corpus.FAMILIES)
    assert result.f1 >= 0.90
    assert result.precision >= 0.90
    assert result.recall >= 0.90


def test_the_held_out_set_shares_no_names_and_no_template_with_the_tuning_set(corpus: ModuleType) -> None:
    for name in ("given", "family", "city", "facility", "street"):
        assert set(corpus.TUNING.words[name]).isdisjoint(corpus.HELD_OUT.words[name])
    assert len(set(corpus.TUNING.templates) & set(corpus.HELD_OUT.templates)) <= len(corpus.TUNING.templates) // 8
