"""The base of every message: camelCase on the wire, snake_case in Python, frozen, unknown fields refused."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_ModelMeta: type = type(BaseModel)


class _MessageMeta(_ModelMeta):  # type: ignore[misc, valid-type]
    """Turn pydantic's `ValidationError`, which quotes the input, into our `ConfigError`, which does not."""

    # Type checkers must keep reading the model's own constructor signature: they do not see this method.
    if not TYPE_CHECKING:

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().__call__(*args, **kwargs)
            except ValidationError as error:
                raise config_error(cls, error) from None


class Message(BaseModel, metaclass=_MessageMeta):
    """A message of the API.

    Constructors take the Python names (``filter_profile=``); the wire, and every JSON or YAML text, has the API's
    (``filterProfile``). Messages are values: frozen, compared by content; `model_copy` and the builder return new ones.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    @classmethod
    def from_api(cls, value: Mapping[str, Any]) -> Self:
        """Build the message from the API's JSON, already parsed.

        Raises:
            ConfigError: With the JSON path of every problem.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise config_error(cls, error) from None

    def to_api(self) -> dict[str, Any]:
        """Return the message as the API's JSON: wire names, unset fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


class Reply(Message):
    """A message the service writes. Fields it gains later are kept, in `model_extra` and on dump."""

    model_config = ConfigDict(extra="allow")


def config_error(cls: type[BaseModel], error: ValidationError) -> ConfigError:
    """Turn a validation error into one that names path and rule, and never repeats the input."""
    problems: list[tuple[str, str]] = []
    for item in error.errors(include_url=False, include_input=False):
        path = _json_path(item["loc"])
        if item["type"] == "extra_forbidden":
            problems.append((path, _unknown_field(cls, item["loc"])))
        elif item["type"] == "value_error":
            problems.append((path, item["msg"].removeprefix("Value error, ")))
        else:
            problems.append((path, item["msg"]))
    return ConfigError.of(cls.__name__, problems)


def did_you_mean(word: str, known: list[str]) -> str:
    """Return ``": did you mean X?"`` for the nearest known word, or nothing."""
    lowered = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), list(lowered), n=1, cutoff=0.6)
    return f": did you mean {lowered[near[0]]}?" if near else ""


def _json_path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{to_camel(part)}" if path else to_camel(part)
    return path


def _unknown_field(cls: type[BaseModel], location: tuple[int | str, ...]) -> str:
    """Say that a field is unknown; its name is the user's, but a name is no value."""
    name = str(location[-1])
    owner = _owner(cls, location[:-1])
    if owner is None:
        return "unknown field"
    known = list(owner.model_fields) + [to_camel(field) for field in owner.model_fields]
    return f"{owner.__name__} has no such field{did_you_mean(name, known)}"


def _owner(cls: type[BaseModel], location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model class that ``location`` leads to."""
    owner: type[BaseModel] | None = cls
    for part in location:
        if isinstance(part, int) or owner is None:
            continue
        names: dict[str, str] = {to_camel(name): name for name in owner.model_fields}
        field = owner.model_fields.get(names.get(part, part))
        owner = _model_in(field.annotation) if field else None
    return owner


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_in(argument)
        if found:
            return found
    return None
