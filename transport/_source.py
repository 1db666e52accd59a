"""A descriptor that feeds ends, and the role of its one reader.

The role is held by one of these at a time, and they take it over from each other without a message lost:

    a poller    the I/O thread's, the dispatcher's or a loop's: whoever runs the listeners of the port
    a thread    one that is in ``port.receive()``: it reads the descriptor itself, with no thread between
    nobody      after ``retire``: before the descriptor is closed or handed on

A thread that has received gives the role back only after a while (``_io.GRACE``), so that one who receives
in a loop pays for no system call but his own.
"""

from __future__ import annotations

import select
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sized
from time import monotonic
from typing import TYPE_CHECKING, Final

from transport._io import call_later, io_poller
from transport._poller import Poller, Wakeup

if TYPE_CHECKING:
    from transport._dispatch import Home


class Sleeper:
    """A thread that waits in ``receive`` on a port with a descriptor.

    It sleeps in ``poll`` on the descriptor that it reads, if it leads, and on a wake-up.  The wake-up is not
    set for one that is awake, as it is while it reads: who wakes it says ``woken`` first and looks then
    whether it sleeps; it does so the other way round.
    """

    __slots__ = ("_poll", "_sleeps", "_wait", "_wakeup", "leads", "reads", "woken")

    def __init__(self) -> None:
        self._wakeup = Wakeup()
        self._poll = select.poll()
        self._poll.register(self._wakeup.fd, select.POLLIN)
        self._wait = self._poll.poll
        self.reads = -1
        """The descriptor that is in the poll set, though the sleeper may not lead any more."""
        self._sleeps = False
        self.woken = False
        """Has somebody something for this thread?"""
        self.leads = False
        """This thread reads the descriptor; otherwise another does, for it too."""

    def wake(self) -> None:
        self.woken = True
        if self._sleeps:
            self._wakeup.set()

    def promote(self, fd: int) -> None:
        """Let it read *fd* from now on."""
        self.lead(fd)
        self._wakeup.set()

    def lead(self, fd: int) -> None:
        """Read *fd*.  (One who receives in a loop finds it in the set.)"""
        self.leads = True
        if self.reads != fd:
            if self.reads >= 0:
                self._poll.unregister(self.reads)
            self._poll.register(fd, select.POLLIN)
            self.reads = fd

    def follow(self) -> None:
        """Read nothing."""
        self.leads = False
        if self.reads >= 0:
            self._poll.unregister(self.reads)
            self.reads = -1

    def sleep(self, seconds: float | None) -> bool:
        """Until there is something to read, or somebody wakes it; False when *seconds* are over."""
        self._sleeps = True
        try:
            if self.woken:
                return True
            ready = self._wait(None if seconds is None else seconds * 1000)
        finally:
            self._sleeps = False
        if len(ready) != 1 or ready[0][0] != self.reads:
            self._wakeup.clear()
        return bool(ready)

    def reset(self) -> None:
        """The next one who borrows it has not been woken.  (The wake-up may be set: he sleeps once less.)"""
        self.woken = False

    def __del__(self) -> None:
        if hasattr(self, "_wakeup"):  # there may have been no descriptor for it
            self._wakeup.close()


class _Sleepers(threading.local):
    def __init__(self) -> None:
        self.free: list[Sleeper] = []


_sleepers: Final = _Sleepers()


def borrow_sleeper() -> Sleeper:
    """This thread's sleeper, or another if that one sleeps (a signal handler may receive, too)."""
    return _sleepers.free.pop() if _sleepers.free else Sleeper()


def return_sleeper(sleeper: Sleeper) -> None:
    sleeper.reset()
    _sleepers.free.append(sleeper)


def forget() -> None:
    """In a forked child: a sleeper's descriptor is the parent's too, who would be woken instead."""
    _sleepers.free = []


class Source(ABC):
    """A backend's descriptor.  A backend subclasses it with ``pump``."""

    follows_home = True
    """Is it read by whoever runs its port's listeners?  False for a descriptor with many ports."""

    def __init__(self, fd: int) -> None:
        self.fd: Final = fd
        """What to wait for.  The number stays when it is closed: a reader's poll set knows it by that."""
        self._role = threading.Lock()
        self._pumping = threading.RLock()
        self._poller: Poller | None = None
        self._leader: Sleeper | None = None
        self._followers: Final[deque[Sleeper]] = deque()
        self._retired = False
        self._finished = False
        """Has ``pump`` said that nothing more can come?"""
        self._home: Poller | None = None
        """The poller that gets the role back when a thread is done with it."""
        self._loans = 0
        """How often a thread has taken the role."""
        self._seen_loans: int | None = None
        """What ``_loans`` was when the I/O thread looked: it gives the role back when this stands still.
        None while it does not look."""

    @abstractmethod
    def pump(self) -> bool:
        """Read what is there, never blocking, and ``put`` it into the ends it is for.

        Called by one thread at a time.  False when nothing more can come: the end marks have been put.
        """

    def _wanted(self) -> None:
        """Called before somebody waits for what comes, or has a poller wait for it."""
        return

    def is_calm(self) -> bool:
        """Is nothing to be read, and nobody at reading it?"""
        with self._pumping:
            poll = select.poll()
            poll.register(self.fd, select.POLLIN)
            return not any(mask & select.POLLIN for _, mask in poll.poll(0))

    # ------------------------------------------------------------------ pollers

    def attend(self, home: Home | None) -> None:
        """It feeds a port whose listeners run in *home*: that reads, if it can, else the I/O thread; None if
        nobody listens: the I/O thread does, in a while."""
        if home is None:
            self.watch_later(io_poller())
        else:
            poller = home.poller() if self.follows_home else None
            self.watch(io_poller() if poller is None else poller)

    def watch(self, poller: Poller) -> None:
        """*poller* reads from now on, once no thread does."""
        self._wanted()
        self._watch(poller)

    def watch_later(self, poller: Poller) -> None:
        """*poller* reads in a while, if nobody does by then: for a port to which nobody listens.

        One that moves on, is closed, or is received from in a loop is never put into a poll set so.
        """
        if self._poller is not None and self._poller is not poller:
            self.watch(poller)
            return
        self._wanted()
        self.put_off(poller)

    def put_off(self, poller: Poller) -> None:
        """*poller* reads in a while, if nobody does by then; nobody is told that it is wanted."""
        with self._role:
            self._home = poller
            put_off = self._poller is None and self._seen_loans is None and not self._retired
            if put_off:
                self._seen_loans = self._loans
        if put_off:
            call_later(self._give_back)

    def _watch(self, poller: Poller) -> None:
        with self._role:
            self._home = poller
            if self._retired or self._leader is not None or self._poller is poller:
                return
            self._leave_poller()
            self._join_poller(poller)

    def retire(self) -> None:
        """Nobody reads any more; when this returns, nobody is in ``pump`` (unless the caller is).

        It waits for a ``pump`` that is under way: call it with no lock that ``pump``, or ``End.put``, takes.
        """
        with self._role:
            self._retired = True
            self._leave_poller()
            leader = self._leader
            sleepers = [*self._followers] if leader is None else [leader, *self._followers]
            self._followers.clear()
        for sleeper in sleepers:
            sleeper.wake()
        with self._pumping:
            pass

    def resume(self) -> None:
        """After ``retire``: the descriptor may be watched again, unless it has nothing more to give."""
        with self._role:
            self._retired = self._finished

    def forget(self) -> None:
        """In a forked child: whoever read, he is in the parent, and the epoll set is the parent's too."""
        self._role = threading.Lock()
        self._pumping = threading.RLock()
        self._poller = self._leader = self._home = None
        self._followers.clear()
        self._seen_loans = None

    def _join_poller(self, poller: Poller) -> None:
        self._poller = poller
        poller.on_readable(self.fd, self._readable)

    def _leave_poller(self) -> None:
        if self._poller is not None:
            poller, self._poller = self._poller, None
            poller.on_readable(self.fd, None)

    def _readable(self) -> None:
        with self._pumping:
            if self._poller is None or self._retired:
                return
            more = self.pump()
        if not more:
            self._finish()

    def _finish(self) -> None:
        self._finished = True
        self.retire()

    # ------------------------------------------------------------------ threads

    @property
    def led(self) -> bool:
        """Does a thread read it that waits for a message?"""
        return self._leader is not None

    def read_alone(self, items: Sized, timeout: float | None) -> bool:
        """Read until there are *items*, which nobody else puts there, or *timeout* seconds are over.

        For a descriptor with one port.  It needs nobody to wake it but ``retire``, so nobody is told that it
        waits: the path of every message that somebody waits for.

        Returns:
            False, at once, if somebody else reads, or nobody may.
        """
        self._wanted()
        free = _sleepers.free
        sleeper = free.pop() if free else Sleeper()
        role, pumping = self._role, self._pumping
        try:
            role.acquire()
            try:
                if self._leader is not None or self._retired:
                    return False
                polled = self._poller is not None
                if polled:
                    self._leave_poller()
                self._leader = sleeper
                self._loans += 1
            finally:
                role.release()
            if sleeper.reads != self.fd:
                sleeper.lead(self.fd)
            if polled:
                with pumping:
                    pass  # what the poller is just reading is in *items* then, and it would tell nobody
            deadline = None if timeout is None else monotonic() + timeout
            while not items and sleeper.sleep(timeout) and not sleeper.woken:
                pumping.acquire()
                try:
                    if self._leader is not sleeper or self._retired:
                        break
                    more = self.pump()
                finally:
                    pumping.release()
                if not more:
                    self._finish()
                    break
                if deadline is not None:
                    timeout = max(0.0, deadline - monotonic())
            return True
        finally:
            if self._leader is sleeper:
                self._leader = None
                if self._followers or self._seen_loans is None:
                    self._hand_over()
            sleeper.woken = False
            free.append(sleeper)

    def wait(self, sleeper: Sleeper, timeout: float | None) -> None:
        """Until *sleeper* is woken or *timeout* seconds are over, reading meanwhile if nobody else does.

        It may return early; the caller looks into his queue and comes back.
        """
        self._wanted()
        deadline = None if timeout is None else monotonic() + timeout
        with self._role:
            sleeper.follow()
            if not self._retired:
                # First this, and then the look: who stops leading does it the other way round.
                self._followers.append(sleeper)
                if self._leader is None:
                    self._followers.remove(sleeper)
                    self._lead(sleeper)
        try:
            while not sleeper.woken:
                if not sleeper.sleep(None if deadline is None else max(0.0, deadline - monotonic())):
                    with self._pumping:  # what a poller is just reading was there in time
                        return
                if sleeper.leads and not sleeper.woken and not self._pump_as(sleeper):
                    return
        finally:
            self._stop_waiting(sleeper)

    def wake_leader(self) -> None:
        """Somebody else has read, for once: who reads alone looks whether it was for him."""
        leader = self._leader
        if leader is not None:
            leader.wake()

    def _lead(self, sleeper: Sleeper) -> None:
        if self._poller is not None:
            self._leave_poller()
        self._leader = sleeper
        self._loans += 1
        sleeper.lead(self.fd)

    def _pump_as(self, sleeper: Sleeper) -> bool:
        with self._pumping:
            if self._leader is not sleeper or self._retired:
                return False
            more = self.pump()
        if not more:
            self._finish()
        return more

    def _stop_waiting(self, sleeper: Sleeper) -> None:
        with self._role:
            if self._leader is not sleeper:
                if sleeper in self._followers:
                    self._followers.remove(sleeper)
                return
            self._leader = None
        self._hand_over()

    def _hand_over(self) -> None:
        """One who led does not any more: the next one does, or, after a while, a poller."""
        with self._role:
            if self._leader is not None or self._retired:
                return
            if self._followers:
                heir = self._followers.popleft()
                self._leave_poller()
                self._leader = heir
                self._loans += 1
                heir.promote(self.fd)
                return
            if self._seen_loans is not None:
                return
            self._seen_loans = self._loans
        call_later(self._give_back)

    def _give_back(self) -> None:
        """A while is over: the poller reads again, unless a thread has since come back, or is at it."""
        with self._role:
            used = self._loans != self._seen_loans and not self._retired
            self._seen_loans = self._loans if used else None
            if not (used or self._retired or self._leader or self._poller) and self._home is not None:
                self._join_poller(self._home)
        if used:
            call_later(self._give_back)
