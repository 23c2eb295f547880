//! Sends a file while it is read. Its reader has the pace, but may not hold a turn and a snapshot by taking nothing.

use std::time::Duration;

use axum::body::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// Why a body breaks off. A store's own words are for the log.
#[derive(Debug, thiserror::Error)]
#[error("the file breaks off here")]
pub struct BrokenOff;

/// The pieces as a body that ends well only after the last of them; `turn` is held until they are read, or until nobody
/// has taken one for as long as `patience`.
pub fn body<E: std::fmt::Display + Send + 'static>(
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Send + Unpin + 'static,
    turn: impl Send + 'static,
    patience: Duration,
) -> impl Stream<Item = Result<Bytes, BrokenOff>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _turn = turn;
        loop {
            let piece = tokio::select! {
                () = sender.closed() => return,
                piece = pieces.next() => piece,
            };
            if let Some(Err(cause)) = &piece {
                tracing::warn!(%cause, "an export breaks off");
                return;
            }
            let is_last = piece.is_none();
            match timeout(patience, sender.send(piece.and_then(Result::ok))).await {
                Ok(Ok(())) if !is_last => {}
                Ok(_) => return,
                Err(_) => return tracing::warn!("an export is given up: its reader takes nothing"),
            }
        }
    });
    // An end that nobody has sent is none.
    let pieces = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Some(piece)) => Some((Ok(piece), Some(receiver))),
            Some(None) => None,
            None => Some((Err(BrokenOff), None)),
        }
    });
    // The compression of an empty body asks again after the end.
    pieces.fuse()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use super::*;

    const SHORT: Duration = Duration::from_millis(30);

    fn pieces(of: Vec<Result<&'static str, &'static str>>) -> impl Stream<Item = Result<Bytes, String>> + Send + Unpin {
        stream::iter(of).map(|piece| piece.map(Bytes::from).map_err(str::to_owned))
    }

    #[tokio::test]
    async fn a_whole_file_ends_and_a_broken_one_does_not() {
        let whole: Vec<_> = body(pieces(vec![Ok("a"), Ok("b")]), (), SHORT).collect().await;
        assert!(matches!(&whole[..], [Ok(a), Ok(b)] if a == "a" && b == "b"), "{whole:?}");
        let broken: Vec<_> = body(pieces(vec![Ok("a"), Err("x"), Ok("b")]), (), SHORT).collect().await;
        assert!(matches!(&broken[..], [Ok(_), Err(BrokenOff)]), "{broken:?}");
    }

    #[tokio::test]
    async fn an_end_stays_one_however_often_it_is_asked_for() {
        let mut empty = Box::pin(body(pieces(vec![]), (), SHORT));
        assert!(empty.next().await.is_none() && empty.next().await.is_none());
    }

    #[tokio::test]
    async fn a_reader_that_takes_nothing_loses_its_turn() {
        let turn = Arc::new(());
        let mut body = Box::pin(body(pieces(vec![Ok("a"), Ok("b"), Ok("c"), Ok("d")]), Arc::clone(&turn), SHORT));
        assert_eq!(body.next().await.unwrap().unwrap(), "a");
        assert_eq!(Arc::strong_count(&turn), 2);
        tokio::time::sleep(SHORT * 10).await;
        assert_eq!(Arc::strong_count(&turn), 1);
        let rest: Vec<_> = body.collect().await;
        assert!(matches!(&rest[..], [Ok(_), Err(BrokenOff)]), "{rest:?}");
    }

    #[tokio::test]
    async fn a_reader_that_leaves_gives_its_turn_back() {
        let turn = Arc::new(());
        drop(body(stream::pending::<Result<Bytes, String>>(), Arc::clone(&turn), SHORT * 1000));
        tokio::time::sleep(SHORT).await;
        assert_eq!(Arc::strong_count(&turn), 1);
    }
}
