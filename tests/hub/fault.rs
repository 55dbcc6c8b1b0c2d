//! What can be wrong with an answer of the hub.

/// Which answers are at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// What a revision stands for.
    Info,
    /// The list of files.
    Tree,
    /// The file, or the way to it.
    Resolve,
    /// The bytes of a large file.
    Bytes,
    /// The bytes of any file, wherever they come from.
    AnyBytes,
}

/// What is wrong with an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request is taken and never answered.
    Silence,
    /// So many bytes of the body, then nothing, and the connection stays open.
    Stall(usize),
    /// A few bytes every 20 ms.
    Drip(usize),
    /// So many bytes of the body, then an orderly end.
    Cut(usize),
    /// So many bytes of the body, then a reset; at 0 before the head.
    Reset(usize),
    /// So many bytes without a length, as if that were all.
    ShortWithoutLength(usize),
    /// More bytes than there are, without a length.
    LongWithoutLength,
    /// So many bytes with that length, as if that were all.
    WrongLength(usize),
    /// A part is asked for and everything is sent.
    RangeIgnored,
    /// A part is asked for and another one is sent, and said to be.
    OtherRange,
    /// A part is asked for and another one is sent, and said to be the right one.
    LyingRange,
    /// A web page.
    Page,
    /// A status with headers and a body.
    Status(u16, &'static str, &'static str),
    /// The way leads back to itself.
    Circle,
    /// One byte is another one.
    WrongByte,
    /// The bytes are said to be compressed.
    Compressed,
    /// The list says other things than are true.
    Lie,
    /// Garbage in place of JSON.
    Garbage,
}
