"""Encrypted original attributes: a recipient's key restores them exactly, and no other key does."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid import DeidentifyConfig, presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms
from healthcare_deid.engine.header.originals import restored
from healthcare_deid.engine.identity.envelope import RecipientKey, Recipients
from healthcare_deid.errors import ConfigError, EngineError
from healthcare_deid.testing import write_samples

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset
    from tests.engine.conftest import Planted

BASIC = presets.basic_confidentiality_profile()


def recipient(
    folder: Path,
    name: str,
    *,
    key: Any = None,
    passphrase: bytes | None = None,
    valid: tuple[int, int] = (2020, 2100),
    usage: x509.KeyUsage | None = None,
) -> tuple[Path, Path]:
    """Write a key and its certificate, valid between two New Year's Days; return both files."""
    key = key or rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin, end = (datetime(year, 1, 1, tzinfo=UTC) for year in valid)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder / f"{name}.key", folder / f"{name}.pem"


def encoded(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("profile", ["basic", "keep all"])
def test_every_attribute_comes_back_as_it_was(profile: str, syntax: str, planted: Planted, tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    config = BASIC if profile == "basic" else DeidentifyConfig.builder().filter_profile("KEEP_ALL_PROFILE").build()
    deidentifier = Deidentifier(
        config,
        secret=SECRET,
        pseudonyms=Pseudonyms.keyed(),
        dates=Dates(),
        set_values={"ClinicalTrialProtocolID": "X-17"},
        recipients=[certificate],
    )
    (tmp_path / "old.dcm").write_bytes(planted.file(syntax))
    deidentifier.deidentify_file(tmp_path / "old.dcm", tmp_path / "new.dcm")
    data = (tmp_path / "new.dcm").read_bytes()
    result = pydicom.dcmread(tmp_path / "new.dcm")

    if profile == "basic":
        assert [place for place in planted.found_in(data) if not place.endswith("Time")] == []
        assert result.PatientIdentityRemoved == "YES"
    assert result.EncryptedAttributesSequence[0].EncryptedContentTransferSyntaxUID == syntax
    again = pydicom.dcmread(io.BytesIO(encoded(restored(result, RecipientKey(key)))))
    assert again == pydicom.dcmread(tmp_path / "old.dcm")
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID


def test_samples_come_back_but_for_their_pixels(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    write_samples(tmp_path / "scans")
    config = DeidentifyConfig.builder().filter_profile("MINIMAL_KEEP_LIST_PROFILE").redact_image_text("all").build()
    deidentifier = Deidentifier(config, recipients=[certificate])
    for path in sorted((tmp_path / "scans").rglob("*.dcm")):
        old = pydicom.dcmread(path)
        again = restored(deidentifier.deidentify(old).dataset, RecipientKey(key))
        for dataset in (old, again):
            dataset.pop("PixelData", None)
        assert again == old


def test_each_of_several_recipients_opens_it_and_nobody_else(tmp_path: Path) -> None:
    first, second = recipient(tmp_path, "first"), recipient(tmp_path, "second", passphrase=b"open sesame")
    stranger, _ = recipient(tmp_path, "stranger")
    result = Deidentifier(BASIC, recipients=[first[1], second[1]]).deidentify(instance()).dataset

    assert restored(result, RecipientKey(first[0])).PatientID == "MRN4711-22"
    assert restored(result, RecipientKey(second[0], b"open sesame")).PatientID == "MRN4711-22"
    with pytest.raises(EngineError) as caught:
        restored(result, RecipientKey(stranger))
    assert caught.value.reason == "not-for-this-key"
    with pytest.raises(ConfigError, match="passphrase"):
        RecipientKey(second[0], b"guess")


def test_nothing_is_readable_without_the_key(tmp_path: Path) -> None:
    _, certificate = recipient(tmp_path, "trustee")
    old = instance()
    data = encoded(Deidentifier(BASIC, recipients=[certificate]).deidentify(old).dataset)

    values = [str(element.value) for element in old.iterall() if element.VR in {"LO", "SH", "PN", "LT", "DA", "DT"}]
    parts = {part for value in values for part in value.replace("^", " ").split() if len(part) > 3}
    assert not [part for part in parts if part.encode() in data]
    assert data != encoded(Deidentifier(BASIC, recipients=[certificate]).deidentify(old).dataset)


def test_an_instance_without_encrypted_attributes_is_refused(tmp_path: Path) -> None:
    key, _ = recipient(tmp_path, "trustee")
    for dataset in (instance(), Deidentifier(BASIC).deidentify(instance()).dataset):
        with pytest.raises(EngineError) as caught:
            restored(dataset, RecipientKey(key))
        assert caught.value.reason == "no-encrypted-attributes"


def test_a_damaged_envelope_gives_nothing(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee")
    envelope = Recipients([certificate]).seal(b"the original" * 9)
    opener = RecipientKey(key)

    assert opener.open(envelope + b"\0") == b"the original" * 9
    for damaged in (b"", b"\x30\x03\x02\x01\x01", b"\x30\x80" * 20_000, envelope[: len(envelope) // 2], envelope[:-1]):
        with pytest.raises(EngineError):
            opener.open(damaged)


def test_a_file_without_a_certificate_or_rsa_key_is_refused(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "elliptic", key=ec.generate_private_key(ec.SECP256R1()))
    for path in (key, certificate):
        with pytest.raises(ConfigError, match="recipients"):
            Deidentifier(BASIC, recipients=[path])
    with pytest.raises(ConfigError, match="RSA"):
        RecipientKey(key)
    with pytest.raises(ConfigError, match="RSA"):
        RecipientKey(certificate)


def test_a_short_rsa_key_is_refused(tmp_path: Path) -> None:
    _, certificate = recipient(tmp_path, "short", key=rsa.generate_private_key(65537, 1024))
    with pytest.raises(ConfigError, match="2048 bits"):
        Deidentifier(BASIC, recipients=[certificate])


def test_a_certificate_is_refused_outside_its_time_and_the_error_names_the_day(tmp_path: Path) -> None:
    _, certificate = recipient(tmp_path, "trustee", valid=(2020, 2024))
    for now, why in (
        (datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC), "trustee.pem: the certificate was valid until 2024-01-01"),
        (datetime(2019, 12, 31, 23, 59, tzinfo=UTC), "trustee.pem: the certificate is not valid before 2020-01-01"),
    ):
        with pytest.raises(ConfigError, match=why):
            Recipients([certificate], now=now)
    for now in (datetime(2020, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC)):
        assert len(Recipients([certificate], now=now)) == 1


@pytest.mark.parametrize("option", ["recipients", "vault"])
def test_nothing_is_encrypted_for_an_expired_certificate(option: str, tmp_path: Path) -> None:
    _, valid = recipient(tmp_path, "valid")
    _, expired = recipient(tmp_path, "expired", valid=(2001, 2002))
    vault = tmp_path / "a.vault" if option == "vault" else None
    with pytest.raises(ConfigError, match=r"expired\.pem: the certificate was valid until 2002-01-01; use a"):
        Deidentifier(BASIC, secret=SECRET, recipients=[valid, expired], vault=vault)
    assert not (tmp_path / "a.vault").exists()


def test_what_was_encrypted_for_a_certificate_opens_after_it_has_expired(tmp_path: Path) -> None:
    key, certificate = recipient(tmp_path, "trustee", valid=(2020, 2024))
    envelope = Recipients([certificate], now=datetime(2023, 1, 1, tzinfo=UTC)).seal(b"the original")
    assert RecipientKey(key).open(envelope) == b"the original"


@pytest.mark.parametrize("encrypts", [True, False])
def test_a_certificate_that_is_only_for_signatures_is_refused(encrypts: bool, tmp_path: Path) -> None:
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=encrypts, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    _, certificate = recipient(tmp_path, "signer", usage=usage)
    if encrypts:
        assert len(Recipients([certificate])) == 1
        return
    with pytest.raises(ConfigError, match=r"signer\.pem: the certificate's key usage does not allow key encipherment"):
        Recipients([certificate])


def test_a_single_file_is_refused_as_a_list_of_recipients(tmp_path: Path) -> None:
    _, certificate = recipient(tmp_path, "one")
    for given in (certificate, str(certificate)):
        with pytest.raises(ConfigError, match="recipients: a list"):
            Deidentifier(BASIC, recipients=given)  # type: ignore[arg-type]
