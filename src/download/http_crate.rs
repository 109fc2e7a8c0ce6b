//! Conversions to the types of the `http` crate.

use http::{HeaderMap, Uri};

use super::{Encoder, Method, Plan, Transmit};
use crate::error::Error;
use crate::message::http_crate::{append_header, request_head, request_target};

impl Plan<'_> {
    /// Creates the head of an [`http::Response`], with extra fields such as Date and Server.
    ///
    /// `extras` may be a `&HeaderMap`. The caller sends [`pieces`](Self::pieces) as the body.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::download::field::Boundary;
    /// use bits_proto::download::{Entity, Plan, PlanOptions, Request};
    /// use bits_proto::message::NO_EXTRAS;
    ///
    /// let request = http::Request::get("/file").header("Range", "bytes=0-4").body(())?;
    /// let boundary = Boundary::from_random(7); // from a random generator
    /// let request = Request::from_http(&request)?;
    /// let plan = Plan::new(&request, &Entity::new(100), &PlanOptions::DEFAULT, boundary);
    /// let response = plan.to_http(NO_EXTRAS)?;
    /// assert_eq!(response.status(), 206);
    /// assert_eq!(response.headers()["content-range"], "bytes 0-4/100");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_http<E, N, V>(&self, extras: E) -> Result<http::Response<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let mut response = http::Response::new(());
        *response.status_mut() = self.status().try_into()?;
        *response.headers_mut() = self.encode(extras)?.header_map()?;
        Ok(response)
    }
}

impl Transmit<'_> {
    /// Creates the head of an [`http::Request`] to `uri`, with extra fields such as Host and
    /// Authorization.
    ///
    /// `extras` may be a `&HeaderMap`. Values of Authorization, Proxy-Authorization and Cookie are
    /// marked as sensitive.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    /// [`ErrorKind::NotTarget`](crate::error::ErrorKind::NotTarget) if `uri` has no path, or if its
    /// path and query are not visible ASCII.
    pub fn to_http<E, N, V>(&self, uri: Uri, extras: E) -> Result<http::Request<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let target = request_target(&uri)?;
        let headers = self.clone().encode(target, extras)?.header_map()?;
        let method = match self.method() {
            Method::Get => http::Method::GET,
            Method::Head => http::Method::HEAD,
        };
        Ok(request_head(method, uri, headers))
    }
}

impl<E, N, V> Encoder<'_, E>
where
    E: IntoIterator<Item = (N, V)> + Clone,
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(16);
        let mut result = Ok(());
        self.for_each_field(|name, value| {
            if result.is_ok() {
                result = append_header(&mut headers, name, value).map_err(Error::caller);
            }
        });
        result.map(|()| headers)
    }
}
