"""How much a session and a remote address may send, with a clock that the test turns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from channels.webchat.channel import WebChat
from channels.webchat.ids import thread_key
from channels.webchat.limits import Buckets, ChatLimits, Limits, Rate, source_of
from core.domain.errors import TooManyAttempts
from tests.unit.webchat.memory import ACCOUNT, KEY, MemoryDesk, application

OUTSIDE = "203.0.113.9"
SLOWLY = Limits(
    messages_of_session=Rate(burst=3, per_second=0.5),
    messages_of_address=Rate(burst=5, per_second=0.5),
    sessions_of_address=Rate(burst=2, per_second=0.1),
    this_machine_is_free=False,
)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limits(clock: Clock) -> ChatLimits:
    return ChatLimits(SLOWLY, clock)


def count_until_refused(
    limits: ChatLimits, remote: str, session: UUID | None = None
) -> tuple[int, int]:
    """Return how many messages were counted, each in a new session unless one is given."""
    counted = 0
    while True:
        try:
            limits.count_message(session or uuid4(), remote)
        except TooManyAttempts as refused:
            return counted, int(refused.retry_after)
        counted += 1


def test_a_bucket_fills_with_time_and_never_over_its_burst(clock: Clock) -> None:
    buckets = Buckets(Rate(burst=2, per_second=0.5), clock)
    for _ in range(2):
        assert buckets.wait_seconds("a") == 0
        buckets.take("a")
    assert buckets.wait_seconds("a") == 2
    clock.seconds += 1
    assert buckets.wait_seconds("a") == 1
    clock.seconds += 3_600
    buckets.take("a")
    buckets.take("a")
    assert buckets.wait_seconds("a") == 2
    assert buckets.wait_seconds("b") == 0


def test_only_so_many_buckets_are_kept_and_the_longest_unused_goes(clock: Clock) -> None:
    buckets = Buckets(Rate(burst=1, per_second=1), clock, max_buckets=3)
    for name in ("a", "b", "c"):
        buckets.take(name)
    clock.seconds += 1
    buckets.take("a")
    buckets.take("d")  # "b" goes
    assert len(buckets) == 3
    assert [buckets.wait_seconds(name) for name in ("a", "d")] == [1, 1]
    for number in range(100):
        buckets.take(str(number))
    assert len(buckets) == 3


def test_asking_makes_no_bucket(clock: Clock) -> None:
    buckets = Buckets(Rate(burst=1, per_second=1), clock)
    buckets.wait_seconds("a")
    assert len(buckets) == 0


def test_a_session_is_held_to_its_own_limit(limits: ChatLimits, clock: Clock) -> None:
    session = uuid4()
    assert count_until_refused(limits, "127.0.0.1", session) == (3, 2)
    limits.count_message(uuid4(), "127.0.0.1")
    clock.seconds += 2
    assert count_until_refused(limits, "127.0.0.1", session) == (1, 2)


def test_an_address_is_held_to_its_limit_whatever_the_session(limits: ChatLimits) -> None:
    assert count_until_refused(limits, OUTSIDE) == (5, 2)
    limits.count_message(uuid4(), "203.0.113.10")


def test_what_is_refused_takes_no_tokens(limits: ChatLimits, clock: Clock) -> None:
    session = uuid4()
    assert count_until_refused(limits, OUTSIDE, session) == (3, 2)
    for _ in range(10):
        with pytest.raises(TooManyAttempts):
            limits.count_message(session, OUTSIDE)
    assert count_until_refused(limits, OUTSIDE) == (2, 2)
    clock.seconds += 2
    limits.count_message(session, OUTSIDE)


def test_new_sessions_of_an_address_are_counted(limits: ChatLimits, clock: Clock) -> None:
    for _ in range(2):
        limits.count_session(OUTSIDE)
    with pytest.raises(TooManyAttempts) as refused:
        limits.count_session(OUTSIDE)
    assert refused.value.retry_after == 10
    clock.seconds += 10
    limits.count_session(OUTSIDE)


@pytest.mark.parametrize("remote", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", None])
def test_this_machine_has_no_limit_of_its_address(limits: ChatLimits, remote: str | None) -> None:
    for _ in range(100):
        limits.count_session(remote)
        limits.count_message(uuid4(), remote)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"),  # one subscriber's network
        ("203.0.113.9", "::ffff:203.0.113.9"),
        ("unknown", "_hidden" * 1_000),
        ("fe80::1%eth0", "fe80::2%eth1"),
    ],
)
def test_these_are_one_source(one: str, other: str) -> None:
    assert source_of(one) == source_of(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("203.0.113.9", "203.0.113.10")],
)
def test_these_are_two_sources(one: str, other: str) -> None:
    assert source_of(one) != source_of(other)


def test_by_default_a_session_may_send_sixty_at_once(clock: Clock) -> None:
    assert count_until_refused(ChatLimits(Limits(), clock), OUTSIDE, uuid4()) == (60, 1)


def test_by_default_this_machine_may_send_as_fast_as_it_likes(clock: Clock) -> None:
    limits, session = ChatLimits(Limits(), clock), uuid4()
    for _ in range(1_000):
        limits.count_message(session, "127.0.0.1")
        limits.count_session("127.0.0.1")


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
async def http(desk: MemoryDesk) -> AsyncIterator[httpx.AsyncClient]:
    chat = WebChat(ACCOUNT, KEY, limits=SLOWLY)
    transport = httpx.ASGITransport(application(desk, chat), client=(OUTSIDE, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        yield client


async def test_a_message_too_many_is_told_to_wait_and_not_stored(
    http: httpx.AsyncClient, desk: MemoryDesk
) -> None:
    opened = (await http.post("/chat/sessions")).json()
    headers = {"Authorization": f"Bearer {opened['token']}"}
    sent = [{"id": str(uuid4()), "text": f"message {number}"} for number in range(4)]
    answers = [await http.post("/chat/messages", json=each, headers=headers) for each in sent]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len(desk.events) == 3
    choice = {"id": str(uuid4()), "choice": str(uuid4())}
    answer = await http.post("/chat/choices", json=choice, headers=headers)
    assert answer.status_code == 429


def test_bytes_of_messages_and_files_are_counted_together(clock: Clock) -> None:
    bytes_of = Rate(burst=1_000, per_second=10)
    limits = ChatLimits(Limits(bytes_of_address=bytes_of), clock)
    limits.count_file(uuid4(), OUTSIDE, size_bytes=600)
    limits.count_message(uuid4(), OUTSIDE, size_bytes=200)
    with pytest.raises(TooManyAttempts) as refused:
        limits.count_file(uuid4(), OUTSIDE, size_bytes=300)
    assert refused.value.retry_after == 10
    limits.count_file(uuid4(), OUTSIDE, size_bytes=200)
    clock.seconds += 1_000
    limits.count_file(uuid4(), OUTSIDE, size_bytes=5_000)  # more than a bucket holds: alone
    with pytest.raises(TooManyAttempts):
        limits.count_message(uuid4(), OUTSIDE, size_bytes=1)


async def test_a_text_that_is_kept_as_a_file_counts_as_one(desk: MemoryDesk) -> None:
    limits = Limits(files_of_session=Rate(burst=1, per_second=0.01))
    chat = WebChat(ACCOUNT, KEY, limits=limits)
    transport = httpx.ASGITransport(application(desk, chat), client=(OUTSIDE, 50_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        opened = (await http.post("/chat/sessions")).json()
        headers = {"Authorization": f"Bearer {opened['token']}"}
        long, short = "x" * 20_001, "x"
        answers = [
            await http.post(
                "/chat/messages", json={"id": str(uuid4()), "text": text}, headers=headers
            )
            for text in (long, long, short)
        ]
    assert [answer.status_code for answer in answers] == [202, 429, 202]


async def test_a_malformed_message_is_not_counted(http: httpx.AsyncClient) -> None:
    opened = (await http.post("/chat/sessions")).json()
    headers = {"Authorization": f"Bearer {opened['token']}"}
    for _ in range(20):
        answer = await http.post("/chat/messages", content=b"{", headers=headers)
        assert answer.status_code == 422


async def test_a_session_too_many_is_told_to_wait(http: httpx.AsyncClient) -> None:
    answers = [await http.post("/chat/sessions") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]


async def test_an_answer_ends_with_enough_text_and_says_that_there_is_more() -> None:
    desk = MemoryDesk()
    transport = httpx.ASGITransport(application(desk, WebChat(ACCOUNT, KEY)))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        opened = (await http.post("/chat/sessions")).json()
        for _ in range(70):
            desk.say(thread_key(UUID(opened["session"])), "x" * 20_000)
        headers = {"Authorization": f"Bearer {opened['token']}"}
        parts = []
        for after in (0, 50):
            answer = await http.get(f"/chat/messages?after={after}", headers=headers)
            parts.append(answer.json())
    assert [len(part["messages"]) for part in parts] == [50, 20]
    assert [part["more"] for part in parts] == [True, False]
    assert parts[1]["messages"][0]["seq"] == 51


async def test_looks_are_counted(desk: MemoryDesk) -> None:
    limits = Limits(reads_of_session=Rate(burst=2, per_second=0.01))
    transport = httpx.ASGITransport(
        application(desk, WebChat(ACCOUNT, KEY, limits=limits)), client=(OUTSIDE, 50_000)
    )
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        opened = (await http.post("/chat/sessions")).json()
        headers = {"Authorization": f"Bearer {opened['token']}"}
        answers = [await http.get("/chat/messages", headers=headers) for _ in range(3)]
        stream = await http.get("/chat/events", headers=headers)
    assert [answer.status_code for answer in (*answers, stream)] == [200, 200, 429, 429]


def test_streams_are_counted_while_they_are_open(clock: Clock) -> None:
    limits = ChatLimits(Limits(streams_of_session=2, streams_of_address=3), clock)
    session = uuid4()
    with limits.stream(session, OUTSIDE), limits.stream(session, OUTSIDE):
        with pytest.raises(TooManyAttempts):
            limits.check_stream(session, OUTSIDE)
        with limits.stream(uuid4(), OUTSIDE), pytest.raises(TooManyAttempts):
            limits.check_stream(uuid4(), OUTSIDE)
        limits.check_stream(session, "127.0.0.1")
    limits.check_stream(session, OUTSIDE)
