"""What management keys may do: the closed set of actions.

An action of OWN reaches the account of the key; for the operator's keys it reaches every account.
Those of OPERATOR concern the server as a whole, and no other account can have them.
"""

from __future__ import annotations

OWN = {
    "accounts:read": "See the account.",
    "accounts:write": "Rename the account.",
    "applications:read": "See applications.",
    "applications:write": "Make, change and close applications, with limits and budgets.",
    "keys:read": "See keys, without their secrets.",
    "keys:write": "Make, change, rotate and revoke keys, with limits and budgets.",
    "usage:read": "See what was used, and what it cost.",
    "audit:read": "See the audit trail.",
    "records:read": "See prompts and answers that were kept, and export the account.",
    "records:write": "Delete prompts and answers that were kept, or the account.",
}

OPERATOR = {
    "accounts:manage": "Make accounts, suspend them, set their limits and budgets.",
    "invitations:write": "Invite people, and take invitations back.",
    "workers:read": "See the processes that compute.",
    "workers:write": "Add and drain the processes that compute.",
    "models:write": "Bring and remove models.",
    "prices:write": "Set prices.",
    "metrics:read": "See the metrics of the server.",
}

ACTIONS = {**OWN, **OPERATOR}
