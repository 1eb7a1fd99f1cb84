"""What is known of the module API, in one form: from the file of facts beside the project, or from sandbox/api.json."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
FACTS: Final = ROOT.parent / "shared" / "facts" / "module_api.json"
API: Final = ROOT / "sandbox" / "api.json"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a structure, dotted when it is inside another; offset and size in bytes."""

    name: str
    offset: int
    size: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and numbers of the interface. Types are without spaces, so that layout does not matter."""

    integers: dict[str, int]
    texts: dict[str, str]
    sizes: dict[str, int]
    members: dict[str, list[Member]]
    events: dict[str, tuple[int, int]]
    signatures: dict[str, str]
    callbacks: dict[str, str]
    aliases: dict[str, str]


def plain(kind: str) -> str:
    """Return a type without spaces and names of structures' tags."""
    return re.sub(r"\s+", "", kind.replace("struct RedisModuleCtx", "RedisModuleCtx"))


def type_of(parameter: str) -> str:
    """Return the type of a declared parameter."""
    if "(*" in parameter:
        return plain(re.sub(r"\(\*\w+\)", "(*)", parameter))
    return plain(re.sub(r"\w+$", "", parameter))


def signature(returns: str, types: list[str], *, variadic: bool) -> str:
    """Return one text for result and parameters."""
    return f"{plain(returns)}({','.join([*types, *(['...'] if variadic else [])])})"


def from_facts(data: dict[str, Any]) -> Facts:
    """Read the facts."""

    def sign(one: dict[str, Any]) -> str:
        return signature(
            one["return_type"],
            [plain(p["type"]) for p in one["params"]],
            variadic="variadic" in one and one["variadic"],
        )

    integers = {one["name"]: one["value"] for one in data["macros"] if one["kind"] == "integer"}
    integers |= {m["name"]: m["value"] for one in data["enums"] for m in one["members"]}
    sizes = {one["name"]: one["size"] for key in ("structs", "enums", "typedefs") for one in data[key]}
    return Facts(
        integers=integers,
        texts={one["name"]: one["value"] for one in data["macros"] if one["kind"] == "string"},
        sizes=sizes,
        members={
            one["name"]: [Member(f["name"], f["offset"], f["size"]) for f in one["fields"]] for one in data["structs"]
        },
        events={one["name"]: (one["id"], one["dataver"]) for one in data["event_constants"]},
        signatures={one["name"]: sign(one) for one in data["functions"]},
        callbacks={one["name"]: sign(one) for one in data["callback_types"]},
        aliases={
            one["name"]: one["expression"]
            for one in data["aliases_and_function_macros"]
            if one["expression"].endswith("V1")
        },
    )


def from_api(data: dict[str, Any]) -> Facts:
    """Read the project's own data file."""

    def sign(one: dict[str, Any]) -> str:
        return signature(one["returns"], [type_of(p) for p in one["params"]], variadic=one.get("variadic", False))

    items = [item for section in data["constants"] for item in section["items"]]
    integers = {name: value for name, _, kind, value in items if kind == "integer"}
    integers |= {name: value for one in data["enums"] for name, value in one["members"]}
    sizes = {one["name"]: one["size"] for one in data["structs"]} | {one["name"]: 4 for one in data["enums"]}
    functions = [one for group in data["groups"] for one in group["functions"]]
    return Facts(
        integers=integers,
        texts={name: value for name, _, kind, value in items if kind == "string"},
        sizes=sizes | {name: size for name, _, size in data["typedefs"]},
        members={one["name"]: [Member(f[2], f[0], None) for f in one["fields"]] for one in data["structs"]},
        events={name: (number, version) for name, _, number, version in data["events"]},
        signatures={f"RedisModule_{one['name']}": sign(one) for one in functions},
        callbacks={one["name"]: sign(one) for one in data["callbacks"]},
        aliases=dict(data["aliases"]),
    )


def api_facts() -> Facts:
    """Return what sandbox/api.json says."""
    return from_api(json.loads(API.read_text(encoding="utf-8")))


def known_facts() -> Facts | None:
    """Return what the file of facts says; None where it is absent."""
    return from_facts(json.loads(FACTS.read_text(encoding="utf-8"))) if FACTS.is_file() else None
