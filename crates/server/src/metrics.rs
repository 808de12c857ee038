//! Figures for Prometheus, in its text format 0.0.4, written by hand: there are few, and their labels are bounded.
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a request was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteClass {
    /// The tracking API.
    Collect = 0,
    /// The admin API.
    Admin = 1,
    /// Streams.
    Stream = 2,
    /// The console, braid.js, pages.
    Assets = 3,
    /// Health and figures.
    Health = 4,
}

const CLASSES: [&str; 5] = ["collect", "admin", "stream", "assets", "health"];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Counters of the HTTP side.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: [[AtomicU64; 5]; 5],
    /// Events taken, duplicates included.
    pub accepted: AtomicU64,
    /// Events that had been there.
    pub duplicates: AtomicU64,
    /// Items refused.
    pub rejected: AtomicU64,
    /// Requests of the tracking API that were refused as a whole.
    pub refused: AtomicU64,
}

impl Metrics {
    /// Counts a request that was answered.
    pub fn answered(&self, class: RouteClass, status: u16) {
        let status = usize::from(status / 100).clamp(1, 5) - 1;
        self.requests[class as usize][status].fetch_add(1, Ordering::Relaxed);
    }

    /// All figures as text.
    pub fn render(&self, store: &db::Figures, counts: &StoreCounts) -> String {
        let mut out = String::with_capacity(4096);
        let mut gauge = |name: &str, kind: &str, help: &str, value: f64| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed) as f64;
        gauge("braid_writer_queue_depth", "gauge", "Commands that wait for the writer.", store.queue_depth as f64);
        gauge("braid_writer_groups_total", "counter", "Groups committed since the start.", store.groups as f64);
        gauge("braid_writer_group_events", "gauge", "Events of the last group.", store.last_group_events as f64);
        gauge(
            "braid_writer_group_events_median",
            "gauge",
            "Events of a group, median of the last 4096.",
            store.group_events_median as f64,
        );
        gauge(
            "braid_writer_commit_seconds",
            "gauge",
            "Duration of the last group with its commit.",
            store.last_commit_us as f64 / 1e6,
        );
        gauge(
            "braid_writer_replays_total",
            "counter",
            "Groups that were run again one command at a time.",
            store.replays as f64,
        );
        gauge(
            "braid_writer_statements",
            "gauge",
            "Statements that the writer ran on its present connection; each is a round trip on PostgreSQL.",
            store.statements as f64,
        );
        gauge("braid_cache_dirty_rows", "gauge", "Rows that wait for the rotating flush.", store.dirty_rows as f64);
        gauge("braid_cache_bytes", "gauge", "Decoded rows in memory.", store.cache_bytes as f64);
        gauge(
            "braid_collect_events_accepted_total",
            "counter",
            "Events taken, duplicates included.",
            read(&self.accepted),
        );
        gauge(
            "braid_collect_events_duplicate_total",
            "counter",
            "Events that had been taken before.",
            read(&self.duplicates),
        );
        gauge("braid_collect_events_rejected_total", "counter", "Items refused.", read(&self.rejected));
        gauge("braid_collect_requests_refused_total", "counter", "Requests refused as a whole.", read(&self.refused));
        gauge("braid_store_events", "gauge", "Events accepted from outside, ever.", counts.events as f64);
        gauge("braid_store_profiles", "gauge", "Profiles.", counts.profiles as f64);
        gauge("braid_outbox_pending", "gauge", "Acts that wait to leave the house.", counts.outbox_pending as f64);
        gauge(
            "braid_outbox_oldest_seconds",
            "gauge",
            "Age of the oldest act that waits.",
            counts.outbox_oldest_us as f64 / 1e6,
        );
        gauge("braid_http_streams", "gauge", "Open streams.", counts.streams as f64);
        let _ = writeln!(out, "# HELP braid_webhook_attempts_total Attempts to deliver webhooks by how they ended.");
        let _ = writeln!(out, "# TYPE braid_webhook_attempts_total counter");
        for (outcome, count) in ["delivered", "failed"].iter().zip(counts.webhook_attempts) {
            let _ = writeln!(out, "braid_webhook_attempts_total{{outcome=\"{outcome}\"}} {count}");
        }
        for (name, help) in [
            ("braid_webhook_queue_depth", "Webhooks that wait, by endpoint."),
            ("braid_webhook_queue_oldest_seconds", "Age of the oldest webhook that waits, by endpoint."),
        ] {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (endpoint, depth, oldest_us) in &counts.webhooks {
                let value = if name.ends_with("depth") { *depth as f64 } else { *oldest_us as f64 / 1e6 };
                let _ = writeln!(out, "{name}{{endpoint=\"{endpoint}\"}} {value}");
            }
        }
        let _ = writeln!(
            out,
            "# HELP braid_http_requests_total Requests by what they were for and how they were answered."
        );
        let _ = writeln!(out, "# TYPE braid_http_requests_total counter");
        for (class, row) in CLASSES.iter().zip(&self.requests) {
            for (status, count) in STATUSES.iter().zip(row) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let _ = writeln!(out, "braid_http_requests_total{{class=\"{class}\",status=\"{status}\"}} {count}");
                }
            }
        }
        out
    }
}

/// What the store holds, for figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreCounts {
    /// Events accepted from outside.
    pub events: i64,
    /// Profiles.
    pub profiles: i64,
    /// Acts in the outbox that are not settled.
    pub outbox_pending: i64,
    /// Age of the oldest of them in microseconds.
    pub outbox_oldest_us: i64,
    /// Open streams.
    pub streams: usize,
    /// Queues of webhooks: endpoint, deliveries that wait, age of the oldest in microseconds. At most fifty.
    pub webhooks: Vec<(i64, i64, i64)>,
    /// Attempts to deliver webhooks since the start: delivered, failed.
    pub webhook_attempts: [u64; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_class_and_status() {
        let metrics = Metrics::default();
        metrics.answered(RouteClass::Collect, 200);
        metrics.answered(RouteClass::Collect, 200);
        metrics.answered(RouteClass::Admin, 404);
        let figures = db::Figures {
            queue_depth: 3,
            groups: 1,
            last_group_events: 1,
            last_commit_us: 1500,
            dirty_rows: 0,
            cache_bytes: 0,
            replays: 0,
            statements: 0,
            group_events_median: 1,
        };
        let text = metrics.render(&figures, &StoreCounts::default());
        assert!(text.contains("braid_http_requests_total{class=\"collect\",status=\"2xx\"} 2\n"));
        assert!(text.contains("braid_http_requests_total{class=\"admin\",status=\"4xx\"} 1\n"));
        assert!(
            text.contains("\nbraid_writer_queue_depth 3\n") && text.contains("\nbraid_writer_commit_seconds 0.0015\n")
        );
    }
}
