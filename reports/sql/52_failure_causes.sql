-- Nodes that failed or whose outcome is unknown, by month and cause.
CREATE OR REPLACE VIEW failure_causes AS
SELECT
    substr(r.started_at, 1, 7) AS month,
    n.status, n.code, n.owner,
    count(*) AS nodes,
    count(DISTINCT n.rollout) AS rollouts
FROM all_rollout_nodes AS n
JOIN rollout_list AS r
    ON r.rollout = n.rollout
WHERE n.tone IN ('bad', 'unknown') AND n.wave <> ''
GROUP BY substr(r.started_at, 1, 7), n.status, n.code, n.owner;
