"""The sockets: TLS, and bounds on what a connection may send, hold and wait for."""
