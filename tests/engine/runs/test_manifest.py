"""The manifest tells apart whatever results hang on, says the same tomorrow, and names nobody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from healthcare_deid import DeidentifyConfig
from healthcare_deid.engine import Deidentifier, EngineOptions, PatternDetector
from healthcare_deid.engine.runs.manifest import Manifest, settings_of
from healthcare_deid.engine.text.find.detectors.custom import WordsDetector
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()


def digest(**options: Any) -> str:
    return Manifest(settings_of(Deidentifier(CONFIG, **options))).digest


class Own:
    """Somebody's own detector."""

    info_types = frozenset({"SITE"})
    rank = 1

    def __init__(self, sites: dict[str, int]) -> None:
        self.sites = sites

    def find(self, text: str) -> list[Any]:
        """Find nothing."""
        del text
        return []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"detectors": [WordsDetector("SITE", ["Mercy"])]}, {"detectors": [WordsDetector("SITE", ["Grace"])]}),
        ({"detectors": [WordsDetector("SITE", ["Mercy"])]}, {"detectors": [WordsDetector("SITE", ["Mercy"], rank=2)]}),
        ({"detectors": [Own({"Mercy": 1})]}, {"detectors": [Own({"Mercy": 2})]}),
        (
            {"detectors": [PatternDetector("SITE", re.compile("a"), words=frozenset({"b"}))]},
            {"detectors": [PatternDetector("SITE", re.compile("a"), words=frozenset({"c"}))]},
        ),
        ({"replace": [("StudyDescription", "a", "b")]}, {"replace": [("StudyDescription", "a", "c")]}),
        ({"set_values": {"StudyDescription": "a"}}, {"set_values": {"StudyDescription": "b"}}),
        ({"safe_private": ["ACME 1.0,0019,10"]}, {}),
        ({"fallback_charset": "GB18030"}, {}),
        ({"every_frame": True}, {}),
        ({"service_limits": True}, {}),
    ],
)
def test_other_arguments_are_another_digest(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert digest(**one) != digest(**other)
    assert digest(**one) == digest(**one)


def test_every_argument_is_in_the_manifest_but_those_that_change_no_result() -> None:
    told = set(settings_of(Deidentifier(CONFIG))["options"])
    assert {one.name for one in fields(EngineOptions)} - told == {"threads", "max_inflated", "max_frame_pixels"}
    assert digest(threads=1, max_inflated=10, max_frame_pixels=10) == digest()


def test_the_order_of_a_set_is_no_difference_in_another_process() -> None:
    program = (
        "import re\n"
        "from tests.engine.runs.test_manifest import digest\n"
        "from healthcare_deid.engine import PatternDetector\n"
        "words = {'clean_descriptors', 'retain_uids', 'retain_device_identity'}\n"
        "print(digest(options=words, detectors=[PatternDetector('X', re.compile('x'), words=frozenset(words))]))\n"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(3)
    }
    assert len(found) == 1


def test_patterns_words_and_paths_are_fingerprints(tmp_path: Path) -> None:
    (tmp_path / "Okonkwo").mkdir()
    engine = Deidentifier(
        CONFIG,
        replace=[("StudyDescription", "Okonkwo.*", "X")],
        vault=tmp_path / "Okonkwo" / "vault.csv",
        secret=b"a secret of this project",
        detectors=[WordsDetector("SITE", ["Okonkwo"]), Own({"Okonkwo": 1})],
        patient_keys={"Okonkwo": bytes(32)},
    )
    assert "okonkwo" not in json.dumps(settings_of(engine)).lower()


@pytest.mark.parametrize("text", ["[]", "5", "{}", '{"settings": {}}', "", "{"])
def test_a_manifest_that_is_none_is_refused_in_words(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RunRefused, match="no manifest"):
        Manifest.read(tmp_path)


def differences(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    return Manifest(before).differences(Manifest(after))


def test_a_difference_has_values_as_they_are_written_and_of_a_list_what_was_added_and_removed() -> None:
    def config(profile: str, names: list[str], days: int = 100) -> dict[str, Any]:
        rules = [{"infoTypes": names, "redactConfig": {}}, {"infoTypes": ["DATE"], "dateShiftConfig": {}}]
        return {
            "config": {"dicom": {"filterProfile": profile}, "text": {"additionalTransformations": rules}},
            "options": {"date_shift_days": days, "markers": days == 100},
        }

    rule = "config.text.additionalTransformations"
    before = config("DEIDENTIFY_TAG_CONTENTS", ["PERSON_NAME", "AGE"])
    assert differences(before, config("KEEP_ALL_PROFILE", ["PERSON_NAME", "URL"], 30)) == (
        "config.dicom.filterProfile: DEIDENTIFY_TAG_CONTENTS there, KEEP_ALL_PROFILE now",
        f"{rule}[0].infoTypes: AGE removed now",
        f"{rule}[0].infoTypes: URL added now",
        "options.date_shift_days: 100 there, 30 now",
        "options.markers: true there, false now",
    )
    shorter = config("DEIDENTIFY_TAG_CONTENTS", ["PERSON_NAME", "AGE"])
    del shorter["config"]["text"]["additionalTransformations"][1]
    assert differences(before, shorter) == (f'{rule}: {{"infoTypes": ["DATE"], "dateShiftConfig": {{}}}} removed now',)
    assert differences({"tags": ["A", "B"]}, {"tags": ["B", "A"]}) == ("tags: another order now",)
    assert differences({"tags": ["A"]}, {"tags": ["A", "A"]}) == ("tags: A added now",)
    assert differences({"tags": None}, {"tags": ["A"]}) == ('tags: none there, ["A"] now',)
