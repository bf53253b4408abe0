//! The one provider of TLS's cryptography in this process.

/// Sets it: for mail servers, SMS providers and listeners that are imported to. Another part of the
/// process may have set it before.
pub fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
