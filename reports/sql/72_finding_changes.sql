-- Findings that were open before or are open now: closed (the scanner says so), vanished (it does not report them any
-- more, which proves nothing), still_open or opened. A finding is the same one if its installed version changed.
CREATE OR REPLACE VIEW finding_changes AS
SELECT
    coalesce(n.source, b.source) AS source,
    coalesce(n.finding_id, b.finding_id) AS finding_id,
    coalesce(n.machine, b.machine) AS machine,
    coalesce(n.node_id, b.node_id) AS node_id,
    coalesce(n.owner, b.owner) AS owner,
    coalesce(n.cves, b.cves) AS cves,
    n.severity,
    n.why,
    CASE
        WHEN n.finding_key IS NULL THEN 'vanished'
        WHEN b.open = 1 AND n.open = 1 THEN 'still_open'
        WHEN b.open = 1 THEN 'closed'
        ELSE 'opened'
    END AS change
FROM (
    SELECT
        f.finding_key, max(f.source) AS source, max(f.finding_id) AS finding_id, max(f.machine) AS machine,
        max(f.node_id) AS node_id, max(f.owner) AS owner, max(f.cves) AS cves, max(f.severity) AS severity,
        max(f.why) AS why, max(CASE WHEN f.is_open THEN 1 ELSE 0 END) AS open
    FROM findings_now AS f
    GROUP BY f.finding_key
) AS n
FULL OUTER JOIN (
    SELECT
        f.finding_key, max(f.source) AS source, max(f.finding_id) AS finding_id, max(f.machine) AS machine,
        max(f.node_id) AS node_id, max(f.owner) AS owner, max(f.cves) AS cves,
        max(CASE WHEN f.status IN ('open', 'unknown') THEN 1 ELSE 0 END) AS open
    FROM findings_before AS f
    GROUP BY f.finding_key
) AS b
    ON b.finding_key = n.finding_key
WHERE b.open = 1 OR n.open = 1;
