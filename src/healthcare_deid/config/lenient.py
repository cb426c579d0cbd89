"""JSON as the service's parser reads it: single quotes, bare names and trailing commas do no harm.

The service's own tutorial sends single-quoted JSON in its curl commands. What is read here is strict JSON, and
further: text in single quotes, object names without quotes, a comma after the last item. Python's ``True`` and
``None``, comments and NaN are refused, as is a name given twice in one object: the second would silently undo the
first.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from healthcare_deid.errors import ConfigError

_MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t\r\n]*")
_BARE_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$@.-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]*'), "'": re.compile(r"[^'\\\x00-\x1f]*")}
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_SURROGATES = re.compile("[\ud800-\udfff]")


def parse_json(text: str | bytes, *, strict: bool = False) -> Any:
    """Parse JSON.

    Args:
        text: The text, or its UTF-8 bytes.
        strict: Refuse everything that RFC 8259 does not allow.

    Raises:
        ConfigError: With line and column; the text itself is not repeated.
    """
    text = _decoded(text)
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if strict:
            raise _error(text, error.pos, _strict_hint(text, error)) from None
    except RecursionError:
        raise ConfigError(f"not JSON: nested more than {_MAX_DEPTH} deep") from None
    return _Parser(text).document()


def _decoded(given: object) -> str:
    if isinstance(given, bytes | bytearray):
        try:
            given = given.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"not JSON: byte {error.start} is not UTF-8") from None
    if not isinstance(given, str):
        raise ConfigError("not JSON: text is needed (from_api takes JSON that is already parsed)")
    return given.removeprefix("\ufeff")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ConfigError("not JSON: an object has the same name twice")
    return made


def _no_constant(_: str) -> NoReturn:
    raise ConfigError("not JSON: NaN and Infinity are no JSON numbers")


def _strict_hint(text: str, error: json.JSONDecodeError) -> str:
    here = text[error.pos : error.pos + 1]
    return "strict JSON has double quotes" if here == "'" else error.msg[:1].lower() + error.msg[1:]


def _error(text: str, position: int, rule: str) -> ConfigError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return ConfigError(f"not JSON: line {line}, column {column}: {rule}")


class _Parser:
    """Recursive descent over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Any:
        value = self.value(0)
        self.skip()
        if self.at < len(self.text):
            self.fail("something follows the value")
        return value

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self.fail(f"nested more than {_MAX_DEPTH} deep")
        match self.peek():
            case "{":
                return self.object(depth)
            case "[":
                return self.array(depth)
            case '"' | "'":
                return self.string()
            case "":
                raise self.error("the text ends where a value is needed")
            case _:
                return self.word_or_number()

    def object(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self.at += 1
        while self.peek() != "}":
            start = self.at
            name = self.name()
            if name in made:
                self.fail("the same name twice in one object", start)
            if self.peek() != ":":
                self.fail("':' is needed after a name")
            self.at += 1
            made[name] = self.value(depth + 1)
            self.comma("}")
        self.at += 1
        return made

    def array(self, depth: int) -> list[Any]:
        made: list[Any] = []
        self.at += 1
        while self.peek() != "]":
            made.append(self.value(depth + 1))
            self.comma("]")
        self.at += 1
        return made

    def comma(self, end: str) -> None:
        here = self.peek()
        if here == ",":
            self.at += 1
        elif here != end:
            self.fail(f"',' or '{end}' is needed")

    def name(self) -> str:
        if self.peek() in {'"', "'"}:
            return self.string()
        found = _BARE_NAME.match(self.text, self.at)
        if not found:
            self.fail("a name is needed")
        self.at = found.end()
        return found.group()

    def string(self) -> str:
        quote = self.text[self.at]
        start = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.at)
            assert plain
            parts.append(plain.group())
            self.at = plain.end()
            here = self.text[self.at : self.at + 1]
            if here == quote:
                self.at += 1
                return _joined("".join(parts))
            if here == "\\":
                parts.append(self.escape())
            elif here:
                self.fail("a control character inside text")
            else:
                self.fail("text that never ends", start)

    def escape(self) -> str:
        code = self.text[self.at + 1 : self.at + 2]
        if code == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if not re.fullmatch(r"[0-9A-Fa-f]{4}", digits):
                self.fail("\\u needs four hexadecimal digits")
            self.at += 6
            return chr(int(digits, 16))
        if code not in _ESCAPES or not code:
            self.fail("an escape that JSON does not have")
        self.at += 2
        return _ESCAPES[code]

    def word_or_number(self) -> Any:
        number = _NUMBER.match(self.text, self.at)
        if number and not self.text[number.end() : number.end() + 1].isalnum():
            self.at = number.end()
            is_whole = number.group(1) is None and number.group(2) is None
            return int(number.group()) if is_whole else float(number.group())
        word = _BARE_NAME.match(self.text, self.at)
        if word and word.group() in _WORDS:
            self.at = word.end()
            return _WORDS[word.group()]
        if word and word.group() in {"True", "False", "None"}:
            self.fail("true, false and null are lower-case in JSON")
        raise self.error("text needs quotes" if word else "a value is needed")

    def peek(self) -> str:
        self.skip()
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found
        self.at = found.end()

    def fail(self, rule: str, position: int | None = None) -> NoReturn:
        raise self.error(rule, position)

    def error(self, rule: str, position: int | None = None) -> ConfigError:
        return _error(self.text, self.at if position is None else position, rule)


def _joined(text: str) -> str:
    """Join the halves of characters that were escaped as UTF-16 surrogates."""
    if not _SURROGATES.search(text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ConfigError("not JSON: half a surrogate pair") from None
