-- The findings of the import before the newest one.
CREATE OR REPLACE VIEW findings_before AS
SELECT f.source, f.finding_id, f.place, f.node_id, f.machine, f.status, f.cves, f.owner, f.run_id, f.observed_at
FROM (
    SELECT x.*, dense_rank() OVER (ORDER BY x.observed_at DESC, x.run_id DESC) AS latest
    FROM all_findings AS x
) AS f
WHERE f.latest = 2;
