-- Compliance at the end of each day with a scan. A node keeps its last state until it is stale, then it is unknown.
CREATE OR REPLACE VIEW compliance_days AS
SELECT
    d.seen_day AS day, n.owner, n.application, n.environment, n.account, n.os, n.patch_group,
    count(*) AS nodes,
    count_if(n.compliance = 'compliant' AND date_diff('day', n.seen_day, d.seen_day) <= a.stale) AS compliant,
    count_if(n.compliance = 'non_compliant' AND date_diff('day', n.seen_day, d.seen_day) <= a.stale) AS non_compliant,
    count_if(n.compliance = 'unknown' OR date_diff('day', n.seen_day, d.seen_day) > a.stale) AS unknown
FROM (SELECT DISTINCT o.seen_day FROM node_observations AS o) AS d
CROSS JOIN as_of AS a
JOIN node_days AS n
    ON n.seen_day <= d.seen_day
    AND (n.next_day IS NULL OR n.next_day > d.seen_day)
WHERE date_diff('day', n.seen_day, d.seen_day) <= a.gone
GROUP BY d.seen_day, n.owner, n.application, n.environment, n.account, n.os, n.patch_group;
