//! A classic group under random events: no order of joins, syncs, heartbeats, leaves and time-outs breaks what
//! clients rely on.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kafkit::broker::coordinator::group::classic_group::{ClassicGroup, GroupLimits};
use kafkit::broker::coordinator::group::events::{
    Effect, GroupEvent, JoinGroup, LeavingMember, MemberIdentity, Protocol, SyncGroup, Ticket,
};
use kafkit::broker::coordinator::group::group_state::GroupState;
use proptest::prelude::*;

/// A client of the group, as far as it knows itself.
#[derive(Clone, Debug, Default)]
struct Client {
    member_id: String,
    generation: i32,
    leads: bool,
    members: Vec<String>,
    waits_for: Option<Ticket>,
}

/// What a client does next, or the time that passes.
#[derive(Clone, Copy, Debug)]
enum Move {
    Join { client: usize, changed: bool },
    Sync { client: usize },
    Heartbeat { client: usize },
    Leave { client: usize },
    Forget { client: usize },
    Wait { ms: i64 },
}

fn moves() -> impl Strategy<Value = Move> {
    let client = 0..5_usize;
    prop_oneof![
        4 => (client.clone(), any::<bool>()).prop_map(|(client, changed)| Move::Join { client, changed }),
        4 => client.clone().prop_map(|client| Move::Sync { client }),
        2 => client.clone().prop_map(|client| Move::Heartbeat { client }),
        1 => client.clone().prop_map(|client| Move::Leave { client }),
        1 => client.prop_map(|client| Move::Forget { client }),
        2 => (0..20_000_i64).prop_map(|ms| Move::Wait { ms }),
    ]
}

/// The group, its clients, and everything that must hold between them.
struct World {
    group: ClassicGroup,
    clients: Vec<Client>,
    now_ms: i64,
    next_ticket: u64,
    unanswered: BTreeSet<Ticket>,
    /// Generation → who was told that it leads.
    leaders: BTreeMap<i32, BTreeSet<String>>,
    last_generation: i32,
}

impl World {
    fn new(initial_rebalance_delay_ms: i64) -> Self {
        let limits = GroupLimits {
            max_size: 4,
            initial_rebalance_delay_ms,
        };
        Self {
            group: ClassicGroup::new(limits, 0),
            clients: vec![Client::default(); 5],
            now_ms: 0,
            next_ticket: 0,
            unanswered: BTreeSet::new(),
            leaders: BTreeMap::new(),
            last_generation: 0,
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.unanswered.insert(ticket);
        ticket
    }

    fn play(&mut self, step: Move) {
        let event = match step {
            Move::Wait { ms } => {
                self.now_ms += ms;
                GroupEvent::DeadlinePassed
            }
            Move::Forget { client } => {
                // The process died: a new one knows nothing.
                self.clients[client] = Client::default();
                return;
            }
            Move::Join { client, changed } => {
                let ticket = self.ticket();
                self.clients[client].waits_for = Some(ticket);
                GroupEvent::Join(ticket, self.join(client, changed))
            }
            Move::Sync { client } => {
                let ticket = self.ticket();
                let client = &mut self.clients[client];
                client.waits_for = Some(ticket);
                let assignments = client
                    .members
                    .iter()
                    .map(|id| (id.clone(), Bytes::from(id.clone())));
                let request = SyncGroup {
                    member: identity(client),
                    assignments: assignments.filter(|_| client.leads).collect(),
                    ..SyncGroup::default()
                };
                GroupEvent::Sync(ticket, request)
            }
            Move::Heartbeat { client } => {
                let ticket = self.ticket();
                GroupEvent::Heartbeat(ticket, identity(&self.clients[client]))
            }
            Move::Leave { client } => {
                let ticket = self.ticket();
                let member = LeavingMember {
                    member_id: std::mem::take(&mut self.clients[client]).member_id,
                    group_instance_id: None,
                };
                GroupEvent::Leave(ticket, vec![member])
            }
        };
        let effects = self.group.handle(self.now_ms, event);
        self.check(effects);
    }

    fn join(&self, client: usize, changed: bool) -> JoinGroup {
        let metadata = if changed { "new" } else { "same" };
        let is_static = client == 0;
        JoinGroup {
            member_id: self.clients[client].member_id.clone(),
            group_instance_id: is_static.then(|| "instance".to_owned()),
            fresh_member_id: format!("{client}-{}", self.next_ticket),
            client_id: format!("client-{client}"),
            client_host: "/127.0.0.1".to_owned(),
            protocol_type: "consumer".to_owned(),
            protocols: vec![Protocol {
                name: "range".to_owned(),
                metadata: Bytes::from(metadata),
            }],
            session_timeout_ms: 6_000,
            rebalance_timeout_ms: 10_000,
            requires_known_member_id: client % 2 == 1,
            supports_skipping_assignment: false,
        }
    }

    fn check(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Persist => {}
                Effect::AnswerJoin(ticket, answer) => {
                    self.answered(ticket);
                    let led_by = answer.leader == answer.member_id;
                    if answer.error.is_none() && led_by && !answer.members.is_empty() {
                        self.leaders
                            .entry(answer.generation)
                            .or_default()
                            .insert(answer.leader.clone());
                    }
                    if let Some(client) = self.waiting(ticket) {
                        client.member_id = answer.member_id;
                        client.generation = answer.generation;
                        client.leads = led_by;
                        client.members = answer
                            .members
                            .into_iter()
                            .map(|member| member.member_id)
                            .collect();
                    }
                }
                Effect::AnswerSync(ticket, answer) => {
                    self.answered(ticket);
                    if let Some(client) = self.waiting(ticket) {
                        // Ids are `<client>-<number>`; a static member inherits what it was assigned under its former id.
                        let owner = answer.assignment.split(|byte| *byte == b'-').next();
                        let itself = client.member_id.as_bytes().split(|byte| *byte == b'-').next();
                        let its_own = answer.assignment.is_empty() || owner == itself;
                        assert!(its_own, "someone else's assignment: {answer:?}");
                    }
                }
                Effect::AnswerHeartbeat(ticket, _) | Effect::AnswerLeave(ticket, _) => self.answered(ticket),
            }
        }
        let generation = self.group.generation();
        assert!(generation >= self.last_generation, "generations never fall");
        self.last_generation = generation;
        for (generation, leaders) in &self.leaders {
            assert!(
                leaders.len() <= 1,
                "generation {generation} has two leaders: {leaders:?}"
            );
        }
        if self.group.state() == GroupState::Empty {
            assert_eq!(self.group.members().len(), 0, "an empty group has no members");
        } else {
            let leader = self.group.leader().expect("a group with members has a leader");
            assert!(
                self.group.members().any(|member| member.id == leader),
                "the leader is a member"
            );
        }
    }

    fn answered(&mut self, ticket: Ticket) {
        assert!(self.unanswered.remove(&ticket), "{ticket:?} was answered twice");
    }

    fn waiting(&mut self, ticket: Ticket) -> Option<&mut Client> {
        self.clients
            .iter_mut()
            .find(|client| client.waits_for == Some(ticket))
    }

    /// Time passes until nothing is due any more: everybody is silent, so the group must come to rest.
    fn come_to_rest(&mut self) {
        for _ in 0..100 {
            let Some(deadline) = self.group.next_deadline_ms() else {
                break;
            };
            self.now_ms = self.now_ms.max(deadline);
            let effects = self.group.handle(self.now_ms, GroupEvent::DeadlinePassed);
            self.check(effects);
        }
        assert_eq!(self.group.state(), GroupState::Empty);
        assert!(
            self.unanswered.is_empty(),
            "never answered: {:?}",
            self.unanswered
        );
    }
}

fn identity(client: &Client) -> MemberIdentity {
    MemberIdentity {
        member_id: client.member_id.clone(),
        group_instance_id: None,
        generation: client.generation,
    }
}

proptest! {
    #[test]
    fn one_leader_each_answered_once_and_generations_never_fall(
        initial_delay_ms in prop_oneof![Just(0_i64), Just(3_000)],
        moves in proptest::collection::vec(moves(), 1..120),
    ) {
        let mut world = World::new(initial_delay_ms);
        for step in moves {
            world.play(step);
        }
        world.come_to_rest();
    }
}
