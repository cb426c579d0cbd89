"""Mask files: JSON, a CTP pixel script, or a recipe of pydicom's deid."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from healthcare_deid.engine.geometry import Box
from healthcare_deid.engine.pixels.masks.ctp_pixel_script import read_ctp_script
from healthcare_deid.engine.pixels.masks.deid_pixel_recipe import read_deid_recipe
from healthcare_deid.engine.pixels.masks.device_masks import DeviceMask, Mask
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Masks: TypeAlias = "str | os.PathLike[str] | Sequence[DeviceMask | str | os.PathLike[str]]"
"""Type of the ``masks`` option: a file, or several masks and files."""
_NAMES = {"imageType": "image_type"}
_KEYS = frozenset({"manufacturer", "model", "station", "modality", "rows", "columns", "imageType", "ocr", "regions"})
_REGION = ("x", "y", "width", "height")


def masks_of(given: Masks) -> tuple[Mask, ...]:
    """Return the masks of a ``masks`` option.

    Raises:
        ConfigError: A file cannot be read, or has none of the three formats.
    """
    if isinstance(given, str | os.PathLike):
        return tuple(load_masks(given))
    found: list[Mask] = []
    for one in given:
        found += [one.mask] if isinstance(one, DeviceMask) else load_masks(one)
    return tuple(found)


def load_masks(path: str | os.PathLike[str]) -> list[Mask]:
    """Return the masks of a file in any of the three formats.

    Raises:
        ConfigError: The file cannot be read, or has none of the formats.
    """
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, TypeError, UnicodeDecodeError) as error:
        raise ConfigError(f"masks: the file cannot be read ({type(error).__name__})") from None
    if text.lstrip().startswith("["):
        return [mask.mask for mask in read_json(text)]
    lines = {line.split()[0] for line in text.splitlines() if line.split()}
    return read_deid_recipe(text) if "%filter" in lines else read_ctp_script(text)


def read_json(text: str) -> list[DeviceMask]:
    """Return the masks of a JSON text, as `write_json` writes it.

    Raises:
        ConfigError: The text is not a list of masks.
    """
    try:
        items: Any = json.loads(text)
        return [_device_mask(item) for item in items]
    except ConfigError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError(f"masks: the JSON is not a list of masks ({type(error).__name__})") from None


def write_json(masks: Iterable[DeviceMask]) -> str:
    """Return masks as JSON."""
    items: list[dict[str, Any]] = []
    for mask in masks:
        given = {
            "manufacturer": mask.manufacturer,
            "model": mask.model,
            "station": mask.station,
            "modality": mask.modality,
            "rows": mask.rows,
            "columns": mask.columns,
            "imageType": list(mask.image_type),
            "ocr": mask.ocr,
        }
        regions = [
            dict(zip(_REGION, (box.left, box.top, box.width, box.height), strict=True))
            for box in (Box(*region) for region in mask.regions)
        ]
        items.append({key: value for key, value in given.items() if value not in ("", None, [])} | {"regions": regions})
    return json.dumps(items, indent=2, ensure_ascii=False) + "\n"


def _device_mask(item: dict[str, Any]) -> DeviceMask:
    if unknown := sorted(set(item) - _KEYS):
        raise ConfigError(f"masks: no key is called {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}")
    regions = [
        Box(region["x"], region["y"], region["x"] + region["width"], region["y"] + region["height"])
        for region in item["regions"]
    ]
    return DeviceMask(regions, **{_NAMES.get(key, key): value for key, value in item.items() if key != "regions"})
