-- Nodes of the newest inventory of each account-Region by what keeps them from being patched; '' if nothing does.
CREATE OR REPLACE VIEW coverage_now AS
SELECT
    c.owner, c.account, c.region, c.problem,
    count(*) AS nodes,
    max(c.text) AS text
FROM (
    SELECT x.*, rank() OVER (PARTITION BY x.account, x.region ORDER BY x.observed_at DESC, x.run_id DESC) AS latest
    FROM all_coverage AS x
) AS c
WHERE c.latest = 1
GROUP BY c.owner, c.account, c.region, c.problem;
