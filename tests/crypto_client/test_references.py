"""What becomes of a message that others edit, take back, hide and react to."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from crypto_client.body import parse_body, text_body, write_body
from crypto_client.errors import ReferenceMissingError
from crypto_client.references import (
    APPLY,
    KEEP,
    Author,
    Target,
    deletion_of,
    edit_of,
    hiding_of,
    judge_reference,
    judge_reply,
    reaction_to,
    why_gone,
)

ALICE, BOB, MALLORY = Author(b"a" * 16, 2), Author(b"b" * 16, 1), Author(b"m" * 16, 1)


@pytest.fixture
def hello() -> Target:
    """Bob's message."""
    return Target(b"d" * 16, b"i" * 16, BOB.user, True, (b"0" * 32,))


def after(
    target: Target, author: Author, act: Mapping[str, object], c: bytes = b"9" * 32
) -> Target:
    judged = judge_reference(parse_body(write_body(act)), c, author, target)
    assert judged.verdict == APPLY
    assert judged.target is not None
    return judged.target


def test_of_two_edits_at_once_the_logs_first_counts(hello: Target) -> None:
    one, other = (edit_of(hello.origin(), text, rev=1) for text in ("one", "other"))
    edited = after(hello, BOB, one, c=b"1" * 32)
    with pytest.raises(ReferenceMissingError):
        after(edited, BOB, other, c=b"2" * 32)
    assert edited.versions == (b"0" * 32, b"1" * 32)
    third = after(edited, BOB, edit_of(edited.origin(), "third", rev=2), c=b"3" * 32)
    assert third.versions[-1] == b"3" * 32


def test_nobody_speaks_for_bob(hello: Target) -> None:
    for act in (edit_of(hello.origin(), "I lied", rev=1), deletion_of(hello.origin())):
        after(hello, BOB, act)
        for author in (ALICE, MALLORY):
            with pytest.raises(ReferenceMissingError):
                after(hello, author, act)


def test_who_is_admin_no_longer_hides_nothing(hello: Target) -> None:
    hide = hiding_of(hello.origin())
    assert why_gone(after(hello, ALICE, hide), expired=False) == "admin"
    with pytest.raises(ReferenceMissingError):
        after(hello, replace(ALICE, role=1), hide)


def test_a_reaction_stays_with_the_words_it_was_given_to(hello: Target) -> None:
    liked = after(hello, MALLORY, reaction_to(hello.reference(), "👍", is_set=True))
    edited = after(liked, BOB, edit_of(hello.origin(), "I hate cats", rev=1))
    assert edited.reactions[0].c == hello.versions[0]
    assert edited.reactions[0].c != edited.versions[-1]


def test_a_message_that_is_gone_and_that_nobody_removed_was_removed_by_the_server(
    hello: Target,
) -> None:
    assert why_gone(hello, expired=False) == "server"
    assert why_gone(None, expired=False) == "server"
    assert why_gone(hello, expired=True) == "expired"
    assert why_gone(after(hello, BOB, deletion_of(hello.origin())), expired=False) == "author"


def test_a_reply_to_words_that_nobody_wrote_quotes_nothing(hello: Target) -> None:
    def quoted(c: bytes) -> str:
        reply = replace(hello.origin(), c=c)
        body = parse_body(text_body("yes", reply=reply))
        assert body.reply == reply
        return judge_reply(reply, hello).verdict

    assert quoted(hello.versions[0]) == APPLY
    with pytest.raises(ReferenceMissingError):
        quoted(b"x" * 32)
    assert judge_reply(hello.origin(), None).verdict == KEEP
