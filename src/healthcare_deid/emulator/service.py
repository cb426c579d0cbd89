"""`Emulator`: the Cloud Healthcare API over a local directory."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.emulator.backend import Backend
from healthcare_deid.emulator.clock import EmulatorClock, WallClock
from healthcare_deid.emulator.faults import FaultPlan
from healthcare_deid.emulator.handlers.blob_storage import BlobStorageCalls
from healthcare_deid.emulator.handlers.control import Control
from healthcare_deid.emulator.handlers.datasets import Datasets
from healthcare_deid.emulator.handlers.deidentify import DeidentifyCalls
from healthcare_deid.emulator.handlers.dicomweb.calls import DicomWebCalls
from healthcare_deid.emulator.handlers.iam import IamCalls
from healthcare_deid.emulator.handlers.import_export import ImportExportCalls
from healthcare_deid.emulator.handlers.operations import OperationCalls
from healthcare_deid.emulator.handlers.stores import Stores
from healthcare_deid.emulator.http.in_process import EmulatorHttp
from healthcare_deid.emulator.http.router import Router
from healthcare_deid.emulator.http.routes import Routes
from healthcare_deid.emulator.jobs.execution import EngineFactory, InProcess, local_engine
from healthcare_deid.emulator.jobs.workers import WorkerProcesses
from healthcare_deid.emulator.storage.buckets import Buckets
from healthcare_deid.emulator.storage.catalog import ResourceKind
from healthcare_deid.emulator.storage.cloud_storage import VARIABLE, StorageApi
from healthcare_deid.errors import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from os import PathLike

    from healthcare_deid.emulator.http.reply import Reply
    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.http.routes import Route
    from healthcare_deid.emulator.http.server import Server


class Emulator:
    """Cloud Healthcare API on this machine.

    It has datasets, DICOM stores, DICOMweb and real de-identification. Its state is in the data directory and survives
    a restart. Several `Emulator` objects in one process can share a directory; a second process is refused.

    Args:
        data_dir: Data directory. It is created if missing. None uses a temporary directory that `close` removes.
        faults: Planned faults; see `faults`.
        clock: Source of time, such as a fake clock in tests.
        gcs: Local directory of each bucket in ``gs://`` URIs. Other buckets are read from the Cloud Storage emulator at
            ``STORAGE_EMULATOR_HOST``, if that environment variable is set.
        allow_remote_storage: Whether ``STORAGE_EMULATOR_HOST`` may be on another machine. Instances are then sent
            there.
        workers: Number of worker processes of an operation. None means one per core, or none for a few instances. 0
            means none.
        engine: Factory of the de-identifier for a config. Defaults to this package's engine.

    Raises:
        EmulatorError: The directory is in use by another process, is open in this one with other arguments, was written
            by another version, or its database is missing or damaged.
    """

    def __init__(
        self,
        data_dir: str | PathLike[str] | None,
        *,
        faults: FaultPlan | None = None,
        clock: EmulatorClock | None = None,
        gcs: Mapping[str, str | PathLike[str]] | None = None,
        allow_remote_storage: bool = False,
        workers: int | None = None,
        engine: EngineFactory = local_engine,
    ) -> None:
        if workers is not None and workers < 0:
            raise ValueError("workers: must be 0 or more processes")
        options: dict[str, Any] = {
            "faults": faults,
            "clock": clock,
            "gcs": gcs,
            # None means "not given": another Emulator on the same directory need not repeat the arguments.
            "allow_remote_storage": allow_remote_storage or None,
            "workers": workers,
            "engine": engine,
        }
        self._core = _Core.shared(data_dir, options)
        # An Emulator that is never closed releases the directory when it is garbage-collected.
        self._close = weakref.finalize(self, self._core.release)
        self._transports: weakref.WeakSet[EmulatorHttp] = weakref.WeakSet()

    @property
    def data_dir(self) -> Path:
        """Data directory."""
        return self._core.backend.folder

    @property
    def faults(self) -> FaultPlan:
        """Planned faults.

        More can be added at any time.
        """
        return self._core.faults

    def handle(self, request: Request) -> Reply:
        """Handle one request.

        This method is the whole service.
        """
        return self._core.router.handle(request)

    def routes(self) -> tuple[Route, ...]:
        """Return the API methods that the emulator supports."""
        return self._core.routes

    def http(self) -> EmulatorHttp:
        """Return a transport like ``httplib2.Http``.

        The emulator stays open while the transport is in use.

        Raises:
            EmulatorError: The emulator is closed.
        """
        if not self._close.alive:
            raise EmulatorError("the emulator is closed: create a new one")
        self._core.retain()
        transport = EmulatorHttp(self._core.router.handle, self._core.release)
        self._transports.add(transport)
        return transport

    def server(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        origins: Collection[str] = (),
        hosts: Collection[str] = (),
        allow_remote: bool = False,
    ) -> Server:
        """Return a server that is already listening.

        Use it as ``with emulator.server() as server: server.url``.

        Args:
            host: Address to listen on.
            port: Port. 0 picks a free port.
            origins: Origins of web pages that may read, besides those on this machine.
            hosts: Accepted ``Host`` names besides this machine's, such as ``healthcare.googleapis.com`` behind a local
                TLS proxy.
            allow_remote: Whether to accept an address that other machines can reach. There is no authentication.

        Raises:
            EmulatorError: The address is not a loopback address, or the port is in use.
            MissingExtraError: The extra ``[server]`` is not installed.
        """
        from healthcare_deid.emulator.http.server import Server

        return Server(
            self.handle,
            host,
            port,
            origins=origins,
            hosts=hosts,
            allow_remote=allow_remote,
            scratch=self.data_dir,
        )

    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8085,
        *,
        origins: Collection[str] = (),
        hosts: Collection[str] = (),
        allow_remote: bool = False,
    ) -> None:
        """Serve until the process is terminated (Ctrl-C).

        For arguments and errors, see `server`.
        """
        self.server(host, port, origins=origins, hosts=hosts, allow_remote=allow_remote).run()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until all running operations have ended.

        Returns:
            False if *timeout* seconds passed first.
        """
        return self._core.backend.runner.settle(timeout)

    def close(self) -> None:
        """Close the transports, stop running operations, and release the directory.

        Calling it again does nothing. Other `Emulator` objects on the same directory keep it open.
        """
        for transport in list(self._transports):
            transport.close()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Emulator({str(self.data_dir)!r})"


class _Core:
    """Open data directory, shared by any number of `Emulator` objects."""

    _open: dict[Path, _Core] = {}  # noqa: RUF012 - a registry, guarded by the lock
    _lock = threading.RLock()

    def __init__(self, folder: Path, options: dict[str, Any], *, temporary: bool) -> None:
        self.folder = folder
        self.options = options
        self.temporary = temporary
        self.users = 0
        self.faults: FaultPlan = options["faults"] or FaultPlan()
        self.clock: EmulatorClock = options["clock"] or WallClock()
        self.backend = Backend.open(
            folder,
            clock=self.clock,
            executor=InProcess() if options["workers"] == 0 else WorkerProcesses(options["workers"]),
            make_engine=options["engine"],
            buckets=Buckets(options["gcs"], _storage(allow_remote=bool(options["allow_remote_storage"]))),
            faults=self.faults,
        )
        self.routes: tuple[Route, ...] = (
            *Datasets(self.backend).routes(),
            *Stores(self.backend, ResourceKind.DICOM_STORE).routes(),
            *Stores(self.backend, ResourceKind.FHIR_STORE).routes(),
            *OperationCalls(self.backend).routes(),
            *DeidentifyCalls(self.backend).routes(),
            *ImportExportCalls(self.backend).routes(),
            *BlobStorageCalls(self.backend).routes(),
            *IamCalls(self.backend).routes(),
            *DicomWebCalls(self.backend).routes(),
        )
        try:
            # A misspelled method in a fault plan must fail here. Otherwise a test would pass without its fault.
            self.faults.attach(route.method_id for route in self.routes)
        except ValueError:
            self.backend.close()
            raise
        self.router = Router(Routes(self.routes), Control(self.backend).answer, self.faults, self.clock)

    @classmethod
    def shared(cls, data_dir: str | PathLike[str] | None, options: dict[str, Any]) -> _Core:
        """Return the core of a directory and add a user."""
        with cls._lock:
            temporary = data_dir is None
            folder = Path(tempfile.mkdtemp(prefix="healthcare-emulator-") if data_dir is None else data_dir).resolve()
            core = cls._open.get(folder)
            if core is None:
                core = cls._open[folder] = cls(folder, options, temporary=temporary)
            elif any(
                value is not None and value is not core.options[name] and value != core.options[name]
                for name, value in options.items()
            ):
                raise EmulatorError(f"{folder} is already open in this process with other arguments: close it first")
            core.retain()
            return core

    def retain(self) -> None:
        """Add a user."""
        with self._lock:
            self.users += 1

    def release(self) -> None:
        """Remove a user.

        The last user closes the directory.
        """
        with self._lock:
            self.users -= 1
            if self.users:
                return
            del self._open[self.folder]
            self.backend.close()
        # Outside the lock, because removing many files takes time.
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def _storage(*, allow_remote: bool) -> StorageApi | None:
    address = os.environ.get(VARIABLE, "").strip()
    return StorageApi(address, allow_remote=allow_remote) if address else None
