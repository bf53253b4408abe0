//! Connections to mail servers of which no more is read than a reply may have.
//!
//! lettre looks at the length of a line once it has all of it, so a line without an end would take
//! all memory.

use lettre::transport::smtp::Error;
#[expect(deprecated, reason = "the only way to begin with TLS over a stream of one's own")]
use lettre::transport::smtp::client::AsyncNetworkStream;
use lettre::transport::smtp::client::{AsyncTokioStream, TlsParameters};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, FuturesAsyncReadCompatExt};

/// As much is read between two writes. lettre takes 100 kB of a reply; a server's certificates come
/// in one such stretch.
const LONGEST_REPLY: usize = 128 * 1024;

/// A stream on which the other side says so much at most before it is spoken to again. Below TLS it
/// bounds the handshake and what is encrypted as well: reading encrypted bytes writes none.
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    left: usize,
}

#[expect(deprecated, reason = "see above")]
type Encrypted = Compat<AsyncNetworkStream>;

/// A stream for lettre, in the clear.
pub(super) fn plain(stream: TcpStream) -> Box<dyn AsyncTokioStream> {
    Box::new(Bounded::new(stream))
}

/// A stream for lettre, encrypted from the first byte.
pub(super) async fn encrypted(
    stream: TcpStream,
    tls: TlsParameters,
) -> Result<Box<dyn AsyncTokioStream>, Error> {
    #[expect(deprecated, reason = "see above")]
    let mut stream = AsyncNetworkStream::use_existing_tokio1(plain(stream));
    stream.upgrade_tls(tls).await?;
    Ok(Box::new(Bounded::new(stream.compat())))
}

impl<S> Bounded<S> {
    const fn new(stream: S) -> Self {
        Self { stream, left: LONGEST_REPLY }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server's reply has no end")));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.left = self.left.saturating_sub(buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.left = LONGEST_REPLY;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded<TcpStream> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl AsyncTokioStream for Bounded<Encrypted> {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.get_ref().peer_addr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_server_says_so_much_at_most_until_it_is_spoken_to_again() {
        let (ours, mut theirs) = tokio::io::duplex(4 * LONGEST_REPLY);
        theirs.write_all(&vec![b'x'; 3 * LONGEST_REPLY]).await.unwrap();
        let mut ours = Bounded::new(ours);
        let mut read = vec![0; LONGEST_REPLY];
        for _ in 0..2 {
            ours.read_exact(&mut read).await.unwrap();
            let refused = ours.read_exact(&mut read).await.unwrap_err();
            assert_eq!(refused.to_string(), "the server's reply has no end");
            ours.write_all(b"QUIT").await.unwrap();
        }
    }
}
