-- Partitions of bodies: made ahead of the days they are for, and dropped when retention comes over their last day.

CREATE FUNCTION body_partitions() RETURNS TABLE (name text, first_day integer, end_day integer)
LANGUAGE sql STABLE AS $$
  SELECT p.name, p.bounds[1]::integer, p.bounds[2]::integer
    FROM (SELECT c.relname::text AS name,
                 regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \((\d+)\) TO \((\d+)\)') AS bounds
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent = 'bodies'::regclass) AS p
   WHERE p.bounds IS NOT NULL
$$;

-- Makes partitions so that each day from first_day to last_day has one, and moves into them what went to bodies_other
-- meanwhile. Each is of `span` days, counted from the Unix epoch, but for those that others have. Returns how many it
-- made. Readers and writers wait for a moment only: the parent is not locked against them, bodies_other is while it is
-- searched.
CREATE FUNCTION make_body_partitions(first_day integer, last_day integer, span integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
  made integer := 0;
  part text;
  low integer;
  high integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('parley body partitions'));
  FOR d IN first_day .. last_day LOOP
    CONTINUE WHEN EXISTS (SELECT FROM body_partitions() AS p WHERE p.first_day <= d AND d < p.end_day);
    SELECT greatest(d - d % span, max(p.end_day) FILTER (WHERE p.end_day <= d)),
           least(d - d % span + span, min(p.first_day) FILTER (WHERE p.first_day > d))
      INTO low, high FROM body_partitions() AS p;
    part := 'bodies_' || to_char(DATE '1970-01-01' + low, 'YYYYMMDD');
    EXECUTE format('CREATE TABLE %I (LIKE bodies INCLUDING ALL)', part);
    -- Nobody writes to bodies_other from here on, so that nothing of these days stays behind in it.
    LOCK TABLE bodies_other IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM bodies_other WHERE day >= %s AND day < %s RETURNING *) INSERT INTO %I SELECT * FROM moved', low, high, part);
    EXECUTE format('ALTER TABLE bodies ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', part, low, high);
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
  FOR part IN SELECT p.name FROM body_partitions() AS p WHERE p.end_day <= first_kept_day ORDER BY p.first_day LOOP
    EXECUTE format('ALTER TABLE bodies DETACH PARTITION %I', part);
    EXECUTE format('DROP TABLE %I', part);
    dropped := dropped + 1;
  END LOOP;
  DELETE FROM bodies_other WHERE day < first_kept_day;
  RETURN dropped;
END
$$;
