"""Recipes of pydicom's deid: the header actions.

Source: "Recipe headers" and "Header expanders" in deid's documentation. The actions run in the order of the recipe.
KEEP protects an attribute from every other action, and a replaced or jittered attribute is not removed. Filters are
about pixels and are listed as not converted.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from healthcare_deid.config.dialects.recipe import (
    MARKERS,
    PSEUDONYMIZED,
    Fate,
    RecipeConversion,
    RecipeDecisions,
    RecipeLine,
)
from healthcare_deid.config.tags import dictionary_entries, entry_of, keyword_of, tag_number
from healthcare_deid.errors import ConfigError

_ACTIONS = ("ADD", "BLANK", "JITTER", "KEEP", "REPLACE", "REMOVE")
_SECTIONS = ("fields", "filter", "header", "labels", "values")
_EXPANDERS = ("contains", "startswith", "endswith", "except", "select")
# Attributes that deid leaves out of every action.
_NEVER_TOUCHED = frozenset(
    map(
        tag_number,
        (
            "PixelData",
            "RedPaletteColorLookupTableData",
            "GreenPaletteColorLookupTableData",
            "BluePaletteColorLookupTableData",
            "VOILUTSequence",
            "TransferSyntaxUID",
        ),
    )
)
# Functions that replace a UID.
_FUNCTIONS = {"dicom_uuid", "pydicom_uuid", "generate_uid", "simple_uuid"}
_NOT_IN_A_DATASET = frozenset({0x0000, 0x0004, 0xFFFE})


class _Line(NamedTuple):
    number: int
    section: str
    name: str
    text: str


def convert_deid_recipe(text: str, *, keep_private: bool = False) -> RecipeConversion:
    """Convert the header actions of a recipe.

    Args:
        text: The recipe.
        keep_private: Keep private attributes that the recipe does not name. By default they are removed, because deid
            keeps or removes them depending on how it is called.

    Raises:
        ConfigError: The text is not a recipe.
    """
    lines = _lines(text)
    if not any(line.section == "header" for line in lines) and not re.search(r"(?im)^\s*format\s+dicom", text):
        raise ConfigError("not a deid recipe: it has neither FORMAT dicom nor a %header section")
    return _RecipeReader(lines, keep_private=keep_private).recipe.convert()


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    section = name = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#") or re.match(r"(?i)format\b", line):
            continue
        if line.startswith("%"):
            head, _, name = line.split("#", 1)[0].strip().partition(" ")
            section, name = head[1:].lower(), name.strip()
            lines.append(_Line(number, section, name, ""))
        else:
            lines.append(_Line(number, section, name, line))
    return lines


class _RecipeReader:
    """Runs the actions of one recipe over the data dictionary."""

    def __init__(self, lines: list[_Line], *, keep_private: bool) -> None:
        self.recipe = RecipeDecisions(removes_private=not keep_private)
        self.lists: dict[str, set[int]] = {}
        self.kept: set[int] = set()
        self.changed: set[int] = set()
        for line in lines:
            self._prepare(line)
        for line in lines:
            if line.section == "header" and line.text:
                self._action(line)
        for tag in self.kept:
            self.recipe.decide(tag, Fate.KEEP)

    def _prepare(self, line: _Line) -> None:
        """Collect field lists, and the attributes that later actions protect."""
        if line.section == "filter" and not line.text:
            self._unconverted(line, "%filter", "filters are about pixels", "give the recipe to masks= too")
        elif line.section == "values" and not line.text:
            self._unconverted(
                line, "%values", "values differ between instances", "the engine searches what stays for them"
            )
        elif line.section == "labels" and not line.text:
            self._unconverted(line, "%labels", "labels are not attributes", "the section is ignored")
        elif line.section not in _SECTIONS:
            self._unconverted(line, "line", "not in a section that deid knows", "the line is ignored")
        elif line.section == "fields" and line.text:
            action, _, field = line.text.partition(" ")
            if action.upper() != "FIELD":
                self._unconverted(line, "%fields", "not a FIELD", "the list is made without it")
            else:
                self.lists.setdefault(line.name, set()).update(self._tags(line, field.split("#")[0].strip()) or ())
        elif line.section == "header" and line.text:
            action, field, _ = _split(line.text)
            tags = self._tags(None, field) if ":" not in field and field.lower() != "all" else None
            if action == "KEEP":
                self.kept.update(tags or ())
            elif action in {"REPLACE", "JITTER"}:
                self.changed.update(tags or ())

    def _action(self, line: _Line) -> None:
        action, field, value = _split(line.text)
        if action not in _ACTIONS:
            self._unconverted(line, "line", "not an action", "it is ignored, as deid does")
        elif action == "KEEP":
            if ":" in field or not self._tags(None, field):
                self._unconverted(line, "KEEP", "KEEP takes one attribute of DICOM PS3.6", "the line is ignored")
        elif field.lower() == "all":
            self._all(line, action)
        else:
            self._apply(line, action, field, value)

    def _all(self, line: _Line, action: str) -> None:
        """Handle an action on every attribute.

        Attributes that the recipe does not name are removed.
        """
        self.recipe.removes_others = self.recipe.removes_private = True
        for tag in [tag for tag in self.recipe.fates if tag not in self.changed]:
            self.recipe.decide(tag, Fate.DELETE)
        for tag in _NEVER_TOUCHED:
            self.recipe.decide(tag, Fate.KEEP)
        if action == "BLANK":
            self.recipe.approximate(line.number, "BLANK all", "the config lists no attributes", "they are removed")
        elif action != "REMOVE":
            self._unconverted(line, f"{action} all", "a value for every attribute", "they are removed")

    def _apply(self, line: _Line, action: str, field: str, value: str) -> None:
        tags = self._tags(line, field)
        if tags is None:
            return
        for tag in sorted(tags - self.kept - _NEVER_TOUCHED):
            match action:
                case "BLANK":
                    self.recipe.decide(tag, Fate.EMPTY)
                case "REMOVE":
                    self._remove(tag, line, value)
                case "JITTER":
                    self.recipe.shift(tag, line.number, "a fixed number of days can be undone")
                case _:
                    self._replace(tag, line, value, adds=action == "ADD")

    def _remove(self, tag: int, line: _Line, value: str) -> None:
        if tag in self.changed:
            return
        self.recipe.decide(tag, Fate.DELETE)
        if value:
            subject = keyword_of(tag) or f"{tag:08X}"
            self._unconverted(line, subject, "a condition cannot be expressed", "removed in every instance")

    # "var" takes its value from the caller's own variables and "func" from program code: neither is in the recipe.
    def _replace(self, tag: int, line: _Line, value: str, *, adds: bool) -> None:
        recipe = self.recipe
        kind, _, name = value.partition(":")
        entry = entry_of(tag)
        if tag in MARKERS or kind not in {"var", "func", "deid_func"}:
            recipe.set_value(tag, value, line.number)
            if not adds and tag in recipe.set_values:
                subject = keyword_of(tag) or f"{tag:08X}"
                reason = "set only where it is present"
                recipe.approximate(line.number, subject, reason, "it is added where it is missing")
        elif kind != "var" and entry is not None and entry.vr == "UI" and name.split(" ")[0] in _FUNCTIONS:
            recipe.decide(tag, Fate.REGENERATE)
        elif kind == "deid_func" and name.startswith("jitter"):
            recipe.shift(tag, line.number, "a fixed number of days can be undone")
        elif kind == "var" and tag in PSEUDONYMIZED:
            recipe.pseudonymize(
                tag, line.number, "a variable", "pseudonyms= takes a table, or derives it from the secret"
            )
        else:
            recipe.give_up(
                tag, line.number, "the recipe holds no value" if kind == "var" else "a function is program code"
            )

    def _tags(self, line: _Line | None, field: str) -> set[int] | None:
        """Return the attributes of a field expression, or `None`.

        An expression that cannot be resolved is listed.
        """
        kind, found, expression = field.partition(":")
        if not found:
            return self._one(line, field)
        match kind.lower():
            case "fields" if expression in self.lists:
                return self.lists[expression]
            case expander if expander in _EXPANDERS:
                tags = _expanded(expander, expression.lower())
                if tags:
                    return tags
            case _:
                pass
        if line is not None:
            values = kind.lower() == "values"
            reason = (
                "values differ between instances" if values else "an unknown field expression, or it selects nothing"
            )
            self._unconverted(line, f"{_split(line.text)[0]} {kind}:", reason, "no attribute is changed for it")
        return None

    def _one(self, line: _Line | None, field: str) -> set[int] | None:
        _, nested, own = field.rpartition("__")
        try:
            tag = tag_number(own)
        except ValueError:
            if line is not None:
                self._unconverted(line, _split(line.text)[0], "not an attribute of DICOM PS3.6", "the line is ignored")
            self.recipe.removes_private = True  # it may name a private block
            return None
        if nested and line is not None:
            subject = keyword_of(tag) or f"{tag:08X}"
            self.recipe.approximate(line.number, subject, "for one sequence only", "it applies at every level")
        return {tag}

    def _unconverted(self, line: _Line, subject: str, reason: str, instead: str) -> None:
        self.recipe.unconverted.append(RecipeLine(line.number, subject, reason, instead))


def _split(text: str) -> tuple[str, str, str]:
    """Return action, field and value of a line, without its comment."""
    action, _, rest = text.partition(" ")
    field, _, value = rest.strip().partition(" ")
    return action.upper(), field, value.split("#")[0].strip()


def _expanded(expander: str, expression: str) -> set[int] | None:
    """Return the attributes that an expander selects, or `None`.

    `None` stands for a malformed expression.
    """
    entries = [entry for entry in dictionary_entries() if entry.number >> 16 not in _NOT_IN_A_DATASET]
    if expander == "select":
        attribute, _, value = expression.partition(":")
        if attribute == "vr":
            return {entry.number for entry in entries if value[:2].upper() in entry.vr.split("/")}
        if attribute == "group" and re.fullmatch(r"(?:0x)?[0-9a-f]{1,4}", value):
            return {entry.number for entry in entries if entry.number >> 16 == int(value, 16)}
        return None
    pattern = {"startswith": f"^({expression})", "endswith": f"({expression})$"}.get(expander, expression)
    try:
        regex = re.compile(pattern)
    except re.error:
        return None
    found = {
        entry.number for entry in entries if regex.search(entry.keyword.lower()) or regex.search(_digits(entry.number))
    }
    return {entry.number for entry in entries} - found if expander == "except" else found


def _digits(tag: int) -> str:
    return f"{tag:08x}"
