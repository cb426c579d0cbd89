"""Numbers in text: found by a cue, or because nothing explains them."""

from __future__ import annotations

import itertools

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine

CUES = (
    "patient no", "Patient number", "pt#", "ID", "ID:", "acct#", "account", "acct no.", "visit", "case", "member ID",
    "MRN", "MR:", "mrn no.", "chart", "encounter", "order", "order number", "requisition no", "accession", "Acc#",
    "hosp no", "policy number", "subscriber", "insurance no", "license no.", "serial no.", "Fallnummer", "dossier",
)  # fmt: skip
NUMBERS = ("8249813", "66120931", "XQZ99812", "20-11234", "0055812", "S18-89264", "7217-6841", "112233")


@pytest.fixture(scope="module")
def claiming() -> InstanceText:
    """An engine whose result says that identity was removed."""
    return TextEngine(TextPlan(claims_removal=True)).bind(Dataset())


@pytest.fixture(scope="module")
def modest() -> InstanceText:
    """An engine whose result says nothing."""
    return TextEngine(TextPlan(record_numbers=True)).bind(Dataset())


@pytest.mark.parametrize(("cue", "number"), list(itertools.product(CUES, NUMBERS)))
def test_a_number_is_found_after_every_ordinary_cue(modest: InstanceText, cue: str, number: str) -> None:
    result = modest.transform(f"CT chest, {cue} {number}, follow-up", "LT").value
    assert number not in result
    assert result.startswith("CT chest, ")
    assert result.endswith(", follow-up")


@pytest.mark.parametrize(
    "text",
    [
        "#7718822", "8249813", "seen 8249813 again", "20-11234", "XQZ99812", "555-0134",
        "446 169 153", "lateral view / 446 169 153", "lateral view; 446 169 153.",
        "provider A36505", "provider 365 051", "biopsy H/1234567", "H/12/3345", "PATIENTNUMBER1234567",
        "call x4412", "RAMQ TREM 5501 1234",
    ],
)  # fmt: skip
def test_an_unexplained_number_is_found_if_the_result_claims_removal(claiming: InstanceText, text: str) -> None:
    assert not any(map(str.isdigit, claiming.transform(text, "LT").value))


@pytest.mark.parametrize(
    "text",
    [
        "10000 units heparin",
        "slice 12345 of 20000 slices", "b-values 0-1000", "1000-1500 HU", "BP 120/80", "100000 IU",
        "512x512x1024", "10240 pixels", "1.2.840.10008.5.1.4", "platelets 152,000/uL", "1234.567",
        "TE 12345", "SCT 39607008",
        "LN 24627-2", "T-D3000", "RID10311", '(121060, DCM, "History")', "window 40000", "width 12000", "2010-2020",
        "CPT 71260", "b = 100 200 300 400", "0.12345", "C5-C6", "T12-L1", "12500 cells",
        "magnified x1000", "decreased from 14.3. Next", "mesure 14 mars",
    ],
)  # fmt: skip
def test_measurements_settings_and_codes_stay(claiming: InstanceText, text: str) -> None:
    assert claiming.transform(text, "LT").value == text


@pytest.mark.parametrize(
    "text",
    ["case 1", "visit 2 of 3", "order 5 mm slices", "study 3", "chart review 12", "plan 2 arcs", "unit dose 10 mg"],
)
def test_an_ordinary_word_does_not_make_a_short_number_an_identifier(claiming: InstanceText, text: str) -> None:
    assert claiming.transform(text, "LT").value == text


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("surgery in 07.2012", "07.2012"), ("LMP 11/28", "11/28"), ("8-09-13", "8-09-13"), ("March 2012", "March 2012"),
        ("CABG in 3/80", "3/80"), ("last seen Apr 19.", "Apr 19"), ("5 stycznia 2001", "5 stycznia 2001"),
        ("1994년 3월 15일", "1994년 3월 15일"), ("since '09", "09"), ("May '12", "May '12"),
        ("12 martie 1985", "12 martie 1985"), ("Mon 03/14 at the clinic", "Mon 03/14"), ("yesterday 3/14", "3/14"),
        ("vu le 14 mars", "14 mars"), ("du 2 mai", "2 mai"), ("OP am 14.3.", "14.3."), ("seen 7.11.", "7.11."),
        ("平成3年5月1日", "平成3年5月1日"), ("令和元年5月", "令和元年5月"), ("1402/12/25", "1402/12/25"),
    ],
)  # fmt: skip
def test_a_partial_date_is_one(claiming: InstanceText, text: str, date: str) -> None:
    found = [text[match.start : match.end] for match in claiming.find(text) if match.info_type == "DATE"]
    assert found == [date]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SSNno 1234567", "1234567"), ("MRNnr 4412", "4412"), ("pat.id:AB4412", "AB4412"), ("ptid=4412", "4412"),
        ("acct.no 55431", "55431"), ("\u75c5\u5386\u53f7A12345", "A12345"), ("\u60a3\u8005\u756a\u53f7 4412", "4412"),
    ],
)  # fmt: skip
def test_a_cue_is_read_though_it_is_joined_to_its_link_or_foreign(modest: InstanceText, text: str, number: str) -> None:
    assert number not in modest.transform(text, "LT").value


@pytest.mark.parametrize("text", ["PHASE 708 324 330", "series 943 476 591"])
def test_groups_of_digits_after_a_word_of_the_scan_are_no_settings_in_any_order(
    claiming: InstanceText, text: str
) -> None:
    assert not any(map(str.isdigit, claiming.transform(text, "LT").value))


@pytest.mark.parametrize("text", ["TE 100 200 300", "FOV 350 350 200", "b 150 500 100", "matrix 512 512 128"])
def test_groups_of_digits_in_order_or_in_round_steps_are_settings(claiming: InstanceText, text: str) -> None:
    assert claiming.transform(text, "LT").value == text


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("92-j\u00e4hrige Patientin", "92-j\u00e4hrige"), ("95\u6b73\u7537\u6027", "95\u6b73"),
        ("93 \u0433\u043e\u0434\u0430", "93 \u0433\u043e\u0434\u0430"),
    ],
)  # fmt: skip
def test_an_age_is_found_in_other_languages(claiming: InstanceText, text: str, finding: str) -> None:
    assert [text[match.start : match.end] for match in claiming.find(text)] == [finding]


@pytest.mark.parametrize("text", ["age 100.", "patient aged 95.", "102 year old", "91yo", "age of 93", "Age | 101"])
def test_an_age_over_89_is_found_however_it_is_written(claiming: InstanceText, text: str) -> None:
    assert [match.info_type for match in claiming.find(text)] == ["AGE"]
