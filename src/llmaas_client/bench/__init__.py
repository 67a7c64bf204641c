"""A load generator for servers that speak OpenAI's chat completions or llmaas's tasks.

    load      when requests are sent: by clients in a loop, or at a rate
    prompts   what they say
    dialects  how a server is asked, and what its answers tell
    target    which server, which model
    exchange  one request and what was seen of it: a `Sample`
    session   a server, warmed up, and the loads on it: a `Level` each
    summary   samples as figures
    table, plot  figures for people

A load generator is a client: it needs no more of a server than its address.
"""
