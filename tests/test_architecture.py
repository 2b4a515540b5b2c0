"""The rules of the house that no other tool checks. Each says what is wrong and what is right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SERVER_APPS = ("accounts", "chatsite", "friends", "messaging", "rooms")
PYTHON_FOLDERS = (*SERVER_APPS, "benchmarks", "bin", "crypto_client", "deploy", "tests")
TYPESCRIPT_FOLDERS = ("frontend/src", "frontend/tests", "frontend/plugins")
NOT_WRITTEN_BY_HAND = {"migrations", "node_modules", "dist", "__pycache__"}

LONGEST_FILE = 400
LONGEST_FUNCTION = 40

# Modules without a twin, each for a reason of its language.
ONLY_IN_PYTHON = {
    "__init__",
    "__main__",
    "cli",  # the browser has screens instead
    "restoring",  # the browser's steps lie between its store's transactions: engine/
    "slips",  # part of recovery_secret.ts, where it fits
}
ONLY_IN_TYPESCRIPT = {
    "index",
    "recovery_secret",  # part of recovery.py, where it fits
    "sources",  # part of commit.py and epoch.py, where it fits
    "signer",  # the browser keeps signing keys where no script can read them
    "strict_json",  # JSON.parse cannot be told to refuse; Python's json can
}


def written(folders: Iterable[str], *suffixes: str) -> list[Path]:
    """List files that people write; a folder that exists must have some, or a rule is empty."""
    found = []
    for folder in folders:
        here = [path for path in (ROOT / folder).rglob("*") if path.suffix in suffixes]
        assert here or not (ROOT / folder).is_dir(), f"no {suffixes} file found in {folder}"
        found += [path for path in here if NOT_WRITTEN_BY_HAND.isdisjoint(path.parts)]
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines_with(pattern: str, paths: Iterable[Path]) -> list[str]:
    """List "file:line: text" for every line that matches."""
    expression = re.compile(pattern)
    return [
        f"{name(path)}:{number}: {line.strip()}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if expression.search(line)
    ]


def refuse(found: list[str], bad: str, good: str) -> None:
    """Fail with the places found, one bad line and the good line to write instead."""
    if found:
        pytest.fail("\n".join([f"bad:  {bad}", f"good: {good}", *found]), pytrace=False)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_server_has_no_word_for_what_it_cannot_read() -> None:
    found = lines_with(r"(?i)plain_?text", written(SERVER_APPS, ".py", ".html", ".txt"))
    refuse(found, bad="store.append(plaintext)", good="store.append(envelope)")


def test_rooms_are_fanned_out_by_the_hub_and_not_by_group_send() -> None:
    # One person's control messages, and the question whether the layer answers at all.
    allowed = re.compile(r"accounts/realtime\.py|messaging/fanout[^/]*(/.*)?|chatsite/doctor\.py")
    server = [path for path in written(SERVER_APPS, ".py") if not allowed.fullmatch(name(path))]
    refuse(
        lines_with(r"group_send", server),
        bad='channel_layer.group_send(f"room.{room.id}", frame)   # slow, and drops when full',
        good="await fanout.message_live(room.id, frame)",
    )


def test_the_browser_never_makes_elements_from_strings() -> None:
    found = lines_with(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|unsafeHTML)\b|document\.write\b",
        written(["frontend/src"], ".ts"),
    )
    refuse(found, bad="bubble.innerHTML = text", good="render(html`<p>${text}</p>`, bubble)")


def test_no_file_outgrows_its_reader() -> None:
    paths = written(PYTHON_FOLDERS, ".py") + written(TYPESCRIPT_FOLDERS, ".ts")
    sizes = {name(path): len(path.read_text().splitlines()) for path in paths}
    refuse(
        [f"{path}: {size} lines" for path, size in sizes.items() if size > LONGEST_FILE],
        bad=f"a file of more than {LONGEST_FILE} lines",
        good="two files, each named after the one thing it knows",
    )


def test_no_python_function_outgrows_a_screen() -> None:
    found = [
        f"{name(path)}:{function.lineno}: {function.name} has {size} lines"
        for path in written(PYTHON_FOLDERS, ".py")
        for function in functions(path)
        if (size := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    ]
    refuse(
        found,
        bad=f"a function of more than {LONGEST_FUNCTION} lines",
        good="steps with names, each a function",
    )


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"base", "common", "helper", "helpers", "util", "utils"}
    paths = written(PYTHON_FOLDERS, ".py") + written(TYPESCRIPT_FOLDERS, ".ts")
    found = [name(path) for path in paths if {path.stem, path.parent.name} & nameless]
    found.remove("chatsite/mysql/base.py")  # Django looks for a database backend under this name
    refuse(found, bad="rooms/utils.py", good="rooms/access.py, named after what is in it")


def test_nothing_happens_behind_a_save() -> None:
    paths = written(SERVER_APPS, ".py")
    models = [path for path in paths if "models" in {path.stem, path.parent.name}]
    refuse(
        lines_with(r"\b(post|pre)_(save|delete)\b", paths) + lines_with(r"^    def save\(", models),
        bad="@receiver(post_save, sender=Room)",
        good="create_room(...) in services.py, which does and says everything",
    )


def test_rooms_are_loaded_through_a_membership() -> None:
    answering = [
        path
        for path in written(SERVER_APPS, ".py")
        if {"api", "views", "consumers"} & {path.stem, path.parent.name}
    ]
    refuse(
        lines_with(r"\b(Room\.objects\.|get_object_or_404\(\s*Room\b)", answering),
        bad="Room.objects.get(id=room_id)   # and the permission check forgotten",
        good="access.room_for_member(user, room_id)",
    )


def test_the_two_readings_of_the_protocol_have_the_same_files() -> None:
    python, typescript = ROOT / "crypto_client", ROOT / "frontend" / "src" / "crypto"
    ours = {path.stem for path in python.glob("*.py")} - ONLY_IN_PYTHON
    theirs = {path.stem for path in typescript.glob("*.ts")} - ONLY_IN_TYPESCRIPT
    # vitest and Chromium share what reads the vectors; pytest has its own among the tests.
    theirs = {stem for stem in theirs if not stem.startswith("vector_")}
    assert ours, "no protocol module found in crypto_client"
    refuse(
        [f"only in Python: {stem}" for stem in sorted(ours - theirs)]
        + [f"only in TypeScript: {stem}" for stem in sorted(theirs - ours)],
        bad="crypto_client/epoch.py beside frontend/src/crypto/epochs.ts",
        good="crypto_client/epoch.py beside frontend/src/crypto/epoch.ts",
    )


def test_tests_wait_for_the_thing_and_not_for_the_clock() -> None:
    tests = [path for path in written(["tests"], ".py") if path != Path(__file__)]
    refuse(
        lines_with(r"\bsleep\((?!0\)|0\.[012]|interval)|wait_for_timeout\(", tests),
        bad="time.sleep(1)",
        good="expect(bubble).to_be_visible(), or a loop that asks every 0.05 s until a deadline",
    )


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    tests = [path for path in written(["tests"], ".py") if path != Path(__file__)]
    tests += written(["frontend/tests"], ".ts")
    refuse(
        lines_with(
            r"pytest\.(skip|xfail|importorskip)\(|mark\.(skip|xfail)|\b(it|test|describe)\.(skip|todo|only)\b",
            tests,
        ),
        bad="@pytest.mark.skip(reason='later')",
        good="a test that runs, or none",
    )
