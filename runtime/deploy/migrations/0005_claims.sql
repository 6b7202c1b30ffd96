-- Who was first: direct chats over all shards, and the numbers of process runs over all regions.

-- [{"chat", "low", "high"}], in the order of the pairs -> one row each: the chat that has the pair from now on.
CREATE FUNCTION claim_directs(requests jsonb) RETURNS TABLE (request bigint, chat bigint)
LANGUAGE plpgsql AS $$
DECLARE
  r record;
BEGIN
  FOR r IN
    SELECT e.ord, (e.value ->> 'chat')::bigint AS chat_id, (e.value ->> 'low')::bigint AS low, (e.value ->> 'high')::bigint AS high
      FROM jsonb_array_elements(requests) WITH ORDINALITY AS e(value, ord)
     ORDER BY e.ord
  LOOP
    INSERT INTO direct_claims (low, high, chat_id) VALUES (r.low, r.high, r.chat_id) ON CONFLICT DO NOTHING;
    -- Whoever was first has committed by now: the insert waited for it.
    request := r.ord;
    SELECT c.chat_id INTO STRICT chat FROM direct_claims c WHERE c.low = r.low AND c.high = r.high;
    RETURN NEXT;
  END LOOP;
END
$$;

-- Numbers of process runs are unique over all regions: each region has a class of its own, 0 to 7, and its numbers leave the
-- class as the remainder of division by 8. They begin above those that databases without a class have given out. A
-- database that finds itself under another class was moved in the shard map: it refuses, before a number comes twice.
CREATE FUNCTION claim_instance(class integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  mine bigint;
BEGIN
  INSERT INTO settings (name, value) VALUES ('instance_class', class) ON CONFLICT DO NOTHING;
  SELECT s.value INTO STRICT mine FROM settings s WHERE s.name = 'instance_class';
  IF class NOT BETWEEN 0 AND 7 OR mine <> class THEN
    RAISE EXCEPTION 'this database gives out instance numbers of class %, not %: the regions of the shard map must keep their order', mine, class;
  END IF;
  RETURN 65536 + 8 * (nextval('instances') - 1) + class;
END
$$;
