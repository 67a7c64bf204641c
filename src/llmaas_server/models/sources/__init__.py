"""Where models come from; one file per kind of source.

Each brings the files of one model into an empty folder, checks what it can against the source's
own hashes, and says where they came from.
"""
