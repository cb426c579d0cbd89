"""Checks of keys, transformations and infoTypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.checks.reading import (
    SENSITIVE,
    images,
    inspects_fields,
    inspects_pixels,
    inspects_tags,
    keyed,
    transformations,
)
from healthcare_deid.config.checks.rules import RULES
from healthcare_deid.config.deidentify import DeidentifyConfig as ConfigV1
from healthcare_deid.config.infotypes import DATE_INFO_TYPES, InfoType
from healthcare_deid.config.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.checks.reading import Transformation
    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.findings import Finding

_TUTORIAL_KEY_SHA256 = "2d9140c403ba74c5e506a822f923724f86e8d79a8491a1e22e6c405db727987b"
_SALTED = b"Salted__"
_FULL_KEY_BYTES = 32
_FEW_BYTES = 5
_SHORT_VR_CHARACTERS = 16
_REGIONAL = ("LOCATION", "ORGANIZATION_NAME")
_VR_BOUND = DATE_INFO_TYPES | {"AGE"}
"""InfoTypes that are found in values of VR DA, DT and AS."""


def check_text(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    """Yield what is wrong with keys, transformations and infoTypes."""
    yield from _keys(config)
    yield from _use(config)
    yield from _regional(config)
    named: set[str] = set()
    found = list(transformations(config))
    for path, item in found:
        for index, name in enumerate(item.info_types):
            if name in named:
                yield RULES["transformation-twice"].at(f"{path}.infoTypes[{index}]", f"{name} has two transformations.")
            named.add(name)
        if not item.info_types and len(found) > 1:
            yield RULES["transformation-any"].at(path)
    for transformation in found:
        yield from _transformation(config, transformation)
    yield from _names(config)


def _keys(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    for path, item in keyed(config):
        key = item.crypto_key
        at = f"{path}.cryptoKey"
        if key is None:
            if item.kms_wrapped is None:
                yield RULES["key-missing"].at(path)
            continue
        if _is_published(key):
            yield RULES["key-published"].at(at)
        elif key.startswith(_SALTED):
            yield RULES["key-salted"].at(at)
        elif len(set(key)) < _FEW_BYTES or (bytes(key).isascii() and all(32 <= byte < 127 for byte in key)):
            yield RULES["key-weak"].at(at)
        if len(key) < _FULL_KEY_BYTES:
            yield RULES["key-short"].at(at, f"The key has {len(key) * 8} bits; the hash behind the API takes 256 only.")


def _is_published(key: bytes) -> bool:
    """Compare by digest, so that the published key does not stand in the source for others to copy."""
    from hashlib import sha256

    return sha256(key).hexdigest() == _TUTORIAL_KEY_SHA256


def _use(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    tags = inspects_tags(config)
    if config.text is not None and not (tags or inspects_fields(config) or inspects_pixels(config)):
        yield RULES["text-unused"].at("text")
    if isinstance(config, ConfigV1) and tags and not any(True for _ in transformations(config)):
        yield RULES["text-missing"].at("text")
    if config.text is not None and config.text.transformations:
        yield RULES["deprecated-field"].at(
            "text.transformations", "The API has deprecated text.transformations for text.additionalTransformations."
        )


def _regional(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    if not config.use_regional_data_processing:
        return
    excluded = config.text.exclude_info_types if config.text else ()
    missing = [name for name in _REGIONAL if name not in excluded]
    if missing and (inspects_tags(config) or inspects_fields(config)):
        yield RULES["regional-info-types"].at(
            "text.excludeInfoTypes", f"Regional processing is on, and {' and '.join(missing)} not excluded."
        )
    for path, image in images(config):
        if image.text_redaction_mode not in SENSITIVE:
            continue
        if isinstance(config, ConfigV1):
            yield RULES["regional-pixels"].at(path)
        else:
            left = [name for name in _REGIONAL if name not in getattr(image, "exclude_info_types", ())]
            if left:
                yield RULES["regional-info-types"].at(
                    f"{path}.excludeInfoTypes", f"Regional processing is on, and {' and '.join(left)} not excluded."
                )


def _transformation(config: AnyDeidentifyConfig, found: Transformation) -> Iterator[Finding]:
    path, item = found
    excluded = set(config.text.exclude_info_types) if config.text else set[str]()
    both = [name for name in item.info_types if name in excluded]
    if both:
        yield RULES["transformation-excluded"].at(
            path, f"{', '.join(both)}: transformed and excluded; exclusion wins, the text stays."
        )
    mask = item.character_mask_config
    if item.chosen is None:
        yield RULES["transformation-empty"].at(path)
    if mask is not None and mask.masking_character is None and "masking_character" in mask.model_fields_set:
        yield RULES["mask-empty"].at(f"{path}.characterMaskConfig.maskingCharacter")
    if item.date_shift_config is not None:
        yield from _shift(found)
    if inspects_tags(config):
        yield from _fit(found)


def _shift(found: Transformation) -> Iterator[Finding]:
    names = found.value.info_types
    others = [name for name in names if name in set(InfoType) and name not in DATE_INFO_TYPES]
    if others:
        yield RULES["shift-no-date"].at(found.path, f"{', '.join(others)}: no date, so nothing to shift; it is erased.")
    elif not names:
        yield RULES["shift-no-date"].at(found.path, "Without infoTypes, text that is no date is to be shifted: erased.")


def _fit(found: Transformation) -> Iterator[Finding]:
    """Say where the result does not fit the VRs that DEIDENTIFY_TAG_CONTENTS inspects (PS3.5 section 6.2)."""
    path, item = found
    names = item.info_types
    dates = [name for name in names if name in _VR_BOUND]
    what = ", ".join(dates) if names else "any infoType, dates and ages too"
    if (dates or not names) and item.chosen in {"character_mask_config", "crypto_hash_config"}:
        verb = "masked" if item.character_mask_config is not None else "hashed"
        yield RULES["transformation-vr"].at(path, f"{what}: no {verb} value is valid in VR DA, DT or AS; it is erased.")
    if (dates or not names) and item.replace_with_info_type_config is not None:
        yield RULES["transformation-vr"].at(path, f"{what}: an infoType's name is no value in VR DA, DT or AS; erased.")
    if item.crypto_hash_config is not None and (set(names) - _VR_BOUND or not names):
        yield RULES["transformation-too-long"].at(
            path, "A hash has 44 characters; AE and SH hold 16 (PatientID, as LO, holds 64). There the text is erased."
        )
    if item.replace_with_info_type_config is not None:
        long = [name for name in names if len(name) + 2 > _SHORT_VR_CHARACTERS and name not in _VR_BOUND]
        if long:
            yield RULES["transformation-too-long"].at(
                path, f"[{long[0]}] has {len(long[0]) + 2} characters; AE and SH hold 16. There the text is erased."
            )


def _names(config: AnyDeidentifyConfig) -> Iterator[Finding]:
    places: list[tuple[str, str]] = []
    for path, item in transformations(config):
        places += [(f"{path}.infoTypes[{index}]", name) for index, name in enumerate(item.info_types)]
    if config.text is not None:
        places += [
            (f"text.excludeInfoTypes[{index}]", name) for index, name in enumerate(config.text.exclude_info_types)
        ]
    for path, image in images(config):
        for field, wire in (
            ("additional_info_types", "additionalInfoTypes"),
            ("exclude_info_types", "excludeInfoTypes"),
        ):
            places += [(f"{path}.{wire}[{index}]", name) for index, name in enumerate(getattr(image, field, ()))]
    known = [str(name) for name in InfoType]
    for path, name in places:
        near = None if name in known else nearest(name, known, cutoff=0.8)
        if near:
            yield RULES["info-type-unknown"].at(path, f"{name}: did you mean {near}?")
