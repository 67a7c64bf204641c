"""Many inputs: `client.classify.map(texts, labels=…)`.

A `Scheduler` decides in plain data what is sent when; a sync and an async driver carry it out.
"""
