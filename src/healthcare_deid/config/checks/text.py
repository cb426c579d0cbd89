"""Checks of keys, transformations and infoTypes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthcare_deid.config.base.suggestions import nearest
from healthcare_deid.config.checks.catalog import CHECKS
from healthcare_deid.config.infotypes import DATE_INFO_TYPES, InfoType
from healthcare_deid.config.parts import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.parts import ConfigParts, ConfiguredTransformation

_TUTORIAL_KEY_SHA256 = "2d9140c403ba74c5e506a822f923724f86e8d79a8491a1e22e6c405db727987b"
# "openssl enc -salt" writes this magic before its random salt.
_SALTED = b"Salted__"
# The inspection service behind the API hashes with 256-bit keys only.
_FULL_KEY_BYTES = 32
# A random key of 16 bytes has fewer distinct byte values than this with a probability below 1e-18.
_FEW_BYTES = 5
# AE and SH hold at most 16 characters (PS3.5 section 6.2).
_SHORT_VR_CHARACTERS = 16
_REGIONAL = ("LOCATION", "ORGANIZATION_NAME")
# InfoTypes found in values of VR DA, DT and AS.
_ANY = {
    "v1": "Without infoTypes it applies to every infoType, even those of the other transformations.",
    "v1beta1": "Without infoTypes it applies to those that no other transformation names, instead of the profile.",
}
_EXCLUDED = {
    "v1": "exclusion wins and the text stays",
    "v1beta1": "which one applies is not documented, and the local engine transforms",
}
_VR_BOUND = DATE_INFO_TYPES | {"AGE"}


def check_text(config: ConfigParts) -> Iterator[Finding]:
    """Yield findings about keys, transformations and infoTypes."""
    yield from _keys(config)
    yield from _use(config)
    yield from _regional(config)
    named: set[str] = set()
    found = list(config.transformations())
    for path, item in found:
        for index, name in enumerate(item.info_types):
            if name in named:
                yield CHECKS["transformation-twice"].at(
                    f"{path}.infoTypes[{index}]", f"{name} has two transformations."
                )
            named.add(name)
        if not item.info_types and len(found) > 1:
            yield CHECKS["transformation-any"].at(path, _ANY[config.api_version])
    for transformation in found:
        yield from _transformation(config, transformation)
    yield from _names(config)


def _keys(config: ConfigParts) -> Iterator[Finding]:
    for path, item in config.keyed():
        key = item.crypto_key
        at = f"{path}.cryptoKey"
        if key is None:
            if item.kms_wrapped is None:
                yield CHECKS["key-missing"].at(path)
            continue
        if _is_published(key):
            yield CHECKS["key-published"].at(at)
        elif key.startswith(_SALTED):
            yield CHECKS["key-salted"].at(at)
        elif len(set(key)) < _FEW_BYTES or (bytes(key).isascii() and all(32 <= byte < 127 for byte in key)):
            yield CHECKS["key-weak"].at(at)
        if len(key) < _FULL_KEY_BYTES:
            yield CHECKS["key-short"].at(
                at, f"The key has {len(key) * 8} bits; the hash behind the API takes 256 only."
            )


def _is_published(key: bytes) -> bool:
    """Return whether this is the key printed in Google's tutorial."""
    from hashlib import sha256

    # Compare digests, so that this source does not publish the key a second time.
    return sha256(key).hexdigest() == _TUTORIAL_KEY_SHA256


def _use(config: ConfigParts) -> Iterator[Finding]:
    tags = config.inspects_tags()
    if config.text is not None and not (tags or config.inspects_fields() or config.inspects_pixels()):
        yield CHECKS["text-unused"].at("text")
    if config.api_version == "v1" and tags and not any(True for _ in config.transformations()):
        yield CHECKS["text-missing"].at("text")
    if config.text is not None and config.text.transformations:
        yield CHECKS["deprecated-field"].at(
            "text.transformations",
            "The API has deprecated text.transformations in favor of text.additionalTransformations.",
        )


def _regional(config: ConfigParts) -> Iterator[Finding]:
    if not config.regional:
        return
    excluded = config.text.exclude_info_types if config.text else ()
    missing = [name for name in _REGIONAL if name not in excluded]
    if missing and (config.inspects_tags() or config.inspects_fields()):
        yield CHECKS["regional-info-types"].at(
            "text.excludeInfoTypes", f"Regional processing is on, and {' and '.join(missing)} must be excluded."
        )
    for image in config.images():
        if image.value.text_redaction_mode not in SENSITIVE:
            continue
        if config.api_version == "v1":
            yield CHECKS["regional-pixels"].at(image.path)
            continue
        left = [name for name in _REGIONAL if name not in image.exclude_info_types]
        if left:
            yield CHECKS["regional-info-types"].at(
                f"{image.path}.excludeInfoTypes",
                f"Regional processing is on, and {' and '.join(left)} must be excluded.",
            )


def _transformation(config: ConfigParts, found: ConfiguredTransformation) -> Iterator[Finding]:
    path, item = found
    excluded = set(config.text.exclude_info_types) if config.text else set[str]()
    both = [name for name in item.info_types if name in excluded]
    if both:
        yield CHECKS["transformation-excluded"].at(
            path, f"{', '.join(both)}: transformed and excluded; {_EXCLUDED[config.api_version]}."
        )
    mask = item.character_mask_config
    if item.chosen is None:
        yield CHECKS["transformation-empty"].at(path)
    if mask is not None and mask.masking_character is None and "masking_character" in mask.model_fields_set:
        yield CHECKS["mask-empty"].at(f"{path}.characterMaskConfig.maskingCharacter")
    if item.date_shift_config is not None:
        yield from _shift(found)
    if config.inspects_tags():
        yield from _fit(found)


def _shift(found: ConfiguredTransformation) -> Iterator[Finding]:
    names = found.value.info_types
    others = [name for name in names if name in set(InfoType) and name not in DATE_INFO_TYPES]
    if others:
        yield CHECKS["shift-no-date"].at(
            found.path, f"{', '.join(others)}: not a date, so it is erased instead of shifted."
        )
    elif not names:
        yield CHECKS["shift-no-date"].at(
            found.path, "Without infoTypes, text that is not a date is erased instead of shifted."
        )


def _fit(found: ConfiguredTransformation) -> Iterator[Finding]:
    """Yield transformations whose result does not fit a VR.

    Source: PS3.5 section 6.2.
    """
    path, item = found
    names = item.info_types
    dates = [name for name in names if name in _VR_BOUND]
    what = ", ".join(dates) if names else "any infoType, dates and ages too"
    if (dates or not names) and item.chosen in {"character_mask_config", "crypto_hash_config"}:
        verb = "masked" if item.character_mask_config is not None else "hashed"
        yield CHECKS["transformation-vr"].at(
            path, f"{what}: a {verb} value is not valid in VR DA, DT or AS, so it is erased."
        )
    if (dates or not names) and item.replace_with_info_type_config is not None:
        yield CHECKS["transformation-vr"].at(
            path, f"{what}: an infoType name is not valid in VR DA, DT or AS, so the value is erased."
        )
    if item.crypto_hash_config is not None and (set(names) - _VR_BOUND or not names):
        yield CHECKS["transformation-too-long"].at(
            path,
            "A hash has 44 characters; AE and SH hold 16, so the text is erased there (PatientID, of VR LO, holds 64).",
        )
    if item.replace_with_info_type_config is not None:
        long = [name for name in names if len(name) + 2 > _SHORT_VR_CHARACTERS and name not in _VR_BOUND]
        if long:
            yield CHECKS["transformation-too-long"].at(
                path, f"[{long[0]}] has {len(long[0]) + 2} characters; AE and SH hold 16, so the text is erased there."
            )


def _names(config: ConfigParts) -> Iterator[Finding]:
    places: list[tuple[str, str]] = []
    for path, item in config.transformations():
        places += [(f"{path}.infoTypes[{index}]", name) for index, name in enumerate(item.info_types)]
    if config.text is not None:
        places += [
            (f"text.excludeInfoTypes[{index}]", name) for index, name in enumerate(config.text.exclude_info_types)
        ]
    for image in config.images():
        for field, names in (
            ("additionalInfoTypes", image.additional_info_types),
            ("excludeInfoTypes", image.exclude_info_types),
        ):
            places += [(f"{image.path}.{field}[{index}]", name) for index, name in enumerate(names)]
    known = [str(name) for name in InfoType]
    for path, name in places:
        near = None if name in known else nearest(name, known, cutoff=0.8)
        if near:
            yield CHECKS["info-type-unknown"].at(path, f"{name}: did you mean {near}?")
