-- The rows that count: those of the publication that published/<run_id>.json names. All other views read only these.
-- Made by tools/history_page.py from the datasets.
CREATE OR REPLACE VIEW all_nodes AS
SELECT t.node_id, t.host, t.name, t.executor, t.platform, t.os, t.patch_group, t.owner, t.application, t.environment, t.status, t.compliance, t.open_points, t.kernel, t.code, t.reason, t.missing, t.pending_reboot, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM nodes AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_patches AS
SELECT t.node_id, t.patch_id, t.title, t.classification, t.severity, t.cve_ids, t.state, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM patches AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_patch_states AS
SELECT t.os, t.patch_group, t.patch_id, t.title, t.classification, t.severity, t.cve_ids, t.released, t.approval, t.nodes_installed, t.nodes_installed_rejected, t.nodes_missing, t.nodes_failed, t.nodes_held, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM patch_states AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_coverage AS
SELECT t.node_id, t.host, t.name, t.executor, t.platform, t.os, t.patch_group, t.owner, t.application, t.environment, t.state, t.problem, t.text, t.managed, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM coverage AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_rollouts AS
SELECT t.rollout, t.digest, t.policy, t.operator, t.status, t.headline, t.planned_at, t.started_at, t.ended_at, t.as_of, t.journal_head, t.nodes, t.excluded, t.hands_on_steps, t.by_schedule, t.warnings, t.minutes, t.waiting_minutes, t.rehearsal, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM rollouts AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_waves AS
SELECT t.rollout, t.wave, t.state, t.window_start, t.window_end, t.started_at, t.ended_at, t.wave_order, t.nodes, t.good, t.bad, t.unknown, t.held, t.pending, t.minutes, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM waves AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_gates AS
SELECT t.rollout, t.wave, t.judged_at, t.verdict, t.reasons, t.numbers, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM gates AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_decisions AS
SELECT t.rollout, t.act, t.decided_by, t.decided_at, t.source, t.wave, t.reason, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM decisions AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_rollout_nodes AS
SELECT t.rollout, t.wave, t.node_id, t.host, t.name, t.executor, t.platform, t.os, t.patch_group, t.owner, t.application, t.environment, t.status, t.tone, t.code, t.reason, t.compliance_before, t.compliance_after, t.kernel_before, t.kernel_after, t.started_at, t.ended_at, t.proof, t.planned, t.installed, t.failed, t.missing_before, t.missing_after, t.rebooted, t.pending_reboot, t.minutes, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM rollout_nodes AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_rollout_patches AS
SELECT t.rollout, t.node_id, t.patch_id, t.title, t.severity, t.result, t.old_version, t.new_version, t.released, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM rollout_patches AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_exceptions AS
SELECT t.ledger, t.exception_id, t.selects, t.valid_from, t.valid_until, t.reason, t.requested_by, t.status, t.decided_by, t.decided_at, t.note, t.nodes, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM exceptions AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_exception_nodes AS
SELECT t.ledger, t.exception_id, t.node_id, t.name, t.owner, t.application, t.environment, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM exception_nodes AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_findings AS
SELECT t.finding_key, t.source, t.finding_id, t.place, t.title, t.node_id, t.machine, t.severity, t.status, t.remediation, t.why, t.patched_by, t.cves, t.kev_due, t.first_seen, t.last_seen, t.owner, t.application, t.environment, t.cvss, t.epss, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM findings AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
CREATE OR REPLACE VIEW all_limits AS
SELECT t.name, t.value, t.run_id, t.publication, t.observed_at, t.schema_version, t.account, t.region, t.dt
FROM limits AS t
JOIN publications AS p
    ON p.run_id = t.run_id AND p.publication = t.publication;
