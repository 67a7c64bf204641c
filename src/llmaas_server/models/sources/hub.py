"""Repositories of the Hugging Face hub, through `huggingface_hub`: its token and settings count."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmaas_server.errors import Problem
from llmaas_server.models import files
from llmaas_server.models.origin import Hub
from llmaas_server.models.progress import Progress, watch_folder

_BOOKKEEPING = ".cache"  # what huggingface_hub leaves in a folder, to go on with a download


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of one commit that make a model."""

    repo: str
    commit: str
    sizes: dict[str, int]
    licence: str | None

    @property
    def bytes(self) -> int:
        return sum(self.sizes.values())


def look_up(hub: Hub, endpoint: str | None = None) -> Snapshot:
    """Ask the hub for the commit and its files.

    Raises Problem: `hub_unreachable`, `model_not_found`, or `model_broken` where the repository
    has no weights that can be used.
    """
    from huggingface_hub import HfApi

    with _clear_words(hub):
        info = HfApi(endpoint=endpoint).model_info(
            hub.repo, revision=hub.revision, files_metadata=True
        )
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
    chosen = files.choose(sizes, f"the repository {hub.repo}")
    card = info.card_data
    licence = card.get("license") if card is not None else None
    return Snapshot(
        hub.repo,
        str(info.sha),
        {name: sizes[name] for name in chosen},
        licence if isinstance(licence, str) else None,
    )


def download(
    hub: Hub, snapshot: Snapshot, work: Path, progress: Progress, endpoint: str | None = None
) -> Path:
    """Fetch the files of a snapshot; goes on where an unfinished download of it stopped."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()  # what is shown is the store's own progress
    folder = work / snapshot.commit
    for other in work.iterdir():
        if other != folder:  # another commit's
            shutil.rmtree(other)
    with _clear_words(hub), watch_folder(work, "download", snapshot.bytes, progress):
        snapshot_download(
            snapshot.repo,
            revision=snapshot.commit,
            local_dir=folder,
            allow_patterns=list(snapshot.sizes),
            endpoint=endpoint,
        )
    return folder


def move(folder: Path, snapshot: Snapshot, target: Path) -> None:
    """Move a complete download to the model's folder. Raises Problem where a file is cut short."""
    for name, size in snapshot.sizes.items():
        source = folder / name
        if not source.is_file() or source.stat().st_size != size:
            raise Problem("model_broken", f"{snapshot.repo}: {name} did not arrive whole")
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        source.rename(target / name)
    shutil.rmtree(folder / _BOOKKEEPING, ignore_errors=True)


@contextmanager
def _clear_words(hub: Hub) -> Iterator[None]:
    """Turn the errors of the hub's library into what happened and what to do next."""
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise Problem(
            "hub_unreachable",
            f"{hub.repo} is given only to accounts that have accepted its licence",
            hint=f"Accept it at https://huggingface.co/{hub.repo}, then run `hf auth login` and "
            "pull again.",
        ) from error
    except errors.RevisionNotFoundError as error:
        raise Problem(
            "model_not_found", f"{hub.repo} has no revision {hub.revision}", param="model"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise Problem(
            "model_not_found",
            f"the hub has no model {hub.repo}, or shows it only to its owners",
            hint="Check the spelling; for a private repository run `hf auth login` first.",
            param="model",
        ) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError) as error:
        raise _unreachable(hub, "the hub cannot be asked (offline)") from error
    except (errors.HTTPError, OSError) as error:  # HTTPError is the transport's own
        raise _unreachable(hub, _first_line(error)) from error


def _unreachable(hub: Hub, why: str) -> Problem:
    return Problem(
        "hub_unreachable",
        f"{hub.repo} cannot be fetched from the hub: {why}",
        hint="Check the network, the proxy and HF_HUB_OFFLINE, then pull again: it goes on where "
        "it stopped. Without a network: carry the model's folder here and run "
        f"`llmaas models import FOLDER --name {hub.repo}`.",
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
