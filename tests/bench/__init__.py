"""Benchmarks: our server beside a stock redis-server on the same core, in interleaved rounds."""
