"""What handlers read from a call: bodies, page sizes, update masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.config.dialects.json_text import parse_json
from healthcare_deid.emulator.status import invalid
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.config.base.message import Message
    from healthcare_deid.emulator.catalog import Page
    from healthcare_deid.emulator.routing import Call

M = TypeVar("M", bound="Message")
_DEFAULT_PAGE, _MAX_PAGE = 100, 1000


def json_object(call: Call) -> dict[str, Any]:
    """Return the body as a JSON object; no body at all is an empty one.

    Raises:
        ServiceError: 400: it is not a JSON object.
    """
    if not call.request.body.strip():
        return {}
    try:
        value = parse_json(call.request.body)
    except ConfigError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from None
    if not isinstance(value, dict):
        raise invalid("Invalid JSON payload received. The body must be an object.")
    return value


def message(call: Call, cls: type[M]) -> M:
    """Return the body as a message.

    Raises:
        ServiceError: 400: it is not one: unknown field, bad value, two members of a union.
    """
    try:
        return cls.from_api(json_object(call))
    except ConfigError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from None


def page_size(call: Call) -> int:
    """Return how many items a page has: 100 unless asked, 1,000 at most.

    Raises:
        ServiceError: 400: it is no number, or negative.
    """
    text = call.request.parameter("pageSize") or "0"
    if not (text.isascii() and text.isdigit()):
        raise invalid("pageSize must be a number that is not negative.")
    return min(int(text[:9]), _MAX_PAGE) or _DEFAULT_PAGE


def label_filter(call: Call) -> dict[str, str]:
    """Return the labels that a list's filter asks for: ``labels.key=value``, joined by AND.

    Raises:
        ServiceError: 400: another filter.
    """
    text = (call.request.parameter("filter") or "").strip()
    labels: dict[str, str] = {}
    for term in text.split(" AND ") if text else []:
        name, equals, value = term.partition("=")
        if not equals or not name.strip().startswith("labels."):
            raise invalid("Invalid filter: only labels.key=value is supported.")
        labels[name.strip().removeprefix("labels.")] = value.strip().strip('"')
    return labels


def update_mask(call: Call, fields: frozenset[str]) -> list[str]:
    """Return the fields that a patch names.

    Raises:
        ServiceError: 400: there is no mask, or it names something that cannot be changed.
    """
    text = call.request.parameter("updateMask") or ""
    paths = [_camel(path.strip()) for path in text.split(",") if path.strip()]
    wrong = [path for path in paths if path not in fields]
    if not paths or wrong:
        raise invalid(f"updateMask must name fields that can be changed: {', '.join(sorted(fields))}.")
    return paths


def only_fields(body: dict[str, Any], allowed: frozenset[str], kind: str) -> dict[str, Any]:
    """Return a resource's body with camelCase names.

    Raises:
        ServiceError: 400: it has a field that the resource does not have.
    """
    named = {_camel(str(name)): value for name, value in body.items()}
    for name in named:
        if name not in allowed:
            raise invalid(
                f"Invalid JSON payload received. Unknown name \"{name[:64]}\" at '{kind}': Cannot find field."
            )
    return named


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def listing(kind: str, page: Page) -> dict[str, Any]:
    """Return a page as a list reply; an empty list is left out, as the service does."""
    body: dict[str, Any] = {kind: list(page.items)} if page.items else {}
    return {**body, "nextPageToken": page.next_token} if page.next_token else body
