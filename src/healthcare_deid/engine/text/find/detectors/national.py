"""Detectors of national identifiers, each with its check digits or range."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from healthcare_deid.engine.text.find.detectors import national_checks as checks
from healthcare_deid.engine.text.find.detectors.base import FIVE_DIGITS, LINK, PatternDetector, digits_of, ignore_case
from healthcare_deid.engine.text.find.detectors.checks import is_canadian_sin, is_itin, is_nhs_number, is_ssn
from healthcare_deid.engine.text.find.detectors.words import words_of
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthcare_deid.engine.text.find.detectors.base import Detector


class Identifier(NamedTuple):
    """A national identifier.

    Attributes:
        info_type: InfoType of the API, or a general one.
        pattern: Form of the identifier.
        is_valid: Check of a candidate.
        cues: Folded words of which the text must have one; empty if form and check suffice.
    """

    info_type: str
    pattern: str
    is_valid: Callable[[str], bool]
    cues: frozenset[str] = frozenset()


def _row(info_type: str, pattern: str, is_valid: Callable[[str], bool], cues: str = "") -> Identifier:
    return Identifier(info_type, pattern, is_valid, frozenset(cues.split()))


IDENTIFIERS = (
    _row("US_MEDICARE_BENEFICIARY_ID_NUMBER", r"\d[A-Z][A-Z\d]\d-?[A-Z][A-Z\d]\d-?[A-Z]{2}\d\d", checks.is_mbi),
    _row("POLAND_PESEL_NUMBER", r"\d{11}", checks.is_pesel),
    _row("NETHERLANDS_BSN_NUMBER", r"\d{9}|\d{4}\.\d\d\.\d{3}", checks.is_bsn, "bsn burgerservicenummer sofinummer"),
    _row("SWEDEN_NATIONAL_ID_NUMBER", r"(?:\d\d)?\d{6}[-+]\d{4}", checks.is_personnummer),
    _row("NORWAY_NI_NUMBER", r"\d{6} ?\d{5}", checks.is_fodselsnummer),
    _row("DENMARK_CPR_NUMBER", r"\d{6}-\d{4}", checks.is_cpr),
    _row("FINLAND_NATIONAL_ID_NUMBER", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Y]", checks.is_hetu),
    _row("BRAZIL_CPF_NUMBER", r"\d{3}\.?\d{3}\.?\d{3}-?\d\d", checks.is_cpf),
    _row("INDIA_AADHAAR_INDIVIDUAL", r"\d{4}([ -])\d{4}\1\d{4}|\d{12}", checks.is_aadhaar),
    _row("INDIA_PAN_INDIVIDUAL", r"[A-Z]{5}\d{4}[A-Z]", checks.is_pan, "pan permanent tax"),
    _row("CHINA_RESIDENT_ID_NUMBER", r"\d{17}[\dXx]", checks.is_chinese_id),
    _row(
        "JAPAN_INDIVIDUAL_NUMBER",
        r"\d{4}([ -])\d{4}\1\d{4}|\d{12}",
        checks.is_my_number,
        "my mynumber individual マイナンバー",
    ),
    _row("KOREA_RRN", r"\d{6}-[1-8]\d{6}", checks.is_rrn),
    _row("AUSTRALIA_TAX_FILE_NUMBER", r"\d{3} ?\d{3} ?\d{3}", checks.is_tfn, "tfn tax"),
    _row("AUSTRALIA_MEDICARE_NUMBER", r"[2-6]\d{3} ?\d{5} ?\d(?:[ /-]?\d)?", checks.is_australian_medicare, "medicare"),
    _row("SWITZERLAND_SOCIAL_SECURITY_NUMBER", r"756\.?\d{4}\.?\d{4}\.?\d\d", checks.is_ahv),
    _row("BELGIUM_NATIONAL_ID_CARD_NUMBER", r"\d\d\.?\d\d\.?\d\d-?\d{3}[.-]?\d\d", checks.is_belgian_id),
    _row("TURKEY_ID_NUMBER", r"[1-9]\d{10}", checks.is_turkish_id),
    _row("MEXICO_CURP_NUMBER", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[0-9A-Z]\d", checks.is_curp),
    _row("ISRAEL_IDENTITY_CARD_NUMBER", r"\d{8}-?\d", checks.is_israeli_id, "israeli zehut teudat tz ת"),
    _row(
        "GERMANY_TAXPAYER_IDENTIFICATION_NUMBER",
        r"\d\d ?\d{3} ?\d{3} ?\d{3}",
        checks.is_steuer_id,
        "steuer steuerid idnr steueridentifikationsnummer identifikationsnummer tin",
    ),
    _row("MEDICAL_ID", r"[A-Z]\d{9}", checks.is_kvnr),
    _row("MEDICAL_ID", r"[A-Z]{4} ?\d{4} ?\d{4}", checks.is_ramq),
    _row("FRANCE_NIR", r"[12378] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", checks.is_nir),
    _row("SPAIN_DNI_NUMBER", r"\d{2}\.?\d{3}\.?\d{3}[- ]?[A-Z]", checks.is_dni),
    _row("SPAIN_NIE_NUMBER", r"[XYZ]-?\d{7}[- ]?[A-Z]", checks.is_dni),
    _row(
        "ITALY_FISCAL_CODE",
        r"[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPR-T][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]",
        checks.is_codice_fiscale,
    ),
    _row("THAILAND_NATIONAL_ID_NUMBER", r"\d([ -])\d{4}\1\d{5}\1\d\d\1\d|\d{13}", checks.is_thai_id, "thai บตรประชาชน"),
    _row("THAILAND_NATIONAL_ID_NUMBER", r"\d([ -])\d{4}\1\d{5}\1\d\d\1\d", checks.is_thai_id),
    _row("SINGAPORE_NATIONAL_REGISTRATION_ID_NUMBER", r"[STFG]\d{7}[A-Z]", checks.is_nric),
    _row("HONG_KONG_ID_NUMBER", r"[A-Z]{1,2}\d{6}\([0-9A]\)", checks.is_hkid),
    _row("IRELAND_PPSN", r"\d{7}[A-W][A-IW]?", checks.is_ppsn, "pps ppsn psp"),
    _row("UK_NATIONAL_INSURANCE_NUMBER", r"[A-Z]{2} ?\d\d ?\d\d ?\d\d ?[A-D]", checks.is_nino),
    _row("NEW_ZEALAND_NHI_NUMBER", r"[A-HJ-NP-Z]{3}(?:\d{4}|\d\d[A-HJ-NP-Z]{2})", checks.is_nzl_nhi, "nhi"),
    _row("GOVERNMENT_ID", r"\d{13}", checks.is_south_african_id),
    _row("GOVERNMENT_ID", r"[1-8]\d{12}", checks.is_cnp, "cnp"),
    _row("GOVERNMENT_ID", r"784-?\d{4}-?\d{7}-?\d", checks.is_emirates_id),
    _row("GOVERNMENT_ID", r"\d{9}", checks.is_nif, "nif contribuinte"),
)


def _has_nine_digits(text: str) -> bool:
    """Return whether a text has nine digits."""
    # Next to the cue "SSN" a number counts even if its range was never issued: it may be a typing error.
    return len(digits_of(text)) == 9


# Identifiers whose separators or cue belong to their pattern.
_PATTERNS = (
    PatternDetector(
        "US_SOCIAL_SECURITY_NUMBER",
        re.compile(r"(?<![\d-])(?<!\d[ .])\d{3}([- ])\d\d\1\d{4}(?![\d-])"),
        is_ssn,
        gate=FIVE_DIGITS,
        shapes=("000-00-0000", "000 00 0000"),
        rank=3,
        ocr_digits=True,
        in_numbers=True,
    ),
    PatternDetector(
        "US_SOCIAL_SECURITY_NUMBER",
        ignore_case(
            rf"(?:\bssn|\bsoc(?:ial)?\.?\ sec(?:urity)?)"
            r"(?:\ (?:supplied|given|on|for|file|identity|verification|record|as|the|of)){0,5}"
            rf"{LINK}(?P<value>\d{{3}}[-\ ]?\d\d[-\ ]?\d{{4}})(?!\d)"
        ),
        _has_nine_digits,
        gate=FIVE_DIGITS,
        rank=1,
        ocr_digits=True,
        at_words=True,
        words=frozenset(["ssn", "soc", "social", "ss"]),
    ),
    PatternDetector(  # where a text speaks of one, a number never issued is a typing error
        "US_SOCIAL_SECURITY_NUMBER",
        re.compile(r"(?<![\d-])(?<!\d[ .])\d{3}-\d\d-\d{4}(?![\d-])"),
        gate=FIVE_DIGITS,
        shapes=("000-00-0000",),
        rank=4,
        ocr_digits=True,
        in_numbers=True,
        words=frozenset(["ssn", "social", "security", "identity", "identification", "verification"]),
    ),
    PatternDetector(
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        re.compile(r"(?<![\d-])9\d\d([- ])\d\d\1\d{4}(?![\d-])"),
        is_itin,
        gate=FIVE_DIGITS,
        shapes=("000-00-0000", "000 00 0000"),
        rank=3,
        ocr_digits=True,
        in_numbers=True,
    ),
    PatternDetector(
        "US_INDIVIDUAL_TAXPAYER_IDENTIFICATION_NUMBER",
        ignore_case(rf"\b(?:itin|taxpayer){LINK}(?P<value>9\d\d[-\ ]?\d\d[-\ ]?\d{{4}})(?!\d)"),
        is_itin,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["itin", "taxpayer"]),
    ),
    PatternDetector(
        "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        ignore_case(rf"\bnhs{LINK}(?P<value>\d{{3}}[-\ ]?\d{{3}}[-\ ]?\d{{4}})(?!\d)"),
        is_nhs_number,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["nhs"]),
    ),
    PatternDetector(
        "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
        re.compile(r"(?<![\d.+-])(?<!\d )[4679]\d\d \d{3} \d{4}(?!\d| \d)"),
        is_nhs_number,
        shapes=("000 000 0000",),
        gate=FIVE_DIGITS,
        rank=4,
        in_numbers=True,
    ),
    PatternDetector(
        "CANADA_SOCIAL_INSURANCE_NUMBER",
        ignore_case(rf"\b(?:sin|nas|social\ insurance){LINK}(?P<value>\d{{3}}[-\ ]?\d{{3}}[-\ ]?\d{{3}})(?!\d)"),
        is_canadian_sin,
        gate=FIVE_DIGITS,
        rank=1,
        at_words=True,
        words=frozenset(["sin", "nas", "social"]),
    ),
)

# Any run that could be an identifier; trying every form on every text would be slow. It is tried only at digits with
# enough behind them, from the word before them on.
_DIGITS = re.compile(r"[0-9]+")
_CANDIDATE = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{1,2}\d{6}\([0-9A]\)"
    r"|(?<![A-Za-z0-9.-])[A-Za-z]{0,6} ?\d(?:[ .+-]?[A-Za-z0-9]){3,22}(?![A-Za-z0-9])"
)
_ENOUGH = re.compile(r"\d{6}\(|\d(?:[ .+-]?[A-Za-z0-9]){3}")
_WORD_BEFORE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,6} ?\Z")
_LONGEST_WORD_BEFORE = 7
_ALONE = r"(?<![A-Za-z0-9.])(?:{})(?![A-Za-z0-9])"
_ANY = tuple((row, re.compile(_ALONE.format(row.pattern))) for row in IDENTIFIERS)
# Gate: most candidates are dates and measurements, which have none of these forms.
_ANY_FORM = re.compile(_ALONE.format("|".join(row.pattern.replace("\\1", "[ -]") for row in IDENTIFIERS)))

# Most forms have five digits or more, never far apart. Others have fewer, and need one of these cues, or are Italy's
# fiscal code, in which letters may stand for digits.
_FEW_DIGITS = frozenset({"nhi", "pan", "permanent", "tax"})
_FISCAL_CODE = re.compile(r"[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPR-T]")


class NationalIdDetector:
    """Finds national identifiers by form and check.

    Some count only near a cue.
    """

    info_types = frozenset(row.info_type for row in IDENTIFIERS)
    rank = 1

    def find(self, text: str) -> list[Match]:
        """Return the identifiers that pass their check."""
        words = words_of(text)
        has_cue = not _FEW_DIGITS.isdisjoint(words)
        if not (has_cue or FIVE_DIGITS.search(text) or _FISCAL_CODE.search(text)):
            return []
        found: list[Match] = []
        for start, end in _candidates(text):
            if not (has_cue or FIVE_DIGITS.search(text, start, end) or _FISCAL_CODE.search(text, start, end)):
                continue
            if _ANY_FORM.search(text, start, end) is None:
                continue
            for row, pattern in _ANY:
                if row.cues and row.cues.isdisjoint(words):
                    continue
                found += [
                    Match(match.start(), match.end(), row.info_type)
                    for match in pattern.finditer(text, start, end)
                    if row.is_valid(match[0])
                ]
        return found


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Yield the ranges of possible identifiers, each with the character after it."""
    end = 0
    for digits in _DIGITS.finditer(text):
        start = digits.start()
        if start < end or _ENOUGH.match(text, start) is None:
            continue
        before = _WORD_BEFORE.search(text, max(end, start - _LONGEST_WORD_BEFORE), start)
        match = before and _CANDIDATE.match(text, before.start())
        match = match or _CANDIDATE.match(text, start)
        if match:
            end = match.end()
            yield match.start(), min(len(text), end + 1)


NATIONAL: tuple[Detector, ...] = (*_PATTERNS, NationalIdDetector())
