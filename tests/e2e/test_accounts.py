"""Account pages in a real browser: sign up, in and out, passwords, sessions, languages."""

import re

from playwright.sync_api import expect


def test_signing_up_makes_keys_and_nobody_notices(visitor):
    alice = visitor("alice")

    alice.sign_up()

    assert alice.fetch("/api/me")["status"] == 200
    alice.show("Me")
    fingerprint = alice.page.locator(".digits")
    expect(fingerprint).to_have_text(re.compile(r"^(\d{5} ){5}\d{5}\s*$"))


def test_after_signing_out_the_chat_is_closed_and_opens_again_in_the_same_browser(visitor):
    alice = visitor("alice").sign_up()
    fingerprint = own_fingerprint(alice)

    alice.button("Sign out").click()
    alice.confirm("Sign out?", "Sign out")

    expect(alice.page).to_have_url(re.compile("/accounts/login/"))
    alice.go("/rooms")
    expect(alice.page).to_have_url(re.compile(r"/accounts/login/\?next=/rooms"))
    alice.sign_in()
    alice.expect_chat()
    assert own_fingerprint(alice) == fingerprint


def own_fingerprint(person):
    """What the person reads on the tab Me."""
    person.show("Me")
    digits = person.page.locator(".digits")
    expect(digits).to_have_text(re.compile(r"\d{5}"))
    return digits.inner_text()


def test_what_is_erased_from_a_browser_opens_there_only_by_the_recovery_key(visitor):
    alice = visitor("alice").sign_up()
    alice.show("Me")

    alice.button("Erase from this browser").click()
    alice.confirm("Erase everything from this browser?", "Erase and sign out")

    expect(alice.page).to_have_url(re.compile("/accounts/login/"))
    alice.sign_in()
    heading = alice.page.get_by_role("heading", name="Get your chats back")
    expect(heading).to_be_visible()


def test_a_browser_without_the_keys_asks_for_the_recovery_key(visitor):
    alice = visitor("alice").sign_up()
    elsewhere = visitor("elsewhere")
    elsewhere.email = alice.email

    elsewhere.sign_in()

    heading = elsewhere.page.get_by_role("heading", name="Get your chats back")
    expect(heading).to_be_visible()


def test_a_wrong_password_is_refused_and_tells_nothing(visitor):
    alice = visitor("alice").sign_up()
    stranger = visitor("stranger")
    stranger.email = alice.email

    stranger.sign_in("not the way home")
    known = stranger.page.locator(".errorlist").inner_text()
    stranger.email = "nobody@example.org"
    stranger.sign_in("not the way home")

    assert stranger.page.locator(".errorlist").inner_text() == known != ""
    assert "/accounts/login/" in stranger.page.url


def test_a_changed_password_opens_the_account_and_the_old_one_does_not(visitor):
    alice = visitor("alice").sign_up()
    alice.show("Me")
    alice.page.get_by_role("link", name="Change password").click()
    alice.page.get_by_label("Current Password").fill(alice.password)
    alice.page.get_by_label("New Password", exact=True).fill("a shorter way home")
    alice.page.get_by_label("New Password (again)").fill("a shorter way home")
    alice.button("Change password").click()
    expect(alice.page.get_by_role("status")).not_to_be_empty()

    elsewhere = visitor("elsewhere")
    elsewhere.email = alice.email
    elsewhere.sign_in(alice.password)
    expect(elsewhere.page.locator(".errorlist")).to_be_visible()
    elsewhere.sign_in("a shorter way home")
    expect(elsewhere.page).to_have_url(elsewhere.site.address + "/")

    alice.go("/rooms")
    alice.expect_chat()


def test_a_forgotten_password_is_set_anew_by_the_address_in_the_mail(visitor, site):
    alice = visitor("alice").sign_up()
    elsewhere = visitor("elsewhere")
    elsewhere.go("/accounts/password/reset/")
    elsewhere.page.get_by_label(re.compile("E-?mail")).fill(alice.email)
    elsewhere.page.get_by_role("button").last.click()
    expect(elsewhere.page).to_have_url(re.compile("/accounts/password/reset/done/"))

    elsewhere.page.goto(site.link_in_mail("/accounts/password/reset/key/"))
    elsewhere.page.get_by_label("New Password", exact=True).fill("the way round the lake")
    elsewhere.page.get_by_label("New Password (again)").fill("the way round the lake")
    elsewhere.page.get_by_role("button").last.click()
    expect(elsewhere.page).to_have_url(re.compile("/accounts/password/reset/key/done/"))

    elsewhere.email = alice.email
    elsewhere.sign_in("the way round the lake")
    expect(elsewhere.page).to_have_url(elsewhere.site.address + "/")


def test_a_person_sees_where_they_are_signed_in_and_ends_the_others(visitor):
    alice = visitor("alice").sign_up()
    elsewhere = visitor("elsewhere")
    elsewhere.email = alice.email
    elsewhere.sign_in(alice.password)
    expect(elsewhere.page).to_have_url(elsewhere.site.address + "/")

    alice.show("Me")
    alice.page.get_by_role("link", name="Where you are signed in").click()
    expect(alice.page.locator(".rows .card")).to_have_count(2)
    alice.page.get_by_role("main").get_by_role("button").click()

    expect(alice.page.locator(".rows .card")).to_have_count(1)
    elsewhere.go("/rooms")
    expect(elsewhere.page).to_have_url(re.compile("/accounts/login/"))


def test_pages_are_korean_and_english_as_the_person_chooses(visitor):
    alice = visitor("alice", locale="ko-KR")
    alice.go("/accounts/login/")
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("로그인")

    alice.button("English").click()
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("Sign in")
    alice.sign_up()
    alice.show("Me")
    alice.page.get_by_label("Language").select_option("한국어")

    expect(alice.page.get_by_role("heading", level=1, name="나")).to_be_visible()
    expect(alice.page.locator("html")).to_have_attribute("lang", "ko")
    alice.page.reload()
    expect(alice.page.get_by_role("heading", level=1, name="나")).to_be_visible()


def test_an_address_that_is_not_there_leads_back(visitor):
    alice = visitor("alice")
    alice.watch.expect("status of 404")

    alice.go("/nowhere")

    expect(alice.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    alice.page.get_by_role("main").get_by_role("link").click()
    expect(alice.page).to_have_url(re.compile("/accounts/login/"))
