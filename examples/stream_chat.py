"""Print an answer as it is made, then what it took: stream_chat.py "Your question"."""

import sys

from llmaas_client import Client


def main(question: str) -> None:
    with Client() as client, client.chat.stream(question, max_tokens=200) as stream:
        for piece in stream:
            print(piece, end="", flush=True)
    result = stream.result
    print(f"\n[{result.usage.completion_tokens} tokens, ended by {result.finish_reason}]")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "Why do leaves turn red?")
