"""The graph holds the place of a secret; workers read the secret."""

from __future__ import annotations

import base64
import json
import pickle
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from healthcare_deid.errors import ConfigError, CredentialsError, DeidError, ReplyError
from healthcare_deid.pipelines import SecretSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = b"a secret of this project's own"
VERSION = "projects/p/secrets/deid/versions/latest"


class Manager(BaseHTTPRequestHandler):
    """Server that answers as Secret Manager does."""

    answers: ClassVar[dict[str, tuple[int, Any]]] = {
        f"/v1/{VERSION}:access": (200, {"payload": {"data": base64.b64encode(SECRET).decode()}}),
        "/v1/projects/p/secrets/closed/versions/1:access": (403, {"error": {"message": "no"}}),
        "/v1/projects/p/secrets/odd/versions/1:access": (200, {"payload": {}}),
    }

    def do_GET(self) -> None:
        status, body = self.answers.get(self.path, (404, {}))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        pass


@pytest.fixture
def manager() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Manager)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_file_gives_the_secret_without_its_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET + b"\n")

    assert SecretSource.file(tmp_path / "secret").load() == SECRET
    assert SecretSource.file(f"file://{tmp_path}/secret").load() == SECRET


def test_an_environment_variable_gives_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SecretSource.environment("PROJECT_SECRET")
    monkeypatch.setenv("PROJECT_SECRET", SECRET.decode())

    assert source.load() == SECRET
    assert SECRET not in pickle.dumps(source)


def test_secret_manager_gives_the_secret(manager: str) -> None:
    assert SecretSource.secret_manager(VERSION, endpoint=manager).load() == SECRET


@pytest.mark.parametrize(("secret", "error"), [("closed", CredentialsError), ("odd", ReplyError), ("none", DeidError)])
def test_a_refusal_of_secret_manager_is_an_error(manager: str, secret: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        SecretSource.secret_manager(f"projects/p/secrets/{secret}/versions/1", endpoint=manager).load()


def test_a_missing_secret_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    for source in (SecretSource.environment("NOBODY_SET_THIS"), SecretSource.file(tmp_path / "empty")):
        with pytest.raises(ConfigError, match="not found or empty"):
            source.load()
    with pytest.raises(FileNotFoundError):
        SecretSource.file(tmp_path / "nowhere").load()


@pytest.mark.parametrize("version", ["", "deid", "projects/p/secrets/deid", "projects/p/secrets//versions/1"])
def test_secret_manager_requires_the_full_name_of_a_version(version: str) -> None:
    with pytest.raises(ConfigError, match="versions"):
        SecretSource.secret_manager(version)
