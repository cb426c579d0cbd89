"""Text in scripts that no word list covers: what is not a known term of the field may be a name."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("patient Иван Петров", "patient [PERSON_NAME]"),
        ("И. Петров грудь", "[PERSON_NAME] грудь"),
        ("胸部正面 山田", "胸部正面 [PERSON_NAME]"),
        ("山田・太郎 T1", "[PERSON_NAME] T1"),
        ("흉부 조영후 김철수", "흉부 조영후 [PERSON_NAME]"),
        ("CT שרה כהן", "CT [PERSON_NAME]"),
        ("Παπαδόπουλος CT", "[PERSON_NAME] CT"),
        ("นายสมชาย MRI", "[PERSON_NAME] MRI"),
        ("प्रिया MRI", "[PERSON_NAME] MRI"),
        # Kusaka and Kozuki are surnames, of characters that also mean day, below, above and month.
        ("日下", "[PERSON_NAME]"),
        ("上月 CT", "[PERSON_NAME] CT"),
    ],
)
def test_a_word_in_another_script_goes_from_a_result_that_claims_removal(text: str, cleaned: str) -> None:
    claiming = TextEngine(TextPlan(claims_removal=True)).bind(Dataset())

    assert claiming.transform(text, "LT").value == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "頭部 T1", "胸部正面", "造影後 門脈相", "头部 平扫 增强", "흉부 측면", "Грудная клетка, прямая проекция",
        "шейный отдел",
        "3.5 µm", "β2 Δ Ω αβ", "stage Ⅲ", "20 ℃", "Å", "naïve Müller cells",
    ],
)  # fmt: skip
def test_terms_and_symbols_stay(text: str) -> None:
    claiming = TextEngine(TextPlan(claims_removal=True)).bind(Dataset())

    assert claiming.transform(text, "LT").value == text


def test_what_a_finding_explains_is_not_found_again() -> None:
    claiming = TextEngine(TextPlan(claims_removal=True)).bind(Dataset())

    assert claiming.transform("95歳男性", "LT").value == "[AGE]男性"


def test_a_result_that_claims_nothing_keeps_other_scripts() -> None:
    modest = TextEngine(TextPlan()).bind(Dataset())

    assert modest.transform("胸部 山田", "LT").value == "胸部 山田"
