//! The tower service: dispatch of requests.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Buf;
use http::header::{ALLOW, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use tracing::{Instrument as _, Span, field, info_span};

use crate::body::RequestBody;
use crate::detach::Detach;
use crate::path::RequestPath;
use crate::refusals::Refused;
use crate::response::empty;
use crate::server::Inner;
use crate::{BoxError, Deny, Principal, ResponseBody, metrics};

/// A [`tower_service::Service`] for requests with any body. Clones share their server.
///
/// Nest it below any path: the path of the request, without the prefix that the router removed, is the
/// path that [`Builder::destination`](crate::Builder::destination) receives.
#[derive(Clone)]
pub struct BitsService {
    pub(crate) inner: Arc<Inner>,
}

impl<B> tower_service::Service<Request<B>> for BitsService
where
    B: Body<Data: Buf, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.inner);
        let (parts, body) = request.into_parts();
        let body = RequestBody::new(body, &inner.limits, inner.interrupt.clone());
        let span = info_span!(
            "bits",
            method = %parts.method,
            path = parts.uri.path(),
            packet = parts.headers.get("bits-packet-type").and_then(|it| it.to_str().ok()),
            principal = field::Empty,
            session = field::Empty,
        );
        // A server drops this future when the client disconnects. Work that has begun is finished and reported
        // nevertheless.
        let tasks = inner.tasks.clone();
        let work = Detach::new(tasks.track_future(inner.serve(parts, body).instrument(span)));
        Box::pin(async move {
            Ok(work.await.unwrap_or_else(|| empty(StatusCode::INTERNAL_SERVER_ERROR)))
        })
    }
}

impl Inner {
    async fn serve(self: Arc<Self>, parts: Parts, body: RequestBody) -> Response<ResponseBody> {
        let _active = metrics::ActiveRequest::start();
        if is_bits(&parts) {
            return self.serve_bits(&parts, body).await;
        }
        if self.closing.is_cancelled() {
            return empty(StatusCode::SERVICE_UNAVAILABLE);
        }
        let is_download = parts.method == Method::GET || parts.method == Method::HEAD;
        let path = RequestPath::new(parts.uri.path());
        let is_served = self.has_downloads || matches!(path, RequestPath::Reply(_));
        if !is_download || !is_served {
            return method_not_allowed(self.has_downloads);
        }
        match self.principal(&parts).await {
            Ok(principal) => self.download(&parts, path, &principal).await,
            Err(deny) => self.denied(&deny, &parts),
        }
    }

    /// Authorizes a request.
    pub(crate) async fn principal(&self, parts: &Parts) -> Result<Principal, Deny> {
        let principal = match &self.authorize {
            Some(authorize) => authorize(parts).await?,
            None => Principal::ANONYMOUS,
        };
        Span::current().record("principal", field::display(&principal));
        Ok(principal)
    }

    /// Returns the response to a download without access.
    fn denied(&self, deny: &Deny, parts: &Parts) -> Response<ResponseBody> {
        self.refusal_log.record(&Refused::denied(deny), parts);
        match deny {
            Deny::Unauthenticated { challenge } => {
                let mut response = empty(StatusCode::UNAUTHORIZED);
                if let Ok(challenge) = HeaderValue::from_str(challenge) {
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                }
                response
            }
            Deny::Forbidden => empty(StatusCode::FORBIDDEN),
        }
    }
}

/// Returns `true` if a request belongs to the upload protocol, valid or not.
fn is_bits(parts: &Parts) -> bool {
    parts.method.as_str() == bits_proto::message::METHOD
        || parts.headers.contains_key("BITS-Packet-Type")
        || parts
            .headers
            .get("X-HTTP-Method-Override")
            .is_some_and(|method| method.as_bytes() == bits_proto::message::METHOD.as_bytes())
}

fn method_not_allowed(has_downloads: bool) -> Response<ResponseBody> {
    let allowed = if has_downloads { "GET, HEAD, BITS_POST" } else { "BITS_POST" };
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
