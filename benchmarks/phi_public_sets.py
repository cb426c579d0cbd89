"""Read the public synthetic sets that packages ship: which, what was mapped, and what was left out and why.

The packages are installed without what they depend on (``nox -s perf`` does): only their data files and the modules
that hold or make their texts are read. A package that is not there leaves its set out, and the tables say so.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phi_public_text import NUMBER, PublicSet, PublicText, distinct, is_held_out, public_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from phi_examples import Span

_ALL = frozenset(
    {
        "AGE",
        "DATE",
        "EMAIL_ADDRESS",
        "IP_ADDRESS",
        "LOCATION",
        "PERSON_NAME",
        "PHONE_NUMBER",
        "URL",
        "US_SOCIAL_SECURITY_NUMBER",
        NUMBER,
    }
)
PRESIDIO_TEXTS, OUTIS_TEXTS = 1500, 150


def load() -> list[PublicText]:
    """Return every text of every set that is installed, each text once."""
    return distinct(text for package, read in SETS.items() if importlib.util.find_spec(package) for text in read())


def missing() -> list[str]:
    """Return the packages that are not installed."""
    return [package for package in SETS if not importlib.util.find_spec(package)]


# presidio-evaluator (MIT): 210 sentence templates of everyday and banking talk, filled by its own generator from its
# own list of 3,000 made-up people of many countries. The texts of one template are in one half.
# Not identifiers, so unscored: companies, jobs, titles, nationalities, weekdays, years alone, states and countries
# (45 CFR 164.514(b)(2)(i)(B) lets a state stand). So is a value with a piece that its list of people lacks ("nan").
_PRESIDIO = PublicSet("Presidio's templates", _ALL | {"CREDIT_CARD_NUMBER", "IBAN_CODE"})
_PRESIDIO_TYPES = {
    **dict.fromkeys(
        ("first_name", "first_name_female", "first_name_male", "first_name_nonbinary", "last_name", "last_name_female"),
        "PERSON_NAME",
    ),
    **dict.fromkeys(
        ("last_name_male", "name", "name_female", "name_male", "person"),
        "PERSON_NAME",
    ),
    **dict.fromkeys(
        ("address", "building_number", "city", "postcode", "secondary_address", "street_name", "zipcode"),
        "LOCATION",
    ),
    **dict.fromkeys(
        ("country", "day_of_week", "job", "nation_man", "nation_plural", "nation_woman", "nationality", "organization"),
        "",
    ),
    **dict.fromkeys(
        ("prefix", "prefix_female", "prefix_male", "state", "state_abbr", "year"),
        "",
    ),
    "age": "AGE",
    "credit_card_number": "CREDIT_CARD_NUMBER",
    "date_of_birth": "DATE",
    "date_time": "DATE",
    "email": "EMAIL_ADDRESS",
    "iban": "IBAN_CODE",
    "ip_address": "IP_ADDRESS",
    "phone_number": "PHONE_NUMBER",
    "ssn": "US_SOCIAL_SECURITY_NUMBER",
    "url": "URL",
    "us_driver_license": NUMBER,
}


def _presidio() -> Iterator[PublicText]:
    # Its package would import its analyzer, and its hospital names a web service: neither is used by the templates.
    package = _without_init("presidio_evaluator.data_generator")
    package.__dict__["raw_data_dir"] = _folder(package.__name__) / "raw_data"
    module: Any = importlib.import_module("presidio_evaluator.data_generator.presidio_sentence_faker")
    providers = [each for each in module.presidio_additional_entity_providers if each.__name__ != "HospitalProvider"]
    dates: Any = importlib.import_module("faker.providers.date_time").Provider

    class Until2026(dates):  # type: ignore[misc] # else the texts depend on the day they are made
        def date_time(self, tzinfo: Any = None, end_datetime: Any = None) -> Any:
            return super().date_time(tzinfo, end_datetime or datetime(2026, 1, 1, tzinfo=UTC))

    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        random.seed(2026)  # its list of people is made before it seeds
        faker = module.PresidioSentenceFaker(
            "en_US",
            lower_case_ratio=0.05,
            entity_providers=[*providers, Until2026],
            entity_type_mapping={each: each for each in _PRESIDIO_TYPES},
            random_seed=2026,
        )
        made = faker.generate_new_fake_sentences(PRESIDIO_TEXTS)
    for sentence in made:
        # The templates write a line's end as a backslash and an n.
        text = sentence.full_text.replace("\\n", " \n")
        marked: list[Span] = []
        for each in sentence.spans:
            kind = "" if "nan" in each.entity_value.split() else _PRESIDIO_TYPES[each.entity_type]
            marked.append((each.start_position, each.end_position, kind))
        yield public_text(_PRESIDIO, text, marked, is_held_out(_PRESIDIO.name, str(sentence.template_id)))


# outis (Apache-2.0): clinical notes that its makers wrote for training and testing a detector, with invented people.
# One suite's notes are made of the same sentences, so a whole suite is in one half; "final" and "adversarial" are the
# makers' own test suites. Ages are marked from 90 on. Social security numbers are of ranges never given out (000-…).
# The examples of its annotation policy, a sentence or three written for a hard case each, are a set of their own.
_OUTIS_TYPES = {
    "ACCOUNT": NUMBER,
    "ADDRESS": "LOCATION",
    "AGE": "AGE",
    "DATE": "DATE",
    "EMAIL": "EMAIL_ADDRESS",
    "FACILITY": "LOCATION",
    "ID": NUMBER,
    "IP": "IP_ADDRESS",
    "LOCATION": "LOCATION",
    "MRN": NUMBER,
    "NAME": "PERSON_NAME",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SOCIAL_SECURITY_NUMBER",
    "URL": "URL",
}
_OUTIS = PublicSet("outis' notes", _ALL, ages_from=90)
_OUTIS_POLICY = PublicSet("outis' policy", _ALL, ages_from=90)


def _outis() -> Iterator[PublicText]:
    _without_init("outis")  # it would import a language model
    challenge: Any = importlib.import_module("outis.data.challenge")
    base: Any = importlib.import_module("outis.data.generators.base")
    context: Any = importlib.import_module("outis.data.generators.context")
    coverage: Any = importlib.import_module("outis.data.generators.coverage")
    suites: list[tuple[bool, Any]] = [
        (False, challenge.generate(OUTIS_TEXTS, suite="development")),
        (False, base.generate_rows(OUTIS_TEXTS, split="validation")),
        (False, context.generate_rows(OUTIS_TEXTS // 2, split="train")),
        (True, challenge.generate(OUTIS_TEXTS, suite="final")),
        (True, base.generate_rows(OUTIS_TEXTS, split="train")),
        (True, coverage.generate_rows(OUTIS_TEXTS // 2, split="validation")),
    ]
    for held_out, rows in suites:
        for row in rows:
            yield public_text(_OUTIS, row["text"], _outis_spans(row), held_out)
    for each in sorted((_folder("outis") / "data").glob("annotation_policy*.py")):
        module = importlib.import_module(f"outis.data.{each.stem}")
        for row in (row for name, rows in vars(module).items() if name.endswith("_FIXTURES") for row in rows):
            yield public_text(_OUTIS_POLICY, row["text"], _outis_spans(row), is_held_out(_OUTIS_POLICY.name, row["id"]))


def _outis_spans(row: dict[str, Any]) -> list[Span]:
    return [(span["start"], span["end"], _OUTIS_TYPES[span["label"]]) for span in row["spans"]]


# philter-ucsf (BSD): five discharge and visit notes in the manner of the i2b2 challenge of 2014, with surrogates. User
# names are unscored: no infoType stands for them. Ages and professions were left out of the marks by its makers. Five
# are too few for a hash to halve: every second one is held out.
_PHILTER = PublicSet("Philter's i2b2 notes", _ALL - {"AGE"})
_PHILTER_TYPES = {
    "DATE": "DATE",
    "DOCTOR": "PERSON_NAME",
    "HOSPITAL": "LOCATION",
    "IDNUM": NUMBER,
    "MEDICALRECORD": NUMBER,
    "PATIENT": "PERSON_NAME",
    "PHONE": "PHONE_NUMBER",
    "USERNAME": "",
}


def _philter() -> Iterator[PublicText]:
    notes = json.loads((_folder("philter_ucsf") / "data" / "phi_notes_i2b2.json").read_text("utf-8"))
    for number, (_, note) in enumerate(sorted(notes.items())):
        marked = [(int(each["start"]), int(each["end"]), _PHILTER_TYPES.get(each["TYPE"], "")) for each in note["phi"]]
        yield public_text(_PHILTER, note["text"], marked, held_out=number % 2 == 1)


# deidgate (MIT): fifteen notes written to trip a detector. Values are given without their places: each occurrence is
# marked. Licence plates, voice prints and picture names are unscored: no infoType stands for them.
_DEIDGATE = PublicSet("deidgate's notes", _ALL)
_DEIDGATE_TYPES = {
    "account": NUMBER,
    "date": "DATE",
    "device": NUMBER,
    "email": "EMAIL_ADDRESS",
    "fax": "PHONE_NUMBER",
    "geo": "LOCATION",
    "health_plan": NUMBER,
    "ip": "IP_ADDRESS",
    "license": NUMBER,
    "mrn": NUMBER,
    "name": "PERSON_NAME",
    "other": NUMBER,
    "phone": "PHONE_NUMBER",
    "ssn": "US_SOCIAL_SECURITY_NUMBER",
    "url": "URL",
}


def _deidgate() -> Iterator[PublicText]:
    lines = (_folder("deidgate") / "data" / "safeharbor_seed.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, filter(None, lines)):
        text: str = row["text"]
        marked: list[Span] = []
        for each in row["phi"]:
            # Its categories are HIPAA's, which count an age over 89 among the dates.
            kind = "AGE" if "year-old" in each["value"] else _DEIDGATE_TYPES.get(each["category"], "")
            at = text.find(each["value"])
            while at >= 0:
                marked.append((at, at + len(each["value"]), kind))
                at = text.find(each["value"], at + 1)
        yield public_text(_DEIDGATE, text, marked, is_held_out(_DEIDGATE.name, row["id"]))


# openmed (Apache-2.0): fixtures of a sentence or two in some sixty languages, and one note in seven of them made by its
# own generator. Clinical findings, genders, amounts and keys are unscored; rows that mark those alone are left out.
_OPENMED = PublicSet("openmed's fixtures", _ALL | {"CREDIT_CARD_NUMBER", "IBAN_CODE", "SWIFT_CODE"})
_OPENMED_OTHER = PublicSet("openmed's fixtures, other languages", _OPENMED.marks, english=False)
_OPENMED_TYPES = {
    "ACCOUNT_NUMBER": NUMBER,
    "AGE": "AGE",
    "BIC": "SWIFT_CODE",
    "CREDIT_CARD": "CREDIT_CARD_NUMBER",
    "DATE": "DATE",
    "DATE_OF_BIRTH": "DATE",
    "EMAIL": "EMAIL_ADDRESS",
    "FIRST_NAME": "PERSON_NAME",
    "IBAN": "IBAN_CODE",
    "ID_NUM": NUMBER,
    "IMEI": NUMBER,
    "IP_ADDRESS": "IP_ADDRESS",
    "LOCATION": "LOCATION",
    "ORGANIZATION": "LOCATION",
    "PERSON": "PERSON_NAME",
    "PHONE": "PHONE_NUMBER",
    "SSN": "US_SOCIAL_SECURITY_NUMBER",
    "STREET_ADDRESS": "LOCATION",
    "URL": "URL",
    "VIN": NUMBER,
    "ZIPCODE": "LOCATION",
}


def _openmed() -> Iterator[PublicText]:
    for path in sorted((_folder("openmed") / "eval" / "golden").rglob("*.json*")):
        content = path.read_text("utf-8")
        if path.suffix == ".jsonl":
            rows = [json.loads(line) for line in content.splitlines() if line.strip()]
        else:
            rows = json.loads(content).get("fixtures", [])
        for row in rows:
            labels = {span["label"] for span in row.get("gold_spans", ())}
            if "text" not in row or (labels.isdisjoint(_OPENMED_TYPES) and path.stem != "hard_negatives"):
                continue
            source = _OPENMED if row.get("language") == "en" else _OPENMED_OTHER
            marked = [(span["start"], span["end"], _OPENMED_TYPES.get(span["label"], "")) for span in row["gold_spans"]]
            yield public_text(source, row["text"], marked, is_held_out(_OPENMED.name, row["id"]))


SETS: dict[str, Callable[[], Iterator[PublicText]]] = {
    "presidio_evaluator": _presidio,
    "outis": _outis,
    "philter_ucsf": _philter,
    "deidgate": _deidgate,
    "openmed": _openmed,
}


def _spec(package: str) -> ModuleSpec:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return spec


def _folder(package: str) -> Path:
    return Path((_spec(package).submodule_search_locations or [""])[0])


def _without_init(name: str) -> ModuleType:
    """Stand in for a package, so that its modules can be imported without what its ``__init__`` imports."""
    package = sys.modules[name] = importlib.util.module_from_spec(_spec(name))
    return package
