"""The key-encryption key: kept outside the database, encrypts the keys that lie in it.

There may be several: the first one encrypts, the others only decrypt what is older. Where they
come from is a `KeySource`: a file in `home`, the text of a setting, or what a command prints.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import shlex
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llmaas_server.storage.disk import sync

FOLDER = "secrets"
FILE_NAME = "key-encryption-key"
KEY_BYTES = 32
NONCE_BYTES = 12
COMMAND_SECONDS = 30.0


class KeychainError(Exception):
    """The keys do not fit, or cannot be had. Nothing was changed; the text says what to do."""


class KeyEncryptionKey:
    """Wraps other keys, with AES-256-GCM. `context` says which key it is that is wrapped."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)
        self.id = "kek_" + hashlib.sha256(b"llmaas key-encryption key\0" + key).hexdigest()[:16]

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(self._key).decode()

    def wrap(self, key: bytes, context: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises KeychainError where it was not this key, or not this context."""
        try:
            return self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context)
        except (InvalidTag, ValueError) as error:
            raise KeychainError(
                f"a key in the database cannot be decrypted with {self.id}: it was damaged or "
                "changed; restore a backup"
            ) from error


class KeySource(Protocol):
    """Where key-encryption keys come from."""

    name: str
    """For people; without secrets."""

    def load(self) -> list[KeyEncryptionKey]:
        """The newest first; empty where there is none yet. Raises KeychainError."""

    def create(self) -> KeyEncryptionKey:
        """Make the next key and keep it, as the newest. Raises KeychainError."""

    def keep_only(self, key: KeyEncryptionKey) -> None:
        """Forget the others: nothing needs them any more. No effect where that is not ours."""


def new_key() -> KeyEncryptionKey:
    return KeyEncryptionKey(secrets.token_bytes(KEY_BYTES))


class KeyFile:
    """Keys in a file that its owner alone can read, one a line."""

    def __init__(self, home: Path) -> None:
        self._path = home / FOLDER / FILE_NAME
        self.name = str(self._path)

    def load(self) -> list[KeyEncryptionKey]:
        try:
            content = self._path.read_text("ascii")
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise KeychainError(f"{self.name} cannot be read: {error}") from error
        if mode & 0o077:
            raise KeychainError(
                f"{self.name} can be read by others (mode {mode:04o}): chmod 600 it, and consider "
                "its key known"
            )
        return parse(content, self.name)

    def create(self) -> KeyEncryptionKey:
        key = new_key()
        self._write([key, *self.load()])
        return key

    def keep_only(self, key: KeyEncryptionKey) -> None:
        self._write([key])

    def _write(self, keys: Sequence[KeyEncryptionKey]) -> None:
        folder = self._path.parent
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        fresh = folder / f"{FILE_NAME}.{secrets.token_hex(4)}"
        try:
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as out:
                out.writelines(f"{key.text}\n" for key in keys)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
            sync(folder)
        except OSError as error:
            raise KeychainError(f"{self.name} cannot be written: {error}") from error
        finally:
            fresh.unlink(missing_ok=True)


class KeyText:
    """Keys from a setting: the newest first, with spaces or commas between them."""

    def __init__(self, text: str, name: str = "encryption_key") -> None:
        self._text = text
        self.name = f"the setting {name}"

    def load(self) -> list[KeyEncryptionKey]:
        return parse(self._text, self.name)

    def create(self) -> KeyEncryptionKey:
        raise _not_ours(self.name)

    def keep_only(self, key: KeyEncryptionKey) -> None:
        """Nothing: whoever set it takes the older keys away."""


class KeyCommand:
    """Keys that a command prints, as from a safe; in the form of `KeyText`."""

    def __init__(self, command: str) -> None:
        self._command = command
        self.name = "the command of the setting encryption_key_command"

    def load(self) -> list[KeyEncryptionKey]:
        try:
            done = subprocess.run(
                shlex.split(self._command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                timeout=COMMAND_SECONDS,
                check=True,
            )
            printed = done.stdout.decode("ascii")
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            # Of the error only its kind: its text may hold what was printed.
            raise KeychainError(
                f"{self.name} failed ({type(error).__name__}): run it by hand to see why"
            ) from None
        return parse(printed, self.name)

    def create(self) -> KeyEncryptionKey:
        raise _not_ours(self.name)

    def keep_only(self, key: KeyEncryptionKey) -> None:
        """Nothing: whoever keeps the safe takes the older keys out."""


def parse(text: str, name: str) -> list[KeyEncryptionKey]:
    """Keys as they are written: 32 bytes in base64. Raises KeychainError."""
    keys = []
    for word in text.replace(",", " ").split():
        try:
            raw = base64.b64decode(word.translate(_URL_SAFE), validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != KEY_BYTES:
            raise KeychainError(
                f"{name} does not hold a key of {KEY_BYTES} bytes in base64: "
                "`llmaas keychain new` prints one"
            )
        keys.append(KeyEncryptionKey(raw))
    if not keys:
        raise KeychainError(f"{name} holds no key: `llmaas keychain new` prints one")
    return keys


def _not_ours(name: str) -> KeychainError:
    return KeychainError(
        f"the key comes from {name}, where llmaas cannot put one: make one with "
        "`llmaas keychain new`, and put it in front of the one that is there"
    )


_URL_SAFE = str.maketrans("-_", "+/")
