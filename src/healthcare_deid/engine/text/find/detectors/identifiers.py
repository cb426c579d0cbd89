"""Detectors of personal and account numbers.

Each has its issuer's check.
"""

from __future__ import annotations

import re

from healthcare_deid.engine.text.find.detectors.base import FIVE_DIGITS, LINK, PatternDetector, digits_of, ignore_case
from healthcare_deid.engine.text.find.detectors.checks import (
    is_card_number,
    is_dea_number,
    is_iban,
    is_imei,
    is_npi,
    is_routing_number,
    is_swift_code,
    is_vin,
)


def has_digit(text: str) -> bool:
    """Return whether a text has a digit."""
    return any(map(str.isdigit, text))


IDENTIFIERS = (
    PatternDetector(
        "CREDIT_CARD_NUMBER",
        re.compile(
            r"(?<![\d.])(?:\d{4}([ -]))(?:\d{4}\1){2}\d{1,7}(?!\d)|(?<![\d.])3\d{3}([ -])\d{6}\2\d{5}(?!\d)"
            r"|(?<![\d.])\d{12,19}(?![\d.])"
        ),
        is_card_number,
        gate=FIVE_DIGITS,
        shapes=("0000 0000 0000 0", "0000-0000-0000-0", "0000 000000 00000", "0000-000000-00000", "000000000000"),
        rank=2,
        in_numbers=True,
    ),
    PatternDetector(
        "US_VEHICLE_IDENTIFICATION_NUMBER",
        re.compile(r"(?<![A-Za-z0-9])[A-HJ-NPR-Za-hj-npr-z0-9]{17}(?![A-Za-z0-9])"),
        is_vin,
        at_numbers=True,
        at_codes=True,
    ),
    PatternDetector(
        "SWIFT_CODE",
        ignore_case(rf"\b(?:swift|bic)(?:\ code)?{LINK}(?P<value>[A-Z]{{6}}[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)\b"),
        is_swift_code,
        gate=None,
        at_words=True,
        words=frozenset(["swift", "bic"]),
    ),
    PatternDetector(
        "SWIFT_CODE",
        re.compile(r"(?<![A-Za-z0-9])(?!MONOCHROME)[A-Z]{6}(?=[A-Z]{0,4}\d)[A-Z0-9]{5}(?![A-Za-z0-9])"),
        is_swift_code,
        rank=6,
        at_codes=True,
    ),
    PatternDetector(
        "PASSPORT",
        ignore_case(
            rf"\b(?:passport|reisepass|passeport|pasaporte"
            rf"|passaporto){LINK}(?P<value>[A-Z]{{0,3}}\ ?\d{{6,9}}[A-Z]?|(?=[A-Z]*\d)[A-Z0-9]{{8,9}})(?![A-Z0-9])"
        ),
        has_digit,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["passport", "reisepass", "passeport", "pasaporte", "passaporto"]),
    ),
    PatternDetector(
        "US_DRIVERS_LICENSE_NUMBER",
        ignore_case(
            r"\b(?:d\.?\s?l\.?|driver'?s?'?\s+licen[cs]e|driving\s+licen[cs]e|drv\s*lic)(?:\s*(?:no|num|number|\#"
            r"|:|=|-|is|\.)){0,3}\s*(?:[A-Z]{2}\s)?"
            r"(?P<value>[A-Z]{0,2}\d[A-Z0-9-]{4,15})(?![A-Z0-9])"
        ),
        lambda text: len(digits_of(text)) >= 5,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["dl", "d", "driver", "drivers", "driver's", "driving", "drv"]),
    ),
    PatternDetector(
        "IBAN_CODE",
        re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"),
        is_iban,
        gate=FIVE_DIGITS,
        rank=1,
        at_codes=True,
    ),
    PatternDetector(
        "US_HEALTHCARE_NPI",
        ignore_case(rf"\b(?:npi|national\ provider\ id(?:entifier)?){LINK}(?P<value>[12]\d{{9}})(?!\d)"),
        is_npi,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["npi", "national"]),
    ),
    PatternDetector(
        "US_DEA_NUMBER",
        ignore_case(rf"\bdea{LINK}(?P<value>[A-Z][A-Z9]\d{{7}})(?![A-Z0-9])"),
        is_dea_number,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["dea"]),
    ),
    PatternDetector(
        "IMEI_HARDWARE_ID",
        ignore_case(rf"\bimei{LINK}(?P<value>\d{{2}}[-\ ]?\d{{6}}[-\ ]?\d{{6}}[-\ ]?\d)(?!\d)"),
        is_imei,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["imei"]),
    ),
    PatternDetector(
        "IMEI_HARDWARE_ID",
        re.compile(r"(?<![\d-])\d\d-\d{6}-\d{6}-\d(?![\d-])"),
        is_imei,
        shapes=("00-000000-000000-0",),
        gate=FIVE_DIGITS,
        in_numbers=True,
    ),
    PatternDetector(
        "US_BANK_ROUTING_MICR",
        ignore_case(rf"\b(?:aba|rtn|routing){LINK}(?P<value>\d{{9}})(?!\d)"),
        is_routing_number,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["aba", "rtn", "routing"]),
    ),
)

ON_REQUEST = (
    PatternDetector(
        "ICD10_CODE",
        re.compile(r"(?<![A-Za-z0-9.])[A-TV-Z]\d[0-9AB]\.[0-9A-Z]{1,4}(?![A-Za-z0-9]|\.\d)"),
        rank=6,
    ),
    PatternDetector(
        "ICD10_CODE",
        ignore_case(
            rf"\b(?:icd-?\ ?10(?:-?cm)?|dx){LINK}(?P<value>[A-TV-Z]\d[0-9AB](?:\.?[0-9A-Z]{{1,4}})?)(?![A-Z0-9.])"
        ),
        rank=6,
    ),
    PatternDetector(
        "ICD9_CODE",
        ignore_case(
            rf"\b(?:icd-?\ ?9(?:-?cm)?|dx){LINK}"
            r"(?P<value>\d{3}(?:\.\d{1,2})?|V\d\d(?:\.\d{1,2})?|E\d{3}(?:\.\d)?)(?!\w|\.\d)"
        ),
        rank=5,
    ),
)
"""Detectors of infoTypes that identify nobody by themselves, used only if a config names them."""
