-- What the role did for each rollout, in every account: the calls of its sessions in CloudTrail. The session of a rollout is named after it.
-- session is the rest of the name where it is no rollout of the history: scans, the inventory, or somebody who should not have been there.
-- cloudtrail_logs is the table of the CloudTrail documentation (Athena user guide, "Create a table for CloudTrail logs"). Put the name of
-- your role in place of patchtide, and the days that you ask for in place of the first one.
SELECT
    r.rollout, r.policy, r.operator,
    CASE WHEN r.rollout IS NULL THEN split_part(t.useridentity.arn, '/', 3) END AS session,
    t.recipientaccountid AS account, t.awsregion AS region, t.eventtime, t.eventsource, t.eventname, t.errorcode,
    t.sourceipaddress, t.requestid
FROM cloudtrail_logs AS t
LEFT JOIN rollout_list AS r
    ON split_part(t.useridentity.arn, '/', 3) = concat('patchtide-', r.rollout)
WHERE t.useridentity.type = 'AssumedRole'
    AND split_part(t.useridentity.arn, '/', 2) = 'patchtide'
    AND t.eventtime >= '2026-01-01T00:00:00Z'
ORDER BY t.eventtime;
