"""The texts that people see: found in templates and sources, kept in chatsite/locale.

Korean is what the sources say; English is translated from it. A library's English texts that people
meet are put into our words in the Korean catalogue. No gettext binaries are needed.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib  # type: ignore[import-untyped]
from django.utils.translation.template import templatize

APPS = ("chatsite", "accounts", "friends", "rooms", "messaging")
CALL = re.compile(r"\b(gettext|ngettext|pgettext|npgettext|_)\(")
FUNCTIONS = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy"}
HANGUL = re.compile("[가-힣]")

# (singular, plural or None) → where it stands
Found = dict[tuple[str, str | None], str]


def sources(root: Path) -> Iterator[Path]:
    """The templates and modules of all server apps."""
    for app in APPS:
        for path in sorted((root / app).rglob("*")):
            inside = path.relative_to(root).parts
            module = path.suffix == ".py" and "migrations" not in inside
            page = path.suffix in {".html", ".txt"} and "templates" in inside
            if module or page:
                yield path


def find_texts(root: Path) -> Found:
    """Every text that is marked for translation, with the first file that has it."""
    found: Found = {}
    for path in sources(root):
        code = path.read_text()
        python = path.suffix == ".py"
        for text in _in_python(code) if python else _in_template(code, str(path)):
            found.setdefault(text, str(path.relative_to(root)))
    return found


def _in_python(code: str) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and _called(node.func) in FUNCTIONS:
            texts = [_literal(argument) for argument in node.args[:2]]
            if texts and texts[0] is not None:
                plural = _called(node.func).startswith("ngettext")
                yield texts[0], texts[1] if plural and len(texts) > 1 else None


def _called(function: ast.expr) -> str:
    return getattr(function, "id", getattr(function, "attr", ""))


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _in_template(code: str, origin: str) -> Iterator[tuple[str, str | None]]:
    # templatize is what makemessages uses: tags become calls, everything else becomes noise.
    calls = templatize(code, origin=origin)
    for match in CALL.finditer(calls):
        strings = list(_strings(calls[match.end() :]))
        if strings:
            yield strings[0], strings[1] if match[1] == "ngettext" else None


def _strings(arguments: str) -> Iterator[str]:
    literal = re.compile(r"""\s*,?\s*u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.S)
    at = 0
    while match := literal.match(arguments, at):
        yield ast.literal_eval(match[1])
        at = match.end()


def catalog(root: Path, language: str) -> polib.POFile:
    """The catalogue of one language."""
    path = root / "chatsite" / "locale" / language / "LC_MESSAGES" / "django.po"
    return polib.pofile(str(path))


def compile_catalogs(root: Path) -> list[Path]:
    """Write the .mo beside each .po, as Django reads it; gives the written paths."""
    written = []
    for path in sorted((root / "chatsite" / "locale").glob("*/LC_MESSAGES/django.po")):
        target = path.with_suffix(".mo")
        polib.pofile(str(path)).save_as_mofile(str(target))
        written.append(target)
    return written


def complaints(root: Path) -> list[str]:
    """What is missing, empty, fuzzy or left over, one sentence each; empty when all is well."""
    found = find_texts(root)
    english = {(entry.msgid, entry.msgid_plural or None): entry for entry in catalog(root, "en")}
    missing = [f"{found[key]}: no English for {key[0]!r}" for key in found.keys() - english.keys()]
    unused = [f"en: nobody says {key[0]!r}" for key in english.keys() - found.keys()]
    foreign = [f"{found[key]}: not Korean: {key[0]!r}" for key in found if _is_foreign(key[0])]
    entries = [*english.values(), *catalog(root, "ko")]
    unfinished = [
        f"unfinished: {entry.msgid!r}" for entry in entries if entry.fuzzy or not entry.translated()
    ]
    return sorted(missing + unused + foreign + unfinished)


def _is_foreign(text: str) -> bool:
    return not HANGUL.search(text) and text not in {"English"}
