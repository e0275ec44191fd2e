-- Missing patches by severity and age, and how many are overdue, of each owner and application.
CREATE OR REPLACE VIEW ageing_now AS
SELECT
    p.owner, p.application, p.severity,
    CASE
        WHEN p.age_days <= 7 THEN '0-7'
        WHEN p.age_days <= 30 THEN '8-30'
        WHEN p.age_days <= 90 THEN '31-90'
        ELSE '91+'
    END AS age,
    count(*) AS missing,
    count(DISTINCT p.node_id) AS nodes,
    count_if(p.overdue) AS overdue,
    max(p.age_days) AS oldest_days
FROM patch_ages AS p
GROUP BY
    p.owner, p.application, p.severity,
    CASE
        WHEN p.age_days <= 7 THEN '0-7'
        WHEN p.age_days <= 30 THEN '8-30'
        WHEN p.age_days <= 90 THEN '31-90'
        ELSE '91+'
    END;
