-- Who is late: owners and applications with overdue patches.
CREATE OR REPLACE VIEW late_now AS
SELECT
    p.owner, p.application,
    count(*) AS overdue,
    count(DISTINCT p.node_id) AS nodes,
    max(p.age_days) AS oldest_days
FROM patch_ages AS p
WHERE p.overdue
GROUP BY p.owner, p.application;
