"""The rules travel with the page: each section of docs/methodology.md, escaped, with an anchor to link to."""

import re
from pathlib import Path

from reports.analyst import analyst_report
from reports.methodology import read_rules, rules, slug
from tests.reports import publication_fixture as fixture
from tests.reports.pages import read

METHODOLOGY = Path(__file__).parents[2] / "docs" / "methodology.md"
TEXT = """# Title

Left out.

## One rule

A *first* paragraph with `code *here*`, a [way out](decisions/0001-a.md),
a [way in](#two) and 3 * 4 * 5.

1. **one** <script>
2. two
   goes on

- a
- b

| head | other |
| --- | --- |
| `x` | y |

## Two

End.
"""


def test_sections_become_rules_with_anchors() -> None:
    one, two = read_rules(TEXT)
    assert (one.id, one.title, two.id, two.body) == ("rule-one-rule", "One rule", "rule-two", "<p>End.</p>")
    assert "<em>first</em> paragraph with <code>code *here*</code>, a way out (docs/decisions/0001-a.md)," in one.body
    assert 'a <a href="#rule-two">way in</a> and 3 * 4 * 5.</p>' in one.body
    assert "<ol><li><strong>one</strong> &lt;script&gt;</li><li>two goes on</li></ol>" in one.body
    assert "<ul><li>a</li><li>b</li></ul>" in one.body
    assert "<tr><th>head</th><th>other</th></tr>" in one.body
    assert "<tr><td><code>x</code></td><td>y</td></tr>" in one.body
    assert "Left out" not in one.body


def test_the_page_holds_every_rule_and_links_to_rules_that_are_there() -> None:
    html = analyst_report(fixture.publication())
    page = read(html)
    titles = re.findall(r"^## (.+)$", METHODOLOGY.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [rule.title for rule in rules()] == titles
    assert {f"rule-{slug(title)}" for title in titles} <= set(page.ids)
    linked = {link for link in page.links if link.startswith("#rule-")}
    wanted = {"#rule-the-ladder", "#rule-baseline", "#rule-bounds", "#rule-declared-beforehand", "#rule-the-window"}
    assert wanted <= linked
    assert {link[1:] for link in linked} <= set(page.ids)
