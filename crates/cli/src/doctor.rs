//! `braid doctor`: whether everything stored is sound.
use crate::printer::Printer;
use crate::shop::{Shop, ShopArgs, unreadable};
use crate::stop::{Outcome, Stop};
use pipeline::doctor::{self, Severity};

/// Checks every invariant of a store, beside a running server or without one. Exit 0 clean, 1 findings, 2 cannot read.
///
/// Example: braid doctor shop --json
#[derive(Debug, clap::Args)]
pub struct Doctor {
    #[command(flatten)]
    shop: ShopArgs,
    /// Prints one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(doctor: &Doctor, printer: &mut Printer) -> Outcome {
    let shop = Shop::find(&doctor.shop, Vec::new())?;
    let settings = server::domain::settings(&shop.config);
    let mut report =
        doctor::run(&shop.location()?, &base::SystemClock, settings).map_err(|e| unreadable(&shop.folder, e))?;
    let broken = server::audit::check(&shop.location()?).map_err(|e| unreadable(&shop.folder, e))?;
    report.findings.extend(broken.into_iter().map(|b| doctor::Finding {
        check: "audit_chain".into(),
        severity: Severity::Error,
        subject: format!("line {}", b.id),
        detail: b.why.into(),
    }));
    let (wrong, queues) = server::webhooks::doctor::check(&shop.location()?, base::Clock::now(&base::SystemClock))
        .map_err(|e| unreadable(&shop.folder, e))?;
    report.findings.extend(wrong.into_iter().map(|f| doctor::Finding {
        check: f.check.into(),
        severity: Severity::Error,
        subject: f.subject,
        detail: f.detail,
    }));
    let erp = server::erp::doctor::check(&shop.location()?).map_err(|e| unreadable(&shop.folder, e))?;
    report.findings.extend(erp.into_iter().map(|f| doctor::Finding {
        check: f.check.into(),
        severity: Severity::Error,
        subject: f.subject,
        detail: f.detail.into(),
    }));
    report.notes.extend(queues.into_iter().map(|q| doctor::Note {
        what: if q.disabled { "webhooks_disabled" } else { "webhooks_waiting" },
        count: q.waiting,
        detail: match q.disabled {
            true => format!("the endpoint {:?} is disabled; the page Webhooks says why", q.name),
            false => format!("deliveries wait for the endpoint {:?}", q.name),
        },
        oldest_s: (q.waiting > 0).then_some(q.oldest_s),
    }));
    let clean = report.findings.is_empty();
    if doctor.json {
        printer.json(&report)?;
    } else {
        let c = &report.counts;
        printer.line(format!(
            "{} events, {} derived, {} rejected, {} profiles, {} people, {} messages, {} pending",
            c.events, c.derived, c.rejected, c.profiles, c.people, c.messages, c.outbox_pending
        ))?;
        for finding in &report.findings {
            let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
            printer.line(format!("{severity}: {} {}: {}", finding.check, finding.subject, finding.detail))?;
        }
        for note in &report.notes {
            printer.line(format!("note: {} ({}): {}", note.what, note.count, note.detail))?;
        }
        printer.line(if clean { "clean" } else { "not clean" })?;
    }
    if clean { Ok(()) } else { Err(Stop::silent(1)) }
}
