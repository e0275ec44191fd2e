-- By month and severity: days from the release of a patch to its installation, where the release is known.
-- The median is exact: the mean of the one or two rows in the middle.
CREATE OR REPLACE VIEW release_to_install AS
SELECT
    d.month, d.severity,
    max(d.patches) AS patches,
    avg(CASE WHEN 2 * d.place BETWEEN d.patches AND d.patches + 2 THEN cast(d.days AS double) END) AS median_days
FROM (
    SELECT
        i.month, i.severity, i.days,
        row_number() OVER (PARTITION BY i.month, i.severity ORDER BY i.days, i.node_id, i.patch_id) AS place,
        count(*) OVER (PARTITION BY i.month, i.severity) AS patches
    FROM (
        SELECT
            substr(n.ended_at, 1, 7) AS month, p.severity, p.node_id, p.patch_id,
            date_diff('day', cast(substr(p.released, 1, 10) AS date), cast(substr(n.ended_at, 1, 10) AS date)) AS days
        FROM all_rollout_patches AS p
        JOIN all_rollout_nodes AS n
            ON n.rollout = p.rollout AND n.node_id = p.node_id
        JOIN rollout_list AS r
            ON r.rollout = p.rollout
        WHERE p.result = 'installed' AND p.released <> '' AND n.ended_at <> ''
    ) AS i
) AS d
GROUP BY d.month, d.severity;
