-- Patches of each operating system and patch group by approval, as the newest scan of them says.
CREATE OR REPLACE VIEW patch_approvals AS
SELECT
    s.os, s.patch_group,
    count(*) AS known,
    count_if(s.released <> '') AS released,
    count_if(s.approval = 'approved') AS approved,
    count_if(s.approval = 'pending') AS pending,
    count_if(s.approval = 'rejected') AS rejected,
    count_if(s.approval = 'unknown') AS unknown,
    sum(s.nodes_missing) AS missing,
    sum(s.nodes_installed_rejected) AS installed_rejected
FROM all_patch_states AS s
JOIN (
    SELECT
        n.system, n.patch_group, n.run_id,
        rank() OVER (PARTITION BY n.system, n.patch_group ORDER BY n.observed_at DESC, n.run_id DESC) AS latest
    FROM (
        SELECT DISTINCT coalesce(nullif(m.os, ''), m.platform) AS system, m.patch_group, m.run_id, m.observed_at
        FROM all_nodes AS m
    ) AS n
) AS l
    ON l.system = s.os AND l.patch_group = s.patch_group AND l.run_id = s.run_id
WHERE l.latest = 1
GROUP BY s.os, s.patch_group;
