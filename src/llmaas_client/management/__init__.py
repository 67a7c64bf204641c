"""What management keys do: `client.account`, `client.accounts`, `client.usage`, `client.prices`.

One file each, made as the tasks are: the same objects for both clients, which differ only in what
runs their calls. They are loaded when they are first used.
"""
