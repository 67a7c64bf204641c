"""Decoders on a GPU: pages of keys and values, torch's varlen kernel over them, graphs for decode,
and draws without leaving the device.

Everything but the kernel and the graphs is plain tensors, and is held by tests on a CPU.
"""
