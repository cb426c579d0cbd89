"""The key folder: secrets are found by name or fingerprint, and only their owner can read them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.engine.identity.key_folder import VARIABLE, find_secret, key_folder, new_secret, write_secret
from healthcare_deid.engine.identity.secret import ProjectSecret
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "keys"))
    return tmp_path / "keys"


def test_a_new_secret_is_found_by_its_fingerprint_and_by_its_name(keys: Path) -> None:
    unnamed, named = new_secret(), new_secret("trial-7")
    assert unnamed.parent == named.parent == key_folder() == keys
    assert find_secret(ProjectSecret(unnamed).fingerprint) == unnamed
    assert find_secret("trial-7") == named
    assert find_secret(ProjectSecret(named).fingerprint) == named
    assert ProjectSecret(unnamed).fingerprint != ProjectSecret(named).fingerprint


def test_only_the_owner_can_read_a_secret(keys: Path) -> None:
    path = new_secret()
    assert path.stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="homes are looked up in the list of users")
def test_a_user_without_a_home_is_told_where_else_a_secret_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def unknown(number: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    for name in (VARIABLE, "HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)  # as in a container that runs under any number
    with pytest.raises(ConfigError, match=f"no home folder to keep one in: name a folder by {VARIABLE}, or a file"):
        new_secret()
    assert find_secret("trial-7") is None


def test_a_key_folder_that_cannot_be_made_is_named_with_what_to_do(keys: Path) -> None:
    keys.write_text("a file")
    with pytest.raises(ConfigError, match=rf"the key folder {keys} cannot be made \(.+\): name a folder by {VARIABLE}"):
        new_secret()


def test_no_secret_is_written_over() -> None:
    path = new_secret("trial-7")
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        new_secret("trial-7")
    with pytest.raises(FileExistsError):
        write_secret(path)
    assert path.read_bytes() == before


def test_a_name_cannot_lead_out_of_the_folder(keys: Path) -> None:
    for name in ("../other", "a/b", ".hidden", "a" * 65):
        with pytest.raises(ConfigError, match="name"):
            new_secret(name)
        assert find_secret(name) is None
    assert not keys.exists()


def test_an_invalid_secret_file_does_not_hide_the_others(keys: Path) -> None:
    path = new_secret("z")
    (keys / "a.secret").write_bytes(b"short")
    assert find_secret(ProjectSecret(path).fingerprint) == path
    assert find_secret("0123456789abcdef") is None


def test_the_fingerprint_reveals_nothing_about_the_keys_in_use() -> None:
    secret = ProjectSecret(b"a secret of sixteen bytes or more")
    assert secret.fingerprint not in secret.key("uids").hex() + secret.key("dates").hex() + secret.key("hashes").hex()
    assert secret.fingerprint == ProjectSecret(b"a secret of sixteen bytes or more").fingerprint
