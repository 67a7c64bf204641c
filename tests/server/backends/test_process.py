"""What a worker's process is told before it knows of its options."""

from __future__ import annotations

from llmaas_server.backends.process import environment_of
from llmaas_server.seam.values import WorkerOptions


def test_what_torch_compiles_is_kept_in_the_cache() -> None:
    given = {"PATH": "/bin"}
    assert environment_of(WorkerOptions(), given) == given
    kept = environment_of(WorkerOptions(compiled="/cache/compiled"), given)
    assert kept == {"PATH": "/bin", "TORCHINDUCTOR_CACHE_DIR": "/cache/compiled"}
