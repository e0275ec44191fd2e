-- Each rollout by owner: nodes by outcome, before and after.
CREATE OR REPLACE VIEW rollout_owners AS
SELECT
    r.rollout, r.policy, r.started_at, r.ended_at, r.status, n.owner,
    count(*) AS nodes,
    count_if(n.tone = 'good') AS good,
    count_if(n.tone = 'bad') AS bad,
    count_if(n.tone = 'unknown') AS unknown,
    count_if(n.compliance_before = 'compliant') AS compliant_before,
    count_if(n.compliance_after = 'compliant') AS compliant_after,
    sum(n.installed) AS installed
FROM all_rollout_nodes AS n
JOIN rollout_list AS r
    ON r.rollout = n.rollout
WHERE n.wave <> ''
GROUP BY r.rollout, r.policy, r.started_at, r.ended_at, r.status, n.owner;
