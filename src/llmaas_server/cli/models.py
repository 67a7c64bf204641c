"""`llmaas models`: the models of this machine, and those that can come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmaas_client.cli.completing import model_names
from llmaas_server.models.catalogue import Device, Entry, Task

from .failure import fail, wrong_usage
from .output import count_text, print_json, print_table, size_text

if TYPE_CHECKING:
    from llmaas_server.models.manifest import InstalledModel
    from llmaas_server.models.recommend import Choice
    from llmaas_server.models.store import Store

app = typer.Typer(
    help="Models: pull, list, show, remove.", no_args_is_help=True, rich_markup_mode=None
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _known_names() -> list[str]:
    """For the shell: of the catalogue, and those that are here."""
    from llmaas_server.models import catalogue

    return list(dict.fromkeys([*model_names(), *catalogue.load().names]))


Name = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, autocompletion=model_names)
]
KnownName = Annotated[
    str, typer.Argument(metavar="NAME", show_default=False, autocompletion=_known_names)
]
Language = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="Only models for this language, such as zh, de or multi."),
]
GIB = 1 << 30
_SERVER_SECONDS = 2.0


@app.command()
def pull(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL",
            help="A name of the catalogue, a hub id (org/model, org/model@revision), or a path.",
            show_default=False,
            autocompletion=_known_names,
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="The name of a model that comes from a path.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Bring models to this machine. What is here already is verified."""
    from .pulling import showing

    if name is not None and len(models) > 1:
        wrong_usage("--name names one model", "pull them one by one")
    pulled = []
    with _store() as store:
        for model in models:
            with showing(model) as progress:
                pulled.append(store.pull(model, name=name, progress=progress))
    _print_installed(pulled, as_json)


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A wheel of the catalogue, a GGUF file, or a folder with config.json.",
            show_default=False,
        ),
    ],
    name: Annotated[str | None, typer.Option(help="The model's name; else the file's.")] = None,
    as_json: Json = False,
) -> None:
    """Take in a model that was carried here by hand. No network is used."""
    from .pulling import showing

    with _store() as store, showing(file.name) as progress:
        model = store.import_file(file, name, progress=progress)
    _print_installed([model], as_json)


@app.command("list")
def list_(
    everything: Annotated[
        bool, typer.Option("--all", help="Also the models of the catalogue that are not here.")
    ] = False,
    task: Annotated[Task | None, typer.Option(help="Only models that can do this.")] = None,
    language: Language = None,
    as_json: Json = False,
) -> None:
    """List the models of this machine, and what computes those that its server has in memory."""
    with _store() as store:
        known = {entry.name: entry for entry in store.catalogue.model}
        here = {model.name for model in store.installed()}
        installed = [
            model
            for model in store.installed()
            if task in (None, *model.tasks) and _speaks(known.get(model.name), language)
        ]
        others = [
            entry
            for entry in store.catalogue.model
            if everything
            and entry.name not in here
            and task in (None, *entry.tasks)
            and _speaks(entry, language)
        ]
    kernels = _kernels_in_use() if installed else {}
    if as_json:
        here_json = [
            _installed_json(m) | _known_json(known.get(m.name)) | {"kernels": kernels.get(m.name)}
            for m in installed
        ]
        print_json([*here_json, *map(_entry_json, others)])
        return
    rows = [
        (
            m.name,
            "here",
            size_text(m.bytes),
            ", ".join(m.tasks),
            _languages(known.get(m.name)),
            kernels.get(m.name) or "-",
            m.licence or "-",
            str(m.source),
        )
        for m in installed
    ]
    rows += [
        (
            e.name,
            "-",
            size_text(e.download_bytes),
            ", ".join(e.tasks),
            _languages(e),
            "-",
            e.licence,
            e.purpose,
        )
        for e in others
    ]
    if not rows:
        typer.echo("no models here; `llmaas models list --all` names those that can be pulled")
        return
    header = ("model", "state", "size", "tasks", "languages", "kernels", "licence", "about")
    print_table(header, rows)


@app.command()
def show(
    name: KnownName,
    verify: Annotated[bool, typer.Option("--verify", help="Hash its files.")] = False,
    as_json: Json = False,
) -> None:
    """Say all that is known of a model: what it is for, its languages, what it cannot do."""
    from llmaas_server.errors import Problem

    with _store() as store:
        entry = store.catalogue.find(name)
        try:
            model = store.verify(name) if verify else store.find(name)
        except Problem as problem:
            if verify or entry is None or problem.code != "model_not_pulled":
                raise
            facts = _entry_json(entry)
        else:
            facts = _installed_json(model) | _known_json(entry)
            facts |= {"files": {file: record.sha256 for file, record in model.files.items()}}
            facts |= {"verified": True} if verify else {}
    if as_json:
        print_json(facts)
        return
    print_table(("field", "value"), [(key, _text(value)) for key, value in facts.items()])


@app.command()
def rm(name: Name, as_json: Json = False) -> None:
    """Delete a model's files from this machine."""
    with _store() as store:
        store.remove(name)
    if as_json:
        print_json({"removed": name})
        return
    typer.echo(f"removed {name}")


@app.command()
def recommend(
    task: Annotated[Task | None, typer.Option(help="What the model is for.")] = None,
    memory: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="GIB", help="Memory for it; by default this machine's."),
    ] = None,
    device: Annotated[Device, typer.Option(help="Where it runs.")] = "cpu",
    language: Language = None,
    as_json: Json = False,
) -> None:
    """Rank the models of the catalogue by how well they fit.

    Memory is that of the weights and a quarter more; on a CPU in float32, or in bfloat16 where
    only that fits.
    """
    from llmaas_server.models import machine
    from llmaas_server.models.recommend import recommend as ranked

    found = machine.gpu_memory_bytes() if device == "cuda" else machine.cpu_memory_bytes()
    available = int(memory * GIB) if memory is not None else found
    if available is None:
        wrong_usage("the memory of the GPU is not known", "give it with --memory GIB")
    with _store() as store:
        entries = [entry for entry in store.catalogue.model if _speaks(entry, language)]
        choices = ranked(entries, task, available, device)
    if as_json:
        print_json([_choice_json(choice) for choice in choices])
        return
    rows = [
        (
            choice.entry.name,
            _verdict(choice),
            count_text(choice.entry.parameters),
            f"{size_text(choice.memory_bytes)} ({choice.dtype})",
            _languages(choice.entry),
            choice.entry.licence,
            choice.entry.purpose,
        )
        for choice in choices
    ]
    header = ("model", "fits", "parameters", "memory", "languages", "licence", "for")
    print_table(header, rows)


def _kernels_in_use() -> dict[str, str | None]:
    """By model, as the server on this machine says, where one answers at once."""
    from llmaas_client import Client, LLMaaSError
    from llmaas_client.config import resolve

    try:
        if not resolve(None, None).address.is_local:
            return {}
        with Client(timeout=_SERVER_SECONDS, max_retries=0) as client:
            return {model.id: model.kernels for model in client.models()}
    except LLMaaSError:
        return {}


@contextmanager
def _store() -> Iterator[Store]:
    """The store of the settings' cache; what goes wrong with it ends the command in one line."""
    from llmaas_server.errors import Problem
    from llmaas_server.models.store import Store
    from llmaas_server.settings import SettingsError, load_settings

    try:
        yield Store(load_settings().cache)
    except SettingsError as error:
        wrong_usage(str(error))
    except Problem as problem:
        fail(problem.message, problem.hint)
    except OSError as error:
        fail(f"{error.strerror or error}: {error.filename or 'the cache'}")


def _print_installed(models: list[InstalledModel], as_json: bool) -> None:
    if as_json:
        print_json([_installed_json(model) for model in models])
        return
    from .pulling import pulled

    for model in models:
        typer.echo(pulled(model))


def _installed_json(model: InstalledModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "state": "here",
        "kind": model.kind,
        "tasks": list(model.tasks),
        "context": model.context,
        "bytes": model.bytes,
        "licence": model.licence,
        "created": model.created,
        "source": str(model.source),
        "path": str(model.path),
    }


def _known_json(entry: Entry | None) -> dict[str, Any]:
    """What the catalogue says of a model that is here, and its files do not."""
    if entry is None:
        return {}
    told = {"purpose": entry.purpose, "languages": list(entry.languages)}
    return told | ({"limits": entry.limits} if entry.limits else {})


def _speaks(entry: Entry | None, language: str | None) -> bool:
    return language is None or (entry is not None and entry.speaks(language))


def _languages(entry: Entry | None) -> str:
    return "-" if entry is None else " ".join(entry.languages[:3])


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "state": "not pulled",
        "purpose": entry.purpose,
        "kind": entry.kind,
        "tasks": list(entry.tasks),
        "context": entry.context,
        "parameters": entry.parameters,
        "bytes": entry.download_bytes,
        "languages": list(entry.languages),
        "limits": entry.limits or None,
        "licence": entry.licence,
        "source": str(entry.source),
        "pinned": entry.pinned,
        "gated": entry.gated,
    }


def _choice_json(choice: Choice) -> dict[str, Any]:
    return {
        **_entry_json(choice.entry),
        "fits": choice.fits,
        "slow": choice.slow,
        "dtype": choice.dtype,
        "memory_bytes": choice.memory_bytes,
    }


def _verdict(choice: Choice) -> str:
    return ("slow" if choice.slow else "yes") if choice.fits else "no"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, dict):
        return ", ".join(value)
    return "-" if value is None else str(value)
