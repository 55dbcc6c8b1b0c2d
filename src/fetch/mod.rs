//! Getting what is missing: into a temporary place, checked, then moved whole into the store.

mod hub;
mod publish;
mod recipe;
mod workplace;

pub use hub::{HubRequest, fetch_hub};
pub use publish::Publication;
pub use recipe::RecipeRun;
pub use workplace::Workplace;
