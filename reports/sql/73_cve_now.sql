-- Each CVE that is open now or was open before: on how many machines, and on how many it is proven closed since.
CREATE OR REPLACE VIEW cve_now AS
SELECT
    t.cve, c.owner,
    count_if(c.change IN ('still_open', 'opened')) AS open,
    count_if(c.change = 'closed') AS closed,
    count_if(c.change = 'vanished') AS vanished
FROM finding_changes AS c
CROSS JOIN UNNEST(split(c.cves, ' ')) AS t (cve)
WHERE t.cve <> ''
GROUP BY t.cve, c.owner;
