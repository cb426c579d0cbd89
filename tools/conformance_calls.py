"""Observations of how the service answers: requests, operations, resources, DICOMweb."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pydicom
from conformance_lab import PACKED, STUDIES, dicom_bytes, tiny
from conformance_rows import KEEP, REMOVE, Facts, observes
from pydicom.uid import ExplicitVRLittleEndian

if TYPE_CHECKING:
    from conformance_lab import Answer, Lab

_FAILURE_REASON, _FAILURE_TEXT = "00081197", "00090097"


# Requests


@observes("F-15", field=400, enum=400, tag=400, union=400)
def _(lab: Lab) -> Facts:
    return {
        "field": lab.verdict({"dicom": {}, "nosuch": {}}),
        "enum": lab.verdict({"dicom": {"filterProfile": "NO_SUCH_PROFILE"}}),
        "tag": lab.verdict({"dicom": {"removeList": {"tags": ["NoSuchKeyword"]}}}),
        "union": lab.verdict({"dicom": {"removeList": {"tags": ["PatientID"]}, "keepList": {"tags": ["Modality"]}}}),
    }


@observes("F-16", single_quotes=200, snake_case=200, text_for_a_boolean=200)
def _(lab: Lab) -> Facts:
    def taken(body: object) -> int:
        return lab.start(body).status

    return {
        "single_quotes": taken(f"{{'destinationStore': '{lab.new_store()}', 'config': {{'dicom': {{}}}}}}"),
        "snake_case": taken(
            {"destination_store": lab.new_store(), "config": {"dicom": {"keep_list": {"tags": ["Modality"]}}}}
        ),
        "text_for_a_boolean": taken(
            {"destinationStore": lab.new_store(), "config": {"dicom": {"skipIdRedaction": "True"}}}
        ),
    }


@observes("F-17", plain=["code", "message", "status"], format_1=["code", "errors", "message", "status"])
def _(lab: Lab) -> Facts:
    path = f"{lab.dataset}/dicomStores/nosuch"
    shown = {"plain": lab.get(path), "format_1": lab.get(f"{path}?$.xgafv=1")}
    return {name: sorted(set(answer.json.get("error", {})) - {"details"}) for name, answer in shown.items()}


@observes("O-04", keyword=200, digits=200, comma=200, wildcard=400, path=400)
def _(lab: Lab) -> Facts:
    spellings = {
        "keyword": "PatientID", "digits": "00100020", "comma": "0010,0020", "wildcard": "0010xxxx",
        "path": "RequestAttributesSequence.RequestingPhysician",
    }  # fmt: skip
    return {name: lab.verdict({"dicom": {"removeList": {"tags": [tag]}}}) for name, tag in spellings.items()}


# Operations


@observes(
    "F-18",
    method="google.cloud.healthcare.v1.deidentify.DeidentifyService.DeidentifyDicomStore",
    response="type.googleapis.com/google.cloud.healthcare.v1.deidentify.DeidentifyDicomStoreSummary",
)
def _(lab: Lab) -> Facts:
    operation = lab.run(KEEP).operation
    return {
        "method": operation.get("metadata", {}).get("apiMethodName"),
        "response": operation.get("response", {}).get("@type"),
    }


@observes("F-19", listed_under_source=True, counters=["success"], cancelRequested="left out")
def _(lab: Lab) -> Facts:
    run = lab.run(KEEP)
    listed = lab.get(f"{lab.dataset}/operations?pageSize=1000").json.get("operations", [])
    return {
        "listed_under_source": run.operation["name"] in {item["name"] for item in listed},
        "counters": sorted(run.counter),
        "cancelRequested": "shown" if "cancelRequested" in run.operation["metadata"] else "left out",
    }


@observes("F-21", dataset=409, store="another operation", equal=["success"], different=["failure"])
def _(lab: Lab) -> Facts:
    body = {"destinationDataset": lab.another_dataset(), "config": {}}
    lab.start(body, lab.dataset)
    target = lab.new_store()
    first, again = (lab.run(KEEP, into=target) for _ in range(2))
    other = lab.run(REMOVE, into=target)
    same = again.operation.get("name") == first.operation["name"]
    return {
        "dataset": lab.start(body, lab.dataset).status,
        "store": "the same operation" if same else "another operation",
        "equal": sorted(again.counter),
        "different": sorted(other.counter),
    }


@observes("F-22", status=404)
def _(lab: Lab) -> Facts:
    return {"status": lab.get(f"{lab.dataset}/operations/1234567890123456789").status}


@observes("O-15", **{"none": 200, "done=true": 200, "done=false": 200, "name=x": 400})
def _(lab: Lab) -> Facts:
    def listed(text: str) -> int:
        return lab.get(f"{lab.dataset}/operations?filter={text.replace('=', '%3D')}").status

    return {"none": lab.get(f"{lab.dataset}/operations").status} | {
        text: listed(text) for text in ("done=true", "done=false", "name=x")
    }


@observes("O-14", code=1, written="as counted")
def _(lab: Lab) -> Facts:
    target = lab.new_store()
    answer = lab.call("POST", f"{lab.studies}:deidentify", {"destinationStore": target, "config": KEEP})
    lab.call("POST", f"{answer.json['name']}:cancel", {})
    operation = lab.ended(answer)
    found = lab.get(f"{target}/dicomWeb/instances", "application/dicom+json")
    written = len(found.json) if found.status == 200 else 0
    counted = int(operation.get("metadata", {}).get("counter", {}).get("success", 0))
    return {
        "code": operation.get("error", {}).get("code", "none: it ended before it could be cancelled"),
        "written": "as counted" if written == counted else "nothing" if not written else "another number",
    }


# Resources


@observes("F-24", dataset=403, store=404)
def _(lab: Lab) -> Facts:
    missing = f"{lab.location}/datasets/conformance-nosuch"
    return {"dataset": lab.get(missing).status, "store": lab.get(f"{lab.dataset}/dicomStores/nosuch").status}


@observes("F-31", v1alpha2=200)
def _(lab: Lab) -> Facts:
    return {"v1alpha2": lab.call("GET", lab.source, version="v1alpha2").status}


@observes("F-32", stores="by name", operations="newest first", studies="by UID")
def _(lab: Lab) -> Facts:
    names = [item["name"] for item in lab.get(f"{lab.dataset}/dicomStores").json["dicomStores"]]
    operations = lab.get(f"{lab.dataset}/operations").json["operations"]
    times = [item["metadata"]["createTime"] for item in operations]
    studies = [item["0020000D"]["Value"][0] for item in _search(lab, "studies").json]
    return {
        "stores": "by name" if names == sorted(names) else "another",
        "operations": _order(times),
        "studies": "by UID" if studies == sorted(studies) else "another",
    }


@observes("O-17", status=501)
def _(lab: Lab) -> Facts:
    stores = [f"{lab.dataset}/fhirStores/{name}" for name in ("before", "after")]
    for store in stores:
        parent, _, name = store.rpartition("/")
        lab.call("POST", f"{parent}?fhirStoreId={name}", {"version": "R4"})
    body = {"destinationStore": stores[1], "config": {"fhir": {}}}
    return {"status": lab.start(body, stores[0]).status}


# DICOMweb


@observes("F-23", studies=100, series=100)
def _(lab: Lab) -> Facts:
    return {kind: len(_search(lab, kind).json) for kind in ("studies", "series")}


@observes("F-28", none=200, some=202, all=409)
def _(lab: Lab) -> Facts:
    good, bad = dicom_bytes(tiny(STUDIES + 1)), b"no instance at all"
    return {
        name: _stored(lab, *parts).status for name, parts in {"none": [good], "some": [good, bad], "all": [bad]}.items()
    }


@observes("F-29", reasons=[272, 272], text_in_0009_0097=True)
def _(lab: Lab) -> Facts:
    changed = tiny(0)
    changed.StudyDescription = "NOT THE SAME"
    failed: list[Facts] = []
    for data in (b"no instance at all", dicom_bytes(changed)):
        failed += _stored(lab, data, store=lab.studies).json.get("00081198", {}).get("Value", [])
    return {
        "reasons": [item.get(_FAILURE_REASON, {}).get("Value", [None])[0] for item in failed],
        "text_in_0009_0097": bool(failed) and all(_FAILURE_TEXT in item for item in failed),
    }


@observes("F-30", syntax=str(ExplicitVRLittleEndian))
def _(lab: Lab) -> Facts:
    return {"syntax": _retrieved(lab, "application/dicom")}


@observes("F-33", keyword=200, tag=200, path=200, unknown=400)
def _(lab: Lab) -> Facts:
    queries = {
        "keyword": "StudyDescription=x", "tag": "00081030=x",
        "path": "RequestAttributesSequence.RequestedProcedureDescription=x", "unknown": "NoSuchKeyword=x",
    }  # fmt: skip
    found = {name: _search(lab, f"instances?{query}").status for name, query in queries.items()}
    return {name: 200 if status == 204 else status for name, status in found.items()}


@observes("F-34", needs_bucket=True, layout="prefix/study/series/instance.dcm")
def _(lab: Lab) -> Facts:
    store, one = lab.new_store(), tiny(0)
    lab.upload(store, one)
    lab.ended(lab.call("POST", f"{store}:export", {"gcsDestination": {"uriPrefix": lab.prefix}}))
    study, series, instance = one.StudyInstanceUID, one.SeriesInstanceUID, one.SOPInstanceUID
    layouts = {
        "prefix/study/series/instance.dcm": f"{study}/{series}/{instance}.dcm",
        "prefix/instance.dcm": f"{instance}.dcm",
        "another, below the prefix": "**",
    }
    for name, path in layouts.items():
        # Nothing but an import tells what is in the bucket: it succeeds for an object that is there.
        answer = lab.call("POST", f"{lab.new_store()}:import", {"gcsSource": {"uri": f"{lab.prefix}/{path}"}})
        if answer.status == 200 and lab.ended(answer)["metadata"].get("counter", {}).get("success") == "1":
            return {"layout": name}
    return {"layout": "nothing below the prefix"}


@observes("F-36", StudyTime="without a value", StudyDate="with its value")
def _(lab: Lab) -> Facts:
    (study,) = lab.get(f"{lab.studies}/dicomWeb/studies?limit=1", "application/dicom+json").json

    def shown(tag: str) -> str:
        return "left out" if tag not in study else "with its value" if "Value" in study[tag] else "without a value"

    return {"StudyTime": shown("00080030"), "StudyDate": shown("00080020")}


@observes("F-35", status=200, instances_left=0)
def _(lab: Lab) -> Facts:
    store, study = lab.new_store(), tiny(0)
    lab.upload(store, study)
    answer = lab.call("DELETE", f"{store}/dicomWeb/studies/{study.StudyInstanceUID}")
    left = lab.get(f"{store}/dicomWeb/instances", "application/dicom+json")
    return {"status": answer.status, "instances_left": len(left.json) if left.status == 200 else 0}


@observes(
    "O-18",
    **{
        "Implicit VR": 200,
        "RLE": 200,
        "JPEG 2000 lossless": 200,
        "JPEG-LS lossless": 200,
        "JPEG baseline": 406,
        "MPEG2": 406,
    },
)
def _(lab: Lab) -> Facts:
    syntaxes = {
        "Implicit VR": "1.2.840.10008.1.2", "RLE": "1.2.840.10008.1.2.5",
        "JPEG 2000 lossless": "1.2.840.10008.1.2.4.90",
        "JPEG-LS lossless": "1.2.840.10008.1.2.4.80", "JPEG baseline": "1.2.840.10008.1.2.4.50",
        "MPEG2": "1.2.840.10008.1.2.4.100",
    }  # fmt: skip

    def given(syntax: str) -> int | str:
        got = _retrieved(lab, f"application/dicom; transfer-syntax={syntax}")
        return 200 if got == syntax else got

    return {name: given(syntax) for name, syntax in syntaxes.items()}


# What the observations have in common


def _order(times: list[str]) -> str:
    stamps = [time.rstrip("Z").ljust(29, "0") for time in times]
    if stamps == sorted(stamps, reverse=True):
        return "newest first"
    return "oldest first" if stamps == sorted(stamps) else "another"


def _search(lab: Lab, what: str) -> Answer:
    return lab.get(f"{lab.studies}/dicomWeb/{what}", "application/dicom+json")


def _stored(lab: Lab, *parts: bytes, store: str = "") -> Answer:
    body = b"".join(b"--cut\r\nContent-Type: application/dicom\r\n\r\n" + part + b"\r\n" for part in parts)
    kind = 'multipart/related; type="application/dicom"; boundary=cut'
    headers = {"content-type": kind, "accept": "application/dicom+json"}
    return lab.call("POST", f"{store or lab.new_store()}/dicomWeb/studies", body + b"--cut--\r\n", headers=headers)


def _retrieved(lab: Lab, accept: str) -> int | str:
    """Return the transfer syntax in which the compressed image comes, or the status without one."""
    one = PACKED.dataset
    path = f"studies/{one.StudyInstanceUID}/series/{one.SeriesInstanceUID}/instances/{one.SOPInstanceUID}"
    answer = lab.get(f"{lab.images}/dicomWeb/{path}", accept)
    if answer.status != 200:
        return answer.status
    return str(pydicom.dcmread(io.BytesIO(answer.body), stop_before_pixels=True).file_meta.TransferSyntaxUID)
