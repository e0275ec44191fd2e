-- Each patch that a node lacks today, with its age: days since a scan first found it missing on that node.
-- overdue is null where no limit is published for the severity. Exceptions do not stop the age.
CREATE OR REPLACE VIEW patch_ages AS
SELECT
    n.node_id, n.title, n.owner, n.application, n.environment, n.account, n.region, n.os, n.patch_group,
    p.patch_id, p.title AS patch_title, p.classification, p.severity, p.cve_ids, p.state,
    f.first_day,
    date_diff('day', f.first_day, a.as_of_day) AS age_days,
    l.value AS sla_days,
    date_diff('day', f.first_day, a.as_of_day) > l.value AS overdue
FROM node_now AS n
CROSS JOIN as_of AS a
JOIN all_patches AS p
    ON p.run_id = n.run_id AND p.node_id = n.node_id AND p.state = 'missing'
JOIN (
    SELECT q.node_id, q.patch_id, cast(min(substr(q.observed_at, 1, 10)) AS date) AS first_day
    FROM all_patches AS q
    WHERE q.state = 'missing'
    GROUP BY q.node_id, q.patch_id
) AS f
    ON f.node_id = p.node_id AND f.patch_id = p.patch_id
LEFT JOIN all_limits AS l
    ON l.name = 'sla_' || p.severity;
