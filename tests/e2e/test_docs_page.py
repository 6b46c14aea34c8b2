"""The documentation page works from the server alone: no other host, nothing that its Content-Security-Policy stops."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e


def test_the_documentation_page_shows_every_operation_and_opens_one(page: Page) -> None:
    answer = page.goto("/docs")
    assert answer is not None
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src" in policy
    assert "unsafe-eval" not in policy
    expect(page.get_by_text("/validate-transition", exact=True).first).to_be_visible()
    page.get_by_text("/validate-transition", exact=True).first.click()
    expect(page.get_by_text("expected_stage").or_(page.get_by_text("dry_run")).first).to_be_visible()
