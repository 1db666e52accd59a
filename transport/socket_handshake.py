"""The handshake: who speaks, within what limits, and whether both know the secret.  Bytes in, bytes out.

    client: hello                         hello = magic:8 flags:u32 nonce:32 frame_size:u32 credit:u32
    server: hello                                 channels:u32 ports:u32 message_size:u64
    client: proof, if there is a secret   proof = HMAC-SHA256(secret, label NUL both hellos)
    server: 0:u8 proof, if there is one

The label names who proves, so that a proof is worth nothing when it is sent back to its maker; both nonces
are in it, so that it is worth nothing later.  The server proves after the client has, and no frame is
looked at before.
"""

from __future__ import annotations

import os
import struct
from typing import Final, Literal, NamedTuple, TypeAlias

from transport.errors import PortError
from transport.socket_limits import INITIAL_CREDIT, SMALLEST_FRAME, Limits

Role: TypeAlias = Literal["client", "server"]

MAGIC: Final = b"MSGPORT1"
HELLO: Final = struct.Struct("<8sI32sIIIIQ")
SECRET: Final = 1
"""The one flag: "I have a secret".  What other bits mean is not known yet; they are ignored."""

NONCE: Final = 32
PROOF: Final = 32
ACCEPTED: Final = b"\0"
LABELS: Final[dict[Role, bytes]] = {
    "client": b"clonecodec socket client\0",
    "server": b"clonecodec socket server\0",
}


class HandshakeError(PortError, ConnectionError):
    """The other side speaks something else, has another secret or none, or took too long."""

    answer = b""
    """What is still sent, so that the other side can say why."""


class PeerLimits(NamedTuple):
    """What the other side takes."""

    frame_size: int
    credit: int
    channels: int
    ports_per_message: int
    message_size: int


class Handshake:
    """One side of a handshake.

    Args:
        role: who connects is the client.
        secret: what both sides must know; None if nobody need know anything.
        limits: this side's.
    """

    def __init__(self, role: Role, secret: bytes | None, limits: Limits) -> None:
        self.role: Final = role
        self._secret: Final = secret
        self.nonce: Final = os.urandom(NONCE)
        self._hello: Final = HELLO.pack(
            MAGIC,
            0 if secret is None else SECRET,
            self.nonce,
            limits.frame_size,
            INITIAL_CREDIT,
            limits.channels,
            limits.ports_per_message,
            limits.message_size,
        )
        self._its_hello = b""
        self._input = b""
        self.peer: PeerLimits | None = None
        """The other side's limits, from its hello on."""
        self.peer_nonce = b""
        self.done = False
        """All has been exchanged and proved."""

    def start(self) -> bytes:
        """What is sent before anything has come."""
        return self._hello if self.role == "client" else b""

    @property
    def rest(self) -> bytes:
        """What came behind the handshake."""
        return self._input

    @property
    def connection_id(self) -> bytes:
        """Equal at both sides, and for no other connection."""
        nonces = (self.nonce, self.peer_nonce)
        return b"".join(nonces if self.role == "client" else reversed(nonces))

    def feed(self, data: bytes) -> bytes:
        """Take what came, and return what is to be sent.

        Raises:
            HandshakeError: the other side is not one that this side talks to.
        """
        self._input += data
        output = b""
        if self.peer is None:
            if not MAGIC.startswith(self._input[: len(MAGIC)]):
                raise HandshakeError("the other side does not speak this protocol")
            if len(self._input) < HELLO.size:
                return output
            self._read_hello(self._take(HELLO.size))
            if self.role == "server":
                output = self._hello
            elif self._secret is not None:
                output = self._proof("client")
            if self._secret is None:
                self.done = True
        if not self.done:
            output += self._read_proof()
        return output

    def _take(self, size: int) -> bytes:
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    def _read_hello(self, hello: bytes) -> None:
        _, flags, self.peer_nonce, frame_size, credit, channels, ports, message_size = HELLO.unpack(hello)
        self._its_hello = hello
        if (self._secret is not None) != bool(flags & SECRET):
            if self._secret is None:
                error = HandshakeError("the other side has a secret, and this one was given none")
            else:
                error = HandshakeError("the other side has no secret to prove")
            if self.role == "server":
                error.answer = self._hello
            raise error
        if min(frame_size, credit) < SMALLEST_FRAME:
            raise HandshakeError("the other side takes no frames that can be sent")
        self.peer = PeerLimits(frame_size, credit, channels, ports, message_size)

    def _read_proof(self) -> bytes:
        import hmac  # only for a secret

        if self.role == "server":
            if len(self._input) < PROOF:
                return b""
            if not hmac.compare_digest(self._take(PROOF), self._proof("client")):
                raise HandshakeError("the other side does not know the secret")
            self.done = True
            return ACCEPTED + self._proof("server")
        if self._input[:1] not in (b"", ACCEPTED):
            raise HandshakeError("the other side did not accept the secret")
        if len(self._input) < 1 + PROOF:
            return b""
        if not hmac.compare_digest(self._take(1 + PROOF)[1:], self._proof("server")):
            raise HandshakeError("the other side does not know the secret")
        self.done = True
        return b""

    def _proof(self, who: Role) -> bytes:
        import hmac

        assert self._secret is not None
        hellos = (self._hello, self._its_hello)
        both = b"".join(hellos if self.role == "client" else reversed(hellos))
        return hmac.digest(self._secret, LABELS[who] + both, "sha256")


def secret_bytes(secret: bytes | str | None) -> bytes | None:
    """The secret as bytes.

    Raises:
        ValueError: it is empty.
        TypeError: it is neither bytes nor text.
    """
    if isinstance(secret, str):
        secret = secret.encode()
    if secret is not None:
        if not isinstance(secret, (bytes, bytearray)):
            raise TypeError(f"a secret is bytes or str, not {type(secret).__name__}")
        if not secret:
            raise ValueError("the secret is empty; leave it out if there is none")
        return bytes(secret)
    return None
