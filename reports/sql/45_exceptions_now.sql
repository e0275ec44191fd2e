-- The ledgers' records on their newest day; a run_id ends in the digest of its ledger's name. state: in_force, upcoming, over, or the record's status if not approved.
CREATE OR REPLACE VIEW exceptions_now AS
SELECT
    e.ledger, e.exception_id, e.selects, e.valid_from, e.valid_until, e.reason, e.requested_by, e.status,
    e.decided_by, e.decided_at, e.note, e.nodes,
    date_diff('day', a.as_of_day, cast(e.valid_until AS date)) AS days_left,
    CASE
        WHEN e.status <> 'approved' THEN e.status
        WHEN cast(e.valid_until AS date) < a.as_of_day THEN 'over'
        WHEN cast(e.valid_from AS date) > a.as_of_day THEN 'upcoming'
        ELSE 'in_force'
    END AS state
FROM all_exceptions AS e
JOIN (
    SELECT q.run_id, rank() OVER (PARTITION BY substr(q.run_id, 23) ORDER BY q.observed_at DESC) AS latest
    FROM publications AS q
    WHERE q.kind = 'exceptions'
) AS p
    ON p.run_id = e.run_id
CROSS JOIN as_of AS a
WHERE p.latest = 1;
