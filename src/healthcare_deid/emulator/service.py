"""`Emulator`: the Cloud Healthcare API over a folder of this machine."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.emulator.backend import Backend
from healthcare_deid.emulator.clock import Clock, SystemClock
from healthcare_deid.emulator.faults import FaultPlan
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
from healthcare_deid.emulator.storage.catalog import Kind
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
    """A Cloud Healthcare API on this machine: datasets, DICOM stores, DICOMweb, and real de-identification.

    The state is in the folder and survives a restart. Several `Emulator` objects of one process can share a folder;
    a second process is refused.

    Args:
        data_dir: The folder, created if missing. None: a temporary folder that `close` removes.
        faults: Planned faults; see `faults`.
        clock: Source of times, such as a fake clock in tests.
        gcs: Folder of each bucket in ``gs://`` URIs. Other buckets are read from the emulated Cloud Storage at
            ``STORAGE_EMULATOR_HOST``, if that environment variable is set.
        allow_remote_storage: Allow a ``STORAGE_EMULATOR_HOST`` on another machine, to which instances are then sent.
        workers: Worker processes of an operation. None: one for each core, but none for a few instances. 0: none.
        engine: Maker of the de-identifier for a config. Default: this package's engine.

    Raises:
        EmulatorError: The folder is in use by another process, is open in this one with other arguments, was written
            by another version, or its database is missing or damaged.
    """

    def __init__(
        self,
        data_dir: str | PathLike[str] | None,
        *,
        faults: FaultPlan | None = None,
        clock: Clock | None = None,
        gcs: Mapping[str, str | PathLike[str]] | None = None,
        allow_remote_storage: bool = False,
        workers: int | None = None,
        engine: EngineFactory = local_engine,
    ) -> None:
        if workers is not None and workers < 0:
            raise ValueError("workers must be a number of processes, at least 0")
        options: dict[str, Any] = {
            "faults": faults,
            "clock": clock,
            "gcs": gcs,
            "allow_remote_storage": allow_remote_storage or None,
            "workers": workers,
            "engine": engine,
        }
        self._core = _Core.shared(data_dir, options)
        self._close = weakref.finalize(self, self._core.release)
        self._transports: weakref.WeakSet[EmulatorHttp] = weakref.WeakSet()

    @property
    def data_dir(self) -> Path:
        """Data folder."""
        return self._core.backend.folder

    @property
    def faults(self) -> FaultPlan:
        """Planned faults; more can be planned at any time."""
        return self._core.faults

    def handle(self, request: Request) -> Reply:
        """Answer one request. This is the whole service as a function."""
        return self._core.router.handle(request)

    def routes(self) -> tuple[Route, ...]:
        """Return the methods of the API that the emulator has."""
        return self._core.routes

    def http(self) -> EmulatorHttp:
        """Return a transport like an ``httplib2.Http``. The emulator stays open while the transport is in use.

        Raises:
            EmulatorError: The emulator is closed.
        """
        if not self._close.alive:
            raise EmulatorError("the emulator is closed")
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
        """Return a server of this emulator, already listening: ``with emulator.server() as server: server.url``.

        Args:
            host: Address to listen on.
            port: Port; 0 for any free port.
            origins: Further origins of web pages that may read; those of this machine may.
            hosts: Further ``Host`` names, such as ``healthcare.googleapis.com`` behind a TLS proxy on this machine.
            allow_remote: Accept an address that other machines can reach. There is no authentication.

        Raises:
            EmulatorError: The address is not a loopback address, or the port is taken.
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
        """Serve until the process is told to end (Ctrl-C). For arguments and errors, see `server`."""
        self.server(host, port, origins=origins, hosts=hosts, allow_remote=allow_remote).run()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until the running operations have ended; return False after ``timeout`` seconds."""
        return self._core.backend.runner.settle(timeout)

    def close(self) -> None:
        """Close the transports, stop running operations, and release the folder.

        A second call does nothing. Other `Emulator` objects of the same folder keep it open.
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
    """One open folder, shared by any number of `Emulator` objects."""

    _open: dict[Path, _Core] = {}  # noqa: RUF012 - a registry, guarded by the lock
    _lock = threading.RLock()

    def __init__(self, folder: Path, options: dict[str, Any], *, temporary: bool) -> None:
        self.folder = folder
        self.options = options
        self.temporary = temporary
        self.users = 0
        self.faults: FaultPlan = options["faults"] or FaultPlan()
        self.clock: Clock = options["clock"] or SystemClock()
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
            *Stores(self.backend, Kind.DICOM_STORE).routes(),
            *Stores(self.backend, Kind.FHIR_STORE).routes(),
            *OperationCalls(self.backend).routes(),
            *DeidentifyCalls(self.backend).routes(),
            *ImportExportCalls(self.backend).routes(),
            *IamCalls(self.backend).routes(),
            *DicomWebCalls(self.backend).routes(),
        )
        try:
            self.faults.attach(route.method_id for route in self.routes)
        except ValueError:
            self.backend.close()
            raise
        self.router = Router(Routes(self.routes), Control(self.backend).answer, self.faults, self.clock)

    @classmethod
    def shared(cls, data_dir: str | PathLike[str] | None, options: dict[str, Any]) -> _Core:
        """Return the core of a folder, and add a user."""
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
                raise EmulatorError(f"{folder} is already open in this process with other arguments: close that first")
            core.retain()
            return core

    def retain(self) -> None:
        """Add a user."""
        with self._lock:
            self.users += 1

    def release(self) -> None:
        """Remove a user; the last one closes the folder."""
        with self._lock:
            self.users -= 1
            if self.users:
                return
            del self._open[self.folder]
            self.backend.close()
        if self.temporary:
            shutil.rmtree(self.folder, ignore_errors=True)


def _storage(*, allow_remote: bool) -> StorageApi | None:
    address = os.environ.get(VARIABLE, "").strip()
    return StorageApi(address, allow_remote=allow_remote) if address else None
