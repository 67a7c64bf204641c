"""An extractive summary of 200 pages: seconds, and the memory that the worker gains for it.

About 100,000 made-up words, through a real worker process, as `llmaas serve` runs it. The bound is
60 seconds on two cores.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from llmaas_client import Client
from llmaas_server.tasks.text import words

from .figures import Figure, Samples, in_turns, note, publish
from .options import Options, parse
from .peers import our_names, ours
from .processes import cpu_seconds, pss_bytes

NAME = "book"
PAGES = 200
WORDS_A_PAGE = 500


SAMPLE_SECONDS = 0.25


def measure(options: Options) -> list[Figure]:
    (first, *_) = our_names(options)
    return in_turns({first: options}, _summary, options.rounds, first)


def _summary(options: Options) -> Samples:
    text = book(10 if options.quick else PAGES)
    with (
        ours(options, options.quantizations[0]) as served,
        Client(served.url, served.key) as client,
    ):
        client.summarize("The model is in memory. This is not measured.")
        before, worked = _memory(served.pid), cpu_seconds(served.pid)
        with _peak(served.pid) as sizes:
            started = time.perf_counter()
            found = client.summarize(text, length="long", timeout=600)
            seconds = time.perf_counter() - started
        worked = cpu_seconds(served.pid) - worked
    note(f"{words.count(text)} words, {len(text)} characters: {seconds:.1f} s")
    if found.coverage != 1.0 or len(found.sentences) != 8:
        raise RuntimeError(f"not a summary of the whole: {found.sentences}")
    return {
        "an extractive summary, s": seconds,
        "processor time of all processes for it, s": worked,
        "memory of all processes gained meanwhile, MB of PSS": (max(sizes) - before) / 1e6,
    }


def _memory(pid: int) -> int:
    return sum(pss_bytes(pid).values())


@contextmanager
def _peak(pid: int) -> Iterator[list[int]]:
    """The memory of the process and all below it, over and over until the block ends."""
    sizes = [_memory(pid)]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(SAMPLE_SECONDS):
            sizes.append(_memory(pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield sizes
    finally:
        done.set()
        sampler.join()


# --- the book -----------------------------------------------------------------------------------


def book(pages: int, seed: int = 0) -> str:
    """Pages of sentences of ordinary words, thrown together: no two sentences are alike."""
    dice = random.Random(seed)
    return "\n\n".join(_page(dice) for _ in range(pages))


def _page(dice: random.Random) -> str:
    sentences: list[str] = []
    while sum(map(words.count, sentences)) < WORDS_A_PAGE:
        said = [
            dice.choice(_WORDS if dice.random() < 0.6 else _SMALL)
            for _ in range(dice.randrange(6, 27))
        ]
        sentences.append(f"In {dice.choice(_PLACES)} {' '.join(said)} {dice.randrange(2, 2000)}.")
    return " ".join(sentences)


_PLACES = "London Paris Rome Vienna Oslo Cairo Lima Delhi Tokyo Boston".split()  # noqa: SIM905
_SMALL = """
    the of and to in a for was on that with as by at from were which had not this
""".split()  # noqa: SIM905
_WORDS = """
    government committee report budget energy water river bridge school teacher student hospital
    doctor patient market price company worker union factory engine train station airport ship
    harbour island mountain forest farmer harvest winter summer storm flood fire police court judge
    law crime prison army war peace treaty border minister president election party vote citizen
    city village street house garden kitchen bread wine coffee sugar salt iron gold coal oil gas
    electricity computer network software data science research university professor theory
    experiment result method measure error question answer history culture language music painting
    theatre novel letter newspaper journalist editor photograph camera film actor audience ticket
    football player trainer season victory defeat record medal champion swimmer runner doctor nurse
    medicine virus vaccine disease treatment surgery heart brain memory dream sleep child mother
    father brother sister friend neighbour stranger traveller guest hotel bank money credit debt tax
    profit loss contract promise secret danger accident insurance damage repair project plan design
    building tower wall window door roof stone wood glass paper said built found raised closed
    opened carried reached offered changed slowly quickly largely recently public private local
    national foreign common strong early late large small old new open heavy
""".split()  # noqa: SIM905


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
