//! The mail of a life: rules that write, the loop that hands messages over, and staff who note a word.
use crate::run::{Run, told};
use base::MINUTE_US;
use db::DbError;
use messaging::model::{RuleDraft, Shop, TemplateDraft};
use messaging::outbox::{self, ClaimOptions, Outcome};
use pipeline::facts::Facts;
use pipeline::step;
use segments::runtime::Cause;

impl Run {
    pub(crate) fn make_rule(&mut self) -> Result<(), String> {
        let Some(segment_id) = self.segments.first().copied() else { return Ok(()) };
        let template_id = match self.template {
            Some(id) => id,
            None => {
                let draft = TemplateDraft {
                    name: "News".into(),
                    channel: "email".into(),
                    subject: "Новини".into(),
                    body_html: String::new(),
                    body_text: "Вітаємо, {{ customer.name | default('друже') }}".into(),
                };
                let made = self.world.write(move |tx| messaging::commands::create_template(tx, &draft));
                *self.template.insert(made.map_err(|e| e.to_string())?.after.id)
            }
        };
        let draft = RuleDraft {
            name: format!("Rule {}", self.made),
            segment_id,
            template_id,
            channel: "email".into(),
            purpose: "marketing".into(),
            topic: String::new(),
            once: self.town.rng.below(2) == 0,
            enabled: true,
        };
        let preparer = self.world.core().preparer.clone();
        self.world
            .write(move |tx| messaging::commands::create_rule(tx, &mut Facts { preparer: &preparer }, &draft))
            .map(drop)
            .map_err(|e| e.to_string())
    }

    /// The mail loop: settles what it handed over, and claims what is due.
    pub(crate) fn mail(&mut self) -> Result<(), String> {
        for claimed in std::mem::take(&mut self.under_way) {
            if self.town.rng.below(6) == 0 {
                // Still under way; its lease may end meanwhile.
                self.under_way.push(claimed);
                continue;
            }
            let reason = "simulated".to_string();
            let outcome = match self.town.rng.below(5) {
                0 => Outcome::Retry { reason, after_us: 5 * MINUTE_US },
                1 => Outcome::Refused { reason },
                2 => Outcome::Unknown { reason },
                _ => Outcome::Sent { reply: "250 OK".into() },
            };
            let again = matches!(outcome, Outcome::Retry { .. });
            self.reached.add("messages unknown", u64::from(matches!(outcome, Outcome::Unknown { .. })));
            let (id, attempt) = (claimed.message_id, claimed.attempt);
            let preparer = self.world.core().preparer.clone();
            let settled = self.world.write(move |tx| {
                let (settled, derived) = outbox::settle(tx, id, attempt, &outcome)?;
                pipeline::append_derived(tx, &preparer, derived.into_iter().map(step::new_event).collect())?;
                Ok::<_, DbError>(settled)
            });
            settled.map_err(told)?;
            if again {
                self.ledger.may_repeat(id);
            }
        }
        let preparer = self.world.core().preparer.clone();
        let claimed = self.world.write(move |tx| {
            let shop = shop();
            let options = ClaimOptions { shop: &shop, limit: 5, lease_us: 10 * MINUTE_US };
            let batch = outbox::claim_due(tx, &mut Facts { preparer: &preparer }, options)?;
            pipeline::append_derived(tx, &preparer, batch.derived.into_iter().map(step::new_event).collect())?;
            Ok::<_, DbError>(batch.claimed)
        });
        for message in claimed.map_err(told)? {
            self.reached.note("messages handed over");
            self.ledger.hand_over(message.message_id, &message.to)?;
            self.under_way.push(message);
        }
        Ok(())
    }

    pub(crate) fn staff_consent(&mut self) -> Result<(), String> {
        let address: Box<str> = format!("p{}@example.com", self.town.rng.below(14)).into();
        let granted = self.town.rng.below(2) == 0;
        let written = address.clone();
        let preparer = self.world.core().preparer.clone();
        self.world
            .write(move |tx| {
                let known = customers::lookup(tx, "email", &written, base::Country::find("UA"))?;
                let new = customers::consent::NewConsent {
                    channel: "email".into(),
                    address: written.clone(),
                    purpose: "marketing".into(),
                    granted,
                    at: tx.now(),
                    claimed_at: tx.now(),
                    wording: "by telephone".into(),
                    wording_version: "".into(),
                    profile_id: known.map_or(0, |(_, profile)| profile),
                    message_id: "".into(),
                    source: 0,
                    actor: "simulation".into(),
                    imported: false,
                };
                customers::consent::record_consent(tx, &new)?;
                let Some((person, _)) = known else { return Ok(()) };
                let moved = segments::runtime::reevaluate(tx, &[person], Cause::Event, &[])?;
                let appended = step::moved(tx, &preparer, &moved, "consent")?;
                pipeline::append_derived(tx, &preparer, appended)
            })
            .map_err(told)?;
        if granted {
            self.ledger.forget_denial(&address);
        } else {
            self.reached.note("consents revoked");
            self.ledger.denied.insert(address.into());
        }
        Ok(())
    }
}

fn shop() -> Shop {
    Shop {
        name: "Shop".into(),
        time_zone: "Europe/Kyiv".into(),
        currency: "UAH".into(),
        locale: "uk".into(),
        country: "UA".into(),
        public_url: "https://shop.example".into(),
        mail_domain: "shop.example".into(),
        quiet_hours: None,
    }
}
