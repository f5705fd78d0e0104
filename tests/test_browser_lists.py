"""The filters above the lists of entries, and the meanings of glossary terms."""

from __future__ import annotations

from browsing import Visit


def test_findings_can_be_filtered(browser, address: str) -> None:
    with Visit(browser, address, "findings/", width=390) as visit:
        page = visit.page
        items = page.locator("article li:has(.entry-facts)")
        everything = items.count()
        select = page.get_by_label("Chapter")
        values = [value for value in select.locator("option").evaluate_all("o => o.map(x => x.value)") if value]
        assert len(values) > 1
        sizes = []
        for value in values:
            select.select_option(value)
            shown = [items.nth(i) for i in range(everything) if items.nth(i).is_visible()]
            assert all(value in one.locator(".entry-facts").get_attribute("data-chapter") for one in shown)
            assert page.locator(".filters output").inner_text() == f"{len(shown)} of {everything}"
            sizes.append(len(shown))
        assert 0 < min(sizes) <= max(sizes) < everything
        page.reload(wait_until="load")
        assert page.get_by_label("Chapter").input_value() == values[-1], "the address keeps the filter"
        page.get_by_label("Chapter").focus()
        page.keyboard.press("Home")
        assert all(items.nth(i).is_visible() for i in range(everything))
        assert "?" not in page.url
        page.get_by_label("Confidence").select_option(index=1)
        page.get_by_label("Chapter").select_option(index=1)
        empty = [h for h in page.locator("article h2").all() if h.is_visible()]
        lists = [one for one in page.locator("article h2 + ul").all() if one.is_visible()]
        assert len(empty) == len(lists), "a heading without entries goes with them"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert not visit.wrong
