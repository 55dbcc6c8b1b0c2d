//! YAML that remembers where everything stands, and types made of it with every mistake told.
//!
//! [`Document`] is the file as a tree of nodes that know their place; [`decode`] makes any serde
//! type of it; [`Located`] keeps a value's node beside it. Matrix files and the catalog are read
//! through this room.

mod any_value;
mod decode;
mod deserializer;
mod document;
mod located;
mod mistake;
mod overlay;
mod syntax;
mod tree;

pub use any_value::AnyValue;
pub use decode::decode;
pub use document::{Document, MAXIMUM_BYTES, NodeId};
pub use located::{AnyScalar, Located, LocatedValue, OneOrMany};
