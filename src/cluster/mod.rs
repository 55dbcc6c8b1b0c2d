//! The same plan on several machines: what each part needs, in the words of the scheduler that is there
//! already.
//!
//! Nothing of a scheduler is written here. The contract is files: `plan.json` goes in, `run --shard` does a
//! part in an attempt folder of its own, and `merge` puts those together. What this room adds is how a plan
//! is divided, how a site says what its machines are called, and, for Slurm, how parts are handed over,
//! watched and called back. That a part is done is read from the files that it leaves, never from what the
//! scheduler says: a scheduler only knows whether something may still come.

mod attempts;
mod command;
mod division;
mod handout;
mod mapping;
mod shell;
mod site;
pub mod slurm;
mod slurm_words;
mod stop_rules;
mod submission;
mod watch;

pub use attempts::{AttemptState, Attempts};
pub use command::{CommandFailure, run_command};
pub use division::{Division, DivisionError, Group, Sizes, divide, divide_into, parts_by_time};
pub use handout::{
    GithubPart, Handout, HandoutFacts, LONGEST_MINUTES, MOST_ENTRIES, github_parts, hand_out,
};
pub use mapping::Mapping;
pub use site::{
    GithubSite, KubernetesSite, ListSite, Site, SiteFile, SlurmSite, SlurmWords, WordsSite,
    read_site,
};
pub use stop_rules::StopRules;
pub use submission::{
    Handing, IntendedGroup, Intent, Submission, SubmissionError, Submissions, Submitted,
};
pub use watch::{PartStanding, Tally, Watch};
