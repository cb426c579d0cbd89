"""Invented patients with the people, places and numbers around them, from faker's lists of names."""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from faker import Faker
from midi_words import Half, half_of, vocabulary

if TYPE_CHECKING:
    import random

WESTERN: Final = ("en_US", "en_GB", "es_ES", "fr_FR", "de_DE", "it_IT", "nl_NL", "pt_BR", "sv_SE", "fi_FI", "hr_HR")
ACCENTS: Final = ("de_DE", "fr_FR", "sv_SE", "es_ES")
FAMILY_ASIAN: Final = ("Li", "Wu", "Xu", "He", "Ma", "Hu", "Lu", "Yu", "Ye", "Su", "Du", "Ng", "Ho", "Vu", "Le", "Oh")
GIVEN_ASIAN: Final = ("Bo", "Yi", "Na", "Li", "Jo", "Qi", "Hu", "Ai", "Ya", "Ke", "Mi", "Xi", "Yu", "Lu", "Ju", "Bi")
EVERYDAY: Final = (
    "Walker", "Holmes", "Rose", "Stone", "Rice", "Young", "Best", "Fields", "Long", "Brown", "Cook", "Woods", "King",
    "Price", "Day", "May", "Banks", "Hope", "Church", "Park", "Page", "Frost", "Snow", "Marsh", "Berry", "Sharp",
    "Wise", "Strong", "Moody", "Waters", "Singer", "Hunter", "Bishop", "Carpenter", "Porter", "Fisher",
)  # fmt: skip
EVERYDAY_GIVEN: Final = (
    "Grace",
    "Joy",
    "Faith",
    "Will",
    "Mark",
    "Pat",
    "Dawn",
    "Summer",
    "Bill",
    "Rich",
    "Art",
    "Hazel",
)
EPONYMS: Final = (
    "Graves", "Baker", "Wilson", "Parkinson", "Bennett", "Jones", "Barton", "Paget", "Murphy", "Morton", "Addison",
    "Turner", "Harris", "Morrison", "Jefferson", "Bell",
)  # fmt: skip
NATIVE: Final = {"zh_CN": "GB18030", "ja_JP": "\\ISO 2022 IR 87", "ko_KR": "\\ISO 2022 IR 149", "ru_RU": "ISO_IR 144"}
"""Native scripts: faker's locale, and the Specific Character Set that the instances declare."""

# Kinds of patients; each comes up in every set.
KINDS: Final = (
    "plain", "hyphen", "short", "plain", "everyday", "zh_CN", "plain", "accent", "eponym", "plain", "ja_JP",
    "middle", "plain", "utf-8", "short", "undeclared", "plain", "ru_RU", "middle", "everyday", "plain", "ko_KR",
    "hyphen", "plain", "undeclared", "accent", "middle", "short", "plain", "eponym", "utf-8", "plain", "zh_CN",
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A name: Latin letters as they stand in texts, and where there is one the same in a native script."""

    family: str
    given: str
    middle: str = ""
    native_family: str = ""
    native_given: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's words, hyphenated ones apart too."""
        whole = f"{self.family} {self.given} {self.middle}"
        return tuple(dict.fromkeys(word for word in re.split(r"[\s\-'.]+", whole) if word))

    @property
    def pn(self) -> str:
        """The value of an element of VR PN."""
        latin = f"{self.family}^{self.given}^{self.middle}".rstrip("^")
        return f"{latin}={self.native_family}^{self.native_given}" if self.native_family else latin


@dataclass(frozen=True)
class Patient:
    """A patient and everybody and everything that the texts about them may name.

    Attributes:
        kind: Of `KINDS`.
        charset: Specific Character Set of the instances.
        wrong_codec: How native text is encoded in spite of ``charset``; empty where the two agree.
        others: Physicians, technologists, relatives; the first three also stand in the header.
    """

    kind: str
    person: Person
    charset: str
    wrong_codec: str
    patient_id: str
    accession: str
    birth: dt.date
    others: tuple[Person, ...]
    hospital: str
    city: str
    first_study: dt.date

    @property
    def cued_only(self) -> bool:
        """Whether the name is made of everyday or clinical words, so that only a cue tells."""
        return self.kind in ("everyday", "eponym")

    @property
    def words(self) -> frozenset[str]:
        """Words of all names, which no kept phrase near them may hold."""
        people = (self.person, *self.others)
        return frozenset(part.lower() for person in people for part in person.parts)


@functools.cache
def fakers(*locales: str) -> tuple[Faker, ...]:
    """Return a generator for each locale; the caller seeds them."""
    return tuple(Faker(locale) for locale in locales)


def plain_letters(text: str) -> str:
    """Return a text without accents, as systems without character sets write it."""
    special = str.maketrans(
        {"ß": "ss", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae"}
    )
    parts = unicodedata.normalize("NFKD", text.translate(special))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def from_faker(rng: random.Random, *locales: str) -> Faker:
    """Return the generator of one of the locales, seeded by the next number of *rng*."""
    (faker,) = fakers(rng.choice(locales))
    faker.seed_instance(rng.getrandbits(32))
    return faker


def western(rng: random.Random, *locales: str, accents: bool = False, hyphen: bool = False) -> Person:
    """Return a person none of whose names is a word of the phrases."""
    while True:
        faker = from_faker(rng, *(locales or WESTERN))
        family = f"{faker.last_name()}-{faker.last_name()}" if hyphen else faker.last_name()
        person = Person(family, faker.first_name(), faker.first_name() if rng.random() < 0.3 else "")
        if not accents:
            person = Person(*(plain_letters(name) for name in (person.family, person.given, person.middle)))
        elif (plain_letters(person.family), plain_letters(person.given)) == (person.family, person.given):
            continue
        known = vocabulary() | {word.lower() for word in (*EVERYDAY, *EVERYDAY_GIVEN, *EPONYMS)}
        single = " " not in person.family + person.given and len({*person.parts}) >= 2
        if single and all(len(part) >= 4 and part.isalpha() and part.lower() not in known for part in person.parts):
            return person


def _native(rng: random.Random, locale: str) -> Person:
    latin = western(rng, "fi_FI", "hr_HR")
    codec = {"zh_CN": "gb18030", "ja_JP": "shift_jis", "ko_KR": "euc_kr", "ru_RU": "iso8859_5"}[locale]
    while True:
        faker = from_faker(rng, locale)
        if locale == "ru_RU":
            family, given = faker.last_name_male(), faker.first_name_male()
        else:
            family, given = faker.last_name(), faker.first_name()
        # The second byte of a Shift-JIS or GB character may be one that ends a value or a part of a name.
        if not set(b"\\^=") & set((family + given).encode(codec)) and len(family + given) >= 3:
            return Person(latin.family, latin.given, native_family=family, native_given=given)


def _person(rng: random.Random, kind: str, half: Half) -> tuple[Person, str, str]:
    """Return a patient's name, the declared character set and the encoding that contradicts it, if any."""
    match kind:
        case "plain":
            return western(rng), "ISO_IR 100", ""
        case "middle":
            person = western(rng)
            return Person(person.family, person.given, person.middle or western(rng).given), "ISO_IR 100", ""
        case "hyphen":
            return western(rng, hyphen=True), "ISO_IR 100", ""
        case "short":
            family, given = rng.choice(half_of(list(FAMILY_ASIAN), half)), rng.choice(half_of(list(GIVEN_ASIAN), half))
            return Person(family, given), "ISO_IR 100", ""
        case "everyday":
            family = rng.choice(half_of(list(EVERYDAY), half))
            return Person(family, rng.choice(half_of(list(EVERYDAY_GIVEN), half))), "ISO_IR 100", ""
        case "eponym":
            return Person(rng.choice(half_of(list(EPONYMS), half)), western(rng).given), "ISO_IR 100", ""
        case "accent":
            return western(rng, *ACCENTS, accents=True), "ISO_IR 100", ""
        case "utf-8":
            return western(rng, "pl_PL", "cs_CZ", "tr_TR", accents=True), "ISO_IR 192", ""
        case "undeclared":
            locale, codec = rng.choice(
                (("zh_CN", "gb18030"), ("zh_CN", "utf-8"), ("ru_RU", "cp1251"), ("ja_JP", "shift_jis"))
            )
            return _native(rng, locale), rng.choice(("", "ISO_IR 100")), codec
        case _:
            return _native(rng, kind), NATIVE[kind], ""


def telling_words(hospital: str) -> tuple[str, ...]:
    """Return the words of a hospital's name that tell which one it is."""
    generic = {"general", "hospital", "memorial", "medical", "center", "st", "children", "s", "regional", "community"}
    return tuple(word for word in re.findall(r"[^\W\d_]+", hospital) if word.lower() not in generic)


def hospital_name(rng: random.Random, city: str) -> str:
    """Return the name of a hospital; what tells is its city or its founder."""
    founder = western(rng, "en_US", "en_GB").family
    return rng.choice((
        f"{city} General Hospital",
        f"{founder} Memorial Hospital",
        f"{city} Medical Center",
        f"St. {founder} Hospital",
        f"{founder} Children's Hospital",
        f"{city} Regional Medical Center",
        f"{city} Community Hospital",
    ))  # fmt: skip


def city_name(rng: random.Random, *locales: str) -> str:
    """Return a city of one unmistakable word."""
    while True:
        city = plain_letters(from_faker(rng, *(locales or ("en_US", "en_GB"))).city())
        if city.isalpha() and len(city) >= 6 and city.lower() not in vocabulary():
            return city


def patient(rng: random.Random, index: int, half: Half) -> Patient:
    """Return a patient of the kind that comes next."""
    kind = KINDS[index % len(KINDS)]
    person, charset, wrong_codec = _person(rng, kind, half)
    others: list[Person] = []
    taken = {part.lower() for part in person.parts}
    while len(others) < 9:
        accents = kind == "accent" and len(others) % 2 == 1
        other = western(rng, *(ACCENTS if accents else WESTERN), accents=accents)
        if taken.isdisjoint(part.lower() for part in other.parts):
            others.append(other)
            taken.update(part.lower() for part in other.parts)
    city = city_name(rng)
    number = str(rng.randint(1_000_000, 99_999_999))
    patient_id = rng.choice((number, number.zfill(10), f"MR{number}", f"P{number}", f"{number}-{rng.choice('ABCK')}"))
    birth = dt.date(rng.randint(1931, 1999), rng.randint(1, 12), rng.randint(1, 28))
    return Patient(
        kind,
        person,
        charset,
        wrong_codec,
        patient_id,
        rng.choice(("A", "", "E", "ACC")) + str(rng.randint(1_000_000, 99_999_999)),
        birth,
        tuple(others),
        hospital_name(rng, city),
        city,
        dt.date(rng.randint(2009, 2018), rng.randint(1, 12), rng.randint(1, 28)),
    )
