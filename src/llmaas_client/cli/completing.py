"""What a shell completes: the names of models on this machine, without a server."""

from __future__ import annotations

import json

from llmaas_client import config

MANIFEST = "llmaas.json"
"""In the folder of each model; written by the server's store."""


def model_names() -> list[str]:
    """Of the models in the cache; none where there is no cache, or it cannot be read."""
    names: list[str] = []
    for file in sorted((config.cache() / "models").glob(f"[!.]*/{MANIFEST}")):
        try:
            names.append(str(json.loads(file.read_bytes())["name"]))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # whoever asks a shell for names is not told of damaged files
    return names
