"""Models on this machine: a folder as transformers saves it, or a GGUF file.

They are copied. A reference would break when its target moves, and one name would no longer be one
set of bytes when its target changes.
"""

from __future__ import annotations

from pathlib import Path

from llmaas_server.errors import Problem
from llmaas_server.models import files
from llmaas_server.models.progress import Progress, watch_folder

GGUF = ".gguf"


def looks_like_path(text: str) -> bool:
    """Whether a pull means something on this machine: it is there, or can be nothing else."""
    return text.startswith(("/", "./", "../", "~")) or Path(text).exists()


def resolve(text: str) -> Path:
    """Raises Problem `model_not_found` where nothing is there."""
    path = Path(text).expanduser().absolute()
    if not path.exists():
        raise Problem(
            "model_not_found",
            f"there is no file or folder {path}",
            hint="Check the path; `llmaas models list --all` has what can be pulled by name.",
            param="model",
        )
    return path


def copy_folder(source: Path, target: Path, progress: Progress) -> None:
    """Copy the files that belong to the model. Raises Problem where they make none."""
    chosen = files.choose(files.relative_files(source), str(source))
    total = sum((source / name).stat().st_size for name in chosen)
    with watch_folder(target, "copy", total, progress):
        for name in chosen:
            with (source / name).open("rb") as file:
                files.copy(file, target / name)
