-- Missing patches by the number of nodes.
CREATE OR REPLACE VIEW top_missing AS
SELECT
    p.owner, p.patch_id, max(p.patch_title) AS title, p.severity, max(p.cve_ids) AS cve_ids,
    count(DISTINCT p.node_id) AS nodes,
    max(p.age_days) AS oldest_days,
    count_if(p.overdue) AS overdue
FROM patch_ages AS p
GROUP BY p.owner, p.patch_id, p.severity;
