-- Reports of calls. Usage is folded by the hour, so that reports of many calls read few rows, and refused calls are kept for
-- the lists of calls.
--
-- Each call that has ended is counted once: in `usage_hours` when its user's fold has passed it, else where it is read from
-- `usage_events`, after `through` or because `usage_pending` lists it. Everything that moves calls from one to the other holds the
-- user's row of `usage_folds`. The journal's writers take that lock last, and a fold waits for nothing that they hold. In the usual case all
-- this costs a call no more than two conditions.

CREATE TABLE usage_hours (
  user_id bigint NOT NULL,
  -- The UTC hour in which the calls were reserved.
  hour timestamptz NOT NULL,
  model text COLLATE "C" NOT NULL,
  -- 0: no key.
  key_id bigint NOT NULL,
  funding text NOT NULL,
  -- '': not known, because the call ended before a channel was chosen.
  channel text COLLATE "C" NOT NULL,
  calls bigint NOT NULL CHECK (calls >= 0),
  input_tokens bigint NOT NULL,
  cached_input_tokens bigint NOT NULL,
  cache_write_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cost_micros bigint NOT NULL CHECK (cost_micros >= 0),
  charged_micros bigint NOT NULL CHECK (charged_micros >= 0),
  PRIMARY KEY (user_id, hour, model, key_id, funding, channel)
) WITH (fillfactor = 70);
CREATE INDEX usage_hours_hour ON usage_hours (hour);
-- What a key has spent in a day, a week or a month. Amounts are not part of it, so that a fold rewrites no entry.
CREATE INDEX usage_hours_key ON usage_hours (key_id, hour) WHERE key_id <> 0;

-- The same by user and UTC day: who was charged most in a month is found without the hours of everybody. Kept under the user's lock,
-- like the hours.
CREATE TABLE usage_days (
  user_id bigint NOT NULL,
  day timestamptz NOT NULL,
  calls bigint NOT NULL CHECK (calls >= 0),
  input_tokens bigint NOT NULL,
  cached_input_tokens bigint NOT NULL,
  cache_write_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cost_micros bigint NOT NULL CHECK (cost_micros >= 0),
  charged_micros bigint NOT NULL CHECK (charged_micros >= 0),
  PRIMARY KEY (user_id, day)
) WITH (fillfactor = 70);
CREATE INDEX usage_days_day ON usage_days (day);

-- The same of all users together, by hour, model and channel: reports of everybody's usage read these few rows. Rows are only added,
-- those of a correction with negative sums, so no writer waits for another. The sum of them counts; `realms_join_usage_totals_v1` keeps
-- them few.
CREATE TABLE usage_totals (
  hour timestamptz NOT NULL,
  model text COLLATE "C" NOT NULL,
  channel text COLLATE "C" NOT NULL,
  calls bigint NOT NULL,
  input_tokens bigint NOT NULL,
  cached_input_tokens bigint NOT NULL,
  cache_write_tokens bigint NOT NULL,
  output_tokens bigint NOT NULL,
  cost_micros bigint NOT NULL,
  charged_micros bigint NOT NULL
);
CREATE INDEX usage_totals_hour ON usage_totals (hour);

-- What the folded calls of a key were charged, ever.
CREATE TABLE usage_keys (
  key_id bigint PRIMARY KEY,
  charged_micros bigint NOT NULL CHECK (charged_micros >= 0)
) WITH (fillfactor = 50);

-- Calls of the user with an id up to `through` are folded, but for those in `usage_pending`.
CREATE TABLE usage_folds (
  user_id bigint PRIMARY KEY,
  through uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000'
) WITH (fillfactor = 50);

-- Calls that ended after the fold had passed their ids, and are not counted yet.
CREATE TABLE usage_pending (
  user_id bigint NOT NULL,
  id uuid NOT NULL,
  PRIMARY KEY (user_id, id)
) WITH (fillfactor = 70);

-- One row: every call that was reserved before has been folded, but for those that were open then.
CREATE TABLE usage_fold_rounds (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  folded_to timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Calls as reports see them. What counts: committed, or expired with a charge.
CREATE VIEW usage_calls AS
  SELECT id, user_id, date_trunc('hour', reserved_at, 'UTC') AS hour, model, coalesce(key_id, 0) AS key_id, funding, state,
      state = 'committed' OR (state = 'expired' AND charged_micros > 0) AS counts,
      coalesce(input_tokens, 0) AS input_tokens, coalesce(cached_input_tokens, 0) AS cached_input_tokens,
      coalesce(cache_write_tokens, 0) AS cache_write_tokens, coalesce(output_tokens, 0) AS output_tokens,
      coalesce(cost_micros, 0) AS cost_micros, coalesce(charged_micros, 0) + late_charged_micros AS charged_micros,
      coalesce(channel, '') AS channel
    FROM usage_events;

-- Takes the lock of the user's fold until the transaction ends; answers how far the fold has come. The row is made first: without
-- it a first fold that is under way could not be waited for.
CREATE FUNCTION realms_usage_lock_v1(p_user bigint) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  v_through uuid;
BEGIN
  INSERT INTO usage_folds (user_id) VALUES (p_user) ON CONFLICT DO NOTHING;
  SELECT f.through INTO v_through FROM usage_folds f WHERE f.user_id = p_user FOR UPDATE;
  RETURN v_through;
END $$;

-- How a user's calls in a range of ids are asked for, here and in the code: `(user_id, id)` is compared as one. A bare range of
-- ids, or an order by id alone, invites the planner to walk the primary key through everybody's calls; `user_id =` beside it
-- makes the index scan begin at the user's first call. Where whole rows are read, the planner is told how few a user has by
-- `user_id BETWEEN ...`, which costs an upward scan nothing, but slows a downward one.

-- Which of the users after p_after have something to fold: an index look-up each in every month and in the pending calls. Without the
-- settings the planner would choose a sequential scan, because it expects an early hit; where nothing is due there is no hit.
CREATE FUNCTION realms_usage_due_v1(p_after bigint, p_users_max integer, p_margin_ms bigint)
RETURNS TABLE (id bigint, due boolean) LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  v_before uuid := realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint - p_margin_ms);
BEGIN
  RETURN QUERY SELECT u.id, EXISTS (
      SELECT FROM usage_events e WHERE (e.user_id, e.id) < (u.id, v_before)
        AND (e.user_id, e.id) > (u.id, coalesce(f.through, '00000000-0000-0000-0000-000000000000'))
    ) OR EXISTS (SELECT FROM usage_pending p WHERE p.user_id = u.id)
    FROM (SELECT a.id FROM users a WHERE a.id > p_after ORDER BY a.id LIMIT p_users_max) u
    LEFT JOIN usage_folds f ON f.user_id = u.id ORDER BY u.id;
END $$;

-- Folds up to p_calls_max of a user's calls that are older than the margin; answers how many it has passed, 0 when another
-- process is folding. The calls are read by a statement that begins after the lock is held, so it sees what every earlier holder
-- of the lock has written.
CREATE FUNCTION realms_fold_usage_v1(p_user bigint, p_margin_ms bigint, p_calls_max integer) RETURNS integer
LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
  v_before uuid := realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint - p_margin_ms);
  v_through uuid;
  v_last uuid;
  v_passed integer;
BEGIN
  -- An insert would wait for the holder of the row, so it is tried for the first fold only.
  IF NOT EXISTS (SELECT FROM usage_folds f WHERE f.user_id = p_user) THEN
    INSERT INTO usage_folds (user_id) VALUES (p_user) ON CONFLICT DO NOTHING;
  END IF;
  SELECT f.through INTO v_through FROM usage_folds f WHERE f.user_id = p_user FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN
    RETURN 0;
  END IF;
  WITH taken AS MATERIALIZED (
    SELECT c.* FROM usage_calls c WHERE (c.user_id, c.id) > (p_user, v_through) AND (c.user_id, c.id) < (p_user, v_before)
      ORDER BY c.user_id, c.id LIMIT p_calls_max
  ), ready AS (
    DELETE FROM usage_pending p USING (
      SELECT q.id FROM usage_pending q WHERE q.user_id = p_user ORDER BY q.id LIMIT p_calls_max
    ) r WHERE p.user_id = p_user AND p.id = r.id RETURNING p.id
  ), counted AS MATERIALIZED (
    SELECT t.* FROM taken t WHERE t.counts
    UNION ALL
    SELECT c.* FROM ready r CROSS JOIN LATERAL (SELECT v.* FROM usage_calls v WHERE v.id = r.id OFFSET 0) c WHERE c.counts
  ), by_hour AS (
    INSERT INTO usage_hours AS h (user_id, hour, model, key_id, funding, channel, calls, input_tokens,
        cached_input_tokens, cache_write_tokens, output_tokens, cost_micros, charged_micros)
      SELECT p_user, c.hour, c.model, c.key_id, c.funding, c.channel, count(*), sum(c.input_tokens),
          sum(c.cached_input_tokens), sum(c.cache_write_tokens), sum(c.output_tokens), sum(c.cost_micros), sum(c.charged_micros)
        FROM counted c GROUP BY c.hour, c.model, c.key_id, c.funding, c.channel
      ON CONFLICT (user_id, hour, model, key_id, funding, channel) DO UPDATE SET calls = h.calls + excluded.calls,
        input_tokens = h.input_tokens + excluded.input_tokens,
        cached_input_tokens = h.cached_input_tokens + excluded.cached_input_tokens,
        cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens,
        output_tokens = h.output_tokens + excluded.output_tokens,
        cost_micros = h.cost_micros + excluded.cost_micros,
        charged_micros = h.charged_micros + excluded.charged_micros
  ), by_day AS (
    INSERT INTO usage_days AS d (user_id, day, calls, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
        cost_micros, charged_micros)
      SELECT p_user, date_trunc('day', c.hour, 'UTC'), count(*), sum(c.input_tokens), sum(c.cached_input_tokens),
          sum(c.cache_write_tokens), sum(c.output_tokens), sum(c.cost_micros), sum(c.charged_micros)
        FROM counted c GROUP BY 2
      ON CONFLICT (user_id, day) DO UPDATE SET calls = d.calls + excluded.calls,
        input_tokens = d.input_tokens + excluded.input_tokens,
        cached_input_tokens = d.cached_input_tokens + excluded.cached_input_tokens,
        cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
        output_tokens = d.output_tokens + excluded.output_tokens,
        cost_micros = d.cost_micros + excluded.cost_micros,
        charged_micros = d.charged_micros + excluded.charged_micros
  ), by_total AS (
    INSERT INTO usage_totals (hour, model, channel, calls, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
        cost_micros, charged_micros)
      SELECT c.hour, c.model, c.channel, count(*), sum(c.input_tokens), sum(c.cached_input_tokens), sum(c.cache_write_tokens),
          sum(c.output_tokens), sum(c.cost_micros), sum(c.charged_micros)
        FROM counted c GROUP BY c.hour, c.model, c.channel
  ), by_key AS (
    INSERT INTO usage_keys AS k (key_id, charged_micros)
      SELECT c.key_id, sum(c.charged_micros) FROM counted c WHERE c.key_id <> 0 GROUP BY c.key_id
      ON CONFLICT (key_id) DO UPDATE SET charged_micros = k.charged_micros + excluded.charged_micros
  )
  SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM ready), (SELECT t.id FROM taken t ORDER BY t.id DESC LIMIT 1)
    INTO v_passed, v_last;
  IF v_last IS NOT NULL THEN
    UPDATE usage_folds f SET through = v_last WHERE f.user_id = p_user;
  END IF;
  RETURN v_passed;
END $$;

-- Makes one row of those of an hour with the same model and channel, in the hours from p_from on and before p_before that have many;
-- answers in how many. A row that another process has taken is counted there, and once.
CREATE FUNCTION realms_join_usage_totals_v1(p_from timestamptz, p_before timestamptz) RETURNS integer LANGUAGE sql AS $$
  WITH many AS MATERIALIZED (
    SELECT t.hour FROM usage_totals t WHERE t.hour >= p_from AND t.hour < p_before
      GROUP BY t.hour HAVING count(*) > 2 * count(DISTINCT (t.model, t.channel))
  ), taken AS (
    DELETE FROM usage_totals t USING many m WHERE t.hour = m.hour RETURNING t.*
  ), joined AS (
    INSERT INTO usage_totals SELECT t.hour, t.model, t.channel, sum(t.calls), sum(t.input_tokens), sum(t.cached_input_tokens),
        sum(t.cache_write_tokens), sum(t.output_tokens), sum(t.cost_micros), sum(t.charged_micros)
      FROM taken t GROUP BY t.hour, t.model, t.channel
  )
  SELECT count(*)::integer FROM many
$$;

-- A commit that came after expiry changes a call that may be folded: what was counted of it is taken out, and what it has
-- become is put in, perhaps under another channel. A call that expired without a charge was not counted.
CREATE FUNCTION realms_usage_late_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_hour timestamptz := date_trunc('hour', NEW.reserved_at, 'UTC');
  v_day timestamptz := date_trunc('day', NEW.reserved_at, 'UTC');
  v_key bigint := coalesce(NEW.key_id, 0);
  -- Before anything is read: what is read in the statement that takes the lock is as it was before the lock was waited for.
  v_through uuid := realms_usage_lock_v1(NEW.user_id);
BEGIN
  IF v_through < NEW.id
    OR EXISTS (SELECT FROM usage_pending p WHERE p.user_id = NEW.user_id AND p.id = NEW.id) THEN
    RETURN NULL;
  END IF;
  IF OLD.charged_micros > 0 THEN
    UPDATE usage_hours h SET calls = h.calls - 1,
        input_tokens = h.input_tokens - coalesce(OLD.input_tokens, 0),
        cached_input_tokens = h.cached_input_tokens - coalesce(OLD.cached_input_tokens, 0),
        cache_write_tokens = h.cache_write_tokens - coalesce(OLD.cache_write_tokens, 0),
        output_tokens = h.output_tokens - coalesce(OLD.output_tokens, 0),
        cost_micros = h.cost_micros - OLD.cost_micros,
        charged_micros = h.charged_micros - OLD.charged_micros
      WHERE h.user_id = OLD.user_id AND h.hour = v_hour AND h.model = OLD.model AND h.key_id = v_key
        AND h.funding = OLD.funding AND h.channel = coalesce(OLD.channel, '');
    UPDATE usage_days d SET calls = d.calls - 1,
        input_tokens = d.input_tokens - coalesce(OLD.input_tokens, 0),
        cached_input_tokens = d.cached_input_tokens - coalesce(OLD.cached_input_tokens, 0),
        cache_write_tokens = d.cache_write_tokens - coalesce(OLD.cache_write_tokens, 0),
        output_tokens = d.output_tokens - coalesce(OLD.output_tokens, 0),
        cost_micros = d.cost_micros - OLD.cost_micros,
        charged_micros = d.charged_micros - OLD.charged_micros
      WHERE d.user_id = OLD.user_id AND d.day = v_day;
    INSERT INTO usage_totals VALUES (v_hour, OLD.model, coalesce(OLD.channel, ''), -1, -coalesce(OLD.input_tokens, 0),
      -coalesce(OLD.cached_input_tokens, 0), -coalesce(OLD.cache_write_tokens, 0), -coalesce(OLD.output_tokens, 0),
      -OLD.cost_micros, -OLD.charged_micros);
  END IF;
  INSERT INTO usage_hours AS h (user_id, hour, model, key_id, funding, channel, calls, input_tokens, cached_input_tokens,
      cache_write_tokens, output_tokens, cost_micros, charged_micros)
    VALUES (NEW.user_id, v_hour, NEW.model, v_key, NEW.funding, coalesce(NEW.channel, ''), 1, coalesce(NEW.input_tokens, 0),
      coalesce(NEW.cached_input_tokens, 0), coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.output_tokens, 0),
      NEW.cost_micros, (NEW.charged_micros + NEW.late_charged_micros))
    ON CONFLICT (user_id, hour, model, key_id, funding, channel) DO UPDATE SET calls = h.calls + 1,
      input_tokens = h.input_tokens + excluded.input_tokens,
      cached_input_tokens = h.cached_input_tokens + excluded.cached_input_tokens,
      cache_write_tokens = h.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = h.output_tokens + excluded.output_tokens,
      cost_micros = h.cost_micros + excluded.cost_micros,
      charged_micros = h.charged_micros + excluded.charged_micros;
  INSERT INTO usage_days AS d (user_id, day, calls, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens,
      cost_micros, charged_micros)
    VALUES (NEW.user_id, v_day, 1, coalesce(NEW.input_tokens, 0), coalesce(NEW.cached_input_tokens, 0),
      coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.output_tokens, 0), NEW.cost_micros,
      (NEW.charged_micros + NEW.late_charged_micros))
    ON CONFLICT (user_id, day) DO UPDATE SET calls = d.calls + 1,
      input_tokens = d.input_tokens + excluded.input_tokens,
      cached_input_tokens = d.cached_input_tokens + excluded.cached_input_tokens,
      cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
      output_tokens = d.output_tokens + excluded.output_tokens,
      cost_micros = d.cost_micros + excluded.cost_micros,
      charged_micros = d.charged_micros + excluded.charged_micros;
  INSERT INTO usage_totals VALUES (v_hour, NEW.model, coalesce(NEW.channel, ''), 1, coalesce(NEW.input_tokens, 0),
    coalesce(NEW.cached_input_tokens, 0), coalesce(NEW.cache_write_tokens, 0), coalesce(NEW.output_tokens, 0),
    NEW.cost_micros, (NEW.charged_micros + NEW.late_charged_micros));
  IF v_key <> 0 THEN
    -- The row is made first, so that a decrease meets an existing row and the checks see the sum.
    INSERT INTO usage_keys VALUES (v_key, 0) ON CONFLICT DO NOTHING;
    UPDATE usage_keys k
      SET charged_micros = k.charged_micros + (NEW.charged_micros + NEW.late_charged_micros) - OLD.charged_micros
      WHERE k.key_id = v_key;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER usage_events_late AFTER UPDATE OF late ON usage_events
  FOR EACH ROW WHEN (NEW.late AND NOT OLD.late) EXECUTE FUNCTION realms_usage_late_v1();

-- A fold leaves the calls of the last minutes alone, by their ids. A call whose id is older than half a minute when it ends is looked
-- at here. If the fold has passed its id already, the call is noted as pending; if not, the lock keeps the fold from passing it before
-- it can be seen.
CREATE FUNCTION realms_usage_straggler_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF realms_usage_lock_v1(NEW.user_id) >= NEW.id THEN
    INSERT INTO usage_pending (user_id, id) VALUES (NEW.user_id, NEW.id) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER usage_events_straggler AFTER INSERT ON usage_events
  FOR EACH ROW WHEN (NEW.id < realms_uuid_at_v1((extract(epoch FROM now()) * 1000)::bigint - 30000))
  EXECUTE FUNCTION realms_usage_straggler_v1();

-- Calls that were refused before they had a hold. The code that writes them keeps them some days, and a bounded number for each
-- user. Nothing here is financial.
CREATE TABLE refused_calls (
  user_id bigint NOT NULL,
  -- The request id, a UUIDv7: a batch that is written again changes nothing.
  id uuid NOT NULL,
  key_id bigint,
  at timestamptz NOT NULL,
  -- Null where the refusal came before the body was read.
  model text CHECK (length(model) <= 256),
  endpoint text NOT NULL CHECK (length(endpoint) <= 64),
  status smallint NOT NULL CHECK (status IN (400, 402, 403, 404, 429)),
  code text NOT NULL CHECK (length(code) <= 64),
  PRIMARY KEY (user_id, id)
);
CREATE INDEX refused_calls_at ON refused_calls (at);
-- The list of all users' calls shows refused calls too, in the order of their ids.
CREATE INDEX refused_calls_id ON refused_calls (id);

-- The ids of a user's newest calls in a range of ids, and where each call is: in `usage_events`, open, or refused. By p_state a
-- table without such calls is not opened. The planner believes that a user has only a row or two in each table, and that sorting them
-- is cheap. The settings keep it from reading and sorting everything that a user has for a page of fifty.
CREATE FUNCTION realms_call_ids_v1(p_user bigint, p_from uuid, p_before uuid, p_state text, p_refused boolean, p_max integer)
RETURNS TABLE (user_id bigint, id uuid, place text) LANGUAGE plpgsql STABLE
SET enable_sort = off SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN
  RETURN QUERY SELECT c.user_id, c.id, c.place FROM (
      SELECT e.user_id, e.id, 'ended' AS place FROM usage_events e
      UNION ALL SELECT h.user_id, h.id, 'open' FROM open_holds h
      UNION ALL SELECT r.user_id, r.id, 'refused' FROM refused_calls r
    ) c
    WHERE (c.user_id, c.id) < (p_user, p_before) AND (c.user_id, c.id) >= (p_user, p_from)
      AND (p_state IS NULL OR c.place = CASE p_state WHEN 'reserved' THEN 'open' WHEN 'refused' THEN 'refused' ELSE 'ended' END)
      AND (p_refused OR c.place <> 'refused')
    ORDER BY c.user_id DESC, c.id DESC LIMIT p_max;
END $$;
