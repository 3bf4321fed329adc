"""What came of a rehearsal: what was said against what the desk holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from channels.simulator.rehearsal.drive import Drive, tag_of
from core.domain.ids import AccountId
from core.storage.queries.rehearsal import Sent, StoredMessage

_MOST_TO_MACHINE = 5
"""How many mails a program gets that answers everything: after these there must be silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Counts of messages, where nothing else is said."""

    account: str
    kind: str
    inlet: str
    conversations: int
    messages: int  # that people said
    accepted: int  # that the platform considers delivered
    answered: int  # by the assistant, or with humans who are to do it
    lost: int  # said, and not in the desk's database
    doubled: int  # more than once in the desk's database
    out_of_order: int  # after one that was said later, in the desk's transcript
    sent_twice: int  # of the desk's, that reached people again
    uncertain: int  # of the desk's, that may have reached people: an agent is to decide
    unfinished: int  # turns and deliveries that were still to be done at the end
    to_machine: int  # mails to a program that answers everything
    killed: Mapping[str, int]  # processes, by name
    seconds: float
    messages_per_second: float  # dealt with, from the first word to the last answer
    acknowledged_p50_ms: float
    acknowledged_p99_ms: float

    @property
    def is_good(self) -> bool:
        """Whether the desk kept its promises."""
        faults = (self.lost, self.doubled, self.out_of_order)
        return not any(faults) and self.to_machine <= _MOST_TO_MACHINE

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)

    def as_lines(self) -> list[str]:
        """Return the figures as a table."""
        rows = {
            name.replace("_", " "): f"{value:,.1f}" if isinstance(value, float) else str(value)
            for name, value in asdict(self).items()
            if name != "killed"
        }
        rows["killed"] = ", ".join(f"{part} {n}" for part, n in self.killed.items()) or "none"
        width = max(map(len, rows))
        return [f"{name:<{width}}  {value}" for name, value in rows.items()]


def report_of(
    *,
    account: AccountId,
    kind: str,
    inlet: str,
    drive: Drive,
    heard: Sequence[int],
    stored: Sequence[StoredMessage],
    sent: Sequence[Sent],
    unfinished: int,
    killed: Mapping[str, int],
    seconds: float,
    to_machine: int,
) -> Report:
    """Compare what people said, by the marks in it, with what the database holds.

    `heard` are the desk's messages that reached each person, `stored` is in the order of the
    transcripts.
    """
    copies: Counter[tuple[int, int]] = Counter()
    answered: set[tuple[int, int]] = set()
    people: dict[str, int] = {}  # by thread
    latest: dict[str, int] = {}
    out_of_order = 0
    for message in stored:
        if (tag := tag_of(message.text)) is None:
            continue
        person, number = tag
        people[message.thread] = person
        copies[tag] += 1
        if copies[tag] > 1:
            continue
        if message.is_answered:
            answered.add(tag)
        if number < latest.get(message.thread, -1):
            out_of_order += 1
        latest[message.thread] = max(number, latest.get(message.thread, -1))
    said = {(one.number, place) for one in drive.people for place in range(len(one.said))}
    known: dict[int, int] = defaultdict(int)
    for one in sent:
        if one.thread in people:
            known[people[one.thread]] += one.parts + one.uncertain
    delays = sorted(drive.delays_seconds)
    return Report(
        account=account,
        kind=kind,
        inlet=inlet,
        conversations=len(drive.people),
        messages=len(said),
        accepted=drive.delivered,
        answered=len(answered & said),
        lost=len(said - copies.keys()),
        doubled=sum(count - 1 for count in copies.values()),
        out_of_order=out_of_order,
        sent_twice=sum(max(0, count - known[n]) for n, count in enumerate(heard)),
        uncertain=sum(one.uncertain for one in sent),
        unfinished=unfinished,
        to_machine=to_machine,
        killed=killed,
        seconds=round(seconds, 1),
        messages_per_second=round(len(said) / seconds, 1),
        acknowledged_p50_ms=_percentile(delays, 0.5),
        acknowledged_p99_ms=_percentile(delays, 0.99),
    )


def _percentile(delays_seconds: Sequence[float], share: float) -> float:
    """Return a percentile of sorted delays, in milliseconds; 0 where there are none."""
    if not delays_seconds:
        return 0.0
    place = min(int(share * len(delays_seconds)), len(delays_seconds) - 1)
    return round(delays_seconds[place] * 1000, 1)
