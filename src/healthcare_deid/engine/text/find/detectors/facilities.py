"""Detector of hospitals, clinics and practices with a name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.streets import PLACE_NOUNS
from healthcare_deid.engine.text.find.detectors.words import matches_at, words_of
from healthcare_deid.engine.text.find.lexicon import first_names, fold, surnames, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = r"[^\W\d_][\w.'\u2019-]*"
_FACILITY = (
    r"(?:hospitals?|hosp|medical\ (?:center|centre|ctr|group|imaging)|med(?:ical)?\.?\ (?:center|ctr)|clinics?"
    r"|infirmary|sanatorium|polyclinic|hospice|"
    r"(?:imaging|cancer|heart|health|diagnostic|radiology|surgery|surgical|trauma|breast|spine|outpatient|nursing"
    r"|care)\ (?:center|centre|ctr|associates|group|partners|institute|clinic|services|network|home)|"
    r"(?:dialysis|infusion|surgical|rehabilitation|rehab|outpatient|ambulatory|emergency|trauma"
    r"|burns?)\ (?:unit|suite)|"
    r"(?:medical|outpatient|surgical|imaging|cancer|heart|womens?'?s?)\ pavilion|pavilion|"
    r"(?:family|home|community|behaviou?ral|mental|women'?s|student|public|occupational|rural|urgent)\ (?:health|care)|"
    r"(?:treatment|recovery|therapy|counseling|transplant|fertility|hearing|vision|dental|skin|allergy|endoscopy|oncology"
    r"|cardiac|stroke|diabetes|arthritis|respite|convalescent|veterans|health|wound)"
    r"\ (?:center|centre|clinic|institute|unit|group|suite|lab|laboratory|hospital)|"
    r"medical\ (?:plaza|arts|building|campus|office)|care\ (?:home|village)|day\ (?:hospital|unit)|nursing\ facility|"
    r"(?:blood|eye|tissue)\ bank|(?:community|memorial|general|regional)\ hospital|laborator(?:y|ies)|long-term\ care|"
    r"day\ surgery|(?:adult\ )?day\ program(?:me)?|laboratory\ services|(?:assisted|senior)\ living|pharmacy|"
    r"(?:family|group|medical)\ practice|physicians|p(?:a)?ediatrics|orthop(?:a)?edics|"
    r"(?:infusion|surgical|dialysis|rehabilitation|wellness|birth|birthing|burns?|eye|kidney|memory|pain|sleep"
    r"|urgent\ care|women's|children's)"
    r"\ (?:center|centre|ctr)|"
    r"health\ ?(?:care|system|network|trust|center|centre|partners|services)|healthcare"
    r"|nhs\ (?:foundation\ )?trust|radiology|imaging|diagnostics"
    r"|associates|"
    r"klinik(?:um|en)?|krankenhaus|spital|(?:uni(?:versitäts)?)?-?klinik(?:um)?|ziekenhuis|sykehus|sjukhus"
    r"|sygehus|sairaala|szpital|kórház|hastanesi|rsud)"
)
# The kind follows the name: Mercy General Hospital.
_FACILITY_AFTER = re.compile(
    rf"(?<![\w-])(?P<name>(?:(?:of|the|and|&|de|der|des|von|at|for)\ |(?:{_WORD}|&)\ ){{0,5}}?{_WORD}\ )"
    rf"(?P<kind>{_FACILITY})(?![\w-])".replace(r"\ ", " "),
    re.IGNORECASE,
)
_KIND = re.compile(rf"(?<![\w-]){_FACILITY}(?![\w-])".replace(r"\ ", " "), re.IGNORECASE)
# Most words of a name with its kind, plus one.
_MOST_WORDS = 8
# The kind precedes the name: Hôpital Saint-Louis, University of Utah.
_FACILITY_BEFORE = re.compile(
    r"(?<![\w-])(?:h[ôo]pita(?:l|ux)|hosp\.?|chuv|akh|lmu|kuk|umc|uz|az|oz|hospital|ospedale|policlinico|clinique|cl[íi]nica|klinik(?:um)?|krankenhaus"
    r"|polyclinique|chu|chru|centre hospitalier|universit[yé] (?:hospital )?of|"
    r"university hospital|universit[äa]tsklinik(?:um)?|charit[ée]|azienda ospedaliera|instituto|institut)"
    rf"(?P<name>(?: (?:(?:de|del|della|di|la|le|les|san|santa|saint|ste?\.?|of|für|der|universitario|general|civile"
    rf"|universitaire)(?!\w)|d['\u2019])|[- ]{_WORD}){{1,4}})",
    re.IGNORECASE,
)
# Name and kind are one word: Marienkrankenhaus.
_COMPOUND_FACILITY = re.compile(
    r"(?<!\w)[^\W\d_]{3,}(?:krankenhaus|klinikum|klinik|spital|hospital|ziekenhuis|sjukhuset|sykehus)(?!\w)",
    re.IGNORECASE,
)
# Kinds that also make "General" part of a name: General Hospital, but not General Radiology.
_STRONG_KIND = re.compile(
    r"hosp|medical c|med\.? c|infirmary|sanatorium|krankenhaus|klinikum|spital|ziekenhuis|trust|health ?care"
    r"|health system|hospice",
    re.IGNORECASE,
)
_GENERIC = word_set("generic")
_FACILITY_WORDS = word_set("facility_words")
_SMALL_WORDS = frozenset({"&", "of", "de", "der", "des", "von", "and"})
_LEADS_IN = frozenset(["at", "to", "from", "in", "by", "for", "visited", "near", "outside", "the", "via"])
_MODIFIERS = word_set("facility_modifiers")
_BODY_PARTS = word_set("body_parts")


_KIND_WORDS = word_set("kind_words")
_KIND_BEGINNINGS = word_set("kind_beginnings")
_KINDS_BEFORE = word_set("kinds_before")
_KIND_ENDINGS = ("krankenhaus", "klinikum", "klinik", "spital", "hospital", "ziekenhuis", "sjukhuset", "sykehus")


class FacilityDetector:
    """Finds hospitals, clinics and practices with a name."""

    @property
    def info_types(self) -> frozenset[str]:
        """InfoTypes that it finds."""
        return frozenset({"ORGANIZATION_NAME"})

    @property
    def rank(self) -> int:
        """Precedence among overlapping findings; lower wins."""
        return 7

    def find(self, text: str) -> list[Match]:
        """Return the names, including the word for the kind of facility."""
        words = words_of(text)
        has_compound = any(word.endswith(_KIND_ENDINGS) for word in words)
        if not has_compound and _KIND_WORDS.isdisjoint(words):
            return []
        found: list[Match] = []
        for match in _named_by_kind(text):
            start = _name_start(
                text, match.start("name"), match.end("name"), strong=bool(_STRONG_KIND.match(match["kind"]))
            )
            if start is not None:
                found.append(Match(start, match.end(), "ORGANIZATION_NAME"))
        for match in matches_at(_FACILITY_BEFORE, text, _KINDS_BEFORE):
            end = _name_end(text, *match.span("name"))
            if end is not None:
                found.append(Match(match.start(), end, "ORGANIZATION_NAME"))
        if has_compound:
            found += [
                Match(match.start(), match.end(), "ORGANIZATION_NAME")
                for match in _COMPOUND_FACILITY.finditer(text)
                if fold(match[0]) not in vocabulary()
            ]
        return found


def _named_by_kind(text: str) -> Iterator[re.Match[str]]:
    """Yield names that precede their kind."""
    # Only the surroundings of kinds are searched: trying every word took five times as long.
    begin = end = 0
    for kind in matches_at(_KIND, text, _KIND_BEGINNINGS):
        start = kind.start()
        for _ in range(_MOST_WORDS):
            start = max(0, text.rfind(" ", 0, start))
        if start > end:
            yield from _FACILITY_AFTER.finditer(text, begin, end)
            begin = start
        end = min(len(text), kind.end() + 1)
    yield from _FACILITY_AFTER.finditer(text, begin, end)


_NAME_WORD = re.compile(r"[^\W\d_][\w.'\u2019-]*|&")


def _words(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    return [(*word.span(), word[0]) for word in _NAME_WORD.finditer(text, start, end)]


def _name_start(text: str, start: int, end: int, *, strong: bool) -> int | None:
    """Return the start of a facility's name, walking left from its kind.

    A name starts where another style or a code ends: CHEST PA LAT Mercy General Hospital, T12-L1 Northside Imaging
    Center. Returns None if there is no name.
    """
    begin: int | None = None
    pending: int | None = None
    telling = False
    following = ""
    kind_is_capital, kind_is_upper = text[end : end + 1].isupper(), text[end : end + 2].isupper()
    for low, _, word in reversed(_words(text, start, end)):
        plain = fold(word.rstrip(".")).replace("'s", "s").replace("\u2019s", "s")
        if plain in _SMALL_WORDS and begin is not None and (kind_is_upper or not word[0].isupper()):
            continue
        if word.isupper() and len(word) > 1 and not kind_is_upper and kind_is_capital and begin is not None:
            break
        if any(map(str.isdigit, word)) or (plain in _GENERIC and not (plain == "general" and strong)):
            if plain in _LEADS_IN and pending is not None:
                begin, telling = pending, True  # at Orchid Bay Rehabilitation Hospital
            break
        if not (word[0].isupper() or text.islower()):
            break
        if plain in _MODIFIERS and plain not in _FACILITY_WORDS:
            begin = low
            continue
        mixed = kind_is_capital and not kind_is_upper and not word.isupper()
        is_named = mixed and _can_be_a_name(plain)
        if plain in vocabulary() and plain not in _FACILITY_WORDS and not is_named:
            if mixed and word[0].isupper():
                pending, following = low, plain
                continue
            if begin is not None:
                break
        elif pending is not None and following not in PLACE_NOUNS:
            break
        else:
            telling = True
        begin, following = low, plain
    return begin if telling else None


def _can_be_a_name(plain: str) -> bool:
    return (plain in surnames() or plain in first_names()) and plain not in _BODY_PARTS


def _name_end(text: str, start: int, end: int) -> int | None:
    last: int | None = None
    for _, high, word in _words(text, start, end):
        plain = fold(word.strip("."))
        if plain in {"de", "del", "della", "di", "la", "le", "les", "of", "fur", "der", "d"}:
            continue
        if not (word[0].isupper() or text.islower()) or (
            plain in vocabulary()
            and not (word[0].isupper() and not word.isupper() and last is None and _can_be_a_name(plain))
            and plain not in _FACILITY_WORDS | {"san", "santa", "general", "universitario", "civile"}
        ):
            break
        last = high
    return last
