"""A browser that throws away what a page has stored, and keeps its cookies."""

from playwright.sync_api import expect

# What is looked at happens in one browser.
PROFILES = ["solo"]


def evict(person):
    """Throw away everything that pages of the site have stored, as a browser short of room does."""
    person.page.goto("about:blank")
    devtools = person.context.new_cdp_session(person.page)
    stored = "indexeddb,local_storage,cache_storage,service_workers,file_systems"
    origin = {"origin": person.site.address, "storageTypes": stored}
    devtools.send("Storage.clearDataForOrigin", origin)
    devtools.detach()


def test_it_comes_back_by_one_key_in_the_place_that_it_had(alice, bob):
    alice.open_direct(bob.name)
    alice.say("before")
    alice.expect_stored("before")
    words = alice.write_down()
    evict(alice)

    alice.go("/")
    expect(alice.page.get_by_text("You are still signed in.")).to_be_visible()
    expect(alice.page.get_by_role("switch", name="Take the place of this browser")).to_be_checked()
    alice.restore(words)

    alice.show("Me")
    expect(alice.page.locator(".devices li")).to_have_count(1)
    alice.enter(bob.name)
    alice.expect_reads("before")
    alice.say("after")
    alice.expect_stored("after")
    bob.enter(alice.name)
    bob.expect_reads("before", "after")
