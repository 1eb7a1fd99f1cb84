"""Replay of recorded sessions: what a reference server answered, step by step, is what ours must answer."""
