-- Who planned, approved, started and decided what, and when exceptions were decided.
CREATE OR REPLACE VIEW decision_log AS
SELECT d.decided_at, d.act, d.decided_by, d.source, d.reason, d.rollout AS subject, d.wave
FROM all_decisions AS d
JOIN rollout_list AS r
    ON r.rollout = d.rollout
UNION ALL
SELECT e.decided_at, 'exception_' || e.status, e.decided_by, e.ledger, e.note, e.exception_id, ''
FROM exceptions_now AS e
WHERE e.decided_at <> '';
