//! Fault rules as text: `Produce:NOT_LEADER_OR_FOLLOWER:topic=orders:3`, the API first, then words in any order.

use std::fmt;
use std::str::FromStr;

use kafka_protocol::messages::ApiKey;

use super::error_answer::takes_errors;
use super::rule::{ALWAYS, Effect, Rule};
use crate::broker::apis::APIS;
use crate::spelling;
use crate::wire::error_codes;

/// The effect of the rules of one flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The error name is a word of the rule.
    Fail,
    /// The duration is a word of the rule.
    Delay,
    Drop,
    Close,
}

/// Parses a rule; the error is one line about the first invalid word.
pub fn parse(kind: Kind, text: &str) -> Result<Rule, String> {
    let mut words = text.split(':');
    let api = api(words.next().unwrap_or_default())?;
    let mut rule = Rule {
        api: api.map(|api| api as i16),
        ..Rule::new(Effect::Close)
    };
    let mut effect = match kind {
        Kind::Fail | Kind::Delay => None,
        Kind::Drop => Some(Effect::Drop),
        Kind::Close => Some(Effect::Close),
    };
    for word in words {
        if take_word(&mut rule, word)? {
            continue;
        }
        if effect.is_some() {
            return Err(format!("\"{word}\" says nothing here"));
        }
        effect = Some(match kind {
            Kind::Delay => delay(word)?,
            _ => error(word)?,
        });
    }
    rule.effect = effect.ok_or(match kind {
        Kind::Delay => "a time is missing, such as 200ms",
        _ => "an error is missing, such as NOT_LEADER_OR_FOLLOWER",
    })?;
    match api {
        Some(api) if kind == Kind::Fail && !takes_errors(api) => {
            Err(format!("answers of {api:?} carry no errors that clients see"))
        }
        _ => Ok(rule),
    }
}

/// Applies a word that rules of every kind may have. Returns whether it is one.
fn take_word(rule: &mut Rule, word: &str) -> Result<bool, String> {
    if let Some((key, value)) = word.split_once('=') {
        match key {
            "topic" => rule.topic = Some(value.to_owned()),
            "client" => rule.client_id = Some(value.to_owned()),
            "node" => {
                let id = value.parse().map_err(|_| format!("\"{value}\" is no node id"))?;
                rule.node = Some(id);
            }
            "skip" => rule.skip = number(value)?,
            "count" => rule.count = Some(number(value)?),
            "p" => rule.per_million = share(value, 1.0)?,
            _ => {
                return Err(format!(
                    "there is no {key}=, only topic=, client=, node=, skip=, count= and p="
                ));
            }
        }
    } else if word == "handled" {
        rule.is_handled = true;
    } else if let Some(percent) = word.strip_suffix('%') {
        rule.per_million = share(percent, 100.0)?;
    } else if !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
        rule.count = Some(number(word)?);
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn number(text: &str) -> Result<u64, String> {
    u64::from_str(text).map_err(|_| format!("\"{text}\" is no number of requests"))
}

/// Parses a part of `whole` into millionths.
fn share(text: &str, whole: f64) -> Result<u32, String> {
    match text.parse::<f64>() {
        Ok(part) if (0.0..=whole).contains(&part) => Ok((part / whole * f64::from(ALWAYS)).round() as u32),
        _ => Err(format!("\"{text}\" is no share of requests; 10% is, and p=0.1")),
    }
}

fn delay(word: &str) -> Result<Effect, String> {
    let wanted = || format!("\"{word}\" is no time; 200ms is");
    let time: jiff::SignedDuration = word.parse().map_err(|_| wanted())?;
    let milliseconds = u64::try_from(time.as_millis()).map_err(|_| wanted())?;
    Ok(Effect::DelayMs(milliseconds))
}

fn error(word: &str) -> Result<Effect, String> {
    let name = word.to_uppercase();
    if let Some(row) = error_codes::of_name(&name) {
        return Ok(Effect::Fail(row.code));
    }
    Err(match spelling::closest(&name, error_codes::names()) {
        Some(near) => format!("there is no error {name}; did you mean {near}?"),
        None => format!("there is no error \"{name}\""),
    })
}

/// `*` stands for every API.
fn api(word: &str) -> Result<Option<ApiKey>, String> {
    if word == "*" {
        return Ok(None);
    }
    let names: Vec<(String, ApiKey)> = APIS
        .iter()
        .map(|api| (format!("{:?}", api.key), api.key))
        .collect();
    let found = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
    if let Some((_, key)) = found {
        return Ok(Some(*key));
    }
    let near = spelling::closest(word, names.iter().map(|(name, _)| name.as_str()));
    Err(match near {
        Some(near) => format!("there is no API {word}; did you mean {near}?"),
        None => format!("there is no API \"{word}\"; Produce is one, and * is all"),
    })
}

impl fmt::Display for Rule {
    /// The effect, and the text that [`parse`] accepts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.effect {
            Effect::Fail(_) => "fail",
            Effect::DelayMs(_) => "delay",
            Effect::Drop => "drop",
            Effect::Close => "close",
        };
        let api = self.api.and_then(|key| ApiKey::try_from(key).ok());
        match api {
            Some(api) => write!(f, "{kind} {api:?}")?,
            None => write!(f, "{kind} *")?,
        }
        match self.effect {
            Effect::Fail(code) => match error_codes::find(code) {
                Some(row) => write!(f, ":{}", row.name)?,
                None => write!(f, ":{code}")?,
            },
            Effect::DelayMs(ms) => write!(f, ":{ms}ms")?,
            Effect::Drop | Effect::Close => {}
        }
        if let Some(topic) = &self.topic {
            write!(f, ":topic={topic}")?;
        }
        if let Some(client_id) = &self.client_id {
            write!(f, ":client={client_id}")?;
        }
        if let Some(node) = self.node {
            write!(f, ":node={node}")?;
        }
        if self.is_handled {
            f.write_str(":handled")?;
        }
        if self.skip > 0 {
            write!(f, ":skip={}", self.skip)?;
        }
        if self.per_million < ALWAYS {
            write!(f, ":p={}", f64::from(self.per_million) / f64::from(ALWAYS))?;
        }
        match self.count {
            Some(count) => write!(f, ":{count}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rules_as_people_write_them() {
        let produce = Some(ApiKey::Produce as i16);
        let not_leader = Effect::Fail(error_codes::NOT_LEADER_OR_FOLLOWER);
        for (kind, text, expected) in [
            (
                Kind::Fail,
                "Produce:NOT_LEADER_OR_FOLLOWER:3",
                Rule {
                    api: produce,
                    count: Some(3),
                    ..Rule::new(not_leader)
                },
            ),
            (
                Kind::Fail,
                "produce:topic=orders:not_leader_or_follower:handled:skip=2",
                Rule {
                    api: produce,
                    topic: Some("orders".into()),
                    is_handled: true,
                    skip: 2,
                    ..Rule::new(not_leader)
                },
            ),
            (
                Kind::Delay,
                "*:client=app-1:200ms:10%",
                Rule {
                    client_id: Some("app-1".into()),
                    per_million: ALWAYS / 10,
                    ..Rule::new(Effect::DelayMs(200))
                },
            ),
            (Kind::Drop, "*", Rule::new(Effect::Drop)),
            (
                Kind::Drop,
                "*:node=2",
                Rule {
                    node: Some(2),
                    ..Rule::new(Effect::Drop)
                },
            ),
            (
                Kind::Close,
                "Produce:p=0.5",
                Rule {
                    api: produce,
                    per_million: ALWAYS / 2,
                    ..Rule::new(Effect::Close)
                },
            ),
        ] {
            assert_eq!(parse(kind, text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (kind, text, why) in [
            (Kind::Fail, "Prodce:NOT_CONTROLLER", "did you mean Produce?"),
            (
                Kind::Fail,
                "Produce:NOT_CONTROLER",
                "did you mean NOT_CONTROLLER?",
            ),
            (Kind::Fail, "Produce:3", "an error is missing"),
            (Kind::Fail, "", "no API"),
            (Kind::Fail, "WriteShareGroupState:NOT_CONTROLLER", "no errors"),
            (Kind::Delay, "Fetch:soon", "no time"),
            (Kind::Delay, "Fetch:-5s", "no time"),
            (Kind::Drop, "Fetch:200ms", "says nothing"),
            (Kind::Drop, "Fetch:110%", "no share"),
            (Kind::Drop, "Fetch:node=first", "no node id"),
            (Kind::Drop, "Fetch:tpic=t", "there is no tpic="),
            (Kind::Close, "Fetch:99999999999999999999", "no number"),
        ] {
            let refusal = parse(kind, text).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
    }

    fn any_rule() -> impl Strategy<Value = (Kind, Rule)> {
        let effect = prop_oneof![
            prop::sample::select(vec![3_i16, 6, 7, 41]).prop_map(|code| (Kind::Fail, Effect::Fail(code))),
            (0_u64..100_000).prop_map(|ms| (Kind::Delay, Effect::DelayMs(ms))),
            Just((Kind::Drop, Effect::Drop)),
            Just((Kind::Close, Effect::Close)),
        ];
        let api = prop::option::of(prop::sample::select(vec![0_i16, 1, 3, 11, 18]));
        let name = || prop::option::of("[a-z._-]{1,9}");
        let count = prop::option::of(any::<u64>());
        let node = prop::option::of(any::<i32>());
        (
            effect,
            api,
            node,
            name(),
            name(),
            any::<bool>(),
            any::<u64>(),
            count,
            0..=ALWAYS,
        )
            .prop_map(
                |((kind, effect), api, node, topic, client_id, is_handled, skip, count, per_million)| {
                    let rule = Rule {
                        api,
                        node,
                        topic,
                        client_id,
                        is_handled,
                        skip,
                        count,
                        per_million,
                        ..Rule::new(effect)
                    };
                    (kind, rule)
                },
            )
    }

    proptest! {
        #[test]
        fn a_rule_that_is_shown_can_be_typed((kind, rule) in any_rule()) {
            let shown = rule.to_string();
            let (_, typed) = shown.split_once(' ').unwrap();
            prop_assert_eq!(parse(kind, typed), Ok(rule), "{}", shown);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[A-Za-z:=%.*0-9 é-]{0,40}") {
            for kind in [Kind::Fail, Kind::Delay, Kind::Drop, Kind::Close] {
                let _ = parse(kind, &text);
            }
        }
    }
}
