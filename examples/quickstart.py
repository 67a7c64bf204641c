"""Classify, summarize and chat over HTTP. Start `llmaas serve` first."""

import sys

from llmaas_client import Client, LLMaaSError

LETTER = "The lamp arrived with a broken shade, and nobody answers my calls."
REPORT = (
    "The town library opens again on Monday after two years of repairs. "
    "The roof had leaked since a storm tore off part of it, and rain had ruined many books. "
    "The roof is new now, and the reading room has twice as many seats as before. "
    "Most of the money came from the town; three hundred people gave the rest."
)
QUESTION = "Why do people read books? Answer in one sentence."


def main() -> None:
    with Client() as client:
        print(f"\nClassify: {LETTER}", flush=True)
        answer = client.classify(LETTER, labels=["complaint", "praise", "question"])
        for label, score in answer.scores.items():
            print(f"  {score:.2f}  {label}")
        print(f"  [{answer.model}, {answer.timing.total_ms:.0f} ms]")

        print(f"\nSummarize {len(REPORT.split())} words in 30 at most", flush=True)
        summary = client.summarize(REPORT, max_words=30)
        print(f"  {summary.summary}\n  [{summary.model}, {summary.timing.total_ms:.0f} ms]")

        print(f"\nChat: {QUESTION}\n  ", end="", flush=True)
        with client.chat.stream(QUESTION, max_tokens=60, temperature=0) as stream:
            for piece in stream:
                print(piece, end="", flush=True)
        print(f"\n  [{stream.result.model}, {stream.result.timing.total_ms:.0f} ms]")


if __name__ == "__main__":
    try:
        main()
    except (LLMaaSError, KeyboardInterrupt) as error:
        sys.exit(f"error: {str(error) or 'interrupted'}")
