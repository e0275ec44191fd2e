-- Compliance today, by everything that nodes are grouped by. Sum the numbers over what does not matter.
CREATE OR REPLACE VIEW compliance_now AS
SELECT
    n.owner, n.application, n.environment, n.account, n.region, n.os, n.patch_group, n.executor,
    count(*) AS nodes,
    count_if(n.state = 'compliant') AS compliant,
    count_if(n.state = 'non_compliant') AS non_compliant,
    count_if(n.state = 'unknown') AS unknown,
    count_if(n.pending_reboot) AS pending_reboot
FROM node_now AS n
GROUP BY n.owner, n.application, n.environment, n.account, n.region, n.os, n.patch_group, n.executor;
