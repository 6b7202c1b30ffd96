-- What a message says lies apart from the message, in partitions by day: old days are dropped in an instant, without a
-- trace in the indexes. The row of the message stays for ever: its seq, its ids, its send key.

CREATE TABLE bodies (
  -- Of the message's sent_at, in days since the Unix epoch.
  day           integer NOT NULL,
  server_msg_id bigint  NOT NULL,
  ciphertext    bytea   NOT NULL,
  -- By the id, not by chat and seq: ids of one process ascend, so the index grows at its end.
  PRIMARY KEY (server_msg_id, day)
) PARTITION BY RANGE (day);
-- Encrypted bytes do not compress.
ALTER TABLE bodies ALTER COLUMN ciphertext SET STORAGE EXTERNAL;

-- For days that nobody has made a partition for: an append never fails for want of one.
CREATE TABLE bodies_other PARTITION OF bodies DEFAULT;

CREATE FUNCTION body_day(at bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT (at / 86400000000)::integer';

-- Makes a partition for each day from first_day to last_day that has none, and moves into it what went to bodies_other
-- meanwhile. Returns how many it made. Readers and writers wait for a moment only: the parent is not locked against them,
-- bodies_other is while it is searched.
CREATE FUNCTION make_body_partitions(first_day integer, last_day integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  made integer := 0;
  part text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('parley body partitions'));
  FOR d IN first_day .. last_day LOOP
    part := 'bodies_' || to_char(DATE '1970-01-01' + d, 'YYYYMMDD');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    EXECUTE format('CREATE TABLE %I (LIKE bodies INCLUDING ALL)', part);
    -- Nobody writes to bodies_other from here on, so that nothing of this day stays behind in it.
    LOCK TABLE bodies_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM bodies_other WHERE day = %s RETURNING *) INSERT INTO %I SELECT * FROM moved', d, part);
    EXECUTE format('ALTER TABLE bodies ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, d, d + 1);
    made := made + 1;
  END LOOP;
  RETURN made;
END
$$;

-- Drops what was said before a day. Returns how many partitions that were. Readers and writers wait while a partition is
-- detached, which takes no longer than the longest of them: callers set lock_timeout and come again.
CREATE FUNCTION drop_bodies_before(first_kept_day integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  dropped integer := 0;
  part text;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('parley body partitions'));
  FOR part IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'bodies'::regclass AND c.relname ~ '^bodies_[0-9]{8}$'
       AND to_date(substr(c.relname, 8), 'YYYYMMDD') - DATE '1970-01-01' < first_kept_day
     ORDER BY c.relname
  LOOP
    EXECUTE format('ALTER TABLE bodies DETACH PARTITION %I', part);
    EXECUTE format('DROP TABLE %I', part);
    dropped := dropped + 1;
  END LOOP;
  DELETE FROM bodies_other WHERE day < first_kept_day;
  RETURN dropped;
END
$$;

-- Messages of the time before.
DO $$
DECLARE
  d integer;
BEGIN
  FOR d IN SELECT DISTINCT body_day(sent_at) FROM messages ORDER BY 1 DESC LIMIT 400 LOOP
    PERFORM make_body_partitions(d, d);
  END LOOP;
END
$$;
INSERT INTO bodies (day, server_msg_id, ciphertext)
SELECT body_day(sent_at), server_msg_id, ciphertext FROM messages;
ALTER TABLE messages DROP COLUMN ciphertext;

INSERT INTO media_uses (media_id, chat_id, seq)
SELECT DISTINCT used.media_id, m.chat_id, m.seq
  FROM messages m CROSS JOIN LATERAL unnest(m.media_ids) AS used(media_id)
 WHERE m.media_ids IS NOT NULL;

DROP FUNCTION append_messages;

-- Appends to many chats at once. Each request is written in full or not at all, and none spoils another:
--   0 written; 1 stale: the chat's head or version is another; 2 duplicate: a message with one of the send keys exists.
--
-- Requests come ordered by chat (so two of these calls lock in the same order), with no chat and no send key twice.
-- Arrays named request_* have one element a request, message_* one a message; message_request counts from 1.
-- The recipients of request i are recipients[request_lo[i] : request_hi[i]]; request_lo[i] NULL leaves them out.
--
-- Runs in READ COMMITTED, where each statement sees what committed before it: the check for duplicates comes after the
-- heads are locked, so it sees every send that a competing service has written to these chats. The same send to two chats
-- at once collides on messages_by_send (23505); repeated, the call then finds the duplicate.
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

  INSERT INTO messages (chat_id, seq, server_msg_id, client_msg_id, from_user, from_device, sent_at, media_ids)
  SELECT request_chat[m.request], m.seq, m.id, m.client, m.sender, m.device, m.sent, m.media::bigint[]
    FROM unnest(message_request, message_seq, message_id, message_client, message_from, message_device, message_sent,
                message_media)
         AS m(request, seq, id, client, sender, device, sent, media)
   WHERE state[m.request] = 0;

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
