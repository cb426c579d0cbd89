"""Scripts of the CTP DICOM anonymizer, in XML or as properties.

Source: "The CTP DICOM Anonymizer" in the MIRC wiki. A script file has parameters (``p``), scripts of elements (``e``),
groups to keep (``k``) and kinds of elements to remove (``r``). An element without a script stays, unless unspecified
elements are removed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from healthcare_deid.config.dialects.ctp_functions import Call, parse_script
from healthcare_deid.config.dialects.recipe import (
    MARKERS,
    Fate,
    RecipeConversion,
    RecipeDecisions,
    RecipeLine,
    tags_where,
)
from healthcare_deid.config.patterns import group_count
from healthcare_deid.config.tags import entry_of, is_private, tag_number
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROPERTY = re.compile(r"\s*(#?)\s*(set|keep|remove|param)\.\s*(.*?)\s*=(.*)", re.DOTALL)
_ELEMENT = re.compile(r"\[\s*([0-9A-Fa-f]{4}),?\s*([0-9A-Fa-f]{4})\s*\].*")
_TAG = re.compile(r"[\[(]?\s*([0-9A-Fa-f]{4}),?\s*([0-9A-Fa-f]{4})\s*[\])]?")
_KINDS = {"p": "param", "e": "set", "k": "keep", "r": "remove"}
_REMOVABLE = frozenset({"curves", "overlays", "privategroups", "unspecifiedelements"})
_UNKNOWN = "unknown"
"""Kind of what is no entry of a script."""
_OVERLAYS, _CURVES = (0x6000,), (0x5000,)
_ALWAYS_KEPT = (0x0028, 0x7FE0)
_SOP_CLASS = tag_number("SOPClassUID")
_REFUSES = {"quarantine", "skip"}
_DERIVES = {"hash", "hashname", "hashptid", "integer", "lookup", "encrypt"}
_STRENGTH = (Fate.KEEP, Fate.RECURSE, Fate.SHIFT, Fate.REGENERATE, Fate.EMPTY, Fate.DELETE)


class _Item(NamedTuple):
    line: int
    kind: str
    name: str
    text: str


def convert_ctp_script(text: str) -> RecipeConversion:
    """Convert a script.

    Raises:
        ConfigError: The text is not a script of the CTP DICOM anonymizer.
    """
    items = _xml_items(text) if text.lstrip("\ufeff \t\r\n").startswith("<") else _property_items(text)
    if all(item.kind == _UNKNOWN for item in items):
        raise ConfigError("not a CTP DICOM anonymizer script: it has no parameter, element, keep or remove entry")
    return _ScriptReader(items).recipe.convert()


def _xml_items(text: str) -> list[_Item]:
    """Read the entries with line numbers, which ElementTree drops."""
    items: list[_Item] = []
    open_items: list[_Item | None] = []
    content: list[str] = []
    parser = expat.ParserCreate()

    def start(name: str, attributes: dict[str, str]) -> None:
        if not open_items and name != "script":
            raise ConfigError("not a CTP DICOM anonymizer script: the root element is not <script>")
        enabled = name == "p" or attributes.get("en") == "T"
        line = parser.CurrentLineNumber
        if not open_items:
            item = None
        elif len(open_items) > 1 or name not in _KINDS:
            item = _Item(line, _UNKNOWN, "", "")
        else:
            item = _Item(line, _KINDS[name], attributes.get("t", "").strip(), "") if enabled else None
        open_items.append(item)
        content.clear()

    def end(_: str) -> None:
        item = open_items.pop()
        if item is not None:
            items.append(item._replace(text="".join(content)))

    def refuse(*_: object) -> None:
        raise ConfigError("not a CTP DICOM anonymizer script: it declares a document type")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = content.append
    parser.StartDoctypeDeclHandler = refuse  # entities are not part of scripts, and can exhaust memory
    try:
        parser.Parse(text.lstrip("\ufeff"), True)
    except expat.ExpatError as error:
        place = f"line {error.lineno}, column {error.offset + 1}"
        raise ConfigError(f"not a CTP DICOM anonymizer script: {place}: not well-formed XML") from None
    return items


def _property_items(text: str) -> list[_Item]:
    items: list[_Item] = []
    for number, line in enumerate(text.splitlines(), 1):
        found = _PROPERTY.fullmatch(line)
        if found and not found[1]:
            element = _ELEMENT.fullmatch(found[3]) if found[2] == "set" else None
            name = "".join(element.groups()) if element else found[3].removeprefix("group")
            items.append(_Item(number, found[2], name, found[4]))
        elif line.strip() and not line.lstrip().startswith(("#", "!")):
            items.append(_Item(number, _UNKNOWN, "", ""))
    return items


class _ScriptReader:
    """Reads the entries of one script into a recipe."""

    def __init__(self, items: list[_Item]) -> None:
        self.recipe = RecipeDecisions(removes_private=False)
        self.params = {item.name: item.text.strip() for item in items if item.kind == "param"}
        self.recipe.uid_root = self._uid_root(items)
        removed = {item.name: item.line for item in items if item.kind == "remove"}
        self.recipe.removes_private = "privategroups" in removed
        self._globals(removed)
        for item in items:
            if item.kind == _UNKNOWN:
                self._unconverted(item, "line", "not an entry of a script", "nothing is done for it")
            elif item.kind == "remove" and item.name not in _REMOVABLE:
                self._unconverted(item, "remove", "not a kind of elements that CTP removes", "nothing is done for it")
        for item in items:
            if item.kind == "keep":
                self._keep(item)
        for item in items:
            if item.kind == "set":
                self._element(item)
        if "overlays" in removed:
            for tag in tags_where(_OVERLAYS):
                self.recipe.decide(tag, Fate.DELETE)

    def _uid_root(self, items: list[_Item]) -> str:
        root = self.params.get("UIDROOT", "").rstrip(".")
        if not root or re.fullmatch(r"[0-2](\.(0|[1-9][0-9]*))+", root):
            return root
        line = next(item.line for item in items if (item.kind, item.name) == ("param", "UIDROOT"))
        self.recipe.approximate(line, "UIDROOT", "it is not the root of UIDs", "new UIDs have the engine's root")
        return ""

    def _globals(self, removed: dict[str, int]) -> None:
        recipe = self.recipe
        recipe.removes_others = "unspecifiedelements" in removed
        if recipe.removes_others:
            recipe.removes_private = True
            groups = {*_ALWAYS_KEPT, *(() if "overlays" in removed else _OVERLAYS)}
            groups |= set(() if "curves" in removed else _CURVES)
            for tag in (_SOP_CLASS, *tags_where(groups)):
                recipe.decide(tag, Fate.KEEP)
        elif "curves" in removed:
            for tag in tags_where(_CURVES):
                recipe.decide(tag, Fate.DELETE)

    def _keep(self, item: _Item) -> None:
        group = int(item.name, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,4}", item.name) else None
        if group is None or group & 1:
            # Only the Basic Profile of the engine has a list of safe private attributes.
            self._unconverted(
                item, f"keep {item.name}", "private attributes cannot be kept by group", "they are removed"
            )
            self.recipe.removes_private = True
        elif self.recipe.removes_others:
            for tag in tags_where([group]):
                self.recipe.decide(tag, Fate.KEEP)

    def _element(self, item: _Item) -> None:
        found = _TAG.fullmatch(item.name)
        if not found:
            self._unconverted(
                item,
                item.name or "element",
                "a private block cannot be addressed",
                "all private attributes are removed",
            )
            self.recipe.removes_private = True
            return
        tag = int("".join(found.groups()), 16)
        try:
            parts = parse_script(item.text.strip())
        except ValueError as error:
            self.recipe.give_up(tag, item.line, str(error))
            return
        if parts and isinstance(parts[0], Call) and parts[0].name == "always":
            parts = parts[1:]
            always = True
        else:
            always = False
        try:
            self._script(tag, item.line, parts, always=always)
        except RecursionError:
            self.recipe.give_up(tag, item.line, "conditions are nested too deeply")

    def _script(self, tag: int, line: int, parts: Sequence[str | Call], *, always: bool) -> None:
        literal = self._literal(parts)
        if tag in MARKERS:
            self.recipe.set_value(tag, "", line)
        elif literal is not None:
            self._set(tag, line, literal.strip(), always=always)
        elif len(parts) == 1 and isinstance(parts[0], Call):
            self._call(tag, line, parts[0])
        else:
            self.recipe.give_up(tag, line, "text and functions are joined")

    def _literal(self, parts: Sequence[str | Call]) -> str | None:
        """Return the script as fixed text, or `None`."""
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
            elif part.name == "param":
                text += self._param(part.arg(0))
            else:
                return None
        return text

    def _param(self, text: str) -> str:
        return self.params.get(text[1:], "") if text[:1] in {"@", "$"} else text

    def _set(self, tag: int, line: int, text: str, *, always: bool) -> None:
        if not text:
            self.recipe.decide(tag, Fate.EMPTY)
            return
        self.recipe.set_value(tag, text, line)
        if not always and tag in self.recipe.set_values:
            self.recipe.approximate(
                line, _label(tag), "set only where it is present", "it is added where it is missing"
            )

    def _call(self, tag: int, line: int, call: Call) -> None:
        recipe = self.recipe
        match call.name:
            case "keep" | "require" | "contents" | "value" if len(call.args) < 2 and self._is_this(tag, call):
                recipe.decide(tag, Fate.KEEP)
            case "remove":
                recipe.decide(tag, Fate.DELETE)
            case "empty" | "blank":
                recipe.decide(tag, Fate.EMPTY)
            case "process":
                recipe.decide(tag, Fate.RECURSE)
            case "hashuid":
                self._uid(tag, line)
            case "hashdate":
                recipe.shift(tag, line)
            case "incrementdate":
                recipe.shift(tag, line, "a fixed number of days can be undone")
            case "if" | "select":
                self._branches(tag, line, call)
            case "modifydate" | "truncate" | "contents" if self._is_this(tag, call):
                self._rewrite(tag, line, call)
            case name if name in _DERIVES:
                instead = ("pseudonyms= takes a table",) if name in {"lookup", "integer"} else ()
                recipe.pseudonymize(tag, line, f"@{name}", *instead)
            case name if name in _REFUSES:
                self._refuses(tag, line, name)
            case name:
                recipe.give_up(tag, line, f"@{_word(name)} has no counterpart")

    @staticmethod
    def _is_this(tag: int, call: Call) -> bool:
        """Return whether a call reads its own element."""
        if not call.args or call.name == "keep" or call.arg(0) == "this":
            return True
        try:
            return tag_number(call.arg(0)) == tag
        except ValueError:
            return False

    def _uid(self, tag: int, line: int) -> None:
        entry = entry_of(tag)
        if entry is None or entry.vr != "UI":
            self.recipe.give_up(tag, line, "@hashuid of an attribute that is not a UID")
        else:
            self.recipe.decide(tag, Fate.REGENERATE)

    def _refuses(self, tag: int, line: int, name: str) -> None:
        self.recipe.unconverted.append(
            RecipeLine(
                line, _label(tag), f"@{name} selects instances", "every instance is processed: select them first"
            )
        )

    def _branches(self, tag: int, line: int, call: Call) -> None:
        """Take the stronger branch, as conditions cannot be expressed."""
        fates: list[Fate] = []
        for clause in call.clauses:
            try:
                parts = parse_script(clause.strip())
            except ValueError:
                parts = [Call("", ())]
            only = parts[0] if len(parts) == 1 else None
            if isinstance(only, Call) and only.name in _REFUSES:
                self._refuses(tag, line, only.name)
                continue
            trial = _ScriptReader([])
            trial.params = self.params
            trial._script(tag, line, parts, always=False)
            exact = not trial.recipe.set_values and not trial.recipe.replace and not trial.recipe.unconverted
            fates.append(trial.recipe.fates.get(tag, Fate.EMPTY) if exact else Fate.EMPTY)
        strongest = max(fates, key=_STRENGTH.index, default=Fate.EMPTY)
        if len(call.clauses) != 2 or strongest is Fate.EMPTY:
            self.recipe.give_up(tag, line, "a condition cannot be expressed")
        else:
            self.recipe.decide(tag, strongest)
            if len(set(fates)) > 1:
                self._unconverted_tag(tag, line, "a condition cannot be expressed", f"always: {strongest.name.lower()}")

    def _rewrite(self, tag: int, line: int, call: Call) -> None:
        pattern, replacement = "", ""
        match call.name:
            case "truncate":
                size = call.arg(1)
                if re.fullmatch(r"-?[0-9]{1,4}", size):
                    length = abs(int(size))
                    pattern = (
                        rf"(?s)\A.*?(.{{0,{length}}})\z" if size.startswith("-") else rf"(?s)\A(.{{0,{length}}}).*"
                    )
                    replacement = r"\1"
            case "modifydate":
                pattern, replacement = self._modified_date(call)
            case _:
                pattern, replacement = call.arg(1), re.sub(r"\$(\d)", r"\\g<\1>", call.arg(2).replace("\\", "\\\\"))
        try:
            groups = group_count(pattern)
        except ValueError:
            pattern, groups = "", 0
        if any(int(group) > groups for group in re.findall(r"(?<!\\)(?:\\\\)*\\(?:g<)?(\d)", replacement)):
            pattern = ""
        if not pattern:
            self.recipe.give_up(tag, line, f"@{call.name} with these arguments")
        else:
            self.recipe.rewrite(tag, pattern, replacement, line)

    def _modified_date(self, call: Call) -> tuple[str, str]:
        parts = [self._param(call.arg(index)) for index in (1, 2, 3)]
        fixed = [
            f"{int(part):0{width}}" if part.isdecimal() else None for part, width in zip(parts, (4, 2, 2), strict=True)
        ]
        replacement = "".join(text or rf"\g<{index}>" for index, text in enumerate(fixed, 1))
        return r"\A(\d{4})(\d{2})(\d{2})", replacement

    def _unconverted(self, item: _Item, subject: str, reason: str, instead: str) -> None:
        self.recipe.unconverted.append(RecipeLine(item.line, subject, reason, instead))

    def _unconverted_tag(self, tag: int, line: int, reason: str, instead: str) -> None:
        self.recipe.unconverted.append(RecipeLine(line, _label(tag), reason, instead))


def _label(tag: int) -> str:
    entry = None if is_private(tag) else entry_of(tag)
    return entry.keyword if entry else f"{tag:08X}"


def _word(name: str) -> str:
    """Return a function name that may be repeated in a message."""
    return name if re.fullmatch(r"[A-Za-z]{1,24}", name) else "function"
