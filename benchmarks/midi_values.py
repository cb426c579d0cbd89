"""What is planted: makers of names, numbers, dates and places, each with the forms in which it counts as still there."""

from __future__ import annotations

import datetime as dt
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from midi_people import (
    EPONYMS,
    EVERYDAY,
    FAMILY_ASIAN,
    GIVEN_ASIAN,
    Patient,
    Person,
    city_name,
    from_faker,
    hospital_name,
    plain_letters,
    telling_words,
    western,
)
from midi_words import Half, half_of, vocabulary

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FormKind = Literal["word", "text", "part", "digits", "loose"]
"""How a form is looked for: as a word or number, as a part of one, by its digits alone, as words in a row."""

_STREETS: Final = ("Street", "Avenue", "St", "Ave", "Road", "Rd", "Lane", "Ln", "Drive", "Dr", "Blvd", "Boulevard",
                   "Court", "Way", "Place", "Terrace", "Parkway", "Close")  # fmt: skip
_SPANISH: Final = ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
                   "noviembre", "diciembre")  # fmt: skip
_FRENCH: Final = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
                  "novembre", "décembre")  # fmt: skip
_GERMAN: Final = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
                  "November", "Dezember")  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A planted text.

    Attributes:
        text: As it stands in the element.
        forms: Any of these, found in a result, means that it is still there.
        own_element: Look in the element alone: the words are everyday ones, which may stand elsewhere.
        date: Look in elements other than dates: shifted dates may equal it.
    """

    text: str
    forms: tuple[tuple[FormKind, str], ...]
    own_element: bool = False
    date: bool = False


@dataclass(frozen=True)
class World:
    """What makers draw from: a patient, the UIDs of the instance, and chance."""

    rng: random.Random
    patient: Patient
    half: Half
    uids: tuple[str, ...]

    def digits(self, count: int) -> str:
        """Return a number of so many digits that does not begin with zero."""
        return str(self.rng.randint(10 ** (count - 1), 10**count - 1))

    def date(self) -> dt.date:
        """Return a day in the years before the studies."""
        return self.patient.first_study - dt.timedelta(days=self.rng.randint(20, 2500))


def name_value(text: str, person: Person, *, everyday: bool = False) -> Value:
    """Return a name; its words of three letters and more count, or the whole where it has none."""
    present = [part for part in person.parts if re.search(rf"(?i)(?<![^\W\d_]){re.escape(part)}(?![^\W\d_])", text)]
    long = [part for part in present if len(part) >= 3]
    if not long:
        return Value(text, (("loose", " ".join(present)), ("loose", " ".join(reversed(present)))))
    return Value(text, tuple(("word", part) for part in long), own_element=everyday)


def number_value(text: str) -> Value:
    """Return a number; with letters in it, the whole counts, and its digits if there are five or more."""
    digits = re.sub(r"\D", "", text)
    forms: list[tuple[FormKind, str]] = [("text", text)]
    if len(digits) >= 5:
        forms.append(("digits", digits.lstrip("0")))
    return Value(text, tuple(forms))


def place_value(text: str, *telling: str) -> Value:
    """Return a place; the words that tell which one count each."""
    return Value(text, tuple(("word", word) for word in telling))


def _patient(write: Callable[[Person], str], *, cue: bool = False) -> Callable[[World], Value | None]:
    """Return a maker of the patient's name; without ``cue`` only for names that no reader takes for a word."""

    def make(world: World) -> Value | None:
        patient = world.patient
        if patient.cued_only and not cue:
            return None
        return name_value(write(patient.person), patient.person, everyday=patient.cued_only)

    return make


def _full_family(write: Callable[[Person], str]) -> Callable[[World], Value | None]:
    """Return a maker that names the patient by the family name, which must be long enough to tell."""
    make = _patient(write, cue=True)
    return lambda world: make(world) if len(world.patient.person.family) >= 4 else None


def _native(world: World) -> Value | None:
    person = world.patient.person
    if not person.native_family:
        return None
    family, given = person.native_family, person.native_given
    joined = f"{family} {given}" if world.patient.charset == "ISO_IR 144" or world.rng.random() < 0.3 else family + given
    return Value(joined, (("part", family + given), ("part", f"{family} {given}")))


def _maiden(world: World) -> Value | None:
    person = world.patient.others[8]
    return name_value(person.family, person)


def _id(write: Callable[[str], str | None]) -> Callable[[World], Value | None]:
    def make(world: World) -> Value | None:
        text = write(world.patient.patient_id)
        return number_value(text) if text else None

    return make


def _digits_of(identifier: str) -> str:
    return re.sub(r"\D", "", identifier)


def _dashed(identifier: str) -> str:
    digits = _digits_of(identifier).lstrip("0")
    return f"{digits[:-6]}-{digits[-6:-3]}-{digits[-3:]}"


def _other(write: Callable[[Person], str]) -> Callable[[World], Value | None]:
    def make(world: World) -> Value | None:
        person = world.rng.choice(world.patient.others[:8])
        return name_value(write(person), person)

    return make


def _words(choices: tuple[str, ...], write: Callable[[World, str], str]) -> Callable[[World], Value | None]:
    """Return a maker of names from a list of words; each half of the set has its own."""

    def make(world: World) -> Value | None:
        word = world.rng.choice(half_of(list(choices), world.half))
        person = Person(word, western(world.rng, "en_US").given)
        return name_value(write(world, f"{word} {person.given}"), person, everyday=True)

    return make


def _everyday(world: World, name: str) -> str:
    family, given = name.split()
    return world.rng.choice((family, f"{given} {family}", family))


def _two_letter(world: World) -> Value | None:
    rng = world.rng
    family, given = (rng.choice(half_of(list(names), world.half)) for names in (FAMILY_ASIAN, GIVEN_ASIAN))
    person = Person(family, given)
    return name_value(rng.choice((f"{given} {family}", f"{family} {given}", f"{family.upper()} {given.upper()}")), person)


def _login(world: World) -> Value | None:
    person = world.patient.others[1]
    text = f"{person.given[0]}{person.family}".lower()
    return Value(text, (("word", text),))


def _phone_us(world: World) -> Value:
    area, rest = world.rng.randint(201, 989), f"{world.rng.randint(220, 989)}-{world.rng.randint(1000, 9999)}"
    middle, last = rest.split("-")
    text = world.rng.choice((f"({area}) {rest}", f"{area}-{rest}", f"{area}.{middle}.{last}", f"{area} {middle} {last}"))
    return Value(text, (("digits", f"{area}{middle}{last}"), ("digits", f"{middle}{last}")))


def _phone_international(world: World) -> Value:
    digits = world.digits
    text = world.rng.choice((
        f"+44 20 {digits(4)} {digits(4)}",
        f"+49 89 {digits(7)}",
        f"+33 1 {digits(2)} {digits(2)} {digits(2)} {digits(2)}",
        f"+81-3-{digits(4)}-{digits(4)}",
        f"+46 8 {digits(3)} {digits(3)} {digits(2)}",
        f"0{digits(2)}-{digits(4)} {digits(4)}",
    ))  # fmt: skip
    return Value(text, (("digits", _digits_of(text)), ("digits", _digits_of(text)[-7:])))


def _street(world: World) -> Value:
    while True:
        name = plain_letters(from_faker(world.rng, "en_US", "en_GB").street_name()).split()[0]
        if name.isalpha() and len(name) >= 4 and name.lower() not in vocabulary():
            ending = world.rng.choice(half_of(list(_STREETS), world.half))
            return place_value(f"{world.rng.randint(11, 9870)} {name} {ending}", name)


def _street_foreign(world: World) -> Value:
    rng, name = world.rng, western(world.rng, "de_DE", "fr_FR", "it_IT", "es_ES").family
    house = rng.randint(2, 188)
    text = rng.choice((f"{name}straße {house}", f"{name}weg {house}", f"{house} rue {name}", f"Via {name} {house}",
                       f"Calle {name} {house}", f"{house} avenue {name}"))  # fmt: skip
    return Value(text, (("part", name),))


def _city_zip(world: World) -> Value:
    faker = from_faker(world.rng, "en_US")
    city, code = city_name(world.rng), faker.postcode()
    return Value(f"{city}, {faker.state_abbr()} {code}", (("word", city), ("digits", code)))


def _email(world: World) -> Value:
    rng, person = world.rng, world.rng.choice(world.patient.others)
    local = rng.choice((f"{person.given}.{person.family}", f"{person.given[0]}{person.family}", f"{person.family}{rng.randint(3, 88)}"))
    domain = f"{city_name(rng).lower()}{rng.choice(('clinic.org', '-health.com', 'hosp.net', 'mail.example.com'))}"
    return Value(f"{local.lower()}@{domain}", (("text", local), ("text", domain)))


def _url(world: World) -> Value:
    host = f"{world.rng.choice(('pacs', 'portal', 'ris', 'viewer'))}.{city_name(world.rng).lower()}-health.org"
    page = world.rng.choice((f"/patient/{world.digits(7)}", f"/study?acc={world.digits(8)}", "/worklist"))
    return Value(f"https://{host}{page}", (("text", host),))


def _hospital(world: World) -> Value:
    patient = world.patient
    text = patient.hospital if world.rng.random() < 0.3 else hospital_name(world.rng, city_name(world.rng))
    return place_value(text, *telling_words(text))


def _place(*frames: str) -> Callable[[World], Value | None]:
    def make(world: World) -> Value:
        name = city_name(world.rng) if world.rng.random() < 0.5 else western(world.rng, "en_US", "en_GB").family
        return place_value(world.rng.choice(half_of(list(frames), world.half)).format(name), name)

    return make


def _mod97(number: int) -> str:
    return f"{97 - number % 97:02d}"


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _luhn(digits: str) -> str:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        step = int(digit) * (2 if index % 2 == 0 else 1)
        total += step - 9 if step > 9 else step
    return str(-total % 10)


def _nhs(world: World) -> Value:
    while True:
        digits = world.digits(9)
        check = 11 - _weighted(digits, tuple(range(10, 1, -1))) % 11
        if check != 10:
            whole = f"{digits}{check % 11}"
            return number_value(world.rng.choice((f"{whole[:3]} {whole[3:6]} {whole[6:]}", whole)))


def _cpf(world: World) -> Value:
    digits = world.digits(9)
    for length in (9, 10):
        rest = _weighted(digits, tuple(range(length + 1, 1, -1))) * 10 % 11
        digits += str(rest % 10)
    return number_value(f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}")


def _dni(world: World) -> Value:
    number = int(world.digits(8))
    return number_value(f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}")


def _codice_fiscale(world: World) -> Value:
    letters = lambda count: "".join(world.rng.choice("BCDFGLMNPRST") for _ in range(count))  # noqa: E731
    birth = world.patient.birth
    month = "ABCDEHLMPRST"[birth.month - 1]
    text = f"{letters(6)}{birth:%y}{month}{birth:%d}{letters(1)}{world.digits(3)}{letters(1)}"
    return Value(text, (("text", text),))


def _personnummer(world: World) -> Value:
    start = f"{world.patient.birth:%y%m%d}{world.digits(3)}"
    whole = start + _luhn(start)
    return number_value(f"{whole[:6]}-{whole[6:]}")


def _nir(world: World) -> Value:
    birth = world.patient.birth
    body = f"{world.rng.randint(1, 2)}{birth:%y%m}{world.rng.randint(11, 95)}{world.digits(3)}{world.digits(3)}"
    key = _mod97(int(body))
    return number_value(f"{body[0]} {body[1:3]} {body[3:5]} {body[5:7]} {body[7:10]} {body[10:]} {key}")


def _pesel(world: World) -> Value:
    body = f"{world.patient.birth:%y%m%d}{world.digits(4)}"
    return number_value(body + str(-_weighted(body, (1, 3, 7, 9) * 3) % 10))


def _sin(world: World) -> Value:
    body = world.digits(8)
    whole = body + _luhn(body)
    return number_value(f"{whole[:3]} {whole[3:6]} {whole[6:]}")


def _rrn(world: World) -> Value:
    body = f"{world.patient.birth:%y%m%d}{world.rng.randint(1, 2)}{world.digits(5)}"
    check = (11 - _weighted(body, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return number_value(f"{body[:6]}-{body[6:]}{check}")


def _bsn(world: World) -> Value:
    while True:
        body = world.digits(8)
        check = _weighted(body, tuple(range(9, 1, -1))) % 11
        if check < 10:
            return number_value(f"{body}{check}")


def _npi(world: World) -> Value:
    body = f"1{world.digits(8)}"
    return number_value(body + _luhn(f"80840{body}"))


def _date(
    write: Callable[[dt.date, World], str], *, birth: bool = False, telling: Callable[[str], str] = str
) -> Callable[[World], Value | None]:
    """Return a maker of dates; ``telling`` cuts the part that must not be left."""

    def make(world: World) -> Value:
        text = write(world.patient.birth if birth else world.date(), world)
        return Value(text, (("text", telling(text)),), date=True)

    return make


def _ordinal(day: int) -> str:
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def _old_age(world: World) -> Value:
    age = world.rng.randint(91, 104)
    text = world.rng.choice((f"{age} year old", f"{age} y/o", f"{age}yo", f"aged {age}", f"age {age}", f"{age}-year-old", f"{age} years"))
    return Value(text, (("text", text),), own_element=True)


def _uid_foreign(world: World) -> Value:
    text = f"1.2.840.{world.rng.randint(113600, 113999)}.{world.digits(6)}.{world.digits(9)}.{world.digits(4)}"
    return Value(text, (("text", text),))


def _uid_own(world: World) -> Value:
    text = world.rng.choice(world.uids)
    return Value(text, (("text", text),))


def _uid_url(world: World) -> Value:
    host, uid = f"pacs.{city_name(world.rng).lower()}.org", world.uids[0]
    return Value(f"http://{host}/wado?studyUID={uid}", (("text", host), ("text", uid)))


def _header_hospital(world: World) -> Value:
    return place_value(world.patient.hospital, *telling_words(world.patient.hospital))


def _operator(world: World) -> Value:
    person = world.patient.others[1]
    return name_value(person.family.upper(), person)


def _alphanumeric(prefixes: tuple[str, ...], count: tuple[int, int]) -> Callable[[World], Value | None]:
    return lambda world: number_value(world.rng.choice(prefixes) + world.digits(world.rng.randint(*count)))


MAKERS: Final[dict[str, Callable[[World], Value | None]]] = {
    "caret": _patient(lambda p: f"{p.family}^{p.given}" + (f"^{p.middle}" if p.middle else "")),
    "first_last": _patient(lambda p: f"{p.given} {p.family}", cue=True),
    "last_first": _patient(lambda p: f"{p.family} {p.given}"),
    "last_comma": _patient(lambda p: f"{p.family}, {p.given}"),
    "capitals": _patient(lambda p: f"{p.family} {p.given}".upper()),
    "capitals_comma": _patient(lambda p: f"{p.family},{p.given}".upper()),
    "family": _full_family(lambda p: p.family),
    "initials_family": _full_family(lambda p: f"{p.given[0]}. {p.family}"),
    "family_initial": _full_family(lambda p: f"{p.family} {p.given[0]}"),
    "lower": _patient(lambda p: f"{p.given} {p.family}".lower()),
    "underscore": _patient(lambda p: f"{p.family}_{p.given}".lower()),
    "capitals_family": lambda world: None if world.patient.cued_only else _full_family(lambda p: p.family.upper())(world),
    "native": _native,
    "maiden": _maiden,
    "id_raw": _id(lambda text: text),
    "id_digits": _id(lambda text: _digits_of(text)),
    "id_unpadded": _id(lambda text: _digits_of(text).lstrip("0")),
    "id_padded": _id(lambda text: _digits_of(text).lstrip("0").zfill(11)),
    "id_dashed": _id(_dashed),
    "login": _login,
    "other_full": _other(lambda p: f"{p.given} {p.family}"),
    "other_family": _other(lambda p: p.family),
    "other_first": _other(lambda p: p.given),
    "other_lower": _other(lambda p: p.family.lower()),
    "other_capitals": _other(lambda p: f"{p.given} {p.family}".upper()),
    "other_comma": _other(lambda p: f"{p.family}, {p.given}"),
    "other_initial": _other(lambda p: f"{p.given[0]}. {p.family}"),
    "everyday": _words(EVERYDAY, _everyday),
    "eponym_name": _words(EPONYMS, lambda world, name: name.split()[0]),
    "two_letter": _two_letter,
    "phone_us": _phone_us,
    "phone_intl": _phone_international,
    "pager": lambda world: number_value(world.digits(5)),
    "street": _street,
    "street_foreign": _street_foreign,
    "city_zip": _city_zip,
    "email": _email,
    "url": _url,
    "uid_url": _uid_url,
    "ip": lambda world: (lambda ip: Value(ip, (("text", ip),)))(from_faker(world.rng, "en_US").ipv4_private()),
    "hospital": _hospital,
    "clinic": _place("{} Clinic", "{} Family Clinic", "{} Orthopedic Clinic", "{} Women's Clinic"),
    "imaging_center": _place("{} Imaging Center", "{} Radiology Associates", "{} Diagnostic Imaging", "{} MRI Center"),
    "university": _place("University Hospital {}", "{} University Hospital", "University of {} Medical Center"),
    "hospital_foreign": _place("Klinikum {}", "Hôpital {}", "Ospedale {}", "Krankenhaus {}", "CHU {}", "Clínica {}"),
    "accession_header": lambda world: number_value(world.patient.accession),
    "accession": _alphanumeric(("A", "", "RAD", "X"), (7, 9)),
    "mrn": _alphanumeric(("", "", "M", "00"), (6, 8)),
    "digits": _alphanumeric(("",), (6, 9)),
    "case_number": lambda world: number_value(f"S{world.rng.randint(10, 19)}-{world.digits(5)}"),
    "member": _alphanumeric(("", "XQZ", "H", "W00"), (7, 9)),
    "bare": _alphanumeric(("",), (7, 8)),
    "ssn": lambda world: number_value(f"{world.rng.randint(101, 665)}-{world.rng.randint(11, 98)}-{world.digits(4)}"),
    "nhs": _nhs,
    "cpf": _cpf,
    "dni": _dni,
    "codice_fiscale": _codice_fiscale,
    "personnummer": _personnummer,
    "nir": _nir,
    "pesel": _pesel,
    "sin": _sin,
    "rrn": _rrn,
    "bsn": _bsn,
    "license": _alphanumeric(("MD", "G", "A", "RT"), (5, 7)),
    "npi": _npi,
    "dea": lambda world: number_value(f"{world.rng.choice('ABFM')}{world.rng.choice(string.ascii_uppercase)}{world.digits(7)}"),
    "passport": _alphanumeric(("C", "X", "L01", ""), (8, 8)),
    "serial": _alphanumeric(("PJN", "BLF", "RVDR", ""), (6, 8)),
    "birth": _date(lambda day, world: world.rng.choice((f"{day:%m/%d/%Y}", f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day.day} {day:%b %Y}")), birth=True),
    "date_iso": _date(lambda day, _: f"{day:%Y-%m-%d}"),
    "date_slash_iso": _date(lambda day, _: f"{day:%Y/%m/%d}"),
    "date_us": _date(lambda day, world: world.rng.choice((f"{day:%m/%d/%Y}", f"{day.month}/{day.day}/{day:%Y}"))),
    "date_german": _date(lambda day, _: f"{day:%d.%m.%Y}"),
    "date_dash": _date(lambda day, _: f"{day:%m-%d-%Y}"),
    "date_compact": _date(lambda day, _: f"{day:%Y%m%d}"),
    "date_short": _date(lambda day, world: world.rng.choice((f"{day.month}-{day:%d-%y}", f"{day:%m/%d/%y}", f"{day:%d.%m.%y}"))),
    "date_long": _date(lambda day, _: f"{day.day} {day:%B %Y}"),
    "date_us_long": _date(lambda day, world: world.rng.choice((f"{day:%B} {day.day}, {day:%Y}", f"{day:%b} {day.day} {day:%Y}"))),
    "date_abbreviated": _date(lambda day, world: world.rng.choice((f"{day:%d-%b-%y}".upper(), f"{day:%d%b%Y}".upper(), f"{day:%d-%b-%Y}"))),
    "date_ordinal": _date(lambda day, world: world.rng.choice((f"{_ordinal(day.day)} of {day:%B %Y}", f"{day:%B} {_ordinal(day.day)}, {day:%Y}"))),
    "date_weekday": _date(lambda day, _: f"{day:%a} {day.day} {day:%b %Y}", telling=lambda text: text[4:]),
    "date_german_words": _date(lambda day, _: f"{day.day}. {_GERMAN[day.month - 1]} {day:%Y}"),
    "date_spanish": _date(lambda day, _: f"{day.day} de {_SPANISH[day.month - 1]} de {day:%Y}"),
    "date_french": _date(lambda day, _: f"{day.day} {_FRENCH[day.month - 1]} {day:%Y}"),
    "date_time": _date(lambda day, world: world.rng.choice((f"{day:%Y-%m-%d} 14:22", f"{day:%m/%d/%Y} 9:05 AM", f"{day:%Y%m%d}112233", f"{day:%Y-%m-%d}T08:31:00")), telling=lambda text: re.split("[ T]", text)[0]),
    "date_month_year": _date(lambda day, world: world.rng.choice((f"{day:%b %Y}", f"{day:%B %Y}"))),
    "date_numeric_month": _date(lambda day, world: world.rng.choice((f"{day:%m.%Y}", f"{day:%m/%Y}"))),
    "date_day_month": _date(lambda day, world: world.rng.choice((f"{day:%m/%d}", f"{day:%b} {day.day}", f"{_ordinal(day.day)} {day:%B}"))),
    "old_age": _old_age,
    "uid_own": _uid_own,
    "uid_foreign": _uid_foreign,
    "operator_name": _operator,
    "hospital_header": _header_hospital,
}  # fmt: skip
"""By the names that the sections of ``midi_identity.txt`` use; None where a maker has nothing for this patient."""
