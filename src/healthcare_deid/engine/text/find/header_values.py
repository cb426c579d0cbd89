"""Identifying header values of an instance, which are searched for in text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_dict, tag_for_keyword

from healthcare_deid.engine.plan.ps315 import descriptor_tags, identifying_tags
from healthcare_deid.engine.text.dicom_dates import parse_da

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pydicom.dataset import Dataset


class ValueKind(StrEnum):
    """Kind of a header value."""

    NAME = "PERSON_NAME"
    RECORD = "MEDICAL_RECORD_NUMBER"
    ORGANIZATION = "ORGANIZATION_NAME"
    PLACE = "LOCATION"
    PHONE = "PHONE_NUMBER"
    DATE = "DATE"
    BIRTH_DATE = "DATE_OF_BIRTH"
    CONTEXT = "CTX"
    """Any other attribute that the Basic Profile removes, used by contextual cleaning only."""


_KEYWORDS = {
    ValueKind.RECORD: (
        "PatientID OtherPatientIDs AccessionNumber AdmissionID StudyID IssuerOfPatientID RequestedProcedureID "
        "ScheduledProcedureStepID "
        "PerformedProcedureStepID PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest "
        "InsurancePlanIdentification "
        "DeviceSerialNumber GantryID DetectorID PlateID CassetteID ServiceEpisodeID MedicalRecordLocator "
        "ClinicalTrialSubjectID "
        "ClinicalTrialSubjectReadingID StationName PerformedStationName ScheduledStationName ClinicalTrialProtocolID"
    ),
    ValueKind.ORGANIZATION: (
        "InstitutionName InstitutionalDepartmentName RequestingService ClinicalTrialSiteName ClinicalTrialSponsorName "
        "ClinicalTrialCoordinatingCenterName ResponsibleOrganization "
        ""
    ),
    ValueKind.PLACE: (
        "InstitutionAddress PatientAddress ReferringPhysicianAddress CountryOfResidence RegionOfResidence "
        "CurrentPatientLocation "
        "PatientInstitutionResidence PerformedLocation ScheduledProcedureStepLocation RequestedProcedureLocation "
        "PatientBirthPlace"
    ),
    ValueKind.PHONE: (
        "PatientTelephoneNumbers ReferringPhysicianTelephoneNumbers OrderCallbackPhoneNumber PersonTelephoneNumbers "
        "PatientTelecomInformation OrderCallbackTelecomInformation PersonTelecomInformation"
    ),
    ValueKind.BIRTH_DATE: "PatientBirthDate",
    ValueKind.DATE: (
        "StudyDate SeriesDate AcquisitionDate ContentDate AdmittingDate AcquisitionDateTime InstanceCreationDate "
        "PerformedProcedureStepStartDate "
        "ScheduledProcedureStepStartDate LastMenstrualDate"
    ),
}
_NESTED = (
    "OtherPatientIDsSequence RequestAttributesSequence OriginalAttributesSequence ModifiedAttributesSequence "
    "ReferringPhysicianIdentificationSequence "
    "ConsultingPhysicianIdentificationSequence PhysiciansOfRecordIdentificationSequence "
    "PerformingPhysicianIdentificationSequence "
    "PhysiciansReadingStudyIdentificationSequence OperatorIdentificationSequence "
    "RequestingPhysicianIdentificationSequence "
    "InstitutionCodeSequence ReferencedRequestSequence ScheduledProcedureStepSequence VerifyingObserverSequence "
    "AuthorObserverSequence "
    "ParticipantSequence ContentCreatorIdentificationCodeSequence ResponsiblePersonSequence ContentSequence "
    "DirectoryRecordSequence"
)
_PATIENT_ID = 0x00100020
_DIRECTORY_RECORDS = 0x00041220
_STUDY_UID = 0x0020000D
_STUDY_DATE = 0x00080020
_DEPTH = 4
_UID_WORTH_FINDING = 16
PLACEHOLDERS = frozenset(
    {
        "",
        "NONE",
        "NA",
        "N/A",
        "UNKNOWN",
        "UNK",
        "NULL",
        "ANONYMOUS",
        "ANON",
        "ANONYMIZED",
        "TEST",
        "PATIENT",
        "NO NAME",
        "NONAME",
        "XXX",
        "0",
        "1",
    }
)


_PHRASE_VRS = frozenset({"AE", "LO", "LT", "SH", "ST", "UC", "UT"})


def _contextual_tags() -> Iterator[int]:
    """Yield the text attributes for contextual cleaning.

    The Basic Profile removes or replaces them, and no option cleans them.
    """
    # A cleaned description must not be a source: it would match itself and vanish completely.
    for tag in sorted(identifying_tags("2018e-google") - descriptor_tags("2018e-google")):
        if dictionary_has_tag(tag) and dictionary_VR(tag) in _PHRASE_VRS:
            yield tag


@cache
def sources() -> dict[int, ValueKind]:
    """Return the kind of each identifying header attribute, by tag."""
    table = dict.fromkeys(_contextual_tags(), ValueKind.CONTEXT)
    table |= {tag: ValueKind.NAME for tag in keyword_dict.values() if dictionary_VR(tag) == "PN"}
    for source, keywords in _KEYWORDS.items():
        table |= {tag: source for tag in map(tag_for_keyword, keywords.split()) if tag is not None}
    return table


@cache
def _sequences() -> frozenset[int]:
    return frozenset(tag for tag in map(tag_for_keyword, _NESTED.split()) if tag is not None)


def header_tags() -> frozenset[int]:
    """Return the top-level tags that `read_header` reads."""
    return frozenset({_PATIENT_ID, _STUDY_UID, *sources(), *_sequences()})


@dataclass(frozen=True, slots=True)
class HeaderValues:
    """Identifying values of one instance.

    Attributes:
        patient_id: Patient ID, without padding.
        study_uid: Study Instance UID.
        values: ``(source, value)`` of each name, number, place and telephone number; sorted, without duplicates.
        birth_dates: Dates of birth.
        dates: All dates, including dates of birth.
        study_year: Year of the study; 2001 if it is unknown.
    """

    patient_id: str
    study_uid: str
    values: tuple[tuple[ValueKind, str], ...]
    birth_dates: frozenset[date]
    dates: frozenset[date]
    study_year: int

    def __repr__(self) -> str:
        return f"HeaderValues({len(self.values)} values)"


def read_header(dataset: Dataset) -> HeaderValues:
    """Collect the identifying values of a dataset, including nested ones."""
    values: set[tuple[ValueKind, str]] = set()
    dates: dict[ValueKind, set[date]] = {ValueKind.DATE: set(), ValueKind.BIRTH_DATE: set()}
    for source, value in _values(dataset, _DEPTH):
        if source in dates:
            day = parse_da(value[:8]) or parse_da(value[:10])
            if day:
                dates[source].add(day)
        elif value.upper().strip("^= ") not in PLACEHOLDERS:
            values.add((source, value))
    study_uid = _text(dataset, _STUDY_UID)
    if len(study_uid) >= _UID_WORTH_FINDING:
        values.add((ValueKind.RECORD, study_uid))
    study_day = parse_da(_text(dataset, _STUDY_DATE))
    return HeaderValues(
        patient_id=_text(dataset, _PATIENT_ID) or only_patient(dataset),
        study_uid=study_uid,
        values=tuple(sorted(values)),
        birth_dates=frozenset(dates[ValueKind.BIRTH_DATE]),
        dates=frozenset(dates[ValueKind.DATE] | dates[ValueKind.BIRTH_DATE]),
        study_year=study_day.year if study_day else 2001,
    )


def only_patient(dataset: Dataset) -> str:
    """Return the Patient ID of a single-patient DICOMDIR.

    Returns an empty string for any other.
    """
    # Dates in a directory must be shifted like those of the patient's files.
    records = _items(dataset, _DIRECTORY_RECORDS) if _DIRECTORY_RECORDS in dataset else []
    found = {identity for record in records if (identity := _text(record, _PATIENT_ID))}
    return found.pop() if len(found) == 1 else ""


def _values(dataset: Dataset, depth: int) -> Iterator[tuple[ValueKind, str]]:
    known, sequences = sources(), _sequences()
    for tag in list(dataset.keys()):
        source = known.get(int(tag))
        if source is not None:
            for value in _texts(dataset, tag):
                yield source, value
        elif depth and int(tag) in sequences:
            for item in _items(dataset, tag):
                yield from _values(item, depth - 1)


def _items(dataset: Dataset, tag: Any) -> list[Dataset]:
    try:
        value: Any = dataset[tag].value
    except Exception:  # noqa: BLE001 - the executor reports a broken sequence
        return []
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else []


def _texts(dataset: Dataset, tag: Any) -> list[str]:
    """Return the values of an element as text without padding.

    Returns an empty list if it is unreadable.
    """
    try:
        value: Any = dataset[tag].value
    except Exception:  # noqa: BLE001 - the executor reports a broken element
        return []
    if value is None or isinstance(value, bytes):
        return []
    many = (
        [value]
        if isinstance(value, str) or not hasattr(value, "__iter__") or hasattr(value, "family_name")
        else list(value)
    )
    texts = [re.sub(r"\s+", " ", str(item)).strip(" \0") for item in many]
    return [text for text in texts if text]


def _text(dataset: Dataset, tag: int) -> str:
    texts = _texts(dataset, tag) if tag in dataset else []
    return texts[0] if texts else ""
