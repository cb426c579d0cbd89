"""Behavior that Google does not document, and the emulator's choice.

Google's service may behave differently in each of these points. Each row has the default and, if there is one, the
switch for another choice. `to_markdown` writes the table in ``docs/fidelity.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Area = Literal["engine", "emulator", "client", "config"]


@dataclass(frozen=True, slots=True)
class Behavior:
    """One undocumented behavior.

    Attributes:
        id: Stable ID, used in comments.
        area: Part of this package that implements it.
        subject: Point that is not documented.
        default: Behavior of this package.
        switch: Way to choose otherwise; empty if there is no choice.
        basis: Evidence for the default.
    """

    id: str
    area: Area
    subject: str
    default: str
    switch: str = ""
    basis: str = ""


# F rows are assumptions. O rows are open points, about which nothing authoritative is known.
TABLE: tuple[Behavior, ...] = (
    Behavior(
        "F-01",
        "engine",
        "Generation of new UIDs",
        "Version-3 UUID of the old UID in the all-zero namespace, as a decimal number under Google's UID root",
        'Deidentifier(uid_rule="salted", salt=…)',
        "Pairs of UIDs published by third parties; one pair of SOP Instance UIDs does not fit",
    ),
    Behavior(
        "F-02",
        "engine",
        "Tags kept in addition to a keepList, and by MINIMAL_KEEP_LIST_PROFILE",
        "33 tags: UIDs, transfer syntax, pixel data (also float) and the attributes that decode and window it",
        "",
        "The tutorial's list, Google's samples",
    ),
    Behavior(
        "F-03",
        "engine",
        "A keepList or removeList without tags",
        "400; the SDK refuses to send one",
    ),
    Behavior(
        "F-04",
        "engine",
        "SOPClassUID when tags are kept by list",
        "Kept: readers need it, and the file meta information has the same value",
        "Deidentifier(strict_keep_list=True)",
    ),
    Behavior(
        "F-05",
        "engine",
        "Other tags that a removeList removes, and tags that it must not have",
        "OverlayData is removed too; a list with a tag of F-02 is refused",
        "",
        "A third party's copy of Google's page",
    ),
    Behavior(
        "F-06",
        "engine",
        "DEIDENTIFY_TAG_CONTENTS without a text config in v1",
        "Dates are shifted, everything else is replaced by its infoType in brackets",
        "",
        "The BASIC text profile of v1beta1",
    ),
    Behavior(
        "F-07",
        "engine",
        "Default infoTypes",
        "Fifteen, including names, dates, places, phone numbers, e-mail addresses and ages; patient IDs in pixels",
        "excludeInfoTypes; additionalInfoTypes in v1beta1",
    ),
    Behavior("F-08", "engine", "Hash function of cryptoHashConfig", "HMAC-SHA-256 of the UTF-8 text, in base64"),
    Behavior(
        "F-09",
        "engine",
        "Range of date shifts",
        "At most 100 days back or forth, inclusive",
        "Deidentifier(date_shift_days=…)",
        "The tutorial's wording also allows ±50",
    ),
    Behavior(
        "F-10",
        "engine",
        "A transformation whose result is invalid for the VR",
        "The text is erased instead",
        "",
        "Documented for FHIR in v1beta1",
    ),
    Behavior("F-11", "config", "An empty maskingCharacter", "An asterisk", "", "The tutorial sends one"),
    Behavior("F-12", "config", "Length of cryptoKey", "16, 24 or 32 bytes; 32 recommended"),
    Behavior("F-13", "engine", "Color of redacted text", "Black, opaque", "", "The default of Cloud DLP"),
    Behavior("F-14", "engine", "Tag actions for PS3.15 action codes", "X delete, Z empty, D dummy, U new UID"),
    Behavior(
        "F-15",
        "emulator",
        "A request with an unknown field, value or tag keyword, or two members of a union",
        "400 INVALID_ARGUMENT at once; no operation is started",
    ),
    Behavior(
        "F-16",
        "emulator",
        "JSON that is not strict: single quotes, snake_case, 'True'",
        "The emulator accepts it; the SDK sends strict JSON",
        "",
        "The tutorial sends single quotes, a Google sample sends 'True'",
    ),
    Behavior(
        "F-17",
        "emulator",
        "Layout of error bodies",
        "code, message, status, details; the errors list only with $.xgafv=1",
    ),
    Behavior(
        "F-18",
        "emulator",
        "apiMethodName and @type of operations on stores",
        "…deidentify.DeidentifyService.DeidentifyDicomStore, …DeidentifyDicomStoreSummary",
        "",
        "By analogy with those of datasets in the tutorial",
    ),
    Behavior(
        "F-19",
        "emulator",
        "List that has an operation; counters that are zero; cancelRequested",
        "The source dataset's; omitted, but counter itself is present; true until a cancelled operation has ended",
    ),
    Behavior("F-20", "client", "Retryable replies", "408, 425, 429, 500, 502, 503, 504", "RetryPolicy"),
    Behavior(
        "F-21",
        "emulator",
        "A start that is sent twice, and a run into a store that holds results",
        "A dataset: 409. A store: a second operation. Equal instances are successes, others failures of that instance",
    ),
    Behavior("F-22", "emulator", "An operation that is unknown, or ended more than 30 days ago", "404 NOT_FOUND"),
    Behavior("F-23", "emulator", "Default limit of a search", "100 studies or series, 1,000 instances"),
    Behavior(
        "F-24",
        "emulator",
        "Permissions",
        "Not checked; policies are stored and returned. A dataset that does not exist is 403, a store 404",
        "FaultPlan.fail(…, status=401 or 403)",
    ),
    Behavior(
        "F-25",
        "emulator",
        "dicom: {}, and no dicom for a DICOM store",
        "All tags are kept, UIDs are regenerated, image applies to pixels. For a dataset, no dicom skips its DICOM "
        "stores",
    ),
    Behavior("F-26", "client", "Names without project or location", "Argument, then environment, then an error"),
    Behavior("F-27", "emulator", "Other error codes", "One table: healthcare_deid.emulator.errors.StatusCode"),
    Behavior(
        "F-28",
        "emulator",
        "A store request with some rejected instances",
        "202 with both lists; 409 if all are rejected, 200 if all are stored",
        "",
        "PS3.18 section 10.5.3",
    ),
    Behavior(
        "F-29",
        "emulator",
        "FailureReason of a rejected instance",
        "Always 272, with the text in (0009,0097)",
        "",
        "Replies published by users of the service",
    ),
    Behavior(
        "F-30",
        "emulator",
        "Retrieval of an instance without a transfer syntax",
        "Explicit VR Little Endian, decompressed; 406 without a decoder",
        "Accept: …; transfer-syntax=*",
        "The page on DICOM support names it as the default",
    ),
    Behavior("F-31", "emulator", "v1alpha2 in paths, as sent by gcloud alpha", "Handled as v1beta1"),
    Behavior("F-32", "emulator", "Order of search results and lists", "By UID; lists by name; operations newest first"),
    Behavior(
        "F-33",
        "emulator",
        "Searchable attributes",
        "Every attribute of an instance, by keyword, tag or dotted path; an unknown keyword is 400",
    ),
    Behavior("F-34", "emulator", "Layout of an export", "prefix/study/series/instance.dcm"),
    Behavior("F-35", "emulator", "Deletion of a study or series", "Immediate; the operation has already ended"),
    Behavior(
        "F-36",
        "emulator",
        "Required attributes of a search result that the instance lacks",
        "Present without a value, except ModalitiesInStudy; metadata has only the instance's attributes",
        "",
        "PS3.18 tables 10.6.3-3 to 10.6.3-5, type R",
    ),
    Behavior(
        "F-37",
        "emulator",
        "Methods of other parts of the API: FHIR resources, HL7v2, consent, annotation and data mapper stores",
        "501 UNIMPLEMENTED; a path that is not in the API is 404",
    ),
    Behavior(
        "F-38",
        "emulator",
        "Storage classes of blobs",
        "Stored with each instance and returned by getStorageInfo. A change applies at once, without effect on cost or "
        "speed",
    ),
    Behavior(
        "F-39",
        "emulator",
        "Options that need another Google service: encryptionSpec, streamConfigs, BigQuery, fhirOutput",
        "501 UNIMPLEMENTED; nothing is stored or started",
    ),
    Behavior(
        "F-40",
        "emulator",
        "Pub/Sub notifications",
        "The topic's form is checked, and the config is stored and returned; nothing is published",
    ),
    Behavior(
        "F-41",
        "emulator",
        "Existing locations",
        "us, eu, and any name in the form of a region; others are 404. Lists of locations accept no filter",
    ),
    Behavior(
        "F-42",
        "emulator",
        "A config that breaks a documented rule: regional processing, infoTypes of images, regexes",
        "400 at once, with the field and the reason",
    ),
    Behavior(
        "F-43",
        "emulator",
        "v1beta1: update of instances, patch of metadata",
        "An update stores instances and replaces those with the same UIDs. A patch accepts add, remove, replace and "
        "test, and cannot change UIDs, file meta information or bulk data",
        "",
        "The service describes both as previews",
    ),
    Behavior(
        "O-01",
        "engine",
        "Compound codes of the Basic Profile (X/Z, X/Z/D …)",
        "The last code, which keeps every IOD valid",
    ),
    Behavior("O-02", "engine", "Dummy values", "Fixed for each VR, never derived from data"),
    Behavior(
        "O-03",
        "engine",
        "Private tags",
        "Deleted by the Basic Profile and keep lists, otherwise kept; contents mode inspects text VRs",
        "Deidentifier(safe_private=…)",
    ),
    Behavior(
        "O-04", "config", "Spellings in tag lists", "Keyword, 8 digits, gggg,eeee; wildcards and paths are refused"
    ),
    Behavior("O-05", "engine", "Tags inside sequences in v1", "Treated as at the top level"),
    Behavior(
        "O-06",
        "engine",
        "UIDs other than study, series and instance",
        "A reference follows its target; others are kept, or regenerated by the Basic Profile",
        "Deidentifier(other_uids=…)",
    ),
    Behavior(
        "O-07",
        "engine",
        "Curves and overlays",
        "Deleted by the Basic Profile; pixel redaction also covers text in overlays",
    ),
    Behavior("O-08", "emulator", "A removeList with a required tag", "400 at once"),
    Behavior("O-09", "config", "transformations and additionalTransformations together", "Refused"),
    Behavior(
        "O-10",
        "engine",
        "Pixel data that can be redacted",
        "All that the installed decoders read; any other instance fails and is never copied",
    ),
    Behavior(
        "O-11",
        "engine",
        "Transfer syntax after redaction",
        "Unchanged if it can be encoded without loss, otherwise Explicit VR Little Endian",
    ),
    Behavior(
        "O-12",
        "emulator",
        "De-identification markers such as PatientIdentityRemoved",
        "Not written by the emulator; written to files",
        "Deidentifier(markers=…)",
    ),
    Behavior(
        "O-13",
        "engine",
        "Calculation of a date shift",
        "HMAC-SHA-256 of the patient ID or the Study Instance UID; never 0 days",
    ),
    Behavior("O-14", "emulator", "After cancellation", "Instances already written stay; error code 1"),
    Behavior("O-15", "emulator", "Filters of operations.list", "done=true and done=false; others are 400"),
    Behavior("O-16", "emulator", "Quotas", "None", "FaultPlan.fail(…, status=429)"),
    Behavior(
        "O-17",
        "emulator",
        "De-identification of FHIR stores",
        "501 UNIMPLEMENTED; nothing is copied. A config without fhir skips FHIR stores",
    ),
    Behavior(
        "O-18",
        "emulator",
        "Transfer syntaxes available on retrieval",
        "Those of the conformance statement, as far as pixel data and codecs allow, and the stored one; others are "
        "406. HTJ2K, JPEG XL and 12-bit JPEG need the extra [codecs]",
    ),
    Behavior("O-19", "client", "Retry-After", "Honored"),
)
"""All rows."""


def to_markdown() -> str:
    """Return the table as Markdown."""
    lines = [
        "| id | part | not documented | done here | choose otherwise | speaks for it |",
        "|---|---|---|---|---|---|",
    ]
    for row in TABLE:
        switch = f"`{row.switch}`" if "(" in row.switch or ":" in row.switch else row.switch
        lines.append(f"| {row.id} | {row.area} | {row.subject} | {row.default} | {switch} | {row.basis} |")
    return "\n".join(lines) + "\n"
