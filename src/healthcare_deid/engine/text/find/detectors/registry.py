"""Registry of the built-in detectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.find.detectors.contact import CONTACT
from healthcare_deid.engine.text.find.detectors.dates import AGES, HOLIDAYS, OTHER_CALENDARS, DateDetector
from healthcare_deid.engine.text.find.detectors.facilities import FacilityDetector
from healthcare_deid.engine.text.find.detectors.identifiers import IDENTIFIERS, ON_REQUEST
from healthcare_deid.engine.text.find.detectors.national import NATIONAL
from healthcare_deid.engine.text.find.detectors.numbers import CuedNumberDetector
from healthcare_deid.engine.text.find.detectors.persons_cued import CuedPersonDetector
from healthcare_deid.engine.text.find.detectors.persons_form import PersonFormDetector
from healthcare_deid.engine.text.find.detectors.places import ADDRESSES, PlaceDetector
from healthcare_deid.engine.text.find.detectors.streets import AddressDetector

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.engine.text.find.detectors.base import Detector

DETECTORS: tuple[Detector, ...] = (
    *CONTACT,
    *IDENTIFIERS,
    *NATIONAL,
    CuedNumberDetector(),
    DateDetector(),
    HOLIDAYS,
    OTHER_CALENDARS,
    *AGES,
    *ADDRESSES,
    AddressDetector(),
    FacilityDetector(),
    PlaceDetector(),
    CuedPersonDetector(),
    PersonFormDetector(),
)


def detectors_for(info_types: Collection[str]) -> tuple[Detector, ...]:
    """Return the built-in detectors for a config that names ``info_types``.

    Some detectors are used only if an infoType of theirs is named.
    """
    asked = (detector for detector in ON_REQUEST if not detector.info_types.isdisjoint(info_types))
    return (*DETECTORS, *asked)
