"""A mistyped secret: the word or block that is wrong is named, as far as it can be known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_client.recovery import encode_code
from crypto_client.slips import MistypedError, differing, read_typed

WORDS = "baba zyzu bada zyzu baba zyzu"


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.sampled_from(["-", " ", ""]), st.booleans())
def test_every_code_is_read_however_it_is_grouped(key: bytes, joint: str, lower: bool) -> None:
    code = encode_code(key).replace("-", joint)
    typed = code.lower() if lower else code
    assert read_typed(typed).code == typed


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 5), st.sampled_from(["xxxx", "bab", "babab", "밥", "b4ba"]))
def test_a_word_that_is_not_in_the_list_is_named_by_its_number(place: int, wrong: str) -> None:
    words = WORDS.split()
    words[place] = wrong

    with pytest.raises(MistypedError) as refused:
        read_typed("  ".join(words).upper())
    assert refused.value.where == {"words": [place + 1]}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 12), st.sampled_from(["U000", "00*0", "000", "00000"]))
def test_a_block_that_no_code_has_is_named_by_its_number(place: int, wrong: str) -> None:
    blocks = encode_code(bytes(32)).split("-")
    blocks[place] = wrong

    with pytest.raises(MistypedError) as refused:
        read_typed("-".join(blocks))
    assert refused.value.where == {"blocks": [place + 1]}


def test_too_few_words_or_blocks_are_counted() -> None:
    for text, count in ((" ".join(WORDS.split()[:5]), 5), (encode_code(bytes(32))[:-5], 12)):
        with pytest.raises(MistypedError) as refused:
            read_typed(text)
        assert refused.value.where == {"count": count}


def test_a_wrong_checksum_says_only_that_it_is_wrong() -> None:
    code = encode_code(bytes(32))

    with pytest.raises(MistypedError) as refused:
        read_typed("1" + code[1:])
    assert refused.value.where == {"checksum": False}


def test_two_good_secrets_differ_in_places() -> None:
    assert differing(WORDS, WORDS) == []
    assert differing("baba zyzu baba zyzu baba baba", WORDS) == [3, 6]
