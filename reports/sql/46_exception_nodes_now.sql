-- The nodes of the exceptions, with their owners.
CREATE OR REPLACE VIEW exception_nodes_now AS
SELECT n.ledger, n.exception_id, n.node_id, n.name, n.owner, n.application, n.environment
FROM (
    SELECT x.*, rank() OVER (PARTITION BY x.ledger ORDER BY x.observed_at DESC) AS latest
    FROM all_exception_nodes AS x
) AS n
JOIN exceptions_now AS e
    ON e.ledger = n.ledger AND e.exception_id = n.exception_id
WHERE n.latest = 1;
