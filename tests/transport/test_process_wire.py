"""The stream of a process channel: frames however they are cut, descriptors that get lost, limits."""

from __future__ import annotations

import multiprocessing
import os
import resource
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import pytest

from clonecodec import ArrayBuffer, DecodeError, SharedArrayBuffer
from tests.transport import children
from tests.transport.links import process_link
from tests.transport.settling import collect, quiet
from tests.transport.test_program import run
from transport import CloseReason, MessageChannel, MessagePort, PortClosedError
from transport._process_codec import APART
from transport._process_parcel import ALONE
from transport._process_reader import FrameReader
from transport._process_wire import (
    ACK,
    BATCH,
    END,
    HEADER,
    MAX_DESCRIPTORS,
    MESSAGE,
    MORE,
    Chunk,
    Descriptor,
    Frame,
    FrameError,
    Record,
    batch,
    chunks,
    control,
    framed,
    together,
)


class Log:
    """What a reader says."""

    def __init__(self) -> None:
        self.heard: list[object] = []
        self.reader = FrameReader(self.messages, self.frame, self.taken)

    def messages(self, payloads: Sequence[bytes]) -> None:
        self.heard += [(MESSAGE, len(payload), payload, [], 0) for payload in payloads]

    def taken(self, size: int) -> None:
        self.heard.append(("taken", size))

    def frame(self, frame: Frame) -> None:
        segments = [bytes(segment) for segment in frame.segments]
        self.heard.append((frame.kind, frame.length, frame.payload(), segments, len(frame.handles)))


def stream() -> bytes:
    """A stream of frames of every shape, without descriptors."""
    records = [Record(APART, 0, 5, 5), Record(APART, 0, 0, 0), Record(APART, 0, 70_000, 70_000)]
    big = chunks(MESSAGE, b"with", records, [b"12345", b"", b"x" * 70_000], [])
    long = chunks(MESSAGE, b"l" * 100_000, [], [], [])
    views = [view for chunk in [*big, *long] for view in chunk.views]
    many = batch([b"", b"one", b"t" * 40_000, b"u" * 40_000], 9)
    acknowledgement = control(ACK, taken=7)
    return b"".join([framed(b"abc", 5), acknowledgement, batch([b"x", b"yz"]), many, *views, control(END, 1)])


def test_frames_are_the_same_however_the_stream_is_cut() -> None:
    octets = stream()
    whole = Log()
    whole.reader.feed(memoryview(octets))
    assert len(whole.heard) == 14

    scratch = memoryview(bytearray(70_000))
    for step in (1, 7, 16, 17, 24, 27, 33, 1000, 65_537):
        log, read = Log(), Log()
        for start in range(0, len(octets), step):
            piece = octets[start : start + step]
            log.reader.feed(memoryview(piece))
            scratch[: len(piece)] = piece  # what is behind it is of an earlier read
            read.reader.came(scratch, len(piece))
        assert log.heard == whole.heard, step
        assert read.heard == whole.heard, step


def heard_by_two(groups: Sequence[int], octets: bytes, cut: int) -> list[object]:
    """What comes of *octets* if one reader is given those before *cut*, and another goes on.

    *groups* says how many descriptors the first has read at a time.
    """
    first, second = Log(), Log()
    for count in groups:
        first.reader.feed_handles([Descriptor(-1) for _ in range(count)])
    first.reader.feed(memoryview(octets[:cut]))
    for half in first.reader.half_read():
        if half.handles:
            second.reader.feed_handles(cast("list[Descriptor]", list(half.handles)))
        for view in half.views:
            second.reader.feed(memoryview(view))
    second.reader.feed(memoryview(octets[cut:]))
    return [*first.heard, *second.heard]


@pytest.mark.parametrize(
    "cut", [0, 1, 24, 27, 30, 51, 60, 90, 140, 150, 171, 500, 50_000, 80_300, 150_000, 160_000, 250_300]
)
def test_another_reader_goes_on_where_one_has_stopped(cut: int) -> None:
    octets = stream()
    whole = Log()
    whole.reader.feed(memoryview(octets))

    assert heard_by_two([], octets, cut) == whole.heard


@pytest.mark.parametrize(
    "octets",
    [
        HEADER.pack(99, 0, 0, 0, 0, 0),
        HEADER.pack(END, 0, 0, 99, 0, 0),
        HEADER.pack(MESSAGE, 0, 1, 0, 0, 0),
        HEADER.pack(MESSAGE, 0, 0, 3, 2, 0) + b"xx",
        HEADER.pack(MESSAGE, 0, 0, 0, 1 << 62, 0),
        HEADER.pack(BATCH, 0, 0, 1, 0, 0),
        HEADER.pack(BATCH, 0, 0, 1, 5, 0) + b"\2\0\0\0x",
        HEADER.pack(BATCH, 0, 0, 1, 6, 0) + b"\1\0\0\0xy",
        HEADER.pack(BATCH, 0, 0, 1 << 31, 4, 0) + b"xxxx",
        HEADER.pack(BATCH, 0, 0, 2, 1 << 62, 0),
    ],
)
def test_what_contradicts_itself_breaks_the_protocol(octets: bytes) -> None:
    with pytest.raises(FrameError):
        Log().reader.feed(memoryview(octets))


def with_handles(*counts: int) -> Chunk:
    """Frames with so many descriptors each, that go together."""
    entries = []
    for count in counts:
        records = [Record(APART, count, 3, 3)]
        entries += chunks(MESSAGE, b"p" * count, records, [b"seg"], [Descriptor(-1) for _ in range(count)])
    return together(entries)


def test_frames_that_come_together_have_their_own_descriptors_wherever_another_reader_goes_on() -> None:
    chunk = with_handles(2, 1, 3)
    octets = b"".join(chunk.views) + framed(b"plain") + control(END, 1)
    for cut in range(len(octets) + 1):
        heard = heard_by_two([6], octets, cut)
        assert [entry[2:] for entry in heard[:3]] == [  # type: ignore[index]
            (b"pp", [b"seg"], 2),
            (b"p", [b"seg"], 1),
            (b"ppp", [b"seg"], 3),
        ]
        assert len(heard) == 5


def many_and_one() -> tuple[list[int], bytes]:
    """A message of more descriptors than one ``sendmsg`` takes, and one that goes with its last chunk."""
    records = [Record(APART, MAX_DESCRIPTORS + 2, 3, 3)]
    handles = [Descriptor(-1) for _ in range(MAX_DESCRIPTORS + 2)]
    more, last = chunks(MESSAGE, b"many", records, [b"seg"], handles)
    [one] = chunks(MESSAGE, b"one", [Record(APART, 1, 3, 3)], [b"seg"], [Descriptor(-1)])
    burst = together([last, one])
    return [len(more.handles), len(burst.handles)], b"".join([*more.views, *burst.views])


def test_another_reader_goes_on_wherever_one_stopped_in_a_burst_behind_many_descriptors() -> None:
    groups, octets = many_and_one()
    for cut in range(len(octets) + 1):
        heard = heard_by_two(groups, octets, cut)
        assert [entry[2:] for entry in heard] == [  # type: ignore[index]
            (b"many", [b"seg"], MAX_DESCRIPTORS + 2),
            (b"one", [b"seg"], 1),
        ]


@pytest.mark.parametrize("came", [0, 100])
def test_many_descriptors_that_are_lost_before_a_burst_are_those_of_its_first_message(came: int) -> None:
    (_, both), octets = many_and_one()
    for cut in range(HEADER.size, len(octets) + 1):
        frames: list[Frame] = []
        first, second = (FrameReader(lambda payloads: None, frames.append, lambda size: None) for _ in "12")
        first.feed_handles([Descriptor(-1) for _ in range(came)], lost=True)
        first.feed_handles([Descriptor(-1) for _ in range(both)])
        first.feed(memoryview(octets[:cut]))

        for half in first.half_read():
            if half.handles:
                second.feed_handles(cast("list[Descriptor]", list(half.handles)))
            for view in half.views:
                second.feed(memoryview(view))
        second.feed(memoryview(octets[cut:]))

        assert [(len(frame.handles), frame.lost) for frame in frames] == [(came + 2, True), (1, False)]


def test_descriptors_that_are_lost_are_the_last_of_those_that_come_together() -> None:
    frames: list[Frame] = []
    reader = FrameReader(lambda payloads: None, frames.append, lambda size: None)
    reader.feed_handles([Descriptor(-1) for _ in range(4)], lost=True)

    for view in with_handles(2, 3, 1).views:
        reader.feed(memoryview(view))
    reader.feed_handles([Descriptor(-1)])
    for chunk in chunks(MESSAGE, b"", [Record(APART, 1, 0)], [b""], [Descriptor(-1)]):
        for view in chunk.views:
            reader.feed(memoryview(view))

    assert [(len(frame.handles), frame.lost) for frame in frames] == [
        (2, False),
        (2, True),
        (0, True),
        (1, False),
    ]


@pytest.mark.parametrize("counts", [(2, 2), (3,), (1, 1, 2)])
def test_frames_that_come_together_have_no_more_descriptors_than_came(counts: tuple[int, ...]) -> None:
    total = sum(counts)
    octets = b"".join(with_handles(*counts).views)
    header = HEADER.pack(MORE, 0, total - 1, len(counts), 0, 0)
    reader = Log().reader
    reader.feed_handles([Descriptor(-1) for _ in range(total - 1)])

    with pytest.raises(FrameError):
        reader.feed(memoryview(header + octets[HEADER.size :]))


def test_a_peer_that_breaks_the_protocol_is_closed() -> None:
    near, far = MessageChannel("process")
    link = process_link(far)

    link.outbox.put_now(Chunk([control(99)]))

    with pytest.raises(PortClosedError) as caught:
        near.receive(5)
    assert caught.value.reason is CloseReason.PROTOCOL_ERROR


def test_more_ports_than_one_sendmsg_takes_arrive() -> None:
    near, far = MessageChannel("process")
    pairs = [MessageChannel("process") for _ in range(300)]
    ports = [pair.port1 for pair in pairs]

    near.post_message(ports, ports)

    arrived = cast("list[MessagePort]", far.receive(20))
    for number, pair in enumerate(pairs):
        pair.port2.post_message(number)
    assert [port.receive(10) for port in arrived] == list(range(300))
    for port in arrived:
        port.close()


@contextmanager
def few_files(more: int) -> Iterator[None]:
    """Room for *more* descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    probe = os.dup(0)
    os.close(probe)
    resource.setrlimit(resource.RLIMIT_NOFILE, (probe + more, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208  # names are all that is wanted


def test_no_descriptors_left_is_an_oserror_and_nothing_leaks() -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel()
    far.post_message("started")
    near.receive(5)
    collect()
    before = files()

    with few_files(1):
        with pytest.raises(OSError):
            MessageChannel("process")
        with pytest.raises(OSError):
            near.post_message(mine, [mine])

    assert files() == before
    assert not mine.detached
    peer.post_message("still there")
    assert mine.receive(5) == "still there"


def test_a_port_whose_peer_is_known_moves_without_a_descriptor_left() -> None:
    near, far = MessageChannel("process")
    mine, theirs = MessageChannel("process")
    context = multiprocessing.get_context("fork")
    child = context.Process(target=children.echo, args=(theirs,))
    child.start()
    mine.post_message("known?")
    assert mine.receive(10) == "known?"
    collect()

    with few_files(0):
        near.post_message(mine, [mine])

    moved = cast(MessagePort, far.receive(5))
    moved.post_message("moved")
    assert moved.receive(5) == "moved"
    moved.close()
    child.join(10)
    assert child.exitcode == 0


def test_an_inherited_port_can_be_used_when_there_are_descriptors_again() -> None:
    near, far = MessageChannel("process")
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            with few_files(0), pytest.raises(OSError):
                far.post_message("too early")
            far.post_message("mine")
            code = 0
        finally:
            os._exit(code)

    assert near.receive(10) == "mine"
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    with pytest.raises(PortClosedError):
        near.receive(10)
    assert near.close_reason is CloseReason.PEER_DIED


def test_a_thread_that_finds_no_descriptor_to_wait_with_may_come_again() -> None:
    near, far = MessageChannel("process")
    far.post_message("started")
    near.receive(5)

    def receive() -> None:
        with few_files(0), pytest.raises(OSError):
            far.receive(5)
        near.post_message("still there")
        heard.append(far.receive(5))

    heard: list[object] = []
    collect()
    thread = threading.Thread(target=receive)
    thread.start()
    thread.join(10)
    assert heard == ["still there"]


def test_descriptors_that_find_no_room_are_a_messageerror_and_lose_nothing_else() -> None:
    near, far = MessageChannel("process")
    far.post_message("started")
    near.receive(5)
    shared = SharedArrayBuffer(4)
    mine, peer = MessageChannel("process")
    ends = [end for _ in range(4) for end in MessageChannel("process")]
    source = far._end.link.source
    assert source is not None
    source.retire()

    near.post_message([shared, *ends, mine], [*ends, mine])
    near.post_message("next")
    with few_files(2):
        source.resume()
        with pytest.raises(DecodeError, match="descriptors"):
            far.receive(5)

    assert far.receive(5) == "next"
    with pytest.raises(PortClosedError):
        peer.receive(5)


def test_descriptors_of_a_burst_that_find_no_room_are_messageerrors_and_lose_nothing_else() -> None:
    near, far = MessageChannel("process")
    far.post_message("started")
    near.receive(5)
    ends = [MessageChannel("process") for _ in range(8)]
    source = far._end.link.source
    assert source is not None
    source.retire()

    for one, _ in ends:
        near.post_message(one, [one])
    near.post_message("next")
    got: list[object] = []
    with few_files(3):
        source.resume()
        for _ in ends:
            try:
                got.append(far.receive(5))
            except DecodeError as error:
                got.append(error)

    assert far.receive(5) == "next"
    assert 0 < sum(isinstance(thing, DecodeError) for thing in got) < len(got)
    for (_, two), thing in zip(ends, got, strict=True):
        if isinstance(thing, MessagePort):
            thing.post_message("through it")
            assert two.receive(5) == "through it"
        else:
            with pytest.raises(PortClosedError):
                two.receive(5)


def test_a_memfd_that_can_shrink_is_not_mapped() -> None:
    near, far = MessageChannel("process")
    link = process_link(near)
    fd = os.memfd_create("bad", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 100)

    for chunk in chunks(MESSAGE, b"\xff\x0f0", [Record(2, 1, 0, 100)], [b""], [Descriptor(fd)]):
        link.outbox.put_now(chunk)
    near.post_message("next")

    with pytest.raises(DecodeError, match="sealed"):
        far.receive(5)
    assert far.receive(5) == "next"


def test_what_is_nothing_but_what_moves_arrives_as_that() -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel("process")
    movable, plain = ArrayBuffer(8, movable=True), ArrayBuffer(b"plain")

    near.post_message(mine, [mine])
    near.post_message(movable, [movable])
    near.post_message(plain, [plain])
    near.post_message([plain := ArrayBuffer(b"x")], [plain])

    assert near.buffered_amount > 0
    cast(MessagePort, far.receive(5)).post_message("through it")
    assert peer.receive(5) == "through it"
    assert bytes(cast(ArrayBuffer, far.receive(5))) == bytes(8)
    assert bytes(cast(ArrayBuffer, far.receive(5))) == b"plain"
    assert [bytes(buffer) for buffer in cast("list[ArrayBuffer]", far.receive(5))] == [b"x"]


def test_a_message_that_says_it_is_what_moves_and_moves_nothing_is_none() -> None:
    near, far = MessageChannel("process")
    link = process_link(near)
    link.post_raw(ALONE)
    for chunk in chunks(MESSAGE, ALONE, [Record(APART, 0, 1)], [b"x"], []):
        link.outbox.put_now(chunk)

    for _ in range(2):
        with pytest.raises(DecodeError):
            far.receive(5)


def test_what_waits_to_be_written_travels_with_its_port() -> None:
    near, far = MessageChannel("process")
    carrier, to = MessageChannel("process")
    inner, inner_peer = MessageChannel("process")
    source = far._end.link.source
    assert source is not None
    source.retire()  # nobody reads: the kernel's buffer fills, and the rest stays with the sender
    big = bytearray(b"x" * 1_000_000)
    near.post_message(big)
    big[:] = b"y" * 1_000_000
    near.post_message({"port": inner}, [inner])
    near.post_message("last")

    carrier.post_message(near, [near])
    moved = cast(MessagePort, to.receive(5))
    moved.post_message("and more")
    source.resume()

    assert bytes(cast(bytes, far.receive(10))) == b"x" * 1_000_000
    port = cast("dict[str, MessagePort]", far.receive(5))["port"]
    assert [far.receive(5), far.receive(5)] == ["last", "and more"]
    inner_peer.post_message("through all this")
    assert port.receive(5) == "through all this"


def test_ports_in_messages_that_were_never_written_are_closed() -> None:
    near, far = MessageChannel("process")
    mine, peer = MessageChannel("process")
    source = far._end.link.source
    assert source is not None
    source.retire()
    near.post_message(bytes(5_000_000))
    near.post_message(mine, [mine])

    far.close()

    with pytest.raises(PortClosedError):
        peer.receive(5)
    assert peer.close_reason is CloseReason.LOST


def test_what_was_queued_between_threads_travels_on_after_its_peer_has_left() -> None:
    """A thread channel becomes a process channel, and the end that stayed follows, with its queue."""
    near, far = MessageChannel("process")
    one, two = MessageChannel()
    inner, inner_peer = MessageChannel()
    shared = SharedArrayBuffer(b"s")
    one.post_message([inner, shared, ArrayBuffer(b"a")], [inner])
    one.post_message("second")

    near.post_message(one, [one])
    near.post_message(two, [two])
    new_one, new_two = cast(MessagePort, far.receive(5)), cast(MessagePort, far.receive(5))

    port, same, buffer = cast("list[object]", new_two.receive(5))
    assert isinstance(same, SharedArrayBuffer)
    assert bytes(same) == b"s"
    assert isinstance(buffer, ArrayBuffer)
    assert bytes(buffer) == b"a"
    assert new_two.receive(5) == "second"
    inner_peer.post_message("hello")
    assert cast(MessagePort, port).receive(5) == "hello"
    new_one.post_message("direct")
    assert new_two.receive(5) == "direct"


def test_big_buffers_arrive_whole_and_alone() -> None:
    near, far = MessageChannel("process")
    plain = ArrayBuffer(b"p" * 200_000)
    resizable = ArrayBuffer(b"r" * 200_000, max_byte_length=300_000)
    view = memoryview(bytearray(b"v" * 200_000))

    near.post_message(
        {"plain": plain, "on": plain.view("H"), "r": resizable, "view": view, "b": b"b" * 99_999}
    )

    message = cast("dict[str, object]", far.receive(10))
    arrived, again, on = message["plain"], message["r"], message["on"]
    assert isinstance(arrived, ArrayBuffer) and isinstance(again, ArrayBuffer) and isinstance(on, memoryview)
    assert bytes(arrived) == b"p" * 200_000
    assert (again.byte_length, again.max_byte_length) == (200_000, 300_000)
    assert on.format == "H"
    on[0] = 0
    assert bytes(arrived)[:3] == b"\0\0p"
    assert bytes(cast(bytes, message["view"])) == b"v" * 200_000
    assert bytes(cast(bytes, message["b"])) == b"b" * 99_999


def test_a_plain_recv_is_never_used_on_a_socket_with_descriptors() -> None:
    """It would close them, and nobody would be told: this is how the kernel behaves."""
    one, two = socket.socketpair()
    collect()
    quiet()  # what other tests have left is closed
    socket.send_fds(one, [b"x"], [0])
    before = files()
    assert two.recv(1) == b"x"
    assert files() == before
    one.close()
    two.close()


@pytest.mark.parametrize("count", [1, 5000])
def test_a_program_with_both_ends_has_nothing_to_wait_for(count: int) -> None:
    program = f"""
        import transport
        near, far = transport.MessageChannel("process")
        for _ in range({count}):
            near.post_message("x" * 1000)
        """
    assert run(program) == (0, "", "")
