-- The findings of the newest import. is_open: the scanner does not say that it is fixed or suppressed.
CREATE OR REPLACE VIEW findings_now AS
SELECT
    f.finding_key, f.source, f.finding_id, f.place, f.title, f.node_id, f.machine, f.severity, f.status, f.remediation, f.why,
    f.patched_by, f.cves, f.kev_due, f.first_seen, f.last_seen, f.owner, f.application, f.cvss, f.epss,
    f.run_id, f.observed_at,
    f.status IN ('open', 'unknown') AS is_open
FROM all_findings AS f
JOIN (
    SELECT q.run_id, rank() OVER (ORDER BY q.observed_at DESC, q.run_id DESC) AS latest
    FROM publications AS q
    WHERE q.kind = 'findings'
) AS p
    ON p.run_id = f.run_id
WHERE p.latest = 1;
