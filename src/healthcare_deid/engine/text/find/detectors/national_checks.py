"""Check digits of national identifiers.

Each function decides whether a text can be one.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.base import digits_of
from healthcare_deid.engine.text.find.detectors.checks import passes_luhn

if TYPE_CHECKING:
    from collections.abc import Sequence

# Multiplication in the dihedral group D5, the basis of the Verhoeff algorithm.
_VERHOEFF_PRODUCT = [
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
]
_VERHOEFF_PERMUTATION = [
    "0123456789",
    "1576283094",
    "5803796142",
    "8916043527",
    "9453126870",
    "4286573901",
    "2793806415",
    "7046913258",
]


def _numbers(text: str) -> list[int]:
    return [int(digit) for digit in digits_of(text)]


def _weighted(numbers: Sequence[int], weights: Sequence[int]) -> int:
    return sum(number * weight for number, weight in zip(numbers, weights, strict=False))


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _has_day(text: str, order: str) -> bool:
    """Return whether six digits are a day of some century.

    The order is ``dmy`` or ``ymd``.
    """
    first, month, last = int(text[:2]), int(text[2:4]), int(text[4:6])
    day, year = (first, last) if order == "dmy" else (last, first)
    return _is_day(1900 + year, month, day) or _is_day(2000 + year, month, day)


def _varied(numbers: Sequence[int], length: int) -> bool:
    return len(numbers) == length and len(set(numbers)) > 1


def is_mbi(text: str) -> bool:
    """Check a Medicare Beneficiary Identifier (CMS, Understanding the MBI)."""
    plain = re.sub(r"[- ]", "", text.upper())
    letter = "[AC-HJKMNP-RT-Y]"
    return bool(re.fullmatch(rf"[1-9]{letter}(?:\d|{letter})\d{letter}(?:\d|{letter})\d{letter}{{2}}\d\d", plain))


def is_pesel(text: str) -> bool:
    """Check a Polish PESEL: eleven digits, weights 1 3 7 9 (Ustawa o ewidencji ludności)."""
    numbers = _numbers(text)
    if not _varied(numbers, 11):
        return False
    month = (numbers[2] * 10 + numbers[3]) % 20
    return 1 <= month <= 12 and _weighted(numbers, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_bsn(text: str) -> bool:
    """Check a Dutch burgerservicenummer: nine digits, eleven test."""
    numbers = _numbers(text)
    return _varied(numbers, 9) and _weighted(numbers, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_personnummer(text: str) -> bool:
    """Check a Swedish personnummer: a day and four digits, Luhn (SKV 704)."""
    digits = digits_of(text)[-10:]
    # A samordningsnummer, for people without registration, has the day plus 60.
    day = digits[:4] + f"{int(digits[4:6] or 0) % 60:02d}"
    return len(digits) == 10 and _has_day(day, "ymd") and passes_luhn(digits)


def is_fodselsnummer(text: str) -> bool:
    """Check a Norwegian fødselsnummer: eleven digits, two checks modulo 11."""
    numbers = _numbers(text)
    return (
        _varied(numbers, 11)
        and _weighted(numbers, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and _weighted(numbers, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def is_cpr(text: str) -> bool:
    """Check a Danish CPR number: a day and four digits."""
    digits = digits_of(text)
    # Numbers without a valid check digit have been issued since 2007.
    return len(digits) == 10 and _has_day(digits, "dmy")


def is_hetu(text: str) -> bool:
    """Check a Finnish henkilötunnus: modulo 31 selects the last character (DVV)."""
    match = re.fullmatch(r"(\d{6})[-+A-FU-Y](\d{3})([0-9A-Y])", text.upper())
    return match is not None and "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(match[1] + match[2]) % 31] == match[3]


def is_ramq(text: str) -> bool:
    """Check a Quebec health insurance number: three letters of the surname, one of the first name, and a birthday.

    The month is 50 higher for women (RAMQ). The check digit's rule is not public.
    """
    month, day = int(digits_of(text)[2:4]), int(digits_of(text)[4:6])
    return (1 <= month <= 12 or 51 <= month <= 62) and 1 <= day <= 31


def is_cpf(text: str) -> bool:
    """Check a Brazilian CPF: eleven digits, two checks modulo 11 (Receita Federal)."""
    numbers = _numbers(text)
    if not _varied(numbers, 11):
        return False
    first = _weighted(numbers, range(10, 1, -1)) * 10 % 11 % 10
    second = _weighted(numbers, range(11, 1, -1)) * 10 % 11 % 10
    return numbers[9:] == [first, second]


def is_aadhaar(text: str) -> bool:
    """Check an Indian Aadhaar number: twelve digits, Verhoeff (UIDAI)."""
    digits = digits_of(text)
    if len(digits) != 12 or digits[0] in "01":
        return False
    check = 0
    for position, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_PERMUTATION[position % 8][int(digit)])])
    return check == 0


def is_chinese_id(text: str) -> bool:
    """Check a Chinese resident identity number: a day and a check character (GB 11643)."""
    plain = text.upper()
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", plain):
        return False
    remainder = _weighted([int(digit) for digit in plain[:17]], [2**power % 11 for power in range(17, 0, -1)]) % 11
    return "10X98765432"[remainder] == plain[17] and _is_day(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))


def is_my_number(text: str) -> bool:
    """Check a Japanese individual number: twelve digits, modulo 11."""
    numbers = _numbers(text)
    if not _varied(numbers, 12):
        return False
    remainder = _weighted(numbers[10::-1], (2, 3, 4, 5, 6, 7, 2, 3, 4, 5, 6)) % 11
    return numbers[11] == (0 if remainder <= 1 else 11 - remainder)


def is_rrn(text: str) -> bool:
    """Check a Korean resident registration number: a day and seven digits."""
    digits = digits_of(text)
    return len(digits) == 13 and digits[6] in "12345678" and _has_day(digits, "ymd")


def is_tfn(text: str) -> bool:
    """Check an Australian tax file number: nine digits, modulo 11 (ATO)."""
    numbers = _numbers(text)
    return _varied(numbers, 9) and _weighted(numbers, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def is_australian_medicare(text: str) -> bool:
    """Check an Australian Medicare number: ten digits and a person's digit (METeOR 270101)."""
    numbers = _numbers(text)
    if len(numbers) not in {10, 11} or not 2 <= numbers[0] <= 6:
        return False
    return _weighted(numbers, (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == numbers[8]


def is_ahv(text: str) -> bool:
    """Check a Swiss AHV number: 13 digits from 756, EAN-13 check (CCO)."""
    numbers = _numbers(text)
    return len(numbers) == 13 and numbers[:3] == [7, 5, 6] and _weighted(numbers, (1, 3) * 6 + (1,)) % 10 == 0


def is_belgian_id(text: str) -> bool:
    """Check a Belgian national number: eleven digits, modulo 97."""
    digits = digits_of(text)
    if len(digits) != 11:
        return False
    check = int(digits[9:])
    # For people born from 2000 on, the check is computed with a leading 2.
    return check in {97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97}


def is_nif(text: str) -> bool:
    """Check a Portuguese NIF: nine digits, modulo 11."""
    numbers = _numbers(text)
    if not _varied(numbers, 9):
        return False
    remainder = _weighted(numbers, range(9, 1, -1)) % 11
    return numbers[8] == (0 if remainder < 2 else 11 - remainder)


def is_turkish_id(text: str) -> bool:
    """Check a Turkish identity number: eleven digits, two of them checks (NVİ)."""
    numbers = _numbers(text)
    if not _varied(numbers, 11) or numbers[0] == 0:
        return False
    tenth = (sum(numbers[0:9:2]) * 7 - sum(numbers[1:8:2])) % 10
    return numbers[9] == tenth and numbers[10] == sum(numbers[:10]) % 10


def is_south_african_id(text: str) -> bool:
    """Check a South African identity number: a day, 13 digits, Luhn."""
    digits = digits_of(text)
    return len(digits) == 13 and _has_day(digits, "ymd") and digits[10] in "012" and passes_luhn(digits)


def is_curp(text: str) -> bool:
    """Check a Mexican CURP: letters of the name, day, sex, state (RENAPO)."""
    match = re.fullmatch(r"[A-Z]{4}(\d{6})[HMX][A-Z]{5}[0-9A-Z]\d", text.upper())
    return match is not None and _has_day(match[1], "ymd")


def is_israeli_id(text: str) -> bool:
    """Check an Israeli identity number: nine digits, Luhn."""
    digits = digits_of(text)
    return len(digits) == 9 and len(set(digits)) > 1 and passes_luhn(digits)


def is_steuer_id(text: str) -> bool:
    """Check a German tax number: eleven digits, ISO 7064 MOD 11,10 (BZSt)."""
    numbers = _numbers(text)
    if not _varied(numbers, 11) or numbers[0] == 0:
        return False
    product = 10
    for number in numbers[:10]:
        product = ((number + product) % 10 or 10) * 2 % 11
    return numbers[10] == (11 - product) % 10


def is_kvnr(text: str) -> bool:
    """Check a German health insurance number: a letter, eight digits, a check digit (SGB V § 290)."""
    plain = text.upper()
    if not re.fullmatch(r"[A-Z]\d{9}", plain):
        return False
    numbers = _numbers(f"{ord(plain[0]) - 64:02d}{plain[1:9]}")
    total = sum(sum(divmod(number * (1 + place % 2), 10)) for place, number in enumerate(numbers))
    return total % 10 == int(plain[9])


def is_nir(text: str) -> bool:
    """Check a French NIR: 13 characters and a key, modulo 97 (INSEE)."""
    plain = re.sub(r"[^0-9AB]", "", text.upper())
    match = re.fullmatch(r"[12378]\d{4}(?:\d\d|2[AB])\d{8}", plain)
    if match is None:
        return False
    # Corsica's departments 2A and 2B count as 19 and 18.
    number = int(plain[:13].replace("2A", "19").replace("2B", "18"))
    return int(plain[13:]) == 97 - number % 97


def is_dni(text: str) -> bool:
    """Check a Spanish DNI or NIE: modulo 23 selects the letter."""
    plain = re.sub(r"[-. ]", "", text.upper())
    match = re.fullmatch(r"([XYZ]\d{7}|\d{8})([A-Z])", plain)
    if match is None:
        return False
    digits = match[1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == match[2]


# Values of characters at odd positions; those at even positions count by their order.
_ODD_VALUES = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True)) | dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def is_codice_fiscale(text: str) -> bool:
    """Check an Italian codice fiscale with a valid check letter (DM 23 December 1976)."""
    plain = text.upper()
    if not re.fullmatch(r"[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPR-T][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]", plain):
        return False
    even = sum(int(letter) if letter.isdigit() else ord(letter) - 65 for letter in plain[1:15:2])
    odd = sum(_ODD_VALUES[letter] for letter in plain[0:15:2])
    return chr(65 + (even + odd) % 26) == plain[15]


def is_thai_id(text: str) -> bool:
    """Check a Thai identity number: 13 digits, modulo 11."""
    numbers = _numbers(text)
    return _varied(numbers, 13) and (11 - _weighted(numbers, range(13, 1, -1)) % 11) % 10 == numbers[12]


def is_nric(text: str) -> bool:
    """Check a Singaporean NRIC or FIN: a weighted sum selects the last letter (ICA)."""
    plain = text.upper()
    if not re.fullmatch(r"[STFG]\d{7}[A-Z]", plain):
        return False
    total = _weighted(_numbers(plain), (2, 7, 6, 5, 4, 3, 2)) + (4 if plain[0] in "TG" else 0)
    return ("JZIHGFEDCBA" if plain[0] in "ST" else "XWUTRQPNMLK")[total % 11] == plain[8]


def is_hkid(text: str) -> bool:
    """Check a Hong Kong identity card number: weighted sum modulo 11."""
    match = re.fullmatch(r"([A-Z]{1,2})(\d{6})\(?([0-9A])\)?", text.upper().replace(" ", ""))
    if match is None:
        return False
    letters = [36, *(ord(letter) - 55 for letter in match[1])][-2:]
    check = 10 if match[3] == "A" else int(match[3])
    return (_weighted([*letters, *_numbers(match[2])], range(9, 1, -1)) + check) % 11 == 0


def is_ppsn(text: str) -> bool:
    """Check an Irish PPS number: modulo 23 selects the first letter (DSP)."""
    match = re.fullmatch(r"(\d{7})([A-W])([A-IW]?)", text.upper())
    if match is None:
        return False
    second = 0 if match[3] in {"", "W"} else (ord(match[3]) - 64) * 9
    return "WABCDEFGHIJKLMNOPQRSTUV"[(_weighted(_numbers(match[1]), range(8, 1, -1)) + second) % 23] == match[2]


def is_nino(text: str) -> bool:
    """Check a UK National Insurance number (HMRC NIM39110)."""
    plain = text.upper().replace(" ", "")
    prefix = r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
    return bool(re.fullmatch(rf"{prefix}\d{{6}}[A-D]", plain))


def is_pan(text: str) -> bool:
    """Check a person's Indian PAN: AAAPA1234A (Income Tax Department)."""
    return bool(re.fullmatch(r"[A-Z]{3}[ABCFGHJLPT][A-Z]\d{4}[A-Z]", text.upper()))


def is_cnp(text: str) -> bool:
    """Check a Romanian CNP: 13 digits, modulo 11 (Legea 105/1996)."""
    numbers = _numbers(text)
    if not _varied(numbers, 13):
        return False
    remainder = _weighted(numbers, (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    return numbers[12] == (1 if remainder == 10 else remainder)


def is_emirates_id(text: str) -> bool:
    """Check an Emirates ID: 784 and twelve digits, Luhn."""
    digits = digits_of(text)
    return len(digits) == 15 and digits.startswith("784") and passes_luhn(digits)


def is_nzl_nhi(text: str) -> bool:
    """Check a New Zealand NHI number: three letters, then four digits or the new form (HISO 10046)."""
    return bool(re.fullmatch(r"[A-HJ-NP-Z]{3}(?:\d{4}|\d\d[A-HJ-NP-Z]{2})", text.upper()))
