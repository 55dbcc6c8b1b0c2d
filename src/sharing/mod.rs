//! Folders that several machines share: who works there, when there is no lock to ask; names that
//! nobody else has; files that appear late.
//!
//! # What holds where there are no locks
//!
//! A kernel's lock dies with its holder, and on one machine nothing is better. On a network file system
//! it may not be there (`ENOLCK`, `ENOSYS`, Lustre without `flock`), may hold on one node only
//! (`localflock`), or may outlive a node that died. There a [`Lease`] is held: a file that says who
//! holds it, which its holder renews. Whoever waits watches it by its **own** clock, and only asks
//! whether what stands in the file has changed, because the clocks of two hosts differ. A lease that
//! was not renewed for long enough is taken over, at once where the holder was a process of this very
//! kernel that is gone.
//!
//! A lease keeps work from being done twice. It does **not** make that impossible: a holder that was
//! stopped wakes up, finds its lease gone, and goes on. So nothing may rest on a lease alone, and two
//! writers must be harmless: each writes into files whose names nobody else has ([`unique_name`]), checks
//! the digests of what it wrote, and publishes by a rename of bytes that are whole. Both publish the same
//! bytes then; what is never published is half of anything.

mod file_system;
mod holder;
mod late;
mod lease;
mod watch;

pub use file_system::{has_no_locks, is_shared};
pub use holder::{Holder, boot_id, unique_name};
pub use late::listed_metadata;
pub use lease::{Lease, LeaseRules, lease_file};
pub use watch::{Sight, Watch};
