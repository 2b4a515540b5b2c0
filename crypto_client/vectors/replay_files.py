"""Replays the vectors of attachments; README.md defines every ``op``."""

from collections.abc import Callable

from crypto_client.attachments import clean_name, read_files
from crypto_client.body import parse_body
from crypto_client.file_seal import FileSeal, open_file, padme, sealed_size
from crypto_client.vectors.replay_objects import Outputs, Values, raw, text


def _file_open(v: Values) -> Outputs:
    seal = FileSeal(raw(v["key"]), raw(v["hash"]), v["size"], v["length"])
    return {"content": text(open_file(seal, [raw(v["sealed"])], limit=v["limit"]))}


def _file_sizes(v: Values) -> Outputs:
    return {
        "padded": [padme(length) for length in v["lengths"]],
        "sealed": [sealed_size(length) for length in v["lengths"]],
    }


def _files(v: Values) -> Outputs:
    files = read_files(parse_body(raw(v["body"])), [raw(item) for item in v["attachments"]])
    return {"files": [[text(f.id), f.clean_name, f.is_shown_inline] for f in files]}


def _file_name(v: Values) -> Outputs:
    return {"name": clean_name(v["name"])}


FILE_OPS: dict[str, Callable[[Values], Outputs]] = {
    "file_open": _file_open,
    "file_sizes": _file_sizes,
    "files": _files,
    "file_name": _file_name,
}
