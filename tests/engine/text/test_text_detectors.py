"""Detectors: texts that each must find, and texts that it must leave."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from healthcare_deid.engine.text.engine import InstanceText
from healthcare_deid.engine.text.find.detectors.base import PatternDetector, read_digits
from healthcare_deid.engine.text.find.detectors.checks import is_card_number, is_itin, is_ssn, is_swift_code, is_vin
from healthcare_deid.engine.text.find.detectors.custom import WordsDetector
from healthcare_deid.engine.text.find.detectors.identifiers import has_digit
from healthcare_deid.engine.text.find.detectors.registry import detectors_for
from healthcare_deid.engine.text.find.lexicon import word_set
from healthcare_deid.engine.text.info_types import INFO_TYPES

Found = Callable[[InstanceText, str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "finding", "info_type"),
    [
        ("Age: 67 yrs", "67 yrs", "AGE"),
        ("45 y/o male", "45 y/o", "AGE"),
        ("67-year-old woman", "67-year-old", "AGE"),
        ("DOE 067Y", "067Y", "AGE"),
        ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "CREDIT_CARD_NUMBER"),
        ("card 378282246310005", "378282246310005", "CREDIT_CARD_NUMBER"),
        ("seen 04/03/2021", "04/03/2021", "DATE"),
        ("DOB: 07/09/1961", "07/09/1961", "DATE_OF_BIRTH"),
        ("geb. 09.07.1961", "09.07.1961", "DATE_OF_BIRTH"),
        ("born on 9 July 1961", "9 July 1961", "DATE_OF_BIRTH"),
        ("mail a.b+c@example.org now", "a.b+c@example.org", "EMAIL_ADDRESS"),
        ("host 192.168.10.4", "192.168.10.4", "IP_ADDRESS"),
        ("host 2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334", "IP_ADDRESS"),
        ("NIC 00:1B:44:11:3A:B7", "00:1B:44:11:3A:B7", "MAC_ADDRESS"),
        ("NIC 001b.4411.3ab7", "001b.4411.3ab7", "MAC_ADDRESS"),
        ("MRN: 00-12-345", "00-12-345", "MEDICAL_RECORD_NUMBER"),
        ("Acc# A1234567", "A1234567", "MEDICAL_RECORD_NUMBER"),
        ("Patient ID: 778123", "778123", "MEDICAL_RECORD_NUMBER"),
        ("passport no. X1234567", "X1234567", "PASSPORT"),
        ("call (555) 010-4477 x12", "(555) 010-4477 x12", "PHONE_NUMBER"),
        ("+1 212 555 0100", "+1 212 555 0100", "PHONE_NUMBER"),
        ("+44 20 7946 0958", "+44 20 7946 0958", "PHONE_NUMBER"),
        ("020 7946 0958", "020 7946 0958", "PHONE_NUMBER"),
        ("06 12 34 56 78", "06 12 34 56 78", "PHONE_NUMBER"),
        ("0049 89 1234567", "0049 89 1234567", "PHONE_NUMBER"),
        ("Tel. 089/123456", "089/123456", "PHONE_NUMBER"),
        ("pager 4412", "4412", "PHONE_NUMBER"),
        ("SWIFT: DEUTDEFF", "DEUTDEFF", "SWIFT_CODE"),
        ("DEUTDEFF500", "DEUTDEFF500", "SWIFT_CODE"),
        ("DL# D1234567", "D1234567", "US_DRIVERS_LICENSE_NUMBER"),
        ("912-75-1234", "912-75-1234", "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER"),
        ("SSN 219-09-9999", "219-09-9999", "US_SOCIAL_SECURITY_NUMBER"),
        ("ssn: 219099999", "219099999", "US_SOCIAL_SECURITY_NUMBER"),
        ("VIN 1M8GDM9AXKP042788", "1M8GDM9AXKP042788", "US_VEHICLE_IDENTIFICATION_NUMBER"),
        ("lives at 1600 N Main St, Apt 4", "1600 N Main St, Apt 4", "LOCATION"),
        ("Hauptstraße 12", "Hauptstraße 12", "LOCATION"),
        ("12 rue de la Paix", "12 rue de la Paix", "LOCATION"),
        ("P.O. Box 77", "P.O. Box 77", "LOCATION"),
        ("from Dayton, OH 45402", "Dayton, OH 45402", "LOCATION"),
        ("moved to Munich", "Munich", "LOCATION"),
        ("SW1A 1AA", "SW1A 1AA", "LOCATION"),
        ("at Cedar Ridge Medical Center", "Cedar Ridge Medical Center", "LOCATION"),
        ("Klinikum Rosenheim", "Klinikum Rosenheim", "LOCATION"),
        ("Dr. Wilson", "Wilson", "PERSON_NAME"),
        ("seen by Dr Jane Long", "Jane Long", "PERSON_NAME"),
        ("KOWALSKI, ANNA M", "KOWALSKI, ANNA M", "PERSON_NAME"),
        ("seen 3/2", "3/2", "DATE"),
        ("Kowalski^Anna", "Kowalski^Anna", "PERSON_NAME"),
        ("KNEE Petrov, Irina", "Petrov, Irina", "PERSON_NAME"),
        ("CT BRAIN Rivera, Ana", "Rivera, Ana", "PERSON_NAME"),
        ("CT BRAIN RIVERA, ANA", "RIVERA, ANA", "PERSON_NAME"),
        ("MR BRAIN Ana Rivera", "Ana Rivera", "PERSON_NAME"),
        ("HEAD, Michael", "HEAD, Michael", "PERSON_NAME"),
        ("MARK Smith, John", "MARK Smith, John", "PERSON_NAME"),
        ("Patient: Xochitl Ngata", "Xochitl Ngata", "PERSON_NAME"),
        ("Anna van der Berg", "Anna van der Berg", "PERSON_NAME"),
        ("Peter Hansen, MD", "Peter Hansen", "PERSON_NAME"),
        ("DR Enrico Martins", "Enrico Martins", "PERSON_NAME"),
        ("nurse Maysa Martins - no reaction", "Maysa Martins", "PERSON_NAME"),
        ("Dr. Marguerite Bailly", "Marguerite Bailly", "PERSON_NAME"),
        ("PCP Henner Keudel. gamma", "Henner Keudel", "PERSON_NAME"),
        ("RN Aria Pisani", "Aria Pisani", "PERSON_NAME"),
        ("PCP MAUNO JOHANSSON; Cardizem", "MAUNO JOHANSSON", "PERSON_NAME"),
        ("examined by Frida Vestin; asthma", "Frida Vestin", "PERSON_NAME"),
        ("scanned by J. Vial, supine", "J. Vial", "PERSON_NAME"),
        ("paged Floor Beijring", "Floor Beijring", "PERSON_NAME"),
        ("wife Iris; asthma", "Iris", "PERSON_NAME"),
        ("Vestin, M.D.", "Vestin", "PERSON_NAME"),
        ("Auger, M.D.; creatinine", "Auger", "PERSON_NAME"),
        ("ASCENSION CORTES, MD", "ASCENSION CORTES", "PERSON_NAME"),
        ("Pinto's prior films", "Pinto", "PERSON_NAME"),
        ("radiographer Jessica Flores. Hancock valve", "Jessica Flores", "PERSON_NAME"),
        ("radiographer Lucrezia Bonomo, ICRS grade 3", "Lucrezia Bonomo", "PERSON_NAME"),
        ("accompanied by Joel Dodd, Turner syndrome", "Joel Dodd", "PERSON_NAME"),
        ("accompanied by Wren Sparrow, supine", "Wren Sparrow", "PERSON_NAME"),
        ("spoke with Wren Sparrow, supine", "Wren Sparrow", "PERSON_NAME"),
        ("known as Jessica Flores", "Jessica Flores", "PERSON_NAME"),
        ("review: Pavel Driftwood, supine", "Pavel Driftwood", "PERSON_NAME"),
        ("4417 Old Kettle Rd, supine", "4417 Old Kettle Rd", "LOCATION"),
        ("A 93F with dyspnea", "93", "AGE"),
        ("97M admitted", "97", "AGE"),
        ("92 F with cough", "92", "AGE"),
        ("age in years is 101", "101", "AGE"),
        ("scanned by Emile Coste, supine", "Emile Coste", "PERSON_NAME"),
        ("electronically signed: Marco Gritti", "Marco Gritti", "PERSON_NAME"),
        ("reported by E. Coste", "E. Coste", "PERSON_NAME"),
        ("seen by Kunibert Warmer today", "Kunibert Warmer", "PERSON_NAME"),
        ("Tlf 91 234 56 78", "91 234 56 78", "PHONE_NUMBER"),
        ("02 9876 5432", "02 9876 5432", "PHONE_NUMBER"),
        ("手机 138 0013 8000", "138 0013 8000", "PHONE_NUMBER"),
        ("write to j.mertens (at) example dot org", "j.mertens (at) example dot org", "EMAIL_ADDRESS"),
        (r"from \\archive01\scans\Mertens_Jan\ct", r"\\archive01\scans\Mertens_Jan\ct", "URL"),
        (r"C:\Users\jmertens\Desktop", "jmertens", "PERSON_NAME"),
        (r"C:\Users\Jan Mertens\Desktop", "Jan Mertens", "PERSON_NAME"),
        ("/home/jmertens/scans", "jmertens", "PERSON_NAME"),
        ("lives in 00-590 Warszawa", "00-590 Warszawa", "LOCATION"),
        ("user jmertens2 logged in", "jmertens2", "PERSON_NAME"),
        ("dhr. de Boer", "de Boer", "PERSON_NAME"),
        ("Overlege Hansen", "Hansen", "PERSON_NAME"),
        ("nickname Binky", "Binky", "PERSON_NAME"),
    ],
)
def test_a_finding_is_cut_out_exactly(
    stranger: InstanceText, found: Found, text: str, finding: str, info_type: str
) -> None:
    assert (finding, info_type) in found(stranger, text)


@pytest.mark.parametrize(
    "text",
    [
        "L", "R", "LT", "RT", "AP", "PA", "LAT", "PORTABLE", "SUPINE", "ERECT", "10 cm", "120 kV", "GAIN 50%",
        "12:33:01",
        "W 400 L 40", "TR 500 TE 15", "FOV 35 cm", "MI 0.8", "Fr 12/120", "HR 72", "5.0 MHz", "DR 60 dB", "3.2.1.0",
        "1.2.840.10008.5.1.4.1.1.2", "2.25.70541616638819138568043293671559322355",
        "CT CHEST W CONTRAST", "MR Brain", "L-SPINE 2 VIEWS", "t2_tse_sag_384", "Ax T2 FLAIR FS",
        "Thorax Routine 5.0 B31f",
        "SIEMENS", "GE MEDICAL SYSTEMS", "Philips Medical Systems", "Hologic, Inc.", "Canon Medical Systems",
        "Wilson disease", "Graves disease", "Foley catheter", "Baker cyst", "Baker's cyst", "Swan-Ganz catheter",
        "Smith fracture", "Salter-Harris II", "Kellgren-Lawrence 3", "VIRCHOW-ROBIN SPACES", "Sinding-Larsen-Johansson",
        "Morton neuroma", "Tanner stage 2", "young adult male",
        "r/o PE", "Rule out fracture", "Breast cancer screening", "5 year follow-up", "T12 compression", "C5-C6 disc",
        "Today's scan", "patient's chart", "nurse Foley catheter placed", "Radiology, MD",
        "12F sheath", "fever of 102 F today", "28F chest tube", "Tech Motion Artifact noted",
        "provider called, Xarelto given", "mother had breast cancer",
        "ADC (10^-6 mm2/s)", "Heart rate 80", "follow up in the clinic", "Outpatient hospital visit", "medical imaging",
    ],
)  # fmt: skip
def test_the_fields_own_words_are_left(stranger: InstanceText, found: Found, text: str) -> None:
    assert found(stranger, text) == []


VERBS = (
    "accompanied acquired approved assessed assisted authenticated called checked confirmed dictated discussed entered "
    "evaluated examined informed interpreted interviewed notified ordered paged performed referred reported requested "
    "reviewed scanned seen signed spoke spoken supervised transcribed verified witnessed"
)


@pytest.mark.parametrize("cue", [*(f"{verb} by" for verb in VERBS.split()), *sorted(word_set("roles")), "signature of"])
def test_a_name_is_found_after_every_cue(stranger: InstanceText, found: Found, cue: str) -> None:
    assert ("Jessica Sparrow", "PERSON_NAME") in found(stranger, f"{cue} Jessica Sparrow, supine")


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (is_card_number, "4111111111111111", "4111111111111112"),
        (is_ssn, "219-09-9999", "666-09-9999"),
        (is_ssn, "001-01-0001", "000-01-0001"),
        (is_ssn, "219-09-9999", "219-00-9999"),
        (is_ssn, "219-09-9999", "219-09-0000"),
        (is_itin, "912-75-1234", "912-69-1234"),
        (is_itin, "999-94-1234", "812-75-1234"),
        (is_vin, "1M8GDM9AXKP042788", "1M8GDM9A1KP042788"),
        (is_vin, "1HGCM82633A004352", "1HGCM82633AO04352"),
        (is_swift_code, "DEUTDEFF", "DEUTZZFF"),
    ],
)
def test_a_number_is_checked_by_its_issuers_rule(check: Callable[[str], bool], right: str, wrong: str) -> None:
    assert check(right)
    assert not check(wrong)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("O1/15/2O2O", "01/15/2020"),
        ("l2:3O:59", "12:30:59"),
        ("LOSS", "LOSS"),
        ("25-Jul-32", "25-Jul-32"),
        ("SO", "SO"),
    ],
)
def test_look_alike_letters_are_read_as_digits_only_inside_numbers(text: str, read: str) -> None:
    assert read_digits(text) == read


def test_a_misread_date_is_found_in_pixels(stranger: InstanceText, found: Found) -> None:
    assert found(stranger, "O1/15/2O20") == [("O1/15/2O20", "DATE")]


def test_every_infotype_is_found_by_some_detector_and_every_detector_finds_known_ones() -> None:
    assert frozenset().union(*(detector.info_types for detector in detectors_for(INFO_TYPES))) == frozenset(INFO_TYPES)


def test_every_infotype_has_a_description() -> None:
    for item in INFO_TYPES.values():
        assert item.description.endswith(".")
        assert not item.broader or item.broader in INFO_TYPES


def test_a_text_is_refused_as_a_list_of_phrases_and_as_a_pattern() -> None:
    with pytest.raises(TypeError, match="list of texts"):
        WordsDetector("TRIAL_SITE", "Umbra")
    with pytest.raises(TypeError, match=r"re\.compile"):
        PatternDetector("CASE", r"SC-\d{4}")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["12", "AB12", "x 12 AB12-3", "AB12CD34", "\u00e912 \u00e9A1", "_A1 1A", "7 B2B2 b22", "no number", ""]
)
@pytest.mark.parametrize(
    ("pattern", "numbers", "codes"),
    [
        (r"(?<![A-Za-z0-9])\d{1,2}", True, False),
        (r"(?<![A-Za-z0-9])[A-Z]{1,2}\d", False, True),
        (r"(?<![A-Za-z0-9])[A-Z0-9]{2}", True, True),
    ],
)
def test_a_pattern_that_is_tried_only_at_numbers_finds_what_has_one(
    pattern: str, numbers: bool, codes: bool, text: str
) -> None:
    everywhere = PatternDetector("CASE", re.compile(pattern), has_digit)
    at_numbers = PatternDetector("CASE", re.compile(pattern), has_digit, at_numbers=numbers, at_codes=codes)
    assert at_numbers.find(text) == everywhere.find(text)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Sig.ra Bianchi ginocchio", "Bianchi"),
        ("Sig. Rossi ginocchio", "Rossi"),
        ("Mrs Abd al-Rahman al-Fulani", "Abd al-Rahman al-Fulani"),
        ("Dr al-Ghamdi", "al-Ghamdi"),
        ("checked @jsmith_rad", "@jsmith_rad"),
    ],
)
def test_a_name_is_found_whole(stranger: InstanceText, found: Found, text: str, name: str) -> None:
    assert found(stranger, text) == [(name, "PERSON_NAME")]


@pytest.mark.parametrize(
    "text", ["@baseline scan", "@120kV", "sig diff", "AL knee", "Zimmer Biomet knee", "Zimmer knee"]
)
def test_a_term_is_no_name(stranger: InstanceText, found: Found, text: str) -> None:
    assert found(stranger, text) == []
