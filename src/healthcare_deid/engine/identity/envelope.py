"""CMS envelopes for recipients (RFC 5652, PS3.15 section E.1.1).

Only a recipient's private key opens one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from healthcare_deid.errors import ConfigError, EngineError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from cryptography.x509 import Certificate

_NOT_A_CERTIFICATE = "a file must contain a certificate for an RSA key, in PEM or DER"
_NOT_A_KEY = "the key is not an RSA private key in PEM, or its passphrase is wrong"
_CLOSED = "no envelope can be opened with this key"
# Minimum size of an RSA key in bits. Shared results live long, and shorter keys may be broken meanwhile.
_SMALLEST_KEY = 2048
# Key lengths in bytes of AES in CBC mode, by object identifier (RFC 3565).
_KEY_LENGTHS = {f"2.16.840.1.101.3.4.1.{arc}": length for arc, length in ((2, 16), (22, 24), (42, 32))}
# Size of an AES block in bits.
_BLOCK = 128


class Recipients:
    """People who can open envelopes.

    Args:
        paths: Files with their certificates, which must be for RSA keys.
        now: Time at which the certificates must be valid; None for the present.

    Raises:
        ConfigError: A file has no such certificate, the certificate is not valid now or not for encryption, or its key
            is too short.
        MissingExtraError: The extra is not installed.
        OSError: A file cannot be read.
    """

    def __init__(self, paths: Iterable[str | PathLike[str]], *, now: datetime | None = None) -> None:
        _need_extra()
        self._der = tuple(_usable(Path(path), now or datetime.now(UTC)) for path in paths)

    def __len__(self) -> int:
        return len(self._der)

    def __repr__(self) -> str:
        return f"Recipients({len(self._der)})"

    def seal(self, data: bytes) -> bytes:
        """Return a DER envelope that each recipient can open.

        The content is encrypted with AES-256-CBC, and its key with each RSA key.
        """
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256
        from cryptography.hazmat.primitives.serialization import Encoding
        from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options
        from cryptography.x509 import load_der_x509_certificate

        builder = PKCS7EnvelopeBuilder().set_data(data).set_content_encryption_algorithm(AES256)
        for der in self._der:
            builder = builder.add_recipient(load_der_x509_certificate(der))
        return builder.encrypt(Encoding.DER, [PKCS7Options.Binary])


class RecipientKey:
    """A recipient's private key.

    Args:
        path: File with the key in PEM.
        passphrase: Passphrase of the file; None if it is not encrypted.

    Raises:
        ConfigError: The file has no RSA key, or the passphrase is wrong.
        MissingExtraError: The extra is not installed.
        OSError: The file cannot be read.
    """

    def __init__(self, path: str | PathLike[str], passphrase: bytes | None = None) -> None:
        _need_extra()
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(Path(path).read_bytes(), passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigError(_NOT_A_KEY) from None
        if not isinstance(key, RSAPrivateKey):
            raise ConfigError(_NOT_A_KEY)
        self._key = key

    def __repr__(self) -> str:
        return "RecipientKey(***)"

    def open(self, envelope: bytes) -> bytes:
        """Return the content of an envelope.

        Raises:
            EngineError: The envelope is for another key, or is damaged.
        """
        from pyasn1.codec.ber.decoder import decode
        from pyasn1.error import PyAsn1Error
        from pyasn1_modules import rfc5652

        try:
            content, _ = decode(envelope, asn1Spec=rfc5652.ContentInfo())
            enveloped, _ = decode(content["content"], asn1Spec=rfc5652.EnvelopedData())
            sealed = enveloped["encryptedContentInfo"]
            algorithm = sealed["contentEncryptionAlgorithm"]
            transports = [each["ktri"] for each in enveloped["recipientInfos"] if each.getName() == "ktri"]
            keys = [bytes(transport["encryptedKey"]) for transport in transports]
            vector, data = bytes(decode(algorithm["parameters"])[0]), bytes(sealed["encryptedContent"])
            length = _KEY_LENGTHS[str(algorithm["algorithm"])]
        except (PyAsn1Error, ValueError, TypeError, KeyError):
            raise EngineError(_CLOSED, reason="not-for-this-key") from None
        for encrypted in keys:
            opened = self._opened(encrypted, length, vector, data)
            if opened is not None:
                return opened
        raise EngineError(_CLOSED, reason="not-for-this-key")

    def _opened(self, encrypted: bytes, length: int, vector: bytes, data: bytes) -> bytes | None:
        """Decrypt the content with one encrypted key.

        Returns None if that key is for another recipient.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.algorithms import AES
        from cryptography.hazmat.primitives.ciphers.modes import CBC
        from cryptography.hazmat.primitives.padding import PKCS7

        try:
            # RSAES-PKCS1-v1_5 is the key transport of CMS that every library supports (RFC 3370).
            key = self._key.decrypt(encrypted, PKCS1v15())
            if len(key) != length:
                return None  # OpenSSL returns random bytes for another recipient's key (implicit rejection)
            reader = Cipher(AES(key), CBC(vector)).decryptor()
            padded = reader.update(data) + reader.finalize()
            padding = PKCS7(_BLOCK).unpadder()
            return padding.update(padded) + padding.finalize()
        except ValueError:
            return None


def _usable(path: Path, now: datetime) -> bytes:
    """Return a certificate in DER, checked for what may be encrypted for it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate

    data, problem = path.read_bytes(), ""
    try:
        certificate = load_pem_x509_certificate(data) if b"-----BEGIN" in data else load_der_x509_certificate(data)
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            problem = _NOT_A_CERTIFICATE
        elif key.key_size < _SMALLEST_KEY:
            problem = f"the certificate's RSA key is shorter than {_SMALLEST_KEY} bits; use a longer one"
        elif not _encrypts_keys(certificate):
            problem = "the certificate's key usage does not allow key encipherment; use a certificate for encryption"
        elif now > certificate.not_valid_after_utc:
            problem = f"the certificate was valid until {certificate.not_valid_after_utc:%Y-%m-%d}; use a renewed one"
        elif now < certificate.not_valid_before_utc:
            problem = f"the certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}"
        else:
            return certificate.public_bytes(Encoding.DER)
    except (ValueError, UnsupportedAlgorithm):
        problem = _NOT_A_CERTIFICATE
    raise ConfigError(f"recipients: {path.name}: {problem}")


def _encrypts_keys(certificate: Certificate) -> bool:
    """Return whether a key may be encrypted for the certificate (RFC 5280 section 4.2.1.3).

    A certificate without the extension restricts nothing.
    """
    from cryptography.x509 import DuplicateExtension, ExtensionNotFound, KeyUsage, UnsupportedGeneralNameType

    try:
        return certificate.extensions.get_extension_for_class(KeyUsage).value.key_encipherment
    except ExtensionNotFound:
        return True
    except (DuplicateExtension, UnsupportedGeneralNameType):
        raise ValueError from None


def _need_extra() -> None:
    if not all(map(find_spec, ("cryptography", "pyasn1_modules"))):
        raise MissingExtraError("vault", "encryption for a recipient")
