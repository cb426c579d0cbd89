"""Unmodified clients: curl, gcloud, googleapiclient, dicomweb-client."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from httplib2 import Http
from pydicom.uid import generate_uid

from healthcare_deid.testing.samples import sample_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.emulator.conftest import Lab

    from healthcare_deid.emulator.http.server import Server

LOCATION = "projects/MyProj/locations/us-central1"
DATASET = f"{LOCATION}/datasets/dataset1"
STORE = f"{DATASET}/dicomStores/dicomstore1"
CLEAN = f"{LOCATION}/datasets/deid-dataset1"

# The commands as Google's tutorial "Using the Cloud Healthcare API to de-identify medical images" prints them.
KEEP_LIST = """curl -X POST \\
    -H "Authorization: Bearer "$(gcloud auth print-access-token) \\
    -H "Content-Type: application/json; charset=utf-8" \\
    --data "{
      'destinationDataset': 'projects/$PROJECT_ID/locations/$REGION/datasets/$DESTINATION_DATASET_ID',
      'config': {
        'dicom': {'keepList': {
           'tags': [
              'StudyInstanceUID',
              'SOPInstanceUID',
              'TransferSyntaxUID',
              'PixelData',
              'Columns',
              'NumberOfFrames',
              'PixelRepresentation',
              'MediaStorageSOPClassUID',
              'MediaStorageSOPInstanceUID',
              'Rows',
              'SamplesPerPixel',
              'BitsAllocated',
              'HighBit',
              'PhotometricInterpretation',
              'BitsStored' ] }
                 },
        'image': {
          'textRedactionMode': 'REDACT_ALL_TEXT'
        }
      }
    }" "https://healthcare.googleapis.com/v1/projects/$PROJECT_ID/locations/$REGION/datasets/$SOURCE_DATASET_ID:deidentify"
"""
PROFILE = """curl -X POST \\
    -H "Authorization: Bearer "$(gcloud auth print-access-token) \\
    -H "Content-Type: application/json; charset=utf-8" \\
    --data "{
      'destinationDataset': 'projects/$PROJECT_ID/locations/$REGION/datasets/$DESTINATION_DATASET_ID',
      'config': {

'dicom':{'filterProfile':'MINIMAL_KEEP_LIST_PROFILE'},

        'image': {
          'textRedactionMode': 'REDACT_ALL_TEXT'
        }
      }
    }" "https://healthcare.googleapis.com/v1/projects/$PROJECT_ID/locations/$REGION/datasets/$SOURCE_DATASET_ID:deidentify"
"""
CONTENTS = """curl -X POST \\
    -H "Authorization: Bearer "$(gcloud auth print-access-token) \\
    -H "Content-Type: application/json; charset=utf-8" \\
    --data "{
      'destinationDataset': 'projects/$PROJECT_ID/locations/$REGION/datasets/$DESTINATION_DATASET_ID',
      'config':{
    'dicom':{'filterProfile':'DEIDENTIFY_TAG_CONTENTS'},
    'text':{
        'transformations':[
            {'infoTypes':['PERSON_NAME'], 'redactConfig':{}},
            {'infoTypes':['PHONE_NUMBER'], 'characterMaskConfig':{'maskingCharacter':''}},
            {'infoTypes':['DATE', 'DATE_OF_BIRTH'], 'dateShiftConfig':{'cryptoKey':'U2FsdGVkX19bS2oZsdbK9X5zi2utBn22uY+I2Vo0zOU='}}]},
    'image':{'textRedactionMode':'REDACT_SENSITIVE_TEXT'}}}" \\
"https://healthcare.googleapis.com/v1/projects/$PROJECT_ID/locations/$REGION/datasets/$SOURCE_DATASET_ID:deidentify"
"""  # noqa: E501 - as the tutorial prints it
STATUS = """curl -X GET \\
    -H "Authorization: Bearer "$(gcloud auth print-access-token) \\
    -H "Content-Type: application/json; charset=utf-8" \\
"https://healthcare.googleapis.com/v1/projects/$PROJECT_ID/locations/$REGION/datasets/$SOURCE_DATASET_ID/operations/OPERATION_NAME"
"""


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    with lab.emulator.server() as server:
        yield server


@pytest.fixture
def tutorial(server: Server, tmp_path: Path) -> Any:
    """Return what runs a tutorial's command with only its host changed, and gives the JSON it prints."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    # Who is asked for a token is not part of the command: here it is a program that has one.
    program = tmp_path / "bin" / "gcloud"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho a-token\n")
    program.chmod(0o755)

    def run(command: str) -> Any:
        variables = {
            "PROJECT_ID": "MyProj",
            "REGION": "us-central1",
            "SOURCE_DATASET_ID": "dataset1",
            "DICOM_STORE_ID": "dicomstore1",
            "DESTINATION_DATASET_ID": "deid-dataset1",
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        }
        command = command.replace("https://healthcare.googleapis.com", server.url)
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, env=variables)
        return json.loads(result.stdout)

    return run


class TestTutorialWithCurl:
    @pytest.mark.parametrize("command", [KEEP_LIST, PROFILE], ids=["keep list", "profile"])
    def test_use_case_one(self, lab: Lab, tutorial: Any, dicom_bytes: Any, command: str) -> None:
        lab.store(dicom_bytes(PatientName="Rivera^Ana"))
        name = tutorial(command)["name"]
        lab.finished(name)
        operation = tutorial(STATUS.replace("OPERATION_NAME", name.rpartition("/")[2]))
        assert operation["done"] is True
        assert operation["metadata"]["counter"] == {"success": "1"}
        (clean,) = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
        assert {"PatientName", "StudyDate", "Manufacturer"}.isdisjoint(clean.dir())
        assert clean.PixelData

    def test_use_case_two(self, lab: Lab, tutorial: Any) -> None:
        sample = next(sample for sample in sample_dicom() if sample.dataset.Modality == "CT")
        buffer = io.BytesIO()
        sample.dataset.save_as(buffer, enforce_file_format=True)
        lab.store(buffer.getvalue())
        lab.finished(tutorial(CONTENTS)["name"])
        (clean,) = lab.instances(f"{CLEAN}/dicomStores/dicomstore1")
        assert sample.person.spoken_name not in str(clean)
        assert str(clean.PatientName) != sample.person.name
        assert clean.StudyDate != sample.study_date
        assert sample.person.phone not in str(clean)

    def test_a_command_with_a_mistake_gets_a_helpful_error(self, tutorial: Any) -> None:
        error = tutorial(PROFILE.replace("MINIMAL_KEEP_LIST_PROFILE", "MINIMAL"))["error"]
        assert (error["code"], error["status"]) == (400, "INVALID_ARGUMENT")


@pytest.fixture
def gcloud(server: Server, tmp_path: Path) -> Any:
    """Return what runs ``gcloud healthcare …`` against the emulator, without a login."""
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")

    def run(*words: str) -> str:
        settings = {
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_HEALTHCARE": f"{server.url}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_PROJECT": "my-proj",
            "CLOUDSDK_HEALTHCARE_LOCATION": "us-central1",
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
            "HOME": str(tmp_path),
        }
        environment = {**os.environ, **settings}
        environment.pop("PYTHONPATH", None)
        result = subprocess.run(
            ["gcloud", "healthcare", *words], capture_output=True, text=True, check=False, env=environment
        )
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    return run


@pytest.mark.slow
class TestGcloud:
    def test_the_tutorial_works_from_start_to_end(self, empty_lab: Lab, gcloud: Any, dicom_bytes: Any) -> None:
        lab = empty_lab
        place = "projects/my-proj/locations/us-central1/datasets"
        gcloud("datasets", "create", "dataset1")
        gcloud("dicom-stores", "create", "dicomstore1", "--dataset=dataset1")
        lab.store(dicom_bytes(PatientName="Rivera^Ana"), f"{place}/dataset1/dicomStores/dicomstore1")
        listed = KEEP_LIST.partition("'tags': [")[2].partition("]")[0]
        tags = ",".join(re.findall(r"\w+", listed))
        printed = gcloud(
            "datasets",
            "deidentify",
            "dataset1",
            f"--dicom-filter-tags={tags}",
            "--text-redaction-mode=all",
            f"--destination-dataset={place}/deid-dataset1",
        )
        assert "deid-dataset1" in printed or "dataset1" in printed
        (clean,) = lab.instances(f"{place}/deid-dataset1/dicomStores/dicomstore1")
        assert "PatientName" not in clean

        operations = json.loads(gcloud("operations", "list", "--dataset=dataset1", "--format=json").split("\n\n")[0])
        newest = operations[0]["name"].rpartition("/")[2]
        described = gcloud("operations", "describe", newest, "--dataset=dataset1")
        assert "done: true" in described
        gcloud("datasets", "delete", "deid-dataset1")
        assert lab.get(f"{place}/deid-dataset1").status == 403


class TestGoogleApiClient:
    @pytest.fixture(params=["in process", "over the port"])
    def service(self, request: pytest.FixtureRequest, lab: Lab, server: Server) -> Iterator[Any]:
        if request.param == "in process":
            yield build("healthcare", "v1", http=lab.emulator.http())
            return
        http = Http()
        yield build("healthcare", "v1", http=http, client_options={"api_endpoint": server.url})
        http.close()

    def test_googles_published_sample_works(self, lab: Lab, service: Any, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes(PatientName="Rivera^Ana"))
        datasets = service.projects().locations().datasets()
        body = {
            "destinationDataset": CLEAN,
            "config": {"dicom": {"keepList": {"tags": ["Columns", "PatientID", "PixelData", "Rows"]}}},
        }
        operation = datasets.deidentify(sourceDataset=DATASET, body=body).execute()
        lab.finished(operation["name"])
        done = datasets.operations().get(name=operation["name"]).execute()
        assert done["metadata"]["counter"]["success"] == "1"
        assert datasets.get(name=CLEAN).execute() == {"name": CLEAN}
        assert datasets.dicomStores().list(parent=CLEAN).execute()["dicomStores"][0]["name"].startswith(CLEAN)

        policy = datasets.getIamPolicy(resource=DATASET).execute()
        policy["bindings"] = [{"role": "roles/viewer", "members": ["user:a@example.com"]}]
        assert datasets.setIamPolicy(resource=DATASET, body={"policy": policy}).execute()["bindings"]

        request = datasets.operations().list(name=DATASET, pageSize=1)
        seen = 0
        while request is not None:
            reply = request.execute()
            seen += len(reply["operations"])
            request = datasets.operations().list_next(request, reply)
        assert seen == 2

        with pytest.raises(HttpError) as refused:
            datasets.get(name=f"{LOCATION}/datasets/none").execute()
        assert refused.value.status_code == 403
        assert "may not exist" in refused.value.reason


class TestDicomWebClient:
    def test_store_search_retrieve_frames_render_and_delete(self, lab: Lab, server: Server, dicom_bytes: Any) -> None:
        client = DICOMwebClient(f"{server.url}/v1/{STORE}/dicomWeb")
        first = pydicom.dcmread(io.BytesIO(dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")))
        second = pydicom.dcmread(io.BytesIO(dicom_bytes(StudyInstanceUID="1.2", SeriesInstanceUID="1.2.3")))
        del second.preamble  # the client then writes no preamble either
        result = client.store_instances([first, second])
        assert len(result.ReferencedSOPSequence) == 2

        (study,) = client.search_for_studies(search_filters={"PatientID": first.PatientID}, fields=["PatientName"])
        assert study["0020000D"]["Value"] == ["1.2"]
        assert len(client.search_for_instances()) == 2
        assert client.search_for_studies(search_filters={"PatientID": "none"}) == []

        got = client.retrieve_instance("1.2", "1.2.3", first.SOPInstanceUID)
        assert got.PixelData == first.PixelData
        assert len(client.retrieve_study("1.2")) == 2
        assert len(client.retrieve_series_metadata("1.2", "1.2.3")) == 2
        (frame,) = client.retrieve_instance_frames("1.2", "1.2.3", first.SOPInstanceUID, [1])
        assert frame == first.PixelData
        png = client.retrieve_instance_rendered("1.2", "1.2.3", first.SOPInstanceUID, media_types=("image/png",))
        assert png.startswith(b"\x89PNG")
        bulk = lab.get(f"{STORE}/dicomWeb/studies/1.2/metadata").json[0]["7FE00010"]["BulkDataURI"]
        assert client.retrieve_bulkdata(bulk.replace("http://localhost:8085", server.url)) == [first.PixelData]

        client.delete_instance("1.2", "1.2.3", second.SOPInstanceUID)
        assert len(client.search_for_instances()) == 1
        client.delete_study("1.2")
        assert client.search_for_instances() == []

    def test_a_conflict_is_an_error_that_names_the_instance(self, lab: Lab, server: Server, dicom_bytes: Any) -> None:
        client = DICOMwebClient(f"{server.url}/v1/{STORE}/dicomWeb")
        uid = generate_uid()
        uids = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": uid}
        lab.store(dicom_bytes(**uids))
        other = pydicom.dcmread(io.BytesIO(dicom_bytes(**uids, PatientID="OTHER")))
        with pytest.raises(Exception, match="409"):
            client.store_instances([other])
