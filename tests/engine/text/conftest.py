"""Instances to bind the text engine to, and helpers to call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset

from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import InstanceText, TextEngine

if TYPE_CHECKING:
    from collections.abc import Callable


def header(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


@pytest.fixture
def make_header() -> Callable[..., Dataset]:
    return header


@pytest.fixture
def patient() -> Dataset:
    return header(
        PatientName="Lindqvist^Maria Elena^^Dr",
        PatientID="MRN204816",
        PatientBirthDate="19610709",
        StudyDate="20210304",
        StudyInstanceUID="1.2.3",
        AccessionNumber="ACC-7731",
        ReferringPhysicianName="Okafor^Tunde",
        OperatorsName=["Wu^Li", "O'Brien^Seán"],
        InstitutionName="Harbour Heights Hospital",
        PatientAddress="12 Harbour St^Springfield",
        PatientTelephoneNumbers="(555) 010-4477",
    )


@pytest.fixture
def stranger() -> InstanceText:
    """The default engine bound to a header that says nothing."""
    return TextEngine(TextPlan()).bind(Dataset())


@pytest.fixture
def known(patient: Dataset) -> InstanceText:
    """The default engine bound to the patient's header."""
    return TextEngine(TextPlan()).bind(patient)


@pytest.fixture
def found() -> Callable[[InstanceText, str], list[tuple[str, str]]]:
    def ask(text: InstanceText, value: str) -> list[tuple[str, str]]:
        return [(value[match.start : match.end], match.info_type) for match in text.find(value)]

    return ask
