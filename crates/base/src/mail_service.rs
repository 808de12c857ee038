//! Mail services that a shop in Ukraine does not write to.

/// Services that are blocked in Ukraine (decree 133/2017 and those that prolong it) or belong to the aggressor's state: mail to
/// them is not delivered, and their owners read it.
const BLOCKED: &[&str] = &[
    "mail.ru",
    "bk.ru",
    "inbox.ru",
    "list.ru",
    "internet.ru",
    "mail.ua",
    "yandex.ru",
    "yandex.ua",
    "yandex.com",
    "yandex.by",
    "yandex.kz",
    "ya.ru",
    "narod.ru",
    "rambler.ru",
    "lenta.ru",
    "autorambler.ru",
    "myrambler.ru",
    "ro.ru",
    "vk.com",
    "ok.ru",
];

/// Whether a domain is one of a list, or lies under one.
pub fn is_domain_of(domain: &str, list: &[&str]) -> bool {
    list.iter().any(|d| domain == *d || domain.strip_suffix(d).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether an address (normalised, in lower case) is at a blocked service.
pub fn is_blocked_service(email: &str) -> bool {
    email.rsplit_once('@').is_some_and(|(_, domain)| is_domain_of(domain, BLOCKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_known_by_its_domain_and_what_lies_under_it() {
        for (email, blocked) in [
            ("o@mail.ru", true),
            ("o@corp.mail.ru", true),
            ("o@notmail.ru", false),
            ("o@mail.ru.com", false),
            ("o@gmail.com", false),
            ("mail.ru", false),
        ] {
            assert_eq!(is_blocked_service(email), blocked, "{email}");
        }
    }
}
