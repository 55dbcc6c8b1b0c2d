//! Models and recipes: what is built in, and what a catalog file or a matrix defines beside it.
//!
//! The built-in catalog is YAML, one file a family, read by the same types as a matrix's own
//! definitions. So is what is known of the bridges to engines that are programs of their own.

mod bridges;
mod builtin;
mod definitions;
mod file;
mod models;
mod sources;
mod wire_definitions;

pub use bridges::{bridge_definition, bridges};
pub use builtin::Catalog;
pub use definitions::{
    AudioEntry, BackendEntry, Definitions, DefinitionsWire, folder_of, resolve_definitions,
};
pub use file::{CatalogFile, read_catalog};
pub use wire_definitions::{
    ArtifactFileWire, ArtifactWire, AudioWire, BackendWire, ModelWire, RecipeWire, SourceWire,
};
