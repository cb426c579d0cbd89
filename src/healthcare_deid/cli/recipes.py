"""Recipes of other programs on the command line."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from healthcare_deid.cli.log import say

if TYPE_CHECKING:
    from healthcare_deid.config import RecipeConversion

_CTP = re.compile(r"\s*<|(?:.*\n)*?\s*#?(?:set\.\[|param\.|remove\.|keep\.)")
_DEID = re.compile(r"(?im)^\s*(?:format\s+dicom|%header)\b")


def read_recipe(text: str, kind: str | None, *, keep_private: bool) -> RecipeConversion | None:
    """Return the conversion of a recipe, or `None` for other text.

    Args:
        text: The file's content.
        kind: ``"ctp"`` or ``"deid"``; by default it is detected.
        keep_private: For deid: keep private attributes.

    Raises:
        ConfigError: The text is not a recipe of that kind.
    """
    from healthcare_deid.config import from_ctp_script, from_deid_recipe

    if kind == "ctp" or (kind is None and _CTP.match(text)):
        return from_ctp_script(text)
    if kind == "deid" or (kind is None and _DEID.search(text)):
        return from_deid_recipe(text, keep_private=keep_private)
    return None


def report(conversion: RecipeConversion, form: str) -> None:
    """Print the conversion's notes, and the command for the config if it needs engine options.

    Args:
        conversion: The conversion.
        form: Format that the config is printed in, which is its file's suffix.
    """
    from healthcare_deid.engine.identity.key_folder import SECRET, SECRET_FILE

    for line in conversion.unconverted:
        say(f"not converted: {line}", level="warning")
    for line in conversion.approximated:
        say(f"differs: {line}", level="warning")
    words = _options(conversion)
    needs_secret = conversion.wants_pseudonyms or "uid_root" in conversion.options
    if needs_secret and SECRET not in os.environ and SECRET_FILE not in os.environ:
        words += ["--secret-file", "./project.secret"]
    if words:
        words = ["files", "SOURCE", "DESTINATION", "--config-file", f"CONFIG.{form}", *words]
        say(f"use the config with: healthcare-deid {shlex.join(words)}")


def _options(conversion: RecipeConversion) -> list[str]:
    options = conversion.options
    words = ["--pseudonyms", "keyed"] if conversion.wants_pseudonyms else []
    if "uid_root" in options:
        words += ["--uid-root", options["uid_root"]]
    for name, value in options.get("set_values", {}).items():
        words += ["--set", f"{name}={value}"]
    for replacement in options.get("replace", ()):
        words += ["--replace", *replacement]
    return words
