"""The model store: named models, their sources, and their files on this machine. No torch."""
