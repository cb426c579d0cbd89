"""Words that a study needs are kept: drugs, eponyms, devices, weekdays, and words next to a finding."""

from __future__ import annotations

import itertools

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine

DRUGS = (
    "Xanax", "Coumadin", "Enalapril Maleate", "Zoloft", "Keytruda", "Eliquis", "Xarelto", "Depakote", "Fosamax",
    "Diovan",
    "Lovenox", "Tarceva", "Gemzar", "Seroquel", "Levaquin", "Truvada", "Gilenya", "Aggrenox", "Vicodin", "Dilaudid",
    "Omnipaque", "Gadavist", "Metoprolol", "Humira", "Lipitor", "Prograf", "Novolog", "Lantus", "Acyclovir", "Zantac",
)  # fmt: skip
FRAMES = ("{}", "on {} until Thursday", "allergic to {}", "given {} 100 mg IV before the scan", "{}, rash")
EPONYMS = (
    "Haglund deformity",  "Pilon fracture", "reverse Bennett fracture", "Gore-Tex graft", "Metzenbaum scissors",
    "Ann Arbor stage III", "Montreal Cognitive Assessment", "Glasgow Coma Scale 15", "Hinchey II diverticulitis",
    "pouch of Douglas", "circle of Willis", "ligament of Treitz", "Haller cell on the left", "Dawson fingers",
    "Kirschner wires", "Ommaya reservoir", "Palmaz stent", "Viabahn stent", "McBurney tenderness", "Lachman positive",
    "sciatica, Lasegue positive", "Erlenmeyer flask shape", "Metavir F4 by elastography", "Hunt and Hess grade II",
    "Otsu threshold, holes filled", "Hausdorff 36.9 mm, Dice 0.62", "Clark level IV", "Terry Thomas interval 6 mm",
    "dialysis Tuesday Thursday Saturday", "nausea and vomiting since Monday", "Sylvian fissure symmetric",
    "SINUS WATERS CALDWELL", "contact precautions, MRSA", "HIDA WITH CCK", "CLAHE, tile 8 x 8", "DIBH gating window",
    "Birmingham hip", "Bryan disc", "Looser zones", "Outerbridge grade II chondromalacia", "MR HIP LABRUM",
)  # fmt: skip
GRADED = (
    "Apgar 9/10", "ASA 3", "ASA III", "Rankin 2", "Fazekas 2", "Tanner 3", "Weber III", "Hinchey II", "Lenke 1",
    "Spetzler-Martin 3", "Hunt-Hess 4", "Durie-Salmon 2", "METAVIR III", "MELD 9", "CEA 5.5", "Amylase 80",
    "T2N1M0", "TNM T4N2M1", "Monday clinic", "platelets 150000", "WBC 12500", "counts 250000",
)  # fmt: skip


CALLED_BY_A_PLACE = (
    "Boston Scientific lead", "boston scientific watchman device", "New York Heart Association class II",
    "Oxford knee replacement in situ", "Bristol stool type 4", "Rotterdam CT score 3", "Exeter stem",
    "Seattle heart failure model", "Vancouver type B1 fracture", "Philadelphia chromosome",
)  # fmt: skip
ELSEWHERE = (
    "Rechter Oberlappen Rundherd", "Kniegelenk rechts Kreuzband", "Beurteilung: kein Nachweis einer Metastase",
    "Hypophyse Sequenz", "Cervelet", "Kruisband", "Clavicola", "Tendine rotuleo", "Ponderation T2", "Hallazgos",
)  # fmt: skip
SETTINGS = (
    "TE 90 TR 9000", "AX T1 TR 500 TE 12 NEX 2", "FA 15 TR 2000 TE 2.5", "SC 4 BL 12", "Flow 120 FL 300",
    "SAG T2 FL 2D", "T2 FLAIR axial, TE 90 TR 9000, Siemens Skyra fit", "kVp 120 mA 250 FOV 350",
    "NSA 2 TR 500 TE 14", "AX T1 POST 320 matrix",
    "Chest AP 1 PA 2", "MR Knie li sag PD TSE FS 320 TR 3500", "SE 4 IM 120 ST 1000", "RT 2 LAT 4 views",
)  # fmt: skip


@pytest.fixture(scope="module")
def claiming() -> InstanceText:
    """An engine whose result says that identity was removed."""
    return TextEngine(TextPlan(claims_removal=True)).bind(Dataset())


@pytest.mark.parametrize(("drug", "frame"), list(itertools.product(DRUGS, FRAMES)))
def test_a_drug_is_not_a_name(claiming: InstanceText, drug: str, frame: str) -> None:
    assert claiming.find(frame.format(drug)) == []


@pytest.mark.parametrize("phrase", EPONYMS)
def test_a_term_called_by_a_name_stays(claiming: InstanceText, phrase: str) -> None:
    assert claiming.find(phrase) == []


@pytest.mark.parametrize("phrase", GRADED)
def test_a_grade_or_measurement_that_is_the_whole_text_stays(claiming: InstanceText, phrase: str) -> None:
    assert claiming.find(phrase) == []


@pytest.mark.parametrize("text", ["Dr. Weber 2", "Weber, III", "Kowalczyk III", "Kowalczyk 7 M"])
def test_a_name_with_a_title_or_a_suffix_is_no_scale(claiming: InstanceText, text: str) -> None:
    assert "PERSON_NAME" in {match.info_type for match in claiming.find(text)}


@pytest.mark.parametrize("phrase", CALLED_BY_A_PLACE)
def test_a_term_called_by_a_place_stays(claiming: InstanceText, phrase: str) -> None:
    assert claiming.find(phrase) == []


@pytest.mark.parametrize("phrase", ELSEWHERE)
def test_a_term_of_another_language_stays(claiming: InstanceText, phrase: str) -> None:
    assert claiming.find(phrase) == []


@pytest.mark.parametrize("phrase", SETTINGS)
def test_settings_of_an_acquisition_are_no_address(claiming: InstanceText, phrase: str) -> None:
    assert claiming.find(phrase) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("CHEST PA LAT Mercy General Hospital", "Mercy General Hospital"),
        ("T12-L1 Northside Imaging Center", "Northside Imaging Center"),
        ("referred from Wright Clinic; Forteo", "Wright Clinic"),
        ("done at Miller Diagnostic Imaging", "Miller Diagnostic Imaging"),
        ("seen at Orchid Bay Rehabilitation Hospital.", "Orchid Bay Rehabilitation Hospital"),
        ("seen by Philippine Menard, MD", "Philippine Menard"),
        ("Tech Manon Roux", "Manon Roux"),
        ("Patient Walker DOB 1961", "Walker"),
        ("per dr. holmes today", "holmes"),
        ("seen by Dr. Savage.", "Savage"),
        ("nurse Graves", "Graves"),
        ("Dr. Bo Ho", "Bo Ho"),
        ("paged Koskinen", "Koskinen"),
    ],
)
def test_a_finding_begins_and_ends_with_the_name(claiming: InstanceText, text: str, finding: str) -> None:
    assert finding in [text[match.start : match.end] for match in claiming.find(text)]
