"""What a server waits for: its links to runners and spawners, ends of processes, its own waker."""

from __future__ import annotations

import os
import select
import threading
from typing import TYPE_CHECKING

from projects.jobs.process import wire
from projects.jobs.process.links import RunnerLink, SpawnerLink

if TYPE_CHECKING:
    from collections.abc import Iterator

Link = RunnerLink | SpawnerLink


class Connections:
    """The links of one server.

    Attributes
    ----------
    epoll
        Where others register descriptors that `poll` shall tell of, too.
    """

    def __init__(self, runners_directory: str) -> None:
        self._runners_directory = runners_directory
        self.epoll = select.epoll()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._ending = threading.RLock()  # that a signal handler may take while it is held
        self.epoll.register(self._waker, select.EPOLLIN)
        self._links: dict[int, Link] = {}

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self._links.values()))

    def __contains__(self, link: Link) -> bool:
        return self._links.get(link.channel.fileno()) is link

    def add(self, link: Link) -> None:
        """Greet the other side, and listen to it from now on."""
        link.channel.send(f'{{"t":"hello","v":"{wire.version()}"}}')
        self._links[link.channel.fileno()] = link
        self.epoll.register(link.channel, select.EPOLLIN)

    def find_runner(self, name: str) -> RunnerLink | None:
        """Connect to a runner and greet it; None when it is dead."""
        channel = wire.connect(self._runners_directory, name + ".sock")
        if channel is None:
            return None
        link = RunnerLink(name, channel)
        self.add(link)
        return link

    def drop(self, link: Link) -> None:
        """Listen to it no more; it is to be closed after that."""
        del self._links[link.channel.fileno()]
        self.epoll.unregister(link.channel)

    def send(self, link: Link, line: str) -> None:
        """Send a line; what doesn't go through at once goes with the next `poll`."""
        link.channel.send(line)
        if link.channel.unsent:
            self.epoll.modify(link.channel, select.EPOLLIN | select.EPOLLOUT)

    def silent(self) -> list[str]:
        """Return the names of those that haven't said hello."""
        return [link.name for link in self._links.values() if not link.greeted]

    def spawners(self) -> set[str]:
        """Return the names of the spawners."""
        return {link.name for link in self._links.values() if isinstance(link, SpawnerLink)}

    def poll(self, timeout: float | None) -> tuple[bool, list[Link], list[int]]:
        """Wait; return whether `wake` was called, who speaks, which other descriptors are ready."""
        woken, speaking, others = False, [], []
        for descriptor, mask in self.epoll.poll(timeout):
            link = self._links.get(descriptor)
            if link is not None:
                if mask & select.EPOLLOUT:
                    self._flush(link)
                if mask & ~select.EPOLLOUT:
                    speaking.append(link)
            elif descriptor == self._waker:
                woken = True
                os.eventfd_read(self._waker)
            else:
                others.append(descriptor)
        return woken, speaking, others

    def _flush(self, link: Link) -> None:
        link.channel.flush()
        if not link.channel.unsent:
            self.epoll.modify(link.channel, select.EPOLLIN)

    def wake(self) -> None:
        """Let `poll` return; from any thread, also from a signal handler, also after the end."""
        with self._ending:
            if self._waker >= 0:  # else its number may be that of a database by now
                os.eventfd_write(self._waker, 1)

    def hang_up(self) -> None:
        """Close all links, as the end of this process does."""
        for link in self:
            link.channel.close()
        self._links.clear()

    def close(self) -> None:
        """Let go of everything, having said so."""
        for link in self:
            link.channel.send('{"t":"leave"}')
            if isinstance(link, SpawnerLink):
                link.close()
        self.hang_up()
        self.epoll.close()
        with self._ending:
            os.close(self._waker)
            self._waker = -1
