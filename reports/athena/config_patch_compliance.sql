-- The patch compliance of each node over time as AWS Config recorded it, beside the history of patchtide.hybrid. It never ran.
-- awsconfig is a table of the files that Config delivers: configurationitems array<struct<…>>, whose configuration is text. Config records a
-- node when its compliance changes, and a type that its recorder leaves out is missing without an error.
SELECT
    c.account, c.region, c.node_id, c.captured_at,
    cardinality(filter(c.patches, p -> json_extract_scalar(p, '$.PatchState') = 'Missing')) AS missing,
    cardinality(filter(c.patches, p -> json_extract_scalar(p, '$.PatchState') = 'Failed')) AS failed,
    cardinality(filter(c.patches, p -> json_extract_scalar(p, '$.PatchState') = 'Installed')) AS installed
FROM (
    SELECT
        i.awsaccountid AS account, i.awsregion AS region,
        replace(i.resourceid, 'AWS::SSM::ManagedInstanceInventory/', '') AS node_id,
        i.configurationitemcapturetime AS captured_at,
        map_values(
            cast(json_extract(i.configuration, '$["AWS:ComplianceItem"]["Content"]["Patch"]') AS map(varchar, json))
        ) AS patches
    FROM awsconfig
    CROSS JOIN UNNEST(configurationitems) AS t (i)
    WHERE i.resourcetype = 'AWS::SSM::PatchCompliance'
) AS c
WHERE c.patches IS NOT NULL
ORDER BY c.node_id, c.captured_at;
