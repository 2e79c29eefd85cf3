//! Changes of inputs: bytes, numbers, pieces, and what two inputs have in common.

use crate::support::random::Random;

/// Longer inputs are only more of the same.
const LONGEST: usize = 96 * 1024;
/// Bytes at which something may change its mind.
const BYTES: &[u8] = &[
    0, 1, 2, 0x7f, 0x80, 0xff, b'"', b'\\', b'{', b'[', b'(', b'%', b'\n', b'=', b',', b':',
];
const NUMBERS: &[i64] = &[
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    256,
    32_767,
    65_535,
    1 << 20,
    i32::MAX as i64,
    i32::MIN as i64,
    i64::MAX,
];
/// As varints the largest there are, and ones that do not end.
const VARINTS: &[&[u8]] = &[
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0xfe, 0xff, 0xff, 0xff, 0x0f],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
    &[0x80, 0x80, 0x08],
];

/// Makes inputs out of others; the same from the same seed.
#[derive(Debug)]
pub(super) struct Mutator {
    random: Random,
    known: Vec<Vec<u8>>,
}

impl Mutator {
    pub(super) fn new(seed: u64, known: Vec<Vec<u8>>) -> Self {
        Self {
            random: Random::new(seed),
            known,
        }
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let at = self.random.below(self.known.len());
        let mut input = self.known[at].clone();
        // Mostly few changes: they get far.
        let changes = 1 << self.random.below(5);
        for _ in 0..changes {
            self.change(&mut input);
        }
        input.truncate(LONGEST);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        match self.random.below(10) {
            0 => flip(input, at, 1 << self.random.below(8)),
            1 => put(input, at, &[self.random.pick(BYTES)]),
            2 => put(input, at, &[self.random.next() as u8]),
            3 | 4 => {
                let size = self.random.pick(&[2, 4, 4, 8]);
                let near = self.random.between(-2, 2);
                let number = self.random.pick(NUMBERS).wrapping_add(near).to_be_bytes();
                put(input, at, &number[8 - size..]);
            }
            5 => {
                let varint = self.random.pick(VARINTS);
                put(input, at, varint);
            }
            6 => {
                let end = (at + 1 + self.random.below(16)).min(input.len());
                drop(input.drain(at.min(end)..end));
            }
            7 => {
                let end = (at + 1 + self.random.below(64)).min(input.len());
                let piece = input[at.min(end)..end].to_vec();
                let to = self.random.below(input.len() + 1);
                drop(input.splice(to..to, piece));
            }
            8 => {
                let other = self.random.below(self.known.len());
                let from = self.random.below(self.known[other].len() + 1);
                input.truncate(at);
                input.extend_from_slice(&self.known[other][from..]);
            }
            _ => input.truncate(at),
        }
    }
}

fn flip(input: &mut [u8], at: usize, bit: u8) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= bit;
    }
}

/// Overwrites; at the end it makes the input longer.
fn put(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if input.len() < end {
        input.resize(end, 0);
    }
    input[at..end].copy_from_slice(bytes);
}
