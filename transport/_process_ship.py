"""Ends in messages: how one of any kind is taken apart, and put together in another process.

    an end of a process channel   its socket, with its state; as it came, if nobody has used it since
    of a channel between threads  becomes one: a new pair, whose near half the staying end gets as its link
    of any other                  a new pair, and a relay in this process

    state = flags, how many chunks to come and to go, pid of the peer, unacknowledged, owed, channel
            (bytes descriptors)*  bytes*

The chunks are what was read and not taken, half a frame, and what was not written yet.

The messages that wait in an end may carry ends in turn, so this is done with a stack of generators: each
yields the ends that it meets, and is sent what they were taken apart into.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Generator, Sequence
from typing import Any, Final, TypeAlias, cast

from clonecodec import BufferToken, DataCloneError, DecodeError
from transport import _thread_link
from transport._drop import drop_all
from transport._end import End
from transport._process_folded import STATE, Folded, fresh, is_calm
from transport._process_link import ProcessLink
from transport._process_owner import peer
from transport._process_parcel import Parcel, Plain, Shipped, bad, pack
from transport._process_socket import Side, side, socketpair
from transport._process_wire import END, REASONS, Chunk, Descriptor, Handle, Octets, control
from transport._relay import relay
from transport.link import Link
from transport.message import EndMark, Item, opened
from transport.port import MessagePort

_CHUNK: Final = struct.Struct("<QI4x")
_BEGUN: Final = 1  # flag: the kernel has the beginning of the first frame to go
_COPIED: Final = 2  # flag: forked processes have copies of the socket, so the new owner says who he is

Work: TypeAlias = Generator[End, Shipped, Shipped]


def make_end(sock: Side, state: bytes) -> End:
    """An end whose messages go through *sock*."""
    end = End()
    end.link = Folded(end, sock, state, FREIGHT)
    return end


class _Freight:
    def reserve(self, items: Sequence[object]) -> list[Side]:
        sockets: list[Side] = []
        try:
            for item in items:
                if isinstance(item, MessagePort) and item._end.link.backend != "process":
                    sockets += socketpair()
        except OSError:
            for sock in sockets:
                sock.close()
            raise
        return sockets

    def ship(self, tokens: Sequence[object], reserved: list[Side]) -> list[Shipped]:
        return [
            _as_it_is(token.link) or _work_off(_ship(token, reserved))
            for token in tokens
            if isinstance(token, End)
        ]

    def adopt(self, state: bytes, handles: list[Descriptor]) -> End:
        if is_calm(state):
            return make_end(_socket(handles), state)
        flags, to_come, to_go, pid, unacknowledged, owed, channel = STATE.unpack_from(state)
        end = End()
        end.link = link = ProcessLink(end, _socket(handles), channel, self)
        link.enter()
        link.posted, link.outbox.owed = unacknowledged, owed
        offset = STATE.size + (to_come + to_go) * _CHUNK.size
        numbers = _CHUNK.iter_unpack(state[STATE.size : offset])
        rest = handles[1:]
        if pid:
            pidfd = rest.pop(0)
            if pid != os.getpid():
                link.know(peer(pid, pidfd))
        entries: list[Chunk] = []
        for index, (size, count) in enumerate(numbers):
            octets, mine, rest = state[offset : offset + size], rest[:count], rest[count:]
            offset += size
            if index < to_come:
                if mine:
                    link.reader.feed_handles(mine)
                link.reader.feed(memoryview(octets))
            else:
                entries.append(Chunk([octets], mine))
        link.begin_with(entries, begun=bool(flags & _BEGUN))
        if flags & _COPIED:
            link.copied = True
            link.announce()
        return end


FREIGHT: Final = _Freight()


def _socket(handles: Sequence[Descriptor]) -> Side:
    result = side(handles[0].number)
    handles[0].release()
    return result


def duplicates(handles: Sequence[Handle]) -> list[Descriptor]:
    """*handles*, each with an owner of its own."""
    return [
        handle if isinstance(handle, Descriptor) else Descriptor(os.dup(handle.number)) for handle in handles
    ]


def _work_off(work: Work) -> Shipped:
    """Run *work*, and what it asks for, without recursion."""
    stack = [work]
    result: Shipped | None = None
    failure: OSError | None = None
    while True:
        try:
            top = stack[-1]
            if failure is not None:
                wanted = top.throw(failure)
            else:
                wanted = top.send(cast(Any, result))
        except StopIteration as stop:
            stack.pop()
            result, failure = stop.value, None
            if not stack:
                return cast(Shipped, result)
        except OSError as error:  # no descriptors left, for an end in a message that waits in an end
            stack.pop()
            failure = error
            if not stack:
                raise
        else:
            stack.append(_ship(wanted, []))
            result = failure = None


def _as_it_is(link: Link) -> Shipped | None:
    return link.take() if isinstance(link, Folded) else None


def _ship(end: End, reserved: list[Side]) -> Work:
    while True:
        link = end.link
        shipped = _as_it_is(link)
        if shipped is not None:
            return shipped
        if isinstance(link, Folded):
            link = link.unfold()
        if isinstance(link, ProcessLink):
            return (yield from _take_apart(end, link))
        near, far = (reserved.pop(), reserved.pop()) if reserved else socketpair()
        channel = os.urandom(16)

        def make_link(peer: End, near: Side = near, channel: bytes = channel) -> Link:
            link = ProcessLink(peer, near, channel, FREIGHT)
            link.enter()
            return link

        if link.backend != "thread":
            _relay_later(end, make_end(near, fresh(channel)))
            break
        if _thread_link.convert(end, make_link):
            break
        reserved += near, far  # the other end has left at the same time: look again
    return fresh(channel), [Descriptor(far.detach())]


def _relay_later(end: End, near: End) -> None:
    # What waits in *end* is sent through *near*, and may hold ends in turn: one after the other, not within.
    _thread_link._jobs.queue.append(lambda: relay(end, near))
    _thread_link._run_jobs()


def _take_apart(end: End, link: ProcessLink) -> Work:
    to_come: list[Chunk] = []
    for item in end.items:
        to_come += yield from _again(item)
    end.items.clear()
    to_come += link.reader.half_read()
    known = link.peer
    if known is not None:
        peer_pid, peer_handles = known.pid, [known.pidfd]  # (no copy: there may be no descriptor left)
    else:
        peer_pid, peer_handles = 0, []
    to_go, begun = link.part()
    table: list[bytes] = []
    octets: list[Octets] = []
    handles: list[Handle] = [Descriptor(link.socket.detach()), *peer_handles]
    for entry in [*to_come, *to_go]:
        table.append(_CHUNK.pack(sum(map(len, entry.views)), len(entry.handles)))
        octets += entry.views
        handles += entry.handles
    flags = (_BEGUN if begun else 0) | (_COPIED if link.copied else 0)
    channel = cast(bytes, link.channel)
    head = STATE.pack(
        flags, len(to_come), len(to_go), peer_pid, link.unacknowledged, link.outbox.owed, channel
    )
    return b"".join([head, *table, *octets]), handles


def _again(item: Item) -> Generator[End, Shipped, list[Chunk]]:
    """A message that waits, as the frame that it came in, or would have come in."""
    if isinstance(item, (Plain, Parcel)):
        return item.again()
    if isinstance(item, EndMark):
        return [Chunk([control(END, REASONS.index(item.reason))])]
    carried: Sequence[object] = ()
    try:
        value, carried = opened(item)
        packed = pack(value, carried)
        packed.take()
    except (DataCloneError, DecodeError) as error:
        drop_all(carried)
        return bad(str(error))
    shipped: list[Shipped] = []
    for token in packed.tokens:
        if not isinstance(token, BufferToken):
            try:
                shipped.append((yield cast(End, token)))
            except OSError as error:
                lost = [thing for thing in packed.tokens[len(shipped) :] if isinstance(thing, End)]
                adopted = (FREIGHT.adopt(state, duplicates(handles)) for state, handles in shipped)
                drop_all([*lost, *adopted])
                return bad(str(error))
    return packed.chunks(shipped)
