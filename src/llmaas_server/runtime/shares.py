"""Fair shares between tenants: how much each was served, and who is ahead. No torch here.

A virtual token counter (Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024): a
token of a prompt counts 1, a token of an answer 2. A tenant that comes, or comes back, starts level
with the least served of those that are there, so that idling saves up nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

PROMPT_TOKEN = 1
ANSWER_TOKEN = 2

LEAD = 64
"""How far a tenant may be ahead of the least served one before its sequences pause."""


class Shares:
    """What the tenants that are there were served, in counted tokens."""

    def __init__(self) -> None:
        self._served: dict[str, int] = {}

    def note(self, present: Iterable[str]) -> None:
        """Who is there now: others are forgotten."""
        tenants = set(present)
        stayed = {tenant: n for tenant, n in self._served.items() if tenant in tenants}
        level = min(stayed.values(), default=0)
        self._served = {**dict.fromkeys(tenants, level), **stayed}

    def served(self, tenant: str) -> int:
        return self._served[tenant]

    def ahead(self, running: Iterable[str]) -> set[str]:
        """Those of `running` that have had so much more than another that they pause."""
        tenants = set(running)
        least = min((self._served[tenant] for tenant in tenants), default=0)
        return {tenant for tenant in tenants if self._served[tenant] > least + LEAD}

    def charge_prompt(self, tenant: str, tokens: int) -> None:
        """Note that a step computes so many tokens of a prompt."""
        self._served[tenant] += tokens * PROMPT_TOKEN

    def charge_answer(self, tenant: str) -> None:
        """Note that a step computes the next token of an answer."""
        self._served[tenant] += ANSWER_TOKEN
