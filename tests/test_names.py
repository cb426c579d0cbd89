"""Resource names: what is parsed, what is refused, and that nothing else can be meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.errors import ResourceNameError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName, LocationName, OperationName, parse_name

DATASET = "projects/MyProj/locations/us-central1/datasets/dataset1"

ids = st.text(st.characters(exclude_categories=["Cc", "Cs", "Z"], exclude_characters="/?#%:"), min_size=1).filter(
    lambda text: text not in {".", ".."} and len(text) <= 256 and not any(character.isspace() for character in text)
)


@given(ids, ids, ids, ids)
def test_a_name_is_the_same_after_formatting_and_parsing(project: str, location: str, dataset: str, leaf: str) -> None:
    for name in (
        LocationName(project, location),
        DatasetName(project, location, dataset),
        DicomStoreName(project, location, dataset, leaf),
        FhirStoreName(project, location, dataset, leaf),
        OperationName(project, location, dataset, leaf),
    ):
        assert parse_name(str(name)) == name
        assert type(parse_name(str(name))) is type(name)


@pytest.mark.parametrize("bad", ["", "a/b", "a?x=1", "a#", "a%2F", "a b", "a\n", "a:deidentify", ".", "..", "x" * 257])
def test_an_id_that_would_mean_another_request_is_refused(bad: str) -> None:
    with pytest.raises(ResourceNameError):
        DatasetName("p", "l", bad)
    with pytest.raises(ResourceNameError):
        DicomStoreName("p", "l", "d", bad)


def test_a_short_name_is_completed_with_the_clients_project_and_location() -> None:
    assert str(DatasetName.resolve("dataset1", project="MyProj", location="us-central1")) == DATASET
    store = DicomStoreName.resolve("dataset1/store1", project="MyProj", location="us-central1")
    assert str(store) == f"{DATASET}/dicomStores/store1"
    assert store.parent == DatasetName.parse(DATASET)


def test_a_full_name_and_a_name_object_need_no_project() -> None:
    name = DatasetName.resolve(DATASET, project=None, location=None)
    assert DatasetName.resolve(name, project=None, location=None) is name


@pytest.mark.parametrize(
    ("project", "location", "missing"),
    [(None, "l", "a project"), ("p", None, "a location"), (None, None, "a project and a location")],
)
def test_a_short_name_says_what_it_lacks(project: str | None, location: str | None, missing: str) -> None:
    with pytest.raises(ResourceNameError, match=f"needs {missing}"):
        DatasetName.resolve("dataset1", project=project, location=location)


def test_a_store_name_without_its_dataset_is_refused() -> None:
    with pytest.raises(ResourceNameError, match="dataset/store"):
        DicomStoreName.resolve("store1", project="p", location="l")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dataset1",
        "projects/p",
        f"{DATASET}/",
        f"/{DATASET}",
        DATASET.replace("datasets", "dataset"),
        f"{DATASET}/x/y",
    ],
)
def test_a_name_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ResourceNameError, match=r"the name must have the form"):
        DatasetName.parse(text)


def test_the_tutorials_first_answer_is_an_operation_name_when_read_leniently() -> None:
    printed = f"{DATASET}/1234567890"
    assert str(OperationName.parse(printed, lenient=True)) == f"{DATASET}/operations/1234567890"
    with pytest.raises(ResourceNameError):
        OperationName.parse(printed)


def test_a_domain_scoped_project_is_a_project() -> None:
    assert str(LocationName("example.com:lab", "eu")) == "projects/example.com:lab/locations/eu"
