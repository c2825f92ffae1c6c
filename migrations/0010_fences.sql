-- The batch function leaves the fence of a subscription as it is when a batch announced another one and wrote nothing of the
-- subscription. realms_journal_v2 replaced it by a value that nobody knows: the next write of the process that did know the
-- fence was rejected as well, and two processes of one user could go on rejecting each other. Where such a batch has settled
-- calls of the subscription, its windows have changed, and the fence is still replaced, so that everybody reads them again.
--
-- Everything else of realms_journal_v2 (0007) stays, and so does the function, for processes of the version before.
DO $migration$
DECLARE
  v_before text := pg_get_functiondef('realms_journal_v2'::regproc);
  v_old text := $old$    -- On a mismatch the value is nobody's: whatever else was decided on the announced one will not match either.
    UPDATE user_subscriptions s
      SET fence = CASE WHEN s.id = ANY (v_stale_subs) THEN hashtextextended(gen_random_uuid()::text, 0) ELSE f.next END
      FROM$old$;
  v_new text := $new$    -- What was announced on a mismatch is never stored, so that whatever else was decided on it will not match either.
    UPDATE user_subscriptions s SET fence = CASE
        WHEN NOT s.id = ANY (v_stale_subs) THEN f.next
        WHEN EXISTS (SELECT FROM usage_events u WHERE u.id = ANY (v_moved) AND u.subscription_id = s.id)
          THEN hashtextextended(gen_random_uuid()::text, 0)
        ELSE s.fence
      END
      FROM$new$;
BEGIN
  IF strpos(v_before, v_old) = 0 THEN
    RAISE EXCEPTION 'realms_journal_v2 is not the one of 0007';
  END IF;
  EXECUTE replace(replace(v_before, v_old, v_new), 'realms_journal_v2', 'realms_journal_v3');
END $migration$;
