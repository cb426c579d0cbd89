"""Behavior that Google does not document, and its equivalent here: one table, in code.

Every behaviour below could be different at Google. Each names the default here and where another choice is made.
``docs/fidelity.md`` shows the table; `to_markdown` writes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Area = Literal["engine", "emulator", "client", "config"]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour that is not documented.

    Attributes:
        id: Stable name, as comments in the code use it.
        area: Which part of this package decides it.
        subject: What is not documented.
        default: What is done here.
        switch: Where to choose otherwise; empty when there is no choice.
        basis: What speaks for the default.
    """

    id: str
    area: Area
    subject: str
    default: str
    switch: str = ""
    basis: str = ""


TABLE: tuple[Behaviour, ...] = (
    Behaviour(
        "F-01",
        "engine",
        "How new UIDs are made",
        "A version-3 UUID of the old UID in the all-zero name space, as a decimal number under Google's UID root",
        'Deidentifier(uid_rule="salted", salt=…)',
        "Pairs of UIDs that third parties published; one pair of SOP instance UIDs does not fit",
    ),
    Behaviour(
        "F-02",
        "engine",
        "Which tags are kept beside a keepList, and by MINIMAL_KEEP_LIST_PROFILE",
        "33 tags: UIDs, transfer syntax, pixel data (of floats too) and what decodes and windows it",
        "",
        "The tutorial's list, Google's samples",
    ),
    Behaviour(
        "F-03",
        "engine",
        "A keepList or removeList without tags",
        "Refused with 400; the SDK refuses to send one",
    ),
    Behaviour(
        "F-04",
        "engine",
        "SOPClassUID when tags are kept by list",
        "Kept: readers need it, and the file meta information has the same value",
        "Deidentifier(strict_keep_list=True)",
    ),
    Behaviour(
        "F-05",
        "engine",
        "What else a removeList removes, and what it may not",
        "OverlayData is removed too; a tag of F-02 in the list is refused",
        "",
        "A third party's rendering of Google's page",
    ),
    Behaviour(
        "F-06",
        "engine",
        "DEIDENTIFY_TAG_CONTENTS without a text config in v1",
        "Dates are shifted, everything else becomes its infoType in brackets",
        "",
        "The BASIC text profile of v1beta1",
    ),
    Behaviour(
        "F-07",
        "engine",
        "The infoTypes that are looked for by default",
        "Fifteen, among them names, dates, places, phone numbers, e-mail, ages; patient IDs in pixels",
        "excludeInfoTypes; additionalInfoTypes in v1beta1",
    ),
    Behaviour("F-08", "engine", "How cryptoHashConfig hashes", "HMAC-SHA-256 of the UTF-8 text, in base64"),
    Behaviour(
        "F-09",
        "engine",
        "By how much dates are shifted",
        "At most 100 days, back or forth, both ends included",
        "Deidentifier(date_shift_days=…)",
        "The tutorial's words allow ±50 as well",
    ),
    Behaviour(
        "F-10",
        "engine",
        "A transformation whose result its VR cannot hold",
        "The text is erased instead",
        "",
        "Documented so for FHIR in v1beta1",
    ),
    Behaviour("F-11", "config", "An empty maskingCharacter", "An asterisk", "", "The tutorial sends one"),
    Behaviour("F-12", "config", "Lengths of cryptoKey", "16, 24 or 32 bytes; 32 recommended"),
    Behaviour("F-13", "engine", "The color that covers text", "Black, opaque", "", "The default of Cloud DLP"),
    Behaviour("F-14", "engine", "How PS3.15 action codes become tag actions", "X delete, Z empty, D dummy, U new UID"),
    Behaviour(
        "F-15",
        "emulator",
        "A request with an unknown field, value or tag keyword, or two members of a union",
        "400 INVALID_ARGUMENT at once; nothing is started",
    ),
    Behaviour(
        "F-16",
        "emulator",
        "JSON that is not strict: single quotes, snake_case, 'True'",
        "The emulator takes it; the SDK sends strict JSON",
        "",
        "The tutorial sends single quotes, a Google sample sends 'True'",
    ),
    Behaviour(
        "F-17",
        "emulator",
        "Layout of error bodies",
        "code, message, status, details; the errors list only with $.xgafv=1",
    ),
    Behaviour(
        "F-18",
        "emulator",
        "apiMethodName and @type of operations on stores",
        "…deidentify.DeidentifyService.DeidentifyDicomStore, …DeidentifyDicomStoreSummary",
        "",
        "By analogy with the tutorial's of datasets",
    ),
    Behaviour(
        "F-19",
        "emulator",
        "Where an operation is listed; counters that are zero; cancelRequested",
        "Under the source dataset; left out, but the counter is there; true until a cancelled operation has ended",
    ),
    Behaviour("F-20", "client", "Which replies may be tried again", "408, 425, 429, 500, 502, 503, 504", "RetryPolicy"),
    Behaviour(
        "F-21",
        "emulator",
        "A start that is sent twice, and a run into a store that holds results",
        "A dataset: 409. A store: a second operation. Equal instances are successes, others failures of that instance",
    ),
    Behaviour("F-22", "emulator", "An operation that is unknown, or ended over 30 days ago", "404 NOT_FOUND"),
    Behaviour("F-23", "emulator", "Results of a search without a limit", "100 studies or series, 1,000 instances"),
    Behaviour(
        "F-24",
        "emulator",
        "Permissions",
        "Nobody is asked; policies are kept and given back. A dataset that does not exist is 403, a store 404",
        "FaultPlan.fail(…, status=401 or 403)",
    ),
    Behaviour(
        "F-25",
        "emulator",
        "dicom: {} and, on a DICOM store, no dicom at all",
        "All tags are kept, UIDs are regenerated, pixels follow image. On a dataset, no dicom skips its DICOM stores",
    ),
    Behaviour("F-26", "client", "Names without project or location", "Argument, then environment, then an error"),
    Behaviour("F-27", "emulator", "Other codes of errors", "One table: healthcare_deid.emulator.errors.Code"),
    Behaviour(
        "F-28",
        "emulator",
        "A store request of which some instances are refused",
        "202 with both lists; 409 when all are refused, 200 when none is",
        "",
        "PS3.18 section 10.5.3",
    ),
    Behaviour(
        "F-29",
        "emulator",
        "FailureReason of a refused instance",
        "272 for any, with the text in (0009,0097)",
        "",
        "Replies that users of the service published",
    ),
    Behaviour(
        "F-30",
        "emulator",
        "An instance asked for without a transfer syntax",
        "Explicit VR Little Endian, decompressed; 406 when no decoder is there",
        "Accept: …; transfer-syntax=*",
        "The page on DICOM support names it as the default",
    ),
    Behaviour("F-31", "emulator", "v1alpha2 in paths, which gcloud alpha sends", "Answered as v1beta1"),
    Behaviour(
        "F-32", "emulator", "Order of search results and lists", "By UID; lists by name; operations newest first"
    ),
    Behaviour(
        "F-33",
        "emulator",
        "Which attributes can be searched for",
        "Any that an instance has, by keyword, tag or path with dots; an unknown keyword is 400",
    ),
    Behaviour("F-34", "emulator", "Layout of an export", "prefix/study/series/instance.dcm"),
    Behaviour("F-35", "emulator", "Deleting a study or series", "Gone at once; the operation has already ended"),
    Behaviour(
        "F-36",
        "emulator",
        "Attributes that a search result must have and the instance has not",
        "There, without a value, but for ModalitiesInStudy; metadata has only what the instance has",
        "",
        "PS3.18 tables 10.6.3-3 to 10.6.3-5, type R",
    ),
    Behaviour(
        "F-37",
        "emulator",
        "Methods of other parts of the API: FHIR resources, HL7v2, consent, annotation and data mapper stores",
        "501 UNIMPLEMENTED; a path that the API does not have is 404",
    ),
    Behaviour(
        "F-38",
        "emulator",
        "Storage classes of blobs",
        "Kept with each instance and shown by getStorageInfo; a class changes neither cost nor speed, and at once",
    ),
    Behaviour(
        "F-39",
        "emulator",
        "Options that need another service of Google's: encryptionSpec, streamConfigs, BigQuery, fhirOutput",
        "501 UNIMPLEMENTED; nothing is stored or started",
    ),
    Behaviour(
        "F-40",
        "emulator",
        "Pub/Sub notifications",
        "The form of the topic is checked, and the config is kept and given back; nothing is published",
    ),
    Behaviour(
        "F-41",
        "emulator",
        "Which locations exist",
        "Any name in the form of a region, us and eu; others are 404. Lists of locations take no filter",
    ),
    Behaviour(
        "F-42",
        "emulator",
        "A config that breaks a rule in the reference: regional processing, infoTypes of images, regexes",
        "400 at once, with the field and the reason",
    ),
    Behaviour(
        "F-43",
        "emulator",
        "v1beta1: update of instances, patch of metadata",
        "An update stores, and replaces what has the same UIDs. A patch takes add, remove, replace and test, and "
        "changes neither UIDs nor file meta information nor bulk data",
        "",
        "The service describes both as previews",
    ),
    Behaviour(
        "O-01",
        "engine",
        "Compound codes of the Basic Profile (X/Z, X/Z/D …)",
        "The last code, which keeps every IOD valid",
    ),
    Behaviour("O-02", "engine", "Dummy values", "Fixed ones for each VR, never made from data"),
    Behaviour(
        "O-03",
        "engine",
        "Private tags",
        "Deleted by the Basic Profile and keep lists, else kept; contents mode inspects text VRs",
        "Deidentifier(safe_private=…)",
    ),
    Behaviour(
        "O-04", "config", "Spellings in tag lists", "Keyword, 8 digits, gggg,eeee; wildcards and paths are refused"
    ),
    Behaviour("O-05", "engine", "Tags inside sequences in v1", "Treated as at the top level"),
    Behaviour(
        "O-06",
        "engine",
        "UIDs other than study, series and instance",
        "A reference follows what it refers to; others stay, and are regenerated by the Basic Profile",
        "Deidentifier(other_uids=…)",
    ),
    Behaviour(
        "O-07",
        "engine",
        "Curves and overlays",
        "The Basic Profile deletes them; pixel redaction covers text in overlays too",
    ),
    Behaviour("O-08", "emulator", "When a removeList with a required tag is refused", "At once, 400"),
    Behaviour("O-09", "config", "transformations and additionalTransformations together", "Refused"),
    Behaviour(
        "O-10",
        "engine",
        "Pixels that can be redacted",
        "Whatever the installed decoders read; anything else is a failed instance, never a copied one",
    ),
    Behaviour(
        "O-11",
        "engine",
        "Transfer syntax after redaction",
        "The one before where it can be written without loss, else Explicit VR Little Endian",
    ),
    Behaviour(
        "O-12",
        "emulator",
        "De-identification markers such as PatientIdentityRemoved",
        "Not written by the emulator; written to files",
        "Deidentifier(markers=…)",
    ),
    Behaviour(
        "O-13",
        "engine",
        "How the days of a date shift are found",
        "HMAC-SHA-256 of the patient ID, or the study's UID; never 0 days",
    ),
    Behaviour("O-14", "emulator", "After cancelling", "What was written stays; error code 1"),
    Behaviour("O-15", "emulator", "Filters of operations.list", "done=true and done=false; others are 400"),
    Behaviour("O-16", "emulator", "Quotas", "None", "FaultPlan.fail(…, status=429)"),
    Behaviour(
        "O-17",
        "emulator",
        "De-identification of FHIR stores",
        "501 UNIMPLEMENTED; nothing is copied. A config without fhir skips them",
    ),
    Behaviour(
        "O-18",
        "emulator",
        "Transfer syntaxes that can be asked for",
        "Those of the conformance statement, as far as pixels and codecs allow; as stored; others are 406. HTJ2K, JPEG "
        "XL and JPEG of 12 bits need the extra [codecs]",
    ),
    Behaviour("O-19", "client", "Retry-After", "Honoured"),
)
"""All of them."""


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
