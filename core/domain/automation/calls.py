"""Why a call of a webhook was not taken."""

from __future__ import annotations

from enum import StrEnum


class CallProblem(StrEnum):
    """What stood in the way of a call, as it is kept; a call that was taken has none."""

    ADDRESS = "address"  # nothing can be sent to the webhook's address
    UNKNOWN_HOST = "unknown_host"  # its name leads nowhere
    INTERNAL = "internal"  # it leads into a network of somebody's own, which is not allowed
    UNREACHABLE = "unreachable"  # nobody listens there
    INSECURE = "insecure"  # there is no encrypted connection: the certificate, as a rule
    PROXY = "proxy"  # the desk's own proxy is away, or does not let it through
    SLOW = "slow"  # no answer in time
    BROKEN = "broken"  # the connection ended before there was an answer
    REDIRECTED = "redirected"  # an answer that leads elsewhere
    REFUSED = "refused"  # any other answer that is no success
    UNREADABLE = "unreadable"  # the secret, with the key that the desk has now
    TURNED_OFF = "turned_off"  # the webhook was, while the call waited
    UNEXPECTED = "unexpected"  # the desk's own fault; its log has it
