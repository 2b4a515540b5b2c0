"""Codes that a person copies by hand: five bits a character, in groups of four (§5.2)."""

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011", "-\t\n\r \u00a0\u3000")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def write_code(number: int, length: int) -> str:
    """Write a number of 5 × length bits, most significant first, in groups of four."""
    text = "".join(_ALPHABET[number >> 5 * at & 31] for at in reversed(range(length)))
    return "-".join(text[at : at + 4] for at in range(0, length, 4))


def read_code(text: str, length: int) -> int | None:
    """Read the number of a code as people type it; None for another length or character."""
    compact = text.translate(_UPPER).translate(_READ_AS)
    if len(compact) != length or any(character not in _ALPHABET for character in compact):
        return None
    number = 0
    for character in compact:
        number = number << 5 | _ALPHABET.index(character)
    return number
