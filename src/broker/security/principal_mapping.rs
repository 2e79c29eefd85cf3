//! `ssl.principal.mapping.rules`: maps the distinguished name of a certificate to a user name (KIP-371).

use crate::java::regex::JavaRegex;

/// The rules in order; the first that matches counts.
#[derive(Debug)]
pub(super) struct PrincipalMapping(Vec<Rule>);

#[derive(Debug)]
enum Rule {
    /// The whole name.
    Default,
    Pattern {
        pattern: JavaRegex,
        /// With `$1` for the content of a group in the pattern.
        replacement: String,
        case: Case,
    },
}

#[derive(Clone, Copy, Debug)]
enum Case {
    Kept,
    Lower,
    Upper,
}

impl PrincipalMapping {
    /// Parses `DEFAULT` and `RULE:pattern/replacement/[LU]`, separated by commas; `None` if they are malformed. No
    /// rules mean `DEFAULT`.
    pub(super) fn new(rules: &str) -> Option<Self> {
        let mut rest = rules.trim();
        let mut read = Vec::new();
        while !rest.is_empty() {
            let after = if let Some(after) = rest.strip_prefix("DEFAULT") {
                read.push(Rule::Default);
                after
            } else {
                let (rule, after) = pattern_rule(rest.strip_prefix("RULE:")?)?;
                read.push(rule);
                after
            };
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return None,
            };
        }
        if read.is_empty() {
            read.push(Rule::Default);
        }
        Some(Self(read))
    }

    /// The user name; `None` if no rule matches.
    pub(super) fn name(&self, distinguished_name: &str) -> Option<String> {
        self.0.iter().find_map(|rule| match rule {
            Rule::Default => Some(distinguished_name.to_owned()),
            Rule::Pattern {
                pattern,
                replacement,
                case,
            } => {
                let name = replaced(replacement, &pattern.groups(distinguished_name)?);
                Some(match case {
                    Case::Kept => name,
                    Case::Lower => name.to_lowercase(),
                    Case::Upper => name.to_uppercase(),
                })
            }
        })
    }
}

/// Parses `pattern/replacement/[LU]`; returns the rule and the rest.
fn pattern_rule(text: &str) -> Option<(Rule, &str)> {
    let (pattern, rest) = until_slash(text)?;
    let (replacement, rest) = until_slash(rest)?;
    let (case, rest) = match rest.chars().next() {
        Some('L') => (Case::Lower, rest.get(1..)?),
        Some('U') => (Case::Upper, rest.get(1..)?),
        _ => (Case::Kept, rest),
    };
    let pattern = JavaRegex::new(pattern)?;
    let replacement = replacement.to_owned();
    Some((
        Rule::Pattern {
            pattern,
            replacement,
            case,
        },
        rest,
    ))
}

/// Splits at the next slash without a backslash before it.
fn until_slash(text: &str) -> Option<(&str, &str)> {
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '/' => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

fn replaced(replacement: &str, groups: &[String]) -> String {
    let mut text = String::new();
    let mut rest = replacement.chars().peekable();
    while let Some(c) = rest.next() {
        let digit = (c == '$')
            .then(|| rest.peek().and_then(|digit| digit.to_digit(10)))
            .flatten();
        match digit {
            Some(group) => {
                rest.next();
                text.push_str(groups.get(group as usize).map_or("", String::as_str));
            }
            None if c == '\\' => text.extend(rest.next()),
            None => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(rules: &str, of: &str) -> Option<String> {
        PrincipalMapping::new(rules).unwrap().name(of)
    }

    /// The example of Kafka's documentation.
    #[test]
    fn rules_make_short_names() {
        let rules = "RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,RULE:^CN=(.*?),OU=(.*?),O=(.*?),L=(.*?),ST=(.*?),C=(.*?)$/$1@$2/L,\
                     RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L,DEFAULT";
        let expect = |of: &str, expected: &str| assert_eq!(name(rules, of).as_deref(), Some(expected));
        expect(
            "CN=serviceuser,OU=ServiceUsers,O=Unknown,L=Unknown,ST=Unknown,C=Unknown",
            "serviceuser",
        );
        expect(
            "CN=adminUser,OU=Admin,O=Unknown,L=Unknown,ST=Unknown,C=Unknown",
            "adminuser@admin",
        );
        expect("OU=x,cn=Some.One,O=y", "some.one");
        expect("O=nobody", "O=nobody");
    }

    #[test]
    fn without_a_rule_that_matches_there_is_no_name() {
        assert_eq!(name("", "CN=a").as_deref(), Some("CN=a"));
        assert_eq!(name("DEFAULT", "CN=a").as_deref(), Some("CN=a"));
        assert_eq!(name("RULE:^CN=b$/b/U", "CN=a"), None);
        assert_eq!(name("RULE:^CN=b$/b/U", "CN=b").as_deref(), Some("B"));
        for wrong in ["RULE:a", "RULE:a/b", "RULE:(/b/", "default", "DEFAULT DEFAULT"] {
            assert!(PrincipalMapping::new(wrong).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(rules in "(RULE:)?[a-z$0-9/\\\\,()LU]{0,20}(,DEFAULT)?", of in "\\PC{0,20}") {
            if let Some(mapping) = PrincipalMapping::new(&rules) {
                let _ = mapping.name(&of);
            }
        }
    }
}
