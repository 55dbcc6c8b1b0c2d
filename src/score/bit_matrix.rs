//! The edit distance matrix of two sequences, 64 cells at a time.
//!
//! Bit-parallel recurrence of Myers (1999) in the form of Hyyrö (2003), over blocks of 64 rows.
//! Both sequences are read from the end, so that the cell `(i, j)` holds the distance of the
//! suffixes `reference[i..]` and `hypothesis[j..]` and a walk through the matrix goes from left
//! to right. Only differences between neighbouring cells are kept: two bits for each cell.

/// Bits for which all columns may be kept at once. Above it, single columns are kept and the
/// stretches between them are computed a second time.
const KEPT_BITS: usize = 256 * 1024 * 1024;

const BLOCK: usize = 64;

/// Words of 64 bits up to which the rows of all symbols are laid out at once.
const LAID_OUT: usize = 1 << 16;

/// For each symbol of the reference, the rows in which it stands, as bits of whole blocks.
enum Rows {
    /// The bits of all symbols one after the other, and a last row without any.
    LaidOut(Vec<u64>),
    /// Long references have many symbols and long rows: only positions are kept, and the row of
    /// one symbol is filled in when it is asked for.
    OnDemand {
        /// Where the positions of each symbol begin in `positions`; one more entry than symbols.
        starts: Vec<usize>,
        /// Positions counted from the end of the reference.
        positions: Vec<usize>,
        /// The row of the symbol that was asked for last.
        row: Vec<u64>,
        last: u32,
    },
}

impl Rows {
    fn new(reference: &[u32], blocks: usize) -> Self {
        let symbols = reference
            .iter()
            .max()
            .map_or(0, |largest| *largest as usize + 1);
        if (symbols + 1) * blocks <= LAID_OUT {
            let mut rows = vec![0; (symbols + 1) * blocks];
            for (position, symbol) in reference.iter().rev().enumerate() {
                rows[*symbol as usize * blocks + position / BLOCK] |= 1 << (position % BLOCK);
            }
            return Self::LaidOut(rows);
        }
        let mut starts = vec![0; symbols + 1];
        for symbol in reference {
            starts[*symbol as usize + 1] += 1;
        }
        for symbol in 0..symbols {
            starts[symbol + 1] += starts[symbol];
        }
        let mut next = starts.clone();
        let mut positions = vec![0; reference.len()];
        for (position, symbol) in reference.iter().rev().enumerate() {
            let slot = &mut next[*symbol as usize];
            positions[*slot] = position;
            *slot += 1;
        }
        Self::OnDemand {
            starts,
            positions,
            row: vec![0; blocks],
            last: u32::MAX,
        }
    }

    /// Returns the bits of a symbol: one for each row, counted from the end of the reference.
    fn of(&mut self, symbol: u32, blocks: usize) -> &[u64] {
        match self {
            Self::LaidOut(rows) => {
                let start = (symbol as usize)
                    .saturating_mul(blocks)
                    .min(rows.len() - blocks);
                &rows[start..start + blocks]
            }
            Self::OnDemand {
                starts,
                positions,
                row,
                last,
            } => {
                let of = |symbol: u32| match starts.get(symbol as usize..) {
                    Some([start, end, ..]) => &positions[*start..*end],
                    _ => &[],
                };
                for position in of(*last) {
                    row[position / BLOCK] = 0;
                }
                for position in of(symbol) {
                    row[position / BLOCK] |= 1 << (position % BLOCK);
                }
                *last = symbol;
                row
            }
        }
    }
}

/// Differences between a row and the row before it, in 64 rows of one column.
#[derive(Debug, Clone, Copy)]
struct Vertical {
    /// Rows that are one more.
    increases: u64,
    /// Rows that are one less.
    decreases: u64,
}

/// What a walk needs to know of 64 rows of one column.
#[derive(Debug, Clone, Copy, Default)]
struct Cells {
    /// Rows that equal their neighbour in the row and the column before.
    diagonal: u64,
    /// Rows that are one more than the row before.
    increases: u64,
}

/// The matrix of a reference and a hypothesis of dense symbols.
pub(super) struct BitMatrix<'sequence> {
    reference: &'sequence [u32],
    hypothesis: &'sequence [u32],
    rows: Rows,
    blocks: usize,
}

impl<'sequence> BitMatrix<'sequence> {
    /// Prepares the matrix of two sequences that are not empty. The symbols of the reference are
    /// to be numbered from zero without large gaps; the hypothesis may have any others.
    pub(super) fn new(reference: &'sequence [u32], hypothesis: &'sequence [u32]) -> Self {
        let blocks = reference.len().div_ceil(BLOCK);
        Self {
            reference,
            hypothesis,
            rows: Rows::new(reference, blocks),
            blocks,
        }
    }

    fn first_column(&self) -> Vec<Vertical> {
        vec![
            Vertical {
                increases: u64::MAX,
                decreases: 0
            };
            self.blocks
        ]
    }

    /// Moves the column one symbol on. `number` counts columns from the end of the hypothesis,
    /// from 1. `keep` receives the number of each block and its cells.
    fn advance(
        &mut self,
        column: &mut [Vertical],
        number: usize,
        mut keep: impl FnMut(usize, Cells),
    ) {
        let symbol = self.hypothesis[self.hypothesis.len() - number];
        let row = self.rows.of(symbol, self.blocks);
        // The top row grows by one from column to column.
        let (mut rises, mut falls) = (1_u64, 0_u64);
        for (block, (equal, vertical)) in row.iter().zip(column).enumerate() {
            let Vertical {
                increases,
                decreases,
            } = *vertical;
            let matches = equal | falls;
            let diagonal =
                ((matches & increases).wrapping_add(increases) ^ increases) | matches | decreases;
            let right_rises = decreases | !(diagonal | increases);
            let right_falls = diagonal & increases;
            let shifted_rises = right_rises << 1 | rises;
            let shifted_falls = right_falls << 1 | falls;
            rises = right_rises >> (BLOCK - 1);
            falls = right_falls >> (BLOCK - 1);
            let increases = shifted_falls | !(diagonal | shifted_rises);
            *vertical = Vertical {
                increases,
                decreases: shifted_rises & diagonal,
            };
            keep(
                block,
                Cells {
                    diagonal,
                    increases,
                },
            );
        }
    }

    /// Returns the edit distance.
    pub(super) fn distance(mut self) -> usize {
        let mut column = self.first_column();
        for number in 1..=self.hypothesis.len() {
            self.advance(&mut column, number, |_, _| ());
        }
        let mut distance = self.hypothesis.len();
        let mut rows_left = self.reference.len();
        for Vertical {
            increases,
            decreases,
        } in column
        {
            let rows = rows_left.min(BLOCK);
            let mask = u64::MAX >> (BLOCK - rows);
            distance += (increases & mask).count_ones() as usize;
            distance -= (decreases & mask).count_ones() as usize;
            rows_left -= rows;
        }
        distance
    }

    /// Walks through the matrix from the start of both sequences to the end of one, and reports
    /// each step. Where several steps keep the distance minimal, the first of match, substitution,
    /// deletion, insertion is taken.
    pub(super) fn walk(mut self, mut report: impl FnMut(Step)) {
        let columns = self.hypothesis.len();
        let width = self.stretch(columns);
        let mut kept = vec![self.first_column()];
        if columns > width {
            let mut column = self.first_column();
            for number in 1..=(columns - 1) / width * width {
                self.advance(&mut column, number, |_, _| ());
                if number % width == 0 {
                    kept.push(column.clone());
                }
            }
        }
        let mut cells = vec![Cells::default(); width * self.blocks];
        let (mut row, mut number) = (self.reference.len(), columns);
        while let Some(mut column) = kept.pop()
            && row > 0
        {
            let start = kept.len() * width;
            for (current, cells) in (start + 1..=number).zip(cells.chunks_mut(self.blocks)) {
                self.advance(&mut column, current, |block, kept| cells[block] = kept);
            }
            while row > 0 && number > start {
                let cell = cells[(number - start - 1) * self.blocks + (row - 1) / BLOCK];
                let bit = 1 << ((row - 1) % BLOCK);
                let said = self.reference[self.reference.len() - row];
                let step = if said == self.hypothesis[columns - number] {
                    Step::Match
                } else if cell.diagonal & bit == 0 {
                    Step::Substitution
                } else if cell.increases & bit != 0 {
                    Step::Deletion
                } else {
                    Step::Insertion
                };
                row -= usize::from(step != Step::Insertion);
                number -= usize::from(step != Step::Deletion);
                report(step);
            }
        }
        for _ in 0..row {
            report(Step::Deletion);
        }
        for _ in 0..number {
            report(Step::Insertion);
        }
    }

    /// Returns how many columns are computed and kept at a time.
    fn stretch(&self, columns: usize) -> usize {
        if columns.saturating_mul(self.blocks * 2 * BLOCK) <= KEPT_BITS {
            columns.max(1)
        } else {
            columns.isqrt() + 1
        }
    }
}

/// One step of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Both sequences move on over equal symbols.
    Match,
    /// Both move on over different symbols.
    Substitution,
    /// The reference moves on.
    Deletion,
    /// The hypothesis moves on.
    Insertion,
}
