//! The lines of an answer that does not end, each bounded.

use bytes::Bytes;
use http_body_util::BodyExt;
use kube::client::Body;

use crate::causes;

/// The most bytes of one event: an object of the largest size etcd takes by default is 1.5 MiB.
pub(crate) const MAX_LINE: usize = 2 * 1024 * 1024;
/// A buffer that has grown further is given back.
const ROOM: usize = 64 * 1024;

/// Reads line by line.
pub(crate) struct EventLines<B = Body> {
    body: B,
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where no line's end is.
    scanned: usize,
}

/// Why there is no line.
pub(crate) enum LineError {
    /// One is over the bound.
    TooLong,
    /// The connection was cut.
    Cut(String),
}

impl<B> EventLines<B>
where
    B: hyper::body::Body<Data = Bytes> + Unpin,
    B::Error: std::error::Error + 'static,
{
    pub(crate) fn new(body: B) -> Self {
        Self { body, buffer: Vec::new(), start: 0, scanned: 0 }
    }

    /// The next line; none after the last. Half a line at the end is none: what follows it is unknown.
    pub(crate) async fn next(&mut self) -> Result<Option<&[u8]>, LineError> {
        loop {
            let end = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let (start, end) = (self.start, self.scanned + end);
                (self.start, self.scanned) = (end + 1, end + 1);
                if end > start {
                    return Ok(Some(&self.buffer[start..end]));
                }
                continue;
            }
            self.buffer.drain(..self.start);
            (self.start, self.scanned) = (0, self.buffer.len());
            if self.buffer.is_empty() && self.buffer.capacity() > ROOM {
                self.buffer = Vec::new();
            }
            if self.buffer.len() > MAX_LINE {
                return Err(LineError::TooLong);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(Ok(frame)) => self.buffer.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Some(Err(error)) => return Err(LineError::Cut(causes::chain(&error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: Vec<u8>) -> Result<Vec<String>, &'static str> {
        let mut lines = EventLines::new(Body::from(text));
        let mut all = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => all.push(String::from_utf8_lossy(line).into_owned()),
                Ok(None) => return Ok(all),
                Err(LineError::TooLong) => return Err("too long"),
                Err(LineError::Cut(_)) => return Err("cut"),
            }
        }
    }

    #[tokio::test]
    async fn half_a_line_is_none_and_a_long_one_is_refused() {
        assert_eq!(lines(b"a\n\nbc\nhalf".to_vec()).await.unwrap(), ["a", "bc"]);
        assert_eq!(lines(vec![b'a'; MAX_LINE + 1]).await, Err("too long"));
        let mut fits = vec![b'a'; MAX_LINE];
        fits.push(b'\n');
        assert_eq!(lines(fits).await.unwrap().len(), 1);
    }
}
