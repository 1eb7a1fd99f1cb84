"""Tests of the sandbox: its header, its parts in C, its protocol, modules in servers."""
