"""The set in the manner of MIDI-B: its files and its key are sound, and the engine satisfies the key."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
MODULES = (
    "midi_words",
    "midi_people",
    "midi_values",
    "midi_numbers",
    "midi_dates",
    "midi_makers",
    "midi_key",
    "midi_common",
    "midi_modalities",
    "midi_builder",
    "midi_set",
    "midi_score",
    "timing",
    "bench_midi",
)


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of ``benchmarks/`` that make the set and score it."""
    if not BENCHMARKS.is_dir():
        pytest.skip("benchmarks/ is not part of this installation")
    pytest.importorskip("faker")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
        for name in MODULES:
            patch.delitem(sys.modules, name)


@pytest.fixture(scope="module")
def instances(bench: SimpleNamespace) -> list[Any]:
    return list(bench.midi_set.midi_set(bench.midi_set.TUNING_SEED))


def in_text(items: list[Any]) -> list[Any]:
    return [item for item in items if not item.kind.startswith("header")]


def test_the_set_is_as_large_and_as_varied_as_it_says(instances: list[Any]) -> None:
    planted = [item for instance in instances for item in in_text(instance.planted)]
    phrases = {item.text for instance in instances for item in instance.kept}
    assert len(instances) >= 100
    assert len({instance.patient.patient_id for instance in instances}) >= 25
    assert len({instance.modality for instance in instances}) >= 10
    assert len(planted) >= 1000
    assert len({item.kind for item in planted}) >= 40
    assert len(phrases) >= 1000


def test_every_planted_item_and_every_phrase_stands_in_its_element(
    bench: SimpleNamespace, instances: list[Any]
) -> None:
    score = bench.midi_score
    for instance in instances:
        dataset = score.read(instance.data)
        for item in instance.planted:
            if item.kind.startswith("header"):
                assert score.element_text(dataset, item.path), (instance.name, item.path)
            else:
                assert score.is_left(item, score.element_text(dataset, item.path)), (instance.name, item)
        for item in instance.kept:
            text = score.folded(score.element_text(dataset, item.path))
            assert score.folded(item.text) in text, (instance.name, item)


def test_planted_items_stand_in_the_bytes_too(bench: SimpleNamespace, instances: list[Any]) -> None:
    for instance in instances:
        for item in in_text(instance.planted):
            spelled = [item.value.text.encode(codec, "replace") for codec in bench.midi_score.CODECS]
            # Escape sequences of ISO 2022 divide what is written in a native script.
            assert item.kind == "patient-native" or any(text in instance.data for text in spelled), (
                instance.name,
                item,
            )


def test_no_word_of_a_name_stands_in_a_phrase_of_the_same_element(bench: SimpleNamespace, instances: list[Any]) -> None:
    for instance in instances:
        for item in in_text(instance.planted):
            phrases = [kept.text for kept in instance.kept if kept.path == item.path]
            assert not any(bench.midi_score.is_left(item, phrase) for phrase in phrases), (instance.name, item)


def test_an_engine_that_changes_nothing_removes_nothing_and_keeps_everything(
    bench: SimpleNamespace, instances: list[Any]
) -> None:
    scorer = bench.midi_score.Scorer()
    for instance in instances:
        scorer.add(instance, instance.data)
    tally = scorer.tally()
    assert tally.of("text_removed")[0] == tally.of("header_removed")[0] == 0
    assert tally.part("text_retained", "tag_retained", "text_notnull", "pixels_retained") == 1
    assert tally.of("date_shifted")[0] == tally.of("uid_changed")[0] == tally.of("patid_consistent")[0] == 0


def test_the_held_out_seed_shares_no_line_with_the_tuning_seed(bench: SimpleNamespace) -> None:
    words = bench.midi_words
    assert bench.midi_set.half_of_seed(bench.midi_set.HELD_OUT_SEED) == "held-out"
    for lines in words.sections("midi_phrases.txt").values():
        assert not {*words.half_of(lines, "tuning")} & {*words.half_of(lines, "held-out")}


@pytest.mark.slow
def test_identity_goes_and_the_study_stays(bench: SimpleNamespace) -> None:
    tally = bench.bench_midi.score(bench.midi_set.TUNING_SEED)
    assert tally.refused == 0
    assert tally.part("text_removed") >= 0.995
    assert tally.part("header_removed", "uid_changed", "uid_consistent", "patid_consistent") >= 0.995
    assert tally.part("date_shifted") >= 0.995
    assert tally.part("text_retained") >= 0.96
    assert tally.part("tag_retained", "text_notnull", "pixels_retained") >= 0.96
