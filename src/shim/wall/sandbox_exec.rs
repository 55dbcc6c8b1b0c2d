//! The wall on macOS: the shim is started again under `sandbox-exec`. Untested.
//!
//! `sandbox-exec` is deprecated, but shipped. It passes descriptors and process id on.

use std::ffi::OsString;
use std::io;
use std::net::UdpSocket;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Options, WallError};

const SANDBOX_EXEC: &str = "/usr/bin/sandbox-exec";

/// Denies whatever leaves the machine, and listening to it; local sockets stay.
const PROFILE: &str = "(version 1)(allow default)\
    (deny network-outbound (remote ip))(deny network-bind (local ip))";

/// Raises the wall around this process and all that it will start. Does not return the first
/// time: the process is then replaced by itself behind the wall.
pub(super) fn raise(options: &Options) -> Result<&'static str, WallError> {
    if !options.behind_wall {
        let shim = std::env::current_exe().map_err(|error| WallError::Build(error.to_string()))?;
        let mut arguments = std::env::args_os().skip(1);
        let verb: Vec<OsString> = arguments.by_ref().take(1).collect();
        let error = Command::new(SANDBOX_EXEC)
            .args(["-p", PROFILE])
            .arg(shim)
            .args(verb)
            .arg("--behind-wall")
            .args(arguments)
            .exec();
        return Err(WallError::Refused(error.to_string()));
    }
    match UdpSocket::bind("127.0.0.1:0") {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok("sandbox-exec"),
        Err(error) => Err(WallError::CanaryLives(format!(
            "failed for another reason ({error})"
        ))),
        Ok(_) => Err(WallError::CanaryLives("was opened".to_owned())),
    }
}
