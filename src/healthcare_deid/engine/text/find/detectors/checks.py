"""Issuers' checks of whether a text can be one of their numbers."""

from __future__ import annotations

import re

from healthcare_deid.engine.text.find.detectors.base import digits_of
from healthcare_deid.engine.text.find.lexicon import word_set

# First digits of the card networks' number ranges.
_ISSUERS = re.compile(
    r"(?:4|5[1-5]|2131|1800|0604|2(?:2[2-9]|[3-6]|7[01]|720)|3[47]|3(?:0[0-59]|[689])|6(?:011|4[4-9]|5)|35|62|50|5[6-9]|6[37])"
)
_CARD_LENGTHS = range(12, 20)
# I, O and Q do not occur in vehicle identification numbers, because they resemble digits.
_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)], strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_COUNTRIES = word_set("countries")


def passes_luhn(text: str) -> bool:
    """Check the last digit by the Luhn algorithm (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits_of(text)))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def is_card_number(text: str) -> bool:
    """Check a payment card number, by issuer range, length and check digit."""
    digits = digits_of(text)
    return (
        len(digits) in _CARD_LENGTHS and bool(_ISSUERS.match(digits)) and len(set(digits)) > 1 and passes_luhn(digits)
    )


def is_ssn(text: str) -> bool:
    """Check a social security number."""
    digits = digits_of(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    # The Social Security Administration never assigns area 000, 666 or 9xx, group 00, or serial 0000.
    return len(digits) == 9 and area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def is_itin(text: str) -> bool:
    """Check an ITIN: area 9xx, group 50-65, 70-88, 90-92 or 94-99 (IRS)."""
    digits = digits_of(text)
    if len(digits) != 9 or digits[0] != "9":
        return False
    group = int(digits[3:5])
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94


def is_vin(text: str) -> bool:
    """Check a vehicle identification number (49 CFR 565.15)."""
    letters = text.upper()
    if len(letters) != 17 or letters.isdigit() or any(letter not in _VIN_VALUES for letter in letters):
        return False
    remainder = sum(_VIN_VALUES[letter] * weight for letter, weight in zip(letters, _VIN_WEIGHTS, strict=True)) % 11
    return letters[8] == ("X" if remainder == 10 else str(remainder))


def is_swift_code(text: str) -> bool:
    """Check a business identifier code with a real country (ISO 9362)."""
    return len(text) in {8, 11} and text[4:6].upper() in _COUNTRIES


# Countries by length of their account numbers. Source: the IBAN registry of ISO 13616.
_IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FI FO GL NL",
    19: "MK SI",
    20: "AT BA EE KZ LT LU XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HU LB PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
}


def is_iban(text: str) -> bool:
    """Check an IBAN, by country, length and remainder (ISO 13616)."""
    number = "".join(text.split()).upper()
    if number[:2] not in _IBAN_COUNTRIES.get(len(number), "").split() or not number.isalnum():
        return False
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


def is_npi(text: str) -> bool:
    """Check a National Provider Identifier (45 CFR 162.406)."""
    digits = digits_of(text)
    # CMS computes the Luhn digit over the number with the card issuer prefix 80840.
    return len(digits) == 10 and digits[0] in "12" and passes_luhn("80840" + digits)


def is_dea_number(text: str) -> bool:
    """Check a prescriber's DEA number (21 CFR 1301)."""
    digits = [int(digit) for digit in text[2:]] if re.fullmatch(r"[A-HJ-MPRSTUX][A-Z9]\d{7}", text.upper()) else []
    return bool(digits) and (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]


def is_imei(text: str) -> bool:
    """Check a mobile phone's IMEI: 15 digits with a Luhn digit (3GPP TS 23.003)."""
    digits = digits_of(text)
    return len(digits) == 15 and len(set(digits)) > 1 and passes_luhn(digits)


def is_nhs_number(text: str) -> bool:
    """Check an NHS number: ten digits, modulo 11 (NHS data dictionary)."""
    digits = [int(digit) for digit in digits_of(text)]
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = -sum(digit * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check == digits[9]


def is_canadian_sin(text: str) -> bool:
    """Check a Canadian social insurance number: nine digits, no leading 0 or 8, Luhn."""
    digits = digits_of(text)
    return len(digits) == 9 and digits[0] not in "08" and passes_luhn(digits)


def is_routing_number(text: str) -> bool:
    """Check a US bank routing number: weights 3, 7, 1, modulo 10 (ABA)."""
    digits = [int(digit) for digit in digits_of(text)]
    if len(digits) != 9 or not any(digits):
        return False
    return sum(digit * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True)) % 10 == 0
