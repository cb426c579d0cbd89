"""Request parameters: JSON bodies, messages, page sizes, filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from healthcare_deid.config.dialects.json_text import parse_json
from healthcare_deid.emulator.errors import invalid, invalid_fields
from healthcare_deid.emulator.http.field_masks import camel
from healthcare_deid.emulator.http.field_types import typed
from healthcare_deid.emulator.http.routes import unknown_parameter
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from healthcare_deid.config.base.message import Message
    from healthcare_deid.emulator.errors import ServiceError
    from healthcare_deid.emulator.http.field_types import Fields
    from healthcare_deid.emulator.http.routes import RoutedRequest

M = TypeVar("M", bound="Message")
PAGED = frozenset({"pageSize", "pageToken"})
"""Query parameters of every list method."""
_DEFAULT_PAGE, _MAX_PAGE = 100, 1000


def json_object(call: RoutedRequest) -> dict[str, Any]:
    """Return the body as a JSON object.

    A missing body is an empty object.

    Raises:
        ServiceError: 400: the body is not a JSON object.
    """
    if not call.request.body.strip():
        return {}
    try:
        value = parse_json(call.request.body)
    except ConfigError as error:
        raise invalid_payload(error) from None
    except ValueError:  # Python refuses to parse integers of more than 4,300 digits
        raise invalid("Invalid JSON payload received. A number is out of range.") from None
    if not isinstance(value, dict):
        raise invalid("Invalid JSON payload received. The body must be an object.")
    return value


def resource(call: RoutedRequest, fields: Fields) -> dict[str, Any]:
    """Return the body as a resource, in JSON names and without nulls.

    Raises:
        ServiceError: 400: the body is not a JSON object, or a field is unknown or of another type.
    """
    return typed(json_object(call), fields)


def bound_request(call: RoutedRequest, fields: Fields) -> dict[str, Any]:
    """Return the body with the fields that are set in the query, in JSON names and without nulls.

    Raises:
        ServiceError: 400: the body is not a JSON object, or a field is unknown or of another type.
    """
    return typed(_bound_object(call, frozenset(fields)), fields)


def _bound_object(call: RoutedRequest, fields: frozenset[str]) -> dict[str, Any]:
    """Return the body with the fields that are set in the query.

    Google's API layer binds query parameters to fields of the request. A path such as ``config.text`` is a field of a
    field.

    Args:
        call: Request.
        fields: Top-level fields of the request message, in JSON names.

    Raises:
        ServiceError: 400: the body is not a JSON object, or a parameter is not a field of the request.
    """
    body = json_object(call)
    for name, value in call.request.query:
        head, *rest = [camel(part) for part in name.split(".")]
        if head not in fields:
            raise unknown_parameter(name)
        within = body
        for part in [head, *rest][:-1]:
            within = within.setdefault(part, {})
            if not isinstance(within, dict):
                raise unknown_parameter(name)
        within[[head, *rest][-1]] = value
    return body


def message(call: RoutedRequest, cls: type[M]) -> M:
    """Return the body and query as a message.

    Raises:
        ServiceError: 400: a field is unknown or invalid, or two members of a union are set.
    """
    fields = frozenset(camel(name) for name in cls.model_fields)
    try:
        return cls.from_api(_bound_object(call, fields))
    except ConfigError as error:
        raise invalid_payload(error) from None


def invalid_payload(error: ConfigError) -> ServiceError:
    """Return the 400 error for a message that is not valid."""
    return invalid_fields(f"Invalid JSON payload received. {error}", error.problems)


def page_size(call: RoutedRequest) -> int:
    """Return the page size: 100 by default, 1,000 at most.

    Raises:
        ServiceError: 400: the parameter is negative or not a number.
    """
    text = call.request.parameter("pageSize") or "0"
    if not (text.isascii() and text.isdigit()):
        raise invalid("pageSize must be 0 or more.")
    # Nine digits are enough to exceed every limit, and int() is slow on very long text.
    return min(int(text[:9]), _MAX_PAGE) or _DEFAULT_PAGE


def label_filter(call: RoutedRequest) -> dict[str, str]:
    """Return the labels in a list filter.

    The supported form is ``labels.key=value``, joined by AND.

    Raises:
        ServiceError: 400: the filter has another form.
    """
    text = (call.request.parameter("filter") or "").strip()
    labels: dict[str, str] = {}
    for term in text.split(" AND ") if text else []:
        name, equals, value = term.partition("=")
        if not equals or not name.strip().startswith("labels."):
            raise invalid("Invalid filter: only labels.key=value is supported.")
        labels[name.strip().removeprefix("labels.")] = value.strip().strip('"')
    return labels
