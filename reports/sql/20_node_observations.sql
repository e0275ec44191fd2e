-- Each node of each scan. A node of the inventory that the scan does not have is there as unknown.
CREATE OR REPLACE VIEW node_observations AS
SELECT
    n.node_id, n.name, n.host, n.executor, n.platform, n.os, n.patch_group, n.owner, n.application, n.environment,
    n.account, n.region, n.compliance, n.missing, n.pending_reboot, n.code, n.reason, n.open_points, n.kernel,
    n.run_id, n.observed_at, cast(substr(n.observed_at, 1, 10) AS date) AS seen_day
FROM all_nodes AS n
UNION ALL
SELECT
    c.node_id, c.name, c.host, c.executor, c.platform, c.os, c.patch_group, c.owner, c.application, c.environment,
    c.account, c.region, 'unknown', cast(NULL AS bigint), cast(NULL AS boolean), c.problem, '', '', '',
    c.run_id, c.observed_at, cast(substr(c.observed_at, 1, 10) AS date)
FROM all_coverage AS c
WHERE c.problem IN ('not_scanned', 'no_executor');
