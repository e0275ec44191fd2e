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
FROM (
    SELECT
        r.*,
        rank() OVER (PARTITION BY r.os, r.patch_group ORDER BY r.observed_at DESC, r.run_id DESC) AS latest
    FROM all_patch_states AS r
) AS s
WHERE s.latest = 1
GROUP BY s.os, s.patch_group;
