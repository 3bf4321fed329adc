"""What came of a rehearsal: what was said against what the desk holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from channels.simulator.rehearsal.drive import Drive
from channels.simulator.rehearsal.script import Kind
from core.domain.ids import AccountId
from core.storage.queries.accounts.rehearsal import Sent, StoredMessage, StoredPress
from core.wiring.rehearsal_tally import KindFigures, tally_of

_MOST_TO_MACHINE = 5
"""How many mails a program gets that answers everything: after these there must be silence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Counts of messages, where nothing else is said.

    `lost`, `doubled` and `out_of_order` count edits, deletions and pressed buttons too.
    """

    account: str
    kind: str
    inlet: str
    conversations: int
    messages: int  # that people said
    accepted: int  # that the platform considers delivered
    answered: int  # by the assistant, or with humans who are to do it
    lost: int  # done, and not in the desk's database
    doubled: int  # more than once in the desk's database
    out_of_order: int  # after one that was said later; or an earlier edit shown for the last
    overheard: int  # in the desk's database, though not said to the desk
    pressed: int  # buttons: where some were shown, none means that nothing was rehearsed of them
    sent_twice: int  # of the desk's, that reached people again
    uncertain: int  # of the desk's, that may have reached people: an agent is to decide
    unfinished: int  # turns and deliveries that were still to be done at the end
    to_machine: int  # mails to a program that answers everything
    kinds: Mapping[str, KindFigures]  # the same for each kind of what people did
    troubles: Mapping[str, int]  # how often each came between people and the desk
    killed: Mapping[str, int]  # processes, by name
    seconds: float
    messages_per_second: float  # dealt with, from the first word to the last answer
    acknowledged_p50_ms: float
    acknowledged_p99_ms: float

    @property
    def is_good(self) -> bool:
        """Whether the desk kept its promises."""
        faults = (self.lost, self.doubled, self.out_of_order, self.overheard)
        is_taken = self.accepted == self.messages
        return is_taken and not any(faults) and self.to_machine <= _MOST_TO_MACHINE

    def as_json(self) -> dict[str, Any]:
        """Return the figures by name."""
        return asdict(self)

    def as_lines(self) -> list[str]:
        """Return the figures as two tables."""
        rows = {
            name.replace("_", " "): f"{value:,.1f}" if isinstance(value, float) else str(value)
            for name, value in asdict(self).items()
            if name not in {"killed", "kinds", "troubles"}
        }
        for name, counted in (("troubles", self.troubles), ("killed", self.killed)):
            rows[name] = ", ".join(f"{what} {n}" for what, n in counted.items()) or "none"
        width = max(map(len, rows))
        lines = [f"{name:<{width}}  {value}" for name, value in rows.items()]
        return [*lines, "", *self._kinds_as_lines()]

    def _kinds_as_lines(self) -> list[str]:
        names = ("done", "accepted", "answered", "lost", "doubled", "out_of_order")
        heads = ["kind", *(name.replace("_", " ") for name in names)]
        rows = [heads] + [
            [kind, *("-" if (n := getattr(figures, name)) is None else str(n) for name in names)]
            for kind, figures in self.kinds.items()
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return [
            "  ".join(
                cell.rjust(width) if place else cell.ljust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]


def report_of(
    *,
    account: AccountId,
    kind: str,
    inlet: str,
    drive: Drive,
    heard: Sequence[int],
    stored: Sequence[StoredMessage],
    presses: Sequence[StoredPress],
    sent: Sequence[Sent],
    unfinished: int,
    killed: Mapping[str, int],
    seconds: float,
    to_machine: int,
) -> Report:
    """Compare what people did, by the marks in it, with what the database holds.

    `heard` are the desk's messages that were seen in each conversation, `stored` is in the order
    of the transcripts.
    """
    tally = tally_of(drive, stored, presses)
    known: dict[int, int] = defaultdict(int)
    for one in sent:
        if one.thread in tally.talks:
            known[tally.talks[one.thread]] += one.parts + one.uncertain
    delays = sorted(drive.delays_seconds)
    figures = tally.kinds.values()
    return Report(
        account=account,
        kind=kind,
        inlet=inlet,
        conversations=len(drive.talks),
        messages=drive.spoken,
        accepted=drive.delivered,
        answered=sum(
            figures.answered or 0 for of, figures in tally.kinds.items() if of is not Kind.PRESS
        ),
        lost=sum(one.lost for one in figures),
        doubled=sum(one.doubled for one in figures),
        out_of_order=sum(one.out_of_order for one in figures),
        overheard=tally.overheard,
        pressed=drive.accepted[Kind.PRESS],
        sent_twice=sum(max(0, count - known[n]) for n, count in enumerate(heard)),
        uncertain=sum(one.uncertain for one in sent),
        unfinished=unfinished,
        to_machine=to_machine,
        kinds={str(of): figures for of, figures in tally.kinds.items()},
        troubles={str(trouble): times for trouble, times in drive.suffered.items()},
        killed=killed,
        seconds=round(seconds, 1),
        messages_per_second=round(drive.spoken / seconds, 1),
        acknowledged_p50_ms=_percentile(delays, 0.5),
        acknowledged_p99_ms=_percentile(delays, 0.99),
    )


def _percentile(delays_seconds: Sequence[float], share: float) -> float:
    """Return a percentile of sorted delays, in milliseconds; 0 where there are none."""
    if not delays_seconds:
        return 0.0
    place = min(int(share * len(delays_seconds)), len(delays_seconds) - 1)
    return round(delays_seconds[place] * 1000, 1)
