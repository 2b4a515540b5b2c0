"""Where a request comes from is what trusted proxies wrote, never what a client claims."""

import pytest

from accounts.client_address import client_address, client_network

CASES = [
    # peer, header, trusted, the client
    ("198.51.100.7", None, [], "198.51.100.7"),
    ("198.51.100.7", "203.0.113.9", [], "198.51.100.7"),
    ("198.51.100.7", "203.0.113.9", ["10.0.0.0/8"], "198.51.100.7"),
    ("10.0.0.1", "203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"),
    ("10.0.0.1", "1.2.3.4, 203.0.113.9", ["10.0.0.0/8"], "203.0.113.9"),
    ("10.0.0.1", "1.2.3.4, 203.0.113.9, 10.0.0.2", ["10.0.0.0/8"], "203.0.113.9"),
    ("10.0.0.1", "1.2.3.4, junk, 10.0.0.2", ["10.0.0.0/8"], "10.0.0.2"),
    ("10.0.0.1", None, ["10.0.0.0/8"], "10.0.0.1"),
    ("10.0.0.1", "", ["10.0.0.1"], "10.0.0.1"),
    ("::ffff:10.0.0.1", "2001:db8::5", ["10.0.0.1"], "2001:db8::5"),
    ("2001:db8::1", "203.0.113.9", ["2001:db8::/32"], "203.0.113.9"),
    (None, "203.0.113.9", ["10.0.0.0/8"], None),
    ("", "203.0.113.9", [], None),
]


@pytest.mark.parametrize(("peer", "header", "trusted", "expected"), CASES)
def test_the_right_most_address_that_is_no_trusted_proxy_counts(
    settings, peer, header, trusted, expected
):
    settings.TRUSTED_PROXIES = trusted
    assert client_address(peer, header) == expected


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:0:7::5", "2001:db8:0:7::"),
        ("2001:db8:0:7:ffff::1", "2001:db8:0:7::"),
        ("2001:db8:0:8::5", "2001:db8:0:8::"),
    ],
)
def test_addresses_of_one_ipv6_network_are_one_client(address, expected):
    assert client_network(address) == expected


def test_a_fresh_ipv6_address_for_each_guess_does_not_escape_a_limit(client, alice):
    def guess(number):
        body = {"login": f"{number}@example.org", "password": "wrong guess"}
        address = f"2001:db8::{number:x}"
        return client.post("/accounts/login/", body, REMOTE_ADDR=address).status_code

    answers = [guess(number) for number in range(31)]

    assert answers[0] == 200
    assert answers[-1] == 429


def test_a_forged_header_does_not_escape_a_limit(client, alice):
    def guess(number):
        body = {"login": f"{number}@example.org", "password": "wrong guess"}
        forged = {"X-Forwarded-For": f"203.0.113.{number}"}
        return client.post("/accounts/login/", body, headers=forged).status_code

    answers = [guess(number) for number in range(31)]

    assert answers[0] == 200
    assert answers[-1] == 429


@pytest.mark.parametrize(("trusted", "secure"), [([], False), (["127.0.0.1"], True)])
def test_a_forwarded_scheme_is_believed_from_trusted_proxies_alone(
    client, db, settings, trusted, secure
):
    settings.TRUSTED_PROXIES = trusted
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    answer = client.get("/accounts/login/", headers={"X-Forwarded-Proto": "https"})

    assert answer.wsgi_request.is_secure() is secure
