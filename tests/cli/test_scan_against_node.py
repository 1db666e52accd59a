"""The second reader's verdict is Node's, on thousands of damaged messages of versions 0 to 15.

V8 refuses versions below 13 only after it has noted the version, so a Deserializer whose header was refused
still reads them.
"""

from __future__ import annotations

import json
from typing import Final, cast

import pytest

from clonecodec.cli.scan import Scan
from tests.cli.mutations import damaged
from tests.node import Node

NUMBER: Final = 6000

READ: Final = """
%s.map((hex) => {
  const { DefaultDeserializer } = require("node:v8");
  const deserializer = new DefaultDeserializer(Buffer.from(hex, "hex"));
  try { deserializer.readHeader(); } catch {}
  if (deserializer.getWireFormatVersion() > 15) return "newer";
  try { deserializer.readValue(); return "read"; }
  catch (error) { return error.name === "SyntaxError" ? "no regular expression" : "refused"; }
})
"""


@pytest.mark.parametrize("seed", range(3))
def test_the_second_reader_and_node_agree_on_damaged_messages(nodes: tuple[Node, ...], seed: int) -> None:
    node = nodes[0]
    if node.major != 20:
        pytest.skip("only Node 20 reads the errors of all other Nodes (`make nodes` installs it)")
    messages = [data for data in damaged(NUMBER, seed) if _is_decidable(data)]
    verdicts = cast("list[str]", node.evaluate(READ % json.dumps([data.hex() for data in messages])))

    disagreements = []
    for data, verdict in zip(messages, verdicts, strict=True):
        scan = Scan(data, follow=False)
        is_newer = any(
            row.name == "IMMUTABLE_ARRAY_BUFFER" or row.text.startswith("Float16Array") for row in scan.rows()
        )
        is_read = scan.fault is None and not scan.unresolved
        if verdict in ("read", "refused") and not is_newer and is_read != (verdict == "read"):
            disagreements.append((data.hex(" "), verdict, str(scan.fault)))

    assert disagreements == []
    assert verdicts.count("read") > NUMBER // 10, "too few of the messages are still whole to say much"
    assert verdicts.count("refused") > NUMBER // 10


def _is_decidable(data: bytes) -> bool:
    """Not a header that Node refuses before it knows the version: Node would go on with version 0."""
    return data[:1] != b"\xff" or (len(data) > 1 and data[1] <= 16)
