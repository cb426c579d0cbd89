"""Summary of a config for people, without keys."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.config.parts import ConfigParts, ConfiguredImage, ConfiguredTransformation
    from healthcare_deid.config.v1.dicom import DicomConfig
    from healthcare_deid.config.v1.keys import Keyed
    from healthcare_deid.config.v1beta1.dicom import Action, DicomTagConfig

# Number of names shown from a list.
_SHOWN = 6

_PROFILES = {
    "MINIMAL_KEEP_LIST_PROFILE": "keep what valid DICOM needs; remove every other",
    "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE": "remove by DICOM's Basic Profile (PS3.15 Annex E)",
    "KEEP_ALL_PROFILE": "keep all",
    "TAG_FILTER_PROFILE_UNSPECIFIED": "keep all",
    "PROFILE_TYPE_UNSPECIFIED": "remove by DICOM's Basic Profile (PS3.15 Annex E)",
    "DEIDENTIFY_TAG_CONTENTS": "keep all; transform sensitive text in them",
}
_PIXELS = {
    "REDACT_ALL_TEXT": "cover all text",
    "REDACT_SENSITIVE_TEXT": "cover sensitive text",
    "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS": "cover sensitive text and phrases from removed tags",
}
_ACTIONS = {
    "keep_tag": "keep",
    "remove_tag": "empty",
    "delete_tag": "delete",
    "reset_tag": "reset",
    "clean_text_tag": "transform sensitive text in",
    "clean_image_tag": "redact",
    "regen_uid_tag": "regenerate",
    "recurse_tag": "recurse into",
}

Rows = list[tuple[str, str]]


def rows(config: ConfigParts) -> Rows:
    """Return the summary as pairs of subject and treatment."""
    tags = _tag_config(config.tag_config) if config.tag_config is not None else _tag_filter(config.dicom)
    return [*tags, *_text(config), ("pixels", _pixels(config.pixel_image())), *_rest(config)]


def as_text(config: ConfigParts) -> str:
    """Return the summary as lines."""
    lines = rows(config)
    width = max(len(what) for what, _ in lines)
    head = f"<DeidentifyConfig {config.api_version}>"
    return "\n".join([head, *(f"  {what:<{width}}  {how}" for what, how in lines)])


def as_html(config: ConfigParts) -> str:
    """Return the summary as a table."""
    cells = "".join(
        f'<tr><th style="text-align:left">{escape(what)}</th><td style="text-align:left">{escape(how)}</td></tr>'
        for what, how in rows(config)
    )
    return f"<table><caption>DeidentifyConfig {config.api_version}</caption>{cells}</table>"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _tag_filter(dicom: DicomConfig | None) -> Rows:
    if dicom is None:
        return [("tags", "DICOM stores are skipped")]
    if dicom.keep_list is not None:
        how = f"keep {_some(dicom.keep_list.tags)}, and what valid DICOM needs; remove every other"
    elif dicom.remove_list is not None:
        how = f"remove {_some(dicom.remove_list.tags)}; keep every other"
    else:
        how = _PROFILES[dicom.filter_profile or "KEEP_ALL_PROFILE"]
    return [("tags", how), ("UIDs", "kept" if dicom.skip_id_redaction else "regenerated")]


def _tag_config(config: DicomTagConfig) -> Rows:
    shown: Rows = [("tags", _PROFILES[config.profile_type or "PROFILE_TYPE_UNSPECIFIED"])]
    shown += [("", _action(action)) for action in config.actions]
    options = config.options
    ids = {"KEEP": "kept", "REGEN": "regenerated"}
    shown.append(("UIDs", ids.get(str(options.primary_ids) if options else "", "as the profile says")))
    if options is not None and options.clean_descriptors is not None:
        shown.append(("descriptors", "phrases from removed tags become [CTX]"))
    return shown


def _action(action: Action) -> str:
    verb = _ACTIONS.get(action.chosen or "", "nothing for")
    return f"but {verb} {_some(action.queries)}"


def _text(config: ConfigParts) -> Rows:
    found = list(config.transformations())
    named = any(item.value.info_types for item in found)
    others = "any other infoType" if named and config.api_version == "v1beta1" else "any infoType"
    shown: Rows = [("text", _transformation(item, others)) for item in found]
    # The profile treats what no transformation names. One without infoTypes takes its place.
    by_profile = config.api_version == "v1beta1" and all(item.value.info_types for item in found)
    if config.text is not None and by_profile:
        kept = config.other_info_types_stay
        shown.append(
            (
                "text",
                f"{others}: kept" if kept else f"{others}: dates shifted, the rest replaced by the infoType's name",
            )
        )
    if config.text is not None and config.text.exclude_info_types:
        shown.append(("text", f"{_some(config.text.exclude_info_types)}: left alone"))
    if not shown:
        shown = [("text", "the service's defaults" if config.text is not None else "no config")]
    return [(what if index == 0 else "", how) for index, (what, how) in enumerate(shown)]


def _transformation(found: ConfiguredTransformation, others: str) -> str:
    """Describe a transformation; *others* is what it applies to if it names no infoTypes."""
    item = found.value
    names = _some(item.info_types) or others
    if item.redact_config is not None:
        return f"{names}: erased"
    if item.character_mask_config is not None:
        return f"{names}: masked with {item.character_mask_config.masking_character or '*'}"
    if item.date_shift_config is not None:
        return f"{names}: shifted ({_key(item.date_shift_config)})"
    if item.crypto_hash_config is not None:
        return f"{names}: hashed ({_key(item.crypto_hash_config)})"
    if item.replace_with_info_type_config is not None:
        return f"{names}: replaced by the infoType's name"
    return f"{names}: no transformation"


def _key(config: Keyed) -> str:
    if config.crypto_key is not None:
        return f"{len(config.crypto_key) * 8}-bit key"
    if config.kms_wrapped is not None:
        return "key wrapped by Cloud KMS"
    return "no key: a new one every operation; in files, the run's secret"


def _pixels(image: ConfiguredImage | None) -> str:
    if image is None:
        return "left alone"
    how = _PIXELS.get(image.value.text_redaction_mode or "", "left alone")
    patterns = len(image.value.custom_regexes)
    if patterns:
        how += f"; {patterns} custom pattern{'s' if patterns > 1 else ''}"
    return f"{how}; not {_some(image.exclude_info_types)}" if image.exclude_info_types else how


def _rest(config: ConfigParts) -> Rows:
    shown: Rows = []
    if config.fhir is not None:
        fields = len(config.fhir.field_metadata_list)
        rules = (
            f"{fields} rule{'s' if fields > 1 else ''} by path; unmatched fields unmodified" if fields else "defaults"
        )
        shown.append(("FHIR", rules))
    elif config.fhir_field_config is not None:
        shown.append(("FHIR", f"profile {config.fhir_field_config.profile_type or 'BASIC'}"))
    else:
        shown.append(("FHIR", "FHIR stores are skipped"))
    if config.regional:
        shown.append(("region", "processed in the data's own region"))
    return shown
