//! What happens in a life: messages of a small town whose people meet, share telephones, come late and come back.
use crate::ledger::Erased;
use base::{DAY_US, HOUR_US, MINUTE_US, Rng, Timestamp};
use serde_json::{Value, json};

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Batch,
    Import,
    SendAgain,
    Pass,
    ClockJump,
    Crash,
    Restart,
    Group,
    RemoveEdges,
    Detach,
    MakeSegment,
    ChangeSegment,
    ArchiveSegment,
    MakeRule,
    Mail,
    StaffConsent,
    Flush,
    ReadAhead,
    ChangeRules,
    ChangeTrait,
    Erase,
    Backup,
    Check,
}

/// How often what happens, in parts of the whole.
const WEIGHTS: &[(u64, Act)] = &[
    (120, Act::Batch),
    (8, Act::Import),
    (8, Act::SendAgain),
    (12, Act::Pass),
    (2, Act::ClockJump),
    (9, Act::Crash),
    (2, Act::Restart),
    (10, Act::Group),
    (5, Act::RemoveEdges),
    (5, Act::Detach),
    (2, Act::MakeSegment),
    (2, Act::ChangeSegment),
    (1, Act::ArchiveSegment),
    (1, Act::MakeRule),
    (14, Act::Mail),
    (4, Act::StaffConsent),
    (6, Act::Flush),
    (3, Act::ReadAhead),
    (1, Act::ChangeRules),
    (2, Act::ChangeTrait),
    (3, Act::Erase),
    (1, Act::Backup),
    (1, Act::Check),
];

/// What happens next.
pub fn draw(rng: &mut Rng) -> Act {
    let all: u64 = WEIGHTS.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.below(all);
    for (weight, act) in WEIGHTS {
        if at < *weight {
            return *act;
        }
        at -= weight;
    }
    Act::Batch
}

/// Conditions that segments are made of: counts, sums, sequences, windows of all kinds, traits, consents, each other.
pub const CONDITIONS: &[&str] = &[
    r#"count("Product Viewed" in last 2 days) >= 2"#,
    r#"trait.city = "Lviv" and count("Order Completed" in last 1 days) >= 1"#,
    r#"sum("Order Completed".total in last 36 hours) > 300"#,
    r#"not count("Order Completed") >= 1"#,
    r#"exists identifier.email"#,
    r#"consent.email.marketing = "granted""#,
    r#"seq("Product Viewed" then not "Order Completed" within 20 hours)"#,
    r#"seq("Product Viewed" then "Product Added" within 3 days)"#,
    r#"distinct("Product Viewed".category in last 3 days) >= 2"#,
    r#"max("Order Completed".total) >= 400"#,
    r#"last("Product Viewed".category) = "toys""#,
    r#"count("Product Viewed" where properties.category = "garden" in calendar week) >= 1"#,
    r#"count("Product Added" in calendar day) >= 1 or first("Product Viewed".category in last 5 days) = "garden""#,
    "trait.views >= 3",
    r#"exists trait.name and not trait.city in ["Lviv", "Kyiv"]"#,
];

/// What the first computed trait is; the ledger counts the same.
pub const VIEWS: &str = r#"count("Product Viewed")"#;

/// What other computed traits are.
pub const FORMULAS: &[&str] = &[
    r#"sum("Order Completed".total in last 3 days)"#,
    r#"sum("Order Completed".total) / count("Order Completed")"#,
    r#"max("Order Completed".total in last 36 hours)"#,
    r#"distinct("Product Viewed".category in last 2 days)"#,
    r#"count("Product Added" in calendar week)"#,
];

/// What draws messages.
pub struct Town {
    pub rng: Rng,
    number: u64,
    /// The guest of the moment, whom nobody shares anything with, and whether anything of it was sent.
    guest: (u64, bool),
    /// Whether the person who was erased last was known by a name.
    named: bool,
    /// Guests who were erased.
    gone: Vec<Erased>,
    sent: [Vec<String>; 2],
    /// A moment that several events share.
    moment: Option<Timestamp>,
}

/// A drawn body.
pub struct Body {
    pub text: String,
    pub ids: Vec<String>,
    /// Positions of items that would bring back somebody who was erased.
    pub gone: Vec<u32>,
    /// Positions of views by customers who are known by a user id alone, with that.
    pub solo: Vec<(u32, String)>,
    /// Addresses and whether they said yes, in the order of the body.
    pub said: Vec<(String, bool)>,
    pub late: u64,
    pub equal: u64,
    pub skewed: bool,
}

impl Town {
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::new(seed),
            number: 0,
            guest: (0, false),
            named: false,
            gone: Vec::new(),
            sent: Default::default(),
            moment: None,
        }
    }

    /// Ids that were acknowledged; repeats are drawn from them, so that it is known which of two messages counts.
    pub fn taken(&mut self, ids: &[String], import: bool) {
        self.sent[usize::from(import)].extend(ids.iter().cloned());
    }

    fn id(&mut self, body: &Body, import: bool) -> String {
        // Repeats are found within a source.
        let sent = &self.sent[usize::from(import)];
        match self.rng.below(24) {
            0 if !sent.is_empty() => self.rng.pick(sent).clone(),
            1 if !body.ids.is_empty() => self.rng.pick(&body.ids).clone(),
            _ => {
                self.number += 1;
                format!("{}{}", if import { 'i' } else { 'm' }, self.number)
            }
        }
    }

    /// A body of a few messages. An import says the years of its messages itself.
    pub fn body(&mut self, now: Timestamp, import: bool) -> Body {
        let mut body = Body {
            text: String::new(),
            ids: Vec::new(),
            gone: Vec::new(),
            solo: Vec::new(),
            said: Vec::new(),
            late: 0,
            equal: 0,
            skewed: !import && self.rng.below(8) == 0,
        };
        let count = 1 + self.rng.below(7);
        let items: Vec<Value> = (0..count).map(|_| self.item(now, import, &mut body)).collect();
        let mut whole = json!({ "batch": items });
        if body.skewed {
            // The device's clock is wrong by hours or years; what it says of the past is meant relative to that.
            let wrong = now.plus((self.rng.below(4000) as i64 - 2000) * HOUR_US);
            whole["sentAt"] = json!(wrong.to_string());
        }
        body.text = whole.to_string();
        body
    }

    fn item(&mut self, now: Timestamp, import: bool, body: &mut Body) -> Value {
        // A repeat says the same as the first time would in life; here it may say something else, which must not count.
        let id = self.id(body, import);
        let mut item = json!({ "messageId": id });
        body.ids.push(id);
        // A clock that is wrong would move what happened before an erasure behind it.
        if !self.gone.is_empty() && !body.skewed && self.rng.below(16) == 0 {
            body.gone.push(body.ids.len() as u32 - 1);
            self.of_the_gone(now, import, &mut item);
            return item;
        }
        if self.rng.below(14) == 0 {
            self.of_the_guest(&mut item);
            self.time(now, import, &mut item, body);
            return item;
        }
        let solo = self.somebody(&mut item);
        self.time(now, import, &mut item, body);
        let event = self.what(&mut item, body, solo.is_some());
        if let (Some(user), Some("Product Viewed")) = (solo, event) {
            body.solo.push((body.ids.len() as u32 - 1, user));
        }
        item
    }

    /// Something that the guest does, or says about itself.
    fn of_the_guest(&mut self, item: &mut Value) {
        let (number, rng) = (self.guest.0, &mut self.rng);
        self.guest.1 = true;
        let traits = json!({"email": guest_mail(number), "phone": guest_phone(number), "name": guest_name(number)});
        match rng.below(4) {
            0 => {
                item["type"] = json!("identify");
                item["userId"] = json!(guest_user(number));
                item["traits"] = traits;
                return;
            }
            1 => item["anonymousId"] = json!(guest_device(number)),
            2 => item["context"] = json!({"traits": traits}),
            _ => {
                item["userId"] = json!(guest_user(number));
                item["anonymousId"] = json!(guest_device(number));
            }
        }
        item["type"] = json!("track");
        item["event"] = json!(*rng.pick(&["Product Viewed", "Product Added", "Order Completed", "Consent Granted"]));
        item["properties"] = json!({"category": "toys", "total": rng.below(500), "currency": "UAH",
            "note": format!("ring {}", guest_name(number)),
            "channel": "email", "purpose": "marketing", "address": guest_mail(number), "wording": "Новини"});
    }

    /// Something that an erased guest did before, or that stands in a file.
    fn of_the_gone(&mut self, now: Timestamp, import: bool, item: &mut Value) {
        let rng = &mut self.rng;
        let gone = rng.pick(&self.gone);
        let (kind, value) = rng.pick(&gone.values);
        match kind.as_str() {
            "user_id" => item["userId"] = json!(value),
            "anonymous_id" => item["anonymousId"] = json!(value),
            kind => item["context"] = json!({"traits": {kind: value}}),
        }
        let back = rng.below(9 * 24) as i64 * HOUR_US;
        let at = if import { now.plus(-back) } else { gone.until.min(now).plus(-back) };
        item["timestamp"] = json!(at.to_string());
        item["type"] = json!("track");
        item["event"] = json!(*rng.pick(&["Product Viewed", "Order Completed"]));
        item["properties"] = json!({"total": rng.below(90), "currency": "UAH", "note": guest_name(gone.number)});
    }

    /// Whether anything of the guest was sent.
    pub fn guest_is_known(&self) -> bool {
        self.guest.1
    }

    /// By what the guest may be known.
    pub fn guest_values(&self) -> Vec<(String, String)> {
        let number = self.guest.0;
        vec![
            ("user_id".into(), guest_user(number)),
            ("anonymous_id".into(), guest_device(number)),
            ("email".into(), guest_mail(number)),
            ("phone".into(), guest_phone(number)),
        ]
    }

    /// Whether the store knows the guest who is erased by its name.
    pub fn guest_is_named(&mut self, named: bool) {
        self.named = named;
    }

    /// The guest was erased, and another one comes.
    pub fn guest_goes(&mut self, values: Vec<(String, String)>, until: Timestamp) -> Erased {
        let gone = Erased { values, until, number: self.guest.0, named: std::mem::take(&mut self.named) };
        self.gone.push(gone.clone());
        self.guest = (self.guest.0 + 1, false);
        gone
    }

    /// Who it is about; gives the user id of those who are known by nothing else, ever.
    fn somebody(&mut self, item: &mut Value) -> Option<String> {
        let rng = &mut self.rng;
        let person = rng.below(14);
        // Now and then a wrong address: two people meet in it.
        let mail = format!("p{}@example.com", if rng.below(7) == 0 { rng.below(14) } else { person });
        match rng.below(8) {
            0 => item["userId"] = json!(format!("u{person}")),
            1 => item["anonymousId"] = json!(format!("a{}", rng.below(24))),
            2 | 3 => {
                item["userId"] = json!(format!("u{person}"));
                item["anonymousId"] = json!(format!("a{}", rng.below(24)));
            }
            4 => item["context"] = json!({"traits": {"email": mail}}),
            5 => {
                let phone = format!("06712345{:02}", if rng.below(7) == 0 { rng.below(14) } else { person });
                item["context"] = json!({"traits": {"email": mail, "phone": phone}});
            }
            6 => {
                item["userId"] = json!(format!("u{person}"));
                item["context"] = json!({"traits": {"email": mail}});
            }
            _ => {
                let user = format!("solo{}", rng.below(5));
                item["userId"] = json!(user);
                return Some(user);
            }
        }
        None
    }

    fn time(&mut self, now: Timestamp, import: bool, item: &mut Value, body: &mut Body) {
        let rng = &mut self.rng;
        let at = match rng.below(10) {
            0..4 if !import => return,
            0..6 => now.plus(-(rng.below(90) as i64) * MINUTE_US),
            6 | 7 => {
                body.late += 1;
                now.plus(-(rng.below(9 * 24) as i64) * HOUR_US)
            }
            8 => match self.moment {
                Some(moment) if rng.below(5) > 0 => {
                    body.equal += 1;
                    moment
                }
                _ => *self.moment.insert(now.plus(-(rng.below(40) as i64) * HOUR_US)),
            },
            _ if import => now.plus(-(rng.below(900) as i64) * DAY_US),
            // In the future: it is taken as of now.
            _ => now.plus(rng.below(50) as i64 * HOUR_US),
        };
        let at = if import && at > now { now } else { at };
        item["timestamp"] = json!(at.to_string());
    }

    fn what(&mut self, item: &mut Value, body: &mut Body, solo: bool) -> Option<&'static str> {
        let rng = &mut self.rng;
        match rng.below(14) {
            0 | 1 => {
                item["type"] = json!("identify");
                let city = [json!("Lviv"), json!("Kyiv"), json!("Odesa"), Value::Null][rng.below(4) as usize].clone();
                item["traits"] = json!({"city": city, "name": format!("Особа {}", rng.below(9))});
                None
            }
            2 => {
                item["type"] = json!("page");
                item["name"] = json!("Home");
                None
            }
            3 if !solo && item.get("userId").is_some() && rng.below(3) == 0 => {
                item["type"] = json!("alias");
                item["previousId"] = json!(format!("a{}", rng.below(24)));
                None
            }
            4 | 5 => {
                let address = format!("p{}@example.com", rng.below(14));
                let granted = rng.below(3) > 0;
                item["type"] = json!("track");
                item["event"] = json!(if granted { "Consent Granted" } else { "Consent Revoked" });
                item["properties"] =
                    json!({"channel": "email", "purpose": "marketing", "address": address, "wording": "Новини"});
                body.said.push((address, granted));
                None
            }
            n => {
                let event = ["Product Viewed", "Product Viewed", "Product Added", "Order Completed"][n as usize % 4];
                item["type"] = json!("track");
                item["event"] = json!(event);
                let category = *rng.pick(&["garden", "toys", "books"]);
                item["properties"] = json!({"category": category, "total": rng.below(500), "currency": "UAH"});
                Some(event)
            }
        }
    }
}

fn guest_user(number: u64) -> String {
    format!("leaver{number}-user")
}
fn guest_device(number: u64) -> String {
    format!("leaver{number}-device")
}
fn guest_mail(number: u64) -> String {
    format!("leaver{number}@gone.example")
}
fn guest_phone(number: u64) -> String {
    format!("+3809{:02}713171", number % 100)
}
/// What a guest is called.
pub fn guest_name(number: u64) -> String {
    format!("Leaver Number{number}th")
}
