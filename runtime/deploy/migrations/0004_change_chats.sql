-- Creating chats and changing their members: rare, so these take JSON and go one by one.
-- A member is {"user": "3", "role": "owner", "after": ["0"], "upTo": ["9007199254740991"]}; numbers travel as text, since
-- ids have 63 bits. Both lock in the order given, which is the order of the chats' ids.

CREATE FUNCTION bigints(list jsonb) RETURNS bigint[]
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(array_agg(e.value::bigint ORDER BY e.ord), '{}')
    FROM jsonb_array_elements_text(list) WITH ORDINALITY AS e(value, ord)
$$;

CREATE FUNCTION is_current(span_up_to bigint[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(span_up_to[cardinality(span_up_to)] = 9007199254740991, false)
$$;

-- [{"chat", "kind", "members", "low", "high"}] -> one row each: the chat that exists now, and whether this call made it.
CREATE FUNCTION create_chats(requests jsonb) RETURNS TABLE (request bigint, chat bigint, created boolean)
LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN
    SELECT e.ord, (e.value ->> 'chat')::bigint AS chat_id, e.value ->> 'kind' AS kind, e.value -> 'members' AS members,
           (e.value ->> 'low')::bigint AS low, (e.value ->> 'high')::bigint AS high
      FROM jsonb_array_elements(requests) WITH ORDINALITY AS e(value, ord)
     ORDER BY e.ord
  LOOP
    request := r.ord;
    INSERT INTO chats (chat_id, kind, direct_low, direct_high)
    VALUES (r.chat_id, r.kind, r.low, r.high)
    ON CONFLICT DO NOTHING;
    created := FOUND;
    IF created THEN
      INSERT INTO members (chat_id, user_id, role, span_after, span_up_to)
      SELECT r.chat_id, (m ->> 'user')::bigint, m ->> 'role', bigints(m -> 'after'), bigints(m -> 'upTo')
        FROM jsonb_array_elements(r.members) AS m;
      UPDATE chats c
         SET current_members = (SELECT count(*) FROM members m WHERE m.chat_id = r.chat_id AND is_current(m.span_up_to))
       WHERE c.chat_id = r.chat_id;
      chat := r.chat_id;
    ELSE
      -- Whoever was first has committed by now: the insert waited for it.
      SELECT c.chat_id INTO STRICT chat FROM chats c
       WHERE (r.low IS NOT NULL AND c.direct_low = r.low AND c.direct_high = r.high)
          OR (r.low IS NULL AND c.chat_id = r.chat_id);
    END IF;
    RETURN NEXT;
  END LOOP;
END
$$;

-- [{"chat", "head", "version", "member"}] -> one element each: 0 written, 1 stale.
CREATE FUNCTION change_members(requests jsonb) RETURNS smallint[]
LANGUAGE plpgsql AS $$
DECLARE
  r record;
  state smallint[] := '{}';
  before boolean;
  change int;
BEGIN
  FOR r IN
    SELECT (e.value ->> 'chat')::bigint AS chat_id, (e.value ->> 'head')::bigint AS head,
           (e.value ->> 'version')::bigint AS version, (e.value #>> '{member,user}')::bigint AS user_id,
           e.value #>> '{member,role}' AS role, bigints(e.value #> '{member,after}') AS span_after,
           bigints(e.value #> '{member,upTo}') AS span_up_to, (e.value ->> 'markAbove')::bigint AS mark_above
      FROM jsonb_array_elements(requests) WITH ORDINALITY AS e(value, ord)
     ORDER BY e.ord
  LOOP
    UPDATE chats c SET version = c.version + 1
     WHERE c.chat_id = r.chat_id AND c.head = r.head AND c.version = r.version;
    IF NOT FOUND THEN
      state := state || 1::smallint;
      CONTINUE;
    END IF;
    SELECT is_current(m.span_up_to) INTO before FROM members m WHERE m.chat_id = r.chat_id AND m.user_id = r.user_id;
    INSERT INTO members (chat_id, user_id, role, span_after, span_up_to)
    VALUES (r.chat_id, r.user_id, r.role, r.span_after, r.span_up_to)
    ON CONFLICT (chat_id, user_id) DO UPDATE
      SET role = excluded.role, span_after = excluded.span_after, span_up_to = excluded.span_up_to;
    change := is_current(r.span_up_to)::int - coalesce(before, false)::int;
    UPDATE chats c
       SET current_members = c.current_members + change,
           grew_at = CASE WHEN c.current_members <= r.mark_above AND c.current_members + change > r.mark_above
                          THEN c.head ELSE c.grew_at END
     WHERE c.chat_id = r.chat_id;
    state := state || 0::smallint;
  END LOOP;
  RETURN state;
END
$$;
