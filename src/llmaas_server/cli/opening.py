"""Opens what commands on the server's own machine need, and ends them well where that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import fail, wrong_usage

if TYPE_CHECKING:
    from llmaas_server.gateway.anchor import AnchorFile
    from llmaas_server.gateway.kek import KeySource
    from llmaas_server.settings import Settings
    from llmaas_server.storage.database import Database
    from llmaas_server.storage.reader import Reader

ConfigOption = Annotated[Path | None, typer.Option("--config", help="The settings file.")]
HomeOption = Annotated[Path | None, typer.Option("--home", help="The folder of the server.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

BROKEN = 1
CANNOT = 2


def settings_of(config: Path | None, home: Path | None = None) -> Settings:
    return settings_from({"config": config, "home": home})


def settings_from(flags: Mapping[str, object]) -> Settings:
    """Ends the command where they cannot be used."""
    from llmaas_server.settings import SettingsError, load_settings

    try:
        return load_settings(flags)
    except SettingsError as error:
        wrong_usage(str(error))


def url_of(settings: Settings) -> str:
    """Of the database."""
    from llmaas_server.storage import database

    return database.url_of(settings)


def source_of(settings: Settings) -> KeySource:
    from llmaas_server.gateway import keychain
    from llmaas_server.gateway.kek import KeychainError

    try:
        return keychain.source_of(settings)
    except KeychainError as error:
        wrong_usage(str(error))


def heads_of(settings: Settings) -> AnchorFile:
    from llmaas_server.gateway.anchor import AnchorFile, anchor_path

    return AnchorFile(anchor_path(settings.home, settings.audit_anchor))


@contextmanager
def reading(settings: Settings) -> Iterator[Reader]:
    """The database, beside a server that may be running."""
    from llmaas_server.storage.reader import Reader

    with ending_well():
        reader = Reader.open(url_of(settings))
        try:
            yield reader
        finally:
            reader.close()


@contextmanager
def owning(settings: Settings) -> Iterator[Database]:
    """The database, which no server may have in the meantime."""
    from llmaas_server.storage.database import Database

    with ending_well():
        database = Database.open(url_of(settings))
        try:
            yield database
        finally:
            database.close()


@contextmanager
def ending_well() -> Iterator[None]:
    """Errors of storage and keys are one line, and exit code CANNOT."""
    import logging

    from llmaas_server.errors import Problem
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.gateway.restoring import BrokenTrail
    from llmaas_server.storage.failures import StorageError

    # What goes wrong is said once, below.
    logging.getLogger("llmaas_server").addHandler(logging.NullHandler())
    try:
        yield
    except (StorageError, KeychainError, BrokenTrail, OSError) as error:
        fail(str(error), code=CANNOT)
    except Problem as problem:
        fail(problem.message, problem.hint, code=CANNOT)
