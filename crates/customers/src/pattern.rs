//! Patterns of blocked values: `*` stands for any characters, `?` for one, `[a-z0]` for one of these; the rest for itself.

/// Whether a pattern matches a whole value. At most length of pattern times length of value steps.
pub fn matches(pattern: &str, value: &str) -> bool {
    let tokens = parse(pattern);
    let chars: Vec<char> = value.chars().collect();
    // The last star, and where in the value what follows it was tried last.
    let (mut at, mut token, mut star) = (0, 0, None);
    while at < chars.len() {
        match tokens.get(token) {
            Some(Token::Any) => {
                star = Some((token, at));
                token += 1;
            }
            Some(t) if t.takes(chars[at]) => {
                at += 1;
                token += 1;
            }
            _ => {
                let Some((back, from)) = star else { return false };
                star = Some((back, from + 1));
                (token, at) = (back + 1, from + 1);
            }
        }
    }
    tokens[token..].iter().all(|t| matches!(t, Token::Any))
}

/// Whether a pattern says something: one that matches everything would leave nobody known.
pub fn is_sensible(pattern: &str) -> bool {
    parse(pattern).iter().any(|t| matches!(t, Token::One(_) | Token::Of(_)))
}

enum Token {
    Any,
    Single,
    One(char),
    Of(Vec<(char, char)>),
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Token::Any => false,
            Token::Single => true,
            Token::One(own) => *own == c,
            Token::Of(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)),
        }
    }
}

fn parse(pattern: &str) -> Vec<Token> {
    let chars: Vec<char> = pattern.chars().collect();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        match chars[at] {
            '*' => out.push(Token::Any),
            '?' => out.push(Token::Single),
            '[' => match chars[at + 1..].iter().position(|c| *c == ']').filter(|n| *n > 0) {
                Some(length) => {
                    out.push(Token::Of(ranges(&chars[at + 1..=at + length])));
                    at += length + 1;
                }
                None => out.push(Token::One('[')),
            },
            c => out.push(Token::One(c)),
        }
        at += 1;
    }
    out
}

fn ranges(chars: &[char]) -> Vec<(char, char)> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < chars.len() {
        if at + 2 < chars.len() && chars[at + 1] == '-' {
            out.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            out.push((chars[at], chars[at]));
            at += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_questions_and_sets() {
        let cases = [
            ("guest*", "guest-17", true),
            ("guest*", "aguest", false),
            ("*@shop.ua", "till@shop.ua", true),
            ("*@shop.ua", "till@shop.ua.com", false),
            ("+38000000000?", "+380000000001", true),
            ("+38000000000?", "+38000000000", false),
            ("[0-]*", "0-1", true),
            ("[0-9][0-9]", "42", true),
            ("[0-9][0-9]", "4a", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXcX", false),
            ("[", "[", true),
            ("", "", true),
            ("*", "", true),
        ];
        for (pattern, value, wanted) in cases {
            assert_eq!(matches(pattern, value), wanted, "{pattern} {value}");
        }
        assert!(!is_sensible("**") && !is_sensible("??*") && !is_sensible("") && is_sensible("a*"));
    }

    proptest! {
        #[test]
        fn a_text_matches_itself_and_any_text_ends(text in "[a-z0-9@.+]{0,20}", odd in "\\PC{0,20}") {
            prop_assert!(matches(&text, &text));
            let starred = format!("*{text}*");
            prop_assert!(matches(&starred, &text));
            let _ = matches(&odd, &text);
        }
    }
}
