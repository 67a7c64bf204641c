"""What the server keeps: its database, and the key that opens it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llmaas_client.running import address_in
from llmaas_server.cli.opening import url_of

from .finding import Finding, word

if TYPE_CHECKING:
    from llmaas_server.settings import Settings
    from llmaas_server.storage.reader import Reader


def database(settings: Settings) -> Iterator[Finding]:
    """Whether it can be read, is whole, and of this version."""
    from llmaas_server.storage import failures
    from llmaas_server.storage.reader import Reader

    try:
        reader = Reader.open(url_of(settings))
    except failures.NoDatabase:
        yield Finding("database", "ok", "none yet: it will be made by `llmaas serve`")
        return
    except failures.OlderSchema as error:
        found = f"{error}; it is brought up to date then"
        yield Finding("database", "weak", found, "llmaas backup FILE, then llmaas serve")
        return
    except failures.StorageError as error:
        yield Finding("database", "wrong", str(error), _remedy(error, settings))
        return
    try:
        yield _inside(reader, settings)
        yield from _key(reader, settings)
    finally:
        reader.close()


def _inside(reader: Reader, settings: Settings) -> Finding:
    name = reader.name
    if (flaw := reader.flaw()) is not None:
        found = f"{name} is damaged: {flaw}"
        return Finding("database", "wrong", found, "stop the server, then llmaas restore BACKUP")
    owner = reader.owner()
    if owner is not None and address_in(settings.home) is None:
        found = f"{name} is in use by process {owner}, and no server says that it runs"
        return Finding("database", "weak", found, f"see what it is: ps -fp {owner}")
    return Finding("database", "ok", f"{name}, whole")


def _key(reader: Reader, settings: Settings) -> Iterator[Finding]:
    """Whether the key-encryption key is there and fits."""
    from llmaas_server.gateway.kek import FILE_NAME, FOLDER, KeychainError
    from llmaas_server.gateway.keychain import Keychain, source_of

    if not reader.look(lambda tables: tables.root_keys.all()):
        yield Finding("encryption key", "ok", "none yet: the server was never started")
        return
    path = settings.home / FOLDER / FILE_NAME
    try:
        source = source_of(settings)
        keychain = Keychain.load(reader, source)
    except KeychainError as error:
        if settings.encryption_key is not None:
            remedy = "set LLMAAS_ENCRYPTION_KEY to the key that it was"
        elif settings.encryption_key_command is not None:
            remedy = "run the command of encryption_key_command by hand"
        elif path.exists() and path.stat().st_mode & 0o077:
            remedy = f"chmod 600 {word(path)}, then llmaas keychain rotate"
        else:
            remedy = f"bring it back from your backup: install -m 600 COPY {word(path)}"
        yield Finding("encryption key", "wrong", str(error), remedy)
    else:
        yield Finding("encryption key", "ok", f"{keychain.id}, from {source.name}")


def _remedy(error: Exception, settings: Settings) -> str:
    from llmaas_server.storage import failures

    match error:
        case failures.NewerSchema():
            return "pip install --upgrade 'llmaas[server]'"
        case failures.NoDriver():
            return "pip install 'llmaas[server,postgres]'"
    if settings.database_url is None or "sqlite" in settings.database_url.get_secret_value():
        if "locked" in str(error):
            return f"end the program that holds it: fuser -v {word(settings.home)}/*.db"
        return "stop the server, then llmaas restore BACKUP"
    return "see that it runs and lets you in: psql with the address in database_url"
