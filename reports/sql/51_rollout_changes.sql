-- Before and after each rollout: kernels and packages that changed from one version to another, with their nodes.
CREATE OR REPLACE VIEW rollout_changes AS
SELECT
    n.rollout, 'kernel' AS what, n.os AS name, n.kernel_before AS old_version, n.kernel_after AS new_version,
    count(*) AS nodes
FROM all_rollout_nodes AS n
WHERE n.kernel_before <> n.kernel_after AND n.kernel_before <> '' AND n.kernel_after <> ''
GROUP BY n.rollout, n.os, n.kernel_before, n.kernel_after
UNION ALL
SELECT
    p.rollout, 'package', p.patch_id, p.old_version, p.new_version, count(DISTINCT p.node_id)
FROM all_rollout_patches AS p
WHERE p.result = 'changed'
GROUP BY p.rollout, p.patch_id, p.old_version, p.new_version;
