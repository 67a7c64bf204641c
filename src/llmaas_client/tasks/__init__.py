"""The tasks as callable objects: `client.chat(…)`, `client.chat.stream(…)`. One file each.

They are the same objects for both clients. Only what they are given differs: something that runs a
call and gives its result (`Client`) or something that can be awaited for it (`AsyncClient`).
"""
