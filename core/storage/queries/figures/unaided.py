"""Which conversations the assistant finished alone, as figures count them."""

from __future__ import annotations

UNAIDED = """
    NOT EXISTS (SELECT FROM ticket t WHERE t.conversation_id = c.id)
    AND EXISTS (
        SELECT FROM message m JOIN choice ch ON ch.message_id = m.id
        WHERE m.conversation_id = c.id AND ch.intent = 'helped')
    AND NOT EXISTS (
        SELECT FROM message m
        WHERE m.conversation_id = c.id AND m.speaker = 'agent' AND NOT m.is_internal)
    AND coalesce((
        SELECT m.speaker <> 'customer' FROM message m
        WHERE m.conversation_id = c.id AND NOT m.is_internal AND NOT m.is_automatic
          AND m.removed_at IS NULL
        ORDER BY m.position DESC, m.seq DESC LIMIT 1), false)
    AND coalesce((
        SELECT a.helped FROM article_feedback a
        WHERE a.conversation_id = c.id ORDER BY a.at DESC, a.id DESC LIMIT 1), true)
    AND coalesce((
        SELECT r.deed NOT IN ('unanswered', 'failed', 'dropped')
           AND r.upshot IS DISTINCT FROM 'not_helped'
        FROM turn_record r
        WHERE r.conversation_id = c.id ORDER BY r.at DESC, r.turn_id DESC LIMIT 1), true)"""
"""The condition for a conversation `c`, in SQL.

It never became a ticket and no agent spoke in it. The assistant showed an article, under which it
asks whether that helped; the requester did not say last that it did not, is not left without an
answer, and what they said last was not met with nothing. That last turn is looked at as long as
it is kept (`DESK_TURN_LOG_DAYS`).
"""
