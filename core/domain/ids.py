"""Names of things, one type each, so that one kind of id is never taken for another."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

from uuid_utils.compat import uuid7

AccountId = NewType("AccountId", str)
"""Names one connected account of a channel, such as one Slack workspace or one mailbox."""

EventKey = NewType("EventKey", str)
"""Names one occurrence on a platform; unique within an account, equal on redelivery."""

ThreadKey = NewType("ThreadKey", str)
"""Names one remote place a conversation lives in; unique within an account."""

Address = NewType("Address", str)
"""Names a person on a platform; unique within an account."""

RemoteId = NewType("RemoteId", str)
"""A platform's own name for a message; unique within an account."""

ContactId = NewType("ContactId", UUID)
ConversationId = NewType("ConversationId", UUID)
MessageId = NewType("MessageId", UUID)
ChoiceId = NewType("ChoiceId", UUID)
TurnId = NewType("TurnId", UUID)
DeliveryId = NewType("DeliveryId", UUID)
TicketId = NewType("TicketId", UUID)
AgentId = NewType("AgentId", UUID)
UploadId = NewType("UploadId", UUID)
TeamId = NewType("TeamId", UUID)
CategoryId = NewType("CategoryId", UUID)
FormFieldId = NewType("FormFieldId", UUID)
ItemId = NewType("ItemId", UUID)
ApprovalRoleId = NewType("ApprovalRoleId", UUID)
RequestId = NewType("RequestId", UUID)
RequestTaskId = NewType("RequestTaskId", UUID)
OrganisationId = NewType("OrganisationId", UUID)
SynonymsId = NewType("SynonymsId", UUID)
AssetId = NewType("AssetId", UUID)
TopicId = NewType("TopicId", UUID)
ExampleId = NewType("ExampleId", UUID)
ArticleId = NewType("ArticleId", str)


def new_id() -> UUID:
    """Return a fresh id that sorts by the time it was made (RFC 9562, version 7)."""
    return uuid7()
