//! The certificate authorities that a component verifies its clients with.
//!
//! In: the file that its arguments, variables or configuration name. Out: the SHA-256 fingerprint of each certificate
//! in it, so that two components can be compared without shipping either file.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

use crate::collect::node::filesystem::process_view::ProcessView;
use crate::resource::{Gap, Reason};

/// The fingerprints in a file, in its order.
pub(super) fn fingerprints(view: &ProcessView<'_>, path: &str) -> Result<Vec<String>, Gap> {
    let path = view.host_path(path)?;
    let bytes = view.host().read(&path)?;
    let certificates: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => {
            Ok(certificates.iter().map(|certificate| fingerprint(certificate)).collect())
        }
        Ok(_) => Err(Gap::new(Reason::Malformed, format!("read {path}: it has no certificate"))),
        Err(_) => Err(Gap::new(Reason::Malformed, format!("read {path}: it is not PEM"))),
    }
}

fn fingerprint(der: &[u8]) -> String {
    let mut out = String::with_capacity(64);
    for byte in Sha256::digest(der) {
        // Writing to a text cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_certificate() {
        assert_eq!(fingerprint(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
