//! What becomes of a setting that somebody wants, as a rule over three hashes: what stands in the shop, what is wanted, and
//! what stood in the shop when the wanted one was written (the base).
use serde::Serialize;

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SettingAction)]
pub enum Action {
    /// It stands already as it is wanted.
    Same,
    /// The shop has none of this name.
    Create,
    /// The shop has it as it was when it was pulled, or as a new shop has it.
    Update,
    /// Somebody changed it in the shop since it was pulled.
    Conflict,
    /// It goes, for the list does not name it and what is not named shall go.
    Archive,
}

/// Decides about something that the list does not name, when what is not named shall go: what nobody pulled, or somebody changed
/// since, is somebody's work.
pub fn decide_unnamed(there: &str, base: Option<&str>, force: bool) -> Action {
    if force || base == Some(there) { Action::Archive } else { Action::Conflict }
}

/// Decides. `pristine`: it stands in the shop as a new shop has it, so that nobody's work would be lost.
pub fn decide(there: Option<&str>, wanted: &str, base: Option<&str>, pristine: bool, force: bool) -> Action {
    match there {
        Some(there) if there == wanted => Action::Same,
        None => Action::Create,
        Some(there) if force || pristine || base == Some(there) => Action::Update,
        Some(_) => Action::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn somebody_elses_change_is_not_written_over() {
        let cases = [
            (None, "a", None, Action::Create),
            (None, "a", Some("a"), Action::Create),
            (Some("a"), "a", None, Action::Same),
            (Some("a"), "a", Some("b"), Action::Same),
            (Some("a"), "b", Some("a"), Action::Update),
            (Some("a"), "b", None, Action::Conflict),
            (Some("c"), "b", Some("a"), Action::Conflict),
            // Not touched in the files, changed in the shop: pushing an old pull must not take the change back.
            (Some("c"), "a", Some("a"), Action::Conflict),
        ];
        for (there, wanted, base, action) in cases {
            assert_eq!(decide(there, wanted, base, false, false), action, "{there:?} {wanted} {base:?}");
        }
        assert_eq!(decide_unnamed("a", Some("a"), false), Action::Archive);
        assert_eq!(decide_unnamed("a", Some("b"), false), Action::Conflict);
        assert_eq!(decide_unnamed("a", None, false), Action::Conflict, "made in the shop since");
        assert_eq!(decide_unnamed("a", None, true), Action::Archive);
        assert_eq!(decide(Some("a"), "b", None, true, false), Action::Update);
        assert_eq!(decide(Some("a"), "b", None, false, true), Action::Update);
    }

    proptest! {
        /// Done twice, the second time does nothing; and only what was asked for is ever written.
        #[test]
        fn a_push_is_idempotent(there in prop::option::of(0u8..3), wanted in 0u8..3, base in prop::option::of(0u8..3), force: bool) {
            let (there, wanted, base) = (there.map(|h| h.to_string()), wanted.to_string(), base.map(|h| h.to_string()));
            match decide(there.as_deref(), &wanted, base.as_deref(), false, force) {
                Action::Conflict => prop_assert!(!force && there.is_some() && there != base && there.as_deref() != Some(&wanted)),
                Action::Same => prop_assert_eq!(there.as_deref(), Some(&*wanted)),
                Action::Create | Action::Update | Action::Archive => {}
            }
            prop_assert_eq!(decide(Some(&wanted), &wanted, base.as_deref(), false, force), Action::Same);
        }
    }
}
