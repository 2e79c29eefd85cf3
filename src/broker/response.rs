//! Responses as frames: in memory, or in pieces that the kernel sends from a file.
//!
//! How a frame and its header are written is in wire/. Owns no field of any response.

use std::fs::File;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::{Encodable, HeaderVersion, Request};

use super::call::RequestContext;
use super::newer_versions::{self, AddedFields};
use super::refusal::Refusal;
use crate::wire::{frame, header};

/// What a handler sends.
#[derive(Debug)]
pub enum Answer {
    /// Nothing at all: Produce with acks=0.
    Nothing,
    /// One frame, its length in front.
    Frame(BytesMut),
    /// One frame in pieces, the length in front of the first.
    Pieces(Vec<Piece>),
    /// Nothing more on this connection, which stays open: an injected fault.
    Silence,
    /// The connection is closed without an answer: an injected fault.
    Close,
}

/// A part of a frame.
#[derive(Debug)]
pub enum Piece {
    Bytes(Bytes),
    /// A range of a segment, sent from the page cache.
    Range {
        file: Arc<File>,
        position: u64,
        length: usize,
    },
}

/// The frame of a response to the request in `context`.
pub(super) fn encode<R: Request>(
    context: &RequestContext,
    response: &R::Response,
) -> Result<Answer, Refusal> {
    let version = newer_versions::answer_as(context.api, context.version);
    encode_as::<R::Response>(context.correlation_id, version, response)
        .map_err(|error| Refusal::new(format!("{:?} v{}: {error}", context.api, context.version)))
}

/// The same for a response with fields that kafka-protocol lacks; they are ignored in versions that do not have them.
pub(super) fn encode_newer<R: Request>(
    context: &RequestContext,
    response: &R::Response,
    newer: AddedFields<'_>,
) -> Result<Answer, Refusal> {
    let (api, version) = (context.api, context.version);
    let failed = |error: String| Refusal::new(format!("{api:?} v{version}: {error}"));
    let older = newer_versions::answer_as(api, version);
    let mut body = BytesMut::new();
    response
        .encode(&mut body, older)
        .map_err(|error| failed(format!("{error:#}")))?;
    let body = newer_versions::join_answer(api, version, &body, newer)
        .ok_or_else(|| failed("the answer cannot be encoded".to_owned()))?;
    let header_version = R::Response::header_version(older);
    let mut frame = start_frame(context.correlation_id, header_version, body.len());
    frame.extend_from_slice(&body);
    finish_frame(&mut frame, 0)?;
    Ok(Answer::Frame(frame))
}

/// The frame of a response of a given version.
pub(super) fn encode_as<T: Encodable + HeaderVersion>(
    correlation_id: i32,
    version: i16,
    response: &T,
) -> Result<Answer, Refusal> {
    let encoding = |error| Refusal::new(format!("the answer cannot be encoded: {error:#}"));
    let size = response.compute_size(version).map_err(encoding)?;
    let mut frame = start_frame(correlation_id, T::header_version(version), size);
    response.encode(&mut frame, version).map_err(encoding)?;
    finish_frame(&mut frame, 0)?;
    Ok(Answer::Frame(frame))
}

/// A frame with room for its length, and the response header.
pub(super) fn start_frame(correlation_id: i32, header_version: i16, body_size: usize) -> BytesMut {
    let mut frame = BytesMut::with_capacity(frame::PREFIX_LEN + header::MAX_RESPONSE_LEN + body_size);
    frame::begin(&mut frame);
    header::put_response(&mut frame, header_version, correlation_id);
    frame
}

/// Writes the length at the front, counting `more` bytes that follow from elsewhere.
pub(super) fn finish_frame(frame: &mut BytesMut, more: usize) -> Result<(), Refusal> {
    frame::finish_with(frame, 0, more)
        .map_err(|error| Refusal::new(format!("the answer is too long: {error}")))
}
