"""Detectors of numbers with a cue, and of numbers that nothing explains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.calendar_dates import find_dates
from healthcare_deid.engine.text.find.detectors.number_runs import (
    NumberRun,
    cue_before,
    groups_from,
    number_runs,
    word_before,
)
from healthcare_deid.engine.text.find.lexicon import word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORD = "MEDICAL_RECORD_NUMBER"
_STRONG = word_set("strong_number_cues")
_CUES = word_set("number_cues")
_SCAN = word_set("scan_words")
_PREFIX = re.compile(r"([A-Za-z]{2,6})-?(?=\d)")
# A number with its cue attached: MRN204816, PID-00123.
_GROWN = re.compile(r"(?:mrn|patid|pid|hrn|acct)-?(?=[A-Z]{0,4}-?\d{3})", re.IGNORECASE)
_DATE_LIKE = re.compile(r"\d{1,2}([/.-])\d{1,2}\1(?:\d{2}|\d{4})|(?:19|20)\d\d([/.-])\d{1,2}\2\d{1,2}|(?:19|20)\d{6}")
_UNIT = re.compile(
    r"(?:[- ]?(?:year|yr|month|week|day)s?\b| ?y/?o\b| ?%| ?\u00b0| ?\u00b5| ?x ?\d|\^| ?(?:mm|cm|m|um|nm|km"
    r"|in|ml|cc|dl|l|mg|mcg|ug|g|kg|lb|lbs|oz|hu|ms|s|sec|secs|seconds|min|mins"
    r"|minutes|h|hr|hrs|hours|days?|weeks?|months?|years?|yrs?|hz|khz|mhz|ghz|kv|kvp|v|ma|mas|a|w|kw|gy|mgy|cgy|sv|msv|usv|bq|kbq|mbq|gbq"
    r"|ci|mci|uci|t|mt|g|bpm|mmhg|kpa|pa|torr|n|iu|u|units?|meq|mmol|mol|nmol|pmol|mosm|kcal|cal|j|mj|k|c|f|db|dpi|ppm|px|pixels?"
    r"|voxels?|bits?|bytes?|kb|mb|gb|fps|frames?|slices?|images?|views?|cells?|counts?|cts|cps|kcts|copies|cfu|rpm|steps"
    r"|patients|people|cases|subjects|samples|men|women|children|per|mrem|rad|rem|rads|points?|lines?|rows?|columns?)"
    r"(?![A-Za-z]))",
    re.IGNORECASE,
)
# 3/4, 120/80, 1/2/3
_FRACTION = re.compile(r"\d{1,4}(?:/\d{1,4}){1,2}")
_DECIMAL = re.compile(r"\d+\.\d+")
# 512x512x100
_DIMENSIONS = re.compile(r"\d+(?:[xX]\d+)+")
# Dotted numbers are UIDs or versions; UIDs are mapped elsewhere.
_UID_LIKE = re.compile(r"\d+(?:\.\d+){3,}")
# A coding scheme designator after a code: 113100,DCM or 113100^DCM.
_CODE_SCHEME = re.compile(
    r" ?[,|^] ?\"?(?:99[A-Z]+|DCM|SCT|SRT|SNM3|LN|UCUM|RADLEX|UMLS|NCIt|MSH|FMA|NCDR|ICD|I10|I9|CPT|HL7|ACR|BI)\b"
)
# Forms of codes: SNOMED T-A0100, RadLex RID1301, UMLS C0024109, LOINC 24627-2, ICD I10.
_CODE = re.compile(r"(?:[A-Z]-[0-9A-F]{5}|RID\d+|RPID\d+|C\d{7}|R-\d{5}|\d{4,5}-\d|[A-Z]\d\d\.?\d*[A-Z]?)")
_CODE_CUES = frozenset(
    [
        "cpt",
        "code",
        "codes",
        "dcm",
        "hcpcs",
        "icd",
        "ln",
        "loinc",
        "mesh",
        "ncit",
        "radlex",
        "rxnorm",
        "sct",
        "snomed",
        "snomedct",
        "srt",
        "umls",
    ]
)
# Shorter numbers are measurements, indexes and years in nearly every text.
_MIN_DIGITS = 5
_MIN_IN_BRACKETS = 6
_RANGE = re.compile(r"(\d{1,4})-(\d{1,4})")


class CuedNumberDetector:
    """Finds patient, visit and account numbers.

    A cue or a prefix such as MRN204816 marks them.
    """

    info_types = frozenset({RECORD})
    rank = 2

    def find(self, text: str) -> list[Match]:
        """Return the numbers, without their cues."""
        runs = number_runs(text)
        return [
            Match(found.start, found.end, RECORD)
            for index, run in enumerate(runs)
            if (found := _cued(text, runs, index, run)) is not None
        ]


def _cued(text: str, runs: tuple[NumberRun, ...], index: int, run: NumberRun) -> NumberRun | None:
    letters = len(run.value) - run.digits
    if run.digits < 2 or _DECIMAL.fullmatch(run.value):
        return None
    grown = letters and _GROWN.match(run.value)
    if grown:
        return NumberRun(run.start + grown.end(), run.end, run.value[grown.end() :], run.digits)
    prefix = letters and _PREFIX.match(run.value)
    if prefix and prefix[1].lower() in _CUES and run.digits >= 4:
        return run
    cue = cue_before(text, run.start)
    if not cue.word:
        # "#" marks an identifier, unless it counts images or series.
        before = text[max(0, run.start - 2) : run.start]
        if before == " [" and text[run.end : run.end + 1] == "]" and run.digits >= _MIN_IN_BRACKETS:
            return run
        is_hashed = before.strip(" ").endswith("#")
        if is_hashed and run.digits >= _MIN_DIGITS and word_before(text, run.start) not in _SCAN:
            return run
        return None
    found = groups_from(text, runs, index)
    if found.digits < 6:
        found = run
    strong = cue.word in _STRONG
    if _UNIT.match(text, found.end) and not (strong and cue.linked):
        return None
    if _DATE_LIKE.fullmatch(found.value) and not (strong and cue.linked) and find_dates(found.value):
        return None
    if cue.linked:
        enough = found.digits >= (2 if strong else 3)
    elif strong:
        enough = found.digits >= 3
    else:
        enough = found.digits >= _MIN_DIGITS or (letters > 0 and found.digits >= 4)
    return found if enough else None


# Groups of three digits without a unit, as identifiers are often written.
_GROUPED = re.compile(r"(?<![\d.,x])(?<!\d[ -])\d{3}(?:(?: \d{3}){2,4}|(?:-\d{3}){2,4})(?![ -]?[\d%x]|[.,]\d)")


def unexplained_numbers(text: str, explained: Iterable[Match]) -> Iterator[Match]:
    """Yield long numbers that nothing in the text explains.

    A long number has five or more digits. Findings of other detectors, measurements, scan settings and indexes, ranges,
    fractions and codes of coding schemes are explained. UIDs are left out, because they are mapped and not removed.
    """
    spans = [(match.start, match.end) for match in explained]
    for run in number_runs(text):
        if run.digits < _MIN_DIGITS or any(start < run.end and run.start < end for start, end in spans):
            continue
        if not _is_explained(text, run):
            yield Match(run.start, run.end, RECORD)
    for grouped in _GROUPED.finditer(text):
        measured = _UNIT.match(text, grouped.end()) or (
            word_before(text, grouped.start()) in _SCAN and _may_be_settings(grouped[0])
        )
        if (
            not measured
            and not _is_scale(grouped[0])
            and not any(start < grouped.end() and grouped.start() < end for start, end in spans)
        ):
            yield Match(grouped.start(), grouped.end(), RECORD)


def _may_be_settings(value: str) -> bool:
    """Return whether groups after a word of the scan are settings: in order, repeated, or in round steps."""
    steps = re.split(r"[ -]", value)
    return steps in (sorted(steps), sorted(steps, reverse=True)) or len(set(steps)) < len(steps) or _is_round(steps)


def _is_round(steps: list[str]) -> bool:
    return all(step.endswith(("0", "5")) for step in steps)


def _is_scale(value: str) -> bool:
    """Return whether groups are settings in round steps, such as b-values."""
    steps = value.split()
    return len(steps) > 1 and all(step.endswith("0") for step in steps) and steps == sorted(set(steps))


def _is_explained(text: str, run: NumberRun) -> bool:
    value = run.value
    is_part = text[run.start - 1 : run.start] == "/"  # H/12/3345
    if (
        (_FRACTION.fullmatch(value) and not is_part)
        or _DECIMAL.fullmatch(value)
        or _UID_LIKE.fullmatch(value)
        or _DIMENSIONS.fullmatch(value)
    ):
        return True
    if _UNIT.match(text, run.end) or _CODE_SCHEME.match(text, run.end):
        return True
    span = _RANGE.fullmatch(value)
    if span and int(span[1]) < int(span[2]) and (_is_year(span[1]) or int(span[2]) % 10 == 0 == int(span[1]) % 10):
        return True
    before = text[max(0, run.start - 2) : run.start]
    if before.endswith(("x", "X", "\u00d7", "^", "=")) and before[:1].isdigit():
        return True
    word = word_before(text, run.start)
    if word in _CODE_CUES:
        return True
    if _CODE.fullmatch(value) and not value.isdigit():
        return word in _CODE_CUES or run.digits <= 5 or value.startswith(("RID", "RPID", "C0"))
    return word in _SCAN and run.digits <= 6 and not any(map(str.isalpha, value))


def _is_year(digits: str) -> bool:
    return len(digits) == 4 and digits[:2] in {"19", "20"}
