"""Commands that Python answers, and the schema of all commands."""
