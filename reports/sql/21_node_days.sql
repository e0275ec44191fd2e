-- The last observation of each node on each day, and the day of the next one.
CREATE OR REPLACE VIEW node_days AS
SELECT
    d.*,
    lead(d.seen_day) OVER (PARTITION BY d.node_id ORDER BY d.seen_day) AS next_day
FROM (
    SELECT
        o.*,
        row_number() OVER (PARTITION BY o.node_id, o.seen_day ORDER BY o.observed_at DESC, o.run_id DESC) AS latest
    FROM node_observations AS o
) AS d
WHERE d.latest = 1;
