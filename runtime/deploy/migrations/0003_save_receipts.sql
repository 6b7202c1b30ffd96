-- Saves receipts in the order given. Arrays have one element a receipt. write_seq is NULL when only the message id is
-- known: such a receipt counts only for a message at or below the device's cursor that the user may see. write_id is NULL when only the seq is
-- known: where no message has it, only the cursor moves. The recipients of receipt i are recipients[write_lo[i] : write_hi[i]].
--
-- DELIVERED moves the device's cursor and the user's DELIVERED watermark, READ the READ and the DELIVERED watermark, all
-- only forward. Every single move is logged and, when it has recipients, gets an outbox row. Counted receipts have no
-- recipients: one row of type 3 stands for all moves of one chat.
--
-- Runs in READ COMMITTED: the watermarks are locked first, in order, and read by a later statement, which sees them as
-- whoever held the lock before left them.
CREATE FUNCTION save_receipts(
  write_chat    bigint[],
  write_user    bigint[],
  write_device  bigint[],
  write_type    smallint[],
  write_id      bigint[],
  write_seq     bigint[],
  write_at      bigint[],
  write_lo      integer[],
  write_hi      integer[],
  recipients    bigint[],
  write_counted boolean[]
) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
BEGIN
  INSERT INTO watermarks (chat_id, user_id)
  SELECT DISTINCT w.chat, w.usr FROM unnest(write_chat, write_user) AS w(chat, usr) ORDER BY w.chat, w.usr
  ON CONFLICT DO NOTHING;

  PERFORM
     FROM (SELECT DISTINCT w.chat, w.usr FROM unnest(write_chat, write_user) AS w(chat, usr) ORDER BY w.chat, w.usr) AS d
    CROSS JOIN LATERAL (
      SELECT FROM watermarks k WHERE k.chat_id = d.chat AND k.user_id = d.usr FOR NO KEY UPDATE
    ) AS locked;

  WITH valid AS MATERIALIZED (
    SELECT * FROM (
      SELECT w.chat, w.usr, w.device, w.type, coalesce(w.id, named.id) AS id, w.at, w.lo, w.hi, w.counted, w.ord,
             w.seq IS NULL AS by_id,
             coalesce(w.seq, found.seq) AS seq,
             -- The cursor as it stands when this receipt's turn comes.
             greatest(
               stored.seq,
               max(CASE WHEN w.type = 1 THEN w.seq END) OVER (
                 PARTITION BY w.usr, w.device, w.chat ORDER BY w.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
             ) AS cursor
        FROM unnest(write_chat, write_user, write_device, write_type, write_id, write_seq, write_at, write_lo, write_hi,
                    write_counted)
             WITH ORDINALITY AS w(chat, usr, device, type, id, seq, at, lo, hi, counted, ord)
        LEFT JOIN LATERAL (
          SELECT m.seq FROM messages m
           WHERE w.seq IS NULL AND m.server_msg_id = w.id AND m.chat_id = w.chat
             AND EXISTS (SELECT FROM members e CROSS JOIN LATERAL unnest(e.span_after, e.span_up_to) AS s(after, up_to)
                          WHERE e.chat_id = w.chat AND e.user_id = w.usr AND s.after < m.seq AND m.seq <= s.up_to)
           LIMIT 1
        ) AS found ON true
        LEFT JOIN LATERAL (
          SELECT m.server_msg_id AS id FROM messages m
           WHERE w.id IS NULL AND m.chat_id = w.chat AND m.seq = w.seq LIMIT 1
        ) AS named ON true
        LEFT JOIN LATERAL (
          SELECT c.seq FROM cursors c
           WHERE w.seq IS NULL AND c.user_id = w.usr AND c.device_id = w.device AND c.chat_id = w.chat LIMIT 1
        ) AS stored ON true
    ) AS resolved
    WHERE NOT by_id OR seq <= cursor
  ), moves AS MATERIALIZED (
    SELECT * FROM (
      SELECT v.chat, v.usr, step.type, v.seq, v.id, v.at, v.lo, v.hi, v.counted, v.ord,
             greatest(
               CASE step.type WHEN 1 THEN k.delivered_seq ELSE k.read_seq END,
               max(v.seq) OVER (
                 PARTITION BY v.chat, v.usr, step.type ORDER BY v.ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
             ) AS before
        -- A receipt for a seq that no message has moves the cursor alone, and hides no lower one behind it.
        FROM (SELECT * FROM valid WHERE id IS NOT NULL) AS v
       CROSS JOIN LATERAL (
         SELECT 1::smallint AS type UNION ALL SELECT 2::smallint WHERE v.type = 2
       ) AS step
       CROSS JOIN LATERAL (
         SELECT w.delivered_seq, w.read_seq FROM watermarks w WHERE w.chat_id = v.chat AND w.user_id = v.usr LIMIT 1
       ) AS k
    ) AS steps
    WHERE seq > before
  ), logged AS (
    INSERT INTO receipts (chat_id, user_id, type, seq, at)
    SELECT chat, usr, type, seq, at FROM moves
  ), announced AS (
    INSERT INTO outbox (chat_id, seq, server_msg_id, recipients, receipt_type, user_id, at)
    SELECT chat, seq, id, recipients[lo : hi], type, usr, at FROM moves WHERE lo <= hi ORDER BY ord, type
  ), asked AS (
    INSERT INTO outbox (chat_id, seq, server_msg_id, recipients, receipt_type)
    SELECT DISTINCT chat, 0, 0, '{}'::bigint[], 3 FROM moves WHERE counted
  ), followed AS (
    INSERT INTO cursors (user_id, device_id, chat_id, seq)
    SELECT usr, device, chat, max(seq) FROM valid WHERE type = 1 GROUP BY usr, device, chat ORDER BY usr, device, chat
    ON CONFLICT (user_id, device_id, chat_id) DO UPDATE SET seq = excluded.seq WHERE cursors.seq < excluded.seq
  ), latest AS MATERIALIZED (
    -- seq grows within each kind of move, so the last is the highest.
    SELECT chat, usr,
           (array_agg(ARRAY[seq, id, at] ORDER BY seq DESC) FILTER (WHERE type = 1))[1:1][:] AS delivered,
           (array_agg(ARRAY[seq, id, at] ORDER BY seq DESC) FILTER (WHERE type = 2))[1:1][:] AS read
      FROM moves GROUP BY chat, usr
  )
  UPDATE watermarks w
     SET delivered_seq = coalesce(l.delivered[1][1], w.delivered_seq),
         delivered_id  = coalesce(l.delivered[1][2], w.delivered_id),
         delivered_at  = coalesce(l.delivered[1][3], w.delivered_at),
         read_seq      = coalesce(l.read[1][1], w.read_seq),
         read_id       = coalesce(l.read[1][2], w.read_id),
         read_at       = coalesce(l.read[1][3], w.read_at)
    FROM latest l
   WHERE w.chat_id = l.chat AND w.user_id = l.usr;
END
$$;
