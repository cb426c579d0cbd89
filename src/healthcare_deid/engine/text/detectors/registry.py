"""The detectors that every engine has, in one list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.engine.text.detectors.contact import CONTACT
from healthcare_deid.engine.text.detectors.dates import AGES, HOLIDAYS, DateDetector
from healthcare_deid.engine.text.detectors.facilities import FacilityDetector
from healthcare_deid.engine.text.detectors.identifiers import IDENTIFIERS
from healthcare_deid.engine.text.detectors.persons_cued import CuedPersonDetector
from healthcare_deid.engine.text.detectors.persons_form import PersonFormDetector
from healthcare_deid.engine.text.detectors.places import ADDRESSES, PlaceDetector

if TYPE_CHECKING:
    from healthcare_deid.engine.text.detectors.base import Detector

DETECTORS: tuple[Detector, ...] = (
    *CONTACT,
    *IDENTIFIERS,
    DateDetector(),
    HOLIDAYS,
    *AGES,
    *ADDRESSES,
    FacilityDetector(),
    PlaceDetector(),
    CuedPersonDetector(),
    PersonFormDetector(),
)
