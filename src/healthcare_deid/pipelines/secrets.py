"""`SecretSource`: the place where workers find the project's secret.

A pipeline's graph is stored and displayed, so it holds the place and never the secret.
"""

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
    """Place of a secret, which is read where the work is done.

    Create one with its class methods.

    Attributes:
        kind: Kind of place.
        name: Path, variable name, or resource name of the secret version.
        endpoint: Endpoint of Secret Manager.
    """

    kind: _Kind
    name: str
    endpoint: str = _ENDPOINT

    def __post_init__(self) -> None:
        if not self.name:
            raise ConfigError("secret: the path, variable or resource name is empty")

    @classmethod
    def file(cls, path: str | os.PathLike[str]) -> Self:
        """Use a file that every worker has, such as a mounted secret.

        Args:
            path: Path, or a URL that fsspec opens.
        """
        return cls(_Kind.FILE, os.fspath(path))

    @classmethod
    def environment(cls, variable: str) -> Self:
        """Use an environment variable of the workers."""
        return cls(_Kind.ENVIRONMENT, variable)

    @classmethod
    def secret_manager(cls, version: str, *, endpoint: str = _ENDPOINT) -> Self:
        """Use a secret version in Secret Manager.

        It is read with the worker's own credentials.

        Args:
            version: ``projects/{project}/secrets/{secret}/versions/{version}``.
            endpoint: Regional endpoint, or a test server.
        """
        parts = version.split("/")
        if len(parts) != 6 or parts[::2] != ["projects", "secrets", "versions"] or not all(parts):
            raise ConfigError("secret: must have the form projects/{project}/secrets/{secret}/versions/{version}")
        return cls(_Kind.MANAGER, version, endpoint)

    def load(self) -> bytes:
        """Read and return the secret.

        Raises:
            ConfigError: The place is empty.
            OSError: The file cannot be read.
            DeidError: Secret Manager refuses the request.
        """
        match self.kind:
            case _Kind.FILE:
                from healthcare_deid.pipelines.places import read

                # Editors end a file with a newline, which is not part of the secret.
                found = read(self.name).rstrip(b"\r\n")
            case _Kind.ENVIRONMENT:
                found = os.environ.get(self.name, "").encode()
            case _Kind.MANAGER:
                found = _from_manager(self.name, self.endpoint)
            case _:
                assert_never(self.kind)
        if not found:
            raise ConfigError(f"secret: not found or empty ({self.kind.value})")
        return found


def _from_manager(version: str, endpoint: str) -> bytes:
    from healthcare_deid.client.http.endpoint import connect
    from healthcare_deid.client.protocol.replies import RawResponse, api_error

    # The client's own connection, with its proxies, certificates and time limits.
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
        raise CredentialsError("secret: access denied. Grant the worker roles/secretmanager.secretAccessor")
    if status >= 300:
        raise api_error(_METHOD, RawResponse(headers, status), b"")
    try:
        reply: Any = json.loads(content)
        # Without validate=True, invalid characters are skipped and the result is a different secret.
        return base64.b64decode(reply["payload"]["data"], validate=True)
    except (ValueError, KeyError, TypeError):
        pass
    # Raised outside the except block: the exception there may hold the secret.
    raise ReplyError(f"{_METHOD}: the reply contains no secret", method_id=_METHOD)
