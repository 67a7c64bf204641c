"""`llmaas tls`: certificates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .failure import fail, wrong_usage

app = typer.Typer(help="Certificates of the server.", no_args_is_help=True, rich_markup_mode=None)

FOLDER = "tls"
"""In the server's home."""


@app.callback()
def tls() -> None:
    """Certificates of the server."""


@app.command("dev-cert")
def dev_cert(
    name: Annotated[
        list[str] | None,
        typer.Option(help="A further host name or address of the server; may be repeated."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to write it; by default `tls` in the home.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=825, help="For how long it is good.")] = 365,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
) -> None:
    """Make a certificate to try things out: for localhost, 127.0.0.1, ::1 and further names.

    Writes ca.pem, cert.pem and key.pem (mode 0600), and prints how the server and its clients use
    them. The authority in ca.pem signs this one certificate only: its key is forgotten at once.
    """
    from llmaas_server.edge.certificates import LOCAL_NAMES, make
    from llmaas_server.settings import SettingsError, load_settings

    try:
        settings = load_settings({"config": config})
    except SettingsError as error:
        wrong_usage(str(error))
    folder = (folder or settings.home / FOLDER).expanduser().absolute()
    try:
        made = make(list(dict.fromkeys([*LOCAL_NAMES, *(name or [])])), days)
    except ValueError as error:
        wrong_usage(f"no certificate can have these names: {error}")
    files = {"ca.pem": made.authority, "cert.pem": made.certificate, "key.pem": made.key}
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, content in files.items():
            _write(folder / file, content)
    except OSError as error:
        fail(f"cannot write to {folder}: {error.strerror}", "choose another with --folder")
    typer.echo(f"llmaas serve --tls-cert {folder / 'cert.pem'} --tls-key {folder / 'key.pem'}")
    typer.echo("Clients must be told whom to trust:")
    typer.echo(f"export LLMAAS_BASE_URL=https://127.0.0.1:{settings.port}")
    typer.echo(f"export LLMAAS_CA_BUNDLE={folder / 'ca.pem'}")


def _write(path: Path, content: bytes) -> None:
    """Its owner's alone from the first byte on; never half of it at that name."""
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600, exist_ok=False)
    beside.write_bytes(content)
    beside.replace(path)
