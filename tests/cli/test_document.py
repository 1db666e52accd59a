"""docs/cli.md says what the commands really print, and docs/inspect.svg is what they really draw."""

from __future__ import annotations

from pathlib import Path

from tests.cli.document import CHANGED, DOCUMENT, ORDER, PICTURE, Shell, sessions
from tests.node import Node


def test_every_example_prints_what_the_document_says(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    examples = list(sessions(DOCUMENT.read_text("utf-8")))

    printed = [(command, shell.run(command)) for command, _ in examples]

    assert len(examples) > 15
    assert printed == examples
    assert shell.path("inspect.svg").read_text("utf-8") == PICTURE.read_text("utf-8")


def test_node_writes_the_files_of_the_examples(node: Node) -> None:
    blocks = DOCUMENT.read_text("utf-8").split("```js\n")[1:]
    first, second = (block.partition("```")[0] for block in blocks)

    script = f"""(() => {{
        const v8 = require("node:v8"), written = [];
        const fs = {{ writeFileSync: (name, data) => written.push(name, data.toString("hex")) }};
        {first}{second}
        return written;
    }})()"""

    assert node.evaluate(script) == ["order.bin", ORDER.hex(), "changed.bin", CHANGED.hex()]
