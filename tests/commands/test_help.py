"""Aim: HELP names each subcommand with its arguments.

Method: the lines of two containers; all containers have one.
"""

from __future__ import annotations

from trioredis.commands import command, help
from trioredis.commands.registry import registry
from trioredis.commands.reply import SimpleString
from trioredis.commands.schema import load


def test_lines_of_a_container() -> None:
    container = load().commands["memory"]
    lines = help.help_lines(container)
    assert lines[0] == "MEMORY <subcommand> [<arg> ...]. Subcommands are:"
    assert [line for line in lines[1:] if line[0] != " "] == [
        "DOCTOR",
        "HELP",
        "MALLOC-STATS",
        "PURGE",
        "STATS",
        "USAGE key [SAMPLES count]",
    ]
    assert lines[-1] == "    " + container.subcommands["usage"].summary


def test_a_container_with_a_form_of_its_own_says_so() -> None:
    assert help.help_lines(load().commands["command"])[1:3] == [
        "(no subcommand)",
        "    Describes every command of the server in the form that client libraries read.",
    ]


def test_the_reply_is_made_of_status_lines() -> None:
    reply = help.container_help(None, [b"Object", b"HELP"])
    assert isinstance(reply, list)
    assert reply[0] == SimpleString("OBJECT <subcommand> [<arg> ...]. Subcommands are:")
    assert reply[1] == SimpleString("ENCODING key")


def test_every_help_subcommand_is_answered_here() -> None:
    for container in load().commands.values():
        if "help" in container.subcommands:
            assert registry.sync_handler(f"{container.fullname}|help") is help.container_help


def test_all_of_command_is_answered() -> None:
    for entry in load().commands["command"].walk():
        module = registry.sync_handler(entry.fullname).__module__
        assert module == (help.__name__ if entry.fullname.endswith("|help") else command.__name__)
