"""What an error shows of what was worked on: no frame's variable, no error behind it, no path and no warning."""

from __future__ import annotations

import asyncio
import io
import logging
import pickle
import subprocess
import sys
import traceback
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.pixels import decoders, encoders, utils
from pydicom.uid import ExplicitVRLittleEndian

import healthcare_deid
from healthcare_deid import AsyncDeidClient, DeidClient, DeidentifyConfig, errors, presets
from healthcare_deid._border import border, call_back
from healthcare_deid.credentials import access_token, from_service_account
from healthcare_deid.engine import Deidentifier, DeidentifyResult, Failure, TreeReport
from healthcare_deid.engine.plan.text import TextPlan
from healthcare_deid.engine.text.engine import TextEngine
from healthcare_deid.engine.workers import Worker, WorkerDied
from healthcare_deid.report import audit, compare, write_before_after

if TYPE_CHECKING:
    from collections.abc import Callable

HOME = str(Path(healthcare_deid.__file__).parent)
NAME, KEY = "Zebrowska", "UEhJQ0FOQVJZUEhJQ0FOQVJZUEhJQ0FOQVJZUEhJQ0E="
BASIC = DeidentifyConfig.builder().filter_profile("ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE").build()
CONTENTS = presets.transform_contents_and_sensitive_text(crypto_key=KEY)


def shown(error: BaseException) -> str:
    """Return the error's text, and every variable of this package's frames, of the errors behind it too."""
    parts: list[str] = []
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if item is None or id(item) in seen:
            continue
        seen.add(id(item))
        parts += [str(item), repr(item)]
        for frame, _ in traceback.walk_tb(item.__traceback__):
            if frame.f_code.co_filename.startswith(HOME):
                parts += [f"{name} = {value!r}" for name, value in frame.f_locals.items()]
        pending += [item.__cause__, item.__context__]
    return "\n".join(parts)


def depth(error: BaseException) -> int:
    """Return how many frames of this package the error shows."""
    return sum(frame.f_code.co_filename.startswith(HOME) for frame, _ in traceback.walk_tb(error.__traceback__))


def instance() -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.4"
    dataset.PatientName, dataset.PatientID, dataset.ImageComments = f"{NAME}^Oktawia", "MRN7741093", f"{NAME} called"
    return dataset


@pytest.fixture
def cut_short(tmp_path: Path) -> Path:
    """Return a file that ends inside an element, in a folder called after a patient."""
    path = tmp_path / NAME / "1.dcm"
    path.parent.mkdir()
    instance().save_as(path, enforce_file_format=True)
    path.write_bytes(path.read_bytes()[:-5])
    return path


class Broken(pydicom.Dataset):
    """A dataset that breaks whoever reads it, with a value in its error."""

    def __iter__(self) -> Any:
        raise ValueError(NAME)

    def get_item(self, *_: Any, **__: Any) -> Any:
        raise ValueError(NAME)

    def __contains__(self, _: object) -> bool:
        raise ValueError(NAME)


class Breaks:
    """A detector of the caller's that breaks."""

    info_types = frozenset({"PERSON_NAME"})
    rank = 1

    def find(self, text: str) -> list[Any]:
        raise ValueError(len(text))


def broken() -> Broken:
    dataset = Broken()
    dataset.__dict__.update(instance().__dict__)
    return dataset


class BrokenFile(io.BytesIO):
    """A file whose storage is gone in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error", NAME)


def deidentifier() -> Deidentifier:
    return Deidentifier(CONTENTS)


ENTRIES: dict[str, Callable[[Path], object]] = {
    "deidentify": lambda _: deidentifier().deidentify(broken()),
    "deidentify what is no dataset": lambda _: deidentifier().deidentify(NAME),  # type: ignore[arg-type]
    "deidentify_file": lambda path: deidentifier().deidentify_file(path, path.with_name("out.dcm")),
    "deidentify_file, tags": lambda path: Deidentifier(BASIC).deidentify_file(path, path.with_name("out.dcm")),
    "deidentify_file onto itself": lambda path: deidentifier().deidentify_file(path, path),
    "deidentify_file that is not there": lambda path: deidentifier().deidentify_file(path.with_name("0"), path),
    "deidentify_file into a file": lambda path: deidentifier().deidentify_file(path, path / "out.dcm"),
    "deidentify_bytes": lambda path: deidentifier().deidentify_bytes(path.read_bytes()),
    "deidentify_bytes of a path": lambda path: deidentifier().deidentify_bytes(str(path)),  # type: ignore[call-overload]
    "deidentify_bytes, a file that breaks": lambda path: deidentifier().deidentify_bytes(BrokenFile(path.read_bytes())),
    "deidentify_tree of nothing": lambda path: deidentifier().deidentify_tree(path.with_name("0"), path.parent / "out"),
    "deidentify_tree into itself": lambda path: deidentifier().deidentify_tree(path.parent, path.parent / "out"),
    "deidentify_tree, no record": lambda path: deidentifier().deidentify_tree(
        path.parent, path.parent.with_name("out"), record=path.parent.with_name("none") / NAME
    ),
    "result_name": lambda path: deidentifier().result_name(path.with_name("0")),
    "a wrong secret": lambda _: Deidentifier(BASIC, uid_rule="salted", salt=NAME.encode()),
    "TextEngine.bind": lambda _: TextEngine(TextPlan()).bind(broken()),
    "a detector that breaks": lambda _: TextEngine(TextPlan(), detectors=[Breaks()]).bind(instance()).find(NAME),
    "a wrong patient key": lambda _: TextEngine(TextPlan(), patient_keys={NAME: b"short"}, date_shift_days=0),
    "audit": lambda _: audit(broken()),
    "compare": lambda _: compare(broken(), broken()),
    "compare what is no dataset": lambda path: compare(path, path),  # type: ignore[arg-type]
    "write_before_after": lambda path: write_before_after(instance(), instance(), path.with_name("a.png")),
    "a lazy dataset": lambda path: DeidentifyResult(lambda: pydicom.dcmread(path.with_name("0"))).dataset,
    "lazy changes": lambda _: DeidentifyResult(instance(), broken).changes,
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_error_shows_nothing_of_the_instance_its_path_or_a_secret(cut_short: Path, entry: str) -> None:
    with pytest.raises((errors.DeidError, OSError, TypeError, ValueError)) as caught:
        ENTRIES[entry](cut_short)
    text = shown(caught.value)
    assert NAME not in text
    assert KEY not in text
    assert "MRN7741093" not in text
    assert depth(caught.value) == 1, "the border's own frame"


def test_an_error_of_the_file_system_names_the_argument(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"No such file or directory \(source\)$") as caught:
        Deidentifier(BASIC).deidentify_file(tmp_path / NAME, tmp_path / "out.dcm")
    assert (caught.value.filename, caught.value.errno) == (None, 2)
    (tmp_path / "file").touch()
    instance().save_as(tmp_path / "in.dcm", enforce_file_format=True)
    with pytest.raises(OSError, match=r"\(destination\)$"):
        Deidentifier(BASIC).deidentify_file(tmp_path / "in.dcm", tmp_path / "file" / "out.dcm")


def test_what_a_callers_own_function_raises_keeps_its_frames(tmp_path: Path) -> None:
    instance().save_as(tmp_path / "in.dcm", enforce_file_format=True)

    def shows_progress(_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        Deidentifier(BASIC).deidentify_tree(tmp_path, tmp_path.with_name("out"), workers=1, on_progress=shows_progress)
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames[-1] == "shows_progress"
    assert depth(caught.value) == 1


def test_an_unforeseen_error_says_where_it_happened() -> None:
    with pytest.raises(errors.EngineError, match=r"\(ValueError at tests/test_border\.py:\d+\)"):
        audit(broken())


def test_a_cause_of_this_package_stays_without_its_frames() -> None:
    def deep(data: str) -> None:
        raise errors.NotFound(status=404, message=data)

    @border
    def public(data: str) -> None:
        try:
            deep(data)
        except errors.NotFound as error:
            raise errors.TransferError("refused") from error

    with pytest.raises(errors.TransferError) as caught:
        public(NAME)
    assert isinstance(caught.value.__cause__, errors.NotFound)
    assert caught.value.__cause__.__traceback__ is None


def test_a_coroutine_is_cut_off_too() -> None:
    @border
    async def public(data: str) -> str:
        await asyncio.sleep(0)
        raise ValueError(len(data))

    with pytest.raises(ValueError, match="9") as caught:
        asyncio.run(public(NAME))
    assert NAME not in shown(caught.value)


def test_a_public_function_keeps_its_name_its_signature_and_its_result() -> None:
    assert border(len)("abc") == 3
    assert call_back(len, "abc") == 3
    assert pickle.loads(pickle.dumps(audit)) is audit
    assert Deidentifier.deidentify_file.__name__ == "deidentify_file"


def test_reports_and_failures_print_no_path() -> None:
    failure = Failure(f"{NAME}/1.dcm", "not-dicom", "not a DICOM file")
    report = TreeReport(failed=1, failures=(failure,))
    assert NAME not in f"{report}{report!r}{failure}{failure!r}"
    assert report.failures[0].path == f"{NAME}/1.dcm"
    assert "failed=1" in repr(report)


def test_an_instance_that_a_worker_dies_of_leaves_no_text(capfd: pytest.CaptureFixture[str]) -> None:
    worker = Worker(int, NAME)  # int(NAME, …) quotes it
    with pytest.raises(WorkerDied) as caught:
        worker.call(10)
    worker.close()
    assert NAME not in capfd.readouterr().err + shown(caught.value)


@pytest.mark.parametrize("config", [BASIC, CONTENTS], ids=["basic", "contents"])
def test_no_warning_quotes_a_value(tmp_path: Path, config: DeidentifyConfig) -> None:
    dataset = instance()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset.add_new(0x00080020, "DA", f"{NAME}1961")
        dataset.add_new(0x00080016, "UI", f"1.2.{NAME}")
        dataset.add_new(0x00200013, "LO", NAME)
        dataset.save_as(tmp_path / "in.dcm", enforce_file_format=False)
    path = tmp_path / "in.dcm"
    path.write_bytes(path.read_bytes().replace(b"\x20\x00\x13\x00LO", b"\x20\x00\x13\x00IS"))
    program = (
        "import sys, warnings, logging; warnings.simplefilter('always'); logging.basicConfig(level=0)\n"
        "from healthcare_deid import DeidentifyConfig\n"
        "from healthcare_deid.engine import Deidentifier\n"
        "from healthcare_deid.report import audit\n"
        "import pydicom\n"
        "engine = Deidentifier(DeidentifyConfig.from_json(sys.argv[1]))\n"
        "try:\n"
        "    result = engine.deidentify_file(sys.argv[2], sys.argv[2] + '.out')\n"
        "    result.changes, result.dataset\n"
        "except Exception as error: print(type(error), error)\n"
    )
    words = [sys.executable, "-c", program, config.to_json(), str(tmp_path / "in.dcm")]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    assert NAME not in ended.stdout + ended.stderr


def test_all_of_pydicoms_loggers_are_quiet_while_the_engine_works(caplog: pytest.LogCaptureFixture) -> None:
    assert all((decoders, encoders, utils)), "they make their loggers when they are imported"
    known = logging.root.manager.loggerDict.values()
    loggers = [item for item in known if isinstance(item, logging.Logger) and item.name.split(".")[0] == "pydicom"]
    assert len(loggers) > 1

    class Talks(pydicom.Dataset):
        def __contains__(self, _: object) -> bool:
            for logger in loggers:
                logger.error(NAME)
            return False

    audit(Talks())
    assert caplog.text == ""


@pytest.mark.parametrize("source", [{"type": "service_account", "private_key": KEY}, "access token"])
def test_a_wrong_argument_shows_no_secret(source: Any) -> None:
    credentials = access_token(KEY) if isinstance(source, str) else source
    with pytest.raises(errors.ConfigError) as caught:
        DeidClient("p", "l", endpoint="http://example.com", credentials=credentials)
    assert KEY not in shown(caught.value)
    with pytest.raises(errors.CredentialsError) as refused:
        from_service_account({"type": "service_account", "private_key": KEY})
    assert KEY not in shown(refused.value)


def test_an_upload_shows_no_byte_and_no_path(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "1.dcm").write_bytes(bytes(128) + b"DICM" + NAME.encode() * 9)
    client = DeidClient("p", "l", endpoint="http://127.0.0.1:9", credentials=access_token("t"))
    with client, pytest.raises(FileNotFoundError) as caught:
        client.upload("d/s", [tmp_path / NAME, tmp_path / NAME / "none"])
    assert NAME not in shown(caught.value)

    async def ask() -> None:
        async with AsyncDeidClient("p", "l", endpoint="http://127.0.0.1:9") as later:
            await later.upload("d/s", [tmp_path / NAME, tmp_path / NAME / "none"])

    with pytest.raises(FileNotFoundError) as caught:
        asyncio.run(ask())
    assert NAME not in shown(caught.value)


def test_a_query_of_dicomweb_shows_nowhere() -> None:
    client = DeidClient("p", "l", endpoint="http://127.0.0.1:9", credentials=access_token("t"))
    web: Any = client.dicomweb("d/s")
    with client, pytest.raises(errors.ForeignUrlError) as caught:
        web._session.post("https://example.com/studies", data=np.array([1], "u1").tobytes() + NAME.encode())
    assert NAME not in shown(caught.value)
