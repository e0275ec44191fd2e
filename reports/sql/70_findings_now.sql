-- The findings of the newest import. is_open: the scanner does not say that it is fixed or suppressed.
CREATE OR REPLACE VIEW findings_now AS
SELECT
    f.source, f.finding_id, f.place, f.title, f.node_id, f.machine, f.severity, f.status, f.remediation, f.why,
    f.patched_by, f.cves, f.kev_due, f.first_seen, f.last_seen, f.owner, f.application, f.cvss, f.epss,
    f.run_id, f.observed_at,
    f.status IN ('open', 'unknown') AS is_open
FROM (
    SELECT x.*, rank() OVER (ORDER BY x.observed_at DESC, x.run_id DESC) AS latest
    FROM all_findings AS x
) AS f
WHERE f.latest = 1;
