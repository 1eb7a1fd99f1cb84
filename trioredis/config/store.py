"""The configuration of one server: its values, CONFIG GET, CONFIG SET and CONFIG REWRITE."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, final

from trioredis import glob
from trioredis.config.directives import DIRECTIVES, NAMES
from trioredis.config.typed import TypedView
from trioredis.config.values import BadValueError, parse, show, split_set_value, to_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trioredis.config.directive import Directive, Value
    from trioredis.config.parser import Line

    Callback: TypeAlias = Callable[[], None]

_LOADING: Final = "LOADING Redis is loading the dataset in memory"


class ConfigApplyError(Exception):
    """Raised by a callback of :meth:`Config.on_change`: the server cannot do as the value says."""


class ConfigSetError(Exception):
    """CONFIG SET was refused and nothing has changed; the text is the whole error reply.

    ``unrestored`` has the reasons of callbacks that failed again with the old values.
    """

    def __init__(self, message: str, unrestored: tuple[str, ...] = ()) -> None:
        """Store the reply."""
        super().__init__(message)
        self.message = message
        self.unrestored = unrestored


class ConfigRewriteError(Exception):
    """CONFIG REWRITE failed and the file is as it was; the text is the whole error reply."""


@dataclass(frozen=True, slots=True)
class _Hook:
    """A callback and the directives it listens to."""

    names: frozenset[str]
    callback: Callback


@dataclass(frozen=True, slots=True)
class _Change:
    """One pair of CONFIG SET."""

    name: str
    directive: Directive
    text: str


@final
class Config(TypedView):
    """All values, and what a file says besides values.

    ``path`` is the absolute path of the file the server was started with, or empty. ``lines`` has
    the lines of ``loadmodule``, ``module-sandbox-policy``, ``rename-command`` and ``user``, by name;
    ``module_settings`` the values for directives with a dot, which belong to modules. ``included``
    names the directives that an included file has set, ``given`` counts the directives in all files
    and on the command line.
    """

    __slots__ = ("_hooks", "_values", "given", "included", "lines", "module_settings", "path")

    def __init__(self, *, directory: str | None = None) -> None:
        """Start with the defaults; that of ``dir`` is ``directory`` or the current one."""
        self.path = ""
        self.lines: dict[str, list[Line]] = {
            name: [] for name in ("loadmodule", "module-sandbox-policy", "rename-command", "user")
        }
        self.module_settings: dict[str, str] = {}
        self.included: set[str] = set()
        self.given = 0
        self._values: dict[str, Value] = {name: row.default for name, row in DIRECTIVES.items()}
        self._values["dir"] = os.path.realpath(directory or os.getcwd())
        self._hooks: list[_Hook] = []

    def __getitem__(self, name: str) -> Value:
        """Return a value, in the form its kind has in :mod:`trioredis.config.values`.

        Raises:
            KeyError: there is no such directive.
        """
        return self._values[NAMES[name].name]

    def __eq__(self, other: object) -> bool:
        """Two configurations are equal when all their values are."""
        return isinstance(other, Config) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def assign(self, name: str, *words: str, replace: bool = True) -> None:
        """Set a value before the server runs: immutable directives too, and without callbacks.

        Args:
            name: name or alias, in any case.
            words: what would follow the name in a file.
            replace: False to add to the pairs of ``save`` instead of replacing them.

        Raises:
            KeyError: there is no such directive.
            BadValueError: it cannot have that value.
        """
        directive = NAMES[name.lower()]
        current = self._values[directive.name]
        value = parse(directive, words, current)
        if not replace and isinstance(current, tuple) and isinstance(value, tuple) and value:
            value = (*current, *value)
        self._values[directive.name] = value

    def get(self, patterns: Iterable[str]) -> dict[str, str]:
        """Answer CONFIG GET: names, as asked for or as they match, and their values.

        A plain name is answered in the spelling it was asked for, hidden directives included; a
        pattern matches all others, aliases as well. No name is answered twice.
        """
        found: dict[str, str] = {}
        seen: set[str] = set()
        for pattern in patterns:
            raw = to_bytes(pattern)
            if not glob.has_magic(raw):
                names = [pattern] if pattern.lower() in NAMES else []
            else:
                names = [
                    name
                    for name, row in NAMES.items()
                    if not row.hidden and glob.matches(raw, name.encode(), ignore_case=True)
                ]
            for name in names:
                if name.lower() not in seen:
                    seen.add(name.lower())
                    row = NAMES[name.lower()]
                    found[name] = show(row, self._values[row.name])
        return found

    def on_change(self, names: str | Iterable[str], callback: Callback) -> None:
        """Call ``callback`` after CONFIG SET has changed one of ``names``.

        It is called once per CONFIG SET, when all new values are in place, and must not wait. By
        raising :exc:`ConfigApplyError` it has every value put back; it is then called again, as
        are those that ran before it, so that the server follows.

        Raises:
            KeyError: there is no such directive.
        """
        wanted = [names] if isinstance(names, str) else names
        self._hooks.append(_Hook(frozenset(NAMES[name].name for name in wanted), callback))

    def set_many(self, pairs: Sequence[tuple[str, str]], *, local: bool = True, loading: bool = False) -> None:
        """Carry out CONFIG SET: all of ``pairs`` or none.

        Args:
            pairs: name and value; the value of a directive with several words is one text.
            local: whether the client is on this machine, for protected directives.
            loading: whether data is being loaded just now.

        Raises:
            ConfigSetError: nothing was changed; the text is the error reply.
        """
        changes = self._admit(pairs, local=local, loading=loading)
        before = dict(self._values)
        for change in changes:
            words = split_set_value(change.directive, change.text)
            current = self._values[change.directive.name]
            try:
                self._values[change.directive.name] = parse(change.directive, words, current)
            except BadValueError as refused:
                self._values = before
                raise ConfigSetError(_failure(change.name, str(refused))) from refused
        self._apply(changes, before)

    def rewrite(
        self,
        path: str = "",
        *,
        users: Sequence[Sequence[str]] | None = None,
        modules: Sequence[Sequence[str]] | None = None,
        policies: Sequence[Sequence[str]] = (),
    ) -> None:
        """Carry out CONFIG REWRITE: bring the file up to date, keeping comments and order.

        The new file replaces the old in one step and has the old one's mode. Blocks for as long as
        the disk takes.

        Args:
            path: another file than the one the server was started with.
            users: words of each ``user`` line, without ``user``; None leaves such lines alone.
            modules: words of each ``loadmodule`` line, likewise.
            policies: words of ``module-sandbox-policy`` lines to be added.

        Raises:
            ConfigRewriteError: the file is unchanged; the text is the error reply.
        """
        from trioredis.config import rewrite  # rarely needed

        target = path or self.path
        if not target:
            raise ConfigRewriteError("ERR The server is running without a config file")
        more = {"user": users, "loadmodule": modules}
        try:
            old = rewrite.read_old(target)
            rewrite.replace_file(target, rewrite.rewritten(old, self, more, policies))
        except OSError as error:
            raise ConfigRewriteError(f"ERR Rewriting config file: {error.strerror}") from error

    def _admit(self, pairs: Sequence[tuple[str, str]], *, local: bool, loading: bool) -> list[_Change]:
        """Check that each pair may be set at all; the first that may not decides the error."""
        changes: list[_Change] = []
        for name, text in pairs:
            directive = NAMES.get(name.lower())
            if directive is None:
                unknown = f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'"
                raise ConfigSetError(unknown)
            if directive.immutable:
                raise ConfigSetError(_failure(name, "can't set immutable config"))
            if directive.protected and not self._may_set_protected(local=local):
                raise ConfigSetError(_failure(name, "can't set protected config"))
            if directive.deny_loading and loading:
                raise ConfigSetError(_LOADING)
            if any(change.name == name.lower() for change in changes):
                raise ConfigSetError(_failure(name, "duplicate parameter"))
            changes.append(_Change(name.lower(), directive, text))
        return changes

    def _may_set_protected(self, *, local: bool) -> bool:
        who = self.text("enable-protected-configs")
        return who == "yes" or (who == "local" and local)

    def _apply(self, changes: Sequence[_Change], before: dict[str, Value]) -> None:
        """Call the callbacks of what has changed; put everything back when one refuses."""
        called: list[Callback] = []
        refused: tuple[str, ConfigApplyError] | None = None
        complete = False
        try:
            for change in changes:
                name = change.directive.name
                if self._values[name] == before[name]:
                    continue
                for hook in self._hooks:
                    if name not in hook.names or hook.callback in called:
                        continue
                    called.append(hook.callback)
                    try:
                        hook.callback()
                    except ConfigApplyError as error:
                        refused = (change.name, error)
                        raise
            complete = True
        except ConfigApplyError as error:
            if refused is None:
                raise
            self._values = before
            complete = True
            message = _failure(refused[0], str(error))
            raise ConfigSetError(message, self._call_again(called)) from error
        finally:
            if not complete:  # a callback broke: its own exception goes on, with the old values
                self._values = before

    def _call_again(self, callbacks: Iterable[Callback]) -> tuple[str, ...]:
        """Let the server follow the old values; return the reasons of those that cannot."""
        reasons = []
        for callback in callbacks:
            try:
                callback()
            except ConfigApplyError as error:
                reasons.append(str(error))
        return tuple(reasons)


def _failure(name: str, reason: str) -> str:
    because = f" - {reason}" if reason else ""
    return f"ERR CONFIG SET failed (possibly related to argument '{name}'){because}"
