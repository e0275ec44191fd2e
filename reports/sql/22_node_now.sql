-- Each node that counts today. state is compliant, non_compliant or unknown; what is stale is unknown.
CREATE OR REPLACE VIEW node_now AS
SELECT
    n.node_id,
    coalesce(nullif(n.name, ''), nullif(n.host, ''), n.node_id) AS title,
    n.executor, n.platform, n.os, n.patch_group, n.owner, n.application, n.environment, n.account, n.region,
    CASE WHEN date_diff('day', n.seen_day, a.as_of_day) > a.stale THEN 'unknown' ELSE n.compliance END AS state,
    CASE WHEN date_diff('day', n.seen_day, a.as_of_day) > a.stale THEN 'stale' ELSE n.code END AS code,
    n.missing, n.pending_reboot, n.open_points, n.kernel, n.run_id, n.observed_at,
    date_diff('day', n.seen_day, a.as_of_day) AS days_ago
FROM node_days AS n
CROSS JOIN as_of AS a
WHERE n.next_day IS NULL AND date_diff('day', n.seen_day, a.as_of_day) <= a.gone;
