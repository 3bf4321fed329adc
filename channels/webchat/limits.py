"""How much one session and one remote address may send and read, counted in memory."""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from core.domain.errors import TooManyAttempts
from core.domain.places import address_of, place_of

_MAX_BUCKETS = 10_000  # of each kind
_UNKNOWN = "unknown"
_STREAM_RETRY_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """What a bucket holds when full, and how fast it fills."""

    burst: int
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the web chat takes; a press of a button counts as a message."""

    messages_of_session: Rate = Rate(burst=60, per_second=2)
    messages_of_address: Rate = Rate(burst=300, per_second=10)  # an office may share one address
    sessions_of_address: Rate = Rate(burst=60, per_second=1)
    files_of_session: Rate = Rate(burst=20, per_second=0.05)
    files_of_address: Rate = Rate(burst=60, per_second=0.1)
    bytes_of_session: Rate = Rate(burst=200_000_000, per_second=20_000)  # of messages and files
    bytes_of_address: Rate = Rate(burst=500_000_000, per_second=100_000)
    reads_of_session: Rate = Rate(burst=60, per_second=1)  # of what was said, and new streams
    reads_of_address: Rate = Rate(burst=600, per_second=20)
    streams_of_session: int = 20  # open at once: one for each tab
    streams_of_address: int = 1_000
    this_machine_is_free: bool = True  # programs beside the desk: imports, tests, measurements


class Buckets:
    """Token buckets by name; the longest unused one is forgotten when there are too many.

    A forgotten bucket is a full one, so `max_buckets` should be more than are in use at once.
    """

    def __init__(
        self, rate: Rate, clock: Callable[[], float], *, max_buckets: int = _MAX_BUCKETS
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._max_buckets = max_buckets
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when

    def __len__(self) -> int:
        return len(self._levels)

    def wait_seconds(self, name: str, amount: int = 1) -> float:
        """Return how long it takes until `name` has `amount` tokens: 0 if it has them.

        More than the bucket holds is as much as it holds: something so large can come, alone.
        """
        amount = min(amount, self._rate.burst)
        return max(0.0, (amount - self._level(name)) / self._rate.per_second)

    def take(self, name: str, amount: int = 1) -> None:
        """Take `amount` tokens of `name`, which must have them."""
        amount = min(amount, self._rate.burst)
        self._levels[name] = (self._level(name) - amount, self._clock())
        self._levels.move_to_end(name)
        if len(self._levels) > self._max_buckets:
            self._levels.popitem(last=False)

    def _level(self, name: str) -> float:
        if name not in self._levels:
            return self._rate.burst
        tokens, at = self._levels[name]
        return min(self._rate.burst, tokens + (self._clock() - at) * self._rate.per_second)


class OpenStreams:
    """How many streams are open, by name."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def check(self, name: str) -> None:
        if self._open[name] >= self._most:
            raise TooManyAttempts(_STREAM_RETRY_SECONDS)

    def add(self, name: str) -> None:
        self._open[name] += 1

    def remove(self, name: str) -> None:
        self._open[name] -= 1
        if not self._open[name]:
            del self._open[name]


class ChatLimits:
    """Refuses what is too much. What is refused takes no tokens, so waiting always helps."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._messages_of_session = Buckets(limits.messages_of_session, clock)
        self._messages_of_address = Buckets(limits.messages_of_address, clock)
        self._sessions_of_address = Buckets(limits.sessions_of_address, clock)
        self._files_of_session = Buckets(limits.files_of_session, clock)
        self._files_of_address = Buckets(limits.files_of_address, clock)
        self._bytes_of_session = Buckets(limits.bytes_of_session, clock)
        self._bytes_of_address = Buckets(limits.bytes_of_address, clock)
        self._reads_of_session = Buckets(limits.reads_of_session, clock)
        self._reads_of_address = Buckets(limits.reads_of_address, clock)
        self._streams_of_session = OpenStreams(limits.streams_of_session)
        self._streams_of_address = OpenStreams(limits.streams_of_address)
        self._this_machine_is_free = limits.this_machine_is_free

    def count_session(self, remote: str | None) -> None:
        """Count a new session.

        Raises:
            TooManyAttempts: it must wait, and was not counted.
        """
        if (source := source_of(remote)) is not None:
            _take((self._sessions_of_address, source, 1))

    def count_message(self, session: UUID, remote: str | None, *, size_bytes: int = 0) -> None:
        """Count a message or a choice; one that is sent again counts again.

        Raises:
            TooManyAttempts: it must wait, and was not counted.
        """
        self._count(
            session, remote, self._messages_of_session, self._messages_of_address, size_bytes
        )

    def count_file(self, session: UUID, remote: str | None, *, size_bytes: int) -> None:
        """Count a file that is left, whether or not it is taken.

        Raises:
            TooManyAttempts: it must wait, and was not counted.
        """
        self._count(session, remote, self._files_of_session, self._files_of_address, size_bytes)

    def count_read(self, session: UUID, remote: str | None) -> None:
        """Count a look at what was said, or the beginning of a stream of it.

        Raises:
            TooManyAttempts: it must wait, and was not counted.
        """
        self._count(session, remote, self._reads_of_session, self._reads_of_address, 0)

    def check_stream(self, session: UUID, remote: str | None) -> None:
        """Say whether one more stream may be opened.

        Raises:
            TooManyAttempts: it may not, until another one ends.
        """
        for streams, name in self._streams(session, remote):
            streams.check(name)

    @contextmanager
    def stream(self, session: UUID, remote: str | None) -> Iterator[None]:
        """Count a stream for as long as it is open.

        Raises:
            TooManyAttempts: too many are.
        """
        self.check_stream(session, remote)
        counted = self._streams(session, remote)
        for streams, name in counted:
            streams.add(name)
        try:
            yield
        finally:
            for streams, name in counted:
                streams.remove(name)

    def _streams(self, session: UUID, remote: str | None) -> list[tuple[OpenStreams, str]]:
        of_session = (self._streams_of_session, str(session))
        if (source := source_of(remote)) is not None:
            return [of_session, (self._streams_of_address, source)]
        return [] if self._this_machine_is_free else [of_session]

    def _count(
        self,
        session: UUID,
        remote: str | None,
        of_sessions: Buckets,
        of_addresses: Buckets,
        size_bytes: int,
    ) -> None:
        name = str(session)
        of_session = ((of_sessions, name, 1), (self._bytes_of_session, name, size_bytes))
        if (source := source_of(remote)) is not None:
            bytes_of_address = (self._bytes_of_address, source, size_bytes)
            _take(*of_session, (of_addresses, source, 1), bytes_of_address)
        elif not self._this_machine_is_free:
            _take(*of_session)


def source_of(remote: str | None) -> str | None:
    """Return what requests from `remote` are counted under, or None if this machine sent them."""
    if remote is None:  # a Unix socket
        return None
    address = address_of(remote)
    if address is None:
        return _UNKNOWN  # a proxy forwarded something else: all such requests count as one source
    return None if address.is_loopback else place_of(address)


def _take(*taken: tuple[Buckets, str, int]) -> None:
    """Take tokens of each bucket, or of none."""
    wait = max(buckets.wait_seconds(name, amount) for buckets, name, amount in taken)
    if wait > 0:
        raise TooManyAttempts(math.ceil(wait))
    for buckets, name, amount in taken:
        buckets.take(name, amount)
