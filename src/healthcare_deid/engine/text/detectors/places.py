"""Addresses, postcodes, cities, countries, and the names of care facilities."""

from __future__ import annotations

import re

from healthcare_deid.engine.text.detectors.base import PatternDetector, ignore_case
from healthcare_deid.engine.text.detectors.words import tokens_of
from healthcare_deid.engine.text.lexicon import fold, places, vocabulary, word_set
from healthcare_deid.engine.text.match import Match

_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|SD|TN|TX|"
    "UT|VT|VA|WA|WV|WI|WY|DC|PR|ON|QC|BC|AB|MB|SK|NS|NB|NL"
)
_WORD = r"[^\W\d_][\w.'\u2019-]*"


def _begins_with_a_name(address: str) -> bool:
    """Whether the word after the house number can begin a street's name: 12 Mill Road, not 28 by Dr."""
    word = address.split()[1]
    return word[0].isdigit() or ((word[0].isupper() or address.islower()) and fold(word) not in _NO_STREET)


_NO_STREET = word_set("no_street")

ADDRESSES = (
    PatternDetector(  # 12 Old Mill Road, Apt 4
        "LOCATION",
        ignore_case(
            rf"""(?<![\w./])\d{{1,5}}[A-Z]?(?:-\d{{1,4}})?,?\ (?:(?:N|S|E|W|NE|NW|SE|SW|north|south|east
                |west)\.?\ )?(?:(?:{_WORD}|\d{{1,3}}(?:st|nd|rd|th))\ ){{1,4}}
            (?:street|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|place|pl|square|sq
            |terrace|ter|parkway|pkwy|highway|hwy|circle|cir|way|crescent|close|alley|trail|trl)
            (?![\w])\.?(?:,?\ (?:apt|apartment|suite|ste|unit|floor|fl|\#)\.?\ ?\#?\w{{1,5}})?"""
        ),
        _begins_with_a_name,
        rank=6,
    ),
    PatternDetector(  # Hauptstraße 12, Rue de la Paix 4, Via Roma 3
        "LOCATION",
        re.compile(
            r"(?<!\w)(?:[^\W\d_][\w-]*(?:straße|strasse|str\.|gasse|weg|allee|platz|laan|straat|gatan|vägen|veien)|"
            r"(?:[^\W\d_][\w-]+ ){1,2}(?:Straße|Strasse|Str\.|Platz|Allee|Weg))\s?\d{1,4}\s?[a-z]?(?!\w)",
            re.IGNORECASE,
        ),
        rank=6,
    ),
    PatternDetector(
        "LOCATION",
        ignore_case(
            r"""(?<![\w])(?:(?:\d{1,4}(?:\ ?bis|\ ?ter)?,?\ )(?:rue|avenue|boulevard|place|chemin|all[ée]e|quai
                |impasse)\ (?:d[eu]s?\ |de\ la\ |l['\u2019])?[\w'\u2019-]+(?:\ [\w'\u2019-]+)?|
            (?:calle|avenida|avda\.?|paseo|plaza|via|viale|piazza|corso|rua|rue|ulica|ul\.)
            \ (?:d[eai]l?\ |della\ |de\ la\ )?[^\W\d_][\w'\u2019-]+
            (?:\ [^\W\d_][\w'\u2019-]+){0,2},?\ (?:n[.º°]?\ ?)?\d{1,4})(?!\w)"""
        ),
        rank=6,
    ),
    PatternDetector("LOCATION", ignore_case(r"(?<!\w)p\.?\s?o\.?\s?box\s?\#?\d+(?!\w)|(?<!\w)postfach\s\d+"), rank=6),
    PatternDetector(  # state and ZIP
        "LOCATION",
        re.compile(rf"(?<!\w)(?:{_STATES}),? \d{{5}}(?:-\d{{4}})?(?!\d)"),
        rank=6,
    ),
    PatternDetector(
        "LOCATION",
        ignore_case(r"\b(?:zip|postal|post)\s?(?:code)?\s?[:\#]?\s?(?P<value>\d{5}(?:-\d{4})?)(?!\d)"),
        rank=6,
    ),
    PatternDetector(  # United Kingdom, Canada
        "LOCATION",
        re.compile(
            r"(?<![\w-])(?:[A-PR-UWYZ][A-HK-Y]?\d[\dA-HJKPS-UW]? \d[ABD-HJLNP-UW-Z]{2}"
            r"|[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d)(?![\w-])"
        ),
        rank=6,
    ),
    PatternDetector(  # 69120 Heidelberg, D-10117 Berlin
        "LOCATION",
        re.compile(
            r"(?<![\w.-])(?:(?:D|A|CH|F|I|E|DK|NL"
            r"|B)-)?\d{4,5}(?: [A-Z]{2})? (?=[A-ZÄÖÜ][a-zäöüéè])(?P<city>[A-ZÄÖÜ][\wäöüß-]{3,}(?: (?:am|an der|im"
            r"|sur|en) [A-Z][\w-]+)?)"
        ),
        lambda text: fold(re.split(r"\d ", text)[-1].split(" ")[0]) not in vocabulary(),
        rank=6,
    ),
)

_FACILITY = (
    r"(?:hospitals?|hosp|medical\ (?:center|centre|ctr|group|imaging)|med(?:ical)?\.?\ (?:center|ctr)|clinics?"
    r"|infirmary|sanatorium|polyclinic|hospice|"
    r"(?:imaging|cancer|heart|health|diagnostic|radiology|surgery|surgical|trauma|breast|spine|outpatient|nursing"
    r"|care)\ (?:center|centre|ctr|associates|group|partners|institute|clinic|services|network|home)|"
    r"health\ ?(?:care|system|network|trust)|healthcare|nhs\ (?:foundation\ )?trust|radiology|imaging|diagnostics"
    r"|associates|"
    r"klinik(?:um|en)?|krankenhaus|spital|(?:uni(?:versitäts)?)?-?klinik(?:um)?|ziekenhuis|sykehus|sjukhus"
    r"|sygehus|sairaala|szpital|kórház|hastanesi|rsud)"
)
_FACILITY_AFTER = re.compile(
    rf"(?<![\w-])(?P<name>(?:(?:of|the|and|&|de|der|des|von|at|for)\ |(?:{_WORD}|&)\ ){{0,5}}?{_WORD}\ )"
    rf"(?P<kind>{_FACILITY})(?![\w-])".replace(r"\ ", " "),
    re.IGNORECASE,
)
_FACILITY_BEFORE = re.compile(
    r"(?<![\w-])(?:h[ôo]pital|hospital|ospedale|policlinico|clinique|cl[íi]nica|klinik(?:um)?|krankenhaus"
    r"|polyclinique|chu|chru|centre hospitalier|universit[yé] (?:hospital )?of|"
    r"university hospital|universit[äa]tsklinik(?:um)?|charit[ée]|azienda ospedaliera|instituto|institut)"
    rf"(?P<name>(?: (?:de|del|della|di|la|le|les|san|santa|saint|ste?\.?|of|für|der|universitario|general|civile"
    rf"|universitaire|d['\u2019])|[- ]{_WORD}){{1,4}})",
    re.IGNORECASE,
)
_COMPOUND_FACILITY = re.compile(
    r"(?<!\w)[^\W\d_]{3,}(?:krankenhaus|klinikum|klinik|spital|hospital|ziekenhuis|sjukhuset|sykehus)(?!\w)",
    re.IGNORECASE,
)
_STRONG_KIND = re.compile(
    r"hosp|medical c|med\.? c|infirmary|sanatorium|krankenhaus|klinikum|spital|ziekenhuis|trust|health ?care"
    r"|health system|hospice",
    re.IGNORECASE,
)
_GENERIC = word_set("generic")
_FACILITY_WORDS = word_set("facility_words")
_LABELS = re.compile(
    r"(?:institution|facility|site|hospital|clinic|location|ward|dept|department|from|to|at|by|for)[ :]+", re.IGNORECASE
)


_KIND_WORDS = word_set("kind_words")
_KIND_ENDINGS = ("krankenhaus", "klinikum", "klinik", "spital", "hospital", "ziekenhuis", "sjukhuset", "sykehus")


class FacilityDetector:
    """Finds hospitals, clinics and practices that are called by a name."""

    @property
    def info_types(self) -> frozenset[str]:
        """What it finds."""
        return frozenset({"ORGANIZATION_NAME"})

    @property
    def rank(self) -> int:
        """Its strength where findings overlap."""
        return 7

    def find(self, text: str) -> list[Match]:
        """Return the names, with the word for the kind of facility."""
        words = [token.word for token in tokens_of(text)]
        if _KIND_WORDS.isdisjoint(words) and not any(word.endswith(_KIND_ENDINGS) for word in words):
            return []
        found: list[Match] = []
        for match in _FACILITY_AFTER.finditer(text):
            start = _name_start(
                text, match.start("name"), match.end("name"), strong=bool(_STRONG_KIND.match(match["kind"]))
            )
            if start is not None:
                found.append(Match(start, match.end(), "ORGANIZATION_NAME"))
        for match in _FACILITY_BEFORE.finditer(text):
            end = _name_end(text, *match.span("name"))
            if end is not None:
                found.append(Match(match.start(), end, "ORGANIZATION_NAME"))
        found += [
            Match(match.start(), match.end(), "ORGANIZATION_NAME")
            for match in _COMPOUND_FACILITY.finditer(text)
            if fold(match[0]) not in vocabulary()
        ]
        return found


_NAME_WORD = re.compile(r"[^\W\d_][\w.'\u2019-]*|&")


def _words(text: str, start: int, end: int) -> list[tuple[int, int, str]]:
    return [(*word.span(), word[0]) for word in _NAME_WORD.finditer(text, start, end)]


def _name_start(text: str, start: int, end: int, *, strong: bool) -> int | None:
    """Return where the facility's name begins, walking left from its kind; None where it has none."""
    begin: int | None = None
    telling = False
    for low, _, word in reversed(_words(text, start, end)):
        plain = fold(word.rstrip(".")).replace("'s", "s").replace("\u2019s", "s")
        if plain in {"&", "of", "de", "der", "des", "von"} and begin is not None:
            continue
        if plain in _GENERIC and not (plain == "general" and strong):
            break
        if not (word[0].isupper() or text.islower()):
            break
        known_word = plain in vocabulary() and plain not in _FACILITY_WORDS
        if known_word and begin is not None and not telling:
            break
        if known_word and telling:
            break
        telling = telling or (not known_word)
        begin = low
    return begin if telling else None


def _name_end(text: str, start: int, end: int) -> int | None:
    last: int | None = None
    for _, high, word in _words(text, start, end):
        plain = fold(word.strip("."))
        if plain in {"de", "del", "della", "di", "la", "le", "les", "of", "fur", "der", "d"}:
            continue
        if not (word[0].isupper() or text.islower()) or (
            plain in vocabulary()
            and plain not in _FACILITY_WORDS | {"san", "santa", "general", "universitario", "civile"}
        ):
            break
        last = high
    return last


_CITY_AND_STATE = re.compile(
    rf"(?<![\w-])(?P<city>[A-Z][\w.'\u2019-]+(?: [A-Z][\w.'\u2019-]+){{0,2}}),? "
    rf"(?P<state>{_STATES})(?P<zip>,? \d{{5}}(?:-\d{{4}})?)?(?![\w-])"
)


_STATE_LETTERS = re.compile(rf", ?(?:{_STATES})\b|\b(?:{_STATES}),? \d{{5}}")


class PlaceDetector:
    """Finds countries, states and cities by list, and any city before a state's letters."""

    @property
    def info_types(self) -> frozenset[str]:
        """What it finds."""
        return frozenset({"LOCATION"})

    @property
    def rank(self) -> int:
        """Its strength where findings overlap."""
        return 8

    def find(self, text: str) -> list[Match]:
        """Return the places that are written with a capital."""
        lower = text.islower()
        tokens = tokens_of(text)
        found: list[Match] = []
        for index, token in enumerate(tokens):
            for words in places().get(token.word, ()):
                run = tokens[index : index + len(words)]
                if (lower or token.capital) and tuple(item.word for item in run) == words:
                    found.append(Match(token.start, run[-1].end, "LOCATION"))
                    break
        for match in _CITY_AND_STATE.finditer(text) if _STATE_LETTERS.search(text) else ():
            start = match.start("city")
            city = match["city"].split()
            while city and not match["zip"] and fold(city[0].strip(".,")) in vocabulary() and len(city) > 1:
                start += len(city.pop(0)) + 1
            comma = text[match.end("city")] == ","
            # MD is a doctor of medicine more often than Maryland.
            if not match["zip"] and (not comma or match["state"] == "MD"):
                continue
            if all(fold(word.strip(".,")) in vocabulary() for word in city) and not (match["zip"] and comma):
                continue
            found.append(Match(start, match.end(), "LOCATION"))
        return found
