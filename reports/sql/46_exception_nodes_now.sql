-- The nodes of the exceptions, with their owners.
CREATE OR REPLACE VIEW exception_nodes_now AS
SELECT n.ledger, n.exception_id, n.node_id, n.name, n.owner, n.application, n.environment
FROM all_exception_nodes AS n
JOIN (
    SELECT q.run_id, rank() OVER (PARTITION BY substr(q.run_id, 23) ORDER BY q.observed_at DESC) AS latest
    FROM publications AS q
    WHERE q.kind = 'exceptions'
) AS p
    ON p.run_id = n.run_id
JOIN exceptions_now AS e
    ON e.ledger = n.ledger AND e.exception_id = n.exception_id
WHERE p.latest = 1;
