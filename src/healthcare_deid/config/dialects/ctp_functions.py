"""Function calls in the scripts of the CTP DICOM anonymizer."""

from __future__ import annotations

from typing import NamedTuple

# Number of scripts in braces that may follow a function.
_WITH_CLAUSES = {"if": 2, "select": 2, "append": 1}


class FunctionCall(NamedTuple):
    """A function call.

    Attributes:
        name: Function name.
        args: Arguments, trimmed and without quotes.
        clauses: Scripts in braces after the call, such as the two branches of ``@if``.
    """

    name: str
    args: tuple[str, ...]
    clauses: tuple[str, ...] = ()

    def arg(self, index: int) -> str:
        """Return an argument, or an empty string."""
        return self.args[index] if index < len(self.args) else ""


def parse_script(text: str) -> list[str | FunctionCall]:
    """Split a script into literal text and function calls.

    A backslash makes the next character literal.

    Raises:
        ValueError: A call is not closed.
    """
    parts: list[str | FunctionCall] = []
    literal = ""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            literal += text[at + 1 : at + 2]
            at += 2
        elif text[at] == "@":
            if literal:
                parts.append(literal)
                literal = ""
            call, at = _call(text, at + 1)
            parts.append(call)
        else:
            literal += text[at]
            at += 1
    return [*parts, literal] if literal else parts


def _call(text: str, start: int) -> tuple[FunctionCall, int]:
    bracket = text.find("(", start)
    if bracket < 0:
        raise ValueError("a function has no argument list")
    name = "".join(text[start:bracket].split())
    args: list[str] = []
    begin = bracket + 1
    while True:
        end = _end(text, begin, ",)", "(")
        args.append(_unquoted(text[begin:end]))
        begin = end + 1
        if text[end] == ")":
            break
    clauses: list[str] = []
    for _ in range(_WITH_CLAUSES.get(name, 0)):
        brace = text.find("{", begin)
        if brace < 0:
            break
        end = _end(text, brace + 1, "}", "{")
        clauses.append(text[brace + 1 : end])
        begin = end + 1
    return FunctionCall(name, tuple(args) if any(args) else (), tuple(clauses)), begin


def _end(text: str, start: int, delimiters: str, opening: str) -> int:
    """Return the position of the next delimiter at this level.

    Delimiters in quotes, brackets and nested calls are skipped.
    """
    depth = brackets = 0
    quoted = escaped = False
    for at in range(start, len(text)):
        here = text[at]
        if escaped or here == "\\":
            escaped = not escaped
        elif here == '"':
            quoted = not quoted
        elif quoted:
            continue
        elif here in "[]":
            brackets += 1 if here == "[" else -1
        elif here == opening:
            depth += 1
        elif here in delimiters and not brackets and not depth:
            return at
        elif here == {"(": ")", "{": "}"}[opening] and depth:
            depth -= 1
    raise ValueError("a call is not closed")


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
