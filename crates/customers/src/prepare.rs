//! What a message means for customers, found on the threads that take requests: identifiers, traits, touched counters,
//! money, consent. Pure; about a microsecond a message.
use crate::counters::CounterSet;
use crate::facts::recognise::{self, Signs};
use crate::identifier::{Gather, normalise};
use crate::rules::Rules;
use crate::state::{ORDER_COMPLETED, ORDER_REFUNDED};
use base::{Country, Decimal, Money};
use db::event::{Amount, ConsentClaim, Event, EventKind};
use db::message::Message;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

#[cfg(test)]
mod tests;

/// Minor units beyond this are no amount of an order: sums stay far within their range.
pub const MINOR_MAX: i64 = 10_000_000_000_000;

/// What preparing needs to know of the shop and of who sends.
#[derive(Debug, Clone, Copy)]
pub struct Preparer<'a> {
    /// A browser's event must be about somebody.
    pub browser: bool,
    pub country: Country,
    /// `[shop] currency`, for orders that name none.
    pub currency: &'a str,
    /// The store's key for hashes of identifiers.
    pub hash_key: (u64, u64),
    pub rules: &'a Rules,
    pub counters: &'a CounterSet,
}

/// Why a message is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub code: &'static str,
    /// JSON Pointer within the message.
    pub pointer: &'static str,
    pub detail: &'static str,
}

const NO_IDENTIFIER: Refusal = Refusal {
    code: "no_identifier",
    pointer: "",
    detail: "the message names nobody: it needs userId, anonymousId or another identifier with a real value",
};

impl Preparer<'_> {
    /// Fills identifiers, traits, hits, amount, consent and alias into an event whose kind, name and time are set.
    ///
    /// `shared` is the context that the body states for all its messages; a message's own keys come first.
    pub fn fill(&self, message: &Message<'_>, shared: Option<&RawValue>, event: &mut Event) -> Result<(), Refusal> {
        self.fill_with(message, shared, None, event)
    }

    /// [`Preparer::fill`] with the context that was derived when the event came: it counts where the event says nothing.
    pub fn fill_with(
        &self,
        message: &Message<'_>,
        shared: Option<&RawValue>,
        derived: Option<&str>,
        event: &mut Event,
    ) -> Result<(), Refusal> {
        let context = Context::parse(message.context);
        let shared_context =
            shared.filter(|s| Context::is_of_use(s)).map_or_else(Context::default, |s| Context::parse(Some(s)));
        let context = context.or(&shared_context);
        self.fill_identifiers(message, &context, event);
        if event.kind == EventKind::Identify {
            event.traits = message.traits.map(|t| traits(t.get())).unwrap_or_default();
        }
        if event.kind == EventKind::Alias {
            event.previous_id = message.previous_id.as_deref().and_then(|previous| {
                let value = self.rules.normalise("user_id", previous, self.country)?;
                (!self.rules.is_blocked("user_id", &value)).then(|| value.into())
            });
        }
        let properties = message.properties.map(RawValue::get);
        event.passive = context.active.is_some_and(|raw| raw.get() == "false");
        event.hits = match (message.context.map(RawValue::get), shared.map(RawValue::get)) {
            (own, all) if derived.is_some() && self.counters.wants_context() => {
                let mixed = db::overlay::context(own, all, derived);
                self.counters.hits(&event.name, event.timestamp, properties, mixed.as_deref())
            }
            (Some(own), Some(all)) => {
                let both = overlay(all, own);
                self.counters.hits(&event.name, event.timestamp, properties, Some(&both))
            }
            (own, all) => self.counters.hits(&event.name, event.timestamp, properties, own.or(all)),
        };
        if event.kind == EventKind::Track {
            event.amount = self.amount(&event.name, message);
            event.consent = self.consent(&event.name, message);
        }
        let enriched: Context<'_> = derived.and_then(|d| serde_json::from_str(d).ok()).unwrap_or_default();
        event.touch = recognise::touch(&Signs {
            kind: event.kind,
            name: &event.name,
            properties,
            channel: context.channel.map(RawValue::get),
            app: context.app.is_some_and(|app| app.get().len() > 2),
            page: context.page.is_some_and(|page| page.get().len() > 2),
            device: context.device.or(enriched.device).map(RawValue::get),
            user_agent: context.user_agent.map(RawValue::get),
            user_agent_data: context.user_agent_data.map(RawValue::get),
            identifiers: &event.identifiers,
            derived: event.profile_id.is_some(),
        });
        if event.identifiers.is_empty() && event.profile_id.is_none() && self.browser {
            return Err(NO_IDENTIFIER);
        }
        Ok(())
    }

    fn fill_identifiers(&self, message: &Message<'_>, context: &Context<'_>, event: &mut Event) {
        event.identifiers.clear();
        let identify = event.kind == EventKind::Identify;
        let out = &mut event.identifiers;
        let mut gather = Gather { country: self.country, key: self.hash_key, rules: self.rules, out };
        if let Some(user_id) = &message.user_id {
            gather.add("user_id", user_id);
        }
        // A group's traits are those of a company, so only `identify` speaks of the person.
        let own = if identify { message.traits.map(Contact::parse).unwrap_or_default() } else { Contact::default() };
        let current = context.traits.map(Contact::parse).unwrap_or_default();
        for email in [&own.email.0, &current.email.0].into_iter().flatten() {
            gather.add("email", email);
        }
        for phone in [&own.phone.0, &current.phone.0].into_iter().flatten() {
            gather.add("phone", phone);
        }
        if let Some(external) = context.external_ids {
            let ids: Vec<ExternalId<'_>> =
                serde_json::from_str::<LooseList<ExternalId<'_>>>(external.get()).map(|l| l.0).unwrap_or_default();
            for id in &ids {
                if let (Some(value), Some(kind), Some("users"), Some("none")) =
                    (&id.id.0, &id.kind.0, id.collection.0.as_deref(), id.encoding.0.as_deref())
                {
                    gather.add_external(kind, value);
                }
            }
        }
        if let Some(device) = context.device {
            serde_json::from_str::<Device<'_>>(device.get()).unwrap_or_default().gather(&mut gather);
        }
        if let Some(anonymous_id) = &message.anonymous_id {
            gather.add("anonymous_id", anonymous_id);
        }
        gather.finish();
    }

    /// `total`, or else `revenue`: what the customer paid or got back.
    fn amount(&self, name: &str, message: &Message<'_>) -> Option<Amount> {
        if name != ORDER_COMPLETED && name != ORDER_REFUNDED {
            return None;
        }
        let order: Order<'_> = serde_json::from_str(message.properties?.get()).ok()?;
        let currency = order.currency.and_then(string).filter(|c| !c.trim().is_empty());
        let currency = currency.as_deref().unwrap_or(self.currency);
        let money = [order.total, order.revenue].into_iter().flatten().find_map(|raw| {
            let text = string(raw).unwrap_or(Cow::Borrowed(raw.get()));
            // Checked first: the exponent of a huge number must not be built.
            Decimal::parse(text.trim())?;
            Money::parse(&text, currency).ok()
        })?;
        let minor = money.minor.checked_abs().filter(|m| *m <= MINOR_MAX)?;
        Some(Amount { minor, currency: money.currency.into() })
    }

    fn consent(&self, name: &str, message: &Message<'_>) -> Option<ConsentClaim> {
        let granted = match name {
            "Consent Granted" => true,
            "Consent Revoked" | "Unsubscribed" => false,
            _ => return None,
        };
        let claim: Claim<'_> = message.properties.and_then(|p| serde_json::from_str(p.get()).ok()).unwrap_or_default();
        let text = |raw: Option<&RawValue>| -> Option<String> {
            raw.and_then(string).map(|t| t.trim().replace('\0', "\u{fffd}")).filter(|t| !t.is_empty())
        };
        let stated = |raw| text(raw).map(|t| t.to_lowercase());
        // A grant must say what it grants. A revocation always counts: what it leaves out is revoked altogether, but that
        // the unsubscription of a mail speaks of marketing mail.
        let usual = |known: &str| {
            if granted { None } else { Some(if name == "Unsubscribed" { known.to_string() } else { "*".to_string() }) }
        };
        let channel =
            stated(claim.channel).map(|c| if c == "all" { "*".to_string() } else { c }).or_else(|| usual("email"))?;
        let purpose = stated(claim.purpose)
            .map(|p| if p == "all" { "*".to_string() } else { p })
            .or_else(|| usual("marketing"))?;
        let written = text(claim.address).or_else(|| text(claim.email));
        let address = match written {
            None => None,
            Some(written) => match address(&channel, &written, self.country) {
                Some(address) => Some(address),
                // A grant for what is no address is none; the revocation still holds for the event's own address.
                None if granted => return None,
                None => None,
            },
        };
        Some(ConsentClaim {
            channel: channel.into(),
            purpose: purpose.into(),
            address,
            granted,
            wording: text(claim.wording).unwrap_or_default().into(),
            wording_version: text(claim.wording_version).unwrap_or_default().into(),
        })
    }
}

/// The kind of identifier that a channel's addresses are; other channels have addresses of their own kind.
pub fn address_kind(channel: &str) -> &str {
    match channel {
        "sms" | "viber" | "whatsapp" | "call" | "phone" => "phone",
        other => other,
    }
}

/// A contact point's address in the form in which it is stored.
pub fn address(channel: &str, written: &str, country: Country) -> Option<Box<str>> {
    normalise(address_kind(channel), written, country).filter(|a| !a.is_empty()).map(Into::into)
}

/// Both contexts as one text; of a name that stands in both, the reader takes the last, which is the message's own.
fn overlay(shared: &str, own: &str) -> String {
    // One bracket comes off each: nested objects may stand at the ends too.
    let head = shared.trim_end().strip_suffix('}').unwrap_or("{").trim_end();
    let tail = own.trim_start().strip_prefix('{').unwrap_or("}").trim_start();
    let comma = if head.ends_with('{') || tail.starts_with('}') { "" } else { "," };
    format!("{head}{comma}{tail}")
}

/// A JSON string's text.
fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    if !raw.get().starts_with('"') {
        return None;
    }
    serde_json::from_str::<Loose<'_>>(raw.get()).ok()?.0
}

/// Names and JSON texts of an object's fields; of a repeated name the last counts.
fn traits(text: &str) -> Vec<(Box<str>, Option<Box<str>>)> {
    struct Fields;
    impl<'de> Visitor<'de> for Fields {
        type Value = Vec<(Box<str>, Option<Box<str>>)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut out: Self::Value = Vec::with_capacity(8);
            while let Some((name, raw)) = map.next_entry::<db::message::Text<'de>, &'de RawValue>()? {
                out.push((name.0.into(), (raw.get() != "null").then(|| Box::from(raw.get()))));
            }
            // Sorted, and of equal names the last: reversed first, since sorting is stable and the first one stays.
            out.reverse();
            out.sort_by(|a, b| a.0.cmp(&b.0));
            out.dedup_by(|later, earlier| later.0 == earlier.0);
            Ok(out)
        }
    }
    serde_json::Deserializer::from_str(text).deserialize_map(Fields).unwrap_or_default()
}

/// The parts of a context that say who it is; each is read on its own, so that one odd part spoils no other.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Context<'a> {
    #[serde(borrow)]
    traits: Option<&'a RawValue>,
    #[serde(borrow)]
    device: Option<&'a RawValue>,
    #[serde(borrow)]
    external_ids: Option<&'a RawValue>,
    #[serde(borrow)]
    active: Option<&'a RawValue>,
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
    #[serde(borrow)]
    app: Option<&'a RawValue>,
    #[serde(borrow)]
    page: Option<&'a RawValue>,
    #[serde(borrow)]
    user_agent: Option<&'a RawValue>,
    #[serde(borrow)]
    user_agent_data: Option<&'a RawValue>,
}

impl<'a> Context<'a> {
    fn parse(raw: Option<&'a RawValue>) -> Self {
        raw.and_then(|r| serde_json::from_str(r.get()).ok()).unwrap_or_default()
    }
    /// Whether a body's context can say who it is, or where: cheaper than reading it for each of its messages.
    fn is_of_use(raw: &RawValue) -> bool {
        const NAMES: [&str; 7] =
            ["\"traits\"", "\"device\"", "\"externalIds\"", "\"active\"", "\"app\"", "\"page\"", "\"userAgent"];
        NAMES.iter().any(|name| raw.get().contains(name))
    }
    fn or(self, other: &Context<'a>) -> Self {
        Self {
            traits: self.traits.or(other.traits),
            device: self.device.or(other.device),
            external_ids: self.external_ids.or(other.external_ids),
            active: self.active.or(other.active),
            channel: self.channel.or(other.channel),
            app: self.app.or(other.app),
            page: self.page.or(other.page),
            user_agent: self.user_agent.or(other.user_agent),
            user_agent_data: self.user_agent_data.or(other.user_agent_data),
        }
    }
}

/// A text, or a number's text; anything else reads as nothing instead of spoiling what stands beside it.
#[derive(Debug, Default)]
struct Loose<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = Loose<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Loose(Some(Cow::Borrowed(v))))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Loose(Some(Cow::Owned(v.to_owned()))))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(Loose(Some(Cow::Owned(v.to_string()))))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Loose(Some(Cow::Owned(v.to_string()))))
            }
            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }
            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Loose(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// The list's elements that can be read.
struct LooseList<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for LooseList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raws = Vec::<&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(raws.into_iter().filter_map(|r| serde_json::from_str(r.get()).ok()).collect()))
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Contact<'a> {
    #[serde(borrow)]
    email: Loose<'a>,
    #[serde(borrow)]
    phone: Loose<'a>,
}

impl<'a> Contact<'a> {
    fn parse(raw: &'a RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExternalId<'a> {
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(rename = "type", borrow)]
    kind: Loose<'a>,
    #[serde(borrow)]
    collection: Loose<'a>,
    #[serde(borrow)]
    encoding: Loose<'a>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Device<'a> {
    #[serde(borrow)]
    id: Loose<'a>,
    #[serde(rename = "type", borrow)]
    kind: Loose<'a>,
    #[serde(borrow)]
    token: Loose<'a>,
    #[serde(borrow)]
    advertising_id: Loose<'a>,
    #[serde(borrow)]
    ad_tracking_enabled: Option<&'a RawValue>,
}

impl Device<'_> {
    fn gather(&self, gather: &mut Gather<'_>) {
        let kinds = match self.kind.0.as_deref().map(str::to_ascii_lowercase).as_deref() {
            Some("android") => ["android.id", "android.push_token", "android.idfa"],
            Some("ios") => ["ios.id", "ios.push_token", "ios.idfa"],
            _ => return,
        };
        let allowed = self.ad_tracking_enabled.is_some_and(|raw| raw.get() == "true");
        let advertising = self.advertising_id.0.as_deref().filter(|_| allowed);
        for (kind, value) in kinds.into_iter().zip([self.id.0.as_deref(), self.token.0.as_deref(), advertising]) {
            if let Some(value) = value {
                gather.add(kind, value);
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Order<'a> {
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow)]
    revenue: Option<&'a RawValue>,
    #[serde(borrow)]
    currency: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Claim<'a> {
    #[serde(borrow)]
    channel: Option<&'a RawValue>,
    #[serde(borrow)]
    purpose: Option<&'a RawValue>,
    #[serde(borrow)]
    address: Option<&'a RawValue>,
    #[serde(borrow)]
    email: Option<&'a RawValue>,
    #[serde(borrow)]
    wording: Option<&'a RawValue>,
    #[serde(borrow)]
    wording_version: Option<&'a RawValue>,
}
