"""The watch over all browser tests notices what it is there for."""

import pytest
from playwright.sync_api import expect

PROFILES = ("solo",)  # the watch asks no server


@pytest.fixture
def problems(visitor):
    """What the watch says about a page on which something is done that no page may."""

    def after(script):
        somebody = visitor()
        somebody.go("/accounts/login/")
        assert somebody.watch.problems == []
        somebody.page.evaluate(script)
        expect(somebody.page.locator("body")).to_be_visible()
        found = list(somebody.watch.problems)
        somebody.watch.problems.clear()
        return " ".join(found)

    return after


def test_an_inline_style_is_stopped_and_noticed(problems):
    found = problems("document.body.setAttribute('style', 'color: red')")
    assert "policy violated: style-src-attr" in found


def test_text_made_into_markup_is_stopped_and_noticed(problems):
    script = "try { document.body.innerHTML = '<b>x</b>'; } catch (refused) { void refused; }"
    assert "policy violated: require-trusted-types-for" in problems(script)


def test_an_uncaught_error_is_noticed(problems):
    assert "uncaught" in problems(
        "new Promise((done) => setTimeout(() => { setTimeout(done); throw new Error('lost'); }))"
    )


def test_a_request_to_another_host_is_noticed(problems):
    found = problems("fetch('http://elsewhere.invalid/x').catch(() => undefined)")
    assert "policy violated: connect-src" in found


def test_an_error_on_the_console_is_noticed(problems):
    assert "console: broken" in problems("console.error('broken')")
