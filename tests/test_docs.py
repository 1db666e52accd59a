"""What the documents show is what happens: their examples are run, and their links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
SHOWN = ("README.md", "docs/values.md")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
)


@pytest.mark.parametrize("document", SHOWN)
def test_every_example_does_what_the_document_says(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    names: dict[str, Any] = {}
    examples = doctest.DocTestParser().get_doctest(text, names, document, document, 0)
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL | doctest.ELLIPSIS)

    try:
        result = runner.run(examples, clear_globs=False)
    finally:
        if "channel" in examples.globs:  # with its listener it would keep the tests alive
            examples.globs["channel"].port1.close()

    assert result.attempted > 5
    assert result.failed == 0


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_within_the_project_leads_somewhere(document: str) -> None:
    text = (ROOT / document).read_text("utf-8")
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)

    missing = [target for target in targets if not ((ROOT / document).parent / target).exists()]

    assert missing == []
