-- The findings of the import before the newest one.
CREATE OR REPLACE VIEW findings_before AS
SELECT
    f.finding_key, f.source, f.finding_id, f.place, f.node_id, f.machine, f.status, f.cves, f.owner, f.run_id,
    f.observed_at
FROM all_findings AS f
JOIN (
    SELECT q.run_id, rank() OVER (ORDER BY q.observed_at DESC, q.run_id DESC) AS latest
    FROM publications AS q
    WHERE q.kind = 'findings'
) AS p
    ON p.run_id = f.run_id
WHERE p.latest = 2;
