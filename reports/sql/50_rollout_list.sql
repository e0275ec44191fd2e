-- Each rollout with its nodes by outcome and what changed on them. Rehearsals are left out.
CREATE OR REPLACE VIEW rollout_list AS
SELECT
    r.rollout, r.policy, r.operator, r.status, r.headline, r.planned_at, r.started_at, r.ended_at, r.minutes,
    r.nodes, r.excluded, r.hands_on_steps, r.waiting_minutes, r.by_schedule, r.warnings,
    coalesce(n.good, 0) AS good,
    coalesce(n.bad, 0) AS bad,
    coalesce(n.unknown, 0) AS unknown,
    coalesce(n.compliant_before, 0) AS compliant_before,
    coalesce(n.compliant_after, 0) AS compliant_after,
    coalesce(n.installed, 0) AS installed,
    coalesce(n.rebooted, 0) AS rebooted,
    coalesce(n.kernels_changed, 0) AS kernels_changed
FROM all_rollouts AS r
LEFT JOIN (
    SELECT
        m.rollout,
        count_if(m.tone = 'good') AS good,
        count_if(m.tone = 'bad') AS bad,
        count_if(m.tone = 'unknown') AS unknown,
        count_if(m.compliance_before = 'compliant') AS compliant_before,
        count_if(m.compliance_after = 'compliant') AS compliant_after,
        sum(m.installed) AS installed,
        count_if(m.rebooted) AS rebooted,
        count_if(m.kernel_before <> m.kernel_after AND m.kernel_before <> '' AND m.kernel_after <> '')
            AS kernels_changed
    FROM all_rollout_nodes AS m
    WHERE m.wave <> ''
    GROUP BY m.rollout
) AS n
    ON n.rollout = r.rollout
WHERE NOT r.rehearsal;
