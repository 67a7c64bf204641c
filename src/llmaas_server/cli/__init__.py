"""The server's commands, one file per noun."""
