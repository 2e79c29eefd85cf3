//! The rules in force, and the decision which of them hit a request. Seeded, so that a run can be repeated.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::rule::{ALWAYS, Asked, Effect, End, ListedRule, Rule, Verdict};
use crate::reassignment::random::Random;

/// The most rules at the same time.
const MOST_RULES: usize = 1000;

/// The rules, shared by all connections.
#[derive(Debug, Default)]
pub struct Faults {
    table: Mutex<FaultTable>,
    /// Whether there is any rule: requests of a broker without faults take no lock.
    has_rules: AtomicBool,
}

impl Faults {
    /// Without any rule. With the same seed, the same ones of the requests that a rule matches are hit, in their
    /// order.
    pub fn new(seed: u64) -> Self {
        Self {
            table: Mutex::new(FaultTable::new(seed)),
            has_rules: AtomicBool::new(false),
        }
    }

    /// Adds rules after the others, and returns their ids; `None` if there would be too many: then none is added.
    pub fn add(&self, rules: Vec<Rule>) -> Option<Vec<u64>> {
        self.locked(|table| {
            if table.rules.len().saturating_add(rules.len()) > MOST_RULES {
                return None;
            }
            let ids = rules.into_iter().map(|rule| table.add(rule)).collect();
            self.has_rules.store(!table.rules.is_empty(), Ordering::Release);
            Some(ids)
        })
    }

    /// The rules in force, and the seed.
    pub fn list(&self) -> (Vec<ListedRule>, u64) {
        self.locked(|table| (table.list(), table.seed))
    }

    /// Removes one rule, or all. Returns how many were removed.
    pub fn clear(&self, id: Option<u64>) -> usize {
        self.locked(|table| {
            let cleared = table.clear(id);
            self.has_rules.store(!table.rules.is_empty(), Ordering::Release);
            cleared
        })
    }

    /// The effect of the rules on a request; `None` if none hits.
    pub(in crate::broker) fn decide(
        &self,
        asked: Asked<'_>,
        topics: impl FnOnce() -> Vec<String>,
    ) -> Option<Verdict> {
        if !self.has_rules.load(Ordering::Acquire) {
            return None;
        }
        let verdict = self.locked(|table| table.decide(asked, topics));
        (verdict != Verdict::default()).then_some(verdict)
    }

    /// Rules as text, for a log.
    pub(in crate::broker) fn words(&self, ids: &[u64]) -> String {
        let listed = self.list().0;
        let words = ids.iter().map(|id| {
            let known = listed.iter().find(|listed| listed.id == *id);
            // A rule that was removed meanwhile has only its id.
            known.map_or_else(|| id.to_string(), |listed| format!("{id} ({})", listed.rule))
        });
        words.collect::<Vec<_>>().join(", ")
    }

    fn locked<T>(&self, work: impl FnOnce(&mut FaultTable) -> T) -> T {
        work(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The rules in the order in which they are checked.
#[derive(Debug, Default)]
struct FaultTable {
    rules: Vec<Entry>,
    last_id: u64,
    seed: u64,
}

#[derive(Debug)]
struct Entry {
    listed: ListedRule,
    /// Each rule has its own random numbers: other rules do not change what it hits.
    random: Random,
}

impl FaultTable {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    fn add(&mut self, rule: Rule) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        self.rules.push(Entry {
            listed: ListedRule {
                id,
                rule,
                matched: 0,
                hit: 0,
            },
            random: Random::new(self.seed.wrapping_add(id)),
        });
        id
    }

    fn list(&self) -> Vec<ListedRule> {
        self.rules.iter().map(|entry| entry.listed.clone()).collect()
    }

    fn clear(&mut self, id: Option<u64>) -> usize {
        let before = self.rules.len();
        self.rules
            .retain(|entry| id.is_some_and(|id| entry.listed.id != id));
        before - self.rules.len()
    }

    /// `topics` returns the topics in the request; called only if a rule needs them.
    fn decide(&mut self, asked: Asked<'_>, topics: impl FnOnce() -> Vec<String>) -> Verdict {
        let mut unread = Some(topics);
        let mut read: Option<Vec<String>> = None;
        let mut verdict = Verdict::default();
        for entry in &mut self.rules {
            let rule = &entry.listed.rule;
            if !rule.is_about(asked) {
                continue;
            }
            if let Some(topic) = &rule.topic {
                let named =
                    read.get_or_insert_with(|| unread.take().map(|topics| topics()).unwrap_or_default());
                if !named.contains(topic) {
                    continue;
                }
            }
            let effect = rule.effect;
            // A request that one rule ends is not counted by later ones that would end it.
            if verdict.end.is_some() && !matches!(effect, Effect::DelayMs(_)) {
                continue;
            }
            if !entry.hits() {
                continue;
            }
            verdict.rules.push(entry.listed.id);
            match effect {
                Effect::DelayMs(ms) => verdict.delay += Duration::from_millis(ms),
                effect => {
                    verdict.end = Some(End {
                        effect,
                        is_handled: entry.listed.rule.is_handled,
                    });
                }
            }
        }
        verdict
    }
}

impl Entry {
    /// Whether a request that the rule matches is hit.
    fn hits(&mut self) -> bool {
        let listed = &mut self.listed;
        listed.matched += 1;
        if listed.matched <= listed.rule.skip || listed.rule.count.is_some_and(|count| listed.hit >= count) {
            return false;
        }
        let is_hit = listed.rule.per_million >= ALWAYS
            || self.random.below(ALWAYS as usize) < listed.rule.per_million as usize;
        listed.hit += u64::from(is_hit);
        is_hit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A request in a test: API, node, client, topic.
    type Request = (i16, i32, u8, u8);

    fn asked(api: i16, node: i32, client_id: &str) -> Asked<'_> {
        Asked { api, node, client_id }
    }

    fn rule(effect: Effect) -> impl Strategy<Value = Rule> {
        let of = |values: u8| prop::option::of(0..values);
        let count = prop::option::of(0_u64..6);
        let per_million = prop::sample::select(vec![ALWAYS, ALWAYS, 300_000, 0]);
        (
            prop::option::of(0_i16..3),
            prop::option::of(0_i32..2),
            of(2),
            of(2),
            0_u64..4,
            count,
            per_million,
        )
            .prop_map(move |(api, node, client, topic, skip, count, per_million)| Rule {
                api,
                node,
                client_id: client.map(|client| client.to_string()),
                topic: topic.map(|topic| topic.to_string()),
                skip,
                count,
                per_million,
                ..Rule::new(effect)
            })
    }

    fn matches(rule: &Rule, (api, node, client, topic): Request) -> bool {
        rule.api.is_none_or(|wanted| wanted == api)
            && rule.node.is_none_or(|wanted| wanted == node)
            && rule
                .client_id
                .as_ref()
                .is_none_or(|wanted| *wanted == client.to_string())
            && rule
                .topic
                .as_ref()
                .is_none_or(|wanted| *wanted == topic.to_string())
    }

    fn run(rules: &[Rule], requests: &[Request], seed: u64) -> (Vec<Option<Verdict>>, Vec<ListedRule>) {
        let faults = Faults::new(seed);
        faults.add(rules.to_vec());
        let verdicts = requests.iter().map(|(api, node, client, topic)| {
            let topics = || vec!["other".to_owned(), topic.to_string()];
            faults.decide(asked(*api, *node, &client.to_string()), topics)
        });
        (verdicts.collect(), faults.list().0)
    }

    fn requests() -> impl Strategy<Value = Vec<Request>> {
        prop::collection::vec((0_i16..3, 0_i32..2, 0_u8..3, 0_u8..3), 0..60)
    }

    proptest! {
        /// A single rule: of the requests that it matches, first `skip` pass, and then at most `count` are hit.
        #[test]
        fn a_rule_hits_what_it_says(rule in rule(Effect::Close), requests in requests(), seed in any::<u64>()) {
            let (verdicts, listed) = run(std::slice::from_ref(&rule), &requests, seed);
            let mut matched = 0;
            let mut hit = 0;
            for (request, verdict) in requests.iter().zip(&verdicts) {
                if !matches(&rule, *request) {
                    prop_assert_eq!(verdict, &None);
                    continue;
                }
                matched += 1;
                let may_hit = matched > rule.skip && rule.count.is_none_or(|count| hit < count);
                match rule.per_million {
                    ALWAYS => prop_assert_eq!(verdict.is_some(), may_hit),
                    0 => prop_assert_eq!(verdict, &None),
                    _ => prop_assert!(verdict.is_none() || may_hit),
                }
                hit += u64::from(verdict.is_some());
                prop_assert!(verdict.as_ref().is_none_or(|verdict| verdict.rules == [listed[0].id]));
            }
            prop_assert_eq!((listed[0].matched, listed[0].hit), (matched, hit));
        }

        #[test]
        fn the_same_seed_hits_the_same(
            rules in prop::collection::vec(rule(Effect::Fail(6)), 0..5),
            requests in requests(),
            seed in any::<u64>(),
        ) {
            prop_assert_eq!(run(&rules, &requests, seed), run(&rules, &requests, seed));
        }

        /// Delays add up and end nothing; at most one other rule ends a request.
        #[test]
        fn a_request_ends_once(
            delays in prop::collection::vec(rule(Effect::DelayMs(10)), 0..3),
            ends in prop::collection::vec(rule(Effect::Drop), 0..3),
            requests in requests(),
        ) {
            let (verdicts, listed) = run(&[delays.clone(), ends].concat(), &requests, 1);
            let (waits, drops) = listed.split_at(delays.len());
            let sum = |rules: &[ListedRule]| rules.iter().map(|rule| rule.hit).sum::<u64>();
            let given = verdicts.iter().flatten();
            let waited: Duration = given.clone().map(|verdict| verdict.delay).sum();
            prop_assert_eq!(waited, Duration::from_millis(10 * sum(waits)));
            prop_assert_eq!(given.filter(|verdict| verdict.end.is_some()).count() as u64, sum(drops));
        }
    }

    #[test]
    fn about_as_many_are_hit_as_is_likely() {
        let half = Rule {
            per_million: ALWAYS / 2,
            ..Rule::new(Effect::Close)
        };
        let (verdicts, _) = run(&[half], &vec![(0, 0, 0, 0); 1000], 7);
        let hit = verdicts.iter().flatten().count();
        assert!((400..600).contains(&hit), "{hit} of 1000");
    }

    #[test]
    fn a_rule_that_is_cleared_hits_no_more() {
        let faults = Faults::new(1);
        let rules = vec![Rule::new(Effect::Drop), Rule::new(Effect::Close)];
        let ids = faults.add(rules).unwrap();
        assert_eq!(faults.clear(Some(ids[0])), 1);
        let verdict = faults.decide(asked(0, 1, ""), Vec::new).unwrap();
        assert_eq!(verdict.end.unwrap().effect, Effect::Close);
        assert_eq!(faults.clear(None), 1);
        assert_eq!(faults.decide(asked(0, 1, ""), Vec::new), None);
    }

    #[test]
    fn of_too_many_rules_none_is_added() {
        let faults = Faults::new(1);
        let rules = |count| vec![Rule::new(Effect::Drop); count];
        assert_eq!(faults.add(rules(MOST_RULES + 1)), None);
        assert_eq!(faults.decide(asked(0, 1, ""), Vec::new), None);
        assert_eq!(faults.add(rules(MOST_RULES)).unwrap().len(), MOST_RULES);
        assert_eq!(faults.add(rules(1)), None);
    }
}
