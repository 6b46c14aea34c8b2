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


def test_every_operation_opens_within_the_strict_policy(page: Page, demo: str) -> None:
    answer = page.goto("/docs")
    assert answer is not None
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    document = page.request.get(f"{demo}/openapi.json").json()
    names = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    expect(page.locator(".opblock")).to_have_count(len(names))
    for name in names:
        block = page.locator(f".opblock[id$='-{name}']")
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".opblock-body .responses-wrapper")).to_be_visible()
        block.locator(".opblock-summary-control").click()  # a page with everything open is slow to paint


def test_an_operation_is_tried_from_the_page(page: Page) -> None:
    page.goto("/docs")
    block = page.locator(".opblock[id$='-live']")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
