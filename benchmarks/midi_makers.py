"""Makers of what is planted, by the names that ``midi_identity.txt`` uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import midi_numbers
from midi_dates import WAYS, date_maker
from midi_people import (
    EPONYMS,
    EVERYDAY,
    FAMILY_ASIAN,
    GIVEN_ASIAN,
    Person,
    city_name,
    from_faker,
    hospital_name,
    plain_letters,
    telling_words,
    western,
)
from midi_values import Value, World, name_value, number_value, place_value
from midi_words import half_of, vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

_STREETS: Final = ("Street", "Avenue", "St", "Ave", "Road", "Rd", "Lane", "Ln", "Drive", "Dr", "Blvd", "Boulevard",
                   "Court", "Way", "Place", "Terrace", "Parkway", "Close")  # fmt: skip


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
    joined = (
        f"{family} {given}" if world.patient.charset == "ISO_IR 144" or world.rng.random() < 0.3 else family + given
    )
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
    return name_value(
        rng.choice((f"{given} {family}", f"{family} {given}", f"{family.upper()} {given.upper()}")), person
    )


def _login(world: World) -> Value | None:
    person = world.patient.others[1]
    text = f"{person.given[0]}{person.family}".lower()
    return Value(text, (("word", text),))


def _phone_us(world: World) -> Value:
    area, rest = world.rng.randint(201, 989), f"{world.rng.randint(220, 989)}-{world.rng.randint(1000, 9999)}"
    middle, last = rest.split("-")
    text = world.rng.choice(
        (f"({area}) {rest}", f"{area}-{rest}", f"{area}.{middle}.{last}", f"{area} {middle} {last}")
    )
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
    local = rng.choice(
        (f"{person.given}.{person.family}", f"{person.given[0]}{person.family}", f"{person.family}{rng.randint(3, 88)}")
    )
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


def _old_age(world: World) -> Value:
    age = world.rng.randint(91, 104)
    text = world.rng.choice(
        (
            f"{age} year old",
            f"{age} y/o",
            f"{age}yo",
            f"aged {age}",
            f"age {age}",
            f"{age}-year-old",
            f"{age} years old",
        )
    )
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


def _ip(world: World) -> Value:
    text = from_faker(world.rng, "en_US").ipv4_private()
    return Value(text, (("text", text),))


def _plain_family(write: Callable[[str], str]) -> Callable[[World], Value | None]:
    """Return a maker of the family name alone, which must be long and no everyday word."""

    def make(world: World) -> Value | None:
        person = world.patient.person
        if world.patient.cued_only or len(person.family) < 4:
            return None
        return name_value(write(person.family), person)

    return make


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
    "capitals_family": _plain_family(str.upper),
    "plain_family": _plain_family(str),
    "native": _native,
    "maiden": _maiden,
    "id_raw": _id(lambda text: text),
    "id_digits": _id(_digits_of),
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
    "ip": _ip,
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
    "nhs": midi_numbers.nhs,
    "cpf": midi_numbers.cpf,
    "dni": midi_numbers.dni,
    "codice_fiscale": midi_numbers.codice_fiscale,
    "personnummer": midi_numbers.personnummer,
    "nir": midi_numbers.nir,
    "pesel": midi_numbers.pesel,
    "sin": midi_numbers.sin,
    "rrn": midi_numbers.rrn,
    "bsn": midi_numbers.bsn,
    "license": _alphanumeric(("MD", "G", "A", "RT"), (5, 7)),
    "npi": midi_numbers.npi,
    "dea": _alphanumeric(("AB", "BE", "FM", "MR"), (7, 7)),
    "passport": _alphanumeric(("C", "X", "L01", ""), (8, 8)),
    "serial": _alphanumeric(("PJN", "BLF", "RVDR", ""), (6, 8)),
    "old_age": _old_age,
    "uid_own": _uid_own,
    "uid_foreign": _uid_foreign,
    "operator_name": _operator,
    "hospital_header": _header_hospital,
    **{name: date_maker(name) for name in WAYS},
}
"""By the names that the sections of ``midi_identity.txt`` use; None where a maker has nothing for this patient."""
