//! Conversions to the types of the `http` crate.

use http::Uri;

use super::{Method, Plan, Transmit};
use crate::error::Error;
use crate::message::http_crate::{header_map, request_head, request_target, response_head};
use crate::message::{Extras, ExtrasStorage};

impl Plan<'_> {
    /// Creates the head of an [`http::Response`], with extra fields such as Date and Server.
    ///
    /// The caller sends [`pieces`](Self::pieces) as the body.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::download::field::Boundary;
    /// use bits_proto::download::{Entity, Plan, PlanLimits, Request};
    /// use bits_proto::message::NO_EXTRAS;
    ///
    /// let request = http::Request::get("/file").header("Range", "bytes=0-4").body(())?;
    /// let boundary = Boundary::from_random(7); // from a random generator
    /// let request = Request::from_http(&request)?;
    /// let plan = Plan::new(&request, &Entity::new(100), &PlanLimits::DEFAULT, boundary);
    /// let response = plan.to_http(&NO_EXTRAS)?;
    /// assert_eq!(response.status(), 206);
    /// assert_eq!(response.headers()["content-range"], "bytes 0-4/100");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_http(
        &self,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Response<()>, Error> {
        let encoder = self.encode(extras)?;
        response_head(self.status(), header_map(|append| encoder.for_each_field(append))?)
    }
}

impl Transmit<'_> {
    /// Creates the head of an [`http::Request`] to `uri`, with extra fields such as Host and
    /// Authorization.
    ///
    /// Values of Authorization, Proxy-Authorization and Cookie are marked as sensitive.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    /// [`ErrorKind::NotTarget`](crate::error::ErrorKind::NotTarget) if `uri` has no path, or if its
    /// path and query are not visible ASCII.
    pub fn to_http(
        &self,
        uri: Uri,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Request<()>, Error> {
        let target = request_target(&uri)?;
        let encoder = self.encode(target, extras)?;
        let headers = header_map(|append| encoder.for_each_field(append))?;
        let method = match self.method() {
            Method::Get => http::Method::GET,
            Method::Head => http::Method::HEAD,
        };
        Ok(request_head(method, uri, headers))
    }
}
