//! Connections: names looked up once, TCP, and TLS where the address asks for it.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::address::{host, is_secure, port};
use super::story::said;

/// Something that bytes go through.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// The machines behind an address. They are looked up once, so that those that were judged are those that are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machines(Vec<SocketAddr>);

impl Machines {
    /// Looks up the machines behind an address.
    pub async fn of(uri: &Uri) -> io::Result<Self> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host((host(uri), port(uri))).await?.collect();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", host(uri))));
        }
        Ok(Self(found))
    }

    /// Whether all of them are such machines.
    pub fn all(&self, are: impl Fn(std::net::IpAddr) -> bool) -> bool {
        self.0.iter().all(|address| are(address.ip()))
    }

    /// Connects to the first that answers.
    pub async fn connect(&self, uri: &Uri, trust: &Trust) -> io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect(self.0.as_slice()).await?;
        stream.set_nodelay(true)?;
        if !is_secure(uri) {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host(uri).to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(trust.config()?);
        // What is wrong with a certificate is said in its own words.
        let strange = |cause: io::Error| io::Error::new(cause.kind(), said(&cause.to_string()));
        Ok(Box::new(connector.connect(name, stream).await.map_err(strange)?))
    }
}

/// Whom we believe to be who they say: the system's authorities, and those of a file.
#[derive(Debug, Default)]
pub struct Trust {
    own: Vec<CertificateDer<'static>>,
    config: std::sync::OnceLock<Arc<ClientConfig>>,
}

impl Trust {
    /// The system's authorities, and those in a PEM file.
    pub fn with(file: Option<&Path>) -> io::Result<Self> {
        let Some(file) = file else { return Ok(Self::default()) };
        let bytes = std::fs::read(file)?;
        let own: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        let own = own.map_err(io::Error::other)?;
        if own.is_empty() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds no certificate in PEM"));
        }
        Ok(Self { own, ..Self::default() })
    }

    /// Made when it is first needed: reading the system's authorities takes a while.
    fn config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        for certificate in &self.own {
            roots.add(certificate.clone()).map_err(io::Error::other)?;
        }
        if roots.is_empty() {
            let why = system.errors.first().map_or_else(String::new, |error| format!(": {error}"));
            return Err(io::Error::other(format!("this system trusts no certificate authority{why}")));
        }
        let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}
