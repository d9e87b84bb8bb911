//! Deterministic detectors of personal data.
//!
//! They prefer silence to false alarms: numbers need their check digits, addresses of examples and of private networks
//! are nobody's, and telephone numbers need a country code or the form of North America.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DataKind {
    Email,
    Phone,
    Iban,
    CreditCard,
    Ip,
    UsSsn,
}

impl DataKind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Email, Self::Phone, Self::Iban, Self::CreditCard, Self::Ip, Self::UsSsn];

    /// The name in the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Iban => "iban",
            Self::CreditCard => "credit_card",
            Self::Ip => "ip",
            Self::UsSsn => "us_ssn",
        }
    }

    fn described(self) -> &'static str {
        match self {
            Self::Email => "an email address",
            Self::Phone => "a telephone number",
            Self::Iban => "an IBAN",
            Self::CreditCard => "a credit card number",
            Self::Ip => "an IP address",
            Self::UsSsn => "a US social security number",
        }
    }
}

/// Data that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) kind: DataKind,
    pub(crate) text: String,
}

impl Found {
    /// Its kind and its first two characters.
    pub(crate) fn masked(&self) -> String {
        let start: String = self.text.chars().take(2).collect();
        format!("{} ({start}…)", self.kind.described())
    }
}

/// Returns the data of these kinds in a text, by kind.
pub(crate) fn detect(text: &str, kinds: &[DataKind]) -> Vec<Found> {
    let of_kind = |kind: &DataKind| {
        let texts = match kind {
            DataKind::Email => matches(text, &EMAIL, is_real_address),
            DataKind::Phone => matches(text, &PHONE, |_, found| is_phone(found)),
            DataKind::Iban => numbers(text, &IBAN_START, iban_at),
            DataKind::CreditCard => numbers(text, &CARD_START, card_at),
            DataKind::Ip => matches(text, &IP, is_public_ip),
            DataKind::UsSsn => matches(text, &SSN, |_, found| is_ssn(found)),
        };
        texts.into_iter().map(|text| Found { kind: *kind, text: text.to_owned() }).collect::<Vec<_>>()
    };
    kinds.iter().flat_map(of_kind).collect()
}

/// A constant pattern, which the tests compile.
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*\.[a-z]{2,24}\b")
});
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\+[1-9](?:[ ./-]?\(?[0-9]\)?){6,15}|\(?\b[2-9][0-9]{2}(?:\) ?|[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\b",
    )
});
static IBAN_START: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b[a-z]{2}[0-9]{2}"));
static CARD_START: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[2-6][0-9]{3}"));
static IP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b|[0-9a-f]{1,4}(?:::?[0-9a-f]{1,4}){3,7}\b")
});
static SSN: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b"));

/// A match with the text around it.
struct Around<'a> {
    before: &'a str,
    after: &'a str,
}

impl Around<'_> {
    /// Whether the match is a part of a longer word or number.
    fn is_part(&self, joining: &[char]) -> bool {
        let joins = |character: char| character.is_alphanumeric() || joining.contains(&character);
        let mut after = self.after.chars();
        self.before.chars().next_back().is_some_and(joins)
            || match after.next() {
                Some(next) if next.is_alphanumeric() => true,
                // A mark at the end of a sentence joins nothing.
                Some(next) if joining.contains(&next) => after.next().is_some_and(char::is_alphanumeric),
                _ => false,
            }
    }
}

fn matches<'a>(text: &'a str, pattern: &Regex, accepts: impl Fn(&Around<'_>, &str) -> bool) -> Vec<&'a str> {
    pattern
        .find_iter(text)
        .filter(|found| {
            let around = Around { before: &text[..found.start()], after: &text[found.end()..] };
            accepts(&around, found.as_str())
        })
        .map(|found| found.as_str())
        .collect()
}

/// Returns the numbers that start where the pattern matches; `end` finds the length of one in the rest of the text.
fn numbers<'a>(text: &'a str, start: &Regex, end: fn(&str) -> Option<usize>) -> Vec<&'a str> {
    let (mut found, mut from) = (Vec::new(), 0);
    for start in start.find_iter(text).map(|start| start.start()) {
        // The groups of a number are no numbers of their own.
        if start >= from
            && let Some(length) = end(&text[start..])
        {
            from = start + length;
            found.push(&text[start..from]);
        }
    }
    found
}

/// Names of RFC 2606 and RFC 6761 that nobody owns.
fn is_real_address(around: &Around<'_>, found: &str) -> bool {
    let domain = found.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let is_within = |name: &str| domain == name || domain.ends_with(&format!(".{name}"));
    let is_reserved =
        ["example", "invalid", "test", "localhost", "example.com", "example.net", "example.org"];
    !around.before.ends_with(['@', '/']) && !is_reserved.into_iter().any(is_within)
}

fn is_phone(found: &str) -> bool {
    let digits: Vec<char> = found.chars().filter(char::is_ascii_digit).collect();
    let shortest = if found.starts_with('+') { 9 } else { 10 };
    let is_round = digits.iter().rev().take_while(|digit| **digit == '0').count() >= 6;
    // The numbers 555-0100 to 555-0199 are kept for fiction.
    let is_fictional =
        digits.len() >= 7 && digits[digits.len() - 7..].starts_with(&['5', '5', '5', '0', '1']);
    (shortest..=15).contains(&digits.len()) && !is_round && !is_fictional
}

/// Returns the end of each possible number: letters and digits in groups that single spaces or hyphens separate.
fn ends(text: &str) -> impl Iterator<Item = (String, usize)> {
    const LONGEST: usize = 34;
    let mut compact = String::new();
    let mut characters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, character) = characters.next()?;
            let next = characters.peek().map(|(_, next)| *next);
            if character.is_ascii_alphanumeric() && compact.len() < LONGEST {
                compact.push(character.to_ascii_uppercase());
                if next.is_none_or(|next| !next.is_alphanumeric()) {
                    return Some((compact.clone(), at + 1));
                }
            } else if !matches!(character, ' ' | '-') || next.is_none_or(|next| !next.is_ascii_alphanumeric())
            {
                return None;
            }
        }
    })
}

/// The length of an IBAN at the start of a text: the length of its country, and the check digits of ISO 7064.
fn iban_at(text: &str) -> Option<usize> {
    let country = text.get(..2)?.to_ascii_uppercase();
    let (_, length) =
        IBAN_LENGTHS.iter().find(|(countries, _)| countries.split(' ').any(|one| one == country))?;
    ends(text).find(|(compact, _)| compact.len() == *length && is_iban(compact)).map(|(_, end)| end)
}

/// Countries by the length of their IBAN (SWIFT's registry).
const IBAN_LENGTHS: [(&str, usize); 17] = [
    ("NO", 15),
    ("BE", 16),
    ("DK FO FI GL NL SD", 18),
    ("MK SI", 19),
    ("AT BA EE KZ LT LU XK", 20),
    ("CH CR HR LI LV", 21),
    ("BG BH DE GB GE IE ME RS VA", 22),
    ("AE GI IL IQ TL", 23),
    ("AD CZ ES MD PK RO SA SE SK TN VG", 24),
    ("AO LY PT ST", 25),
    ("IS TR", 26),
    ("BI DJ FR GR IT MC MR SM", 27),
    ("AL AZ BY CY DO GT HU LB NI PL SV", 28),
    ("BR EG PS QA UA", 29),
    ("JO KW MU", 30),
    ("MT SC", 31),
    ("LC", 32),
];

fn is_iban(compact: &str) -> bool {
    let Some((start, rest)) = compact.split_at_checked(4) else { return false };
    let mut values = rest.chars().chain(start.chars()).map(|character| character.to_digit(36));
    let remainder = values.try_fold(0_u32, |remainder, value| {
        let value = value?;
        Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
    });
    remainder == Some(1)
}

/// The length of a card number at the start of a text: the prefix and length of a network, and the digit of Luhn (ISO/IEC
/// 7812-1).
fn card_at(text: &str) -> Option<usize> {
    ends(text)
        .take_while(|(compact, _)| compact.len() <= 19 && compact.bytes().all(|byte| byte.is_ascii_digit()))
        .find(|(compact, _)| is_card(compact))
        .map(|(_, end)| end)
}

fn is_card(digits: &str) -> bool {
    let prefix = |length: usize| digits.get(..length).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let is_network = match digits.len() {
        13 => prefix(1) == 4,
        14 => two == 36 || two == 38 || two == 39 || (300..=305).contains(&three),
        15 => two == 34 || two == 37,
        16 => {
            prefix(1) == 4
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || four == 6011
                || two == 65
                || (644..=649).contains(&three)
                || (3528..=3589).contains(&four)
                || two == 62
        }
        17 | 18 => two == 62,
        19 => prefix(1) == 4 || two == 62,
        _ => false,
    };
    is_network && has_luhn_digit(digits)
}

fn has_luhn_digit(digits: &str) -> bool {
    let doubled = |(index, digit): (usize, u32)| match (index % 2, digit * 2) {
        (0, _) => digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    };
    let digits = digits.chars().rev().filter_map(|character| character.to_digit(10));
    digits.enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Whether it is an address of the internet. Numbers of versions have the form of one.
fn is_public_ip(around: &Around<'_>, found: &str) -> bool {
    if around.is_part(&['.', ':', '-']) {
        return false;
    }
    if let Ok(address) = found.parse::<Ipv4Addr>() {
        let words = around.before.trim_end().to_lowercase();
        let is_version = ["version", "release", "build"].iter().any(|word| words.ends_with(word));
        let is_nobodys = address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_documentation()
            || address.is_broadcast()
            || address.is_multicast()
            || address.octets()[0] == 0;
        return !is_version && !is_nobodys;
    }
    found.parse::<Ipv6Addr>().is_ok_and(|address| {
        let start = address.segments();
        let is_documentation = start[0] == 0x2001 && start[1] == 0xdb8;
        // 2000::/3 holds all that is assigned.
        (start[0] & 0xe000) == 0x2000 && !is_documentation
    })
}

fn is_ssn(found: &str) -> bool {
    let mut parts = found.split('-').map(|part| part.parse::<u32>().unwrap_or(0));
    let (area, group, serial) =
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    (1..900).contains(&area) && area != 666 && group != 0 && serial != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(kind: DataKind, text: &str) -> Vec<String> {
        detect(text, &[kind]).into_iter().map(|found| found.text).collect()
    }

    #[test]
    fn personal_data_is_found_as_a_whole() {
        for (kind, text, expected) in [
            (DataKind::Email, "Write to Ann.Lee+shop@mail.acme.co.uk.", "Ann.Lee+shop@mail.acme.co.uk"),
            (DataKind::Phone, "Call +49 (30) 901820-17 now", "+49 (30) 901820-17"),
            (DataKind::Phone, "at (212) 736-5000.", "(212) 736-5000"),
            (DataKind::Iban, "to DE89 3704 0044 0532 0130 00 AND wait", "DE89 3704 0044 0532 0130 00"),
            (DataKind::Iban, "gb29nwbk60161331926819", "gb29nwbk60161331926819"),
            (DataKind::CreditCard, "card 4111 1111 1111 1111 12/26", "4111 1111 1111 1111"),
            (DataKind::CreditCard, "3782-822463-10005", "3782-822463-10005"),
            (DataKind::Ip, "from 93.184.216.34, twice", "93.184.216.34"),
            (DataKind::Ip, "2606:2800:220:1:248:1893:25c8:1946.", "2606:2800:220:1:248:1893:25c8:1946"),
            (DataKind::UsSsn, "SSN 219-09-9999", "219-09-9999"),
        ] {
            assert_eq!(found(kind, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_texts_are_not_personal_data() {
        for (kind, text) in [
            (DataKind::Email, "user@example.com, me@host.test, @name, a@b, https://x.com/@ann@social.net"),
            (
                DataKind::Phone,
                "+10 000 000 users, order 2127365000, 2024-10-12, +1 (212) 555-0123, +5 % of 300",
            ),
            (DataKind::Iban, "DE88 3704 0044 0532 0130 00, DE89 3704 0044, AB12 cats, XX12345"),
            (DataKind::CreditCard, "4111 1111 1111 1112, 1234567890123456, 4111, 4111111111111111a"),
            (
                DataKind::Ip,
                "10.0.0.1, 127.0.0.1, version 8.9.10.11, 1.2.3.4.5, 300.1.1.1, v9.9.9.9, 192.0.2.1",
            ),
            (DataKind::Ip, "12:30:45:10, std::a::b::c, 2001:db8:1:1::1, fe80:1:1:1::1"),
            (DataKind::UsSsn, "000-12-3456, 666-12-3456, 123-00-4567, 912-12-1234, 123-45-67890"),
        ] {
            assert!(found(kind, text).is_empty(), "{kind:?}: {:?}", found(kind, text));
        }
    }

    #[test]
    fn masked_data_cannot_be_read() {
        let found = detect("ann@acme.com", &DataKind::ALL);
        assert_eq!(found[0].masked(), "an email address (an…)");
    }
}
