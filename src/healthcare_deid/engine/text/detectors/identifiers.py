"""Numbers that stand for a person or an account, each with the check its issuer defines."""

from __future__ import annotations

import re

from healthcare_deid.engine.text.detectors.base import FIVE_DIGITS, PatternDetector, digits_of, ignore_case
from healthcare_deid.engine.text.lexicon import word_set

# A cue, then at most a few separators and small words, then the number.
_LINK = r"(?:\s*(?:no|num|number|nr|id|is|\#|:|=|-|\.)){0,3}\s*"

_ISSUERS = re.compile(
    r"(?:4|5[1-5]|2(?:2[2-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-59]|[689])|6(?:011|4[4-9]|5)|35|62|50|5[6-9]|6[37])"
)
_CARD_LENGTHS = range(12, 20)
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)], strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_COUNTRIES = word_set("countries")


def passes_luhn(text: str) -> bool:
    """Whether the digits of ``text`` end in a right check digit. Source: ISO/IEC 7812-1."""
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits_of(text)))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def is_card_number(text: str) -> bool:
    """Whether ``text`` is a payment card number: issuer range, length and check digit."""
    digits = digits_of(text)
    return (
        len(digits) in _CARD_LENGTHS and bool(_ISSUERS.match(digits)) and len(set(digits)) > 1 and passes_luhn(digits)
    )


def is_ssn(text: str) -> bool:
    """Whether ``text`` can be a social security number: no 000, 666 or 9xx area, no 00 group, no 0000 serial."""
    digits = digits_of(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return len(digits) == 9 and area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def is_itin(text: str) -> bool:
    """Whether ``text`` can be an ITIN: area 9xx, group 50-65, 70-88, 90-92 or 94-99. Source: IRS."""
    digits = digits_of(text)
    if len(digits) != 9 or digits[0] != "9":
        return False
    group = int(digits[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94


def is_vin(text: str) -> bool:
    """Whether ``text`` is a vehicle identification number with a right check digit. Source: 49 CFR 565.15."""
    letters = text.upper()
    if len(letters) != 17 or letters.isdigit() or any(letter not in _VIN_VALUES for letter in letters):
        return False
    remainder = sum(_VIN_VALUES[letter] * weight for letter, weight in zip(letters, _VIN_WEIGHTS, strict=True)) % 11
    return letters[8] == ("X" if remainder == 10 else str(remainder))


def is_swift_code(text: str) -> bool:
    """Whether ``text`` has the form of a business identifier code and a real country in it. Source: ISO 9362."""
    return len(text) in {8, 11} and text[4:6].upper() in _COUNTRIES


def has_digit(text: str) -> bool:
    """Whether there is a digit in ``text``."""
    return any(map(str.isdigit, text))


def _is_record_number(text: str) -> bool:
    return sum(map(str.isdigit, text)) >= 3 or (len(text) <= 3 and text.isdigit() and len(text) >= 2)


IDENTIFIERS = (
    PatternDetector(
        "US_SOCIAL_SECURITY_NUMBER",
        re.compile(r"(?<![\d-])(?<!\d[ .])\d{3}([- ])\d\d\1\d{4}(?![\d-])"),
        is_ssn,
        gate=FIVE_DIGITS,
        ocr_digits=True,
    ),
    PatternDetector(
        "US_SOCIAL_SECURITY_NUMBER",
        ignore_case(
            rf"(?:\bssn|\bsoc(?:ial)?\.?\ sec(?:urity)?){_LINK}(?P<value>\d{{3}}[-\ ]?\d\d[-\ ]?\d{{4}})(?!\d)"
        ),
        is_ssn,
        gate=FIVE_DIGITS,
        rank=1,
        ocr_digits=True,
    ),
    PatternDetector(
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        re.compile(r"(?<![\d-])9\d\d([- ])\d\d\1\d{4}(?![\d-])"),
        is_itin,
        gate=FIVE_DIGITS,
        ocr_digits=True,
    ),
    PatternDetector(
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        ignore_case(rf"\b(?:itin|taxpayer){_LINK}(?P<value>9\d\d[-\ ]?\d\d[-\ ]?\d{{4}})(?!\d)"),
        is_itin,
        gate=FIVE_DIGITS,
        rank=1,
    ),
    PatternDetector(
        "CREDIT_CARD_NUMBER",
        re.compile(
            r"(?<![\d.])(?:\d{4}([ -]))(?:\d{4}\1){2}\d{1,7}(?!\d)|(?<![\d.])3\d{3}([ -])\d{6}\2\d{5}(?!\d)"
            r"|(?<![\d.])\d{12,19}(?![\d.])"
        ),
        is_card_number,
        gate=FIVE_DIGITS,
        rank=3,
    ),
    PatternDetector(
        "US_VEHICLE_IDENTIFICATION_NUMBER",
        ignore_case(r"(?<![A-Z0-9])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"),
        is_vin,
    ),
    PatternDetector(
        "SWIFT_CODE",
        ignore_case(rf"\b(?:swift|bic)(?:\ code)?{_LINK}(?P<value>[A-Z]{{6}}[A-Z0-9]{{2}}(?:[A-Z0-9]{{3}})?)\b"),
        is_swift_code,
        gate=None,
    ),
    PatternDetector(
        "SWIFT_CODE",
        re.compile(r"(?<![A-Za-z0-9])[A-Z]{6}(?=[A-Z]{0,4}\d)[A-Z0-9]{5}(?![A-Za-z0-9])"),
        is_swift_code,
        rank=6,
    ),
    PatternDetector(
        "PASSPORT",
        ignore_case(
            rf"\b(?:passport|reisepass|passeport|pasaporte"
            rf"|passaporto){_LINK}(?P<value>[A-Z]{{0,3}}\ ?\d{{6,9}}[A-Z]?)(?![A-Z0-9])"
        ),
        has_digit,
        gate=FIVE_DIGITS,
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
    ),
    PatternDetector(
        "MEDICAL_RECORD_NUMBER",
        ignore_case(
            r"""(?<![a-z])(?:mrn|m\.r\.n\.?|mr\s?\#|med(?:ical)?\.?\s*rec(?:ord)?s?|hosp(?:ital)?\.?\s*(?:no
                |num(?:ber)?|id|\#)|
            p(?:a?t(?:ien)?t?)?\.?\s*-?id|pid|patid|acc(?:ession)?\.?(?=\s*(?:no|num|nr|\#|:|\d|[a-z]+\d))
            |visit\s*(?:no|num(?:ber)?|id|\#)|
            encounter(?=\s*(?:no|num|id|\#|:|\d))|chart(?=\s*(?:no|num|id|\#|:))|study(?=\s*(?:no|num|id|\#))|case(?=\s*(?:no|num|id|\#))
            |account(?=\s*(?:no|num|id|\#))|nhs|
            fall(?:nummer|nr)|pat(?:ienten)?\.?-?(?:nummer|nr)|dossier|ipp|(?<!\w)id(?=\s*(?:no|num|\#|:|=)))
            (?:\s*(?:no|num(?:ber)?|nr|id|is|\#|:|=|-|\.)){0,4}\s*
            (?P<value>(?:\d{3}\s){2}\d{4}|[A-Z]{0,4}[-/]?\d[A-Z0-9]*(?:[-/.][A-Z0-9]+){0,3})(?![A-Z0-9])"""
        ),
        _is_record_number,
        rank=1,
    ),
)
