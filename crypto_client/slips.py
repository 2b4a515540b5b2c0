"""Where a typed recovery secret is wrong, as far as that can be known (docs/protocol.md §5.2)."""

import functools
import re
from dataclasses import dataclass, field

from crypto_client.errors import RecoveryError
from crypto_client.recovery import (
    CODE_LENGTH,
    WORD_COUNT,
    WORDLIST_SIZE,
    decode_code,
    normalise_secret,
    word,
)

BLOCK = 4
BLOCKS = CODE_LENGTH // BLOCK
# Six words have 24 letters and a code has 52 characters: what is nearer to 52 is meant as a code.
_MEANS_CODE = 38
_IN_BLOCK = re.compile("[0-9A-TV-Za-tv-z]{4}")  # I, L and O are read as digits; there is no U


class MistypedError(RecoveryError):
    """A typed secret that cannot be one; ``where`` says which part is wrong."""

    def __init__(self, message: str, **where: object) -> None:
        super().__init__(message)
        self.where = where


@dataclass(frozen=True)
class Typed:
    """What a person typed: six words of the list, or a code whose checksum is right."""

    secret: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)


@functools.cache
def _all_words() -> frozenset[str]:
    return frozenset(word(number) for number in range(WORDLIST_SIZE))


def read_typed(text: str) -> Typed:
    """Read six words or a code; `MistypedError` names the words or blocks that cannot be right.

    Four bits of checksum tell that a code is wrong, not where.
    """
    if sum(character.isalnum() for character in text) > _MEANS_CODE:
        return Typed(code=_checked_code(text))
    return Typed(secret=_checked_words(text))


def _checked_words(text: str) -> str:
    words = normalise_secret(text).decode().split(" ")
    if len(words) != WORD_COUNT:
        raise MistypedError(f"{len(words)} words instead of six", count=len(words))
    wrong = [at for at, each in enumerate(words, 1) if each not in _all_words()]
    if wrong:
        raise MistypedError(f"not in the list: word {_numbers(wrong)}", words=wrong)
    return " ".join(words)


def _checked_code(text: str) -> str:
    blocks = text.replace("-", " ").split()
    if len(blocks) != BLOCKS:
        joined = "".join(blocks)
        blocks = [joined[at : at + BLOCK] for at in range(0, len(joined), BLOCK)]
    wrong = [at for at, each in enumerate(blocks, 1) if not _IN_BLOCK.fullmatch(each)]
    if wrong:
        raise MistypedError(f"not four characters of a code: block {_numbers(wrong)}", blocks=wrong)
    if len(blocks) != BLOCKS:
        raise MistypedError(f"{len(blocks)} blocks instead of thirteen", count=len(blocks))
    try:
        decode_code(text)
    except RecoveryError:
        raise MistypedError("the checksum is wrong: some character is", checksum=False) from None
    return text


def differing(typed: str, shown: str) -> list[int]:
    """The numbers of the words or blocks in which one good secret differs from another."""
    pairs = zip(typed.replace("-", " ").split(), shown.replace("-", " ").split(), strict=True)
    return [at for at, (one, other) in enumerate(pairs, 1) if one != other]


def _numbers(places: list[int]) -> str:
    return ", ".join(map(str, places))
