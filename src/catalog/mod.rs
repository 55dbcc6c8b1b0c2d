//! Models and recipes: what is built in, and what a matrix defines beside it.
//!
//! The built-in catalog is YAML, read by the same types as a matrix's own definitions.

mod builtin;
mod definitions;
mod wire_definitions;

pub use builtin::{Catalog, CatalogFile};
pub use definitions::{
    AudioEntry, BackendEntry, Definitions, DefinitionsWire, resolve_definitions,
};
pub use wire_definitions::{
    ArtifactFileWire, ArtifactWire, AudioWire, BackendWire, ModelWire, RecipeWire, SourceWire,
};
