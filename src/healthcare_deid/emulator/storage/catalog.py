"""Datasets and stores in the database, with their IAM policies."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode, already_exists, denied, invalid, not_found

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from healthcare_deid.emulator.storage.database import Database
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName


class ResourceKind(StrEnum):
    """Kind of resource.

    The value is its collection in paths and lists.
    """

    DATASET = "datasets"
    DICOM_STORE = "dicomStores"
    FHIR_STORE = "fhirStores"


@dataclass(frozen=True, slots=True)
class Page:
    """Page of a list: bodies ordered by name, and the next page token."""

    items: tuple[dict[str, Any], ...]
    next_token: str | None

    def to_api(self, collection: str) -> dict[str, Any]:
        """Return the page as a list reply.

        Like the service, it omits an empty list.
        """
        body: dict[str, Any] = {collection: list(self.items)} if self.items else {}
        return {**body, "nextPageToken": self.next_token} if self.next_token else body


class Catalog:
    """Resources in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- Existence. The service replies 403 for a missing dataset and 404 for a missing store.

    def check_dataset(self, name: DatasetName, permission: str) -> None:
        """Check that a dataset exists.

        Raises:
            ServiceError: 403: the dataset is missing. The service does not distinguish this from missing permission.
        """
        if not self.exists(str(name)):
            raise denied(permission, str(name))

    def check_store(self, name: DicomStoreName | FhirStoreName, permission: str) -> None:
        """Check that a store exists.

        Raises:
            ServiceError: 403: the dataset is missing. 404: the store is missing.
        """
        self.check_dataset(name.parent, permission)
        if not self.exists(str(name)):
            raise store_missing(name)

    def exists(self, name: str) -> bool:
        """Return whether a resource exists."""
        with self._database.read() as connection:
            return exists(connection, name)

    # -- Create, read, update, delete

    def create(self, kind: ResourceKind, name: str, parent: str | None, body: dict[str, Any]) -> dict[str, Any]:
        """Add a resource and return its body.

        Raises:
            ServiceError: 409: the resource already exists.
        """
        with self._database.write() as connection:
            insert(connection, kind, name, parent, body)
        return body

    def get(self, name: str) -> dict[str, Any]:
        """Return the body of a resource."""
        with self._database.read() as connection:
            return _body(connection, name)

    def patch(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
        """Replace a resource's body with ``change(body)`` and return it."""
        with self._database.write() as connection:
            body = change(_body(connection, name))
            connection.execute("UPDATE resources SET body = ? WHERE name = ?", (json.dumps(body), name))
        return body

    def page(self, kind: ResourceKind, parent: str, *, size: int, token: str | None, labels: dict[str, str]) -> Page:
        """Return a page of resources directly below *parent*."""
        after = decode_token(token)
        items: list[dict[str, Any]] = []
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT body FROM resources WHERE kind = ? AND name > ? AND name GLOB ? ORDER BY name",
                # By name instead of parent, because locations are not stored as resources.
                (kind, after, f"{_glob_escaped(parent)}/{kind}/*"),
            )
            for row in rows:
                body: dict[str, Any] = json.loads(row["body"])
                if labels.items() <= body.get("labels", {}).items():
                    if len(items) == size:
                        return Page(tuple(items), encode_token(items[-1]["name"]))
                    items.append(body)
        return Page(tuple(items), None)

    def datasets(self) -> list[str]:
        """Return all dataset names in all projects and locations."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT name FROM resources WHERE kind = ?", (ResourceKind.DATASET,)).fetchall()
        return [row["name"] for row in rows]

    def delete(self, name: str) -> None:
        """Delete a resource with its content.

        Instance files stay until `Instances.purge`.
        """
        with self._database.write() as connection:
            # Stores, instances and policies below it follow by ON DELETE CASCADE.
            connection.execute("DELETE FROM resources WHERE name = ?", (name,))
            connection.execute("DELETE FROM operations WHERE dataset = ? AND ended IS NOT NULL", (name,))
            # Operations still running on the dataset stop at their next unit of work.
            connection.execute("UPDATE operations SET cancel_requested = 1 WHERE dataset = ?", (name,))

    # -- IAM policies, which are stored but not enforced

    def get_policy(self, name: str) -> dict[str, Any]:
        """Return a resource's IAM policy with its etag."""
        with self._database.read() as connection:
            return _policy(connection, name)

    def set_policy(self, name: str, policy: dict[str, Any]) -> dict[str, Any]:
        """Replace a resource's IAM policy.

        Raises:
            ServiceError: 409 ABORTED: the policy has the etag of another version.
        """
        with self._database.write() as connection:
            etag = policy.get("etag")
            if etag and _etag_bytes(etag) != _etag_bytes(_policy(connection, name)["etag"]):
                raise ServiceError(
                    StatusCode.ABORTED,
                    "There were concurrent policy changes. Please retry the whole read-modify-write with backoff.",
                )
            kept = {key: value for key, value in policy.items() if key != "etag"}
            connection.execute(
                "INSERT INTO policies (resource, body) VALUES (?, ?) "
                "ON CONFLICT (resource) DO UPDATE SET body = excluded.body",
                (name, json.dumps(kept)),
            )
            return _policy(connection, name)


def exists(connection: sqlite3.Connection, name: str) -> bool:
    """Return whether a resource exists."""
    return connection.execute("SELECT 1 FROM resources WHERE name = ?", (name,)).fetchone() is not None


def insert(
    connection: sqlite3.Connection, kind: ResourceKind, name: str, parent: str | None, body: dict[str, Any]
) -> None:
    """Add a resource in a transaction.

    Raises:
        ServiceError: 409: the resource already exists.
    """
    if exists(connection, name):
        raise already_exists(f"{name} already exists.")
    connection.execute(
        "INSERT INTO resources (name, kind, parent, body) VALUES (?, ?, ?, ?)", (name, kind, parent, json.dumps(body))
    )


def stores_of(connection: sqlite3.Connection, dataset: DatasetName, kind: ResourceKind) -> list[dict[str, Any]]:
    """Return the bodies of a dataset's stores of one kind."""
    rows = connection.execute(
        "SELECT body FROM resources WHERE parent = ? AND kind = ? ORDER BY name", (str(dataset), kind)
    )
    return [json.loads(row["body"]) for row in rows]


def store_missing(name: DicomStoreName | FhirStoreName) -> ServiceError:
    """Return the 404 error for a missing store."""
    kind = "DICOM" if "/dicomStores/" in str(name) else "FHIR"
    return not_found(f"{kind} store {name} does not exist.")


def encode_token(text: str) -> str:
    """Encode an opaque page token."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_token(token: str | None) -> str:
    """Decode a page token.

    A missing token is an empty string.

    Raises:
        ServiceError: 400: the token is invalid.
    """
    if not token:
        return ""
    try:
        decoded = base64.b64decode(token.encode() + b"=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        decoded = ""
    if not decoded:
        raise invalid("Invalid page token.")
    return decoded


def _body(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    row = connection.execute("SELECT body FROM resources WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise not_found(f"{name} does not exist.")
    body: dict[str, Any] = json.loads(row["body"])
    return body


def _policy(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    row = connection.execute("SELECT body FROM policies WHERE resource = ?", (name,)).fetchone()
    text = row["body"] if row else "{}"
    policy: dict[str, Any] = json.loads(text)
    # A hash of the content: the etag changes exactly if the policy does.
    digest = hashlib.sha256(f"{name}\n{text}".encode()).digest()[:6]
    return policy | {"etag": base64.b64encode(digest).decode()}


def _etag_bytes(etag: Any) -> bytes:
    """Decode an etag.

    Protobuf's JSON mapping accepts both base64 alphabets, with or without padding.
    """
    try:
        text = str(etag).replace("-", "+").replace("_", "/").rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise invalid("The etag of the policy must be base64.") from None


def _glob_escaped(text: str) -> str:
    return text.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")
