"""Aim: redismodule.h is source and binary compatible with the one that modules are written for.

Method: it is compiled as C and C++ with all warnings; a generated source asserts every number; signatures are compared
by the compiler, which takes no other type; modules made with it run in a stock redis-server (test_examples.py).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.sandbox._facts import ROOT, Facts, api_facts, known_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(ROOT / "tools"))

import gen_redismodule

HEADER: Final = ROOT / "sandbox" / "include" / "redismodule.h"
USE: Final = Path(__file__).parent / "use_header.c"
WARNINGS: Final = ("-Wall", "-Wextra", "-Wshadow", "-Wpedantic", "-Werror", "-fPIC", f"-I{HEADER.parent}")
LANGUAGES: Final = {
    "c99": ("gcc", "-x", "c", "-std=c99"),
    "c11": ("gcc", "-x", "c", "-std=c11"),
    "c++17": ("g++", "-x", "c++", "-std=c++17"),
}
FUNCTIONS: Final = 362


def compiled(language: str, source: str, *options: str) -> str:
    """Compile a source without output; return what the compiler says about it."""
    command = (*LANGUAGES[language], *WARNINGS, *options, "-fsyntax-only", "-")
    return subprocess.run(command, input=source, capture_output=True, text=True, check=False).stderr


def facts() -> Facts:
    """Return the facts to hold the header against."""
    return known_facts() or api_facts()


def assertion(condition: str, *, language: str) -> str:
    """Return a static assertion in C11 or C++."""
    word = "static_assert" if language == "c++17" else "_Static_assert"
    return f'{word}({condition}, "{condition.replace(chr(34), chr(39))}");'


def number(value: int) -> str:
    """Return an integer as C writes it."""
    return f"{value}ULL" if value > 2**31 else str(value)


def conditions(known: Facts, language: str) -> Iterator[str]:
    """Yield every condition that a number of the facts makes."""
    for name, value in known.integers.items():
        yield f"{name} == {number(value)}"
    for name, text in known.texts.items():
        yield f"sizeof({name}) == sizeof({json.dumps(text)})"
    for name, size in known.sizes.items():
        yield f"sizeof({name}) == {size}"
    for name, members in known.members.items():
        for member in members:
            yield f"offsetof({name}, {member.name}) == {member.offset}"
            if member.size is not None:
                access = (
                    f"(({name} *)0)->{member.name}" if language == "c11" else f"std::declval<{name}>().{member.name}"
                )
                yield f"sizeof({access}) == {member.size}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "option", ["", "-DREDISMODULE_EXPERIMENTAL_API", "-DREDISMODULE_CORE", "-DREDISMODULE_API=extern"]
)
def test_header_compiles_alone(language: str, option: str) -> None:
    assert compiled(language, '#include "redismodule.h"\n' * 2, *filter(None, [option])) == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_in_it_can_be_used(language: str) -> None:
    assert compiled(language, USE.read_text(encoding="utf-8")) == ""


def test_what_a_module_defines_in_cpp() -> None:
    """Both with and without a linkage of its own it has the names that the server looks for."""
    body = "{ return ctx == nullptr; }"
    source = f"""#include "redismodule.h"
int RedisModule_OnLoad(RedisModuleCtx *ctx, RedisModuleString **, int) {body}
extern "C" __attribute__((visibility("default"))) int RedisModule_OnUnload(RedisModuleCtx *ctx) {body}
static int (*const load)(RedisModuleCtx *, RedisModuleString **, int) __attribute__((unused)) = RedisModule_OnLoad;
"""
    command = (*LANGUAGES["c++17"], *WARNINGS, "-S", "-o", "-", "-")
    code = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    assert "\nRedisModule_OnLoad:" in code
    assert "\nRedisModule_OnUnload:" in code


@pytest.mark.parametrize("language", ["c11", "c++17"])
def test_numbers(language: str) -> None:
    known = facts()
    lines = ["#include <utility>" if language == "c++17" else "", '#include "redismodule.h"']
    lines += [assertion(one, language=language) for one in conditions(known, language)]
    assert len(lines) > 300
    assert compiled(language, "\n".join(lines)) == ""


def test_a_wrong_number_is_found() -> None:
    known = replace(facts(), integers={"REDISMODULE_ERR": 2}, texts={}, sizes={}, members={})
    wrong = [assertion(one, language="c11") for one in conditions(known, "c11")]
    assert "REDISMODULE_ERR == 2" in compiled("c11", "\n".join(['#include "redismodule.h"', *wrong]))


def declared(known: dict[str, str], form: str) -> str:
    """Return declarations of every function anew, in ``form``: C allows that only with the same type."""
    lines = ['#include "redismodule.h"']
    for name, text in known.items():
        returns, _, parameters = text.removesuffix(")").partition("(")
        returns, parameters = (spaced(part) for part in (returns, parameters))
        lines.append(form.format(name=name, returns=returns, parameters=parameters or "void"))
    return "\n".join(lines)


def spaced(kind: str) -> str:
    """Put the spaces between words back that types need."""
    words = r"(const|unsigned|long|struct)(?=\w)"
    return re.sub(r"long(?=(long|double))", "long ", re.sub(words, r"\1 ", kind)) if kind else kind


def test_signatures_of_functions() -> None:
    known = facts().signatures
    assert len(known) == FUNCTIONS
    assert compiled("c11", declared(known, "extern {returns} (*{name})({parameters});")) == ""


def test_types_of_callbacks() -> None:
    assert compiled("c11", declared(facts().callbacks, "typedef {returns} (*{name})({parameters});")) == ""


def test_a_wrong_signature_is_found() -> None:
    wrong = {"RedisModule_KeyType": "long(RedisModuleKey*)"}
    assert "conflicting types" in compiled("c11", declared(wrong, "extern {returns} (*{name})({parameters});"))


def test_nothing_is_missing_in_the_data_file() -> None:
    known = known_facts()
    if known is None:
        pytest.skip("the file of facts is absent: nothing to compare sandbox/api.json with")
    ours = api_facts()
    without_sizes = {name: [replace(one, size=None) for one in members] for name, members in known.members.items()}
    assert replace(known, members=without_sizes) == ours


def test_events_and_aliases(tmp_path: Path) -> None:
    known = facts()
    lines = ['#include "redismodule.h"', "#include <stdio.h>", "int main(void) {"]
    for name in known.events:
        lines.append(f'printf("{name} %d %d\\n", (int){name}.id, (int){name}.dataver);')
    lines += [f"{name} *a{i} = ({target} *)0; (void)a{i};" for i, (name, target) in enumerate(known.aliases.items())]
    lines.append("}")
    assert len(known.events) == 18
    assert run_program("\n".join(lines), tmp_path) == "".join(
        f"{name} {i} {v}\n" for name, (i, v) in known.events.items()
    )


def test_macros_with_values_that_only_a_program_sees(tmp_path: Path) -> None:
    known = facts()
    checks = [f"strcmp({name}, {json.dumps(text)}) == 0" for name, text in known.texts.items()]
    checks += [
        "REDISMODULE_HASH_DELETE == (RedisModuleString *)1",
        "REDISMODULE_POSITIVE_INFINITE > 1e308 && REDISMODULE_NEGATIVE_INFINITE < -1e308",
        "RedisModule_IsAOFClient(UINT64_MAX) && !RedisModule_IsAOFClient((uint64_t)7)",
        "!RMAPI_FUNC_SUPPORTED(RedisModule_Alloc)",
        "((RedisModuleClientInfo)REDISMODULE_CLIENTINFO_INITIALIZER_V1).version == 1",
        "REDISMODULE_COMMAND_INFO_VERSION->version == 1",
        "REDISMODULE_COMMAND_INFO_VERSION->sizeof_historyentry == 16",
        "REDISMODULE_COMMAND_INFO_VERSION->sizeof_keyspec == 56",
        "REDISMODULE_COMMAND_INFO_VERSION->sizeof_arg == 72",
    ]
    body = "".join(f'    puts(({one}) ? "yes" : {json.dumps(one)});\n' for one in checks)
    source = f'#include "redismodule.h"\n#include <string.h>\nint main(void) {{\n{body}}}\n'
    assert run_program(source, tmp_path) == "yes\n" * len(checks)


FAKE_SERVER: Final = """\
#include "redismodule.h"
#include <string.h>
static int names;
static int busy;
static int is_busy(const char *name) { return busy && strcmp(name, "fake") == 0; }
static void attributes(RedisModuleCtx *ctx, const char *name, int ver, int apiver) {
    printf("%d %s %d %d\\n", ctx != NULL, name, ver, apiver);
}
static int lookup(const char *name, void *target) {
    names++;
    if (strcmp(name, "RedisModule_SetModuleAttribs") == 0)
        *(void **)target = (void *)(uintptr_t)attributes;
    else if (strcmp(name, "RedisModule_IsModuleNameBusy") == 0)
        *(void **)target = (void *)(uintptr_t)is_busy;
    else
        return REDISMODULE_ERR;
    return REDISMODULE_OK;
}
int main(void) {
    void *words[1] = {(void *)(uintptr_t)lookup};
    printf("%d\\n", RedisModule_Init((RedisModuleCtx *)words, "fake", 3, REDISMODULE_APIVER_1));
    busy = 1;
    printf("%d\\n", RedisModule_Init((RedisModuleCtx *)words, "fake", 3, REDISMODULE_APIVER_1));
    printf("%d %d\\n", names, RedisModule_OpenKey == NULL);
}
"""


def test_init_asks_for_every_name_and_stops_at_a_busy_one(tmp_path: Path) -> None:
    asked = 2 * (FUNCTIONS - 1)  # twice, and GetApi comes from the context
    assert run_program(FAKE_SERVER, tmp_path) == f"1 fake 3 1\n0\n1\n{asked} 1\n"


def run_program(source: str, folder: Path) -> str:
    """Compile and run a program; return what it writes."""
    program = folder / "program"
    command = (*LANGUAGES["c11"], *WARNINGS, "-", "-o", program)
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return subprocess.run((program,), capture_output=True, text=True, check=True).stdout


def test_variables_of_two_files_are_one(tmp_path: Path) -> None:
    other = tmp_path / "other.c"
    other.write_text('#include "redismodule.h"\nvoid *other(void);\nvoid *other(void) { return &RedisModule_Call; }\n')
    for language in ("c11", "c++17"):
        library = tmp_path / f"{language}.so"
        command = (*LANGUAGES[language], *WARNINGS, "-shared", USE, other, "-o", library)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        exported = subprocess.run(("nm", "-D", library), capture_output=True, text=True, check=True).stdout
        names = re.findall(r" [BVC] (RedisModule_\w+)$", exported, re.MULTILINE)
        assert len(names) == len(set(names)) == FUNCTIONS


@pytest.mark.parametrize("name", gen_redismodule.PAGES)
def test_the_committed_file_is_up_to_date(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == gen_redismodule.PAGES[name](), "run tools/gen_redismodule.py"


def test_every_function_has_a_kind_and_a_status() -> None:
    api, status = gen_redismodule.load()
    every = [one for group in api["groups"] for one in group["functions"]]
    assert {one["name"] for one in every} == status.keys()
    assert {one["kind"] for one in every} == gen_redismodule.KINDS.keys()
    assert set(status.values()) <= gen_redismodule.STATUSES.keys()
