"""Where workers find the project's secret: a pipeline's graph, which is stored and shown, holds the place only."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, assert_never

from healthcare_deid.errors import ConfigError, CredentialsError, ReplyError

if TYPE_CHECKING:
    from typing import Self

_ENDPOINT = "https://secretmanager.googleapis.com"
_METHOD = "secretmanager.projects.secrets.versions.access"
_SECONDS = 60.0


class _Kind(Enum):
    FILE = "file"
    ENVIRONMENT = "environment"
    MANAGER = "Secret Manager"


@dataclass(frozen=True, slots=True)
class SecretSource:
    """The place of a secret, read where the work is done. Make one with its class methods.

    Attributes:
        kind: The kind of place.
        name: The file, the variable, or the secret's version.
        endpoint: Of Secret Manager.
    """

    kind: _Kind
    name: str
    endpoint: str = _ENDPOINT

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("secret: the name of its place is empty")

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Self:
        """Name a file that every worker has, such as a mounted secret, or a URL that fsspec opens."""
        return cls(_Kind.FILE, os.fspath(path))

    @classmethod
    def environment(cls, variable: str) -> Self:
        """Name an environment variable of the workers."""
        return cls(_Kind.ENVIRONMENT, variable)

    @classmethod
    def secret_manager(cls, version: str, *, endpoint: str = _ENDPOINT) -> Self:
        """Name a version in Secret Manager: ``projects/{project}/secrets/{secret}/versions/{version}``.

        It is read with the worker's own credentials.

        Args:
            version: The full name.
            endpoint: A regional endpoint, or a test's.
        """
        parts = version.split("/")
        if len(parts) != 6 or parts[::2] != ["projects", "secrets", "versions"] or not all(parts):
            raise ConfigError("secret: projects/{project}/secrets/{secret}/versions/{version} is needed")
        return cls(_Kind.MANAGER, version, endpoint)

    def load(self) -> bytes:
        """Return the secret.

        Raises:
            ConfigError: The secret is not in its place.
            OSError: The file cannot be read.
            DeidError: Secret Manager does not give it.
        """
        match self.kind:
            case _Kind.FILE:
                from healthcare_deid.pipelines.places import read

                found = read(self.name).rstrip(b"\r\n")
            case _Kind.ENVIRONMENT:
                found = os.environ.get(self.name, "").encode()
            case _Kind.MANAGER:
                found = _from_manager(self.name, self.endpoint)
            case _:
                assert_never(self.kind)
        if not found:
            raise ConfigError(f"secret: there is none in its place ({self.kind.value})")
        return found


def _from_manager(version: str, endpoint: str) -> bytes:
    from healthcare_deid.client.http.endpoint import connect
    from healthcare_deid.client.protocol.replies import api_error

    connection = connect(endpoint=endpoint)
    try:
        status, headers, content = connection.exchange(
            f"{connection.endpoint}/v1/{version}:access",
            "GET",
            None,
            {"accept": "application/json"},
            method_id=_METHOD,
            timeout=_SECONDS,
        )
    finally:
        connection.close()
    if status in {401, 403}:
        raise CredentialsError("secret: these credentials may not read it (roles/secretmanager.secretAccessor)")
    if status >= 300:
        raise api_error(_METHOD, _Response(headers, status), b"")
    try:
        reply: Any = json.loads(content)
        return base64.b64decode(reply["payload"]["data"], validate=True)
    except (ValueError, KeyError, TypeError):
        pass
    raise ReplyError(f"{_METHOD}: the answer holds no secret", method_id=_METHOD)


class _Response(dict[str, str]):
    """The shape of an httplib2 response."""

    def __init__(self, headers: dict[str, str], status: int) -> None:
        super().__init__(headers)
        self.status = status
