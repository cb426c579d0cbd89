"""Observations of what a de-identification makes of an instance: UIDs, tags, text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from datetime import datetime
from typing import TYPE_CHECKING

from conformance_lab import EMAIL, MAIN_SIZE, STUDIES, probes, tiny
from conformance_rows import CONTENTS, KEEP, REMOVE, Facts, observes
from pydicom.datadict import keyword_for_tag

if TYPE_CHECKING:
    from conformance_lab import Lab, Run
    from pydicom.dataset import Dataset

MINIMAL = {"dicom": {"filterProfile": "MINIMAL_KEEP_LIST_PROFILE"}}
BASIC = {"dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"}}
KEY = bytes(range(32))
_KEY_TEXT = base64.b64encode(KEY).decode()
TRANSFORM = CONTENTS | {
    "text": {
        "transformations": [
            {"infoTypes": ["DATE", "DATE_OF_BIRTH"], "dateShiftConfig": {"cryptoKey": _KEY_TEXT}},
            {"infoTypes": ["EMAIL_ADDRESS", "AGE"], "cryptoHashConfig": {"cryptoKey": _KEY_TEXT}},
            {"infoTypes": ["PHONE_NUMBER"], "characterMaskConfig": {"maskingCharacter": ""}},
        ]
    }
}
INFO_TYPES = CONTENTS | {"text": {"transformations": [{"replaceWithInfoTypeConfig": {}}]}}

OVERLAY_DATA = 0x60003000
_PRIVATE = 0x00991001


# UIDs and tags


@observes("F-01", study="version-3 UUID", series="version-3 UUID", instance="version-3 UUID", file_meta="as instance")
def _(lab: Lab) -> Facts:
    old, new = probes()[0], lab.run(KEEP).main
    meta = new.file_meta.MediaStorageSOPInstanceUID
    return {
        "study": _uid(old.StudyInstanceUID, new.StudyInstanceUID),
        "series": _uid(old.SeriesInstanceUID, new.SeriesInstanceUID),
        "instance": _uid(old.SOPInstanceUID, new.SOPInstanceUID),
        "file_meta": "as instance" if meta == new.SOPInstanceUID else _uid(old.SOPInstanceUID, meta),
    }


@observes(
    "F-02",
    kept=[
        "BitsAllocated", "BitsStored", "Columns", "HighBit", "PhotometricInterpretation", "PixelData",
        "PixelRepresentation", "Rows", "SOPInstanceUID", "SamplesPerPixel", "SeriesInstanceUID", "StudyInstanceUID",
    ],
)  # fmt: skip
def _(lab: Lab) -> Facts:
    kept = {_name(tag) for tag in lab.run(MINIMAL).main.keys()}  # noqa: SIM118 - a dataset iterates over elements
    return {"kept": sorted(kept - {"SOPClassUID", "SpecificCharacterSet"})}


@observes("F-03", keepList="refused with 400", removeList="refused with 400")
def _(lab: Lab) -> Facts:
    def filtered(kind: str) -> str:
        run = lab.run({"dicom": {kind: {"tags": []}}})
        if run.status != 200 or not run.results:
            return f"refused with {run.status}"
        return "filters no tag" if "PatientComments" in run.main else "filters tags"

    return {kind: filtered(kind) for kind in ("keepList", "removeList")}


@observes("F-04", MINIMAL_KEEP_LIST_PROFILE="kept", keepList="kept")
def _(lab: Lab) -> Facts:
    listed = lab.run({"dicom": {"keepList": {"tags": ["Modality"]}}})
    return {
        "MINIMAL_KEEP_LIST_PROFILE": state(lab.run(MINIMAL), "SOPClassUID"),
        "keepList": state(listed, "SOPClassUID"),
    }


@observes("F-05", OverlayData="deleted", required_tag=400)
def _(lab: Lab) -> Facts:
    return {
        "OverlayData": state(lab.run(REMOVE), OVERLAY_DATA),
        "required_tag": lab.verdict({"dicom": {"removeList": {"tags": ["PixelData"]}}}),
    }


@observes("F-14", X="deleted", Z="emptied", D="dummy", U="version-3 UUID")
def _(lab: Lab) -> Facts:
    old, run = probes()[0], lab.run(BASIC)
    return {
        "X": state(run, "PatientAddress"),
        "Z": state(run, "PatientName"),
        "D": state(run, "VerifyingObserverName"),
        "U": _uid(old.FrameOfReferenceUID, run.main.get("FrameOfReferenceUID", "")),
    }


@observes(
    "F-25",
    empty_dicom="tags kept, UIDs new, pixels kept",
    store_without_dicom="tags kept, UIDs new, pixels kept",
    dataset_without_dicom="no DICOM store in the result",
)
def _(lab: Lab) -> Facts:
    def treated(run: Run) -> str:
        old, new = probes()[0], run.main
        lost = {element.keyword for element in old} - {element.keyword for element in new}
        uids = "kept" if new.StudyInstanceUID == old.StudyInstanceUID else "new"
        pixels = "kept" if new.PixelData == old.PixelData else "changed"
        return f"tags {'lost' if lost else 'kept'}, UIDs {uids}, pixels {pixels}"

    copied = lab.another_dataset()
    lab.start({"destinationDataset": copied, "config": {}}, lab.dataset)
    stores = lab.get(f"{copied}/dicomStores").json.get("dicomStores", [])
    return {
        "empty_dicom": treated(lab.run(KEEP)),
        "store_without_dicom": treated(lab.run({})),
        "dataset_without_dicom": "DICOM stores in the result" if stores else "no DICOM store in the result",
    }


@observes("O-01", **{"X/Z": "emptied", "X/D": "dummy", "Z/D": "dummy", "X/Z/D": "dummy", "X/Z/U*": "kept, UIDs new"})
def _(lab: Lab) -> Facts:
    old, run = probes()[0], lab.run(BASIC)
    reference = run.main.get("ReferencedImageSequence")
    uid = reference[0].get("ReferencedSOPInstanceUID", "") if reference else ""
    fate = "kept, UIDs new" if uid and uid != old.ReferencedImageSequence[0].ReferencedSOPInstanceUID else "kept"
    return {
        "X/Z": state(run, "AcquisitionDate"),
        "X/D": state(run, "ProtocolName"),
        "Z/D": state(run, "ContentCreatorName"),
        "X/Z/D": state(run, "OperatorsName"),
        "X/Z/U*": fate if reference else state(run, "ReferencedImageSequence"),
    }


@observes("O-02", PN="ANONYMIZED", LO="ANONYMIZED", DA="19000101", DT="19000101000000")
def _(lab: Lab) -> Facts:
    main = lab.run(BASIC).main
    chosen = {
        "PN": "VerifyingObserverName",
        "LO": "VerifyingOrganization",
        "DA": "SeriesDate",
        "DT": "SourceStartDateTime",
    }
    return {vr: str(main.get(keyword, "")) if keyword in main else "deleted" for vr, keyword in chosen.items()}


@observes("O-03", basic="deleted", keep_lists="deleted", all_tags="kept", removeList="kept", contents="changed")
def _(lab: Lab) -> Facts:
    runs = {"basic": BASIC, "keep_lists": MINIMAL, "all_tags": KEEP, "removeList": REMOVE, "contents": CONTENTS}
    return {name: state(lab.run(config), _PRIVATE, dummy="changed") for name, config in runs.items()}


@observes("O-05", removeList="deleted", contents="changed", basic="deleted", all_tags="kept")
def _(lab: Lab) -> Facts:
    def nested(config: Facts) -> str:
        items = lab.run(config).main.get("RequestAttributesSequence")
        old = probes()[0].RequestAttributesSequence[0]
        return fate(old, items[0], "RequestingPhysician", "changed") if items else "deleted"

    return {
        "removeList": nested(REMOVE),
        "contents": nested(CONTENTS),
        "basic": nested(BASIC),
        "all_tags": nested(KEEP),
    }


@observes("O-06", reference="follows", other="unchanged", basic_other="version-3 UUID")
def _(lab: Lab) -> Facts:
    old, run, basic = probes()[0], lab.run(KEEP), lab.run(BASIC)
    referred = run.main.ReferencedImageSequence[0].ReferencedSOPInstanceUID
    follows = "follows" if referred == run.other.SOPInstanceUID else "does not follow"
    return {
        "reference": follows,
        "other": _uid(old.FrameOfReferenceUID, run.main.FrameOfReferenceUID),
        "basic_other": _uid(old.FrameOfReferenceUID, basic.main.get("FrameOfReferenceUID", "")),
    }


@observes("O-08", StudyInstanceUID=400)
def _(lab: Lab) -> Facts:
    return {"StudyInstanceUID": lab.verdict({"dicom": {"removeList": {"tags": ["StudyInstanceUID"]}}})}


@observes("O-12", PatientIdentityRemoved="not written", DeidentificationMethod="not written")
def _(lab: Lab) -> Facts:
    runs = [lab.run(config).main for config in (KEEP, BASIC, CONTENTS)]
    names = ("PatientIdentityRemoved", "DeidentificationMethod")
    return {name: "written" if any(name in main for main in runs) else "not written" for name in names}


# Text


@observes("F-06", DA="a date, shifted", PN="[PERSON_NAME]", LO="[EMAIL_ADDRESS]")
def _(lab: Lab) -> Facts:
    main = lab.run(CONTENTS).main
    shifted = _days(probes()[0].StudyDate, main.StudyDate) not in {None, 0}
    return {
        "DA": "a date, shifted" if shifted else str(main.StudyDate) or "emptied",
        "PN": str(main.PatientName),
        "LO": str(main.SeriesDescription),
    }


@observes(
    "F-07",
    found=["AGE", "EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "PERSON_NAME", "PHONE_NUMBER"],
    institution="changed",
    study_date="changed",
)
def _(lab: Lab) -> Facts:
    run = lab.run(INFO_TYPES)
    names = ("PatientName", "PatientAge", "PatientTelephoneNumbers", "SeriesDescription", "PatientComments")
    text = " ".join(str(run.main.get(name, "")) for name in names)
    wanted = ("EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "PERSON_NAME", "PHONE_NUMBER")
    # "[AGE]" cannot stand in an AS: what was found there is erased (F-10).
    age = [] if state(run, "PatientAge") == "kept" else ["AGE"]
    return {
        "found": age + [name for name in wanted if f"[{name}]" in text],
        "institution": state(run, "InstitutionName", dummy="changed"),
        "study_date": "kept" if state(run, "StudyDate") == "kept" else "changed",
    }


@observes("F-08", LO="HMAC-SHA-256, base64")
def _(lab: Lab) -> Facts:
    value = str(lab.run(TRANSFORM).main.SeriesDescription)
    keyed = hmac.digest(KEY, EMAIL.encode(), hashlib.sha256)
    known = {
        base64.b64encode(keyed).decode(): "HMAC-SHA-256, base64",
        base64.b64encode(hashlib.sha256(KEY + EMAIL.encode()).digest()).decode(): "SHA-256 of key and text, base64",
        base64.b64encode(hashlib.sha256(EMAIL.encode()).digest()).decode(): "SHA-256 without the key, base64",
        EMAIL: "unchanged",
        "": "erased",
    }
    return {"LO": known.get(value, f"another text of {len(value)} characters")}


@observes("F-09", patients=STUDIES, farthest="51 to 100 days", zero=False)
def _(lab: Lab) -> Facts:
    run = lab.run(TRANSFORM, lab.studies)
    found = lab.get(f"{run.store}/dicomWeb/studies?limit=1000", "application/dicom+json").json
    before = tiny(0).StudyDate
    days = [_days(before, item["00080020"]["Value"][0]) for item in found]
    known = [abs(day) for day in days if day is not None]
    farthest = max(known, default=0)
    return {
        "patients": len(known),
        "farthest": "51 to 100 days" if 50 < farthest <= 100 else f"{farthest} days",
        "zero": 0 in known,
    }


@observes("F-10", hash_in_SH="emptied", hash_in_AS="emptied", infoType_in_DA="emptied")
def _(lab: Lab) -> Facts:
    hashed, named = lab.run(TRANSFORM), lab.run(INFO_TYPES)
    return {
        "hash_in_SH": state(hashed, "StationName", dummy="changed"),
        "hash_in_AS": state(hashed, "PatientAge", dummy="changed"),
        "infoType_in_DA": state(named, "StudyDate", dummy="changed"),
    }


@observes("F-11", masked_with="*")
def _(lab: Lab) -> Facts:
    run = lab.run(TRANSFORM)
    if run.status != 200:
        return {"masked_with": f"refused with {run.status}"}
    return {"masked_with": "".join(sorted(set(str(run.main.PatientTelephoneNumbers)) - set("() -")))}


@observes("F-12", **{"15": 400, "16": 200, "24": 200, "32": 200, "33": 400, "64": 400})
def _(lab: Lab) -> Facts:
    def taken(size: int) -> int | str:
        key = base64.b64encode(bytes(size)).decode()
        transformation = {"infoTypes": ["DATE"], "dateShiftConfig": {"cryptoKey": key}}
        return lab.verdict(CONTENTS | {"text": {"transformations": [transformation]}})

    return {str(size): taken(size) for size in (15, 16, 24, 32, 33, 64)}


@observes("O-09", both=400)
def _(lab: Lab) -> Facts:
    one = [{"infoTypes": ["DATE"], "redactConfig": {}}]
    text = {"transformations": one, "additionalTransformations": one}
    return {"both": lab.verdict(CONTENTS | {"text": text})}


@observes("O-13", days="HMAC-SHA-256 of the patient ID", both_studies_alike=True)
def _(lab: Lab) -> Facts:
    run, old = lab.run(TRANSFORM), probes()
    days = _shift(run)
    index = int.from_bytes(hmac.digest(KEY, old[0].PatientID.encode(), hashlib.sha256)) % 200
    expected = index - 100 if index < 100 else index - 99
    return {
        "days": "HMAC-SHA-256 of the patient ID" if days == expected else "another number",
        "both_studies_alike": days is not None and days == _days(old[1].StudyDate, run.other.StudyDate),
    }


# What the observations have in common


def state(run: Run, tag: str | int, dummy: str = "dummy") -> str:
    """Return what became of an element of the first probe; ``dummy`` is the word for another value."""
    if run.status != 200 or MAIN_SIZE not in run.results:
        return f"refused with {run.status}"
    return fate(probes()[0], run.main, tag, dummy)


def fate(old: Dataset, new: Dataset, tag: str | int, otherwise: str) -> str:
    """Return what became of an element; ``otherwise`` is the word for another value."""
    if tag not in new:
        return "deleted"
    if not new[tag].value and old[tag].value:
        return "emptied"
    return "kept" if new[tag].value == old[tag].value else otherwise


def _name(tag: int) -> str:
    return keyword_for_tag(tag) or f"{tag:08X}"


def _uid(old: str, new: str) -> str:
    arc = "1.3.6.1.4.1.11129.5.1."
    if new == old:
        return "unchanged"
    if new == f"{arc}{uuid.uuid3(uuid.UUID(int=0), old).int}":
        return "version-3 UUID"
    return "another under Google's root" if new.startswith(arc) else "another" if new else "missing"


def _days(old: str, new: str) -> int | None:
    try:
        return (datetime.strptime(new, "%Y%m%d") - datetime.strptime(old, "%Y%m%d")).days  # noqa: DTZ007 - calendar days
    except ValueError:
        return None


def _shift(run: Run) -> int | None:
    return _days(probes()[0].StudyDate, str(run.main.get("StudyDate", "")))
