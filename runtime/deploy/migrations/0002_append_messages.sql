-- Appends to many chats at once. Each request is written in full or not at all, and none spoils another:
--   0 written; 1 stale: the chat's head or version is another; 2 duplicate: a message with one of the send keys exists.
--
-- Requests come ordered by chat (so two of these calls lock in the same order), with no chat and no send key twice.
-- Arrays named request_* have one element a request, message_* one a message; message_request counts from 1.
-- The recipients of request i are recipients[request_lo[i] : request_hi[i]]; request_lo[i] NULL leaves them out.
--
-- Runs in READ COMMITTED, where each statement sees what committed before it: the check for duplicates comes after the
-- heads are locked, so it sees every send that a competing service has written to these chats. The same send to two chats
-- at once collides on messages_by_send (23505); repeated, the call then finds the duplicate. Rows are inserted in the order
-- of their send keys, so that two calls with the same sends never wait for each other (deadlock_timeout: a second for all).
CREATE FUNCTION append_messages(
  request_chat    bigint[],
  request_head    bigint[],
  request_version bigint[],
  request_count   integer[],
  request_lo      integer[],
  request_hi      integer[],
  recipients      bigint[],
  message_request integer[],
  message_seq     bigint[],
  message_id      bigint[],
  message_client  uuid[],
  message_from    bigint[],
  message_device  bigint[],
  message_sent    bigint[],
  message_media   text[],
  message_body    text[]
) RETURNS smallint[]
LANGUAGE plpgsql
-- Always: take each array element to its row by an index. Statistics of a young table would suggest otherwise.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  state smallint[] := array_fill(1::smallint, ARRAY[cardinality(request_chat)]);
  request integer;
  duplicates integer[] := '{}';
BEGIN
  FOR request IN
    UPDATE chats c
       SET head = r.head + r.count
      FROM unnest(request_chat, request_head, request_version, request_count)
           WITH ORDINALITY AS r(chat, head, version, count, request)
     WHERE c.chat_id = r.chat AND c.head = r.head AND c.version = r.version
    RETURNING r.request
  LOOP
    state[request] := 0;
  END LOOP;

  FOR request IN
    SELECT DISTINCT m.request
      FROM unnest(message_request, message_from, message_client) AS m(request, sender, client)
     CROSS JOIN LATERAL (
       SELECT FROM messages x WHERE x.from_user = m.sender AND x.client_msg_id = m.client LIMIT 1
     ) earlier
     WHERE state[m.request] = 0
  LOOP
    state[request] := 2;
    duplicates := duplicates || request;
  END LOOP;
  FOREACH request IN ARRAY duplicates LOOP
    UPDATE chats SET head = request_head[request] WHERE chat_id = request_chat[request];
  END LOOP;

  INSERT INTO messages (chat_id, seq, server_msg_id, client_msg_id, from_user, from_device, sent_at, media_ids, digest)
  SELECT request_chat[m.request], m.seq, m.id, m.client, m.sender, m.device, m.sent, m.media::bigint[],
         substr(sha256(decode(m.body, 'base64')), 1, 16)
    FROM unnest(message_request, message_seq, message_id, message_client, message_from, message_device, message_sent,
                message_media, message_body)
         AS m(request, seq, id, client, sender, device, sent, media, body)
   WHERE state[m.request] = 0
   ORDER BY m.sender, m.client;

  INSERT INTO bodies (day, server_msg_id, ciphertext)
  SELECT body_day(m.sent), m.id, decode(m.body, 'base64')
    FROM unnest(message_request, message_id, message_sent, message_body) AS m(request, id, sent, body)
   WHERE state[m.request] = 0;

  INSERT INTO media_uses (media_id, chat_id, seq)
  SELECT DISTINCT used.media_id, request_chat[m.request], m.seq
    FROM unnest(message_request, message_seq, message_media) AS m(request, seq, media)
   CROSS JOIN LATERAL unnest(m.media::bigint[]) AS used(media_id)
   WHERE m.media IS NOT NULL AND state[m.request] = 0;

  INSERT INTO outbox (chat_id, seq, server_msg_id, recipients)
  SELECT request_chat[m.request], m.seq, m.id,
         CASE WHEN request_lo[m.request] IS NULL THEN NULL
              ELSE recipients[request_lo[m.request] : request_hi[m.request]] END
    FROM unnest(message_request, message_seq, message_id) AS m(request, seq, id)
   WHERE state[m.request] = 0;

  RETURN state;
END
$$;
