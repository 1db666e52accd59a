"""Frames: how values within values are read with a stack of our own, so that nothing here calls itself.

A frame is a container that has been begun.  The loop in ``rows`` asks the frame on top to go on; it reads one
more token, which may push a frame above it, and finds the outcome in ``result`` when it is on top again.
What the containers are is in ``scan_values``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from clonecodec.cli import scan_hosts
from clonecodec.cli.cursor import Cursor, Fault
from clonecodec.cli.names import tag_in_words
from clonecodec.cli.rows import Row
from clonecodec.cli.scan_leaves import BEGUN, OBJECT, PLAIN, LeafScanner, Result


class Frame:
    """A container that has been begun and not ended."""

    __slots__ = ("count", "holes", "id", "keys", "length", "mark", "name", "phase", "resume", "start", "step")

    def __init__(
        self, resume: Callable[[Frame], None], name: str, start: int, step: str = "", ident: int = -1
    ) -> None:
        self.resume = resume
        self.name = name
        self.start = start
        self.step = step
        self.id = ident
        self.phase = 0
        self.count = 0
        self.length = 0
        self.mark = start
        self.keys: set[str] | None = None
        self.holes: set[int] | None = None


class FrameScanner(LeafScanner):
    """Reads one value after another; objects keep their numbers from value to value.

    Args:
        cursor: stands before the value.
        version: of the format, 0 to 16.
        hosts: whose host objects these are: ``"node"``, ``"ipc"`` (Node's between processes) or ``"blink"``.
        blink: Blink's version, which decides what its host objects hold.
        view_flags: read flags after views although the version has none (broken files of version 13).
    """

    def __init__(
        self, cursor: Cursor, version: int, hosts: str = "node", blink: int = 0, *, view_flags: bool = False
    ) -> None:
        super().__init__(cursor, version, view_flags=view_flags)
        self.hosts: Final = hosts
        self.blink: Final = blink
        self.begin: Final[dict[int, Callable[[int], None]]] = {}
        """What begins the container of a tag; its argument is where the tag stands."""
        self.result: Result = PLAIN
        self.stack: list[Frame] = []
        self.deepest = 0

    # The loop

    def rows(self) -> Iterator[Row]:
        """Read one value.

        Raises:
            Fault: with the path to the value that is broken.
        """
        self.stack = [Frame(self.root, "", self.cursor.position)]
        stack, out = self.stack, self.out
        try:
            while stack:
                stack[-1].resume(stack[-1])
                if out:
                    yield from out
                    out.clear()
        except Fault as fault:
            yield from out
            out.clear()
            fault.path = "$" + "".join(frame.step for frame in stack) + self.step
            raise

    def root(self, frame: Frame) -> None:
        """The frame at the bottom: reads one value."""
        if frame.phase == 0:
            frame.phase = 1
            self.value("")
        else:
            self.stack.pop()

    def push(self, resume: Callable[[Frame], None], name: str, start: int, ident: int = -1) -> Frame:
        """Begin a container, which *resume* goes on with."""
        frame = Frame(resume, name, start, self.step, ident)
        self.step = ""
        self.stack.append(frame)
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        return frame

    def pop(self, result: Result) -> None:
        """End the innermost container."""
        self.depth -= 1
        self._done(result, self.stack.pop().step)

    def _done(self, result: Result, step: str) -> None:
        """A value is complete; a view behind a buffer belongs to it and takes its place."""
        if result.buffer and self.peek() == 0x56:
            self.step = step
            result = self.view(result.buffer)
        self.step = ""
        self.result = result

    def value(self, step: str) -> None:
        """Read one value, or begin it."""
        self.step = step
        cursor = self.cursor
        while True:
            self.padding()
            start = cursor.position
            tag = self.peek()
            if tag < 0:
                raise Fault(cursor.end, "a value", "the end of the data", truncated=True)
            if tag != 0x3F:
                break
            cursor.position = start + 1
            number = cursor.varint("a count of objects")
            cursor.odd(start, "VERIFY_OBJECT_COUNT, which only very old Blink wrote")
            self.add(start, "VERIFY_OBJECT_COUNT", None, f"{number} (a hint, ignored)", role="part")
        begin = self.begin.get(tag)
        if begin:
            cursor.position = start + 1
            begin(start)
            return
        result = self.leaf(tag, start)
        if result is None:
            result = self._host(tag, start)
        if result is not BEGUN:
            self._done(result, step)

    def _host(self, tag: int, start: int) -> Result:
        if tag == 0x5C:
            self.cursor.position = start + 1
        elif self.version < 13:
            # Before there was a tag for host objects, every unknown tag was the embedder's.
            self.cursor.position = start
        else:
            raise Fault(start, "a value", tag_in_words(tag))
        if self.hosts == "blink":
            return scan_hosts.blink(self, start)
        if self.hosts == "ipc":
            kind = self.cursor.varint("the kind of a host object")
            if kind == 1:
                ident = self.number(start, "HOST_OBJECT", usable=False)
                text = "another native object, as a value"
                self.add(start, "HOST_OBJECT", None, text, role="begin", ident=ident)
                self.push(self.host_value, "HOST_OBJECT", start, ident)
                return BEGUN
            if kind:
                raise Fault(start + 1, "0 (a view) or 1 (another object)", str(kind))
        return scan_hosts.node(self, start)

    def host_value(self, frame: Frame) -> None:
        """One value, and the end of what is around it."""
        if frame.phase == 0:
            frame.phase = 1
            self.value("")
        else:
            self.finish(frame.id)
            self.pop(OBJECT)
