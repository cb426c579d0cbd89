"""What a run was made with: another model or word list is a difference that the run says in words."""

from __future__ import annotations

import json
from importlib.metadata import version
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid._version import __version__
from healthcare_deid.engine import Deidentifier, OnnxOcr, PresidioDetector
from healthcare_deid.engine.runs.versions import versions_of
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from healthcare_deid.engine.text.match import Match

TAGS = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
PIXELS = presets.remove_metadata_and_all_text()


class SiteModel:
    """Somebody's own detector, which says what it hangs on."""

    info_types = frozenset({"SITE"})
    rank = 1

    def __init__(self, release: str) -> None:
        self._release = [release]  # lists of objects are all the same to the manifest

    @property
    def versions(self) -> dict[str, str]:
        return {"site model": self._release[0]}

    def find(self, text: str) -> list[Match]:
        del text
        return []


def test_tags_hang_on_this_package_alone_whose_word_lists_are_its_own() -> None:
    assert versions_of(Deidentifier(TAGS)) == {"healthcare-deid": __version__}


def test_pixels_hang_on_the_models_that_find_and_read_text_and_on_what_reads_codes() -> None:
    told = versions_of(Deidentifier(PIXELS))
    assert told["text detector"].startswith("PP-OCRv6 ")
    assert told["text recognizer"].startswith("PP-OCRv6 ")
    assert told["zxing-cpp"] == version("zxing-cpp")
    assert versions_of(Deidentifier(PIXELS, ocr=OnnxOcr())) == told
    assert "text detectors, thorough" in versions_of(Deidentifier(PIXELS, thorough=True))


def test_a_changed_model_is_a_difference_in_words(
    tmp_path: Path, put: Callable[[Path, bytes], None], instance_file: Callable[..., bytes]
) -> None:
    put(tmp_path / "scans" / "1.dcm", instance_file(1))
    before, after = (Deidentifier(TAGS, detectors=[SiteModel(release)]) for release in ("2026.1", "2026.2"))
    before.deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    with pytest.raises(RunRefused) as refused:
        after.deidentify_tree(tmp_path / "scans", tmp_path / "clean")
    assert "versions.site model: 2026.1 there, 2026.2 now" in refused.value.differences


def test_an_analyzers_pipelines_are_told() -> None:
    pytest.importorskip("spacy")
    pipeline = SimpleNamespace(meta={"lang": "xx", "name": "site", "version": "1.2.0"})
    analyzer: Any = SimpleNamespace(nlp_engine=SimpleNamespace(nlp={"xx": pipeline}))
    assert PresidioDetector(analyzer).versions["xx_site"] == "1.2.0"


def test_a_spacy_model_that_was_trained_again_is_another_one(
    tmp_path: Path, put: Callable[[Path, bytes], None], instance_file: Callable[..., bytes]
) -> None:
    spacy = pytest.importorskip("spacy")
    from healthcare_deid.engine import SpacyDetector

    put(tmp_path / "scans" / "1.dcm", instance_file(1))
    model = tmp_path / "model"
    spacy.blank("xx").to_disk(model)

    def run() -> None:
        detectors = [SpacyDetector(str(model))]
        Deidentifier(TAGS, detectors=detectors).deidentify_tree(tmp_path / "scans", tmp_path / "clean")

    run()
    run()
    meta = json.loads((model / "meta.json").read_text())
    (model / "meta.json").write_text(json.dumps(meta | {"version": "9.0.0"}))
    with pytest.raises(RunRefused) as refused:
        run()
    (difference,) = refused.value.differences
    assert difference.startswith(f"versions.xx_{meta['name']}: 0.0.0 ")
    assert "there, 9.0.0 " in difference
