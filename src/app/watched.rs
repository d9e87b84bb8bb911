//! A writer that remembers why the system refused a write: serializers replace the error by one of their own.

use std::io::{self, Write};

/// A writer and its last error.
pub(crate) struct Watched<W> {
    out: W,
    /// The code of the system.
    error: Option<i32>,
}

impl<W: Write> Watched<W> {
    /// Writes to `out`.
    pub(crate) fn new(out: W) -> Self {
        Self { out, error: None }
    }

    /// The error of the system behind `error`.
    pub(crate) fn cause(&self, error: io::Error) -> io::Error {
        self.error.map_or(error, io::Error::from_raw_os_error)
    }

    fn watch<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.error = error.raw_os_error();
        }
        result
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.watch(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.watch(result)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn error_of_the_system_is_found_behind_another() {
        let mut out = Watched::new(std::fs::File::options().write(true).open("/dev/full").unwrap());
        assert!(out.write_all(b"x").is_err());
        let cause = out.cause(io::Error::other("error serializing JUnit report"));
        assert_eq!(cause.kind(), io::ErrorKind::StorageFull);
        let mut out = Watched::new(Vec::new());
        out.write_all(b"x").unwrap();
        assert_eq!(out.cause(io::Error::other("not UTF-8")).to_string(), "not UTF-8");
    }
}
