-- One row: the newest moment of the history. Ages are counted up to it, never up to the time of a query.
-- stale and gone: days after which a node that no scan has seen counts as unknown, and no longer counts.
CREATE OR REPLACE VIEW as_of AS
SELECT
    max(p.as_of) AS as_of,
    cast(max(substr(p.as_of, 1, 10)) AS date) AS as_of_day,
    coalesce(max(s.stale), 7) AS stale,
    coalesce(max(s.gone), 30) AS gone
FROM publications AS p
CROSS JOIN (
    SELECT
        max(CASE WHEN l.name = 'stale' THEN l.value END) AS stale,
        max(CASE WHEN l.name = 'gone' THEN l.value END) AS gone
    FROM all_limits AS l
) AS s
WHERE p.kind <> 'limits';
