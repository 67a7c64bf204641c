"""All keys of a server.

key-encryption key      outside the database (see `kek`)
  ├─ root keys          in the database, wrapped; versions. Derived from each (HKDF-SHA-256):
  │    ├─ a key for each kind of keyed hash: of API keys, e-mail, addresses
  │    ├─ the key for secrets of the server itself
  │    └─ the key that signs the audit trail (Ed25519)
  └─ data keys          in the database, wrapped; one or more for each account (see `vault`)

A root key that can be unwrapped proves that the key-encryption key fits: with a wrong one the
server does not start, and nothing is written.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from llmaas_server.settings import Settings
from llmaas_server.storage.data_keys import DataKeyRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.reader import Reader
from llmaas_server.storage.root_keys import RootKeyRow
from llmaas_server.storage.tables import Tables

from .clock import Clock
from .kek import KEY_BYTES, KeychainError, KeyCommand, KeyEncryptionKey, KeyFile, KeySource, KeyText

BATCH = 100
"""Keys wrapped anew in one transaction."""


@dataclass(frozen=True, slots=True)
class Mac:
    """A keyed hash, and the version of the root key that it was made with."""

    version: int
    digest: bytes


def key_source(home: Path, text: str | None = None, command: str | None = None) -> KeySource:
    """Where the settings say that the key-encryption key is; a file in `home` where they do not."""
    if text is not None and command is not None:
        raise KeychainError("encryption_key and encryption_key_command are both set: keep one")
    if text is not None:
        return KeyText(text)
    return KeyFile(home) if command is None else KeyCommand(command)


def source_of(settings: Settings) -> KeySource:
    """As `key_source`, of these settings. Raises KeychainError."""
    key = settings.encryption_key
    text = None if key is None else key.get_secret_value()
    return key_source(settings.home, text, settings.encryption_key_command)


def rotate(database: Database, source: KeySource, clock: Clock) -> Keychain:
    """Take a new key-encryption key, or go on with the rotation that was begun. Blocks.

    Only wrapped keys are written anew: what they encrypt stays as it is. A backup needs the key
    of its time. Raises KeychainError.
    """
    Keychain.load(database.reader, source)  # nothing is begun with keys that do not fit
    if len(source.load()) == 1:
        source.create()
    return Keychain.open(database, source, clock)


class Keychain:
    """The opened keys; their values never change while the server runs."""

    def __init__(self, keks: list[KeyEncryptionKey], roots: dict[int, bytes]) -> None:
        self._keks = {key.id: key for key in keks}
        self._current = keks[0]
        self.id = keks[0].id
        """Of the newest key-encryption key."""
        self._roots = roots
        self._derived: dict[tuple[int, str], bytes] = {}
        self.version = max(roots)
        """Of the newest root key."""

    @classmethod
    def open(cls, database: Database, source: KeySource, clock: Clock) -> Keychain:
        """Open the keys of a database; make them where it has none. Blocks.

        A rotation that was begun is finished. Raises KeychainError.
        """
        if not database.look(lambda tables: tables.root_keys.all()):
            _create(database, source, clock)
        keychain = cls.load(database.reader, source)
        keychain._rewrap(database, source)
        return keychain

    @classmethod
    def load(cls, reader: Reader, source: KeySource) -> Keychain:
        """Open the keys of a database; changes nothing. Blocks. Raises KeychainError."""
        rows = reader.look(lambda tables: tables.root_keys.all())
        if not rows:
            raise KeychainError("the database has no keys yet: start the server once")
        keks = source.load()
        known = {key.id: key for key in keks}
        for row in rows:
            if row.wrapped_by not in known:
                raise _wrong_key(row.wrapped_by, keks, source)
        roots = {
            row.version: known[row.wrapped_by].unwrap(row.wrapped, _root_context(row.version))
            for row in rows
        }
        return cls(keks, roots)

    def mac(self, purpose: str, message: bytes) -> Mac:
        """The keyed hash of a message. What is hashed for one purpose means nothing for another."""
        return Mac(self.version, self._digest(self.version, purpose, message))

    def macs(self, purpose: str, message: bytes) -> tuple[Mac, ...]:
        """The hashes with every version of the key, the newest first: for looking something up."""
        versions = sorted(self._roots, reverse=True)
        return tuple(Mac(version, self._digest(version, purpose, message)) for version in versions)

    def check(self, purpose: str, message: bytes, mac: Mac) -> bool:
        """Whether this is the hash of the message; in constant time."""
        if mac.version not in self._roots:
            return False
        return hmac.compare_digest(self._digest(mac.version, purpose, message), mac.digest)

    def own_key(self, version: int) -> bytes:
        """The key for the server's own secrets, of one version. Raises KeychainError."""
        if version not in self._roots:
            raise KeychainError(f"the database has no root key {version}")
        return self._derive(version, "secrets of the server")

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs the audit trail."""
        return self.signing_keys()[0]

    def signing_keys(self) -> list[Ed25519PrivateKey]:
        """Of every version, the newest first."""
        return [
            Ed25519PrivateKey.from_private_bytes(self._derive(version, "audit trail"))
            for version in sorted(self._roots, reverse=True)
        ]

    def new_data_key(self, account_id: str, version: int, now: int) -> DataKeyRow:
        """A new key for an account, wrapped."""
        key = secrets.token_bytes(KEY_BYTES)
        wrapped = self._current.wrap(key, _data_context(account_id, version))
        return DataKeyRow(account_id, version, self._current.id, wrapped, now)

    def unwrap(self, row: DataKeyRow) -> bytes | None:
        """The key of an account; None where it was destroyed. Raises KeychainError."""
        if row.wrapped is None:
            return None
        kek = self._keks.get(row.wrapped_by)
        if kek is None:
            raise KeychainError(f"a data key is wrapped by {row.wrapped_by}, which is not there")
        return kek.unwrap(row.wrapped, _data_context(row.account_id, row.version))

    def add_root(self, tables: Tables, now: int) -> int:
        """Add a new version of the root key; its version. It is in use after the next `open`."""
        version = max(row.version for row in tables.root_keys.all()) + 1
        tables.root_keys.add(_new_root(self._current, version, now))
        return version

    def _rewrap(self, database: Database, source: KeySource) -> None:
        """Wrap all keys with the newest key-encryption key, and forget the older ones then.

        May end at any point: what is done is done, and the next `open` does the rest.
        """
        if len(self._keks) == 1:
            return
        while database.submit(self._rewrap_some).result():
            pass
        source.keep_only(self._current)
        self._keks = {self._current.id: self._current}

    def _rewrap_some(self, tables: Tables) -> int:
        """How many that were; 0 at the end."""
        done = 0
        for root in tables.root_keys.all():
            if root.wrapped_by != self._current.id:
                context = _root_context(root.version)
                wrapped = self._current.wrap(self._roots[root.version], context)
                tables.root_keys.replace(
                    replace(root, wrapped_by=self._current.id, wrapped=wrapped)
                )
                done += 1
        for row in tables.data_keys.wrapped_by_others(self._current.id, BATCH):
            key = self.unwrap(row)
            assert key is not None  # those that were destroyed are not among them
            wrapped = self._current.wrap(key, _data_context(row.account_id, row.version))
            tables.data_keys.replace(replace(row, wrapped_by=self._current.id, wrapped=wrapped))
            done += 1
        return done

    def _digest(self, version: int, purpose: str, message: bytes) -> bytes:
        return hmac.digest(self._derive(version, f"mac of {purpose}"), message, "sha256")

    def _derive(self, version: int, purpose: str) -> bytes:
        known = self._derived.get((version, purpose))
        if known is None:
            info = f"llmaas {purpose}".encode()
            known = HKDF(SHA256(), KEY_BYTES, salt=None, info=info).derive(self._roots[version])
            self._derived[version, purpose] = known
        return known


def _create(database: Database, source: KeySource, clock: Clock) -> None:
    keks = source.load()
    kek = keks[0] if keks else source.create()
    row = _new_root(kek, 1, clock())
    database.submit(lambda tables: tables.root_keys.add(row)).result()


def _new_root(kek: KeyEncryptionKey, version: int, now: int) -> RootKeyRow:
    root = secrets.token_bytes(KEY_BYTES)
    return RootKeyRow(version, kek.id, kek.wrap(root, _root_context(version)), now)


def _root_context(version: int) -> bytes:
    return f"root_keys|{version}".encode()


def _data_context(account_id: str, version: int) -> bytes:
    return f"data_keys|{account_id}|{version}".encode()


def _wrong_key(wanted: str, keks: list[KeyEncryptionKey], source: KeySource) -> KeychainError:
    there = ", ".join(key.id for key in keks) or "no key"
    return KeychainError(
        f"the database is encrypted with {wanted}, and {source.name} holds {there}: "
        "bring back the right key; nothing was changed"
    )
