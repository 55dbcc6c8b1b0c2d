//! The edit distance of two texts in characters, in room that is used again.
//!
//! The recurrence of `bit_matrix`, but from the left and without a matrix; and what are symbols there
//! are bytes here, so that nothing needs to be numbered.

use super::align::distance;
use super::ends::Cut;

/// Rows of a block.
const BLOCK: usize = 64;

/// How many bytes there are.
const SYMBOLS: usize = 256;

/// Room for the characters of two texts, used again for one pair after the other.
#[derive(Debug, Default)]
pub(super) struct CharacterRoom {
    one: Vec<u8>,
    other: Vec<u8>,
    /// Characters beyond ASCII, which stand for the bytes from 128 on.
    foreign: Vec<char>,
    bytes: ByteRoom,
}

/// For each byte the rows in which it stands; all zero between uses.
#[derive(Debug, Default)]
struct ByteRoom {
    /// Rows of texts of up to 64 bytes.
    narrow: Vec<u64>,
    /// Rows of texts of up to 128 bytes.
    wide: Vec<u128>,
    /// Rows of longer texts, block by block.
    rows: Vec<u64>,
    /// The column of each block.
    blocks: Vec<Block>,
}

/// Differences between a row and the row before it, in 64 rows of one column of several blocks.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Rows that are one more.
    increases: u64,
    /// Rows that are one less.
    decreases: u64,
}

impl Block {
    /// The first column: every row is one more.
    const FIRST: Self = Self {
        increases: u64::MAX,
        decreases: 0,
    };

    /// Moves on by a column. `equal` are the rows whose symbol it is; `rises` and `falls` say whether
    /// the row above is one more, or one less, than it was. Returns the same of the last row.
    fn advance(&mut self, equal: u64, rises: u64, falls: u64) -> (u64, u64) {
        let Self {
            increases,
            decreases,
        } = *self;
        let matches = equal | falls;
        let diagonal =
            ((matches & increases).wrapping_add(increases) ^ increases) | matches | decreases;
        let right_rises = decreases | !(diagonal | increases);
        let right_falls = diagonal & increases;
        let shifted_rises = right_rises << 1 | rises;
        let shifted_falls = right_falls << 1 | falls;
        self.increases = shifted_falls | !(diagonal | shifted_rises);
        self.decreases = shifted_rises & diagonal;
        (right_rises >> (BLOCK - 1), right_falls >> (BLOCK - 1))
    }

    /// Returns by how much the last of its first rows is more than the row above, and less.
    fn difference(self, rows: usize) -> (usize, usize) {
        let mask = u64::MAX >> (BLOCK - rows);
        let count = |bits: u64| (bits & mask).count_ones() as usize;
        (count(self.increases), count(self.decreases))
    }
}

impl CharacterRoom {
    /// Returns the distance of two texts that were cut at characters.
    pub(super) fn distance(&mut self, cut: Cut<'_>) -> usize {
        let (one, other) = (cut.one, cut.other);
        if one.is_empty() || other.is_empty() {
            return one.chars().count().max(other.chars().count());
        }
        if one.is_ascii() && other.is_ascii() {
            return self.bytes.distance(one.as_bytes(), other.as_bytes());
        }
        self.foreign.clear();
        let encoded = encode(one, &mut self.foreign, &mut self.one)
            && encode(other, &mut self.foreign, &mut self.other);
        if encoded {
            return self.bytes.distance(&self.one, &self.other);
        }
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&characters(one), &characters(other))
    }
}

/// Writes a text as one byte for each character; returns false if there are too many for that.
fn encode(text: &str, foreign: &mut Vec<char>, bytes: &mut Vec<u8>) -> bool {
    bytes.clear();
    for character in text.chars() {
        let known = u8::try_from(character).ok().filter(u8::is_ascii);
        let byte = known.or_else(|| {
            let number = foreign.iter().position(|known| *known == character);
            let number = number.unwrap_or_else(|| {
                foreign.push(character);
                foreign.len() - 1
            });
            u8::try_from(number + 128).ok()
        });
        let Some(byte) = byte else { return false };
        bytes.push(byte);
    }
    true
}

/// Makes a function that returns the distance of two texts of bytes, the first of which is not empty
/// and has no more bytes than a number has bits.
macro_rules! distance_in_one_number {
    ($name:ident, $number:ty) => {
        fn $name(short: &[u8], long: &[u8], rows: &mut Vec<$number>) -> usize {
            rows.resize(SYMBOLS, 0);
            let Some(rows) = rows.first_chunk_mut::<SYMBOLS>() else {
                return 0;
            };
            for (row, byte) in short.iter().enumerate() {
                rows[usize::from(*byte)] |= 1 << row;
            }
            let (mut increases, mut decreases) = (<$number>::MAX, 0);
            for byte in long {
                let equal = rows[usize::from(*byte)];
                let diagonal =
                    ((equal & increases).wrapping_add(increases) ^ increases) | equal | decreases;
                // The top row grows by one from column to column.
                let rises = ((decreases | !(diagonal | increases)) << 1) | 1;
                let falls = (diagonal & increases) << 1;
                increases = falls | !(diagonal | rises);
                decreases = rises & diagonal;
            }
            for byte in short {
                rows[usize::from(*byte)] = 0;
            }
            let mask = <$number>::MAX >> (<$number>::BITS as usize - short.len());
            let count = |bits: $number| (bits & mask).count_ones() as usize;
            long.len() + count(increases) - count(decreases)
        }
    };
}

distance_in_one_number!(narrow_distance, u64);
distance_in_one_number!(wide_distance, u128);

impl ByteRoom {
    /// Returns the distance of two texts of bytes, neither of which may be empty.
    fn distance(&mut self, one: &[u8], other: &[u8]) -> usize {
        let (short, long) = if one.len() <= other.len() {
            (one, other)
        } else {
            (other, one)
        };
        match short {
            [byte] => long.len() - usize::from(long.contains(byte)),
            _ if short.len() <= BLOCK => narrow_distance(short, long, &mut self.narrow),
            _ if short.len() <= 2 * BLOCK => wide_distance(short, long, &mut self.wide),
            _ => self.block_distance(short, long),
        }
    }

    fn block_distance(&mut self, short: &[u8], long: &[u8]) -> usize {
        let blocks = short.len().div_ceil(BLOCK);
        if self.rows.len() < SYMBOLS * blocks {
            self.rows.resize(SYMBOLS * blocks, 0);
        }
        for (position, byte) in short.iter().enumerate() {
            let row = usize::from(*byte) * blocks + position / BLOCK;
            self.rows[row] |= 1 << (position % BLOCK);
        }
        self.blocks.clear();
        self.blocks.resize(blocks, Block::FIRST);
        for byte in long {
            let rows = &self.rows[usize::from(*byte) * blocks..][..blocks];
            let (mut rises, mut falls) = (1, 0);
            for (equal, block) in rows.iter().zip(&mut self.blocks) {
                (rises, falls) = block.advance(*equal, rises, falls);
            }
        }
        self.rows[..SYMBOLS * blocks].fill(0);
        let mut distance = long.len();
        let mut left = short.len();
        for block in &self.blocks {
            let (more, less) = block.difference(left.min(BLOCK));
            distance = distance + more - less;
            left -= left.min(BLOCK);
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use super::super::ends::cut_characters;
    use super::*;
    use proptest::prelude::*;

    /// The plainest way there is.
    fn plain(one: &str, other: &str) -> usize {
        let other: Vec<char> = other.chars().collect();
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (number, said) in one.chars().enumerate() {
            let mut diagonal = row[0];
            row[0] = number + 1;
            for (column, heard) in other.iter().enumerate() {
                let best = (diagonal + usize::from(said != *heard))
                    .min(row[column] + 1)
                    .min(row[column + 1] + 1);
                diagonal = row[column + 1];
                row[column + 1] = best;
            }
        }
        row[other.len()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        #[test]
        fn distances_are_those_of_the_plain_way(
            pairs in prop::collection::vec(("[abcé]{0,150}", "[abcé]{0,150}", "[abcdか]{0,9}"), 1..4)
        ) {
            // One room for all, as in use: nothing of a pair may be left for the next.
            let mut room = CharacterRoom::default();
            for (one, other, changed) in pairs {
                let near = one.replacen("ab", &changed, 3);
                for (one, other) in [(&one, &other), (&one, &near), (&near, &other)] {
                    prop_assert_eq!(room.distance(cut_characters(one, other)), plain(one, other));
                }
            }
        }
    }

    #[test]
    fn lengths_around_a_block_are_counted_whole() {
        let text = |length: u32, letters| -> String {
            (0..length)
                .filter_map(|at| char::from_digit(at % letters + 10, 36))
                .collect()
        };
        let mut room = CharacterRoom::default();
        for length in [1, 2, 63, 64, 65, 127, 128, 129, 192, 193] {
            for other in [length - 1, length, length + 1, length + 64] {
                // Nothing in common at the ends, so that no less is computed.
                let (one, other) = (format!("x{}", text(length - 1, 7)), text(other, 5) + "y");
                let found = room.distance(cut_characters(&one, &other));
                assert_eq!(found, plain(&one, &other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn more_characters_than_bytes_are_told_apart() {
        let letters = |first: u32| {
            (first..first + 200)
                .filter_map(char::from_u32)
                .collect::<String>()
        };
        let (one, other) = (letters(0x4e00), letters(0x4e64));
        let found = CharacterRoom::default().distance(cut_characters(&one, &other));
        assert_eq!(found, plain(&one, &other));
    }
}
