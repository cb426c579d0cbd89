from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.pixels import Box, PixelRedactor, TextLine
from healthcare_deid.engine.pixels.find.legibility import is_legible
from healthcare_deid.engine.pixels.find.lookalikes import lookalike_names
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine

SENSITIVE = PixelPlan(Scope.SENSITIVE)
NAMES = [  # every one as a person of that script writes it
    ("cyrillic", "\u0418\u0412\u0410\u041d\u041e\u0412 \u041f\u0401\u0422\u0420"),
    ("cyrillic", "\u041a\u0443\u0437\u043d\u0435\u0446\u043e\u0432\u0430 \u0410\u043d\u043d\u0430"),
    ("greek", "\u039d\u03af\u03ba\u03bf\u03c2 \u039f\u03b9\u03ba\u03bf\u03bd\u03cc\u03bc\u03bf\u03c5"),
    ("hebrew", "\u05d3\u05d5\u05d3 \u05db\u05d4\u05df"),
    ("arabic", "\u0645\u062d\u0645\u062f \u0639\u0644\u064a"),
    ("thai", "\u0e2a\u0e21\u0e0a\u0e32\u0e22 \u0e43\u0e08\u0e14\u0e35"),
    ("devanagari", "\u0938\u0940\u0924\u093e \u0926\u0947\u0935\u0940"),
]


def _line(
    text: str, *, width: int = 0, confidence: float = 0.99, weakest: float = 0.99, misread: bool = False
) -> TextLine:
    box = Box(0, 0, width or 8 + 7 * len(text), 10)
    return TextLine(box, 0.9, text, confidence, weakest=weakest, misread=misread)


@pytest.mark.parametrize("text", ["R", "AP", "120 kVp", "W 400 L 40", "5 \u00b5m", "\u03b1 2", "\u9648\u5927\u6587 42"])
def test_what_was_read_well_is_legible(text: str) -> None:
    assert is_legible(_line(text))


@pytest.mark.parametrize(
    "line",
    [
        _line("IVANOV", confidence=0.5),
        _line("JD TIT", weakest=0.5),
        _line("", width=60),
        _line(" ", width=60),
        _line("- .", width=30),
        _line("B", width=100),
        _line("O\u03b9vo\u03bc", width=50),
        _line("KO MK 483", misread=True),
        TextLine(Box(0, 0, 60, 10)),
    ],
    ids=["unsure", "one letter forced", "nothing", "blank", "marks", "too few", "Greek", "upside down", "unread"],
)
def test_what_may_say_anything_is_not(line: TextLine) -> None:
    assert not is_legible(line)


def test_a_doubtful_letter_in_words_of_the_vocabulary_is_no_other_script() -> None:
    assert is_legible(_line("Fov 35 cm", weakest=0.5))
    assert is_legible(_line("AXIAL T2", weakest=0.5))
    assert is_legible(_line("4400L40", weakest=0.5))
    assert not is_legible(_line("wls 2020", weakest=0.5, confidence=0.8))
    assert not is_legible(_line("Fov IIETPOB", weakest=0.5))


@pytest.mark.parametrize(("face", "name"), NAMES)
@pytest.mark.parametrize("height", [16, 24])
def test_a_name_in_a_script_that_the_reader_lacks_is_covered_and_the_result_says_so(
    face: str, name: str, height: int, written_phantom: Any, make_instance: Any
) -> None:
    written = written_phantom((60, 60, name), size=(480, 160), height=height, face=face)
    dataset = make_instance(written.picture)
    report = PixelRedactor(SENSITIVE, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    assert written.covered_by(report.redactions) >= 0.9
    assert any("could not be read" in warning for warning in report.warnings)
    assert all(name not in warning for warning in report.warnings)


@pytest.mark.parametrize("name", ["KOWALCZYK MARIA", "Ana Rivera", "77120483"])
def test_a_line_that_is_upside_down_is_covered(name: str, written_phantom: Any, make_instance: Any) -> None:
    written = written_phantom((60, 60, name), size=(480, 160), turn=180)
    dataset = make_instance(written.picture)
    report = PixelRedactor(SENSITIVE, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    assert written.covered_by(report.redactions) >= 0.9


def test_the_headers_own_name_is_found_in_the_letters_it_is_taken_for(written_phantom: Any, make_instance: Any) -> None:
    name = "\u0420\u041e\u0421\u0422\u041e\u0412"  # reads as POCTOB, beyond doubt
    written = written_phantom((60, 60, name), (60, 100, "POXTEK"), size=(480, 160), face="cyrillic")
    dataset = make_instance(written.picture)
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = f"{name}^\u0418\u041b\u042c\u042f"
    report = PixelRedactor(SENSITIVE, workers=1).redact(dataset, TextEngine(TextPlan()).bind(dataset))
    assert [item.rule for item in report.redactions] == ["infoType:PERSON_NAME"]
    assert written.covered_by(report.redactions) >= 0.4


def test_look_alikes_are_of_names_in_other_scripts_only() -> None:
    dataset = Dataset()
    dataset.PatientName = "Kowalczyk^Maria"
    assert lookalike_names(dataset) is None
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = "\u041f\u0415\u0422\u0420\u041e\u0412"
    names = lookalike_names(dataset)
    assert names is not None
    assert names.search("IIETPOB 12")
    assert not names.search("RETRO")
