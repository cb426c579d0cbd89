"""Checks of tag filters, tag actions and UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.catalog import CHECKS
from healthcare_deid.config.parts import CONTENTS
from healthcare_deid.config.tags import MINIMAL_KEEP_TAGS, VRS, is_private, keyword_of, tag_number, vr_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.parts import ConfigParts
    from healthcare_deid.config.v1.dicom import DicomConfig
    from healthcare_deid.config.v1beta1.dicom import Action, DicomTagConfig

VIEWER_TAGS = ("SOPClassUID", "Modality", "InstanceNumber", "SeriesNumber")
"""Tags that viewers and archives need to sort and open an instance; none of them identifies a person."""

IDENTIFIERS = (
    "AccessionNumber",
    "IssuerOfPatientID",
    "MedicalRecordLocator",
    "OtherPatientIDs",
    "OtherPatientNames",
    "PatientAddress",
    "PatientBirthDate",
    "PatientBirthName",
    "PatientBirthTime",
    "PatientComments",
    "PatientID",
    "PatientMotherBirthName",
    "PatientName",
    "PatientTelephoneNumbers",
    "ResponsiblePerson",
)
"""Tags that identify a person; PS3.15 Table E.1-1 removes, empties or replaces each of them."""

INSPECTED_VRS = frozenset({"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs whose text is inspected (v1 ``DEIDENTIFY_TAG_CONTENTS``, v1beta1 ``CleanTextTag``)."""

_KEEP_ALL = frozenset({None, "KEEP_ALL_PROFILE", "TAG_FILTER_PROFILE_UNSPECIFIED"})
_REQUIRED = {tag_number(tag) for tag in MINIMAL_KEEP_TAGS}
_IDENTIFIER_NUMBERS = {tag_number(tag) for tag in IDENTIFIERS}
_PATIENT_ID = tag_number("PatientID")
BASIC = "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"


def check_tags(config: ConfigParts) -> Iterator[Finding]:
    """Yield findings about tag filters, tag actions and UIDs."""
    if config.dicom is not None:
        yield from _filters(config.dicom, in_v1=config.api_version == "v1")
    if config.tag_config is not None:
        yield from _tag_config(config.tag_config)
    yield from _patients(config)


def _patients(config: ConfigParts) -> Iterator[Finding]:
    """Yield places that give all patients one ID."""
    if config.dicom is not None and config.dicom.filter_profile == BASIC:
        yield CHECKS["patients-alike"].at("dicom.filterProfile")
    if config.tag_config is None:
        return
    actions = list(enumerate(config.tag_config.actions))
    index, action = next(((at, one) for at, one in actions if _PATIENT_ID in _numbers(one.queries)), (0, None))
    if action is not None:
        if action.reset_tag is not None or action.remove_tag is not None:
            yield CHECKS["patients-alike"].at(f"dicomTagConfig.actions[{index}]")
    elif config.tag_config.profile_type in {None, BASIC, "PROFILE_TYPE_UNSPECIFIED"}:
        yield CHECKS["patients-alike"].at("dicomTagConfig.profileType")


def _filters(dicom: DicomConfig, *, in_v1: bool) -> Iterator[Finding]:
    if dicom.skip_id_redaction:
        yield CHECKS["uids-kept"].at("dicom.skipIdRedaction")
    if dicom.keep_list is not None:
        yield from _keep_list(dicom.keep_list.tags)
        yield from _twice("dicom.keepList.tags", dicom.keep_list.tags)
    if dicom.remove_list is not None:
        yield CHECKS["remove-list-open"].at("dicom.removeList")
        yield from _twice("dicom.removeList.tags", dicom.remove_list.tags)
        required = [_name(tag) for tag in dicom.remove_list.tags if tag_number(tag) in _REQUIRED]
        if required:
            yield CHECKS["remove-required"].at(
                "dicom.removeList.tags",
                f"{', '.join(required)}: required in valid DICOM; the service refuses the list.",
            )
    profile = dicom.filter_profile
    if profile == CONTENTS:
        yield CHECKS["contents-not-inspected"].at("dicom.filterProfile")
    if dicom.chosen is None and in_v1:
        yield CHECKS["default-differs"].at(
            "dicom", "No filter: v1 keeps every tag, v1beta1's dicomTagConfig would use the Basic Profile."
        )
    if dicom.chosen in {None, "filter_profile"} and profile in _KEEP_ALL:
        yield CHECKS["tags-kept"].at("dicom.filterProfile" if profile else "dicom")
    if profile is not None and profile.endswith("_UNSPECIFIED"):
        yield CHECKS["unspecified-value"].at("dicom.filterProfile", "It means KEEP_ALL_PROFILE.")


def _keep_list(tags: Sequence[str]) -> Iterator[Finding]:
    path = "dicom.keepList.tags"
    kept = {tag_number(tag) for tag in tags}
    redundant = [_name(tag) for tag in tags if tag_number(tag) in _REQUIRED]
    if redundant:
        yield CHECKS["keep-redundant"].at(path, f"{', '.join(redundant)}: kept in any case.")
    missing = [tag for tag in VIEWER_TAGS if tag_number(tag) not in kept]
    if missing:
        yield CHECKS["keep-no-viewer"].at(
            path, f"{', '.join(missing)}: missing, although viewers and archives need them."
        )
    yield from _private(path, tags)
    yield from _dates(path, [tag for tag in tags if tag_number(tag) not in _IDENTIFIER_NUMBERS])
    named = [tag for tag in IDENTIFIERS if tag_number(tag) in kept]
    if named:
        yield CHECKS["keep-identifier"].at(
            path, f"{', '.join(named)}: kept unchanged, although it identifies a person.", tags=named
        )


def _twice(path: str, tags: Sequence[str]) -> Iterator[Finding]:
    seen: set[int] = set()
    for index, tag in enumerate(tags):
        number = tag_number(tag)
        if number in seen:
            yield CHECKS["tag-twice"].at(f"{path}[{index}]", f"{_name(tag)} is listed twice.")
        seen.add(number)


def _tag_config(config: DicomTagConfig) -> Iterator[Finding]:
    path = "dicomTagConfig"
    profile = config.profile_type
    if profile is None:
        yield CHECKS["default-differs"].at(
            f"{path}.profileType", "No profile: v1beta1 uses the Basic Profile, v1's dicom would keep every tag."
        )
    elif profile.endswith("_UNSPECIFIED"):
        yield CHECKS["unspecified-value"].at(f"{path}.profileType", "It means ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE.")
    if profile == "KEEP_ALL_PROFILE" and not config.actions:
        yield CHECKS["tags-kept"].at(f"{path}.profileType")
    if profile == CONTENTS:
        yield CHECKS["contents-not-inspected"].at(f"{path}.profileType")
    if config.options is not None and config.options.primary_ids == "KEEP":
        yield CHECKS["uids-kept"].at(f"{path}.options.primaryIds")
    for index, action in enumerate(config.actions):
        yield from _action(
            f"{path}.actions[{index}]", action, removes_private=profile not in {"KEEP_ALL_PROFILE", CONTENTS}
        )


def _action(path: str, action: Action, *, removes_private: bool) -> Iterator[Finding]:
    if action.chosen is None:
        yield CHECKS["action-empty"].at(path)
    if not action.queries:
        yield CHECKS["action-nowhere"].at(f"{path}.queries")
    wrong = [query for query in action.queries if not _applies(action, query)]
    if wrong:
        yield CHECKS["action-vr"].at(path, f"{', '.join(wrong)}: the action does not apply to its VR.")
    keeps = action.keep_tag is not None
    if removes_private and (keeps or action.clean_text_tag is not None or action.recurse_tag is not None):
        # keepTag on a VR keeps private elements too; what is cleaned by its VR is inspected, whoever's it is.
        yield from _private(path, [query for query in action.queries if keeps or query not in VRS])
    if action.keep_tag is not None:
        numbers = _numbers(action.queries)
        yield from _dates(path, [query for query in action.queries if not _numbers([query]) & _IDENTIFIER_NUMBERS])
        named = [tag for tag in IDENTIFIERS if tag_number(tag) in numbers]
        if named:
            yield CHECKS["keep-identifier"].at(
                path, f"{', '.join(named)}: kept unchanged, although it identifies a person.", tags=named
            )


def _applies(action: Action, query: str) -> bool:
    if action.clean_image_tag is not None:
        return query not in VRS and tag_number(query) == tag_number("PixelData")
    vrs = _vrs(query)
    if not vrs:
        return True
    if action.clean_text_tag is not None:
        return bool(vrs & INSPECTED_VRS)
    if action.regen_uid_tag is not None:
        return "UI" in vrs
    return action.recurse_tag is None or "SQ" in vrs


def _private(path: str, queries: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for private tags that are kept."""
    kept = [
        query if query in VRS else _shown(query) for query in queries if query in VRS or is_private(tag_number(query))
    ]
    if kept:
        by_vr = " (all private tags of the VR)" if set(kept) & VRS else ""
        yield CHECKS["keep-private"].at(
            path,
            f"{', '.join(kept)}{by_vr}: kept whatever vendor's they are. The result makes no claim about identity, and "
            "is not searched for the patient's names.",
        )


def _shown(query: str) -> str:
    number = tag_number(query)
    return f"({number >> 16:04X},{number & 0xFFFF:04X})"


def _dates(path: str, queries: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for dates that are kept unshifted."""
    dates = [query for query in queries if _vrs(query) & {"DA", "DT"}]
    if dates:
        yield CHECKS["keep-dates"].at(path, f"{', '.join(dates)}: kept unshifted.", tags=dates)


def _numbers(queries: Sequence[str]) -> set[int]:
    return {tag_number(query) for query in queries if query not in VRS}


def _vrs(query: str) -> set[str]:
    """Return the VRs of a query, or an empty set.

    The VR of a private tag is known only from the file.
    """
    return {query} if query in VRS else set((vr_of(query) or "").split("/")) - {""}


def _name(tag: str) -> str:
    return keyword_of(tag_number(tag)) or tag
