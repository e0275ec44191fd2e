-- By month: rollouts, the steps that people took, and how long rollouts waited for them.
CREATE OR REPLACE VIEW effort_months AS
SELECT
    substr(r.started_at, 1, 7) AS month,
    count(*) AS rollouts,
    sum(r.nodes) AS nodes,
    sum(r.hands_on_steps) AS hands_on_steps,
    sum(r.by_schedule) AS started_by_schedule,
    sum(r.waiting_minutes) AS waiting_minutes
FROM rollout_list AS r
WHERE r.started_at <> ''
GROUP BY substr(r.started_at, 1, 7);
