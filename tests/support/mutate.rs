//! Matrix files, changed at random: bytes, tokens, lines, nesting, aliases, parts of other files.
//!
//! A case is a number: the same number makes the same file, on every machine.

use super::project;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::fs;

/// The largest file that is made; a rare case is made larger.
const LARGEST: usize = 32 * 1024;

/// Pieces that mean something to YAML, to a matrix or to what reads one.
const TOKENS: [&str; 92] = [
    "[",
    "]",
    "{",
    "}",
    ",",
    ": ",
    "- ",
    "? ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "#",
    " #",
    "\t",
    "\n",
    "\r\n",
    "\n\n",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! x\n",
    "!!binary ",
    "!!str ",
    "!!int ",
    "!x ",
    "&a ",
    "*a",
    "&b ",
    "*b",
    "<<: *a\n",
    "<<: [*a, *b]\n",
    "~",
    "null",
    "true",
    "no",
    "on",
    ".nan",
    ".inf",
    "-.inf",
    "1e999",
    "-0",
    "0x1F",
    "0o17",
    "1_000",
    "12:30",
    "3.10",
    "1e3",
    "-1",
    "9223372036854775808",
    "18446744073709551616",
    "1e308",
    "0.1",
    "\u{feff}",
    "\u{2028}",
    "é",
    "\u{202e}",
    "\0",
    "\u{7f}",
    "\u{85}",
    "😀",
    "${env:HOME}",
    "${env:",
    "{{ model.path }}",
    "{{",
    "{% for x in y %}",
    "**",
    "*",
    "[!a]",
    "?(",
    "..",
    "../",
    "/",
    "tag.",
    "tag.x: ",
    "if: ",
    "\"os == 'linux'\"",
    "extends: x.yaml\n",
    "zip: [model, audio]\n",
    "only:\n",
    "exclude-after:\n",
    "{value: 1, if: true}",
    "backend: [fake]\n",
    "model: ",
    "audio: [all]\n",
    "15s",
    "0s",
    "1h 30m",
    "matrix:\n",
    "settings: ",
    "version: 1\n",
    "999999999999d",
];

/// Makes cases out of the files that ship, sound and wrong ones.
pub struct Mutator {
    sound: Vec<Vec<u8>>,
    wrong: Vec<Vec<u8>>,
}

impl Mutator {
    pub fn new() -> Self {
        Self {
            sound: seeds("matrices"),
            wrong: seeds("matrices/invalid"),
        }
    }

    /// Returns the file of a case.
    pub fn case(&self, number: u64) -> Vec<u8> {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(number));
        let mut bytes = self.seed(&mut dice);
        for _ in 0..=dice.below(6) {
            self.change(&mut bytes, &mut dice);
        }
        let largest = match dice.below(500) {
            0 => 32 * LARGEST,
            _ => LARGEST,
        };
        bytes.truncate(largest);
        bytes
    }

    /// Returns a file to begin with: there are far more wrong ones than sound ones, and a sound
    /// one leads further.
    fn seed(&self, dice: &mut Dice) -> Vec<u8> {
        let seeds = match dice.below(3) {
            0 => &self.wrong,
            _ => &self.sound,
        };
        seeds[dice.below(seeds.len())].clone()
    }

    fn change(&self, bytes: &mut Vec<u8>, dice: &mut Dice) {
        let start = dice.below(bytes.len() + 1);
        let length = dice.below(64).min(bytes.len() - start);
        let part = bytes[start..start + length].to_vec();
        match dice.below(16) {
            0 if !bytes.is_empty() => {
                let position = dice.below(bytes.len());
                bytes[position] ^= 1 << dice.below(8);
            }
            1 => insert(bytes, start, &[u8::try_from(dice.below(256)).unwrap()]),
            2 => drop(bytes.drain(start..start + length)),
            3 => insert(bytes, start, &part),
            4..=6 => insert(bytes, start, TOKENS[dice.below(TOKENS.len())].as_bytes()),
            7 => {
                // A word becomes another one, of this file or of the list.
                let words = words(bytes);
                if words.is_empty() {
                    return;
                }
                let (from, to) = words[dice.below(words.len())];
                let (other_from, other_to) = words[dice.below(words.len())];
                let word = match dice.below(2) {
                    0 => bytes[other_from..other_to].to_vec(),
                    _ => TOKENS[dice.below(TOKENS.len())].as_bytes().to_vec(),
                };
                bytes.splice(from..to, word);
            }
            8 => change_lines(bytes, dice),
            9 => {
                // The head of this file and the tail of another.
                let other = self.seed(dice);
                bytes.truncate(start);
                bytes.extend(&other[dice.below(other.len() + 1)..]);
            }
            10 => {
                let other = self.seed(dice);
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(200)).min(other.len());
                insert(bytes, start, &other[from..to]);
            }
            11 => {
                let opening = [&b"["[..], b"{a: ", b"- ", b"? ", b"\n ", b"!!seq ["][dice.below(6)];
                let depth = 1 << dice.below(9);
                insert(bytes, start, &opening.repeat(depth));
            }
            12 => {
                // Wraps a part in itself, closed.
                let depth = 1 + dice.below(80);
                let wrapped = [b"[".repeat(depth), part, b"]".repeat(depth)].concat();
                bytes.splice(start..start + length, wrapped);
            }
            13 if dice.below(64) == 0 => bomb(bytes, dice),
            14 => {
                let times = 1 << dice.below(9);
                let times = times.min(LARGEST / part.len().max(1));
                insert(bytes, start, &part.repeat(times));
            }
            _ => {
                // Indents everything from a line on.
                let spaces = vec![b' '; 1 + dice.below(70)];
                let from = line_start(bytes, start);
                insert(bytes, from, &spaces);
            }
        }
    }
}

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(project().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

struct Dice(ChaCha8Rng);

impl Dice {
    /// Returns a number below a bound; 0 if the bound is 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.0.next_u64() % bound).unwrap()
    }
}

fn insert(bytes: &mut Vec<u8>, position: usize, part: &[u8]) {
    if bytes.len() + part.len() <= 64 * LARGEST {
        bytes.splice(position..position, part.iter().copied());
    }
}

fn line_start(bytes: &[u8], position: usize) -> usize {
    bytes[..position]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1)
}

fn words(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut words = Vec::new();
    let mut start = None;
    for (position, byte) in bytes.iter().enumerate() {
        let inside = byte.is_ascii_alphanumeric() || b".-_*".contains(byte);
        match (inside, start) {
            (true, None) => start = Some(position),
            (false, Some(from)) => {
                words.push((from, position));
                start = None;
            }
            _ => {}
        }
    }
    words
}

fn change_lines(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let one = dice.below(lines.len());
    let other = dice.below(lines.len());
    match dice.below(6) {
        0 => lines.swap(one, other),
        1 => drop(lines.remove(one)),
        2 => lines.insert(other, lines[one].clone()),
        3 => lines[one].insert(0, b' '),
        4 if lines[one].first() == Some(&b' ') => drop(lines[one].remove(0)),
        _ => {
            lines[one].pop();
        }
    }
    *bytes = lines.concat();
}

/// Puts aliases of aliases in front.
fn bomb(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let levels = 1 + dice.below(12);
    let width = 1 + dice.below(12);
    let mut text = String::from("tag.l0: &l0 [x, y]\n");
    for level in 1..levels {
        let alias = format!("*l{}", level - 1);
        let aliases = vec![alias.as_str(); width].join(", ");
        text.push_str(&format!("tag.l{level}: &l{level} [{aliases}]\n"));
    }
    let position = line_start(bytes, dice.below(bytes.len() + 1));
    insert(bytes, position, text.as_bytes());
}
