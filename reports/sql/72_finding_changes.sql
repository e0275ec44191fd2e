-- Findings that were open before or are open now: closed (the scanner says so), vanished (it does not report them any
-- more, which proves nothing), still_open or opened.
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
        WHEN n.finding_id IS NULL THEN 'vanished'
        WHEN b.status IN ('open', 'unknown') AND n.is_open THEN 'still_open'
        WHEN b.status IN ('open', 'unknown') THEN 'closed'
        ELSE 'opened'
    END AS change
FROM findings_now AS n
FULL OUTER JOIN findings_before AS b
    ON b.source = n.source AND b.finding_id = n.finding_id AND b.machine = n.machine AND b.place = n.place
WHERE b.status IN ('open', 'unknown') OR (n.is_open AND n.finding_id IS NOT NULL);
