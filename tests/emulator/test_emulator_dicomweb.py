"""DICOMweb: store, search, retrieve, delete, and pitfalls of real clients."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from healthcare_deid.emulator.http import accept as media
from healthcare_deid.emulator.http import multipart

if TYPE_CHECKING:
    from tests.emulator.conftest import Answer, Lab

STORE = "projects/MyProj/locations/us-central1/datasets/dataset1/dicomStores/dicomstore1"
WEB = f"{STORE}/dicomWeb"
IDS = {"StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
ONE = f"{WEB}/studies/1.2/series/1.2.3/instances/1.2.3.4"


def related(*bodies: bytes) -> tuple[str, bytes]:
    parts = b"".join(b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + body + b"\r\n" for body in bodies)
    return 'multipart/related; type="application/dicom"; boundary=cut', parts + b"--cut--\r\n"


def parts_of(answer: Answer) -> list[bytes]:
    parts = multipart.read(answer.headers["content-type"], io.BytesIO(answer.body))
    return [b"".join(part.chunks) for part in parts]


def stored(lab: Lab, *bodies: bytes, path: str = "studies", accept: str = "application/dicom+json") -> Answer:
    content_type, body = related(*bodies)
    headers = {"Content-Type": content_type, "Accept": accept}
    return lab.call("POST", f"{WEB}/{path}", body, headers=headers)


class TestStore:
    def test_a_single_instance_is_stored_as_it_is(self, lab: Lab, dicom_bytes: Any) -> None:
        data = dicom_bytes(**IDS)
        answer = lab.store(data)
        assert answer.status == 200
        (item,) = answer.json["00081199"]["Value"]
        assert item["00081155"]["Value"] == ["1.2.3.4"]
        assert item["00081190"]["Value"] == [f"http://localhost:8085/v1/{ONE}"]
        assert lab.get(ONE, "application/dicom; transfer-syntax=*").body == data

    def test_many_instances_are_stored_in_one_request(self, lab: Lab, dicom_bytes: Any) -> None:
        answer = stored(lab, dicom_bytes(), dicom_bytes(), dicom_bytes())
        assert answer.status == 200
        assert len(answer.json["00081199"]["Value"]) == 3

    def test_the_answer_is_xml_unless_json_is_accepted(self, lab: Lab, dicom_bytes: Any) -> None:
        answer = stored(lab, dicom_bytes(**IDS), accept="*/*")
        assert answer.headers["content-type"] == "application/dicom+xml"
        assert b'<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence">' in answer.body
        assert b'<Value number="1">1.2.3.4</Value>' in answer.body

    def test_storing_the_same_bytes_again_is_not_a_conflict(self, lab: Lab, dicom_bytes: Any) -> None:
        data = dicom_bytes(**IDS)
        assert [lab.store(data).status, lab.store(data).status] == [200, 200]
        assert lab.get(f"{STORE}:getDICOMStoreMetrics").json["instanceCount"] == "1"

    def test_other_bytes_under_the_same_uids_are_a_conflict_and_change_nothing(
        self, lab: Lab, dicom_bytes: Any
    ) -> None:
        first = dicom_bytes(**IDS, PatientName="Rivera^Ana")
        lab.store(first)
        answer = lab.store(dicom_bytes(**IDS, PatientName="Okafor^Daniel"))
        assert answer.status == 409
        (item,) = answer.json["00081198"]["Value"]
        assert item["00081197"]["Value"] == [272]
        assert "checksum mismatch" in item["00090097"]["Value"][0]
        assert b"Rivera" not in answer.body
        assert b"Okafor" not in answer.body
        assert lab.get(ONE, "application/dicom; transfer-syntax=*").body == first

    @pytest.mark.parametrize("data", [b"not DICOM", b"\0" * 128 + b"DICM", b"\0" * 200])
    def test_a_part_that_is_not_an_instance_fails_alone(self, lab: Lab, dicom_bytes: Any, data: bytes) -> None:
        assert lab.store(data).status == 409
        answer = stored(lab, data, dicom_bytes())
        assert answer.status == 202
        assert len(answer.json["00081198"]["Value"]) == 1
        assert len(answer.json["00081199"]["Value"]) == 1

    def test_a_file_without_preamble_is_accepted(self, lab: Lab, dicom_bytes: Any) -> None:
        data = dicom_bytes(**IDS)
        assert lab.store(data[132:]).status == 200
        assert lab.get(ONE, "application/dicom; transfer-syntax=*").body[128:] == data[128:]

    def test_an_instance_outside_the_study_in_the_url_is_refused(self, lab: Lab, dicom_bytes: Any) -> None:
        assert stored(lab, dicom_bytes(**IDS), path="studies/9.9").status == 409
        assert stored(lab, dicom_bytes(**IDS), path="studies/1.2").status == 200

    @pytest.mark.parametrize(
        ("content_type", "body", "status"),
        [
            ("text/plain", b"x", 415),
            ("application/dicom", b"", 400),
            ("multipart/related", b"--x\r\n\r\n--x--", 400),
            ("multipart/related; boundary=x", b"no boundary here", 400),
            ("multipart/related; boundary=x", b"--x\r\nContent-Type: application/dicom\r\n\r\nabc", 400),
            ("multipart/related; boundary=x", b"--x\r\nContent-Type: text/html\r\n\r\nabc\r\n--x--", 415),
            ("multipart/related; boundary=x", b"--x--", 400),
        ],
    )
    def test_an_unreadable_body_is_refused_as_a_whole(
        self, lab: Lab, content_type: str, body: bytes, status: int
    ) -> None:
        headers = {"Content-Type": content_type}
        assert lab.call("POST", f"{WEB}/studies", body, headers=headers).status == status


@pytest.fixture
def shelf(lab: Lab, dicom_bytes: Any) -> Lab:
    """Two patients, three studies."""
    common = {"AccessionNumber": "A1", "StudyDescription": "Chest CT"}
    for study, series, instance, extra in (
        ("1.1", "1.1.1", "1.1.1.1", {"PatientName": "Rivera^Ana", "PatientID": "MRN1", "StudyDate": "20200101"}),
        ("1.1", "1.1.1", "1.1.1.2", {"PatientName": "Rivera^Ana", "PatientID": "MRN1", "StudyDate": "20200101"}),
        (
            "1.1",
            "1.1.2",
            "1.1.2.1",
            {"PatientName": "Rivera^Ana", "PatientID": "MRN1", "StudyDate": "20200101", "Modality": "SR"},
        ),
        ("1.2", "1.2.1", "1.2.1.1", {"PatientName": "Rivera^Ana", "PatientID": "MRN1", "StudyDate": "20210615"}),
        ("2.1", "2.1.1", "2.1.1.1", {"PatientName": "Okafor^Daniel^B", "PatientID": "MRN2", "StudyDate": "20220101"}),
    ):
        uids = {"StudyInstanceUID": study, "SeriesInstanceUID": series, "SOPInstanceUID": instance}
        assert lab.store(dicom_bytes(**uids, **common, **extra)).status == 200
    return lab


def uids_of(answer: Answer, tag: str) -> set[str]:
    return {item[tag]["Value"][0] for item in answer.json} if answer.status == 200 else set()


class TestSearch:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("", {"1.1", "1.2", "2.1"}),
            ("PatientID=MRN1", {"1.1", "1.2"}),
            ("00100020=MRN2", {"2.1"}),
            ("00100020=", {"1.1", "1.2", "2.1"}),
            ("PatientName=Rivera^Ana", {"1.1", "1.2"}),
            ("PatientName=riv*", {"1.1", "1.2"}),
            ("PatientName=R?vera*", {"1.1", "1.2"}),
            ("PatientName=Ana", set()),
            ("PatientName=ana riv&fuzzymatching=true", {"1.1", "1.2"}),
            ("StudyDate=20200101", {"1.1"}),
            ("StudyDate=20210101-", {"1.2", "2.1"}),
            ("StudyDate=-20210615", {"1.1", "1.2"}),
            ("StudyDate=20200601-20211231", {"1.2"}),
            ("StudyInstanceUID=1.1,2.1", {"1.1", "2.1"}),
            ("ModalitiesInStudy=SR", {"1.1"}),
            ("Modality=CT&PatientID=MRN1", {"1.1", "1.2"}),
            ("StudyDescription=chest*", set()),
            ("StudyDescription=Chest*", {"1.1", "1.2", "2.1"}),
            ("AccessionNumber=A1&StudyDate=20220101", {"2.1"}),
            ("SOPInstanceUID=1.2.1.1", {"1.2"}),
            ("PatientID=%27%20OR%201=1", set()),
            ("limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060&00100020=", {"1.1", "1.2", "2.1"}),
        ],
    )
    def test_studies_by_attribute(self, shelf: Lab, query: str, found: set[str]) -> None:
        assert uids_of(shelf.get(f"{WEB}/studies?{query}"), "0020000D") == found

    def test_an_empty_result_is_no_content(self, shelf: Lab) -> None:
        answer = shelf.get(f"{WEB}/studies?PatientID=none")
        assert (answer.status, answer.body) == (204, b"")

    def test_results_have_counts_and_retrieve_urls(self, shelf: Lab) -> None:
        study = next(item for item in shelf.get(f"{WEB}/studies").json if item["0020000D"]["Value"] == ["1.1"])
        assert study["00201206"]["Value"] == [2]
        assert study["00201208"]["Value"] == [3]
        assert study["00080061"]["Value"] == ["CT", "SR"]
        assert study["00081190"]["Value"] == [f"http://localhost:8085/v1/{WEB}/studies/1.1"]
        (series,) = shelf.get(f"{WEB}/studies/1.1/series?Modality=CT").json
        assert series["00201209"]["Value"] == [2]

    def test_levels_are_searched_within_and_across_studies(self, shelf: Lab) -> None:
        assert uids_of(shelf.get(f"{WEB}/studies/1.1/series"), "0020000E") == {"1.1.1", "1.1.2"}
        assert uids_of(shelf.get(f"{WEB}/series?PatientID=MRN2"), "0020000E") == {"2.1.1"}
        assert uids_of(shelf.get(f"{WEB}/studies/1.1/instances"), "00080018") == {"1.1.1.1", "1.1.1.2", "1.1.2.1"}
        assert uids_of(shelf.get(f"{WEB}/studies/1.1/series/1.1.1/instances"), "00080018") == {"1.1.1.1", "1.1.1.2"}
        assert len(uids_of(shelf.get(f"{WEB}/instances"), "00080018")) == 5

    def test_includefield_accepts_keywords_and_tags_and_can_be_repeated(self, shelf: Lab) -> None:
        plain = shelf.get(f"{WEB}/instances?SOPInstanceUID=1.2.1.1").json[0]
        assert not {"00080008", "00180060"} & plain.keys()
        query = "SOPInstanceUID=1.2.1.1&includefield=ImageType&includefield=00180060"
        assert {"00080008", "00180060"} <= shelf.get(f"{WEB}/instances?{query}").json[0].keys()
        everything = shelf.get(f"{WEB}/instances?includefield=all").json[0]
        assert "00280010" in everything
        assert not any("BulkDataURI" in attribute for attribute in everything.values())

    def test_pages_are_cut_with_limit_and_offset(self, shelf: Lab) -> None:
        pages = [shelf.get(f"{WEB}/studies?limit=2&offset={offset}") for offset in (0, 2, 4)]
        assert [sorted(uids_of(page, "0020000D")) for page in pages] == [["1.1", "1.2"], ["2.1"], []]
        filtered = [shelf.get(f"{WEB}/studies?limit=1&offset={offset}&PatientName=R*") for offset in (0, 1, 2)]
        assert [sorted(uids_of(page, "0020000D")) for page in filtered] == [["1.1"], ["1.2"], []]

    @pytest.mark.parametrize(
        "query",
        ["limit=-1", "limit=x", "limit=5001", "offset=1000001", "NoSuchKeyword=1", "fuzzymatching=maybe", "123=4"],
    )
    def test_an_invalid_query_is_refused(self, shelf: Lab, query: str) -> None:
        answer = shelf.get(f"{WEB}/studies?{query}")
        assert (answer.status, answer.json["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize("name", ["Meyer^Ruß", "Öztürk^Ada", 'O"Neil^Mo', "Back%slash_^A"])
@pytest.mark.parametrize("how", ["whole", "upper", "lower", "begin", "end"])
def test_a_name_is_found_in_any_case_and_script(lab: Lab, dicom_bytes: Any, name: str, how: str) -> None:
    lab.store(dicom_bytes(PatientName="Somebody^Else"))
    lab.store(dicom_bytes(SpecificCharacterSet="ISO_IR 192", PatientName=name))
    wanted = {
        "whole": name,
        "upper": name.upper(),
        "lower": name.lower(),
        "begin": f"{name[:4]}*",
        "end": f"*{name[-2:]}",
    }[how]
    (found,) = lab.get(f"{WEB}/studies?PatientName={quote(wanted)}").json
    assert found["00100010"]["Value"] == [{"Alphabetic": name}]


def test_more_attributes_can_be_requested_than_sqlite_extracts_at_once(shelf: Lab) -> None:
    many = "&".join(f"includefield=0008{number:04X}" for number in range(0x1000, 0x1100))
    (found,) = shelf.get(f"{WEB}/instances?limit=1&includefield=PatientName&{many}").json
    assert found["00100010"]["Value"]


class TestRequiredAttributesOfResults:
    """PS3.18 tables 10.6.3-3 to 10.6.3-5, type R: without a value where the instance has none."""

    def test_missing_date_and_patient_of_a_study_are_empty_attributes(self, lab: Lab, dicom_bytes: Any) -> None:
        names = ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "StudyID", "PatientBirthDate")
        lab.store(dicom_bytes(**IDS, Modality=None, SeriesNumber=None, **dict.fromkeys(names)))
        lab.store(bare(dicom_bytes(**IDS | {"SOPInstanceUID": "1.2.3.5", "StudyInstanceUID": "1.9"})))
        for study in lab.get(f"{WEB}/studies").json:
            for tag, vr in {"00080020": "DA", "00080090": "PN", "00100030": "DA", "00200010": "SH"}.items():
                assert study[tag] == {"vr": vr}
            assert "00080061" not in study  # OHIF 3.13 stops at one without a value
        (series,) = lab.get(f"{WEB}/studies/1.9/series").json
        assert (series["00080060"], series["00200011"]) == ({"vr": "CS"}, {"vr": "IS"})
        assert "00080020" not in series
        (instance,) = lab.get(f"{WEB}/instances?StudyInstanceUID=1.9").json
        assert instance["00200013"] == {"vr": "IS"}
        assert instance["00100010"] == {"vr": "PN"}

    def test_metadata_has_only_the_attributes_of_the_instance(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(bare(dicom_bytes(**IDS)))
        assert "00100010" not in lab.get(f"{ONE}/metadata").json[0]


def bare(data: bytes) -> bytes:
    """Return an instance with only UIDs and pixels, as after use case I of the tutorial."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    keep = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Rows", "Columns", "PixelData")
    for element in list(dataset):
        if element.keyword not in keep:
            del dataset[element.tag]
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


class TestRetrieve:
    def test_studies_and_series_are_returned_as_multipart(self, shelf: Lab) -> None:
        for path, count in (("studies/1.1", 3), ("studies/1.1/series/1.1.1", 2)):
            answer = shelf.get(f"{WEB}/{path}", 'multipart/related; type="application/dicom"; transfer-syntax=*')
            parts = parts_of(answer)
            assert len({pydicom.dcmread(io.BytesIO(part)).SOPInstanceUID for part in parts}) == count

    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            (None, 200),
            ("*/*", 200),
            ("multipart/related; type=application/dicom", 200),
            ('multipart/related; type="*/*"', 200),
            ("application/dicom", 200),
            ("text/html, application/dicom;q=0.5", 200),
            ("application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50", 406),
            ("text/html", 406),
            ("image/png", 406),
        ],
    )
    def test_an_instance_is_returned_as_the_client_accepts_it(
        self, lab: Lab, dicom_bytes: Any, accept: str | None, status: int
    ) -> None:
        lab.store(dicom_bytes(**IDS))
        assert lab.get(ONE, accept).status == status

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
    def test_an_instance_is_transcoded_to_the_requested_syntax(self, lab: Lab, dicom_bytes: Any, syntax: str) -> None:
        data = dicom_bytes(**IDS)
        lab.store(data)
        answer = lab.get(ONE, f"application/dicom; transfer-syntax={syntax}")
        got = pydicom.dcmread(io.BytesIO(answer.body))
        assert got.file_meta.TransferSyntaxUID == syntax
        assert got.SOPInstanceUID == "1.2.3.4"
        assert np.array_equal(got.pixel_array, pydicom.dcmread(io.BytesIO(data)).pixel_array)

    def test_a_compressed_instance_is_returned_native_by_default(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes("MR_small_RLE.dcm", **IDS))
        got = pydicom.dcmread(io.BytesIO(lab.get(ONE, "application/dicom").body))
        assert got.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian

    def test_a_missing_resource_is_a_json_string(self, lab: Lab) -> None:
        answer = lab.get(ONE, "application/dicom")
        assert (answer.status, answer.json) == (404, "DICOM instance does not exist.")
        assert lab.get(f"{WEB}/studies/1.2/metadata").status == 404

    def test_metadata_has_every_attribute_and_links_for_bulk_data(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes(**IDS, PatientName="Rivera^Ana"))
        for path in ("studies/1.2", "studies/1.2/series/1.2.3", "studies/1.2/series/1.2.3/instances/1.2.3.4"):
            (item,) = lab.get(f"{WEB}/{path}/metadata", "application/dicom+json, application/json").json
            assert item["00100010"]["Value"] == [{"Alphabetic": "Rivera^Ana"}]
            assert item["7FE00010"]["BulkDataURI"] == f"http://localhost:8085/v1/{ONE}/bulkdata/7FE00010"
        assert lab.get(f"{ONE}/metadata", "text/plain").status == 406

    def test_bulk_data_is_the_bytes_of_the_value(self, lab: Lab, dicom_bytes: Any) -> None:
        data = dicom_bytes(**IDS)
        lab.store(data)
        answer = lab.get(f"{ONE}/bulkdata/7FE00010", "application/octet-stream")
        assert answer.body == pydicom.dcmread(io.BytesIO(data)).PixelData
        for wrong in ("00100010", "7FE00011", "x", "0040A730/0/00100010", "0040A730/-1/7FE00010"):
            assert lab.get(f"{ONE}/bulkdata/{wrong}").status == 404


class TestFrames:
    def test_frames_of_a_cine_are_returned_one_by_one(self, lab: Lab, dicom_bytes: Any) -> None:
        data = dicom_bytes("examples_ybr_color.dcm", **IDS)
        lab.store(data)
        dataset = pydicom.dcmread(io.BytesIO(data))
        accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=1.2.840.10008.1.2.1'
        answer = lab.get(f"{ONE}/frames/1,3", accept)
        parts = parts_of(answer)
        dataset.decompress()
        length = dataset.Rows * dataset.Columns * dataset.SamplesPerPixel
        wanted = [dataset.PixelData[:length], dataset.PixelData[2 * length : 3 * length]]
        assert parts == wanted

    def test_a_compressed_frame_is_returned_as_stored_if_accepted(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes("MR_small_RLE.dcm", **IDS))
        answer = lab.get(f"{ONE}/frames/1", 'multipart/related; type="image/dicom-rle"; transfer-syntax=*')
        (part,) = multipart.read(answer.headers["content-type"], io.BytesIO(answer.body))
        assert part.headers["content-type"] == f"image/dicom-rle; transfer-syntax={RLELossless}"

    @pytest.mark.parametrize("frames", ["0", "2", "x", "1,", "-1", "1,99999999999999"])
    def test_an_invalid_frame_number_is_refused(self, lab: Lab, dicom_bytes: Any, frames: str) -> None:
        lab.store(dicom_bytes(**IDS))
        assert lab.get(f"{ONE}/frames/{frames}").status == 400

    def test_an_impossible_form_of_frames_is_not_acceptable(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes(**IDS))
        assert lab.get(f"{ONE}/frames/1", "text/html").status == 406

    @pytest.mark.parametrize(
        ("accept", "kind"), [("image/png", "PNG"), ("image/jpeg", "JPEG"), (None, "JPEG"), ("image/*", "JPEG")]
    )
    def test_a_frame_is_rendered_as_a_picture(self, lab: Lab, dicom_bytes: Any, accept: str | None, kind: str) -> None:
        lab.store(dicom_bytes(**IDS))
        for path in ("rendered", "frames/1/rendered"):
            picture = Image.open(io.BytesIO(lab.get(f"{ONE}/{path}", accept).body))
            assert (picture.format, picture.size) == (kind, (128, 128))
            assert len(set(picture.convert("L").tobytes())) > 20

    def test_a_rendered_picture_fits_the_viewport(self, lab: Lab, dicom_bytes: Any) -> None:
        lab.store(dicom_bytes(**IDS))
        picture = Image.open(io.BytesIO(lab.get(f"{ONE}/rendered?viewport=64,32").body))
        assert picture.size == (32, 32)
        for wrong in ("0,1", "x", "1", "99999,1"):
            assert lab.get(f"{ONE}/rendered?viewport={wrong}").status == 400
        assert lab.get(f"{ONE}/rendered", "image/gif").status == 406


class TestDelete:
    def test_an_instance_is_deleted_at_once(self, shelf: Lab) -> None:
        path = f"{WEB}/studies/1.1/series/1.1.1/instances/1.1.1.1"
        assert shelf.call("DELETE", path).json == {}
        assert shelf.get(path).status == 404
        assert shelf.call("DELETE", path).status == 404

    def test_deleting_a_study_or_series_returns_an_operation(self, shelf: Lab) -> None:
        operation = shelf.call("DELETE", f"{WEB}/studies/1.1").json
        assert shelf.finished(operation["name"])["done"] is True
        assert uids_of(shelf.get(f"{WEB}/studies"), "0020000D") == {"1.2", "2.1"}
        assert len(list((shelf.emulator.data_dir / "instances").rglob("*.dcm"))) == 2


class TestAccept:
    def test_quality_and_order_decide(self) -> None:
        wanted = media.accepted('image/png;q=0.2, application/dicom; transfer-syntax="*", text/*;q=0.9')
        assert [item.media_type for item in wanted] == ["application/dicom", "text/*", "image/png"]
        assert wanted[0].transfer_syntax == "*"

    @pytest.mark.parametrize("header", ["", ",", ";;", "a/b;q=x", '"', "multipart/related", "\x00"])
    def test_any_accept_header_is_parsed(self, header: str) -> None:
        assert media.accepted(header)
