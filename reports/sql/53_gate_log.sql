-- Waves with the judgements of their gates, in order.
CREATE OR REPLACE VIEW gate_log AS
SELECT
    w.rollout, w.wave, w.wave_order, w.state, w.window_start, w.window_end, w.started_at, w.ended_at, w.minutes,
    w.nodes, w.good, w.bad, w.unknown, w.held, w.pending,
    g.judged_at, g.verdict, g.reasons
FROM all_waves AS w
JOIN rollout_list AS r
    ON r.rollout = w.rollout
LEFT JOIN all_gates AS g
    ON g.rollout = w.rollout AND g.wave = w.wave;
