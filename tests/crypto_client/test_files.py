"""Files are sealed and opened in pieces, and nothing that does not verify comes out."""

import os

import pytest

from crypto_client.attachments import Attachment, files_of, read_files
from crypto_client.body import parse_body, write_body
from crypto_client.errors import FileError
from crypto_client.file_seal import (
    CHUNK,
    FileChecker,
    FileSeal,
    FileSealer,
    open_file,
    padme,
    sealed_size,
)

LIMIT = 1 << 30


def sealed(content: bytes, piece: int) -> tuple[bytes, FileSeal]:
    sealer = FileSealer(len(content))
    pieces = [sealer.push(content[at : at + piece]) for at in range(0, len(content), piece)]
    last, seal = sealer.finish()
    return b"".join(pieces) + last, seal


@pytest.mark.parametrize("length", [0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
@pytest.mark.parametrize("piece", [1000, CHUNK, CHUNK + 17, 1 << 20])
def test_a_file_comes_back_whatever_pieces_it_travels_in(length: int, piece: int) -> None:
    content = os.urandom(length)
    data, seal = sealed(content, piece)
    assert len(data) == seal.size == sealed_size(length)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    assert open_file(seal, pieces, limit=LIMIT) == content


def test_padding_costs_at_most_an_eighth_and_few_sizes_remain() -> None:
    assert all(n <= padme(n) <= n * 9 // 8 for n in range(64, 5000))
    assert len({padme(n) for n in range(1 << 16, 1 << 17)}) <= 33


def test_bytes_that_change_after_they_were_checked_are_refused() -> None:
    data, seal = sealed(os.urandom(100), 100)
    other, _ = sealed(os.urandom(100), 100)
    checker = FileChecker(seal, LIMIT)
    checker.push(data)
    opener = checker.finish()
    opener.push(other)
    with pytest.raises(FileError):
        opener.finish()


def test_a_longer_file_is_refused_before_all_of_it_has_come() -> None:
    data, seal = sealed(os.urandom(100), 100)
    checker = FileChecker(seal, LIMIT)
    checker.push(data)
    with pytest.raises(FileError):
        checker.push(b"\0")


def test_a_message_says_exactly_which_files_it_carries() -> None:
    file = Attachment(os.urandom(16), sealed(b"meow", 4)[1], "image/png", "고양이.png")
    body = parse_body(write_body(files_of([file], text="look")))
    assert read_files(body, [file.id]) == (file,)
    with pytest.raises(FileError):
        read_files(body, [os.urandom(16)])
