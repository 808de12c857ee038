//! Where and on what a customer likes to deal with the shop: chosen before learned (A8).
use super::{Answer, Asked, Derived, Kind, Window, next_period, tallies};
use crate::facts::recognise::{channel_named, device_named};
use crate::facts::{Act, Channel, Device};

/// Acts below which nothing is learned.
const EVIDENCE_MIN: u64 = 3;

const CHANNELS: &[&str] = &["site", "app", "shop", "phone", "marketplace", "email", "messenger", "sms", "push"];

pub(super) const CHANNEL: Derived = Derived {
    name: "preferred_channel",
    kind: Kind::Text,
    unit: "",
    options: CHANNELS,
    doc: "Where the customer deals with the shop. What they chose (trait preferred_channel or preferredChannel) counts; \
          otherwise it is learned: an order weighs 8, an answer or a click 4, a cart 3, an opening 2, a look 1; from 3 acts on.",
    consents: &[],
    traits: &["preferred_channel", "preferredChannel"],
    by_time: true,
    function: |asked| learned(asked, CHOSEN_CHANNEL, &|_| true),
};

pub(super) const CONTACT_CHANNEL: Derived = Derived {
    name: "preferred_contact_channel",
    kind: Kind::Text,
    unit: "",
    options: &["phone", "email", "messenger", "sms", "push"],
    doc: "By which channel the customer likes to be written to. What they chose (trait preferred_contact_channel) counts; \
          otherwise it is learned from openings, clicks and answers; from 3 of them on.",
    consents: &[],
    traits: &["preferred_contact_channel", "preferredContactChannel"],
    by_time: true,
    function: |asked| learned(asked, CHOSEN_CONTACT, &is_contact),
};

pub(super) const DEVICE: Derived = Derived {
    name: "preferred_device",
    kind: Kind::Text,
    unit: "",
    options: &["desktop", "mobile", "tablet"],
    doc: "On what the customer deals with the shop. What they chose (trait preferred_device or preferredDevice) counts; \
          otherwise it is learned with the weights of preferred_channel; from 3 acts on.",
    consents: &[],
    traits: &["preferred_device", "preferredDevice"],
    by_time: true,
    function: device,
};

const CHOSEN_CHANNEL: [&str; 2] = ["preferred_channel", "preferredChannel"];
const CHOSEN_CONTACT: [&str; 2] = ["preferred_contact_channel", "preferredContactChannel"];
const CHOSEN_DEVICE: [&str; 2] = ["preferred_device", "preferredDevice"];

fn is_contact(channel: Channel) -> bool {
    matches!(channel, Channel::Phone | Channel::Email | Channel::Messenger | Channel::Sms | Channel::Push)
}

fn weight(act: Act) -> u64 {
    match act {
        Act::Ordered | Act::PickedUp => 8,
        Act::Clicked | Act::Contacted | Act::Reviewed => 4,
        Act::Added => 3,
        Act::Opened | Act::Searched => 2,
        Act::Visited | Act::Viewed | Act::ComparedPrices => 1,
        _ => 0,
    }
}

fn chosen(asked: &Asked<'_>, names: [&str; 2]) -> Option<String> {
    names.into_iter().find_map(|name| asked.state.traits.text(name))
}

fn learned(asked: &Asked<'_>, names: [&str; 2], fits: &dyn Fn(Channel) -> bool) -> Answer {
    let said = chosen(asked, names).and_then(|text| channel_named(&text)).filter(|c| fits(*c));
    if let Some(channel) = said {
        return Answer::text(channel.as_str(), Window::Stated, 1).because(asked, || "the customer chose it".into());
    }
    for ever in [false, true] {
        let mut scores: Vec<(u64, u64, i64, Channel)> = Vec::new();
        for channel in Channel::ALL.iter().copied().filter(|c| *c != Channel::Other && fits(*c)) {
            let (mut score, mut acts) = (0, 0);
            for tally in tallies(asked, ever).filter(|t| t.channel() == channel) {
                let weight = weight(Act::from_code(tally.act));
                score += weight * u64::from(tally.count);
                acts += if weight > 0 { u64::from(tally.count) } else { 0 };
            }
            let last = asked.state.facts.spans.iter().find(|s| s.channel == channel as u8);
            scores.push((score, acts, last.map_or(0, |s| s.last.micros()), channel));
        }
        scores.sort_by_key(|(score, _, last, channel)| std::cmp::Reverse((*score, *last, std::cmp::Reverse(*channel))));
        let total: u64 = scores.iter().map(|(score, ..)| score).sum();
        if let Some((score, acts, _, channel)) = scores.first().filter(|(_, acts, ..)| *acts >= EVIDENCE_MIN) {
            let window = if ever { Window::Ever } else { Window::Periods };
            let until = if ever { None } else { next_period(asked) };
            let share = score * 100 / total.max(1);
            return Answer::text(channel.as_str(), window, *acts)
                .until(until)
                .because(asked, || format!("{acts} acts there weigh {share} % of all ({score} of {total})"));
        }
    }
    nothing(asked)
}

fn nothing(asked: &Asked<'_>) -> Answer {
    Answer::none(Window::Periods).because(asked, || format!("fewer than {EVIDENCE_MIN} acts in any one"))
}

fn device(asked: &Asked<'_>) -> Answer {
    if let Some(device) = chosen(asked, CHOSEN_DEVICE).and_then(|text| device_named(&text.trim().to_lowercase())) {
        return Answer::text(device.as_str(), Window::Stated, 1).because(asked, || "the customer chose it".into());
    }
    for ever in [false, true] {
        let mut best: Option<(u64, u64, Device)> = None;
        for device in [Device::Desktop, Device::Mobile, Device::Tablet] {
            let of = || tallies(asked, ever).filter(|t| t.device() == device);
            let score: u64 = of().map(|t| weight(Act::from_code(t.act)) * u64::from(t.count)).sum();
            let acts: u64 = of().filter(|t| weight(Act::from_code(t.act)) > 0).map(|t| u64::from(t.count)).sum();
            if acts >= EVIDENCE_MIN && best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, acts, device));
            }
        }
        if let Some((score, acts, device)) = best {
            let window = if ever { Window::Ever } else { Window::Periods };
            let until = if ever { None } else { next_period(asked) };
            return Answer::text(device.as_str(), window, acts)
                .until(until)
                .because(asked, || format!("{acts} acts on it, with a weight of {score}"));
        }
    }
    nothing(asked)
}
