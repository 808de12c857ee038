//! What the ledger says of people, as rules over look-ups: the store and the offline evaluation of segments ask through here,
//! so that a file and a shop never answer differently.
use super::Standing;
use db::event::ConsentClaim;

/// Where the newest row of one channel, address and purpose is found. The address may stand for a profile
/// ([`super::profile_address`]); the channel may be `*`.
pub trait Ledger {
    type Error;
    /// The newest row of the purpose itself or of all purposes.
    fn newest(&mut self, channel: &str, address: &str, purpose: &str) -> Result<Option<Standing>, Self::Error>;
}

/// What decides about an address of a person, whose profiles are given: the newest row of the address or of a profile as such,
/// for the channel or the address in all channels; but a denial of everything by a profile is lifted by no grant for one address.
pub fn of_address<L: Ledger>(
    ledger: &mut L,
    profiles: &[i64],
    (channel, address): (&str, &str),
    purpose: &str,
) -> Result<Option<Standing>, L::Error> {
    let mut newest = ledger.newest(channel, address, purpose)?;
    let mut take = |found: Option<Standing>| {
        if let Some(found) = found
            && newest.as_ref().is_none_or(|n| found.rank() > n.rank())
        {
            newest = Some(found);
        }
    };
    take(ledger.newest("*", address, purpose)?);
    for profile in profiles {
        let profile = super::profile_address(*profile);
        if let Some(all) = ledger.newest("*", &profile, purpose)?
            && !all.granted
        {
            return Ok(Some(all));
        }
        take(ledger.newest(channel, &profile, purpose)?);
    }
    Ok(newest)
}

/// Whether a person may be sent something: granted if any own address is and none is denied. A person without a row at any
/// address may have said no as such. `None` without a row.
pub fn of_person<L: Ledger>(
    ledger: &mut L,
    profiles: &[i64],
    addresses: &[Box<str>],
    (channel, purpose): (&str, &str),
) -> Result<Option<bool>, L::Error> {
    let mut out = None;
    for address in addresses {
        match of_address(ledger, profiles, (channel, address), purpose)? {
            Some(Standing { granted: false, .. }) => return Ok(Some(false)),
            Some(_) => out = Some(true),
            None => {}
        }
    }
    if out.is_none() {
        for profile in profiles {
            let profile = super::profile_address(*profile);
            for channel in [channel, "*"] {
                if ledger.newest(channel, &profile, purpose)?.is_some_and(|s| !s.granted) {
                    return Ok(Some(false));
                }
            }
        }
    }
    Ok(out)
}

/// Which contact points a claim is about: the address that it names, else those that its event carries; a revocation that
/// finds none, or is about every channel, is about everything that is known of the person and about the profile as such, so
/// that a later un-merge does not bring a grant back. `known` are the person's addresses for the channel.
pub fn claimed<E>(
    claim: &ConsentClaim,
    carried: Vec<Box<str>>,
    profile: Option<i64>,
    known: impl FnOnce() -> Result<Vec<Box<str>>, E>,
) -> Result<Vec<Box<str>>, E> {
    if let Some(address) = &claim.address {
        return Ok(vec![address.clone()]);
    }
    let mut out = carried;
    let Some(profile) = profile.filter(|_| !claim.granted && (out.is_empty() || &*claim.channel == "*")) else {
        return Ok(out);
    };
    out.extend(known()?);
    out.push(super::profile_address(profile));
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Whether an identifier of a kind is an address of a channel.
pub fn fits(identifier_kind: &str, channel: &str) -> bool {
    match channel {
        "*" => matches!(identifier_kind, "email" | "phone") || identifier_kind.ends_with(".push_token"),
        "push" => identifier_kind.ends_with(".push_token"),
        _ => identifier_kind == crate::prepare::address_kind(channel),
    }
}
