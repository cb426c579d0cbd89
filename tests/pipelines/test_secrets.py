"""The place of a secret is in the graph; the secret is read where the work is done."""

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
    """Answers as Secret Manager does."""

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


def test_a_file_holds_it_but_for_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(SECRET + b"\n")

    assert SecretSource.file(tmp_path / "secret").load() == SECRET
    assert SecretSource.file(f"file://{tmp_path}/secret").load() == SECRET


def test_a_variable_of_the_worker_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    source = SecretSource.environment("PROJECT_SECRET")
    monkeypatch.setenv("PROJECT_SECRET", SECRET.decode())

    assert source.load() == SECRET
    assert SECRET not in pickle.dumps(source)


def test_secret_manager_holds_it(manager: str) -> None:
    assert SecretSource.secret_manager(VERSION, endpoint=manager).load() == SECRET


@pytest.mark.parametrize(("secret", "error"), [("closed", CredentialsError), ("odd", ReplyError), ("none", DeidError)])
def test_secret_manager_that_does_not_give_it_is_an_error(manager: str, secret: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        SecretSource.secret_manager(f"projects/p/secrets/{secret}/versions/1", endpoint=manager).load()


def test_where_none_is_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    for source in (SecretSource.environment("NOBODY_SET_THIS"), SecretSource.file(tmp_path / "empty")):
        with pytest.raises(ConfigError, match="there is none in its place"):
            source.load()
    with pytest.raises(FileNotFoundError):
        SecretSource.file(tmp_path / "nowhere").load()


@pytest.mark.parametrize("version", ["", "deid", "projects/p/secrets/deid", "projects/p/secrets//versions/1"])
def test_secret_manager_wants_a_versions_full_name(version: str) -> None:
    with pytest.raises(ConfigError, match="versions"):
        SecretSource.secret_manager(version)
