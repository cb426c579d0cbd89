"""gcloud commands that de-identify.

Source: the command definitions of the Google Cloud SDK (``gcloud healthcare datasets|dicom-stores|fhir-stores
deidentify``). GA commands use v1, ``gcloud beta`` v1beta1, ``gcloud alpha`` v1alpha2.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from healthcare_deid.config.base.suggestions import did_you_mean
from healthcare_deid.config.dialects.command import Command, SourceName
from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healthcare_deid.config.base.field_types import ApiVersion

# Names of gcloud's command groups.
_GROUPS = {DatasetName: "datasets", DicomStoreName: "dicom-stores", FhirStoreName: "fhir-stores"}
_VALUE_FLAGS = {
    "datasets": ("--location", "--destination-dataset", "--dicom-filter-tags", "--text-redaction-mode"),
    "dicom-stores": ("--location", "--dataset", "--destination-store", "--dicom-filter-tags", "--text-redaction-mode"),
    "fhir-stores": ("--location", "--dataset", "--destination-store"),
}
_SWITCHES = {
    "datasets": ("--async", "--default-fhir-config"),
    "dicom-stores": ("--async",),
    "fhir-stores": ("--async",),
}
_COMMON_VALUES = ("--project", "--format", "--account", "--verbosity", "--billing-project", "--configuration")
_COMMON_SWITCHES = ("--quiet", "-q")
# Values that mean the same as an unset field.
_DEFAULTS = (False, "REDACT_NO_TEXT", "TEXT_REDACTION_MODE_UNSPECIFIED")


def write_gcloud(call: Command, *, wait: bool) -> str:
    """Return a gcloud command for a call.

    Raises:
        ConfigError: "gcloud cannot express: …", with every such field.
    """
    group = _GROUPS[type(call.source)]
    flags = _flags(call.body, group)
    dataset = call.source if isinstance(call.source, DatasetName) else call.source.parent
    base = ["gcloud", *(["beta"] if call.version == "v1beta1" else []), "healthcare", group, "deidentify"]
    own_id = call.source.dataset if isinstance(call.source, DatasetName) else call.source.store
    lines = [shlex.join([*base, own_id]), f"--project={dataset.project}", f"--location={dataset.location}"]
    if not isinstance(call.source, DatasetName):
        lines.append(f"--dataset={dataset.dataset}")
    lines += [*flags, *([] if wait else ["--async"])]
    return " \\\n    ".join([lines[0], *(shlex.quote(line) for line in lines[1:])])


def _flags(body: dict[str, Any], group: str) -> list[str]:
    left = dict(body)
    destination = "destinationDataset" if group == "datasets" else "destinationStore"
    name = "--destination-dataset" if group == "datasets" else "--destination-store"
    flags = [f"{name}={left.pop(destination)}"]
    config: dict[str, Any] = dict(left.pop("config", {}))
    if group != "fhir-stores":
        tags = config.get("dicom", {}).get("keepList", {}).get("tags")
        if tags:
            flags.append(f"--dicom-filter-tags={','.join(tags)}")
            more = {name: value for name, value in config["dicom"].items() if name != "keepList"}
            config["dicom"] = dict(item for item in more.items() if item[1] not in _DEFAULTS) or None
        if config.get("image", {}).get("textRedactionMode") == "REDACT_ALL_TEXT":
            flags.append("--text-redaction-mode=all")
            config["image"] = {key: value for key, value in config["image"].items() if key != "textRedactionMode"}
        if config.get("image") == {}:
            del config["image"]
    if group == "datasets" and config.get("fhir") == {}:
        flags.append("--default-fhir-config")
        del config["fhir"]
    inexpressible = [*_leaves("config", {key: value for key, value in config.items() if value is not None}), *left]
    if inexpressible:
        raise ConfigError(f"gcloud cannot express: {', '.join(inexpressible)}")
    return flags


def _leaves(path: str, value: Any) -> Iterator[str]:
    """Yield the paths of fields set to a non-default value.

    Paths end two levels below the config. An object of defaults counts as set, except image: ``dicom: {}`` makes the
    service process DICOM.
    """
    for name, item in value.items():
        at = f"{path}.{name}"
        if item in _DEFAULTS:
            continue
        below = list(_leaves(at, item)) if isinstance(item, dict) and at.count(".") < 2 else [at]
        yield from below or ([] if name == "image" else [at])


def read_gcloud(words: Sequence[str], *, project: str | None, location: str | None) -> Command:
    """Return the call of a gcloud command, given as its words.

    Raises:
        ConfigError: The command is another one, or a flag is unknown.
        ResourceNameError: A name is incomplete.
    """
    version, group, rest = _split(words)
    given, positional = _flags_and_names(rest, group)
    project, location = given.get("--project", project), given.get("--location", location)
    if len(positional) != 1:
        raise ConfigError(f"gcloud healthcare {group} deidentify takes one name")
    base = {"project": project, "location": location}
    source: SourceName
    if group == "datasets":
        source = DatasetName.resolve(positional[0], **base)
        target: dict[str, Any] = {
            "destinationDataset": str(DatasetName.resolve(_required(given, "--destination-dataset"), **base))
        }
    else:
        kind = DicomStoreName if group == "dicom-stores" else FhirStoreName
        source = kind.resolve(_in_dataset(positional[0], given.get("--dataset")), **base)
        target_name = _in_dataset(_required(given, "--destination-store"), given.get("--dataset"))
        target = {"destinationStore": str(kind.resolve(target_name, **base))}
    config = _config(given)
    return Command(version, source, target | ({"config": config} if config else {}))


def _split(words: Sequence[str]) -> tuple[ApiVersion, str, list[str]]:
    rest = list(words)
    if rest[:1] != ["gcloud"]:
        raise ConfigError("not a gcloud command: it does not begin with gcloud")
    rest = rest[1:]
    if rest[:1] == ["alpha"]:
        raise ConfigError("gcloud alpha uses v1alpha2, which is not supported: use gcloud or gcloud beta")
    version: ApiVersion = "v1beta1" if rest[:1] == ["beta"] else "v1"
    rest = rest[1:] if version == "v1beta1" else rest
    if rest[:1] != ["healthcare"] or rest[2:3] != ["deidentify"] or rest[1] not in _VALUE_FLAGS:
        raise ConfigError("not a command 'gcloud healthcare datasets|dicom-stores|fhir-stores deidentify'")
    return version, rest[1], rest[3:]


def _flags_and_names(words: Sequence[str], group: str) -> tuple[dict[str, str], list[str]]:
    with_value = (*_VALUE_FLAGS[group], *_COMMON_VALUES)
    switches = (*_SWITCHES[group], *_COMMON_SWITCHES)
    given: dict[str, str] = {}
    positional: list[str] = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            positional.append(word)
            continue
        flag, has_value, value = word.partition("=")
        if flag in switches:
            given[flag] = ""
        elif flag in with_value:
            given[flag] = value if has_value else next(rest, "")
        else:
            raise ConfigError(f"{flag}: unknown flag{did_you_mean(flag, [*with_value, *switches])}")
    return given, positional


def _config(given: dict[str, str]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if "--dicom-filter-tags" in given:
        config["dicom"] = {"keepList": {"tags": [tag for tag in given["--dicom-filter-tags"].split(",") if tag]}}
    if "--text-redaction-mode" in given:
        if given["--text-redaction-mode"] != "all":
            raise ConfigError("--text-redaction-mode: gcloud accepts only the value all")
        config["image"] = {"textRedactionMode": "REDACT_ALL_TEXT"}
    if "--default-fhir-config" in given:
        config["fhir"] = {}
    return config


def _required(given: dict[str, str], flag: str) -> str:
    if not given.get(flag):
        raise ConfigError(f"{flag} is required")
    return given[flag]


def _in_dataset(name: str, dataset: str | None) -> str:
    return f"{dataset}/{name}" if dataset and "/" not in name else name
