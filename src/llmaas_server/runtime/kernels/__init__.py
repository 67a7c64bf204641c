"""Kernels for decoders and encoders on a CPU: C++ built once on the machine that runs it.

`build` compiles the sources into the cache, `library` calls what it made, `packing` lays weights
out for it. Without a compiler everything runs on torch alone.
"""
